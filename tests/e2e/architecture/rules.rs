//! The rules, on plain data: each returns its violations, one sentence for each.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::workspace::Package;

/// What runs on a laptop and never on AWS.
pub const LAPTOP: [&str; 9] =
    ["sam-template", "deepl-stub", "local-gateway", "testkit", "dev", "checker", "measure", "codegen", "end-to-end"];

/// The pure crates and what the functions share.
const LIBRARIES: [&str; 3] = ["shared", "protocol", "masking"];

/// What a crate may depend on within the workspace: route crates -> `shared` -> `protocol`, `masking`;
/// `tests` -> `testkit` -> `local-gateway` -> `sam-template`.
fn allowed(name: &str) -> &'static [&'static str] {
    match name {
        "protocol" | "masking" | "sam-template" | "deepl-stub" => &[],
        "shared" => &["protocol", "masking"],
        // The wire's types are what it writes.
        "codegen" => &["protocol", "sam-template"],
        // It must not share the application's mistakes, and it runs any template.
        "local-gateway" => &["sam-template"],
        "testkit" => &["local-gateway", "sam-template", "deepl-stub"],
        "dev" | "checker" | "measure" => &["testkit", "local-gateway", "sam-template", "deepl-stub"],
        "end-to-end" => &["testkit", "checker", "measure", "local-gateway", "sam-template", "deepl-stub"],
        // What two routes need belongs in `shared`.
        _route => &["shared", "protocol", "masking"],
    }
}

/// The route crates: every one that is neither a library nor of the laptop.
pub fn route_crates<'a>(names: impl IntoIterator<Item = &'a String>) -> BTreeSet<String> {
    let is_route = |name: &&String| !LAPTOP.contains(&name.as_str()) && !LIBRARIES.contains(&name.as_str());
    names.into_iter().filter(is_route).cloned().collect()
}

pub fn directions(packages: &BTreeMap<String, Package>) -> Vec<String> {
    let mut violations = Vec::new();
    for (name, package) in packages {
        for dependency in &package.ours {
            if !allowed(name).contains(&dependency.as_str()) {
                violations.push(format!("{name} depends on {dependency}"));
            }
        }
    }
    violations
}

pub fn folders(packages: &BTreeMap<String, Package>) -> Vec<String> {
    let mut violations = Vec::new();
    for (name, package) in packages {
        let expected = if name == "end-to-end" { PathBuf::from("tests") } else { Path::new("crates").join(name) };
        if package.folder != expected {
            violations.push(format!("{name} lies in {}", package.folder.display()));
        }
    }
    violations
}

/// A function, as the template describes it.
#[derive(Debug, Clone)]
pub struct Function {
    pub logical_id: String,
    pub binary: String,
    pub code_uri: String,
}

/// Whether each function is one crate with one binary of the same name, and has one event file.
pub fn functions(
    functions: &[Function],
    packages: &BTreeMap<String, Package>,
    events: &BTreeSet<String>,
) -> Vec<String> {
    let mut violations = Vec::new();
    let described: BTreeSet<String> = functions.iter().map(|function| function.binary.clone()).collect();
    let crates = route_crates(packages.keys());
    for name in described.symmetric_difference(&crates) {
        violations.push(format!("{name} is not both a function of template.yaml and a crate"));
    }
    for name in events.symmetric_difference(&crates) {
        violations.push(format!("{name} is not both a crate and a file of events/"));
    }
    for Function { logical_id, binary, code_uri } in functions {
        if *code_uri != format!("crates/{binary}") {
            violations.push(format!("{logical_id} is built from {code_uri}"));
        }
        if *logical_id != format!("{}Function", pascal_case(binary)) {
            violations.push(format!("{logical_id} runs {binary}"));
        }
        if packages.get(binary).is_some_and(|package| package.binaries != [binary.as_str()]) {
            violations.push(format!("{binary} does not have exactly one binary of its name"));
        }
    }
    violations
}

/// A route of the WebSocket API.
#[derive(Debug, Clone)]
pub struct Route {
    pub key: String,
    /// The binary that answers it.
    pub binary: String,
    /// Whether the reply reaches the caller.
    pub has_response: bool,
}

