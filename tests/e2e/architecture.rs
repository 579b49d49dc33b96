//! The shape of the workspace: which crate depends on which, that every function, crate, route and event file belong
//! together, that no files import each other in a circle, and where a line may be.
//!
//! Most of these rules are about what is absent, which reading does not show. `rules` states them, and `made_up` proves
//! that each can fail.

mod graph;
mod made_up;
mod rules;
mod rust_imports;
mod rust_imports_tests;
mod rust_source;
mod typescript_imports;
mod workspace;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use sam_template::Policy;

use rules::{Function, Route, Statement};
use workspace::{event_files, packages, rust_sources, template, typescript_sources};

const NONE: [&str; 0] = [];

#[test]
fn crates_depend_in_one_direction() {
    assert_eq!(rules::directions(&packages()), NONE);
}

#[test]
fn crate_folder_is_named_after_crate() {
    assert_eq!(rules::folders(&packages()), NONE);
}

#[test]
fn function_crate_binary_and_event_file_match() {
    let template = template();
    let functions: Vec<Function> = template
        .functions
        .values()
        .map(|function| Function {
            logical_id: function.logical_id.clone(),
            binary: function.binary().to_owned(),
            code_uri: function.code_uri.clone(),
        })
        .collect();
    assert_eq!(rules::functions(&functions, &packages(), &event_files()), NONE);
}

#[test]
fn route_key_is_camel_case_crate_name() {
    let template = template();
    let api = template.api.expect("the template has an API");
    let routes: Vec<Route> = api
        .routes
        .iter()
        .map(|(key, route)| Route {
            key: key.clone(),
            binary: template.functions[&route.function].binary().to_owned(),
            has_response: route.response,
        })
        .collect();
    assert_eq!(rules::routes(&routes, &rules::route_crates(packages().keys())), NONE);
}

#[test]
fn local_gateway_names_no_route() {
    let routes = template().api.expect("the template has an API").routes;
    // `sync` is a word of Rust as well.
    let actions = routes.keys().map(String::as_str).filter(|key| !key.starts_with('$') && *key != "sync");
    assert_eq!(rules::named_routes(&rust_sources(), actions), NONE);
}

#[test]
fn no_path_has_a_meaningless_name() {
    assert_eq!(rules::meaningless_names(rust_sources().keys().chain(typescript_sources().keys())), NONE);
}

#[test]
fn function_crate_has_short_main_and_handler() {
    let template = template();
    let sources = rust_sources();
    let authorizer = template.api.as_ref().and_then(|api| api.authorizer.as_ref()).expect("the API has an authorizer");
    for function in template.functions.values() {
        let handler = match function {
            _ if !function.streams.is_empty() => "reader.rs",
            _ if function.logical_id == authorizer.function => "authorize.rs",
            _ => "route.rs",
        };
        assert_eq!(rules::layout(&function.code_uri, handler, &sources), NONE);
    }
}

#[test]
fn source_files_stay_within_500_lines() {
    assert_eq!(rules::long_files(&rust_sources()), NONE);
}

#[test]
fn only_config_reads_the_environment() {
    assert_eq!(rules::environment_readers(&rust_sources()), NONE);
}

#[test]
fn sdk_types_stay_in_their_adapter() {
    assert_eq!(rules::sdk_users(&rust_sources(), &packages()), NONE);
}

#[test]
fn policies_name_actions_and_resources_explicitly() {
    let template = template();
    let mut statements = Vec::new();
    for function in template.functions.values() {
        for policy in &function.policies {
            let Policy::Statements(of_policy) = policy else {
                panic!("{}: a policy is a list of statements, not {policy:?}", function.logical_id)
            };
            statements.extend(of_policy.iter().map(|statement| Statement {
                function: function.logical_id.clone(),
                allows: statement.allow,
                actions: statement.actions.clone(),
                resources: statement.resources.clone(),
            }));
        }
    }
    assert_eq!(rules::broad_statements(&statements), NONE);
}

#[test]
fn rust_files_import_each_other_in_no_circle() {
    let sources = rust_sources();
    let is_root = |path: &Path| {
        let folder = path.parent().expect("a file is in a folder");
        (path.ends_with("lib.rs") || path.ends_with("main.rs")) && (folder.ends_with("src") || folder.ends_with("e2e"))
    };
    let roots: Vec<&PathBuf> = sources.keys().filter(|path| is_root(path)).collect();
    assert!(roots.len() > 20, "{roots:?}");
    let circles = roots.iter().flat_map(|root| graph::circles(&rust_imports::graph(&sources, root)));
    assert_eq!(circles.collect::<Vec<_>>(), NONE);
}

#[test]
fn typescript_files_import_each_other_in_no_circle() {
    let sources = typescript_sources();
    assert!(sources.len() > 50, "{}", sources.len());
    let graph = typescript_imports::graph(&sources);
    assert!(graph.values().map(BTreeSet::len).sum::<usize>() > 100, "the imports are found: {graph:#?}");
    assert_eq!(graph::circles(&graph), NONE);
}
