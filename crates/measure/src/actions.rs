//! Performs every action once and returns what each cost.

use futures::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};
use testkit::people::Person;
use testkit::rows;
use uuid::Uuid;

use crate::bill::Bill;
use crate::client::Client;
use crate::stack::{MeasureError, Stack};

/// The audiences of measured messages.
const RECIPIENTS: [usize; 4] = [1, 2, 5, 50];
/// The rooms of a list and of a heartbeat.
const ROOMS: usize = 50;
/// The messages on a page of history.
const PAGE: usize = 30;
/// The requests in flight during preparations.
const MAX_CONCURRENCY: usize = 6;

/// Performs every action once and returns what each cost. The first pass through a stack also starts its processes, so
/// the bills of the second pass are those of a warm stack.
///
/// # Errors
///
/// When a request fails.
pub async fn perform_actions(stack: &Stack, number: usize) -> Result<Vec<Bill>, MeasureError> {
    let mut pass = Pass { stack, number, bills: Vec::new() };
    let hospital = stack.connect(&pass.staff()).await?;
    let patient = pass.user("patient", "ko");
    let (bill, phone) = stack.bill("connect", stack.connect(&patient)).await?;
    pass.bills.push(bill);
    let clinic = pass.clinic();
    let reply = pass.bill("createRoom", &phone, json!({"kind": "consult", "hospital_id": clinic})).await?;
    let room = text(&reply["room"]["room_id"]);
    pass.bill_as("joinGroup", "joinGroup, one's consult", &hospital, json!({"group_id": room})).await?;

    let send = |message: &str| json!({"room_id": room, "message": message, "message_id": Uuid::new_v4()});
    phone.ask("sendMessage", send("안녕하세요")).await?;
    hospital.ask("sendMessage", send("네, 안녕하세요")).await?;
    for side in [&phone, &hospital] {
        side.ask("markRead", json!({"room_id": room, "seq": 1_000})).await?;
    }
    let message = send("어제부터 머리가 아프고 열이 나요.");
    pass.bill_as("sendMessage", "sendMessage, 1 recipient", &phone, message.clone()).await?;
    pass.bill_as("sendMessage", "sendMessage, repeated", &phone, message).await?;
    pass.bill("markRead", &hospital, json!({"room_id": room, "seq": 1_000})).await?;
    for number in 0..PAGE {
        hospital.ask("sendMessage", send(&format!("{number}번 안내입니다."))).await?;
    }
    pass.bill_as("getChatHistory", "getChatHistory, 30 messages", &phone, json!({"room_id": room})).await?;
    let search = json!({"room_id": room, "query": "29번"});
    pass.bill_as("getChatHistory", "getChatHistory, a search", &phone, search).await?;
    pass.bill("changeRoomStatus", &hospital, json!({"room_id": room, "status": "in_progress"})).await?;
    pass.bill_as("sync", "sync, 1 room, nothing new", &phone, json!({"rooms": {room.clone(): 1_000}})).await?;

    pass.groups().await?;
    pass.lists(&hospital).await?;
    pass.translations(&hospital).await?;
    let (bill, ()) = stack.bill("disconnect", stack.disconnect(vec![phone])).await?;
    pass.bills.push(bill);
    stack.disconnect(vec![hospital]).await?;
    Ok(pass.bills)
}

struct Pass<'a> {
    stack: &'a Stack,
    number: usize,
    bills: Vec<Bill>,
}

