//! What documentation says about the repository, compared with the repository.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use sam_template::{StackContext, Template};

use crate::architecture::table_name;
use crate::repository::root;

/// All pages written for people, with their paths from the root of the repository.
fn pages() -> Vec<(PathBuf, String)> {
    let mut paths: Vec<PathBuf> =
        ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"].into_iter().map(PathBuf::from).collect();
    for entry in fs::read_dir(root().join("docs")).expect("docs/ can be read") {
        let name = entry.expect("the entry can be read").file_name();
        if Path::new(&name).extension().is_some_and(|extension| extension == "md") {
            paths.push(Path::new("docs").join(name));
        }
    }
    paths.into_iter().map(|path| (path.clone(), text_of(&path))).collect()
}

fn text_of(path: &Path) -> String {
    fs::read_to_string(root().join(path)).expect("the page can be read")
}

/// The names of all Rust tests: functions below `#[test]` or `#[tokio::test]`.
fn rust_tests() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut folders = vec![root().join("crates"), root().join("tests")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the folder can be read") {
            let path = entry.expect("the entry can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let source = fs::read_to_string(&path).expect("a source is text");
                names.extend(tests_in(&source));
            }
        }
    }
    names
}

fn tests_in(source: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut is_test = false;
    for line in source.lines().map(str::trim_start) {
        if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
            is_test = true;
        } else if let Some(rest) = line.strip_prefix("async fn ").or_else(|| line.strip_prefix("fn ")) {
            if is_test {
                names.extend(rest.split('(').next().map(str::to_owned));
            }
            is_test = false;
        }
    }
    names
}

/// The pieces of code in a line or cell: what stands between backticks.
fn codes(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

fn is_test_name(code: &str) -> bool {
    code.matches('_').count() > 2
        && code.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

#[test]
fn every_test_that_documentation_names_exists() {
    let tests = rust_tests();
    assert!(tests.len() > 300, "found only {} tests", tests.len());
    let mut missing = Vec::new();
    for (path, text) in pages() {
        for name in codes(&text).filter(|code| is_test_name(code) && !tests.contains(*code)) {
            missing.push(format!("{}: {name}", path.display()));
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn every_guarantee_has_a_test() {
    let tests = rust_tests();
    let page = text_of(Path::new("docs/guarantees.md"));
    let rows = page.lines().filter(|line| line.starts_with("| ") && line.contains('`'));
    let mut guarantees = 0;
    for row in rows {
        let cell = row.trim_end_matches([' ', '|']).rsplit(" | ").next().unwrap_or_default();
        assert!(codes(cell).next().is_some(), "no test: {row}");
        for name in codes(cell) {
            let exists = match name.strip_suffix(".ts") {
                Some(_) => root().join("clients/typescript/tests").join(name).is_file(),
                None => tests.contains(name),
            };
            assert!(exists, "there is no test {name}");
        }
        guarantees += 1;
    }
    assert!(guarantees > 25, "found only {guarantees} guarantees");
}

#[test]
fn every_relative_link_resolves() {
    for (path, text) in pages() {
        let folder = root().join(path.parent().unwrap_or(Path::new("")));
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if target.contains("://") {
                continue;
            }
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let linked = if file.is_empty() { root().join(&path) } else { folder.join(file) };
            assert!(linked.exists(), "{}: {target}", path.display());
            if !anchor.is_empty() {
                let linked = fs::read_to_string(&linked).expect("a page with headings is text");
                assert!(anchors(&linked).contains(anchor), "{}: {target}", path.display());
            }
        }
    }
}

/// The anchors that GitHub gives to a page's headings.
fn anchors(page: &str) -> BTreeSet<String> {
    let headings = page.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    let kept = |character: &char| character.is_alphanumeric() || [' ', '-', '_'].contains(character);
    headings.map(|heading| heading.to_lowercase().chars().filter(kept).collect::<String>().replace(' ', "-")).collect()
}

#[test]
fn diagram_names_every_function_and_table() {
    let page = text_of(Path::new("docs/architecture.md"));
    let diagram = page.split("```").nth(1).expect("the page begins with a diagram");
    let words: BTreeSet<&str> = diagram.split([' ', '\n', '│']).collect();
    let template = Template::read(&root().join("template.yaml"), StackContext::local("damso"), &Default::default());
    let template = template.expect("the template can be read");
    let functions = template.functions.values().map(|function| function.binary().to_owned());
    for name in functions.chain(template.tables.keys().map(|id| table_name(id))) {
        assert!(words.contains(name.as_str()), "{name} is missing from the diagram");
    }
}

#[test]
fn readme_stays_short() {
    assert!(text_of(Path::new("README.md")).lines().count() <= 150);
}
