//! Times in the tables, rewritten so that no test has to be fast.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::rows;

use crate::client::{Client, Credential};
use crate::waiting::in_time;
use crate::{Person, TOKEN_SECRET, World};

impl World {
    /// Connects with a token that expires soon, and returns the token as well.
    pub async fn connect_briefly(&self, person: &Person) -> (Client, String) {
        in_time(Duration::from_secs(1), async |lifetime| {
            let token = person.token(TOKEN_SECRET, lifetime);
            let client = self.try_connect(&token, Credential::Header).await.ok()?;
            Some((client, token))
        })
        .await
    }

    /// Sets the rate limits of all users back to what they were if no time had passed since `since`. Returns the
    /// present as `since` for the next call.
    pub async fn hold_rate_limits(&self, since: Instant) -> Instant {
        let now = Instant::now();
        let mut buckets = self.rows("GuardsTable").await;
        buckets.retain(|row| row.get("full_at").is_some());
        self.postpone("GuardsTable", buckets, "full_at", now.duration_since(since)).await;
        now
    }

    /// Refills the rate limits of all users, as a long pause would.
    pub async fn refill_rate_limits(&self) {
        rows::refill_rate_limits(&self.gateway).await.unwrap_or_else(|error| panic!("{error}"));
    }

    /// Dates a room's log as if no time had passed since `since`.
    pub async fn hold_log(&self, room_id: &str, since: Instant) {
        // Readers of the stream may still write to the rows, which must not be lost.
        self.gateway.streams().idle().await;
        let log = self.log_of(room_id).await;
        self.postpone("MessagesTable", log, "sent_at", since.elapsed()).await;
    }

    /// Lets the rows of the guards table expire an hour later. The others do not expire during a test.
    pub(crate) async fn keep_guards(&self) {
        let mut rows = self.rows("GuardsTable").await;
        for row in &mut rows {
            row["expires_at"] = json!(row["expires_at"].as_u64().expect("a time") + 3_600);
        }
        self.put("GuardsTable", rows).await;
    }

    async fn postpone(&self, logical_id: &str, mut rows: Vec<Value>, field: &str, by: Duration) {
        let passed = u64::try_from(by.as_millis()).expect("a short time");
        for row in &mut rows {
            row[field] = json!(row[field].as_u64().expect("a time") + passed);
        }
        self.put(logical_id, rows).await;
    }

    /// Extends all tickets by an hour.
    pub async fn prolong_tickets(&self) {
        let mut tickets = self.rows("GuardsTable").await;
        tickets.retain(|row| row.get("identity").is_some());
        self.postpone("GuardsTable", tickets, "until", Duration::from_secs(3_600)).await;
    }

    /// Ends every mute.
    pub async fn end_mutes(&self) {
        let mut members = self.rows("MembersTable").await;
        members.retain(|row| row["mutes"].is_object());
        for member in &mut members {
            for until in member["mutes"].as_object_mut().expect("an object, see above").values_mut() {
                *until = json!(1);
            }
        }
        self.put("MembersTable", members).await;
    }

    /// Ends the pause that follows an exhausted DeepL quota.
    pub async fn end_quota_pause(&self) {
        let mut rows = self.rows("UsageTable").await;
        rows.retain(|row| row["month"] == "pause");
        for row in &mut rows {
            row["until"] = json!(1);
        }
        self.put("UsageTable", rows).await;
    }
}
