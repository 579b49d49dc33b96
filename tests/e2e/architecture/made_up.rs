//! Each of the [`rules`] finds a made-up violation, and accepts what complies.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::rules::{self, Function, Route, Statement};
use super::workspace::Package;

const NONE: [&str; 0] = [];

/// Crates with their dependencies in the workspace.
fn packages(crates: &[(&str, &[&str])]) -> BTreeMap<String, Package> {
    let package = |(name, ours): &(&str, &[&str])| {
        let package = Package {
            folder: PathBuf::from(format!("crates/{name}")),
            ours: ours.iter().map(|name| (*name).to_owned()).collect(),
            theirs: BTreeSet::new(),
            binaries: vec![(*name).to_owned()],
        };
        ((*name).to_owned(), package)
    };
    crates.iter().map(package).collect()
}

fn files(files: &[(&str, &str)]) -> BTreeMap<PathBuf, String> {
    files.iter().map(|(path, text)| (PathBuf::from(path), (*text).to_owned())).collect()
}

fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn finds_wrong_dependencies() {
    let right: [(&str, &[&str]); 4] = [
        ("sync", &["shared", "protocol"]),
        ("shared", &["protocol", "masking"]),
        ("local-gateway", &["sam-template"]),
        ("end-to-end", &["testkit", "local-gateway"]),
    ];
    assert_eq!(rules::directions(&packages(&right)), NONE);
    let wrong: [(&str, &[&str]); 5] = [
        ("sync", &["translate"]),
        ("shared", &["sync"]),
        ("protocol", &["shared"]),
        ("local-gateway", &["protocol"]),
        ("testkit", &["shared"]),
    ];
    for (name, ours) in wrong {
        assert_eq!(rules::directions(&packages(&[(name, ours)])), [format!("{name} depends on {}", ours[0])]);
    }
}

#[test]
fn finds_misplaced_crates() {
    let mut crates = packages(&[("sync", &[])]);
    assert_eq!(rules::folders(&crates), NONE);
    crates.get_mut("sync").expect("just added").folder = PathBuf::from("crates/synchronize");
    assert_eq!(rules::folders(&crates), ["sync lies in crates/synchronize"]);
}

fn sync() -> Function {
    Function { logical_id: "SyncFunction".to_owned(), binary: "sync".to_owned(), code_uri: "crates/sync".to_owned() }
}

#[test]
fn finds_mismatched_functions() {
    let one = packages(&[("sync", &["shared"]), ("shared", &[]), ("dev", &[])]);
    let events = names(&["sync"]);
    assert_eq!(rules::functions(&[sync()], &one, &events), NONE);
    assert_eq!(rules::functions(&[], &one, &events).len(), 1, "a crate that is no function");
    assert_eq!(rules::functions(&[sync()], &one, &names(&[])).len(), 1, "no event file");
    assert_eq!(rules::functions(&[sync()], &one, &names(&["sync", "old"])).len(), 1, "an event file of nothing");
    let elsewhere = Function { code_uri: "crates/translate".to_owned(), ..sync() };
    assert_eq!(rules::functions(&[elsewhere], &one, &events), ["SyncFunction is built from crates/translate"]);
    let misnamed = Function { logical_id: "CatchUpFunction".to_owned(), ..sync() };
    assert_eq!(rules::functions(&[misnamed], &one, &events), ["CatchUpFunction runs sync"]);
    let mut two_binaries = one.clone();
    two_binaries.get_mut("sync").expect("just added").binaries.push("other".to_owned());
    assert_eq!(rules::functions(&[sync()], &two_binaries, &events).len(), 1);
}

#[test]
fn finds_routes_of_other_functions() {
    let route =
        |key: &str, binary: &str, has_response| Route { key: key.to_owned(), binary: binary.to_owned(), has_response };
    let crates = names(&["mark-read", "connect"]);
    let right = [route("markRead", "mark-read", true), route("$connect", "connect", false)];
    assert_eq!(rules::routes(&right, &crates), NONE);
    assert_eq!(rules::routes(&[route("markRead", "sync", true)], &names(&[])), ["markRead is answered by sync"]);
    assert_eq!(rules::routes(&[route("markRead", "mark-read", false)], &crates).len(), 1);
    assert_eq!(rules::routes(&[], &crates), ["mark-read is reached by no route"]);
}

