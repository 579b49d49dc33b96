//! When a text is added to a room's log, then it is translated into the languages that the room's members read. The
//! original was delivered long before; nothing waits for this.

use futures::{StreamExt, TryStreamExt, stream};
use shared::chat::{Entry, EntryKind, Room, RoomKind};
use shared::error::chain;
use shared::language::Language;
use shared::metric::{self, Metric};
use shared::runtime::{Change, StreamReader};
use shared::table::Rooms;
use shared::translator::{Failures, Translator, TranslatorError};

/// The reader and its doors.
pub struct AutoTranslate {
    pub rooms: Rooms,
    pub translator: Translator,
}

/// How many messages of a batch are translated side by side.
const AT_ONCE: usize = 8;
/// In a group of many languages, the others are a request away.
const MOST_IN_A_GROUP: usize = 3;

impl StreamReader for AutoTranslate {
    async fn read(&self, batch: Vec<Change>) -> Vec<String> {
        let new_texts =
            batch.into_iter().filter(|change| change.before.is_none() && change.after.kind == EntryKind::Text);
        stream::iter(new_texts)
            .map(async |change| match self.translate(&change.after).await {
                Ok(()) => None,
                Err(error) => {
                    let (room, seq) = (&change.after.room_id, change.after.seq);
                    tracing::error!(%room, %seq, error = chain(&error), "a translation must come again");
                    metric::count(Metric::Failed, 1);
                    Some(change.sequence_number)
                }
            })
            .buffer_unordered(AT_ONCE)
            .filter_map(async |failed| failed)
            .collect()
            .await
    }
}

impl AutoTranslate {
    async fn translate(&self, added: &Entry) -> Result<(), TranslatorError> {
        let Some(room) = self.rooms.get(&added.room_id).await? else { return Ok(()) };
        let targets = targets(&room, added);
        if targets.is_empty() {
            return Ok(());
        }
        // A redelivered image is old: what counts is the entry as it stands now.
        let entry = self.translator.log.entry(&added.room_id, added.seq).await?;
        let Some(entry) = entry.filter(|entry| entry.deleted_at.is_none()) else { return Ok(()) };
        let context = self.translator.context(&entry).await?;
        let context = context.as_str();
        stream::iter(targets)
            .map(Ok)
            .try_for_each_concurrent(None, async |target| {
                self.translator.translate(&entry, target, context, Failures::Store).await?;
                Ok(())
            })
            .await
    }
}

/// What the room's members read, except what the message is written in already; of `en` and `en-US`, one.
fn targets<'a>(room: &'a Room, entry: &Entry) -> Vec<&'a Language> {
    let most = match room.kind {
        RoomKind::Consult | RoomKind::Direct => usize::MAX,
        RoomKind::Group => MOST_IN_A_GROUP,
        RoomKind::Open => 0,
    };
    let mut targets: Vec<&Language> = Vec::new();
    for language in &room.languages {
        let mut read_already = entry.language.iter().chain(targets.iter().copied());
        if !read_already.any(|other| other.reads_like(language)) {
            targets.push(language);
        }
    }
    targets.truncate(most);
    targets
}
