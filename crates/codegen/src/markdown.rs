//! Markdown tables and paragraphs.

/// Where a line of a paragraph ends.
const WIDTH: usize = 118;

/// A table with these columns.
pub fn table(columns: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut text = format!("{}|{}\n", line(columns), "---|".repeat(columns.len()));
    for row in rows {
        text += &line(&row);
    }
    text
}

fn line(cells: &[impl AsRef<str>]) -> String {
    let cells: Vec<&str> = cells.iter().map(AsRef::as_ref).collect();
    format!("| {} |\n", cells.join(" | "))
}

/// Text for a cell: nothing in it ends the cell or, outside of code, begins an HTML tag.
pub fn cell(text: &str) -> String {
    let text = text.replace('|', "\\|").replace('\n', " ");
    let parts = text.split('`').enumerate();
    let parts: Vec<String> =
        parts.map(|(index, part)| if index % 2 == 0 { part.replace('<', "&lt;") } else { part.to_owned() }).collect();
    parts.join("`")
}

/// The text as a paragraph of several lines.
pub fn paragraph(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last().map_or(0, |line| line.chars().count());
        if line > 0 && line + 1 + word.chars().count() > WIDTH {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines.join("\n")
}

/// The words as code, separated by commas.
pub fn codes(words: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let codes: Vec<String> = words.into_iter().map(|word| format!("`{}`", word.as_ref())).collect();
    codes.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_cannot_break_its_table() {
        let row = vec!["1".to_owned(), cell("x|<y> `<z>`")];
        assert_eq!(table(&["a", "b"], [row]), "| a | b |\n|---|---|\n| 1 | x\\|&lt;y> `<z>` |\n");
    }
}
