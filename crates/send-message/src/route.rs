//! When somebody sends a message, then it is appended to the room's log, exactly once.

use std::collections::BTreeMap;

use protocol::access::{Action, Condition, Relation};
use protocol::chat::{Entry, EntryKind, Member, MessageText, Room, RoomStatus, Translation};
use protocol::clock::{Clock, Timestamp};
use protocol::ids::{MessageId, RoomId, Seq};
use protocol::language::{Language, Languages};
use protocol::wire::replies::MessageSent;
use protocol::wire::{Code, Refusal, requests};
use shared::adapters::dynamodb::{Appended, Connections, IdempotencyRecord, IdempotencyRecords, Log};
use shared::error::Error;
use shared::runtime::{Caller, Route};
use shared::services::append::{Attempt, append_with_retry};
use shared::services::digest::DigestKey;
use shared::services::membership::Membership;

use crate::express::Express;
use crate::flood_control::{FloodControl, JUDGED, TooMuch};

pub struct SendMessage {
    pub membership: Membership,
    pub log: Log,
    pub records: IdempotencyRecords,
    pub connections: Connections,
    pub digest: DigestKey,
    pub express: Express,
    pub flood_control: FloodControl,
    pub clock: Clock,
}

/// What became of a message.
enum Stored {
    /// It was appended.
    Now(Box<Entry>, IdempotencyRecord),
    /// Its `message_id` was used before, for this text or for another.
    Before(IdempotencyRecord),
}

/// Why a message is not appended.
enum Declined {
    Refused(Refusal),
    TooMuch(TooMuch),
}

impl From<Refusal> for Declined {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<TooMuch> for Declined {
    fn from(too_much: TooMuch) -> Self {
        Self::TooMuch(too_much)
    }
}

/// A message that can be appended as it is.
struct Draft {
    room_id: RoomId,
    text: MessageText,
    message_id: MessageId,
    language: Option<Language>,
    reply_to: Option<Seq>,
    digest: String,
}

impl Route for SendMessage {
    type Request = requests::SendMessage;
    type Reply = MessageSent;

    async fn handle(&self, caller: &Caller, request: requests::SendMessage) -> Result<MessageSent, Error> {
        let draft = self.draft(caller, request).await?;
        let (stored, audience) =
            self.express.alongside(&draft.room_id, self.clock.now(), self.store(caller, &draft)).await;
        match stored? {
            Stored::Now(entry, record) => {
                self.express.deliver(&entry, &record, audience).await;
                Ok(draft.reply(&record, false))
            }
            Stored::Before(record) if record.digest == draft.digest => Ok(draft.reply(&record, true)),
            Stored::Before(_) => {
                Err(Refusal::new(Code::MessageIdTaken, "this `message_id` was already used for another text").into())
            }
        }
    }
}

impl SendMessage {
    /// Appends the message, unless it was appended before: that is known for sure by the row of its `message_id`, which
    /// stands in the way of a second one. It is looked for beforehand only where the message would be refused, because who
    /// repeats a message that was accepted gets the same answer, whatever has changed since.
    async fn store(&self, caller: &Caller, draft: &Draft) -> Result<Stored, Error> {
        append_with_retry(async |_| {
            let (member_and_room, tail) = tokio::join!(
                self.membership.with_room(Action::SendMessage, &draft.room_id, caller.participant()),
                self.log.tail(&draft.room_id, JUDGED),
            );
            let (member, room) = member_and_room?;
            let tail = tail?;
            let entry = match self.accept(caller, draft, &member, &room, &tail) {
                Ok(entry) => entry,
                Err(declined) => {
                    let record = self.records.get(&draft.room_id, caller.participant(), draft.message_id).await?;
                    if let Some(record) = record {
                        return Ok(Attempt::Done(Stored::Before(record)));
                    }
                    return Err(self.decline(caller, member, declined).await?.into());
                }
            };
            let record = IdempotencyRecord::new(
                &draft.room_id,
                caller.participant(),
                draft.message_id,
                entry.seq,
                entry.sent_at,
                caller.user_id(),
                draft.digest.clone(),
            );
            Ok(match self.log.append(&entry, vec![self.records.insert(&record)?]).await? {
                Appended::Done => Attempt::Done(Stored::Now(Box::new(entry), record)),
                // Another attempt to send this very message won.
                Appended::Again { found: Some(row) } => Attempt::Done(Stored::Before(self.records.row(row)?)),
                Appended::Again { found: None } => Attempt::Conflict,
            })
        })
        .await
    }

