//! The `sends` table: the entry that each `message_id` became, so that retrying a send has no effect, and the
//! connections that received the message directly.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use serde::{Deserialize, Serialize};

use super::{Item, Table, TableError, Write, key};
use crate::aws::Aws;
use crate::config::{ConfigError, TableName};
use protocol::clock::Timestamp;
use protocol::ids::{ConnectionId, MessageId, Participant, RoomId, Seq, UserId};

/// The record of a sent message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdempotencyRecord {
    pub room_id: RoomId,
    send_key: String,
    /// The number of the entry.
    pub seq: Seq,
    /// When it was appended, as the first reply said.
    pub sent_at: Timestamp,
    pub user_id: UserId,
    /// A keyed digest of the content.
    pub digest: String,
    /// When DynamoDB's TTL may delete the row, in epoch seconds.
    pub expires_at: u64,
    /// The connections that received the message directly from send-message, so that fan-out need not push it again.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty", with = "serde_dynamo::string_set")]
    pub pushed_to: BTreeSet<ConnectionId>,
}

impl IdempotencyRecord {
    /// The least time for which retries of a send are recognized: 30 days.
    const KEPT_SECONDS: u64 = 30 * 24 * 60 * 60;

    /// The record of a message that is about to be appended.
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

#[derive(Debug, Clone)]
pub struct IdempotencyRecords {
    table: Table,
}

impl IdempotencyRecords {
    pub fn open(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { table: Table::open(aws, TableName::Sends)? })
    }

    /// The record of a participant's `message_id`, even if it has expired.
    pub async fn get(
        &self,
        room: &RoomId,
        participant: &Participant,
        message: MessageId,
    ) -> Result<Option<IdempotencyRecord>, TableError> {
        self.table.get(key([("room_id", room.to_string()), ("send_key", send_key(participant, message))])).await
    }

    /// The transactional write that records a send. If it is recorded already, the append returns the existing row.
    pub fn insert(&self, record: &IdempotencyRecord) -> Result<Write, TableError> {
        let put = self.table.insert(record, "room_id")?;
        let put = put.return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        Ok(Write::builder().put(put.build().map_err(self.table.call("TransactWriteItems"))?).build())
    }

    /// Records the connections that have received a message. Call this only after they have: fan-out skips them.
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

    /// The connections that received these messages directly, by sender and id; messages without any are omitted.
    /// Eventually consistent: a missed record causes a duplicate, which clients recognize by `seq`.
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

    /// Parses the existing row that an append returned.
    pub fn row(&self, item: Item) -> Result<IdempotencyRecord, TableError> {
        self.table.row(item)
    }
}
