//! When entries are added to rooms' logs or change, then each is pushed to the connections it concerns, and room heads and
//! room lists are kept in step.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::{StreamExt, stream};
use protocol::chat::{Entry, EntryKind};
use protocol::clock::Clock;
use protocol::ids::{ConnectionId, RoomId, Seq};
use shared::adapters::dynamodb::{Connection, IdempotencyRecords};
use shared::error::{Error, chain};
use shared::metric::{self, Metric};
use shared::runtime::{Change, StreamReader};
use shared::services::audience::Audience;

use crate::delivery::{Delivery, Patience};
use crate::frames::{Frames, room_frame};
use crate::upkeep::Upkeep;

pub struct FanOut {
    pub audience: Audience,
    pub delivery: Delivery,
    pub upkeep: Upkeep,
    /// Where who stores a text marks to whom it was pushed already; `None` where nobody does.
    pub express: Option<IdempotencyRecords>,
    pub clock: Clock,
}

/// How many rooms of a batch are served side by side.
const ROOMS_AT_ONCE: usize = 8;

/// How old a text becomes before its marks are read: who stored it is pushing it in this time. On AWS the stream's own hop
/// nearly always takes longer, so nothing is waited for.
const EXPRESS_TIME: Duration = Duration::from_millis(100);

impl StreamReader for FanOut {
    async fn warm_up(&self) {
        let _ = self.upkeep.rooms.get(&RoomId::NOWHERE).await;
    }

    async fn read(&self, batch: Vec<Change>) -> Vec<String> {
        let mut rooms: BTreeMap<RoomId, Vec<Change>> = BTreeMap::new();
        for change in batch {
            rooms.entry(change.after.room_id.clone()).or_default().push(change);
        }
        let patience = Patience::default();
        let failed = stream::iter(rooms)
            .map(async |(room_id, changes)| match self.room(&room_id, &changes, &patience).await {
                Ok(()) => Vec::new(),
                Err(error) => {
                    let (changed, error) = (changes.len(), error.to_string());
                    tracing::error!(room = %room_id, changed, error, "a room must come again");
                    metric::count(Metric::Failed, 1);
                    changes.into_iter().map(|change| change.sequence_number).collect()
                }
            })
            .buffer_unordered(ROOMS_AT_ONCE)
            .concat()
            .await;
        patience.report();
        failed
    }
}

impl FanOut {
    async fn room(&self, room_id: &RoomId, changes: &[Change], patience: &Patience) -> Result<(), Error> {
        let added: Vec<_> =
            changes.iter().filter(|change| change.before.is_none()).map(|change| &change.after).collect();
        let frames = Frames::of(changes, &self.pushed(room_id, &added).await)?;
        let members = self.audience.members(room_id).await?;
        let listeners = self.audience.listeners(room_id, &members, self.clock.now());
        let summaries = self.delivery.deliver(listeners, &frames, patience).await?;
        self.upkeep.after(room_id, &added, &members).await?;
        if !added.is_empty() && !summaries.is_empty() {
            self.show_room(room_id, &summaries, patience).await?;
        }
        Ok(())
    }

    /// Who took which of these texts from who stored it. Where the marks cannot be read nobody did: a double is told by its
    /// `seq`, and waiting for the marks would hold up everybody.
    async fn pushed(&self, room_id: &RoomId, added: &[&Entry]) -> BTreeMap<Seq, BTreeSet<ConnectionId>> {
        let texts = || added.iter().filter(|entry| entry.kind == EntryKind::Text);
        let (Some(records), Some(newest)) = (&self.express, texts().map(|entry| entry.sent_at).max()) else {
            return BTreeMap::new();
        };
        tokio::time::sleep(EXPRESS_TIME.saturating_sub(self.clock.now().since(newest))).await;
        let sent = texts().map(|entry| (&entry.sender.participant, entry.message_id));
        records.pushed(room_id, sent).await.unwrap_or_else(|error| {
            tracing::warn!(room = %room_id, error = chain(&error), "the marks of a room's texts cannot be read");
            BTreeMap::new()
        })
    }

    /// Shows the room as it is after a batch, once, to each of its members on their own connections.
    async fn show_room(&self, room_id: &RoomId, summaries: &[Connection], patience: &Patience) -> Result<(), Error> {
        // The seats are read again: the marks have moved since the listeners were looked up.
        let (room, members) = tokio::try_join!(self.upkeep.rooms.get(room_id), self.audience.members.of_room(room_id))?;
        let Some(room) = room else { return Ok(()) };
        for own in &members {
            let mut theirs = summaries.iter().filter(|shown| shown.participant == own.participant).peekable();
            if theirs.peek().is_some() {
                self.delivery.show(theirs, &room_frame(&room, own, &members)?, patience).await;
            }
        }
        Ok(())
    }
}
