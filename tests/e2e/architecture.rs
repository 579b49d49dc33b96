//! The shape of the workspace, kept true: who may depend on whom, that every function, crate, route and event file
//! belong together, and where a line may stand.
//!
//! These are rules about what is absent, which no reader sees by reading; each has its reason beside it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use end_to_end::root;
use sam_template::{StackContext, Template};
use serde_json::Value;

/// What belongs to the laptop and never runs on AWS.
const OF_THE_LAPTOP: [&str; 9] =
    ["sam-template", "deepl-stub", "local-gateway", "testkit", "dev", "checker", "measure", "codegen", "end-to-end"];

/// The two functions that read the stream, and the four that API Gateway calls for other reasons than an action.
const WITHOUT_AN_ACTION: [&str; 6] =
    ["authorizer", "connect", "disconnect", "unknown-action", "fan-out", "auto-translate"];

/// One crate of the workspace, as cargo sees it.
struct Package {
    folder: PathBuf,
    /// Dependencies within the workspace, for building and for tests.
    ours: BTreeSet<String>,
    /// All dependencies outside the workspace that are built into it.
    theirs: BTreeSet<String>,
    binaries: Vec<String>,
}

fn packages() -> BTreeMap<String, Package> {
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
    packages
        .iter()
        .map(|package| {
            let dependencies = package["dependencies"].as_array().unwrap();
            let (ours, theirs): (Vec<&Value>, Vec<&Value>) =
                dependencies.iter().partition(|dependency| names.contains(dependency["name"].as_str().unwrap()));
            let built_in = |dependency: &&Value| dependency["kind"].is_null();
            let binary = |target: &&Value| target["kind"].as_array().unwrap().contains(&Value::from("bin"));
            let described = Package {
                folder: Path::new(package["manifest_path"].as_str().unwrap()).parent().unwrap().to_path_buf(),
                ours: ours.iter().map(|dependency| text(&dependency["name"])).collect(),
                theirs: theirs.into_iter().filter(built_in).map(|dependency| text(&dependency["name"])).collect(),
                binaries: package["targets"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .filter(binary)
                    .map(|target| text(&target["name"]))
                    .collect(),
            };
            (text(&package["name"]), described)
        })
        .collect()
}

fn template() -> Template {
    Template::read(&root().join("template.yaml"), StackContext::local("damso"), &BTreeMap::new())
        .expect("the template can be read")
}

/// The libraries that functions are built from.
const LIBRARIES: [&str; 3] = ["masking", "protocol", "shared"];

/// The crates that run on AWS as functions.
fn functions() -> BTreeSet<String> {
    let is_function = |name: &String| !LIBRARIES.contains(&name.as_str()) && !OF_THE_LAPTOP.contains(&name.as_str());
    packages().into_keys().filter(is_function).collect()
}

/// Every Rust source below a folder, with its path from the repository's root.
fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut sources = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the folder can be read") {
            let path = entry.expect("the entry can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("a source is text");
                sources.push((path.strip_prefix(root()).expect("below the root").to_path_buf(), text));
            }
        }
    }
    sources
}

/// `get-chat-history` → `getChatHistory`.
fn camel_case(name: &str) -> String {
    let mut words = name.split('-');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| name + &word[..1].to_uppercase() + &word[1..])
}

/// `get-chat-history` → `GetChatHistory`.
fn pascal_case(name: &str) -> String {
    let camel = camel_case(name);
    camel[..1].to_uppercase() + &camel[1..]
}

#[test]
fn a_function_depends_on_libraries_only() {
    // A route that needs another route has found something that belongs into `shared`.
    let packages = packages();
    let libraries = BTreeSet::from(LIBRARIES.map(str::to_owned));
    for name in functions() {
        assert!(packages[&name].ours.is_subset(&libraries), "{name} depends on {:?}", packages[&name].ours);
    }
}

#[test]
fn crates_depend_on_each_other_in_one_direction() {
    // The local crates must not share the functions' mistakes, and the gateway runs any template.
    let packages = packages();
    let expected: [(&str, &[&str]); 12] = [
        ("masking", &[]),
        ("protocol", &[]),
        ("shared", &["masking", "protocol"]),
        ("codegen", &["protocol", "sam-template"]),
        ("sam-template", &[]),
        ("deepl-stub", &[]),
        ("local-gateway", &["sam-template"]),
        ("testkit", &["deepl-stub", "local-gateway"]),
        ("dev", &["deepl-stub", "local-gateway", "sam-template", "testkit"]),
        ("checker", &["local-gateway", "testkit"]),
        ("measure", &["deepl-stub", "local-gateway", "testkit"]),
        ("end-to-end", &["checker", "deepl-stub", "local-gateway", "measure", "sam-template", "testkit"]),
    ];
    for (name, dependencies) in expected {
        let ours: Vec<&str> = packages[name].ours.iter().map(String::as_str).collect();
        assert_eq!(ours, dependencies, "{name}");
    }
}

