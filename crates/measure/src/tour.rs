//! Every action once, with what it cost.

use futures::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};
use testkit::people::Person;
use uuid::Uuid;

use crate::bill::Bill;
use crate::client::Client;
use crate::stack::{MeasureError, Stack};

/// To how many others a message is sent.
const RECIPIENTS: [usize; 4] = [1, 2, 5, 50];
/// How many rooms a list and a heartbeat are about.
const ROOMS: usize = 50;
/// How many messages a page of history has.
const PAGE: usize = 30;
/// How much is prepared at once.
const AT_ONCE: usize = 6;

/// Does every action once, and says what each cost. A first tour through a stack also starts its processes, so that what a tour
/// costs in the long run is what the second one does.
///
/// # Errors
///
/// Where a client cannot do its part.
pub async fn tour(stack: &Stack, number: usize) -> Result<Vec<Bill>, MeasureError> {
    let mut tour = Tour { stack, number, bills: Vec::new() };
    let hospital = stack.connect(&tour.staff()).await?;
    let patient = tour.user("patient", "ko");
    let (bill, phone) = stack.bill("connect", stack.connect(&patient)).await?;
    tour.bills.push(bill);
    let clinic = tour.clinic();
    let reply = tour.costs("createRoom", &phone, json!({"kind": "consult", "hospital_id": clinic})).await?;
    let room = text(&reply["room"]["room_id"]);
    tour.costs_of("joinGroup", "joinGroup, one's consult", &hospital, json!({"group_id": room})).await?;

    let send = |message: &str| json!({"room_id": room, "message": message, "message_id": Uuid::new_v4()});
    phone.ask("sendMessage", send("안녕하세요")).await?;
    hospital.ask("sendMessage", send("네, 안녕하세요")).await?;
    for side in [&phone, &hospital] {
        side.ask("markRead", json!({"room_id": room, "seq": 1_000})).await?;
    }
    let message = send("어제부터 머리가 아프고 열이 나요.");
    tour.costs_of("sendMessage", "sendMessage, 1 recipient", &phone, message.clone()).await?;
    tour.costs_of("sendMessage", "sendMessage, repeated", &phone, message).await?;
    tour.costs("markRead", &hospital, json!({"room_id": room, "seq": 1_000})).await?;
    for number in 0..PAGE {
        hospital.ask("sendMessage", send(&format!("{number}번 안내입니다."))).await?;
    }
    tour.costs_of("getChatHistory", "getChatHistory, 30 messages", &phone, json!({"room_id": room})).await?;
    let search = json!({"room_id": room, "query": "29번"});
    tour.costs_of("getChatHistory", "getChatHistory, a search", &phone, search).await?;
    tour.costs("changeRoomStatus", &hospital, json!({"room_id": room, "status": "in_progress"})).await?;
    tour.costs_of("sync", "sync, 1 room, nothing new", &phone, json!({"rooms": {room.clone(): 1_000}})).await?;

    tour.groups().await?;
    tour.lists(&hospital).await?;
    tour.translations(&hospital).await?;
    let (bill, ()) = stack.bill("disconnect", stack.leave(vec![phone])).await?;
    tour.bills.push(bill);
    stack.leave(vec![hospital]).await?;
    Ok(tour.bills)
}

struct Tour<'a> {
    stack: &'a Stack,
    number: usize,
    bills: Vec<Bill>,
}

