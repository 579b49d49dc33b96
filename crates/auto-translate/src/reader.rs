//! When a text is added to a room's log that somebody there does not read, then it is translated for them. The original was
//! delivered long before; nothing waits for this.

use futures::{StreamExt, TryStreamExt, stream};
use shared::chat::Entry;
use shared::error::chain;
use shared::metric::{self, Metric};
use shared::runtime::{Change, StreamReader};
use shared::translator::{Failures, Translator, TranslatorError};

/// The reader and its doors.
pub struct AutoTranslate {
    pub translator: Translator,
}

/// How many messages of a batch are translated side by side.
const AT_ONCE: usize = 8;

impl StreamReader for AutoTranslate {
    async fn read(&self, batch: Vec<Change>) -> Vec<String> {
        let new_texts =
            batch.into_iter().filter(|change| change.before.is_none() && !change.after.translate_to.is_empty());
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
        // A redelivered image is old: what counts is the entry as it stands now.
        let entry = self.translator.log.entry(&added.room_id, added.seq).await?;
        let Some(entry) = entry.filter(|entry| entry.deleted_at.is_none()) else { return Ok(()) };
        let context = self.translator.context(&entry).await?;
        let context = context.as_str();
        stream::iter(added.translate_to.iter())
            .map(Ok)
            .try_for_each_concurrent(None, async |target| {
                self.translator.translate(&entry, target, context, Failures::Store).await?;
                Ok(())
            })
            .await
    }
}
