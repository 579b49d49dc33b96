//! The crates, sources and functions of this workspace.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use end_to_end::root;
use sam_template::{StackContext, Template};
use serde_json::Value;

/// One crate of the workspace, as cargo sees it.
#[derive(Debug, Clone, Default)]
pub struct Package {
    /// Its path from the root of the repository.
    pub folder: PathBuf,
    /// Dependencies within the workspace, including those for tests.
    pub ours: BTreeSet<String>,
    /// Dependencies outside the workspace, except those for tests and build scripts.
    pub theirs: BTreeSet<String>,
    pub binaries: Vec<String>,
}

pub fn packages() -> BTreeMap<String, Package> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1", "--manifest-path"])
        .arg(root().join("Cargo.toml"))
        .output()
        .expect("cargo can be started");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo speaks JSON");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let packages = metadata["packages"].as_array().unwrap();
    let names: BTreeSet<String> = packages.iter().map(|package| text(&package["name"])).collect();
    let describe = |package: &Value| {
        let mut described =
            Package { folder: relative(Path::new(&text(&package["manifest_path"]))), ..Package::default() };
        described.folder.pop();
        for dependency in package["dependencies"].as_array().unwrap() {
            let name = text(&dependency["name"]);
            if names.contains(&name) {
                described.ours.insert(name);
            } else if dependency["kind"].is_null() {
                described.theirs.insert(name);
            }
        }
        for target in package["targets"].as_array().unwrap() {
            if target["kind"].as_array().unwrap().contains(&Value::from("bin")) {
                described.binaries.push(text(&target["name"]));
            }
        }
        (text(&package["name"]), described)
    };
    packages.iter().map(describe).collect()
}

pub fn template() -> Template {
    Template::read(&root().join("template.yaml"), StackContext::local("damso"), &BTreeMap::new())
        .expect("the template can be read")
}

/// Every Rust source of the workspace, by its path from the root of the repository.
pub fn rust_sources() -> BTreeMap<PathBuf, String> {
    let mut sources = BTreeMap::new();
    for folder in ["crates", "tests"] {
        files(&root().join(folder), &["rs"], &mut sources);
    }
    sources
}

/// Every TypeScript source, by its path from the root of the repository.
pub fn typescript_sources() -> BTreeMap<PathBuf, String> {
    let mut sources = BTreeMap::new();
    for folder in ["clients", "web", "examples"] {
        files(&root().join(folder), &["ts", "tsx", "mts"], &mut sources);
    }
    sources
}

/// The names of the files in `events/`, without their extension.
pub fn event_files() -> BTreeSet<String> {
    fs::read_dir(root().join("events"))
        .expect("there are event files")
        .map(|entry| entry.expect("readable").path().file_stem().expect("a name").to_string_lossy().into_owned())
        .collect()
}

fn files(folder: &Path, extensions: &[&str], found: &mut BTreeMap<PathBuf, String>) {
    // Not every folder exists in every checkout.
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.expect("the entry can be read").path();
        let name = path.file_name().expect("an entry has a name");
        if path.is_dir() {
            if name != "node_modules" && name != "dist" {
                files(&path, extensions, found);
            }
        } else if path.extension().is_some_and(|extension| extensions.iter().any(|known| extension == *known)) {
            found.insert(relative(&path), fs::read_to_string(&path).expect("a source is text"));
        }
    }
}

fn relative(path: &Path) -> PathBuf {
    path.strip_prefix(root()).expect("below the root").to_path_buf()
}