impl Tour<'_> {
    fn user(&self, name: &str, language: &str) -> Person {
        Person::user(&format!("{name}-{}", self.number), "사람", language)
    }

    fn clinic(&self) -> String {
        format!("clinic-{}", self.number)
    }

    fn staff(&self) -> Person {
        Person::staff(&format!("nurse-{}", self.number), &self.clinic(), "간호사", "ko")
    }

    async fn costs(&mut self, action: &str, client: &Client, fields: Value) -> Result<Value, MeasureError> {
        self.costs_of(action, action, client, fields).await
    }

    async fn costs_of(
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

    /// Messages to several others, in groups whose members all read the same language.
    async fn groups(&mut self) -> Result<(), MeasureError> {
        let owner = self.stack.connect(&self.user("owner", "ko")).await?;
        for others in RECIPIENTS.into_iter().filter(|others| *others > 1) {
            let people: Vec<_> =
                (0..others).map(|number| self.user(&format!("one-of-{others}-{number}"), "ko")).collect();
            let stack = self.stack;
            let members: Vec<_> = people.iter().map(Person::participant).collect();
            let clients: Vec<Client> = stream::iter(people)
                .map(async |person| stack.connect(&person).await)
                .buffer_unordered(AT_ONCE)
                .try_collect()
                .await?;
            let group = json!({"kind": "group", "name": "모임", "members": members});
            let reply = owner.ask("createRoom", group).await?;
            let send = |text: &str| json!({"room_id": reply["room"]["room_id"], "message": text});
            owner.ask("sendMessage", send("안녕하세요")).await?;
            self.costs_of("sendMessage", &format!("sendMessage, {others} recipients"), &owner, send("여러분")).await?;
            self.stack.leave(clients).await?;
        }
        self.stack.leave(vec![owner]).await
    }

    /// The list and the heartbeat of a hospital with many rooms.
    async fn lists(&mut self, hospital: &Client) -> Result<(), MeasureError> {
        let rooms = (0..ROOMS).map(|number| format!("of-list-{}-{number}", self.number));
        let opened: Vec<Value> = stream::iter(rooms)
            .map(async |user| hospital.ask("createRoom", json!({"kind": "consult", "user_id": user})).await)
            .buffer_unordered(AT_ONCE)
            .try_collect::<Vec<_>>()
            .await?;
        self.costs_of("getRoomList", "getRoomList, 30 rooms", hospital, json!({})).await?;
        let waiting = json!({"status": "waiting"});
        self.costs_of("getRoomList", "getRoomList, 30 of a status", hospital, waiting).await?;
        let have = |reply: &Value| (text(&reply["room"]["room_id"]), json!(1));
        let rooms: serde_json::Map<_, _> = opened.iter().map(have).collect();
        self.costs_of("sync", "sync, 50 rooms, nothing new", hospital, json!({"rooms": rooms})).await?;
        Ok(())
    }

    /// A message that is translated, and what can be done with a translation.
    async fn translations(&mut self, hospital: &Client) -> Result<(), MeasureError> {
        let phone = self.stack.connect(&self.user("guest", "ja")).await?;
        let reply = phone.ask("createRoom", json!({"kind": "consult", "hospital_id": self.clinic()})).await?;
        let room = text(&reply["room"]["room_id"]);
        let send = |text: &str| json!({"room_id": room, "message": text});
        phone.ask("sendMessage", send("はい")).await?;
        hospital.ask("sendMessage", send("네")).await?;
        for side in [&phone, hospital] {
            side.ask("markRead", json!({"room_id": room, "seq": 1_000})).await?;
        }
        // Other words in each tour, so that no cache has them; of the same length.
        let message = send(&format!("昨日から頭が痛くて、熱もあります。 {}", self.number));
        let reply = self.costs_of("sendMessage", "sendMessage, 1 recipient, translated", &phone, message).await?;
        let wanted = json!({"room_id": room, "seq": reply["seq"], "language": "en"});
        self.costs_of("translateMessage", "translateMessage", hospital, wanted.clone()).await?;
        self.costs_of("translateMessage", "translateMessage, again", hospital, wanted).await?;
        let corrected = json!({
            "room_id": room, "seq": reply["seq"], "language": "ko", "translated_message": "어제부터 머리가 아프고 열도 나요.",
        });
        self.costs("setTranslatedMessage", hospital, corrected).await?;
        self.stack.leave(vec![phone]).await
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
