//! The cost of actions among many connections, messages and rooms: it must stay the same.

use serde_json::{Value, json};
use testkit::people::{Person, coordinator};
use testkit::rows;

use crate::bill::Bill;
use crate::client::Client;
use crate::stack::{MeasureError, Setup, Stack};
use crate::table::Table;

/// Connections of other people.
const CONNECTIONS: u32 = 10_000;
/// Messages in the room.
const MESSAGES: u32 = 100_000;
/// Rooms of the hospital.
const ROOMS: u32 = 50_000;

/// The cost of every action that could grow with what is there.
///
/// # Errors
///
/// See [`MeasureError`].
pub async fn growth(setup: &Setup) -> Result<Table, MeasureError> {
    let columns = ["action", "alone", "10,000 connections", "100,000 messages", "50,000 rooms"];
    let about = "AWS calls / read units / write units / pushes of an action and everything that follows from it: in a \
                 consultation of 100 messages and a hospital of 60 rooms, and with more and more around it. A history \
                 by time finds its ends in the log by bisection, so it grows with the logarithm of the log's length. A \
                 search that finds nothing reads at most 500 messages and reports that there are more.";
    let mut table = Table::new("How costs grow", about, &columns);
    let stack = setup.start().await?;
    let fixture = Fixture::create(&stack).await?;
    fixture.bills("warm").await?;
    let mut measured = vec![fixture.bills("alone").await?];
    fixture.fill_connections().await?;
    measured.push(fixture.bills("connections").await?);
    fixture.fill_log().await?;
    measured.push(fixture.bills("messages").await?);
    fixture.fill_rooms().await?;
    measured.push(fixture.bills("rooms").await?);
    for (row, bill) in measured[0].iter().enumerate() {
        let cell = |bill: &Bill| {
            format!("{} / {} / {} / {}", bill.calls(), bill.read_units(), bill.write_units(), bill.pushes())
        };
        table.add_row(std::iter::once(bill.action.clone()).chain(measured.iter().map(|bills| cell(&bills[row]))));
    }
    stack.gateway.shut_down().await;
    Ok(table)
}

struct Fixture<'a> {
    stack: &'a Stack,
    room: String,
    patient: Client,
    hospital: Client,
}

impl<'a> Fixture<'a> {
    async fn create(stack: &'a Stack) -> Result<Self, MeasureError> {
        let patient = stack.connect(&Person::user("aiko", "愛子", "ko")).await?;
        let hospital = stack.connect(&coordinator()).await?;
        let reply = patient.ask("createRoom", json!({"kind": "consult", "hospital_id": "seoul-clinic"})).await?;
        let room = reply["room"]["room_id"].as_str().unwrap_or_default().to_owned();
        for number in 0..60 {
            hospital.ask("createRoom", json!({"kind": "consult", "user_id": format!("early-{number}")})).await?;
        }
        for number in 0..100 {
            patient.ask("sendMessage", json!({"room_id": room, "message": format!("{number}번 이야기")})).await?;
        }
        Ok(Self { stack, room, patient, hospital })
    }

    async fn bills(&self, when: &str) -> Result<Vec<Bill>, MeasureError> {
        let Self { room, patient, hospital, .. } = self;
        let mut bills = Vec::new();
        let mark = json!({"room_id": room, "seq": 1_000_000});
        hospital.ask("markRead", mark.clone()).await?;
        // A message moves the room up in its members' lists at most once a minute. This one does, so that no counted
        // message does.
        patient.ask("sendMessage", json!({"room_id": room, "message": format!("{when}부터")})).await?;
        patient.ask("markRead", mark.clone()).await?;
        let message = json!({"room_id": room, "message": format!("어제부터 아파요, {when}")});
        let reply = self.add_bill(&mut bills, "sendMessage", "sendMessage", patient, message).await?;
        self.add_bill(&mut bills, "markRead", "markRead", hospital, mark).await?;
        for (title, mut fields) in [
            ("getChatHistory, newest page", json!({})),
            ("getChatHistory, an old page", json!({"before_seq": 60})),
            ("getChatHistory, by time", json!({"from": 0, "to": 9_000_000_000_000_u64})),
        ] {
            fields["room_id"] = json!(room);
            self.add_bill(&mut bills, "getChatHistory", title, patient, fields).await?;
        }
        self.add_bill(&mut bills, "getRoomList", "getRoomList", hospital, json!({})).await?;
        self.add_bill(&mut bills, "getRoomList", "getRoomList, one status", hospital, json!({"status": "waiting"}))
            .await?;
        let deep = hospital.ask("getRoomList", json!({"limit": 30})).await?;
        let second = json!({"cursor": deep["next_cursor"]});
        self.add_bill(&mut bills, "getRoomList", "getRoomList, second page", hospital, second).await?;
        let have = json!({"rooms": {room.clone(): reply["seq"]}});
        self.add_bill(&mut bills, "sync", "sync, nothing new", patient, have).await?;
        Ok(bills)
    }

