//! The `rooms` table.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::{AttributeValue, Update};

use super::{Table, TableError, Write, key, number};
use crate::aws::Aws;
use crate::config::{ConfigError, TableName};
use protocol::chat::{LastMessage, Room, RoomStatus, TranslationMode};
use protocol::clock::Timestamp;
use protocol::ids::{Participant, RoomId, Seq};
use protocol::language::Language;

/// The most members of a group.
pub const MAX_GROUP_MEMBERS: u32 = 100;

/// The head of a room, as fan-out derives it from a batch of entries.
#[derive(Debug, Clone)]
pub struct Head {
    /// The number of the last entry.
    pub seq: Seq,
    /// The log's `text_count` at that entry.
    pub text_count: u64,
    /// When that entry was appended.
    pub updated_at: Timestamp,
    /// The newest text of the batch.
    pub last_message: Option<LastMessage>,
}

#[derive(Debug, Clone)]
pub struct Rooms {
    table: Table,
}

impl Rooms {
    pub fn open(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { table: Table::open(aws, TableName::Rooms)? })
    }

    fn key(room: &RoomId) -> super::Item {
        key([("room_id", room.to_string())])
    }

    /// A room, strongly consistent.
    pub async fn get(&self, room: &RoomId) -> Result<Option<Room>, TableError> {
        self.table.get(Self::key(room)).await
    }

    /// Several rooms, eventually consistent, in no particular order.
    pub async fn get_all(&self, rooms: &[RoomId]) -> Result<Vec<Room>, TableError> {
        self.table.batch_get(rooms.iter().map(Self::key).collect(), false).await
    }

    /// The transactional write that creates a room.
    pub fn insert(&self, room: &Room) -> Result<Write, TableError> {
        let put = self.table.insert(room, "room_id")?.build().map_err(self.table.call("TransactWriteItems"))?;
        Ok(Write::builder().put(put).build())
    }

    /// The transactional write that changes a consult's status.
    pub fn change_status(
        &self,
        room: &RoomId,
        from: RoomStatus,
        to: RoomStatus,
        seq: Seq,
    ) -> Result<Write, TableError> {
        self.update(
            Update::builder()
                .set_key(Some(Self::key(room)))
                .update_expression("SET #status = :to, status_seq = :seq")
                .condition_expression("#status = :from")
                .expression_attribute_names("#status", "status")
                .expression_attribute_values(":from", AttributeValue::S(from.as_str().to_owned()))
                .expression_attribute_values(":to", AttributeValue::S(to.as_str().to_owned()))
                .expression_attribute_values(":seq", number(seq)),
        )
    }

    /// The transactional write that sets one side's translation setting of a consult.
    pub fn set_translation(
        &self,
        room: &RoomId,
        side: &Participant,
        mode: TranslationMode,
    ) -> Result<Write, TableError> {
        let attribute = if side.is_hospital() { "hospital_translation" } else { "patient_translation" };
        self.update(
            Update::builder()
                .set_key(Some(Self::key(room)))
                .update_expression("SET #side = :mode")
                .condition_expression("attribute_exists(room_id)")
                .expression_attribute_names("#side", attribute)
                .expression_attribute_values(":mode", AttributeValue::S(mode.as_str().to_owned())),
        )
    }

    /// The transactional write that records that the members are told, once a month, that the budget is exhausted.
    pub fn limit(&self, room: &RoomId, month: &str) -> Result<Write, TableError> {
        self.update(
            Update::builder()
                .set_key(Some(Self::key(room)))
                .update_expression("SET limited_in = :month")
                .condition_expression("limited_in <> :month")
                .expression_attribute_values(":month", AttributeValue::S(month.to_owned())),
        )
    }

    /// The transactional write that counts one more member, with their language, unless the group is full.
    pub fn add_member(&self, room: &RoomId, language: Option<&Language>) -> Result<Write, TableError> {
        let update = Update::builder()
            .set_key(Some(Self::key(room)))
            .condition_expression("member_count < :limit")
            .expression_attribute_values(":limit", number(MAX_GROUP_MEMBERS))
            .expression_attribute_values(":one", number(1));
        self.update(match language {
            None => update.update_expression("ADD member_count :one"),
            Some(language) => update
                .update_expression("ADD member_count :one, languages :languages")
                .expression_attribute_values(":languages", AttributeValue::Ss(vec![language.to_string()])),
        })
    }

    fn update(&self, update: aws_sdk_dynamodb::types::builders::UpdateBuilder) -> Result<Write, TableError> {
        let update = update.table_name(&self.table.name).build().map_err(self.table.call("TransactWriteItems"))?;
        Ok(Write::builder().update(update).build())
    }

    /// Replaces the languages of a room, unless they have changed since `room` was read; then `false`.
    pub async fn set_languages(&self, room: &Room, languages: &BTreeSet<Language>) -> Result<bool, TableError> {
        let set =
            |languages: &BTreeSet<Language>| AttributeValue::Ss(languages.iter().map(ToString::to_string).collect());
        let call = self.table.client.update_item().table_name(&self.table.name).set_key(Some(Self::key(&room.room_id)));
        let call = match room.languages.is_empty() {
            true => call.condition_expression("attribute_exists(room_id) AND attribute_not_exists(languages)"),
            false => call
                .condition_expression("languages = :before")
                .expression_attribute_values(":before", set(&room.languages)),
        };
        // A set of DynamoDB is never empty.
        self.table
            .update(match languages.is_empty() {
                true => call.update_expression("REMOVE languages"),
                false => call
                    .update_expression("SET languages = :after")
                    .expression_attribute_values(":after", set(languages)),
            })
            .await
    }

    /// Advances the head, never back: a redelivered or late batch changes nothing.
    pub async fn advance(&self, room: &RoomId, head: &Head) -> Result<(), TableError> {
        let text = head.last_message.as_ref().map(|text| self.table.value(text)).transpose()?;
        let call = self.table.client.update_item().table_name(&self.table.name).set_key(Some(Self::key(room)));
        let mut call = call
            .condition_expression("attribute_exists(room_id) AND last_seq < :seq")
            .expression_attribute_values(":seq", number(head.seq))
            .expression_attribute_values(":texts", number(head.text_count))
            .expression_attribute_values(":at", number(head.updated_at.millis()));
        call = match &text {
            None => call.update_expression("SET last_seq = :seq, text_count = :texts, updated_at = :at"),
            Some(text) => call
                .update_expression("SET last_seq = :seq, text_count = :texts, updated_at = :at, last_message = :text")
                .expression_attribute_values(":text", text.clone()),
        };
        if self.table.update(call).await? {
            return Ok(());
        }
        // The head is already further, but its text may be older: a later entry that is not a text may have come first.
        let (Some(text), Some(last_message)) = (text, &head.last_message) else { return Ok(()) };
        let call = self.table.client.update_item().table_name(&self.table.name).set_key(Some(Self::key(room)));
        let call = call
            .update_expression("SET last_message = :text")
            .condition_expression(
                "attribute_exists(room_id) AND (attribute_not_exists(last_message) OR last_message.seq < :seq)",
            )
            .expression_attribute_values(":text", text)
            .expression_attribute_values(":seq", number(last_message.seq));
        self.table.update(call).await.map(|_| ())
    }
}
