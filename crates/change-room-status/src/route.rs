//! Changes a consult: the room and the entry that records the change are written in one transaction.

use protocol::access::{Action, Relation};
use protocol::chat::{Entry, Room, SystemEvent};
use protocol::clock::Clock;
use protocol::ids::{RoomId, Seq};
use protocol::wire::Refusal;
use protocol::wire::replies::{RoomStatusChanged, RoomTranslationSet};
use serde::Serialize;
use shared::adapters::dynamodb::{Appended, Log, TableError, Write};
use shared::error::Error;
use shared::runtime::{Caller, Route};
use shared::services::append::{Attempt, append_with_retry};
use shared::services::membership::Membership;
use shared::services::rate_limiter::{LimitedAction, RateLimiter};

use crate::request::Request;

pub struct ChangeRoom {
    pub membership: Membership,
    pub log: Log,
    pub rate_limiter: RateLimiter,
    pub clock: Clock,
}

#[derive(Serialize)]
#[serde(untagged)]
pub enum Reply {
    Status(RoomStatusChanged),
    Translation(RoomTranslationSet),
}

/// A change of a room.
pub struct Change {
    /// The event that the log records.
    pub event: SystemEvent,
    /// The writes of the same transaction, given the entry's number.
    pub writes: Box<dyn Fn(Seq) -> Result<Vec<Write>, TableError> + Send>,
}

impl Route for ChangeRoom {
    type Request = Request;
    type Reply = Reply;

    async fn handle(&self, caller: &Caller, request: Request) -> Result<Reply, Error> {
        match request {
            Request::Status(request) => self.status(caller, request).await,
            Request::Translation(request) => self.translation(caller, request).await,
        }
    }
}

impl ChangeRoom {
    /// Applies the change that `decide` returns for the room and the caller's relation to it, if any. Returns the room
    /// as it was before, and the number of the entry that records the change.
    pub async fn change(
        &self,
        caller: &Caller,
        action: Action,
        room_id: &RoomId,
        decide: impl Fn(Relation, &Room) -> Result<Option<Change>, Refusal>,
    ) -> Result<(Room, Option<Seq>), Error> {
        append_with_retry(async |attempt| {
            let (member_and_room, tail) = tokio::join!(
                self.membership.with_room(action, room_id, caller.participant()),
                self.log.tail(room_id, 1)
            );
            let (member, room) = member_and_room?;
            let tail = tail?;
            let Some(Change { event, writes }) = decide(Relation::of_member(&member), &room)? else {
                return Ok(Attempt::Done((room, None)));
            };
            if attempt == 0 {
                self.rate_limiter.take(caller.user_id(), LimitedAction::Change).await?;
            }
            let entry = Entry::system(room_id.clone(), tail.first(), caller.sender.clone(), event, self.clock.now());
            Ok(match self.log.append(&entry, writes(entry.seq)?).await? {
                Appended::Done => Attempt::Done((room, Some(entry.seq))),
                Appended::Conflict { .. } => Attempt::Conflict,
            })
        })
        .await
    }
}
