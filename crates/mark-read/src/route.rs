//! When somebody has read on, then their mark moves, and the others see it. The push is best effort: a mark that is lost is
//! repaired by the next.

use futures::TryStreamExt;
use protocol::access::Action;
use protocol::chat::{Entry, Member};
use protocol::clock::Clock;
use protocol::ids::{Mark, RoomId, Seq};
use protocol::wire::replies::MarkedRead;
use protocol::wire::{Event, Refusal, requests};
use shared::adapters::delivery_policy::DeliveryPolicy;
use shared::adapters::dynamodb::Log;
use shared::adapters::push::Push;
use shared::error::Error;
use shared::runtime::{Caller, Route};
use shared::services::audience::{Audience, DeliveryMode, Listener};
use shared::services::membership::Membership;

pub struct MarkRead {
    pub membership: Membership,
    pub log: Log,
    pub audience: Audience,
    pub push: Push,
    pub clock: Clock,
}

impl Route for MarkRead {
    type Request = requests::MarkRead;
    type Reply = MarkedRead;

    async fn handle(&self, caller: &Caller, request: requests::MarkRead) -> Result<MarkedRead, Error> {
        let room_id = request.room_id;
        let (seat, tail) = tokio::join!(self.seat(caller, &room_id), self.log.tail(&room_id, 1));
        let (member, tail) = (seat?, tail?.into_iter().next().ok_or_else(Refusal::no_such_room)?);
        let read = self.read_up_to(&tail, request.seq).await?;
        let (mark, texts) = (Mark::from(read.seq), read.text_count);
        let moved = mark > member.last_read_seq
            && self.membership.members.mark_read(&room_id, caller.participant(), mark, texts, 0).await?;
        if moved {
            // The mark is written; that the others see it is best effort.
            if let Err(error) = self.tell_others(caller, member, mark).await {
                tracing::warn!(error = error.to_string(), "a read mark was not told to the others");
            }
            return Ok(MarkedRead {
                room_id,
                last_read_seq: mark,
                unread_count: tail.text_count.saturating_sub(texts),
            });
        }
        // Where another device has read further already, its mark stands.
        let standing = if mark > member.last_read_seq { self.seat(caller, &room_id).await? } else { member };
        let unread_count = tail.text_count.saturating_sub(standing.read_text_count);
        Ok(MarkedRead { room_id, last_read_seq: standing.last_read_seq, unread_count })
    }
}

impl MarkRead {
    async fn seat(&self, caller: &Caller, room_id: &RoomId) -> Result<Member, Error> {
        self.membership.of(Action::MarkRead, room_id, caller.participant()).await
    }

    /// The entry that was read up to; beyond the log's end it counts as its end.
    async fn read_up_to(&self, tail: &Entry, seq: Seq) -> Result<Entry, Error> {
        if seq >= tail.seq {
            return Ok(tail.clone());
        }
        Ok(self.log.entry(&tail.room_id, seq).await?.ok_or_else(Refusal::no_such_message)?)
    }

    /// In an open room only the caller's own other connections are told: if each of thousands told all the others how far they have
    /// read, one message would cost millions of pushes.
    async fn tell_others(&self, caller: &Caller, own: Member, last_read_seq: Mark) -> Result<(), Error> {
        let room_id = own.room_id.clone();
        let participant = caller.participant().clone();
        let frame = Event::Read { room_id: room_id.clone(), participant, last_read_seq }.to_frame()?;
        let members = if room_id.is_open() { vec![own] } else { self.audience.members(&room_id).await? };
        self.audience
            .of_members(&room_id, &members, self.clock.now())
            .try_for_each_concurrent(DeliveryPolicy::MAX_CONCURRENCY, async |Listener { connection, mode, .. }| {
                if mode == DeliveryMode::Full && connection.connection_id != caller.connection_id {
                    self.push.send(&connection.connection_id, &frame).await;
                }
                Ok(())
            })
            .await?;
        Ok(())
    }
}
