//! The `members` table: the members of each room and their read positions.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::{AttributeValue, Put, Update};
use serde::Deserialize;

use super::{Item, Page, Table, TableError, Write, applied, key, number};
use crate::aws::Aws;
use crate::config::{ConfigError, TableName};
use protocol::chat::{Member, RoomStatus};
use protocol::clock::Timestamp;
use protocol::ids::{LogPosition, Participant, RoomId, Seq, UserId};

/// A position in a participant's room list. The indexes contain nothing else, so that advancing a read position does
/// not update them.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ListPosition {
    pub room_id: RoomId,
    /// Orders the list, latest first.
    pub last_activity: Timestamp,
}

/// Consecutive texts of one member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnTexts {
    pub first: Seq,
    pub last: Seq,
    /// How many they are.
    pub count: u64,
    /// The log's `text_count` at the last one.
    pub text_count: u64,
}

#[derive(Debug, Clone)]
pub struct Members {
    table: Table,
}

impl Members {
    pub fn open(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { table: Table::open(aws, TableName::Members)? })
    }

    fn key(room: &RoomId, participant: &Participant) -> Item {
        key([("room_id", room.to_string()), ("participant", participant.to_string())])
    }

    /// A member, strongly consistent.
    pub async fn get(&self, room: &RoomId, participant: &Participant) -> Result<Option<Member>, TableError> {
        self.table.get(Self::key(room, participant)).await
    }

    /// Several members, in no particular order. Read consistently where the result decides about access.
    pub async fn get_all(
        &self,
        members: &[(RoomId, Participant)],
        consistent: bool,
    ) -> Result<Vec<Member>, TableError> {
        let keys = members.iter().map(|(room, participant)| Self::key(room, participant));
        self.table.batch_get(keys.collect(), consistent).await
    }

    /// All members of a room, strongly consistent.
    pub async fn of_room(&self, room: &RoomId) -> Result<Vec<Member>, TableError> {
        self.table.query_all("room_id", room.to_string()).await
    }

    /// The first `count` members of a room, for delivery. Strongly consistent for rooms whose members change. The two
    /// members of a consult or a direct room never change, so the cheaper read suffices unless it misses one because
    /// the room is new.
    pub async fn listening(&self, room: &RoomId, count: usize) -> Result<Vec<Member>, TableError> {
        let most = i32::try_from(count).unwrap_or(i32::MAX);
        if let Some(sides) = room.sides() {
            let members: Vec<Member> = self.table.query_first("room_id", room.to_string(), most, false).await?;
            if members.len() >= sides.len().min(count) {
                return Ok(members);
            }
        }
        self.table.query_first("room_id", room.to_string(), most, true).await
    }

    /// A page of a participant's room list, latest first. With a status: of a hospital's consults of that status.
    pub async fn list(
        &self,
        participant: &Participant,
        status: Option<RoomStatus>,
        after: Option<&ListPosition>,
        limit: u16,
    ) -> Result<Page<ListPosition>, TableError> {
        let (index, attribute, value) = match status {
            None => ("by-participant", "participant", participant.to_string()),
            Some(status) => ("by-status", "list_key", Member::list_key(participant, status)),
        };
        let start = after.map(|position| {
            let mut start = Self::key(&position.room_id, participant);
            start.insert(attribute.to_owned(), AttributeValue::S(value.clone()));
            start.insert("last_activity".to_owned(), number(position.last_activity.millis()));
            start
        });
        let call = self.table.client.query().table_name(&self.table.name).index_name(index);
        let call = call
            .key_condition_expression("#key = :key")
            .expression_attribute_names("#key", attribute)
            .expression_attribute_values(":key", AttributeValue::S(value))
            .scan_index_forward(false)
            .limit(i32::from(limit))
            .set_exclusive_start_key(start);
        let answer = call.send().await.map_err(self.table.call("Query"))?;
        let more = answer.last_evaluated_key.is_some_and(|key| !key.is_empty());
        Ok(Page { rows: self.table.rows(answer.items), more })
    }

    /// Adds a member unless it exists.
    pub async fn put(&self, member: &Member) -> Result<(), TableError> {
        let put = self.table.client.put_item().table_name(&self.table.name).set_item(Some(self.table.item(member)?));
        let put = put.condition_expression("attribute_not_exists(room_id)");
        applied(&self.table, "PutItem", async || put.clone().send().await).await.map(|_| ())
    }

    /// The transactional write that adds a member, and fails if it exists.
    pub fn insert(&self, member: &Member) -> Result<Write, TableError> {
        let put = self.table.insert(member, "room_id")?.build().map_err(self.table.call("TransactWriteItems"))?;
        Ok(Write::builder().put(put).build())
    }

    /// The transactional write of a member of a room that is being created.
    pub fn put_in_transaction(&self, member: &Member) -> Result<Write, TableError> {
        let put = Put::builder().table_name(&self.table.name).set_item(Some(self.table.item(member)?));
        Ok(Write::builder().put(put.build().map_err(self.table.call("TransactWriteItems"))?).build())
    }

    /// The transactional write that lists a hospital's consult under another status.
    pub fn change_list(&self, room: &RoomId, hospital: &Participant, status: RoomStatus) -> Result<Write, TableError> {
        let update = Update::builder()
            .table_name(&self.table.name)
            .set_key(Some(Self::key(room, hospital)))
            .update_expression("SET list_key = :list")
            .condition_expression("attribute_exists(room_id)")
            .expression_attribute_values(":list", AttributeValue::S(Member::list_key(hospital, status)))
            .build()
            .map_err(self.table.call("TransactWriteItems"))?;
        Ok(Write::builder().update(update).build())
    }

    fn update(
        &self,
        room: &RoomId,
        participant: &Participant,
    ) -> aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder {
        self.table.client.update_item().table_name(&self.table.name).set_key(Some(Self::key(room, participant)))
    }

    /// Stores a member's name and languages, as far as they are known.
    pub async fn set_profile(&self, member: &Member) -> Result<(), TableError> {
        let mut call =
            self.update(&member.room_id, &member.participant).condition_expression("attribute_exists(room_id)");
        let mut changes = Vec::new();
        let language = member.language.as_ref().map(ToString::to_string);
        let others = Some(member.other_languages.to_string()).filter(|others| !others.is_empty());
        for (name, value) in [("name", member.name.clone()), ("language", language), ("other_languages", others)] {
            if let Some(value) = value {
                changes.push(format!("#{name} = :{name}"));
                call = call.expression_attribute_names(format!("#{name}"), name);
                call = call.expression_attribute_values(format!(":{name}"), AttributeValue::S(value));
            }
        }
        self.table.update(call.update_expression(format!("SET {}", changes.join(", ")))).await.map(|_| ())
    }

    /// Replaces the list of people who are muted.
    pub async fn set_mutes(
        &self,
        room: &RoomId,
        participant: &Participant,
        mutes: &BTreeMap<UserId, Timestamp>,
    ) -> Result<(), TableError> {
        let call = self.update(room, participant);
        let call = call
            .update_expression("SET mutes = :mutes")
            .condition_expression("attribute_exists(room_id)")
            .expression_attribute_values(":mutes", self.table.value(mutes)?);
        self.table.update(call).await.map(|_| ())
    }

    /// Advances a read position, never back; `false` if nothing changed. `read_texts` are the texts that are no longer
    /// unread, which include those of the member's own between `seq` and `own_seq`. If more of these have been counted
    /// meanwhile, nothing changes either: read the member again and retry.
    pub async fn mark_read(
        &self,
        room: &RoomId,
        participant: &Participant,
        seq: LogPosition,
        read_texts: u64,
        own_seq: LogPosition,
    ) -> Result<bool, TableError> {
        let call = self.update(room, participant);
        let call = call
            .update_expression("SET last_read_seq = :seq, read_text_count = :texts")
            .condition_expression(
                "last_read_seq < :seq AND (attribute_not_exists(own_seq) OR own_seq <= :seq OR own_seq = :own)",
            )
            .expression_attribute_values(":seq", number(seq.get()))
            .expression_attribute_values(":own", number(own_seq.get()))
            .expression_attribute_values(":texts", number(read_texts));
        self.table.update(call).await
    }

    /// Records consecutive texts that a member wrote, which never count as unread to their writer: if the member had
    /// read everything before them, the read position moves to the last one; otherwise it stays. Returns `false` if
    /// some of them were recorded or read before; then nothing changes.
    pub async fn record_own_texts(
        &self,
        room: &RoomId,
        participant: &Participant,
        texts: &OwnTexts,
    ) -> Result<bool, TableError> {
        let update = |expression: &str, condition: &str| {
            let call = self.update(room, participant).update_expression(expression).condition_expression(format!(
                "{condition} AND last_read_seq < :first AND (attribute_not_exists(own_seq) OR own_seq < :first)"
            ));
            call.expression_attribute_values(":first", number(texts.first))
                .expression_attribute_values(":last", number(texts.last))
        };
        let moved = update("SET last_read_seq = :last, read_text_count = :texts", "read_text_count >= :before")
            .expression_attribute_values(":texts", number(texts.text_count))
            .expression_attribute_values(":before", number(texts.text_count - texts.count));
        if self.table.update(moved).await? {
            return Ok(true);
        }
        let counted = update("SET own_seq = :last ADD read_text_count :count", "attribute_exists(room_id)")
            .expression_attribute_values(":count", number(texts.count));
        self.table.update(counted).await
    }

    /// Moves a room up in a member's room list, never down.
    pub async fn touch(&self, room: &RoomId, participant: &Participant, at: Timestamp) -> Result<bool, TableError> {
        let call = self.update(room, participant);
        let call = call
            .update_expression("SET last_activity = :at")
            .condition_expression("attribute_exists(room_id) AND last_activity < :at")
            .expression_attribute_values(":at", number(at.millis()));
        self.table.update(call).await
    }
}
