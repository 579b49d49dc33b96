//! The authorization table as `cargo codegen authorization` prints it.

use std::collections::BTreeMap;

use tokio::process::Command;

/// The relations of a caller to a room, which are the titles of the table's columns.
pub const PATIENT: &str = "a consult's patient";
pub const HOSPITAL: &str = "a consult's hospital";
pub const OWNER: &str = "a group's owner";
pub const MEMBER: &str = "another member";
pub const NOT_JOINED: &str = "not in this group or open room";
pub const STRANGER: &str = "not in this consult or direct room";
pub const NO_ROOM: &str = "no such room";

/// The conditions in the cells.
pub const UNTIL_CLOSED: &str = "until closed";
pub const TO_CLOSE: &str = "to close";
pub const OWN_WORDS: &str = "own words";
pub const HOSPITALS: &str = "hospitals";
pub const OPEN_ROOMS: &str = "open rooms";

/// The verdict on a caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    Yes,
    If { condition: String, otherwise: String },
    No(String),
    LeftOut,
    Unnamed,
}

pub struct Printed {
    /// The table as it was printed.
    pub text: String,
    /// The titles of the columns.
    pub relations: Vec<String>,
    rows: BTreeMap<String, Vec<Cell>>,
}

impl Printed {
    pub async fn read() -> Self {
        let program = end_to_end::binaries().await.join("codegen");
        let output = Command::new(program).arg("authorization").output().await.expect("it can be started");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).expect("it prints text");
        let mut lines = text.lines().map(cells_of);
        let relations = lines.next().expect("a table has a head").split_off(1);
        let row = |mut cells: Vec<String>| {
            let verdicts = cells.split_off(1).iter().map(|cell| Cell::read(cell)).collect();
            (code(&cells[0]).expect("a row begins with its action").to_owned(), verdicts)
        };
        let rows = lines.skip(1).map(row).collect();
        Self { text, relations, rows }
    }

    pub fn actions(&self) -> impl Iterator<Item = &str> {
        self.rows.keys().map(String::as_str)
    }

    /// The verdict on an action by a caller in this relation.
    pub fn cell(&self, action: &str, relation: &str) -> &Cell {
        let column = self.relations.iter().position(|title| title == relation);
        &self.rows[action][column.unwrap_or_else(|| panic!("no column is called {relation}"))]
    }
}

impl Cell {
    fn read(text: &str) -> Self {
        match (text, text.split_once(", else ")) {
            ("yes", _) => Self::Yes,
            ("left out", _) => Self::LeftOut,
            ("cannot be named", _) => Self::Unnamed,
            (_, Some((condition, otherwise))) => {
                let known = [UNTIL_CLOSED, TO_CLOSE, OWN_WORDS, HOSPITALS, OPEN_ROOMS];
                assert!(known.contains(&condition), "no test covers this condition: {condition}");
                let otherwise = code(otherwise).expect("what is given otherwise is a code").to_owned();
                Self::If { condition: condition.to_owned(), otherwise }
            }
            _ => Self::No(code(text).unwrap_or_else(|| panic!("{text} is no verdict")).to_owned()),
        }
    }
}

fn cells_of(line: &str) -> Vec<String> {
    line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
}

fn code(text: &str) -> Option<&str> {
    text.strip_prefix('`')?.strip_suffix('`')
}
