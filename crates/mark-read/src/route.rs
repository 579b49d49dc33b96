//! Advances the caller's read position and pushes it to the other members. The push is best effort; the next one makes
//! up for a lost one.

use futures::TryStreamExt;
use protocol::access::Action;
use protocol::chat::{Entry, EntryKind, Member};
use protocol::clock::Clock;
use protocol::ids::{LogPosition, RoomId, Seq};
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
        let (member, tail) = tokio::join!(self.member(caller, &room_id), self.log.tail(&room_id, 1));
        let mut member = member?;
        let tail = tail?.into_iter().next().ok_or_else(Refusal::no_such_room)?;
        let read = self.read_up_to(&tail, request.seq).await?;
        let position = LogPosition::from(read.seq);
        let unread_count = |read_texts| tail.text_count.saturating_sub(read_texts);
        for _ in 0..MAX_ATTEMPTS {
            if position <= member.last_read_seq {
                break;
            }
            let read_texts = read.text_count + self.own_texts_after(&member, read.seq).await?;
            let members = &self.membership.members;
            if members.mark_read(&room_id, caller.participant(), position, read_texts, member.own_seq).await? {
                // The position is stored; telling the others is best effort.
                if let Err(error) = self.tell_others(caller, member, position).await {
                    tracing::warn!(error = error.to_string(), "failed to push a read position to the other members");
                }
                let unread_count = unread_count(read_texts);
                return Ok(MarkedRead { room_id, last_read_seq: position, unread_count });
            }
            member = self.member(caller, &room_id).await?;
        }
        // If another device has already read further, its position stands.
        let unread_count = unread_count(member.read_text_count);
        Ok(MarkedRead { room_id, last_read_seq: member.last_read_seq, unread_count })
    }
}

/// The most entries in which own texts are looked for. DynamoDB also ends a page at 1 MB.
const OWN_TEXTS_PAGE: u16 = 500;

/// How often a position is written while texts of the same member are counted concurrently.
const MAX_ATTEMPTS: usize = 5;

impl MarkRead {
    async fn member(&self, caller: &Caller, room_id: &RoomId) -> Result<Member, Error> {
        self.membership.of(Action::MarkRead, room_id, caller.participant()).await
    }

    /// The entry up to which the caller has read; a position beyond the end of the log means the last entry.
    async fn read_up_to(&self, tail: &Entry, seq: Seq) -> Result<Entry, Error> {
        if seq >= tail.seq {
            return Ok(tail.clone());
        }
        Ok(self.log.entry(&tail.room_id, seq).await?.ok_or_else(Refusal::no_such_message)?)
    }

    /// How many of the member's own texts, as far as they are counted, follow an entry. Usually none: a client marks
    /// the last entry. Those beyond one page of the log are taken for unread until the member reads further.
    async fn own_texts_after(&self, member: &Member, seq: Seq) -> Result<u64, Error> {
        let Some(own) = member.own_seq.seq().filter(|own| *own > seq) else { return Ok(0) };
        let (entries, _) = self.log.from(&member.room_id, seq.next(), OWN_TEXTS_PAGE).await?;
        let is_own = |entry: &&Entry| {
            entry.seq <= own && entry.kind == EntryKind::Text && entry.sender.participant == member.participant
        };
        Ok(entries.iter().filter(is_own).count() as u64)
    }

    /// Pushes the position to the other members. In an open room it goes only to the caller's own other connections:
    /// with thousands of members, one message would otherwise cause millions of pushes.
    async fn tell_others(&self, caller: &Caller, own: Member, last_read_seq: LogPosition) -> Result<(), Error> {
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