impl Pass<'_> {
    fn user(&self, name: &str, language: &str) -> Person {
        Person::user(&format!("{name}-{}", self.number), "사람", language)
    }

    fn clinic(&self) -> String {
        format!("clinic-{}", self.number)
    }

    fn staff(&self) -> Person {
        Person::staff(&format!("nurse-{}", self.number), &self.clinic(), "간호사", "ko")
    }

    async fn bill(&mut self, action: &str, client: &Client, fields: Value) -> Result<Value, MeasureError> {
        self.bill_as(action, action, client, fields).await
    }

    async fn bill_as(
        &mut self,
        action: &str,
        title: &str,
        client: &Client,
        fields: Value,
    ) -> Result<Value, MeasureError> {
        let (bill, reply) = self.stack.bill(title, client.ask(action, fields)).await?;
        self.bills.push(bill);
        Ok(reply)
    }

    /// Messages to larger audiences, in groups whose members all read the same language.
    async fn groups(&mut self) -> Result<(), MeasureError> {
        let owner = self.stack.connect(&self.user("owner", "ko")).await?;
        for others in RECIPIENTS.into_iter().filter(|others| *others > 1) {
            let people: Vec<_> =
                (0..others).map(|number| self.user(&format!("one-of-{others}-{number}"), "ko")).collect();
            let stack = self.stack;
            let members: Vec<_> = people.iter().map(Person::participant).collect();
            let clients: Vec<Client> = stream::iter(people)
                .map(async |person| stack.connect(&person).await)
                .buffer_unordered(MAX_CONCURRENCY)
                .try_collect()
                .await?;
            let group = json!({"kind": "group", "name": "모임", "members": members});
            let reply = owner.ask("createRoom", group).await?;
            let send = |text: &str| json!({"room_id": reply["room"]["room_id"], "message": text});
            owner.ask("sendMessage", send("안녕하세요")).await?;
            self.bill_as("sendMessage", &format!("sendMessage, {others} recipients"), &owner, send("여러분")).await?;
            self.stack.disconnect(clients).await?;
        }
        self.stack.disconnect(vec![owner]).await
    }

    /// The room list and the heartbeat of a hospital with many rooms.
    async fn lists(&mut self, hospital: &Client) -> Result<(), MeasureError> {
        let rooms = (0..ROOMS).map(|number| format!("of-list-{}-{number}", self.number));
        let opened: Vec<Value> = stream::iter(rooms)
            .map(async |user| hospital.ask("createRoom", json!({"kind": "consult", "user_id": user})).await)
            .buffer_unordered(MAX_CONCURRENCY)
            .try_collect::<Vec<_>>()
            .await?;
        self.bill_as("getRoomList", "getRoomList, 30 rooms", hospital, json!({})).await?;
        let waiting = json!({"status": "waiting"});
        self.bill_as("getRoomList", "getRoomList, 30 of a status", hospital, waiting).await?;
        let have = |reply: &Value| (text(&reply["room"]["room_id"]), json!(1));
        let rooms: serde_json::Map<_, _> = opened.iter().map(have).collect();
        self.bill_as("sync", "sync, 50 rooms, nothing new", hospital, json!({"rooms": rooms})).await?;
        Ok(())
    }

    /// A message that is translated, and the actions on its translation.
    async fn translations(&mut self, hospital: &Client) -> Result<(), MeasureError> {
        let phone = self.stack.connect(&self.user("guest", "ja")).await?;
        let reply = phone.ask("createRoom", json!({"kind": "consult", "hospital_id": self.clinic()})).await?;
        let room = text(&reply["room"]["room_id"]);
        let send = |text: &str| json!({"room_id": room, "message": text});
        // Not translated, so the writer's allowance of characters is still full when the next text follows.
        phone.ask("sendMessage", send("🙂")).await?;
        hospital.ask("sendMessage", send("네")).await?;
        for side in [&phone, hospital] {
            side.ask("markRead", json!({"room_id": room, "seq": 1_000})).await?;
        }
        // A different text in each pass, so that it is not in the cache, and of the same length.
        let message = send(&format!("昨日から頭が痛くて、熱もあります。 {}", self.number));
        let reply = self.bill_as("sendMessage", "sendMessage, 1 recipient, translated", &phone, message).await?;
        let wanted = json!({"room_id": room, "seq": reply["seq"], "language": "en"});
        // Whether the reader's allowance has refilled since their last text decides about a second call.
        rows::refill_rate_limits(&self.stack.gateway).await?;
        self.bill_as("translateMessage", "translateMessage", hospital, wanted.clone()).await?;
        self.bill_as("translateMessage", "translateMessage, again", hospital, wanted).await?;
        let corrected = json!({
            "room_id": room, "seq": reply["seq"], "language": "ko", "translated_message": "어제부터 머리가 아프고 열도 나요.",
        });
        self.bill("setTranslatedMessage", hospital, corrected).await?;
        self.stack.disconnect(vec![phone]).await
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