    async fn add_bill(
        &self,
        bills: &mut Vec<Bill>,
        action: &str,
        title: &str,
        client: &Client,
        fields: Value,
    ) -> Result<Value, MeasureError> {
        let (bill, reply) = self.stack.bill(title, client.ask(action, fields)).await?;
        bills.push(bill);
        Ok(reply)
    }

    /// The last item under a key.
    async fn item(&self, table: &str, key: &str, value: &str) -> Result<Value, MeasureError> {
        Ok(rows::last_item(&self.stack.gateway, table, key, value).await?)
    }

    async fn put(&self, table: &str, items: impl Iterator<Item = Value>) -> Result<(), MeasureError> {
        Ok(rows::write_items(&self.stack.gateway, table, &items.collect::<Vec<_>>()).await?)
    }

    async fn fill_connections(&self) -> Result<(), MeasureError> {
        let model = self.item("ConnectionsTable", "audience", "user:aiko").await?;
        let others = (0..CONNECTIONS).map(|number| {
            let mut row = model.clone();
            row["audience"] = json!({"S": format!("user:other-{number}")});
            row["connection_id"] = json!({"S": format!("other-{number}=")});
            row
        });
        self.put("ConnectionsTable", others).await
    }

    /// Appends a long log to the room, as it would have been written over years.
    async fn fill_log(&self) -> Result<(), MeasureError> {
        let last = self.item("MessagesTable", "room_id", &self.room).await?;
        let number = |attribute: &str| last[attribute]["N"].as_str().and_then(|text| text.parse::<u32>().ok());
        let seq = number("seq").unwrap_or_default();
        let texts = number("text_count").unwrap_or_default();
        let rows = (1..=MESSAGES).map(|further| {
            let mut row = last.clone();
            row["seq"] = json!({"N": (seq + further).to_string()});
            row["text_count"] = json!({"N": (texts + further).to_string()});
            row["message_id"] = json!({"S": uuid::Uuid::new_v4().to_string()});
            row
        });
        self.stack.settled().await?;
        let streams = self.stack.gateway.streams();
        streams.pause();
        let written = self.put("MessagesTable", rows).await;
        streams.skip_written().await;
        streams.resume();
        written
    }

    /// Gives the hospital many more consultations, all older than those it has.
    async fn fill_rooms(&self) -> Result<(), MeasureError> {
        let room = self.item("RoomsTable", "room_id", &self.room).await?;
        let member = self.item("MembersTable", "room_id", &self.room).await?;
        let id = |number: u32| json!({"S": format!("consult:late-{number}:seoul-clinic")});
        let rooms = (0..ROOMS).map(|number| {
            let mut row = room.clone();
            row["room_id"] = id(number);
            row
        });
        self.put("RoomsTable", rooms).await?;
        for (participant, is_hospital) in [("hospital:seoul-clinic", true), ("user:late", false)] {
            let members = (0..ROOMS).map(|number| {
                let mut row = member.clone();
                row["room_id"] = id(number);
                row["participant"] = json!({"S": participant});
                row["last_activity"] = json!({"N": number.to_string()});
                if is_hospital {
                    row["list_key"] = json!({"S": "hospital:seoul-clinic#waiting"});
                } else {
                    row["participant"] = json!({"S": format!("{participant}-{number}")});
                    row.as_object_mut().map(|row| row.remove("list_key"));
                }
                row
            });
            self.put("MembersTable", members).await?;
        }
        Ok(())
    }
}
