//! A table of figures, printed as Markdown and written as JSON.

use std::fmt;

use serde::Serialize;

/// The JSON has the same parts: `docs/performance.md` is generated from it.
#[derive(Debug, Clone, Serialize)]
pub struct Table {
    pub title: String,
    /// What a reader has to know about the figures.
    pub about: String,
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    #[must_use]
    pub fn new(title: &str, about: &str, columns: &[&str]) -> Self {
        let columns = columns.iter().map(|column| (*column).to_owned()).collect();
        Self { title: title.to_owned(), about: about.to_owned(), columns, rows: Vec::new() }
    }

    pub fn add_row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }
}

impl fmt::Display for Table {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "## {}\n\n{}\n", self.title, self.about)?;
        writeln!(formatter, "| {} |", self.columns.join(" | "))?;
        writeln!(formatter, "|{}", "---|".repeat(self.columns.len()))?;
        for row in &self.rows {
            writeln!(formatter, "| {} |", row.join(" | "))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn markdown_and_json_have_all_parts() {
        let mut table = Table::new("Costs", "In dollars.", &["action", "dollars"]);
        table.add_row(["sync".to_owned(), "1.50".to_owned()]);
        assert_eq!(table.to_string(), "## Costs\n\nIn dollars.\n\n| action | dollars |\n|---|---|\n| sync | 1.50 |\n");
        let expected = json!({
            "title": "Costs",
            "about": "In dollars.",
            "columns": ["action", "dollars"],
            "rows": [["sync", "1.50"]],
        });
        assert_eq!(json!(table), expected);
    }
}
