//! The scenarios about sessions.

use end_to_end::{Client, Person};
use serde_json::{Value, json};

use super::{Actors, Failed, Outcome, ask, expect, refused};

/// The crates of the routes that look up refreshed sessions.
const ROUTES: [&str; 11] = [
    "create-room",
    "join-group",
    "send-message",
    "get-chat-history",
    "get-room-list",
    "change-room-status",
    "mark-read",
    "sync",
    "translate",
    "translation-report",
    "session",
];

impl Actors<'_> {
    pub(super) async fn have_one_connection_too_many(&self) -> Outcome {
        let person = self.user("eager", "ko");
        let mut first = self.enter(&person).await?;
        let _second = self.enter(&person).await?;
        let _third = self.enter(&person).await?;
        first.event("session", |event| event["event"] == "evicted").await;
        first.closed().await;
        Ok(())
    }

    pub(super) async fn refresh_and_sign_out(&self) -> Outcome {
        let person = self.user("careful", "ko");
        let mut phone = self.enter(&person).await?;
        // The fresh token has another language, which the profile records.
        let token = json!({"token": self.world.token(&self.user("careful", "en"))});
        let mut laptop = if self.is_behind_a_proxy() {
            refused(&mut phone, "refreshSession", token, "forbidden").await?;
            refused(&mut phone, "createTicket", json!({}), "forbidden").await?;
            self.enter(&person).await?
        } else {
            ask(&mut phone, "refreshSession", token).await?;
            self.enter_by_ticket_of(&mut phone).await?
        };
        phone.post("signOutEverywhere", json!({})).await;
        // If it fails, an error arrives instead.
        let frame = phone.frame("the end", |frame| frame["type"] == "session" || frame["type"] == "error").await;
        expect(frame["event"] == "signed_out", "the person is signed out")?;
        for client in [&mut phone, &mut laptop] {
            client.closed().await;
        }
        self.gone(|row| row["audience"] == person.participant()).await;
        Ok(())
    }

    async fn enter_by_ticket_of(&self, client: &mut Client) -> Outcome<Client> {
        let ticket = ask(client, "createTicket", json!({})).await?["ticket"].clone();
        let ticket = ticket.as_str().expect("a ticket is a text");
        self.world.prolong_tickets().await;
        let url = format!("{}?ticket={ticket}", self.world.gateway.websocket_url());
        Client::connect(&url, None).await.map_err(|refusal| Failed(format!("{refusal:?}")))
    }

    pub(super) async fn outlive_their_token(&self) -> Outcome {
        let person = Person::staff(&format!("night-nurse-{}", self.number), &self.clinic(), "민준", "ko");
        let _stays = self.enter(&person).await?;
        let rows = self.world.rows("ConnectionsTable").await;
        let row = rows.into_iter().find(|row| row["audience"] == person.participant()).expect("a nurse is connected");
        for route in ROUTES {
            let answer = self
                .world
                .invoke_event(route, |event| {
                    let context = &mut event["requestContext"];
                    context["connectionId"] = row["connection_id"].clone();
                    // The authorizer's answer when the connection was opened, long ago.
                    context["authorizer"] =
                        json!({"participant": row["participant"], "user_id": row["user_id"], "exp": "1"});
                })
                .await;
            let reply: Value =
                answer["body"].as_str().and_then(|body| serde_json::from_str(body).ok()).unwrap_or_default();
            let code = reply["code"].as_str().unwrap_or_default();
            expect(!["internal", "session_expired"].contains(&code), "a refreshed session lasts")?;
        }
        Ok(())
    }
}
