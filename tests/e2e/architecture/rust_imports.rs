//! The imports of Rust files: every path to an item of another file of the same crate, in a `use` or in code.
//!
//! A path is followed to the file that defines its item. An item behind a parent's `use` or a glob therefore counts as
//! an import of the file that defines it. A `mod` or `pub use` alone is no import, because the file does not need what
//! it only re-exports. Unit tests inside a file count as a separate file, since nothing depends on them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::graph::Graph;
use super::rust_source::{Source, Token, Use};

/// One module: a file, or an inline module in one.
struct Module {
    file: String,
    parent: Option<usize>,
    children: BTreeMap<String, usize>,
    items: BTreeSet<String>,
    uses: Vec<Use>,
    /// Paths in the code outside of `use`, single identifiers among them.
    paths: BTreeSet<Vec<String>>,
}

/// What a path leads to.
#[derive(Clone, PartialEq, Eq)]
enum Target {
    Module(usize),
    Item(String),
}

struct Crate {
    modules: Vec<Module>,
}

/// The imports of a crate's files. `sources` contains the files by path, and `root` is its `lib.rs` or `main.rs`.
pub fn graph(sources: &BTreeMap<PathBuf, String>, root: &Path) -> Graph {
    let mut found = Crate { modules: Vec::new() };
    let folder = root.parent().expect("a file is in a folder").to_path_buf();
    found.read(sources, root, &folder, None);
    let mut graph = Graph::new();
    for module in 0..found.modules.len() {
        let file = found.modules[module].file.clone();
        let mut imports = found.imports(module);
        imports.remove(file.trim_end_matches(TESTS));
        imports.remove(&file);
        graph.entry(file).or_default().extend(imports);
    }
    graph
}

/// Marks the unit tests inside a file.
const TESTS: &str = " (tests)";

impl Crate {
    /// Reads a file and those of its modules, which lie in `folder`.
    fn read(
        &mut self,
        sources: &BTreeMap<PathBuf, String>,
        path: &Path,
        folder: &Path,
        parent: Option<usize>,
    ) -> usize {
        let source = Source::parse(&sources[path]);
        let name = path.display().to_string();
        self.add(sources, source, name, folder, parent)
    }

    fn add(
        &mut self,
        sources: &BTreeMap<PathBuf, String>,
        source: Source,
        file: String,
        folder: &Path,
        parent: Option<usize>,
    ) -> usize {
        let own = self.modules.len();
        let Source { items, uses, tokens, modules, inline } = source;
        let paths = paths_of(&tokens);
        self.modules.push(Module { file: file.clone(), parent, children: BTreeMap::new(), items, uses, paths });
        for name in modules {
            let candidates = [folder.join(format!("{name}.rs")), folder.join(&name).join("mod.rs")];
            // A module without a file may be generated.
            if let Some(path) = candidates.into_iter().find(|path| sources.contains_key(path)) {
                let child = self.read(sources, &path, &folder.join(&name), Some(own));
                self.modules[own].children.insert(name, child);
            }
        }
        for (name, is_test, source) in inline {
            let file = if is_test && !file.ends_with(TESTS) { format!("{file}{TESTS}") } else { file.clone() };
            let child = self.add(sources, source, file, &folder.join(&name), Some(own));
            self.modules[own].children.insert(name, child);
        }
        own
    }

    /// The files that a module imports.
    fn imports(&self, module: usize) -> BTreeSet<String> {
        let here = &self.modules[module];
        let mut files = BTreeSet::new();
        for import in &here.uses {
            if import.is_glob {
                let Some(Target::Module(from)) = self.follow(module, &import.path) else { continue };
                let named = here.paths.iter().map(|path| &path[0]);
                files.extend(named.filter_map(|name| self.named(from, name, &mut BTreeSet::new())).filter_map(file_of));
                continue;
            }
            let is_used = || here.paths.iter().any(|path| path[0] == import.name);
            if !import.is_public || is_used() {
                files.extend(self.follow(module, &import.path).and_then(file_of));
            }
        }
        for path in here.paths.iter().filter(|path| path.len() > 1) {
            files.extend(self.follow(module, path).and_then(file_of));
        }
        files
    }