/// The binary that answers a route.
fn answering(key: &str) -> String {
    let exception = match key {
        "$connect" => "connect",
        "$disconnect" => "disconnect",
        "$default" => "unknown-action",
        // Both concern one noun: a translation, made by the machine or by a person.
        "translateMessage" | "setTranslatedMessage" => "translate",
        // What a hospital asks about all its translations.
        "getUsage" | "getFailedTranslations" => "translation-report",
        // Both change the room's row and record it in the same way.
        "setRoomTranslation" => "change-room-status",
        // The rooms that a connection has joined follow the language.
        "setLanguage" => "join-group",
        // What a person does with their session.
        "refreshSession" | "signOutEverywhere" | "createTicket" => "session",
        action => return kebab_case(action),
    };
    exception.to_owned()
}

/// The functions that answer no action: the two readers of the stream, and those that API Gateway calls on other
/// occasions.
const WITHOUT_AN_ACTION: [&str; 6] =
    ["authorizer", "connect", "disconnect", "unknown-action", "fan-out", "auto-translate"];

pub fn routes(routes: &[Route], crates: &BTreeSet<String>) -> Vec<String> {
    let mut violations = Vec::new();
    for Route { key, binary, has_response } in routes {
        if *binary != answering(key) {
            violations.push(format!("{key} is answered by {binary}"));
        }
        // A reply reaches the caller by a route response only.
        if *has_response == ["$connect", "$disconnect"].contains(&key.as_str()) {
            violations.push(format!("{key} and its route response do not fit"));
        }
    }
    let reached: BTreeSet<&str> = routes.iter().map(|route| route.binary.as_str()).collect();
    for name in crates {
        if !WITHOUT_AN_ACTION.contains(&name.as_str()) && !reached.contains(name.as_str()) {
            violations.push(format!("{name} is reached by no route"));
        }
    }
    violations
}

/// Actions that the gateway's sources name although it runs any template. Its own tests may name some.
pub fn named_routes<'a>(
    sources: &BTreeMap<PathBuf, String>,
    actions: impl Iterator<Item = &'a str> + Clone,
) -> Vec<String> {
    let mut violations = Vec::new();
    for (path, text) in sources {
        if !path.starts_with("crates/local-gateway/src") || path.ends_with("tests.rs") {
            continue;
        }
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for action in actions.clone() {
            if code.lines().any(|line| line.contains(action) && !line.trim_start().starts_with("//")) {
                violations.push(format!("{} names {action}", path.display()));
            }
        }
    }
    violations
}

/// Files with these names collect whatever has no place of its own.
const MEANINGLESS: [&str; 9] = ["util", "utils", "helper", "helpers", "manager", "common", "core", "misc", "base"];

pub fn meaningless_names<'a>(paths: impl Iterator<Item = &'a PathBuf>) -> Vec<String> {
    let mut violations = Vec::new();
    for path in paths {
        let name = path.with_extension("").to_string_lossy().to_lowercase();
        if name.split(['/', '-', '_']).any(|word| MEANINGLESS.contains(&word)) {
            violations.push(format!("{} has a meaningless name", path.display()));
        }
    }
    violations
}

/// Whether a function consists of a short `main.rs` and a file with its handler.
pub fn layout(code_uri: &str, handler: &str, sources: &BTreeMap<PathBuf, String>) -> Vec<String> {
    const MOST_LINES: usize = 60;
    let folder = Path::new(code_uri).join("src");
    let mut violations = Vec::new();
    if !sources.contains_key(&folder.join(handler)) {
        violations.push(format!("{code_uri} has no {handler}"));
    }
    match sources.get(&folder.join("main.rs")) {
        Some(main) if main.lines().count() <= MOST_LINES => {}
        Some(_) => violations.push(format!("{code_uri}/src/main.rs has more than {MOST_LINES} lines")),
        None => violations.push(format!("{code_uri} has no main.rs")),
    }
    violations
}

