//! The `connections` table. Every connection has a row under its participant and one under each room that it joined, so
//! that an audience can always be queried by key and strongly consistently.

use std::collections::BTreeSet;
use std::fmt;

use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use futures::{Stream, TryStreamExt, stream};
use serde::{Deserialize, Serialize};

use super::{Item, Page, Table, TableError, applied, key, number};
use crate::aws::Aws;
use crate::config::{ConfigError, TableName};
use protocol::clock::Timestamp;
use protocol::ids::{ConnectionId, Participant, RoomId, UserId};
use protocol::language::Language;

/// A row of a connection.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// The participant, or a room that the connection has joined.
    pub audience: String,
    pub connection_id: ConnectionId,
    pub participant: Participant,
    pub user_id: UserId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// The rooms that it has joined; only in the participant's row.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty", with = "serde_dynamo::string_set")]
    pub rooms: BTreeSet<RoomId>,
    /// The room joined last, the target of messages that name no room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current_room: Option<RoomId>,
    pub connected_at: Timestamp,
    /// When its token expires; nothing is pushed to it after that.
    pub session_until: Timestamp,
    /// When DynamoDB's TTL may delete the row, in epoch seconds.
    pub expires_at: u64,
}

impl Connection {
    /// The most rooms that a connection can join. All of their rows are deleted when it closes.
    pub const MAX_ROOMS: usize = 100;
    /// How long a row is kept: API Gateway's connection limit of 2 hours, and 15 minutes.
    pub const KEPT_SECONDS: u64 = 2 * 60 * 60 + 15 * 60;

    /// Whether the connection may still be open and receive pushes. DynamoDB may delete expired rows days late.
    pub fn is_alive(&self, now: Timestamp) -> bool {
        self.session_until > now && self.expires_at > now.seconds()
    }
}

/// Debug output never contains people's names.
impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Connection({} as {})", self.connection_id, self.participant)
    }
}

/// The result of joining a room.
#[derive(Debug)]
pub enum Joined {
    /// Recorded in the participant's row, which is returned.
    Listening(Box<Connection>),
    /// The connection has reached its limit of rooms; the room became its current room anyway.
    Full,
    /// The connection no longer exists.
    Gone,
}

#[derive(Debug, Clone)]
pub struct Connections {
    table: Table,
}

/// The most rows of a connection that are deleted concurrently.
const MAX_CONCURRENCY: usize = 16;

