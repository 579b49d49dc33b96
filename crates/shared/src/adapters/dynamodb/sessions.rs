//! The `sessions` table: when, from where and until when a person was connected, kept for those who have to account for it; and when
//! a person signed out everywhere.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};

use super::{Item, Table, TableError, key, number};
use crate::aws::Aws;
use crate::config::{ConfigError, SessionConfig, TableName};
use protocol::clock::Timestamp;
use protocol::ids::{ConnectionId, Participant, UserId};

/// One connection of a person, open or ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The person.
    pub user_id: UserId,
    /// Its place among the person's: when it began, then the connection.
    pub session: String,
    /// The WebSocket.
    pub connection_id: ConnectionId,
    /// Whom it spoke as.
    pub participant: Participant,
    /// The address that it came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// What the client called itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// Since when.
    pub connected_at: Timestamp,
    /// When its token ends.
    pub session_until: Timestamp,
    /// When it ended; absent while it lasts, and where API Gateway never said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
}

#[derive(Deserialize)]
struct SignedOut {
    signed_out_at: Timestamp,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Either {
    SignedOut(SignedOut),
    Session(Box<Session>),
}

/// How a session stands.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct SessionStatus {
    /// Nobody has ended it.
    pub lasts: bool,
    /// When its person last signed out everywhere.
    pub signed_out_at: Option<Timestamp>,
}

/// The door to the `sessions` table.
#[derive(Debug, Clone)]
pub struct Sessions {
    table: Table,
    kept: Duration,
}

/// Where it is noted that a person signed out everywhere; behind all sessions, which begin with digits.
const SIGNED_OUT: &str = "signed-out";
/// No connection outlives two hours.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html>
const LONGEST: Duration = Duration::from_secs(2 * 60 * 60);

impl Session {
    /// The most characters that are kept of what a client calls itself.
    pub const MAX_USER_AGENT: usize = 256;

    /// The place of a session among its person's.
    pub fn place(connected_at: Timestamp, connection: &str) -> String {
        format!("{:015}#{connection}", connected_at.millis())
    }
}

impl Sessions {
    pub fn open(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { table: Table::open(aws, TableName::Sessions)?, kept: SessionConfig::read()?.audit })
    }

    fn key(user: &UserId, session: String) -> Item {
        key([("user_id", user.to_string()), ("session", session)])
    }

    /// Records that a session began.
    pub async fn begin(&self, session: &Session) -> Result<(), TableError> {
        let mut row = self.table.item(session)?;
        row.insert("expires_at".to_owned(), number((session.connected_at + self.kept).seconds()));
        self.table.put_item(row).await
    }

    /// Records that a session has ended, unless that is recorded already.
    pub async fn end(&self, user: &UserId, session: &str, now: Timestamp) -> Result<(), TableError> {
        let call = self.table.client.update_item().table_name(&self.table.name);
        let call = call
            .set_key(Some(Self::key(user, session.to_owned())))
            .update_expression("SET ended_at = :now")
            .condition_expression("attribute_exists(user_id) AND attribute_not_exists(ended_at)")
            .expression_attribute_values(":now", number(now.millis()));
        self.table.update(call).await.map(|_| ())
    }

    /// Takes back that a session has ended.
    pub async fn reopen(&self, user: &UserId, session: &str) -> Result<(), TableError> {
        let call = self.table.client.update_item().table_name(&self.table.name);
        let call = call
            .set_key(Some(Self::key(user, session.to_owned())))
            .update_expression("REMOVE ended_at")
            .condition_expression("attribute_exists(user_id)");
        self.table.update(call).await.map(|_| ())
    }

    /// Records that a session lasts until then.
    pub async fn extend(&self, user: &UserId, session: &str, until: Timestamp) -> Result<(), TableError> {
        let call = self.table.client.update_item().table_name(&self.table.name);
        let call = call
            .set_key(Some(Self::key(user, session.to_owned())))
            .update_expression("SET session_until = :until")
            .condition_expression("attribute_exists(user_id)")
            .expression_attribute_values(":until", number(until.millis()));
        self.table.update(call).await.map(|_| ())
    }

    /// Sessions of a person that began within the last two hours, newest first, strongly consistent: all that can still last, and
    /// those that have ended since.
    pub async fn recent(&self, user: &UserId, now: Timestamp) -> Result<Vec<Session>, TableError> {
        let since = Timestamp::from_millis(now.millis().saturating_sub(millis(LONGEST)));
        let query = self.table.client.query().table_name(&self.table.name).consistent_read(true);
        let items = query
            .key_condition_expression("user_id = :user AND #session BETWEEN :since AND :end")
            .expression_attribute_names("#session", "session")
            .expression_attribute_values(":user", AttributeValue::S(user.to_string()))
            .expression_attribute_values(":since", AttributeValue::S(Session::place(since, "")))
            .expression_attribute_values(":end", AttributeValue::S(":".to_owned()))
            .scan_index_forward(false)
            .into_paginator()
            .items()
            .send();
        let items: Result<Vec<Item>, _> = items.collect().await;
        self.table.rows(Some(items.map_err(self.table.call("Query"))?))
    }

    /// Whether a session that has begun lasts, and when its person last signed out everywhere, strongly consistent.
    pub async fn status(&self, user: &UserId, session: &str) -> Result<SessionStatus, TableError> {
        let query = self.table.client.query().table_name(&self.table.name).consistent_read(true);
        // What is between the two are the sessions that began since.
        let query = query
            .key_condition_expression("user_id = :user AND #session BETWEEN :own AND :end")
            .expression_attribute_names("#session", "session")
            .expression_attribute_values(":user", AttributeValue::S(user.to_string()))
            .expression_attribute_values(":own", AttributeValue::S(session.to_owned()))
            .expression_attribute_values(":end", AttributeValue::S(SIGNED_OUT.to_owned()));
        let items: Result<Vec<Item>, _> = query.into_paginator().items().send().collect().await;
        let mut status = SessionStatus::default();
        for row in self.table.rows::<Either>(Some(items.map_err(self.table.call("Query"))?))? {
            match row {
                Either::SignedOut(row) => status.signed_out_at = Some(row.signed_out_at),
                Either::Session(row) if row.session == session => status.lasts = row.ended_at.is_none(),
                Either::Session(_) => {}
            }
        }
        Ok(status)
    }

    /// Notes that a person signed out everywhere: tokens that were issued until now are refused from now on.
    pub async fn sign_out(&self, user: &UserId, now: Timestamp) -> Result<(), TableError> {
        let mut row = Self::key(user, SIGNED_OUT.to_owned());
        row.insert("signed_out_at".to_owned(), number(now.millis()));
        self.table.put_item(row).await
    }

    /// When a person last signed out everywhere, strongly consistent.
    pub async fn signed_out_at(&self, user: &UserId) -> Result<Option<Timestamp>, TableError> {
        let row: Option<SignedOut> = self.table.get(Self::key(user, SIGNED_OUT.to_owned())).await?;
        Ok(row.map(|row| row.signed_out_at))
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
