//! The `messages` table: each room's log. Conditional writes to its key (`room_id`, `seq`) number the entries without
//! gaps or duplicates.

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
use protocol::language::{Language, Languages};

#[derive(Debug, Clone)]
pub struct Log {
    table: Table,
}

/// A position in the list of entries with a failed translation.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct FailurePosition {
    pub room_id: RoomId,
    pub seq: Seq,
    /// Orders the list, latest first.
    pub sent_at: Timestamp,
}

/// The result of an append.
#[derive(Debug)]
pub enum Appended {
    /// Everything was stored.
    Done,
    /// Nothing was stored: the number was taken, a condition failed, or another transaction conflicted (and may itself
    /// have failed). Read everything again before retrying.
    Conflict {
        /// The existing row, if a write that requested it failed.
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

    /// Up to `count` entries from `lowest` on, ascending, strongly consistent, and whether there are more. Stops before
    /// a gap and reports more. One call reads at most 1 MB.
    pub async fn from(&self, room: &RoomId, lowest: Seq, count: u16) -> Result<(Vec<Entry>, bool), TableError> {
        // One more than requested shows whether there are more.
        let (mut entries, cut_short) = self.read(room, "seq >= :seq", lowest, true, count + 1).await?;
        let contiguous =
            entries.iter().zip(lowest.get()..).take_while(|(entry, number)| entry.seq.get() == *number).count();
        let taken = contiguous.min(usize::from(count));
        let has_more = taken < entries.len() || cut_short;
        entries.truncate(taken);
        Ok((entries, has_more))
    }

    /// A page of at most `count` entries, and whether DynamoDB cut it short at 1 MB.
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
        let entries: Vec<Entry> = self.table.rows(answer.items);
        let cut_short = more && entries.len() < usize::from(count);
        Ok((entries, cut_short))
    }

    /// All entries from `lowest` to `highest`, ascending, strongly consistent. Needs one call per megabyte.
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
            entries.extend(self.table.rows::<Entry>(page.map_err(self.table.call("Query"))?.items));
        }
        Ok(entries)
    }

    /// One entry, strongly consistent.
    pub async fn entry(&self, room: &RoomId, seq: Seq) -> Result<Option<Entry>, TableError> {
        self.table.get(Self::key(room, seq)).await
    }

    /// Appends `entry` under its number, together with writes to other tables, in one transaction of at most 100 rows.
    pub async fn append(&self, entry: &Entry, writes: Vec<Write>) -> Result<Appended, TableError> {
        let put = self.table.insert(entry, "room_id")?.build().map_err(self.table.call("TransactWriteItems"))?;
        let call = self.table.client.transact_write_items().transact_items(Write::builder().put(put).build());
        let call = writes.into_iter().fold(call, |call, write| call.transact_items(write));
        match call.send().await {
            Ok(_) => Ok(Appended::Done),
            // The error itself is dropped because it contains the row.
            Err(error) => match conflict(&error) {
                Some(found) => Ok(Appended::Conflict { found }),
                None => Err(self.table.call("TransactWriteItems")(error)),
            },
        }
    }

    /// Sets a translation of an entry if the current one still has the version `expected` (`None`: there is none);
    /// otherwise returns `false`.
    pub async fn set_translation(
        &self,
        room: &RoomId,
        seq: Seq,
        language: &Language,
        translation: &Translation,
        expected: Option<u32>,
    ) -> Result<bool, TableError> {
        let mut change = TranslationUpdate::new(&self.table, language, translation, expected)?;
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

    /// Asks for a translation of an entry that was sent before anybody in the room read the language. The change
    /// reaches auto-translate by the stream.
    pub async fn also_translate(&self, entry: &Entry, languages: &Languages) -> Result<(), TableError> {
        let call = self.table.client.update_item().table_name(&self.table.name);
        let call = call
            .set_key(Some(Self::key(&entry.room_id, entry.seq)))
            .update_expression("SET also_translate_to = :languages")
            .condition_expression("attribute_exists(room_id) AND attribute_not_exists(deleted_at)")
            .expression_attribute_values(":languages", AttributeValue::S(languages.to_string()));
        self.table.update(call).await.map(|_| ())
    }

    /// Removes an entry from the list of failed translations if none of its translations is failed any more.
    pub async fn clear_failed(&self, entry: &Entry) -> Result<(), TableError> {
        let update = self.table.client.update_item().table_name(&self.table.name);
        let update = update
            .set_key(Some(Self::key(&entry.room_id, entry.seq)))
            .update_expression("REMOVE failed_for")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":failed", AttributeValue::S("failed".to_owned()))
            .expression_attribute_values(":count", number(entry.translations.len()));
        // A translation into another language may have been added since, and failed.
        let mut conditions = vec!["size(translations) = :count".to_owned()];
        let mut update = update;
        for (number, language) in entry.translations.keys().enumerate() {
            conditions.push(format!("translations.#l{number}.#status <> :failed"));
            update = update.expression_attribute_names(format!("#l{number}"), language.as_str());
        }
        self.table.update(update.condition_expression(conditions.join(" AND "))).await.map(|_| ())
    }

    /// The entries with a failed translation in an account's rooms, newest first, starting after `after`. Eventually
    /// consistent; some may have been translated since.
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
        Ok(Page { rows: self.table.rows(answer.items), more })
    }

    /// The entries with these numbers, eventually consistent, in no particular order.
    pub async fn entries(&self, entries: impl IntoIterator<Item = (&RoomId, Seq)>) -> Result<Vec<Entry>, TableError> {
        self.table.batch_get(entries.into_iter().map(|(room, seq)| Self::key(room, seq)).collect(), false).await
    }

    /// The transactional write that replaces a translation of version `expected`.
    pub fn correction(
        &self,
        room: &RoomId,
        seq: Seq,
        language: &Language,
        translation: &Translation,
        expected: u32,
    ) -> Result<Write, TableError> {
        let change = TranslationUpdate::new(&self.table, language, translation, Some(expected))?;
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

/// The index of failed translations, and its key.
const BY_FAILURE: (&str, &str) = ("by-failure", "failed_for");

/// An update that sets a translation if the current one has a given version, or if there is none.
struct TranslationUpdate {
    update: &'static str,
    condition: &'static str,
    names: HashMap<String, String>,
    values: Item,
}

impl TranslationUpdate {
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

    /// Lists the entry among the failed translations of a billing account.
    fn fails_for(&mut self, account: &BillingAccount) {
        self.update = "SET translations.#language = :translation, failed_for = :account";
        self.values.insert(":account".to_owned(), AttributeValue::S(account.to_string()));
    }
}

/// Whether a transaction failed in a way that can be retried after reading again; with the row that caused it, if
/// known.
fn conflict(error: &SdkError<TransactWriteItemsError>) -> Option<Option<Item>> {
    match error.as_service_error()? {
        TransactWriteItemsError::TransactionCanceledException(cancelled) => {
            let reasons = cancelled.cancellation_reasons();
            let is_retryable = |code: &str| {
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
                .all(|reason| reason.code().is_none_or(is_retryable))
                .then(|| reasons.iter().find_map(|reason| reason.item().cloned()))
        }
        TransactWriteItemsError::TransactionInProgressException(_) => Some(None),
        _ => None,
    }
}
