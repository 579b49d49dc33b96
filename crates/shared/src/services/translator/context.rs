//! The messages that tell DeepL what a message is about.

use super::Translator;
use crate::adapters::dynamodb::TableError;
use protocol::chat::{Entry, EntryKind};

/// How many entries before a message make up its context.
pub const CONTEXT_ENTRIES: u16 = 3;

impl Translator {
    /// The context of an entry: what was written before it, oldest first.
    pub async fn context_before(&self, entry: &Entry) -> Result<String, TableError> {
        let mut before = self.log.before(&entry.room_id, entry.seq, CONTEXT_ENTRIES).await?;
        before.reverse();
        Ok(context_text(&before))
    }
}

/// The messages of these entries that DeepL may see, one per line, in their order.
pub fn context_text(entries: &[Entry]) -> String {
    let texts = entries.iter().filter(|entry| may_be_context(entry)).map(|entry| entry.message.as_str());
    texts.collect::<Vec<_>>().join("\n")
}

/// Whether an entry's words may be sent to DeepL for the sake of another message. Context leaves the country just as
/// the text itself does. In a consultation, whose people may have switched translation off, only messages that were
/// written to be translated, or that somebody had translated, serve as context. Rooms of other kinds have no such
/// switch.
fn may_be_context(entry: &Entry) -> bool {
    let has_consent = entry.room_id.hospital().is_none() || entry.was_meant_to_be_translated();
    entry.kind == EntryKind::Text && entry.deleted_at.is_none() && has_consent
}