    /// The entry to append, if this member may append it now.
    fn accept(
        &self,
        caller: &Caller,
        draft: &Draft,
        member: &Member,
        room: &Room,
        tail: &[Entry],
    ) -> Result<Entry, Declined> {
        let now = self.clock.now();
        if let Some(until) = member.mutes.get(caller.user_id()).filter(|until| **until > now) {
            return Err(Declined::TooMuch(TooMuch::Muted(until.since(now))));
        }
        let open = (!is_closed(room, tail)).then_some(Condition::NotClosed);
        Action::SendMessage.permits(Relation::of_member(member), open)?;
        self.flood_control.judge(tail, caller.user_id(), &draft.text, now)?;
        Ok(draft.entry(caller, room, tail.first(), now)?)
    }

    /// What the person is told whose message is not taken. Who sends the same again and again is muted for a while, by themselves: of
    /// many staff at one seat, one. That is all that is ever written about it.
    async fn decline(&self, caller: &Caller, member: Member, declined: Declined) -> Result<Refusal, Error> {
        let too_much = match declined {
            Declined::Refused(refusal) => return Ok(refusal),
            Declined::TooMuch(too_much) => too_much,
        };
        if let TooMuch::Same(_) = too_much
            && !self.flood_control.limits.mute.is_zero()
        {
            let now = self.clock.now();
            let mut mutes = member.mutes;
            mutes.retain(|_, until| *until > now);
            mutes.insert(caller.user_id().clone(), now + self.flood_control.limits.mute);
            self.membership.members.set_mutes(&member.room_id, &member.participant, &mutes).await?;
        }
        Ok(too_much.refusal())
    }

    async fn draft(&self, caller: &Caller, request: requests::SendMessage) -> Result<Draft, Error> {
        let text = MessageText::new(request.message).map_err(|error| Refusal::invalid_text("message", error))?;
        let room_id = match request.room_id {
            Some(room_id) => room_id,
            None => self.joined(caller).await?,
        };
        // Of what the request said, not of what the connection adds: another device may repeat it.
        let spoken = request.language.as_ref().map_or("", Language::as_str);
        let replied = request.reply_to.map(|seq| seq.to_string()).unwrap_or_default();
        let digest = self.digest.digest(&["send", text.as_str(), spoken, &replied]).await?;
        let language = request.language.or_else(|| caller.language.clone());
        let message_id = request.message_id.unwrap_or_else(MessageId::random);
        Ok(Draft { room_id, text, message_id, language, reply_to: request.reply_to, digest })
    }

    /// The room that this connection joined last.
    async fn joined(&self, caller: &Caller) -> Result<RoomId, Error> {
        let connection = self.connections.get(caller.participant(), &caller.connection_id).await?;
        connection
            .and_then(|connection| connection.current_room)
            .ok_or_else(|| Refusal::bad_request("missing field `room_id`: this connection has joined no room").into())
    }
}

impl Draft {
    fn entry(&self, caller: &Caller, room: &Room, tail: Option<&Entry>, now: Timestamp) -> Result<Entry, Refusal> {
        let tail = tail.ok_or_else(Refusal::no_such_room)?;
        if self.reply_to.is_some_and(|seq| seq > tail.seq) {
            return Err(Refusal::bad_request("`reply_to`: this room has no message with this seq yet"));
        }
        let sent_at = now.max(tail.sent_at);
        let wanted = room.translates_into(self.language.as_ref());
        // What has no words reads the same in every language, and nobody is asked.
        let (translate_to, translations) = if wanted.is_empty() || masking::has_words(self.text.as_str()) {
            (wanted, BTreeMap::new())
        } else {
            let same = Translation::same(self.text.as_str().to_owned(), 1, sent_at);
            (Languages::default(), wanted.iter().map(|language| (language.clone(), same.clone())).collect())
        };
        Ok(Entry {
            room_id: self.room_id.clone(),
            seq: tail.seq.next(),
            text_count: tail.text_count + 1,
            message_id: self.message_id,
            kind: EntryKind::Text,
            sender: caller.sender.clone(),
            origin: Some(caller.connection_id.clone()),
            message: self.text.as_str().to_owned(),
            language: self.language.clone(),
            translate_to,
            sent_at,
            translations,
            reply_to: self.reply_to,
            event: None,
            edited_at: None,
            deleted_at: None,
        })
    }

    fn reply(&self, record: &IdempotencyRecord, duplicate: bool) -> MessageSent {
        MessageSent {
            room_id: self.room_id.clone(),
            seq: record.seq,
            message_id: self.message_id,
            sent_at: record.sent_at,
            duplicate,
        }
    }
}

/// The newest status change among the last entries counts even where the room's row was read before it. Should both have
/// been read before a newer one, the number that the message wants is taken, and all is read again.
fn is_closed(room: &Room, tail: &[Entry]) -> bool {
    tail.iter().find_map(Entry::sets_status).unwrap_or(room.status) == RoomStatus::Closed
}