#[test]
fn the_local_gateway_and_its_sources_name_no_route() {
    let template = template();
    let routes = template.api.expect("the template has an API").routes;
    for (path, text) in sources(&root().join("crates/local-gateway/src")) {
        // The gateway's own tests show it a template; which one does not matter.
        if path.ends_with("tests.rs") {
            continue;
        }
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for key in routes.keys().filter(|key| !key.starts_with('$') && *key != "sync") {
            let named = code.lines().any(|line| line.contains(key.as_str()) && !line.trim_start().starts_with("//"));
            assert!(!named, "{} names {key}", path.display());
        }
    }
}

#[test]
fn every_function_is_one_crate_with_one_binary_of_the_same_name_and_one_event_file() {
    let packages = packages();
    let template = template();
    let described: BTreeSet<String> =
        template.functions.values().map(|function| function.binary().to_owned()).collect();
    assert_eq!(described, functions(), "template.yaml and crates/ have the same functions");
    for function in template.functions.values() {
        let name = function.binary();
        assert_eq!(function.code_uri, format!("crates/{name}"));
        assert_eq!(function.logical_id, format!("{}Function", pascal_case(name)));
        assert_eq!(packages[name].folder, root().join("crates").join(name));
        assert_eq!(packages[name].binaries, [name]);
    }
    let events: BTreeSet<String> = fs::read_dir(root().join("events"))
        .expect("there are event files")
        .map(|entry| entry.expect("readable").path().file_stem().expect("a name").to_string_lossy().into_owned())
        .collect();
    assert_eq!(events, functions(), "events/ has one file per function");
}

#[test]
fn every_crate_lies_in_the_folder_of_its_name() {
    for (name, package) in packages() {
        let expected = if name == "end-to-end" { root().join("tests") } else { root().join("crates").join(&name) };
        assert_eq!(package.folder, expected);
    }
}

#[test]
fn a_routes_key_is_its_crates_name_in_camel_case() {
    let api = template().api.expect("the template has an API");
    let functions_of_template = template().functions;
    for (key, route) in &api.routes {
        let binary = functions_of_template[&route.function].binary().to_owned();
        match key.as_str() {
            "$connect" => assert_eq!(binary, "connect"),
            "$disconnect" => assert_eq!(binary, "disconnect"),
            "$default" => assert_eq!(binary, "unknown-action"),
            // The two are one noun: a translation, made by the machine or by a person.
            "translateMessage" | "setTranslatedMessage" => assert_eq!(binary, "translate"),
            // What a hospital asks about all its translations.
            "getUsage" | "getFailedTranslations" => assert_eq!(binary, "translation-report"),
            // Both change the room's row and record it in the same way.
            "setRoomTranslation" => assert_eq!(binary, "change-room-status"),
            // What a person does with their session.
            "refreshSession" | "signOutEverywhere" | "createTicket" => assert_eq!(binary, "session"),
            action => assert_eq!(action, camel_case(&binary)),
        }
        let answers = !matches!(key.as_str(), "$connect" | "$disconnect");
        assert_eq!(route.response, answers, "{key}: a reply reaches the caller by a route response only");
    }
    let with_an_action: BTreeSet<String> =
        functions().into_iter().filter(|name| !WITHOUT_AN_ACTION.contains(&name.as_str())).collect();
    let reached: BTreeSet<String> = api
        .routes
        .iter()
        .filter(|(key, _)| !key.starts_with('$'))
        .map(|(_, route)| functions_of_template[&route.function].binary().to_owned())
        .collect();
    assert_eq!(reached, with_an_action, "every function with an action has its route");
}

#[test]
fn nothing_is_called_by_a_name_that_says_nothing() {
    // Such a name takes in whatever has no place; what has a place has a name.
    const SAY_NOTHING: [&str; 9] = ["util", "utils", "helper", "helpers", "manager", "common", "core", "misc", "base"];
    for (path, _) in [sources(&root().join("crates")), sources(&root().join("tests"))].concat() {
        for part in path.with_extension("").components() {
            let part = part.as_os_str().to_string_lossy().to_lowercase();
            let words: BTreeSet<&str> = part.split(['-', '_']).collect();
            for name in SAY_NOTHING {
                assert!(!words.contains(name), "{} says nothing", path.display());
            }
        }
    }
}

