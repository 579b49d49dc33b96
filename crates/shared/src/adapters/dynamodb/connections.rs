//! The `connections` table: who is listening. Every connection has a row under its participant, and one more under each
//! room that it joined, so that an audience is always a strongly consistent query by key.

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

/// One row of a connection.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// The participant, or a room that the connection joined.
    pub audience: String,
    /// The WebSocket.
    pub connection_id: ConnectionId,
    /// Whom it speaks as.
    pub participant: Participant,
    /// The person.
    pub user_id: UserId,
    /// What the person is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What the person reads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// The rooms it joined; on the participant's row only.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty", with = "serde_dynamo::string_set")]
    pub rooms: BTreeSet<RoomId>,
    /// The one it joined last: where a message goes that names no room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current_room: Option<RoomId>,
    /// Since when.
    pub connected_at: Timestamp,
    /// When its token ends; nothing is pushed to it from then on.
    pub session_until: Timestamp,
    /// When the row may go, in epoch seconds (DynamoDB's TTL): no connection outlives 2 hours, and then some.
    pub expires_at: u64,
}

impl Connection {
    /// In how many rooms one connection listens: as many rows go with it when it ends.
    pub const MOST_ROOMS: usize = 100;
    /// How long a row is kept: the 2 hours of API Gateway's longest connection, and 15 minutes.
    pub const KEPT_SECONDS: u64 = 2 * 60 * 60 + 15 * 60;

    /// Whether it can still be there at `now` and may be pushed to. DynamoDB deletes an expired row days later.
    pub fn is_alive(&self, now: Timestamp) -> bool {
        self.session_until > now && self.expires_at > now.seconds()
    }
}

/// Names of people are never printed.
impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Connection({} as {})", self.connection_id, self.participant)
    }
}

/// What became of a connection's joining a room.
#[derive(Debug)]
pub enum Joined {
    /// It is noted on this row, the participant's.
    Listening(Box<Connection>),
    /// The connection listens in as many rooms as it may; this one is the current one all the same.
    Full,
    /// The connection is gone.
    Gone,
}

/// The door to the `connections` table.
#[derive(Debug, Clone)]
pub struct Connections {
    table: Table,
}

/// How many rows of a connection are removed side by side.
const AT_ONCE: usize = 16;

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

    /// Writes a row.
    pub async fn put(&self, connection: &Connection) -> Result<(), TableError> {
        self.table.put(connection).await
    }

    /// Notes on the participant's row that the connection joined a room.
    pub async fn note_joined(
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
                "attribute_exists(audience) AND (attribute_not_exists(rooms) OR size(rooms) < :most OR contains(rooms, :room))",
            )
            .expression_attribute_values(":rooms", AttributeValue::Ss(vec![room.to_string()]))
            .expression_attribute_values(":most", number(Connection::MOST_ROOMS));
        if let Some(own) = self.changed(joined).await? {
            return Ok(Joined::Listening(Box::new(own)));
        }
        let turned = self.changed(current().update_expression("SET current_room = :room")).await?;
        Ok(if turned.is_some() { Joined::Full } else { Joined::Gone })
    }

    /// Moves on when a connection's session ends, under its participant and under every room that it joined: `false` if it is gone.
    pub async fn extend(
        &self,
        participant: &Participant,
        connection: &ConnectionId,
        until: Timestamp,
    ) -> Result<bool, TableError> {
        let extended = |audience: String| {
            let call = self.change(audience, connection).update_expression("SET session_until = :until");
            self.changed(call.expression_attribute_values(":until", number(until.millis())))
        };
        let Some(own) = extended(participant.to_string()).await? else { return Ok(false) };
        futures::future::try_join_all(own.rooms.iter().map(|room| extended(room.to_string()))).await?;
        Ok(true)
    }

    fn change(&self, audience: String, connection: &ConnectionId) -> UpdateItemFluentBuilder {
        let call = self.table.client.update_item().table_name(&self.table.name);
        call.set_key(Some(Self::key(&audience, connection)))
            .condition_expression("attribute_exists(audience)")
            .return_values(ReturnValue::AllNew)
    }

    /// The row as it is after a change; `None` if there is none.
    async fn changed(&self, call: UpdateItemFluentBuilder) -> Result<Option<Connection>, TableError> {
        let mut after = None;
        let changed = async || call.clone().send().await.map(|answer| after = answer.attributes);
        applied(&self.table, "UpdateItem", changed).await?;
        after.map(|item| self.table.row(item)).transpose()
    }

    /// Everybody who listens under `audience` (a participant or a room), strongly consistent, page by page.
    pub fn listening<A: fmt::Display>(
        &self,
        audience: &A,
    ) -> impl Stream<Item = Result<Page<Connection>, TableError>> + use<'_, A> {
        self.table.pages("audience", audience.to_string())
    }

    /// The first `count` of those who listen under `audience`, strongly consistent.
    pub async fn first_listening(
        &self,
        audience: &impl fmt::Display,
        count: usize,
    ) -> Result<Vec<Connection>, TableError> {
        let count = i32::try_from(count).unwrap_or(i32::MAX);
        self.table.query_first("audience", audience.to_string(), count, true).await
    }

    /// Removes a connection: the participant's row, and the rows under the rooms it joined.
    pub async fn remove(&self, participant: &Participant, connection: &ConnectionId) -> Result<(), TableError> {
        let gone = self.delete(&participant.to_string(), connection).await?;
        let rooms = gone.into_iter().flat_map(|gone| gone.rooms).map(Ok);
        stream::iter(rooms)
            .try_for_each_concurrent(AT_ONCE, async |room: RoomId| {
                self.delete(&room.to_string(), connection).await.map(|_| ())
            })
            .await
    }

    /// Removes a connection that was found under an audience to be no more. The row that was found goes in any case: should
    /// an earlier removal have stopped half way, no other row leads to it.
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
