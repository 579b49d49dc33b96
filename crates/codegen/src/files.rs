//! The files that are generated, as a whole or between the markers of a page.

use crate::repository::{CodegenError, END, read, root};
use crate::{architecture, asyncapi, authorization, configuration, performance, protocol_tables, typescript};

/// Pages with a generated part, and what `cargo codegen` calls that part.
const PAGES: [(&str, &str); 5] = [
    ("docs/architecture.md", "architecture"),
    ("docs/authorization.md", "authorization"),
    ("docs/configuration.md", "configuration"),
    ("docs/performance.md", "performance"),
    ("docs/protocol.md", "protocol"),
];

/// A generated file as it should be.
pub struct Generated {
    /// From the root of the repository.
    pub path: &'static str,
    text: String,
}

impl Generated {
    pub fn is_stale(&self) -> bool {
        !std::fs::read_to_string(root().join(self.path)).is_ok_and(|text| text == self.text)
    }

    pub fn write(&self) -> Result<(), CodegenError> {
        std::fs::write(root().join(self.path), &self.text)
            .map_err(|source| CodegenError::File { path: self.path, source })
    }
}

/// Every generated file.
pub fn all() -> Result<Vec<Generated>, CodegenError> {
    let mut files = pages()?;
    files.push(Generated { path: "clients/asyncapi.json", text: asyncapi::document() });
    files.push(Generated { path: "clients/typescript/src/protocol.ts", text: typescript::module() });
    Ok(files)
}

/// The pages with a generated part.
pub fn pages() -> Result<Vec<Generated>, CodegenError> {
    let mut pages = Vec::new();
    for (path, name) in PAGES {
        let part = part(name)?.unwrap_or_default();
        pages.push(Generated { path, text: with_part(path, &read(path)?, name, &part)? });
    }
    Ok(pages)
}

/// The generated part of that name, if there is one.
pub fn part(name: &str) -> Result<Option<String>, CodegenError> {
    let text = match name {
        "architecture" => architecture::tables()?,
        "authorization" => authorization::table(),
        "configuration" => configuration::tables()?,
        "performance" => performance::tables()?,
        "protocol" => protocol_tables::tables(),
        _ => return Ok(None),
    };
    Ok(Some(text))
}

/// The page with everything between its markers replaced by `part`.
fn with_part(path: &'static str, page: &str, name: &str, part: &str) -> Result<String, CodegenError> {
    let begin = format!("<!-- generated: cargo codegen {name} -->");
    let parts = page.split_once(&begin).and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
    let Some((before, after)) = parts else { return Err(CodegenError::Markers { page: path, begin }) };
    Ok(format!("{before}{begin}\n\n{}\n\n{END}{after}", part.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_generated_file_is_stale() {
        let files = all().expect("everything can be generated");
        let stale: Vec<&str> = files.iter().filter(|file| file.is_stale()).map(|file| file.path).collect();
        assert!(stale.is_empty(), "run `cargo codegen --write`: {stale:?}");
    }

    #[test]
    fn only_the_marked_part_is_replaced() {
        let page = "a\n<!-- generated: cargo codegen x -->\nold\n<!-- end generated -->\nb\n";
        let expected = "a\n<!-- generated: cargo codegen x -->\n\nnew\n\n<!-- end generated -->\nb\n";
        assert_eq!(with_part("page", page, "x", "new\n").expect("it has markers"), expected);
        assert!(with_part("page", page, "y", "new").is_err());
    }
}
