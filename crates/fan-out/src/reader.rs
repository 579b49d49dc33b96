//! When entries are added to rooms' logs or change, then each is pushed to the connections it concerns, and room heads and
//! room lists are kept in step.

use std::collections::BTreeMap;

use futures::{StreamExt, stream};
use shared::audience::{Audience, Listeners};
use shared::clock::Clock;
use shared::error::Error;
use shared::ids::RoomId;
use shared::metric::{self, Metric};
use shared::runtime::{Change, StreamReader};

use crate::delivery::Delivery;
use crate::frames::{Frames, room_frame};
use crate::upkeep::Upkeep;

/// The reader and its doors.
pub struct FanOut {
    pub audience: Audience,
    pub delivery: Delivery,
    pub upkeep: Upkeep,
    pub clock: Clock,
}

/// How many rooms of a batch are served side by side.
const ROOMS_AT_ONCE: usize = 8;

impl StreamReader for FanOut {
    async fn read(&self, batch: Vec<Change>) -> Vec<String> {
        let mut rooms: BTreeMap<RoomId, Vec<Change>> = BTreeMap::new();
        for change in batch {
            rooms.entry(change.after.room_id.clone()).or_default().push(change);
        }
        stream::iter(rooms)
            .map(async |(room_id, changes)| match self.room(&room_id, &changes).await {
                Ok(()) => Vec::new(),
                Err(error) => {
                    tracing::error!(room = %room_id, changes = changes.len(), error = error.to_string(), "a room must come again");
metric::count(Metric::Failed, 1);
                    changes.into_iter().map(|change| change.sequence_number).collect()
                }
            })
            .buffer_unordered(ROOMS_AT_ONCE)
            .concat()
            .await
    }
}

impl FanOut {
    async fn room(&self, room_id: &RoomId, changes: &[Change]) -> Result<(), Error> {
        let frames = Frames::of(changes)?;
        let listeners = self.audience.of(room_id, self.clock.now()).await?;
        self.delivery.close_ended(&listeners).await;
        self.delivery.deliver(&listeners, &frames).await;
        let added: Vec<_> =
            changes.iter().filter(|change| change.before.is_none()).map(|change| &change.after).collect();
        self.upkeep.after(room_id, &added, &listeners).await?;
        let glancing = listeners.iter().any(|listeners| !listeners.glancing.is_empty());
        if !added.is_empty() && (glancing || frames.creates_room) {
            self.glance(room_id, &listeners, frames.creates_room).await?;
        }
        Ok(())
    }

    /// Connections that do not get each message are shown the room instead, once per batch; a new room is shown to all.
    async fn glance(&self, room_id: &RoomId, listeners: &[Listeners], to_all: bool) -> Result<(), Error> {
        // The seats are read again: the marks have moved since the listeners were looked up.
        let (room, members) = tokio::try_join!(self.upkeep.rooms.get(room_id), self.audience.members.of_room(room_id))?;
        let Some(room) = room else { return Ok(()) };
        for own in &members {
            let seat = |listeners: &&Listeners| {
                listeners.member.as_ref().is_some_and(|member| member.participant == own.participant)
            };
            let Some(listeners) = listeners.iter().find(seat) else { continue };
            let mut shown: Vec<_> = listeners.glancing.iter().collect();
            if to_all {
                shown.extend(&listeners.attentive);
            }
            if !shown.is_empty() {
                self.delivery.show(&shown, &room_frame(&room, own, &members)?).await;
            }
        }
        Ok(())
    }
}
