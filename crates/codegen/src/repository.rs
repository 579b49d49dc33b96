//! The files of the repository, and what can be wrong with them.

use std::path::{Path, PathBuf};

use sam_template::TemplateError;

/// Ends a generated part of a page.
pub const END: &str = "<!-- end generated -->";

#[derive(Debug, thiserror::Error)]
pub enum CodegenError {
    #[error(transparent)]
    Template(#[from] TemplateError),
    #[error("{path}: {source}")]
    File { path: &'static str, source: std::io::Error },
    #[error("{path} is not a list of tables as `cargo measure --json` writes it: {source}")]
    Measurements { path: &'static str, source: serde_json::Error },
    #[error("template.yaml: {0}")]
    Incomplete(String),
    #[error("{page}: no `{begin}` … `{END}`")]
    Markers { page: &'static str, begin: String },
    #[error("stale: {0}; run `cargo codegen --write`")]
    Stale(String),
}

/// The root of the repository: two folders above this crate.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

pub fn read(path: &'static str) -> Result<String, CodegenError> {
    std::fs::read_to_string(root().join(path)).map_err(|source| CodegenError::File { path, source })
}