impl Connections {
    pub fn open(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { table: Table::open(aws, TableName::Connections)? })
    }

    fn key(audience: &str, connection: &ConnectionId) -> Item {
        key([("audience", audience.to_owned()), ("connection_id", connection.to_string())])
    }

    /// Reads a row that does not exist, to open the connection to DynamoDB during INIT.
    pub async fn warm_up(&self) {
        let _ = self.table.get::<Connection>(Self::key("-", &ConnectionId::new("-"))).await;
    }

    /// The row of a participant's connection.
    pub async fn get(
        &self,
        participant: &Participant,
        connection: &ConnectionId,
    ) -> Result<Option<Connection>, TableError> {
        self.table.get(Self::key(&participant.to_string(), connection)).await
    }

    pub async fn put(&self, connection: &Connection) -> Result<(), TableError> {
        self.table.put(connection).await
    }

    /// Records in the participant's row that the connection joined a room.
    pub async fn record_join(
        &self,
        participant: &Participant,
        connection: &ConnectionId,
        room: &RoomId,
    ) -> Result<Joined, TableError> {
        let current = || {
            let call = self.change(participant.to_string(), connection);
            call.expression_attribute_values(":room", AttributeValue::S(room.to_string()))
        };
        let joined = current()
            .update_expression("ADD rooms :rooms SET current_room = :room")
            .condition_expression(
                "attribute_exists(audience) \
                 AND (attribute_not_exists(rooms) OR size(rooms) < :most OR contains(rooms, :room))",
            )
            .expression_attribute_values(":rooms", AttributeValue::Ss(vec![room.to_string()]))
            .expression_attribute_values(":most", number(Connection::MAX_ROOMS));
        if let Some(own) = self.changed(joined).await? {
            return Ok(Joined::Listening(Box::new(own)));
        }
        let switched = self.changed(current().update_expression("SET current_room = :room")).await?;
        Ok(if switched.is_some() { Joined::Full } else { Joined::Gone })
    }

    /// Extends a connection's session, in the participant's row and under every joined room; `false` if the connection
    /// no longer exists. A fresh token may have another name and language.
    pub async fn extend(
        &self,
        participant: &Participant,
        connection: &ConnectionId,
        until: Timestamp,
        name: Option<&str>,
        language: Option<&Language>,
    ) -> Result<bool, TableError> {
        let text = |text: &dyn fmt::Display| AttributeValue::S(text.to_string());
        let values = [
            ("session_until", Some(number(until.millis()))),
            ("name", name.as_ref().map(|name| text(name))),
            ("language", language.map(|language| text(language))),
        ];
        Ok(self.set_everywhere(participant, connection, &values).await?.is_some())
    }

    /// Sets the language that a connection's person reads, in all of its rows, and returns the participant's row;
    /// `None` if the connection no longer exists.
    pub async fn set_language(
        &self,
        participant: &Participant,
        connection: &ConnectionId,
        language: &Language,
    ) -> Result<Option<Connection>, TableError> {
        let values = [("language", Some(AttributeValue::S(language.to_string())))];
        self.set_everywhere(participant, connection, &values).await
    }

    /// Sets attributes, as far as there are values, in the participant's row, which is returned, and under every joined
    /// room.
    async fn set_everywhere(
        &self,
        participant: &Participant,
        connection: &ConnectionId,
        values: &[(&str, Option<AttributeValue>)],
    ) -> Result<Option<Connection>, TableError> {
        let set = |audience: String| {
            let mut call = self.change(audience, connection);
            let mut changes = Vec::new();
            for (name, value) in values {
                if let Some(value) = value {
                    changes.push(format!("#{name} = :{name}"));
                    call = call.expression_attribute_names(format!("#{name}"), *name);
                    call = call.expression_attribute_values(format!(":{name}"), value.clone());
                }
            }
            self.changed(call.update_expression(format!("SET {}", changes.join(", "))))
        };
        let Some(own) = set(participant.to_string()).await? else { return Ok(None) };
        futures::future::try_join_all(own.rooms.iter().map(|room| set(room.to_string()))).await?;
        Ok(Some(own))
    }

    fn change(&self, audience: String, connection: &ConnectionId) -> UpdateItemFluentBuilder {
        let call = self.table.client.update_item().table_name(&self.table.name);
        call.set_key(Some(Self::key(&audience, connection)))
            .condition_expression("attribute_exists(audience)")
            .return_values(ReturnValue::AllNew)
    }

    /// Applies a change and returns the changed row; `None` if there is no such row.
    async fn changed(&self, call: UpdateItemFluentBuilder) -> Result<Option<Connection>, TableError> {
        let mut after = None;
        let changed = async || call.clone().send().await.map(|answer| after = answer.attributes);
        applied(&self.table, "UpdateItem", changed).await?;
        after.map(|item| self.table.row(item)).transpose()
    }

    /// The connections under `audience` (a participant or a room), strongly consistent, page by page.
    pub fn listening<A: fmt::Display>(
        &self,
        audience: &A,
    ) -> impl Stream<Item = Result<Page<Connection>, TableError>> + use<'_, A> {
        self.table.pages("audience", audience.to_string())
    }

    /// The first `count` connections under `audience`, strongly consistent.
    pub async fn first_listening(
        &self,
        audience: &impl fmt::Display,
        count: usize,
    ) -> Result<Vec<Connection>, TableError> {
        let count = i32::try_from(count).unwrap_or(i32::MAX);
        self.table.query_first("audience", audience.to_string(), count, true).await
    }

    /// Deletes a connection's rows, under its participant and under the rooms that it joined.
    pub async fn remove(&self, participant: &Participant, connection: &ConnectionId) -> Result<(), TableError> {
        let deleted = self.delete(&participant.to_string(), connection).await?;
        let rooms = deleted.into_iter().flat_map(|connection| connection.rooms).map(Ok);
        stream::iter(rooms)
            .try_for_each_concurrent(MAX_CONCURRENCY, async |room: RoomId| {
                self.delete(&room.to_string(), connection).await.map(|_| ())
            })
            .await
    }

    /// Deletes a connection that turned out to be closed. The given row is deleted in any case: if an earlier deletion
    /// was interrupted, no other row refers to it.
    pub async fn forget(&self, found: &Connection) -> Result<(), TableError> {
        self.remove(&found.participant, &found.connection_id).await?;
        if found.audience != found.participant.to_string() {
            self.delete(&found.audience, &found.connection_id).await?;
        }
        Ok(())
    }

    async fn delete(&self, audience: &str, connection: &ConnectionId) -> Result<Option<Connection>, TableError> {
        let call = self.table.client.delete_item().table_name(&self.table.name);
        let call = call.set_key(Some(Self::key(audience, connection))).return_values(ReturnValue::AllOld);
        let answer = call.send().await.map_err(self.table.call("DeleteItem"))?;
        answer.attributes.filter(|item| !item.is_empty()).map(|item| self.table.row(item)).transpose()
    }
}