pub fn long_files(sources: &BTreeMap<PathBuf, String>) -> Vec<String> {
    const MOST_LINES: usize = 500;
    let long = sources.iter().filter(|(_, text)| text.lines().count() > MOST_LINES);
    long.map(|(path, _)| format!("{} has more than {MOST_LINES} lines", path.display())).collect()
}

/// Whether a file belongs to a crate that runs on AWS.
fn is_deployed(path: &Path) -> bool {
    path.starts_with("crates") && !LAPTOP.iter().any(|name| path.starts_with(Path::new("crates").join(name)))
}

/// All variables are read in one place, next to the names that template.yaml sets.
pub fn environment_readers(sources: &BTreeMap<PathBuf, String>) -> Vec<String> {
    let mut violations = Vec::new();
    for (path, text) in sources.iter().filter(|(path, _)| is_deployed(path)) {
        if path.starts_with("crates/shared/src/config") || path == Path::new("crates/shared/src/config.rs") {
            continue;
        }
        let reader = ["std::env", "env::var", "env!(", "dotenv"].into_iter().find(|reader| text.contains(reader));
        if let Some(reader) = reader {
            violations.push(format!("{} reads the environment with {reader}", path.display()));
        }
    }
    violations
}

/// The only files that may use each library, by folder or name in `crates/shared/src`.
const ADAPTERS: [(&str, &[&str]); 6] = [
    ("aws_sdk_dynamodb", &["adapters/dynamodb", "aws"]),
    ("aws_sdk_secretsmanager", &["adapters/secrets"]),
    ("aws_sdk_apigatewaymanagement", &["adapters/push"]),
    ("aws_config", &["adapters/push", "adapters/secrets", "aws"]),
    ("jsonwebtoken", &["adapters/auth"]),
    ("reqwest", &["adapters/deepl", "adapters/auth"]),
];

pub fn sdk_users(sources: &BTreeMap<PathBuf, String>, packages: &BTreeMap<String, Package>) -> Vec<String> {
    let mut violations = Vec::new();
    for (library, adapters) in ADAPTERS {
        for (path, text) in sources.iter().filter(|(path, _)| is_deployed(path)) {
            let is_adapter = adapters.iter().any(|adapter| {
                let adapter = Path::new("crates/shared/src").join(adapter);
                path.starts_with(&adapter) || *path == adapter.with_extension("rs")
            });
            if !is_adapter && text.contains(&format!("{library}::")) {
                violations.push(format!("{} uses {library}", path.display()));
            }
        }
        for name in route_crates(packages.keys()) {
            if packages[&name].theirs.contains(&library.replace('_', "-")) {
                violations.push(format!("{name} depends on {library}"));
            }
        }
    }
    violations
}

/// One statement of a function's policy.
#[derive(Debug, Clone)]
pub struct Statement {
    pub function: String,
    pub allows: bool,
    pub actions: Vec<String>,
    pub resources: Vec<String>,
}

/// Statements that deny, or that allow more than they name explicitly.
pub fn broad_statements(statements: &[Statement]) -> Vec<String> {
    let mut violations = Vec::new();
    for Statement { function, allows, actions, resources } in statements {
        if !allows {
            violations.push(format!("{function} has a statement that denies"));
        }
        for action in actions.iter().filter(|action| action.contains(['*', '?'])) {
            violations.push(format!("{function} may do {action}"));
        }
        for resource in resources {
            // API Gateway assigns the connection ids, so a policy cannot name them.
            let named = match resource.strip_suffix("/@connections/*") {
                Some(api) if resource.starts_with("arn:aws:execute-api:") => api,
                _ => resource,
            };
            if named.contains(['*', '?']) {
                violations.push(format!("{function} may act on {resource}"));
            }
        }
    }
    violations
}

/// `getChatHistory` -> `get-chat-history`.
fn kebab_case(name: &str) -> String {
    let mut kebab = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() {
            kebab.push('-');
        }
        kebab.extend(letter.to_lowercase());
    }
    kebab
}

/// `get-chat-history` -> `GetChatHistory`.
fn pascal_case(name: &str) -> String {
    name.split('-').map(|word| word[..1].to_uppercase() + &word[1..]).collect()
}
