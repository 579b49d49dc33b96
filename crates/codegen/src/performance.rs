//! The tables of measurements, from the file that `cargo measure --json` writes.

use serde::Deserialize;

use crate::markdown;
use crate::repository::{CodegenError, read};

const FILE: &str = "docs/performance.json";

#[derive(Deserialize)]
struct Table {
    title: String,
    about: String,
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
}

/// One section per table.
pub fn tables() -> Result<String, CodegenError> {
    let text = read(FILE)?;
    let tables: Vec<Table> =
        serde_json::from_str(&text).map_err(|source| CodegenError::Measurements { path: FILE, source })?;
    let sections: Vec<String> = tables
        .into_iter()
        .map(|table| {
            let columns: Vec<&str> = table.columns.iter().map(String::as_str).collect();
            let about = markdown::paragraph(&table.about);
            format!("## {}\n\n{about}\n\n{}", table.title, markdown::table(&columns, table.rows))
        })
        .collect();
    Ok(sections.join("\n"))
}
