//! When a message is sent, it is appended to the room's log, exactly once.

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
use crate::flood_control::{Flood, FloodControl, WINDOW_ENTRIES};

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

/// How storing a message ended.
enum Stored {
    Appended(Box<Entry>, IdempotencyRecord),
    /// Its `message_id` was used before, for this text or for another.
    Duplicate(IdempotencyRecord),
}

/// Why a message is not appended.
enum Rejection {
    Refused(Refusal),
    Flood(Flood),
}

impl From<Refusal> for Rejection {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Flood> for Rejection {
    fn from(flood: Flood) -> Self {
        Self::Flood(flood)
    }
}

/// A message whose fields are valid.
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
            self.express.look_up_during(&draft.room_id, self.clock.now(), self.store(caller, &draft)).await;
        match stored? {
            Stored::Appended(entry, record) => {
                self.express.deliver(&entry, &record, audience).await;
                Ok(draft.reply(&record, false))
            }
            Stored::Duplicate(record) if record.digest == draft.digest => Ok(draft.reply(&record, true)),
            Stored::Duplicate(_) => Err(Refusal::new(
                Code::MessageIdTaken,
                "this `message_id` was already used for another text; send a new one with a fresh UUID",
            )
            .into()),
        }
    }
}

impl SendMessage {
    /// Appends the message unless it was appended before: the row of its `message_id` then makes the transaction fail.
    /// The row is looked up beforehand only if the message would be rejected, because repeating a message that was
    /// accepted gets the same answer, no matter what has changed since.
    async fn store(&self, caller: &Caller, draft: &Draft) -> Result<Stored, Error> {
        append_with_retry(async |_| {
            let (member_and_room, tail) = tokio::join!(
                self.membership.with_room(Action::SendMessage, &draft.room_id, caller.participant()),
                self.log.tail(&draft.room_id, WINDOW_ENTRIES),
            );
            let (member, room) = member_and_room?;
            let tail = tail?;
            let entry = match self.accept(caller, draft, &member, &room, &tail) {
                Ok(entry) => entry,
                Err(rejection) => {
                    let record = self.records.get(&draft.room_id, caller.participant(), draft.message_id).await?;
                    if let Some(record) = record {
                        return Ok(Attempt::Done(Stored::Duplicate(record)));
                    }
                    return Err(self.refuse(caller, member, rejection).await?.into());
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
                Appended::Done => Attempt::Done(Stored::Appended(Box::new(entry), record)),
                // A duplicate of this very message won.
                Appended::Conflict { found: Some(row) } => Attempt::Done(Stored::Duplicate(self.records.row(row)?)),
                Appended::Conflict { found: None } => Attempt::Conflict,
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
    ) -> Result<Entry, Rejection> {
        let now = self.clock.now();
        if let Some(until) = member.mutes.get(caller.user_id()).filter(|until| **until > now) {
            return Err(Rejection::Flood(Flood::Muted(until.since(now))));
        }
        let open = (!is_closed(room, tail)).then_some(Condition::NotClosed);
        Action::SendMessage.permits(Relation::of_member(member), open)?;
        self.flood_control.check(tail, caller.user_id(), &draft.text, now)?;
        Ok(draft.entry(caller, room, tail.first(), now)?)
    }

    /// The refusal of a message that is not appended. A person who keeps repeating a text is muted for a while: that
    /// person only, not the hospital's other staff. Nothing else is ever written about it.
    async fn refuse(&self, caller: &Caller, member: Member, rejection: Rejection) -> Result<Refusal, Error> {
        let flood = match rejection {
            Rejection::Refused(refusal) => return Ok(refusal),
            Rejection::Flood(flood) => flood,
        };
        if let Flood::Repeated(_) = flood
            && !self.flood_control.limits.mute.is_zero()
        {
            let now = self.clock.now();
            let mut mutes = member.mutes;
            mutes.retain(|_, until| *until > now);
            mutes.insert(caller.user_id().clone(), now + self.flood_control.limits.mute);
            self.membership.members.set_mutes(&member.room_id, &member.participant, &mutes).await?;
        }
        Ok(flood.refusal())
    }

    async fn draft(&self, caller: &Caller, request: requests::SendMessage) -> Result<Draft, Error> {
        let text = MessageText::new(request.message).map_err(|error| Refusal::invalid_text("message", error))?;
        let room_id = match request.room_id {
            Some(room_id) => room_id,
            None => self.joined(caller).await?,
        };
        // Of the request only, not of what the connection adds: another device may repeat it.
        let spoken = request.language.as_ref().map_or("", Language::as_str);
        let replied = request.reply_to.map(|seq| seq.to_string()).unwrap_or_default();
        let digest = self.digest.digest(&["send", text.as_str(), spoken, &replied]).await?;
        // What somebody usually writes is a hint. A text whose letters contradict it is in a language that nobody
        // knows.
        let language = request.language.or_else(|| caller.language.clone());
        let language = language.filter(|language| masking::may_be_in(text.as_str(), language.as_str()));
        let message_id = request.message_id.unwrap_or_else(MessageId::random);
        Ok(Draft { room_id, text, message_id, language, reply_to: request.reply_to, digest })
    }

    /// The room that this connection joined last.
    async fn joined(&self, caller: &Caller) -> Result<RoomId, Error> {
        let connection = self.connections.get(caller.participant(), &caller.connection_id).await?;
        connection
            .and_then(|connection| connection.current_room)
            .ok_or_else(|| Refusal::bad_request("missing field `room_id`; send it, or call joinGroup first").into())
    }
}

impl Draft {
    fn entry(&self, caller: &Caller, room: &Room, tail: Option<&Entry>, now: Timestamp) -> Result<Entry, Refusal> {
        let tail = tail.ok_or_else(Refusal::no_such_room)?;
        if self.reply_to.is_some_and(|seq| seq > tail.seq) {
            return Err(Refusal::bad_request("`reply_to`: this room has no message with this seq"));
        }
        let sent_at = now.max(tail.sent_at);
        let wanted = room.automatic_targets(self.language.as_ref());
        // A text without words reads the same in every language.
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
            also_translate_to: Languages::default(),
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

/// The newest status change among the last entries counts even if the room's row was read before it. If both were read
/// before a newer change, the message's number is taken, and everything is read again.
fn is_closed(room: &Room, tail: &[Entry]) -> bool {
    tail.iter().find_map(Entry::sets_status).unwrap_or(room.status) == RoomStatus::Closed
}
