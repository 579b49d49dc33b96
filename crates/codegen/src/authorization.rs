//! The authorization table, as Markdown.

use protocol::access::{Action, Condition, Relation, Verdict};
use protocol::wire::Code;
use serde_json::Value;

use crate::markdown;

/// One row per action, one column per relation between the caller and the room.
pub fn table() -> String {
    let mut columns = vec!["action"];
    columns.extend(Relation::ALL.map(title));
    let rows = Action::ALL.map(|action| {
        let mut row = vec![format!("`{}`", action.as_str())];
        row.extend(Relation::ALL.map(|relation| cell(action.verdict(relation))));
        row
    });
    markdown::table(&columns, rows)
}

fn title(relation: Relation) -> &'static str {
    match relation {
        Relation::Patient => "a consult's patient",
        Relation::Staff => "a consult's hospital",
        Relation::Owner => "a group's owner",
        Relation::Member => "another member",
        Relation::NotJoined => "not in this group or open room",
        Relation::Stranger => "not in this consult or direct room",
        Relation::NoRoom => "no such room",
    }
}

fn cell(verdict: Verdict) -> String {
    match verdict {
        Verdict::Yes => "yes".to_owned(),
        Verdict::If(condition) => format!("{}, else {}", words(condition), code(condition.refusal_code())),
        Verdict::No(refused) => code(refused),
        Verdict::Omitted => "left out".to_owned(),
        Verdict::NotApplicable => "cannot be named".to_owned(),
    }
}

fn words(condition: Condition) -> &'static str {
    match condition {
        Condition::NotClosed => "until closed",
        Condition::Closing => "to close",
        Condition::Sender => "own words",
        Condition::ForHospital => "hospitals",
        Condition::OpenRoom => "open rooms",
    }
}

/// A code as on the wire.
fn code(code: Code) -> String {
    match serde_json::to_value(code) {
        Ok(Value::String(code)) => format!("`{code}`"),
        other => format!("{other:?}"),
    }
}
