//! The graph of imports among files, and its circles.

use std::collections::{BTreeMap, BTreeSet};

/// The imports of each file.
pub type Graph = BTreeMap<String, BTreeSet<String>>;

/// Circles of imports, one for each group of files that import each other.
pub fn circles(graph: &Graph) -> Vec<String> {
    let mut told = BTreeSet::new();
    let mut circles = Vec::new();
    for file in graph.keys() {
        if told.contains(file) {
            continue;
        }
        if let Some(circle) = shortest_circle(graph, file) {
            told.extend(circle.iter().cloned());
            circles.push(circle.join(" -> "));
        }
    }
    circles
}

/// The shortest path from a file back to itself, with the file at both ends.
fn shortest_circle(graph: &Graph, file: &String) -> Option<Vec<String>> {
    let mut came_from: BTreeMap<&String, &String> = BTreeMap::new();
    let mut frontier = vec![file];
    while !frontier.is_empty() {
        let mut next = Vec::new();
        for here in frontier {
            for imported in graph.get(here).into_iter().flatten() {
                if imported == file {
                    let mut circle = vec![file.clone(), here.clone()];
                    let mut at = here;
                    while at != file {
                        at = came_from[at];
                        circle.push(at.clone());
                    }
                    circle.reverse();
                    return Some(circle);
                }
                if !came_from.contains_key(imported) {
                    came_from.insert(imported, here);
                    next.push(imported);
                }
            }
        }
        frontier = next;
    }
    None
}

#[test]
fn circles_are_found_with_their_files() {
    let imports = |pairs: &[(&str, &str)]| {
        let mut graph = Graph::new();
        for (file, imported) in pairs {
            graph.entry((*file).to_owned()).or_default().insert((*imported).to_owned());
        }
        graph
    };
    assert_eq!(circles(&imports(&[("a", "b"), ("b", "c"), ("a", "c")])), Vec::<String>::new());
    assert_eq!(circles(&imports(&[("a", "b"), ("b", "a")])), ["a -> b -> a"]);
    assert_eq!(circles(&imports(&[("a", "b"), ("b", "c"), ("c", "d"), ("d", "b")])), ["b -> c -> d -> b"]);
}
