//! A table: for people as Markdown, for programs as JSON.

use std::fmt;

use serde_json::{Map, Value};

/// A table with a title and a sentence about it.
#[derive(Debug, Clone)]
pub struct Table {
    /// What it shows.
    pub title: String,
    /// What has to be known to read it.
    pub about: String,
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table without rows.
    #[must_use]
    pub fn new(title: &str, about: &str, columns: &[&str]) -> Self {
        let columns = columns.iter().map(|column| (*column).to_owned()).collect();
        Self { title: title.to_owned(), about: about.to_owned(), columns, rows: Vec::new() }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// The rows as objects, numbers as numbers.
    #[must_use]
    pub fn json(&self) -> Value {
        let cell = |text: &String| text.parse::<f64>().map_or_else(|_| Value::from(text.as_str()), Value::from);
        let object = |row: &Vec<String>| -> Map<String, Value> {
            self.columns.iter().cloned().zip(row.iter().map(cell)).collect()
        };
        self.rows.iter().map(|row| Value::Object(object(row))).collect()
    }
}

impl fmt::Display for Table {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "### {}\n\n{}\n", self.title, self.about)?;
        let line = |cells: &[String]| format!("| {} |", cells.join(" | "));
        writeln!(formatter, "{}", line(&self.columns))?;
        writeln!(formatter, "|{}", "---|".repeat(self.columns.len()))?;
        for row in &self.rows {
            writeln!(formatter, "{}", line(row))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_markdown_for_people_and_json_for_programs() {
        let mut table = Table::new("Costs", "In dollars.", &["action", "dollars"]);
        table.row(["sync".to_owned(), "1.50".to_owned()]);
        assert_eq!(table.to_string(), "### Costs\n\nIn dollars.\n\n| action | dollars |\n|---|---|\n| sync | 1.50 |\n");
        assert_eq!(table.json(), serde_json::json!([{"action": "sync", "dollars": 1.5}]));
    }
}