#[test]
fn a_function_is_one_short_main_and_the_file_that_says_what_it_does() {
    let template = template();
    let api = template.api.as_ref().expect("the template has an API");
    let authorizer = api.authorizer.as_ref().expect("the API has an authorizer");
    for function in template.functions.values() {
        let deed = match function {
            _ if !function.streams.is_empty() => "reader.rs",
            _ if function.logical_id == authorizer.function => "authorize.rs",
            _ => "route.rs",
        };
        let folder = root().join(&function.code_uri).join("src");
        assert!(folder.join(deed).is_file(), "{} has a {deed}", function.code_uri);
        let main = fs::read_to_string(folder.join("main.rs")).expect("it has a main.rs");
        assert!(main.lines().count() <= 60, "{}/src/main.rs only wires", function.code_uri);
    }
}

#[test]
fn no_file_is_longer_than_one_can_keep_in_mind() {
    for (path, text) in [sources(&root().join("crates")), sources(&root().join("tests"))].concat() {
        let lines = text.lines().count();
        assert!(lines <= 500, "{} has {lines} lines", path.display());
    }
}

#[test]
fn only_shared_config_and_the_laptops_programs_read_the_environment() {
    // What a function depends on stands in one place, next to the names that template.yaml sets.
    for (path, text) in sources(&root().join("crates")) {
        let of_the_laptop = OF_THE_LAPTOP.iter().any(|name| path.starts_with(Path::new("crates").join(name)));
        if of_the_laptop || path == Path::new("crates/shared/src/config.rs") {
            continue;
        }
        for reader in ["std::env", "env::var", "env!(", "dotenv"] {
            assert!(!text.contains(reader), "{} reads the environment with {reader}", path.display());
        }
    }
}

#[test]
fn the_types_of_an_sdk_stay_behind_their_door() {
    // A route that holds an SDK's type can do with it what its own sentence does not say.
    const DOORS: [(&str, &[&str]); 6] = [
        ("aws_sdk_dynamodb", &["crates/shared/src/adapters/dynamodb", "crates/shared/src/doors.rs"]),
        ("aws_sdk_secretsmanager", &["crates/shared/src/adapters/secrets.rs"]),
        ("aws_sdk_apigatewaymanagement", &["crates/shared/src/adapters/push.rs"]),
        (
            "aws_config",
            &[
                "crates/shared/src/doors.rs",
                "crates/shared/src/adapters/push.rs",
                "crates/shared/src/adapters/secrets.rs",
            ],
        ),
        ("jsonwebtoken", &["crates/shared/src/adapters/auth"]),
        (
            "reqwest",
            &["crates/shared/src/adapters/deepl", "crates/shared/src/adapters/auth", "crates/shared/src/doors.rs"],
        ),
    ];
    for (path, text) in sources(&root().join("crates")) {
        if OF_THE_LAPTOP.iter().any(|name| path.starts_with(Path::new("crates").join(name))) {
            continue;
        }
        for (library, doors) in DOORS {
            let behind = doors.iter().any(|door| path.starts_with(door) || path == Path::new(&format!("{door}.rs")));
            assert!(
                behind || !text.contains(&format!("{library}::")),
                "{} uses {library} beside its door",
                path.display()
            );
        }
    }
    let packages = packages();
    for name in functions() {
        for (library, _) in DOORS {
            let crate_name = library.replace('_', "-");
            assert!(!packages[&name].theirs.contains(&crate_name), "{name} depends on {crate_name}");
        }
    }
}

#[test]
fn a_function_may_do_on_aws_only_what_is_named_one_by_one() {
    use sam_template::Policy;
    for function in template().functions.values() {
        for policy in &function.policies {
            let Policy::Statements(statements) = policy else {
                panic!("{}: a policy is a list of statements, not {policy:?}", function.logical_id)
            };
            for statement in statements {
                assert!(statement.allow, "{}", function.logical_id);
                for action in &statement.actions {
                    assert!(!action.contains(['*', '?']), "{}: {action}", function.logical_id);
                }
                for resource in &statement.resources {
                    // Connection ids are made by API Gateway: nobody can name them beforehand.
                    let named = match resource.strip_suffix("/@connections/*") {
                        Some(api) if resource.starts_with("arn:aws:execute-api:") => api,
                        _ => resource,
                    };
                    assert!(!named.contains(['*', '?']), "{}: {resource}", function.logical_id);
                }
            }
        }
    }
}
