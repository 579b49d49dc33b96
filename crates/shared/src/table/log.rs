//! The `messages` table: each room's log. Its key (`room_id`, `seq`) is the sequencer: a number can be neither skipped nor
//! taken twice.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::AttributeValue;

use super::{Item, Table, TableError, Write, applied, key, number};
use crate::chat::{Entry, Translation};
use crate::ids::{RoomId, Seq};
use crate::language::Language;
use crate::wire::Refusal;

/// The door to the `messages` table.
#[derive(Debug, Clone)]
pub struct Log {
    table: Table,
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
    /// Opens the table.
    pub fn new(client: Client, name: String) -> Self {
        Self { table: Table { client, name } }
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
        let mut call = self.table.client.update_item().table_name(&self.table.name).set_key(Some(Self::key(room, seq)));
        call = call.update_expression("SET translations.#language = :translation");
        call = call.expression_attribute_names("#language", language.as_str());
        call = call.expression_attribute_values(":translation", self.table.value(translation)?);
        call = match expected {
            None => {
                call.condition_expression("attribute_exists(room_id) AND attribute_not_exists(translations.#language)")
            }
            Some(version) => call
                .condition_expression("translations.#language.#version = :expected")
                .expression_attribute_names("#version", "version")
                .expression_attribute_values(":expected", number(version)),
        };
        applied(&self.table, call).await
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
        let update = aws_sdk_dynamodb::types::Update::builder()
            .table_name(&self.table.name)
            .set_key(Some(Self::key(room, seq)))
            .update_expression("SET translations.#language = :translation")
            .condition_expression("translations.#language.#version = :expected")
            .expression_attribute_names("#language", language.as_str())
            .expression_attribute_names("#version", "version")
            .expression_attribute_values(":translation", self.table.value(translation)?)
            .expression_attribute_values(":expected", number(expected))
            .build()
            .map_err(self.table.call("TransactWriteItems"))?;
        Ok(Write::builder().update(update).build())
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

/// The tries of one append: twice at once, then with full jitter growing from 64 to 250 ms, ten in all.
#[derive(Debug, Default)]
pub struct Tries(u32);

impl Tries {
    const MOST: u32 = 10;

    /// Waits as long as the next try should; refuses where there have been enough.
    pub async fn again(&mut self) -> Result<(), Refusal> {
        self.0 += 1;
        if self.0 >= Self::MOST {
            return Err(Refusal::rate_limited(
                "too many are writing in this room at this moment",
                Duration::from_millis(500),
            ));
        }
        if self.0 >= 2 {
            let bound = (64u64 << (self.0 - 2).min(2)).min(250);
            tokio::time::sleep(Duration::from_millis(rand::random_range(0..=bound))).await;
        }
        Ok(())
    }
}
