//! The relative imports of TypeScript files, including imports of types.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use super::graph::Graph;

/// The imports of these files, given by path.
pub fn graph(sources: &BTreeMap<PathBuf, String>) -> Graph {
    let mut graph = Graph::new();
    for (path, text) in sources {
        let folder = path.parent().expect("a file is in a folder");
        let imported = specifiers(text).into_iter().filter_map(|specifier| resolve(sources, &folder.join(specifier)));
        let imported = imported.filter(|imported| imported != path).map(|imported| imported.display().to_string());
        graph.insert(path.display().to_string(), imported.collect());
    }
    graph
}

/// The relative paths after `from` and `import`.
fn specifiers(text: &str) -> Vec<&str> {
    let mut specifiers = Vec::new();
    for quote in ['"', '\''] {
        for (at, _) in text.match_indices(quote) {
            let before = text[..at].trim_end().trim_end_matches('(').trim_end();
            let is_import = ["from", "import"].iter().any(|keyword| {
                before
                    .strip_suffix(keyword)
                    .is_some_and(|rest| !rest.ends_with(|c: char| c.is_alphanumeric() || c == '_'))
            });
            let line = text[..at].rsplit('\n').next().unwrap_or_default().trim_start();
            if !is_import || line.starts_with("//") || line.starts_with('*') {
                continue;
            }
            let specifier = text[at + 1..].split(quote).next().unwrap_or_default();
            if specifier.starts_with('.') {
                specifiers.push(specifier);
            }
        }
    }
    specifiers
}

/// The file of an import path, which may lack an extension, have one of JavaScript's, or name a folder.
fn resolve(sources: &BTreeMap<PathBuf, String>, path: &Path) -> Option<PathBuf> {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                normal.pop();
            }
            Component::CurDir => {}
            part => normal.push(part),
        }
    }
    let written = normal.to_str()?;
    let base = [".js", ".jsx"].iter().find_map(|extension| written.strip_suffix(extension)).unwrap_or(written);
    let candidates = ["", ".ts", ".tsx", "/index.ts", "/index.tsx"].map(|end| PathBuf::from(format!("{base}{end}")));
    candidates.into_iter().find(|candidate| sources.contains_key(candidate))
}

#[cfg(test)]
mod tests {
    use super::super::graph::circles;
    use super::*;

    fn circles_of(files: &[(&str, &str)]) -> Vec<String> {
        let sources = files.iter().map(|(path, text)| (PathBuf::from(path), (*text).to_owned())).collect();
        circles(&graph(&sources))
    }

    #[test]
    fn imports_of_every_form_count() {
        for (forth, back) in [
            (r#"import { b } from "./b.js";"#, r#"import { a } from "./a.js";"#),
            (r#"import type { B } from "./b";"#, r#"export * from "./a";"#),
            ("import {\n  b,\n} from './b.ts';", r#"const a = await import("./a.js");"#),
        ] {
            assert_eq!(circles_of(&[("src/a.ts", forth), ("src/b.ts", back)]), ["src/a.ts -> src/b.ts -> src/a.ts"]);
        }
    }

    #[test]
    fn folders_stand_for_their_index() {
        let index = r#"export { b } from "./b.js";"#;
        let files = [("src/x/index.ts", index), ("src/x/b.tsx", r#"import { a } from "../a.js";"#)];
        assert_eq!(circles_of(&[&files[..], &[("src/a.ts", r#"import { b } from "./x";"#)]].concat()).len(), 1);
    }

    #[test]
    fn comments_and_packages_do_not_count() {
        let comment = "// import { b } from \"./b.js\";\nimport { b } from \"b\";";
        assert_eq!(circles_of(&[("a.ts", comment), ("b.ts", r#"import { a } from "./a.js";"#)]), Vec::<String>::new());
    }
}