#[test]
fn finds_routes_named_by_the_gateway() {
    let named = |path, text| rules::named_routes(&files(&[(path, text)]), ["markRead"].into_iter()).len();
    assert_eq!(named("crates/local-gateway/src/socket.rs", "if action == \"markRead\" {}"), 1);
    assert_eq!(named("crates/local-gateway/src/socket.rs", "// as markRead does\n#[cfg(test)] \"markRead\""), 0);
    assert_eq!(named("crates/mark-read/src/route.rs", "\"markRead\""), 0);
}

#[test]
fn finds_meaningless_names() {
    let found = |path: &str| rules::meaningless_names([PathBuf::from(path)].iter()).len();
    assert_eq!(
        ["crates/shared/src/utils.rs", "crates/core/src/lib.rs", "web/src/date-helper.ts"].map(found),
        [1, 1, 1]
    );
    assert_eq!(found("crates/shared/src/encore.rs"), 0);
}

#[test]
fn finds_missing_handlers_and_long_mains() {
    let handler = ("crates/sync/src/route.rs", "");
    let main = |lines: usize| "\n".repeat(lines);
    let layout = |files: &BTreeMap<PathBuf, String>| rules::layout("crates/sync", "route.rs", files).len();
    assert_eq!(layout(&files(&[handler, ("crates/sync/src/main.rs", &main(60))])), 0);
    assert_eq!(layout(&files(&[handler, ("crates/sync/src/main.rs", &main(61))])), 1);
    assert_eq!(layout(&files(&[("crates/sync/src/main.rs", "")])), 1);
    assert_eq!(layout(&files(&[handler])), 1);
}

#[test]
fn finds_long_files() {
    let found = |lines: usize| rules::long_files(&files(&[("a.rs", &"\n".repeat(lines))])).len();
    assert_eq!([500, 501].map(found), [0, 1]);
}

#[test]
fn finds_environment_readers() {
    let found = |path| rules::environment_readers(&files(&[(path, "std::env::var(\"TABLE\")")])).len();
    assert_eq!(["crates/sync/src/route.rs", "crates/shared/src/push.rs"].map(found), [1, 1]);
    assert_eq!(["crates/shared/src/config.rs", "crates/dev/src/main.rs"].map(found), [0, 0]);
}

#[test]
fn finds_sdk_types_outside_adapters() {
    let found = |path| rules::sdk_users(&files(&[(path, "use aws_sdk_dynamodb::Client;")]), &BTreeMap::new()).len();
    assert_eq!(["crates/sync/src/route.rs", "crates/shared/src/runtime/mod.rs"].map(found), [1, 1]);
    assert_eq!(found("crates/testkit/src/rows.rs"), 0);
    let mut crates = packages(&[("sync", &[])]);
    crates.get_mut("sync").expect("just added").theirs.insert("jsonwebtoken".to_owned());
    assert_eq!(rules::sdk_users(&BTreeMap::new(), &crates), ["sync depends on jsonwebtoken"]);
}

#[test]
fn finds_broad_statements() {
    let found = |allows, action: &str, resource: &str| {
        let statement = Statement {
            function: "SyncFunction".to_owned(),
            allows,
            actions: vec![action.to_owned()],
            resources: vec![resource.to_owned()],
        };
        rules::broad_statements(&[statement]).len()
    };
    let table = "arn:aws:dynamodb:us-east-1:1:table/rooms";
    let connections = "arn:aws:execute-api:us-east-1:1:api/dev/POST/@connections/*";
    assert_eq!(found(true, "dynamodb:GetItem", table), 0);
    assert_eq!(found(true, "execute-api:ManageConnections", connections), 0);
    assert_eq!(found(false, "dynamodb:GetItem", table), 1);
    assert_eq!(found(true, "dynamodb:*", table), 1);
    assert_eq!(found(true, "dynamodb:GetItem", "arn:aws:dynamodb:us-east-1:1:table/*"), 1);
}
