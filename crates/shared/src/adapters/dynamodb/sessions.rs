//! The `sessions` table: an audit record of every connection (times, address, user agent), and when a person signed out
//! everywhere.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};

use super::{Item, Table, TableError, key, number};
use crate::aws::Aws;
use crate::config::{ConfigError, SessionConfig, TableName};
use protocol::clock::Timestamp;
use protocol::ids::{ConnectionId, Participant, UserId};

/// A session: one connection of a person, open or closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    pub user_id: UserId,
    /// The sort key: when the session began, then the connection.
    pub session: String,
    pub connection_id: ConnectionId,
    pub participant: Participant,
    /// The client's IP address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    pub connected_at: Timestamp,
    /// When its token expires.
    pub session_until: Timestamp,
    /// When it ended; absent while it is open, and if API Gateway never reported its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
}

#[derive(Deserialize)]
struct SignedOut {
    signed_out_at: Timestamp,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum SessionRow {
    SignedOut(SignedOut),
    Session(Box<Session>),
}

/// The status of a session.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct SessionStatus {
    /// Whether the session is recorded and has not ended.
    pub is_open: bool,
    /// When the person last signed out everywhere.
    pub signed_out_at: Option<Timestamp>,
}

#[derive(Debug, Clone)]
pub struct Sessions {
    table: Table,
    retention: Duration,
}

/// The sort key of the row for signing out everywhere. It sorts after all sessions, whose keys begin with digits.
const SIGNED_OUT: &str = "signed-out";
/// API Gateway closes connections after two hours.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html>
const MAX_CONNECTION_AGE: Duration = Duration::from_secs(2 * 60 * 60);

impl Session {
    /// The most characters of a user agent that are stored.
    pub const MAX_USER_AGENT: usize = 256;

    /// The sort key of a session among those of a person.
    pub fn sort_key(connected_at: Timestamp, connection: &str) -> String {
        format!("{:015}#{connection}", connected_at.millis())
    }
}

impl Sessions {
    pub fn open(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { table: Table::open(aws, TableName::Sessions)?, retention: SessionConfig::read()?.audit })
    }

    fn key(user: &UserId, session: String) -> Item {
        key([("user_id", user.to_string()), ("session", session)])
    }

    /// Records the start of a session.
    pub async fn begin(&self, session: &Session) -> Result<(), TableError> {
        let mut row = self.table.item(session)?;
        row.insert("expires_at".to_owned(), number((session.connected_at + self.retention).seconds()));
        self.table.put_item(row).await
    }

    /// Records the end of a session, unless it is recorded already.
    pub async fn end(&self, user: &UserId, session: &str, now: Timestamp) -> Result<(), TableError> {
        let call = self.table.client.update_item().table_name(&self.table.name);
        let call = call
            .set_key(Some(Self::key(user, session.to_owned())))
            .update_expression("SET ended_at = :now")
            .condition_expression("attribute_exists(user_id) AND attribute_not_exists(ended_at)")
            .expression_attribute_values(":now", number(now.millis()));
        self.table.update(call).await.map(|_| ())
    }

    /// Reverts the recorded end of a session.
    pub async fn reopen(&self, user: &UserId, session: &str) -> Result<(), TableError> {
        let call = self.table.client.update_item().table_name(&self.table.name);
        let call = call
            .set_key(Some(Self::key(user, session.to_owned())))
            .update_expression("REMOVE ended_at")
            .condition_expression("attribute_exists(user_id)");
        self.table.update(call).await.map(|_| ())
    }

    /// Records a session's new expiry.
    pub async fn extend(&self, user: &UserId, session: &str, until: Timestamp) -> Result<(), TableError> {
        let call = self.table.client.update_item().table_name(&self.table.name);
        let call = call
            .set_key(Some(Self::key(user, session.to_owned())))
            .update_expression("SET session_until = :until")
            .condition_expression("attribute_exists(user_id)")
            .expression_attribute_values(":until", number(until.millis()));
        self.table.update(call).await.map(|_| ())
    }

    /// A person's sessions that began within the last two hours, newest first, strongly consistent: all that may be
    /// open, and those that have ended since.
    pub async fn recent(&self, user: &UserId, now: Timestamp) -> Result<Vec<Session>, TableError> {
        let since = Timestamp::from_millis(now.millis().saturating_sub(millis(MAX_CONNECTION_AGE)));
        let query = self.table.client.query().table_name(&self.table.name).consistent_read(true);
        let items = query
            .key_condition_expression("user_id = :user AND #session BETWEEN :since AND :end")
            .expression_attribute_names("#session", "session")
            .expression_attribute_values(":user", AttributeValue::S(user.to_string()))
            .expression_attribute_values(":since", AttributeValue::S(Session::sort_key(since, "")))
            .expression_attribute_values(":end", AttributeValue::S(":".to_owned()))
            .scan_index_forward(false)
            .into_paginator()
            .items()
            .send();
        let items: Result<Vec<Item>, _> = items.collect().await;
        Ok(self.table.rows(Some(items.map_err(self.table.call("Query"))?)))
    }

    /// Whether a session is open, and when its person last signed out everywhere, strongly consistent.
    pub async fn status(&self, user: &UserId, session: &str) -> Result<SessionStatus, TableError> {
        let query = self.table.client.query().table_name(&self.table.name).consistent_read(true);
        // The rows between these two keys are the sessions that began since.
        let query = query
            .key_condition_expression("user_id = :user AND #session BETWEEN :own AND :end")
            .expression_attribute_names("#session", "session")
            .expression_attribute_values(":user", AttributeValue::S(user.to_string()))
            .expression_attribute_values(":own", AttributeValue::S(session.to_owned()))
            .expression_attribute_values(":end", AttributeValue::S(SIGNED_OUT.to_owned()));
        let items: Result<Vec<Item>, _> = query.into_paginator().items().send().collect().await;
        let mut status = SessionStatus::default();
        for row in self.table.rows::<SessionRow>(Some(items.map_err(self.table.call("Query"))?)) {
            match row {
                SessionRow::SignedOut(row) => status.signed_out_at = Some(row.signed_out_at),
                SessionRow::Session(row) if row.session == session => status.is_open = row.ended_at.is_none(),
                SessionRow::Session(_) => {}
            }
        }
        Ok(status)
    }

    /// Records that a person signed out everywhere; tokens issued before are refused from now on.
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
