//! The `sends` table: what each `message_id` became, so that repeating a send is free, and who was given
//! the message right away.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use serde::{Deserialize, Serialize};

use super::{Item, Table, TableError, Write, key};
use crate::aws::Aws;
use crate::config::{ConfigError, TableName};
use protocol::clock::Timestamp;
use protocol::ids::{ConnectionId, MessageId, Participant, RoomId, Seq, UserId};

/// What a `message_id` became.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdempotencyRecord {
    /// The room.
    pub room_id: RoomId,
    send_key: String,
    /// The number it was given.
    pub seq: Seq,
    /// When, as the first answer said.
    pub sent_at: Timestamp,
    /// Who sent it.
    pub user_id: UserId,
    /// Keyed, of what was sent.
    pub digest: String,
    /// When the row may go, in epoch seconds (DynamoDB's TTL).
    pub expires_at: u64,
    /// The connections that took the message from who stored it: the stream's reader need not push it to them again.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty", with = "serde_dynamo::string_set")]
    pub pushed_to: BTreeSet<ConnectionId>,
}

impl IdempotencyRecord {
    /// How long a repeated send is told from a new one, at least: 30 days.
    const KEPT_SECONDS: u64 = 30 * 24 * 60 * 60;

    /// The row of a message that is about to be appended.
    pub fn new(
        room: &RoomId,
        participant: &Participant,
        message: MessageId,
        seq: Seq,
        sent_at: Timestamp,
        user: &UserId,
        digest: String,
    ) -> Self {
        Self {
            room_id: room.clone(),
            send_key: send_key(participant, message),
            seq,
            sent_at,
            user_id: user.clone(),
            digest,
            expires_at: sent_at.seconds() + Self::KEPT_SECONDS,
            pushed_to: BTreeSet::new(),
        }
    }
}

fn send_key(participant: &Participant, message: MessageId) -> String {
    format!("{participant}#{message}")
}

/// The door to the `sends` table.
#[derive(Debug, Clone)]
pub struct IdempotencyRecords {
    table: Table,
}

impl IdempotencyRecords {
    pub fn open(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { table: Table::open(aws, TableName::Sends)? })
    }

    /// What this `message_id` of this participant became, whatever its expiry says.
    pub async fn get(
        &self,
        room: &RoomId,
        participant: &Participant,
        message: MessageId,
    ) -> Result<Option<IdempotencyRecord>, TableError> {
        self.table.get(key([("room_id", room.to_string()), ("send_key", send_key(participant, message))])).await
    }

    /// The part of a transaction that records a send; where it is recorded already, the append gives the row back.
    pub fn insert(&self, record: &IdempotencyRecord) -> Result<Write, TableError> {
        let put = self.table.insert(record, "room_id")?;
        let put = put.return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        Ok(Write::builder().put(put.build().map_err(self.table.call("TransactWriteItems"))?).build())
    }

    /// Notes who took a message. Only once they have: what is noted here is pushed by nobody else.
    pub async fn mark_pushed(&self, record: &IdempotencyRecord, to: Vec<ConnectionId>) -> Result<(), TableError> {
        let to = to.iter().map(ToString::to_string).collect();
        let call = self.table.client.update_item().table_name(&self.table.name);
        let call = call
            .set_key(Some(key([("room_id", record.room_id.to_string()), ("send_key", record.send_key.clone())])))
            .update_expression("SET pushed_to = :to")
            .condition_expression("attribute_exists(room_id)")
            .expression_attribute_values(":to", AttributeValue::Ss(to));
        self.table.update(call).await.map(|_| ())
    }

    /// Who took these messages of a room, by their senders and ids; messages that nobody took, or whose mark is not to be
    /// seen yet, are left out. Eventually consistent: a mark that is missed costs a double, which clients tell by `seq`.
    pub async fn pushed(
        &self,
        room: &RoomId,
        sent: impl IntoIterator<Item = (&Participant, MessageId)>,
    ) -> Result<BTreeMap<Seq, BTreeSet<ConnectionId>>, TableError> {
        let sent = sent.into_iter().map(|(sender, message)| send_key(sender, message));
        let keys = sent.map(|sent| key([("room_id", room.to_string()), ("send_key", sent)])).collect();
        let records: Vec<IdempotencyRecord> = self.table.batch_get(keys, false).await?;
        Ok(records.into_iter().map(|record| (record.seq, record.pushed_to)).filter(|(_, to)| !to.is_empty()).collect())
    }

    /// Reads the row that stood in the way of an append.
    pub fn row(&self, item: Item) -> Result<IdempotencyRecord, TableError> {
        self.table.row(item)
    }
}
