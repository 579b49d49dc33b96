//! When entries are added to rooms' logs or change, each change is pushed to the connections it concerns, and room
//! heads and room lists are brought up to date.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt, stream};
use protocol::chat::{Entry, EntryKind};
use protocol::clock::Clock;
use protocol::ids::{ConnectionId, RoomId, Seq};
use shared::adapters::delivery_policy::DeliveryPolicy;
use shared::adapters::dynamodb::{Connection, IdempotencyRecords};
use shared::error::{Error, chain};
use shared::metric::{self, Metric};
use shared::runtime::{Change, StreamReader};
use shared::services::audience::Audience;

use crate::broadcaster::{Broadcaster, TimeoutBudget};
use crate::frames::{Frames, room_frame};
use crate::upkeep::Upkeep;

pub struct FanOut {
    pub audience: Audience,
    pub broadcaster: Broadcaster,
    pub upkeep: Upkeep,
    /// Where the express lane marks which connections took a message; `None` if there is no lane.
    pub express: Option<IdempotencyRecords>,
    pub clock: Clock,
}

/// Rooms of a batch that are served concurrently.
const ROOM_CONCURRENCY: usize = 8;

impl StreamReader for FanOut {
    async fn warm_up(&self) {
        let _ = self.upkeep.rooms.get(&RoomId::NOWHERE).await;
    }

    async fn read(&self, batch: Vec<Change>) -> Vec<String> {
        let mut rooms: BTreeMap<RoomId, Vec<Change>> = BTreeMap::new();
        for change in batch {
            rooms.entry(change.after.room_id.clone()).or_default().push(change);
        }
        let budget = TimeoutBudget::default();
        let failed = stream::iter(rooms)
            .map(async |(room_id, changes)| match self.room(&room_id, &changes, &budget).await {
                Ok(()) => Vec::new(),
                Err(error) => {
                    let error = error.to_string();
                    tracing::error!(
                        room = %room_id,
                        changes = changes.len(),
                        error,
                        "failed to serve a room; its changes are retried"
                    );
                    metric::count(Metric::Failed, 1);
                    changes.into_iter().map(|change| change.sequence_number).collect()
                }
            })
            .buffer_unordered(ROOM_CONCURRENCY)
            .concat()
            .await;
        budget.report();
        failed
    }
}

impl FanOut {
    async fn room(&self, room_id: &RoomId, changes: &[Change], budget: &TimeoutBudget) -> Result<(), Error> {
        let added = changes.iter().filter(|change| change.before.is_none()).map(|change| &change.after);
        let added: Vec<&Entry> = added.collect();
        let frames = Frames::of(changes, &self.already_pushed(room_id, &added).await)?;
        let members = self.audience.members(room_id).await?;
        let listeners = self.audience.listeners(room_id, &members, self.clock.now());
        let summaries = self.broadcaster.broadcast(listeners, &frames, budget).await?;
        self.upkeep.after(room_id, &added, &members).await?;
        if !added.is_empty() && !summaries.is_empty() {
            self.show_room(room_id, &summaries, budget).await?;
        }
        Ok(())
    }

    /// The connections that took these texts on the express lane. If the marks cannot be read, there are none: a client
    /// recognizes a duplicate by its `seq`, and waiting for the marks would delay everybody.
    async fn already_pushed(&self, room_id: &RoomId, added: &[&Entry]) -> BTreeMap<Seq, BTreeSet<ConnectionId>> {
        let texts = || added.iter().filter(|entry| entry.kind == EntryKind::Text);
        let Some(records) = &self.express else { return BTreeMap::new() };
        let Some(newest) = texts().map(|entry| entry.sent_at).max() else { return BTreeMap::new() };
        let age = self.clock.now().since(newest);
        tokio::time::sleep(DeliveryPolicy::EXPRESS_HEAD_START.saturating_sub(age)).await;
        let sent = texts().map(|entry| (&entry.sender.participant, entry.message_id));
        records.pushed(room_id, sent).await.unwrap_or_else(|error| {
            tracing::warn!(room = %room_id, error = chain(&error), "failed to read the express lane's marks");
            BTreeMap::new()
        })
    }

    /// Shows each of the room's members the room as it is after a batch, once on each of these connections.
    async fn show_room(&self, room_id: &RoomId, summaries: &[Connection], budget: &TimeoutBudget) -> Result<(), Error> {
        // The members are read again: their marks have moved since the listeners were looked up.
        let (room, members) = tokio::try_join!(self.upkeep.rooms.get(room_id), self.audience.members.of_room(room_id))?;
        let Some(room) = room else { return Ok(()) };
        for own in &members {
            let mut connections = summaries.iter().filter(|shown| shown.participant == own.participant).peekable();
            if connections.peek().is_some() {
                let frame = room_frame(&room, own, &members)?;
                self.broadcaster.push_to_all(connections, &frame, budget).await;
            }
        }
        Ok(())
    }
}