    /// What a path leads to, seen from a module; `None` where it leads out of the crate.
    fn follow(&self, from: usize, path: &[String]) -> Option<Target> {
        let mut here = from;
        let mut rest = path.iter().peekable();
        let mut is_anchored = false;
        while let Some(keyword) = rest.next_if(|segment| ["crate", "self", "super"].contains(&segment.as_str())) {
            is_anchored = true;
            here = match keyword.as_str() {
                "crate" => 0,
                "super" => self.modules[here].parent?,
                _ => here,
            };
        }
        for (number, segment) in rest.enumerate() {
            match self.named(here, segment, &mut BTreeSet::new()) {
                Some(Target::Module(inner)) => here = inner,
                Some(item) => return Some(item),
                // An item from a macro belongs to the file that calls the macro; an unknown first segment is another
                // crate.
                None if is_anchored || number > 0 => return Some(Target::Item(self.modules[here].file.clone())),
                None => return None,
            }
        }
        Some(Target::Module(here))
    }

    /// What a name means in a module. `asked` ends the search among modules that re-export each other's items.
    fn named(&self, module: usize, name: &str, asked: &mut BTreeSet<(usize, String)>) -> Option<Target> {
        if !asked.insert((module, name.to_owned())) {
            return None;
        }
        let here = &self.modules[module];
        if let Some(child) = here.children.get(name) {
            return Some(Target::Module(*child));
        }
        if here.items.contains(name) {
            return Some(Target::Item(here.file.clone()));
        }
        if let Some(import) = here.uses.iter().find(|import| !import.is_glob && import.name == name) {
            return self.follow_asked(module, &import.path, asked);
        }
        here.uses.iter().filter(|import| import.is_glob).find_map(|import| {
            match self.follow_asked(module, &import.path, asked)? {
                Target::Module(from) => self.named(from, name, asked),
                Target::Item(_) => None,
            }
        })
    }

    /// As [`Self::follow`], in the middle of a search.
    fn follow_asked(&self, from: usize, path: &[String], asked: &mut BTreeSet<(usize, String)>) -> Option<Target> {
        let mut here = from;
        let mut is_anchored = false;
        for (number, segment) in path.iter().enumerate() {
            match segment.as_str() {
                "crate" => (here, is_anchored) = (0, true),
                "self" => is_anchored = true,
                "super" => (here, is_anchored) = (self.modules[here].parent?, true),
                name => match self.named(here, name, asked) {
                    Some(Target::Module(inner)) => here = inner,
                    Some(item) => return Some(item),
                    None if is_anchored || number > 0 => return Some(Target::Item(self.modules[here].file.clone())),
                    None => return None,
                },
            }
        }
        Some(Target::Module(here))
    }
}

/// Only the items that are used from an imported module count as imports.
fn file_of(target: Target) -> Option<String> {
    match target {
        Target::Item(file) => Some(file),
        Target::Module(_) => None,
    }
}

/// The paths in code: identifiers with `::` between them.
fn paths_of(tokens: &[Token]) -> BTreeSet<Vec<String>> {
    let mut paths = BTreeSet::new();
    let mut path: Vec<String> = Vec::new();
    let mut is_open = false;
    for token in tokens {
        match token {
            Token::Name(name) if is_open => path.push(name.clone()),
            Token::Name(name) => {
                if !path.is_empty() {
                    paths.insert(std::mem::take(&mut path));
                }
                path.push(name.clone());
            }
            Token::PathSeparator => {}
            Token::Other(_) => {
                if !path.is_empty() {
                    paths.insert(std::mem::take(&mut path));
                }
            }
        }
        is_open = *token == Token::PathSeparator && !path.is_empty();
    }
    if !path.is_empty() {
        paths.insert(path);
    }
    paths
}
