//! The `messages` table: each room's log. Its key (`room_id`, `seq`) is the sequencer: a number can be neither skipped nor
//! taken twice.

use std::collections::HashMap;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::AttributeValue;
use serde::Deserialize;

use super::{BillingAccount, Item, Page, Table, TableError, Write, key, number};
use crate::aws::Aws;
use crate::config::{ConfigError, TableName};
use protocol::chat::{Entry, Translation};
use protocol::clock::Timestamp;
use protocol::ids::{RoomId, Seq};
use protocol::language::Language;

/// The door to the `messages` table.
#[derive(Debug, Clone)]
pub struct Log {
    table: Table,
}

/// A place among the entries of which a translation failed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct FailurePosition {
    /// The room.
    pub room_id: RoomId,
    /// The entry.
    pub seq: Seq,
    /// Its place in the order, latest first.
    pub sent_at: Timestamp,
}

/// How an append went.
#[derive(Debug)]
pub enum Appended {
    /// All of it is stored.
    Done,
    /// Nothing is stored: the number was taken, another part's condition failed, or a transaction was in the way (which does
    /// not mean that it succeeded). Everything must be read again.
    Again {
        /// The row that stood in the way of a part that asked for it.
        found: Option<Item>,
    },
}

impl Log {
    pub fn open(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { table: Table::open(aws, TableName::Messages)? })
    }

    fn key(room: &RoomId, seq: Seq) -> Item {
        let mut item = key([("room_id", room.to_string())]);
        item.insert("seq".to_owned(), number(seq));
        item
    }

    /// The last `count` entries, newest first, strongly consistent.
    pub async fn tail(&self, room: &RoomId, count: u16) -> Result<Vec<Entry>, TableError> {
        self.before(room, Seq::LAST, count).await
    }

    /// Up to `count` entries below `before`, newest first, strongly consistent. One call reads at most 1 MB.
    pub async fn before(&self, room: &RoomId, before: Seq, count: u16) -> Result<Vec<Entry>, TableError> {
        Ok(self.read(room, "seq < :seq", before, false, count).await?.0)
    }

    /// Up to `count` entries from `lowest` on, ascending, strongly consistent, and whether there are more. Stops before a
    /// hole, and says that there is more. One call reads at most 1 MB.
    pub async fn from(&self, room: &RoomId, lowest: Seq, count: u16) -> Result<(Vec<Entry>, bool), TableError> {
        // One more than wanted tells whether there is more.
        let (mut entries, cut_short) = self.read(room, "seq >= :seq", lowest, true, count + 1).await?;
        let unbroken =
            entries.iter().zip(lowest.get()..).take_while(|(entry, number)| entry.seq.get() == *number).count();
        let wanted = unbroken.min(usize::from(count));
        let has_more = wanted < entries.len() || cut_short;
        entries.truncate(wanted);
        Ok((entries, has_more))
    }

    /// A page of at most `count` entries, and whether DynamoDB ended it earlier, at 1 MB.
    async fn read(
        &self,
        room: &RoomId,
        bound: &str,
        seq: Seq,
        ascending: bool,
        count: u16,
    ) -> Result<(Vec<Entry>, bool), TableError> {
        let call = self.table.client.query().table_name(&self.table.name).consistent_read(true);
        let call = call
            .key_condition_expression(format!("room_id = :room AND {bound}"))
            .expression_attribute_values(":room", AttributeValue::S(room.to_string()))
            .expression_attribute_values(":seq", number(seq))
            .scan_index_forward(ascending)
            .limit(i32::from(count));
        let answer = call.send().await.map_err(self.table.call("Query"))?;
        let more = answer.last_evaluated_key.is_some_and(|key| !key.is_empty());
        let entries: Vec<Entry> = self.table.rows(answer.items)?;
        let cut_short = more && entries.len() < usize::from(count);
        Ok((entries, cut_short))
    }

    /// The entries from `lowest` to `highest`, ascending, strongly consistent, all of them: as many calls as they have megabytes.
    pub async fn between(&self, room: &RoomId, lowest: Seq, highest: Seq) -> Result<Vec<Entry>, TableError> {
        let call = self.table.client.query().table_name(&self.table.name).consistent_read(true);
        let call = call
            .key_condition_expression("room_id = :room AND seq BETWEEN :lowest AND :highest")
            .expression_attribute_values(":room", AttributeValue::S(room.to_string()))
            .expression_attribute_values(":lowest", number(lowest))
            .expression_attribute_values(":highest", number(highest));
        let mut pages = call.into_paginator().send();
        let mut entries = Vec::new();
        while let Some(page) = pages.next().await {
            entries.extend(self.table.rows::<Entry>(page.map_err(self.table.call("Query"))?.items)?);
        }
        Ok(entries)
    }

    /// One entry as it stands now.
    pub async fn entry(&self, room: &RoomId, seq: Seq) -> Result<Option<Entry>, TableError> {
        self.table.get(Self::key(room, seq)).await
    }

    /// Appends `entry` under its number, together with `parts` of other tables, or stores nothing at all.
    /// At most 100 rows in all.
    pub async fn append(&self, entry: &Entry, parts: Vec<Write>) -> Result<Appended, TableError> {
        let put = self.table.insert(entry, "room_id")?.build().map_err(self.table.call("TransactWriteItems"))?;
        let call = self.table.client.transact_write_items().transact_items(Write::builder().put(put).build());
        let call = parts.into_iter().fold(call, |call, part| call.transact_items(part));
        match call.send().await {
            Ok(_) => Ok(Appended::Done),
            // The error is taken apart rather than kept: printed, it would show the row.
            Err(error) => match in_the_way(&error) {
                Some(found) => Ok(Appended::Again { found }),
                None => Err(self.table.call("TransactWriteItems")(error)),
            },
        }
    }

    /// Sets a translation of an entry if the one there is still `expected` (its version; `None`: none): `false` if not.
    pub async fn set_translation(
        &self,
        room: &RoomId,
        seq: Seq,
        language: &Language,
        translation: &Translation,
        expected: Option<u32>,
    ) -> Result<bool, TableError> {
        let mut change = Change::new(&self.table, language, translation, expected)?;
        if !translation.is_settled() {
            change.fails_for(&BillingAccount::of(room));
        }
        let update = self.table.client.update_item().table_name(&self.table.name).set_key(Some(Self::key(room, seq)));
        let update = update
            .update_expression(change.update)
            .condition_expression(change.condition)
            .set_expression_attribute_names(Some(change.names))
            .set_expression_attribute_values(Some(change.values));
        self.table.update(update).await
    }

    /// Takes an entry out of those of which a translation failed, if none of `entry`'s translations is a failure any more.
    pub async fn set_mended(&self, entry: &Entry) -> Result<(), TableError> {
        let update = self.table.client.update_item().table_name(&self.table.name);
        let update = update
            .set_key(Some(Self::key(&entry.room_id, entry.seq)))
            .update_expression("REMOVE failed_for")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":failed", AttributeValue::S("failed".to_owned()))
            .expression_attribute_values(":count", number(entry.translations.len()));
        // Another language that came meanwhile may have failed.
        let mut conditions = vec!["size(translations) = :count".to_owned()];
        let mut update = update;
        for (number, language) in entry.translations.keys().enumerate() {
            conditions.push(format!("translations.#l{number}.#status <> :failed"));
            update = update.expression_attribute_names(format!("#l{number}"), language.as_str());
        }
        self.table.update(update.condition_expression(conditions.join(" AND "))).await.map(|_| ())
    }

    /// The entries of a account's rooms of which a translation failed, newest first, from behind `after` on, and whether there are
    /// more. Eventually consistent; some may have been mended meanwhile.
    pub async fn failed(
        &self,
        account: &BillingAccount,
        after: Option<&FailurePosition>,
        count: u16,
    ) -> Result<Page<FailurePosition>, TableError> {
        let start = after.map(|position| {
            let mut start = Self::key(&position.room_id, position.seq);
            start.insert(BY_FAILURE.1.to_owned(), AttributeValue::S(account.to_string()));
            start.insert("sent_at".to_owned(), number(position.sent_at.millis()));
            start
        });
        let query = self.table.client.query().table_name(&self.table.name).index_name(BY_FAILURE.0);
        let query = query
            .key_condition_expression("#key = :key")
            .expression_attribute_names("#key", BY_FAILURE.1)
            .expression_attribute_values(":key", AttributeValue::S(account.to_string()))
            .scan_index_forward(false)
            .limit(i32::from(count))
            .set_exclusive_start_key(start);
        let answer = query.send().await.map_err(self.table.call("Query"))?;
        let more = answer.last_evaluated_key.is_some_and(|key| !key.is_empty());
        Ok(Page { rows: self.table.rows(answer.items)?, more })
    }

    /// Many entries, eventually consistent and in no order.
    pub async fn entries(&self, entries: impl IntoIterator<Item = (&RoomId, Seq)>) -> Result<Vec<Entry>, TableError> {
        self.table.batch_get(entries.into_iter().map(|(room, seq)| Self::key(room, seq)).collect(), false).await
    }

    /// The part of a transaction that replaces a translation of version `expected`.
    pub fn correction(
        &self,
        room: &RoomId,
        seq: Seq,
        language: &Language,
        translation: &Translation,
        expected: u32,
    ) -> Result<Write, TableError> {
        let change = Change::new(&self.table, language, translation, Some(expected))?;
        let update = aws_sdk_dynamodb::types::Update::builder()
            .table_name(&self.table.name)
            .set_key(Some(Self::key(room, seq)))
            .update_expression(change.update)
            .condition_expression(change.condition)
            .set_expression_attribute_names(Some(change.names))
            .set_expression_attribute_values(Some(change.values))
            .build()
            .map_err(self.table.call("TransactWriteItems"))?;
        Ok(Write::builder().update(update).build())
    }
}

/// The name of the index that lists what failed, and of its key.
const BY_FAILURE: (&str, &str) = ("by-failure", "failed_for");

/// A translation that takes the place of one of a known version, or of none.
struct Change {
    update: &'static str,
    condition: &'static str,
    names: HashMap<String, String>,
    values: Item,
}

impl Change {
    fn new(
        table: &Table,
        language: &Language,
        translation: &Translation,
        expected: Option<u32>,
    ) -> Result<Self, TableError> {
        let mut names = HashMap::from([("#language".to_owned(), language.to_string())]);
        let mut values = Item::from([(":translation".to_owned(), table.value(translation)?)]);
        let condition = match expected {
            None => "attribute_exists(room_id) AND attribute_not_exists(translations.#language)",
            Some(version) => {
                names.insert("#version".to_owned(), "version".to_owned());
                values.insert(":expected".to_owned(), number(version));
                "translations.#language.#version = :expected"
            }
        };
        Ok(Self { update: "SET translations.#language = :translation", condition, names, values })
    }

    /// Whoever pays finds the entry among those of which a translation failed.
    fn fails_for(&mut self, account: &BillingAccount) {
        self.update = "SET translations.#language = :translation, failed_for = :account";
        self.values.insert(":account".to_owned(), AttributeValue::S(account.to_string()));
    }
}

/// What cancelled a transaction, if it is something that reading again and repeating can mend.
fn in_the_way(error: &SdkError<TransactWriteItemsError>) -> Option<Option<Item>> {
    match error.as_service_error()? {
        TransactWriteItemsError::TransactionCanceledException(cancelled) => {
            let reasons = cancelled.cancellation_reasons();
            let mendable = |code: &str| {
                matches!(
                    code,
                    "None"
                        | "ConditionalCheckFailed"
                        | "TransactionConflict"
                        | "ThrottlingError"
                        | "ProvisionedThroughputExceeded"
                )
            };
            reasons
                .iter()
                .all(|reason| reason.code().is_none_or(mendable))
                .then(|| reasons.iter().find_map(|reason| reason.item().cloned()))
        }
        TransactWriteItemsError::TransactionInProgressException(_) => Some(None),
        _ => None,
    }
}
