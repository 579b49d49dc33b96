//! Short scenarios that together use every grant.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use aws_sdk_dynamodb::types::AttributeValue;
use end_to_end::{Client, Credential, Person, ProxyHeaders, Row, TOKEN_SECRET, World, eventually};
use local_gateway::faults::Plan;
use serde_json::{Value, json};

mod sessions;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scenario {
    ComeAndGo,
    OpenAConsult,
    JoinRooms,
    ChangeTheirLanguage,
    Talk,
    TalkWithoutTheStream,
    MeetAClosedRoom,
    Read,
    SortConsults,
    Translate,
    AreOvertakenByAnotherTranslation,
    UseUpTheQuota,
    UseUpTheBudget,
    OutstayTheirSession,
    RepeatThemselves,
    HaveOneConnectionTooMany,
    RefreshAndSignOut,
    OutliveTheirToken,
}

/// Why a scenario failed.
#[derive(Debug)]
pub struct Failed(String);

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

type Outcome<T = ()> = Result<T, Failed>;

/// People whom no other scenario knows, in a world.
pub struct Actors<'w> {
    world: &'w World,
    number: usize,
}

/// A consult between a patient (Japanese) and a clinic (Korean).
struct Consult {
    room: String,
    patient: Client,
    hospital: Client,
}

impl Scenario {
    /// The quick ones first: most grants are necessary for one of them.
    pub const ALL: [Scenario; 18] = [
        Scenario::ComeAndGo,
        Scenario::OpenAConsult,
        Scenario::JoinRooms,
        Scenario::ChangeTheirLanguage,
        Scenario::Talk,
        Scenario::TalkWithoutTheStream,
        Scenario::MeetAClosedRoom,
        Scenario::Read,
        Scenario::SortConsults,
        Scenario::Translate,
        Scenario::AreOvertakenByAnotherTranslation,
        Scenario::UseUpTheQuota,
        Scenario::UseUpTheBudget,
        Scenario::OutstayTheirSession,
        Scenario::RepeatThemselves,
        Scenario::HaveOneConnectionTooMany,
        Scenario::RefreshAndSignOut,
        Scenario::OutliveTheirToken,
    ];

    /// The scenarios about sessions.
    pub const OF_SESSIONS: [Scenario; 4] = [
        Scenario::ComeAndGo,
        Scenario::HaveOneConnectionTooMany,
        Scenario::RefreshAndSignOut,
        Scenario::OutliveTheirToken,
    ];

    pub async fn run(self, actors: &Actors<'_>) -> Outcome {
        match self {
            Scenario::ComeAndGo => actors.come_and_go().await,
            Scenario::OpenAConsult => actors.open_a_consult().await,
            Scenario::JoinRooms => actors.join_rooms().await,
            Scenario::ChangeTheirLanguage => actors.change_their_language().await,
            Scenario::Talk => actors.talk().await,
            Scenario::TalkWithoutTheStream => actors.talk_without_the_stream().await,
            Scenario::MeetAClosedRoom => actors.meet_a_closed_room().await,
            Scenario::Read => actors.read().await,
            Scenario::SortConsults => actors.sort_consults().await,
            Scenario::Translate => actors.translate().await,
            Scenario::AreOvertakenByAnotherTranslation => actors.are_overtaken_by_another_translation().await,
            Scenario::UseUpTheQuota => actors.use_up_the_quota().await,
            Scenario::UseUpTheBudget => actors.use_up_the_budget().await,
            Scenario::OutstayTheirSession => actors.outstay_their_session().await,
            Scenario::RepeatThemselves => actors.repeat_themselves().await,
            Scenario::HaveOneConnectionTooMany => actors.have_one_connection_too_many().await,
            Scenario::RefreshAndSignOut => actors.refresh_and_sign_out().await,
            Scenario::OutliveTheirToken => actors.outlive_their_token().await,
        }
    }
}

/// Resets what a scenario may leave behind when it is aborted.
pub async fn tidy_up(world: &World) {
    world.gateway.faults().set(Plan::default()).expect("an empty plan is valid");
    world.gateway.streams().resume();
    world.translator.set_failure(None);
    world.translator.release();
    world.gateway.streams().idle().await;
    let account = world.template().tables["UsageTable"].key.partition.clone();
    let pause = [(account, text("deepl")), ("month".to_owned(), text("pause"))];
    let forget = world.dynamodb.delete_item().table_name(world.table("UsageTable")).set_key(Some(pause.into()));
    forget.send().await.expect("the row can be deleted");
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

/// Sends a request that must succeed.
async fn ask(client: &mut Client, action: &str, fields: Value) -> Outcome<Value> {
    let answer = client.request(action, fields).await;
    if answer["type"] == "reply" { Ok(answer) } else { Err(Failed(format!("{action} was answered by {answer}"))) }
}

/// Sends a request that must be refused with this code.
async fn refused(client: &mut Client, action: &str, fields: Value, code: &str) -> Outcome {
    let answer = client.request(action, fields).await;
    if answer["code"] == code { Ok(()) } else { Err(Failed(format!("{action} was answered by {answer}"))) }
}

fn expect(holds: bool, what: &str) -> Outcome {
    if holds { Ok(()) } else { Err(Failed(format!("expected that {what}"))) }
}

async fn say(client: &mut Client, room: &str, message: &str) -> Outcome<u64> {
    let reply = ask(client, "sendMessage", json!({"room_id": room, "message": message})).await?;
    Ok(reply["seq"].as_u64().expect("seq is a number"))
}

async fn translation(client: &mut Client, seq: u64, language: &str) -> Value {
    let event = |event: &Value| event["seq"] == seq && event["translation"]["language"] == language;
    client.event("translation", event).await["translation"].clone()
}

impl<'w> Actors<'w> {
    pub fn new(world: &'w World) -> Self {
        static INSTANCES: AtomicUsize = AtomicUsize::new(0);
        Self { world, number: INSTANCES.fetch_add(1, Ordering::Relaxed) }
    }

    fn user(&self, name: &str, language: &str) -> Person {
        Person::user(&format!("{name}-{}", self.number), "사람", language)
    }

    fn clinic(&self) -> String {
        format!("clinic-{}", self.number)
    }

    /// Whether a trusted proxy authenticates users.
    fn is_behind_a_proxy(&self) -> bool {
        self.world.template().parameters.get("Credentials").is_some_and(|shown| shown == "proxy")
    }

    async fn enter(&self, person: &Person) -> Outcome<Client> {
        let entered = if self.is_behind_a_proxy() {
            let headers = ProxyHeaders::of_person(person).signed(TOKEN_SECRET);
            Client::connect_with_headers(&self.world.gateway.websocket_url(), headers).await
        } else {
            self.world.try_connect(&self.world.token(person), Credential::Header).await
        };
        entered.map_err(|refusal| Failed(format!("{refusal:?}")))
    }

    async fn consult(&self) -> Outcome<Consult> {
        let mut patient = self.enter(&self.user("patient", "ja")).await?;
        let hospital =
            self.enter(&Person::staff(&format!("nurse-{}", self.number), &self.clinic(), "민준", "ko")).await?;
        let reply = ask(&mut patient, "createRoom", json!({"kind": "consult", "hospital_id": self.clinic()})).await?;
        let room = reply["room"]["room_id"].as_str().expect("a room has an id").to_owned();
        Ok(Consult { room, patient, hospital })
    }

    /// Waits until no row of a connection is left for which `holds`.
    async fn gone(&self, holds: impl Fn(&Row) -> bool) {
        eventually("the rows of a connection are removed", async || {
            !self.world.rows("ConnectionsTable").await.iter().any(&holds)
        })
        .await;
    }

    async fn come_and_go(&self) -> Outcome {
        let person = self.user("guest", "ja");
        self.enter(&person).await?.leave().await;
        self.gone(|row| row["audience"] == person.participant()).await;
        Ok(())
    }

    async fn open_a_consult(&self) -> Outcome {
        let Consult { room, mut patient, mut hospital } = self.consult().await?;
        hospital.event("room", |event| event["room"]["room_id"] == room).await;
        let again = ask(&mut patient, "createRoom", json!({"kind": "consult", "hospital_id": self.clinic()})).await?;
        expect(again["created"] == false, "the room already exists")
    }

    async fn join_rooms(&self) -> Outcome {
        let absent = self.user("absent", "ko");
        let mut owner = self.enter(&self.user("owner", "ja")).await?;
        let group = json!({"kind": "group", "name": "모임", "members": [absent.participant()]});
        let group = ask(&mut owner, "createRoom", group).await?["room"]["room_id"].clone();
        // A member who joins records their language, and a newcomer becomes a member.
        let mut returned = self.enter(&absent).await?;
        ask(&mut returned, "joinGroup", json!({"group_id": group})).await?;
        let mut newcomer = self.enter(&self.user("newcomer", "en")).await?;
        ask(&mut newcomer, "joinGroup", json!({"group_id": group})).await?;
        let open = json!({"groupId": format!("lobby-{}", self.number)});
        for client in [&mut owner, &mut newcomer] {
            ask(client, "joinGroup", open.clone()).await?;
        }
        Ok(())
    }

    async fn change_their_language(&self) -> Outcome {
        let Consult { room, mut patient, mut hospital } = self.consult().await?;
        let seq = say(&mut hospital, &room, "네").await?;
        translation(&mut patient, seq, "ja").await;
        // A token with another language.
        let mut patient = self.enter(&self.user("patient", "en")).await?;
        ask(&mut patient, "createRoom", json!({"kind": "consult", "hospital_id": self.clinic()})).await?;
        translation(&mut patient, seq, "en").await;
        ask(&mut patient, "joinGroup", json!({"group_id": room})).await?;
        ask(&mut patient, "setLanguage", json!({"language": "zh"})).await?;
        translation(&mut patient, seq, "zh").await;
        let listed = ask(&mut patient, "getRoomList", json!({})).await?;
        let preview = &listed["rooms"][0]["last_message"]["translation"];
        expect(preview["language"] == "zh", "the list shows the translation")
    }

    async fn talk(&self) -> Outcome {
        let Consult { room, mut patient, mut hospital } = self.consult().await?;
        ask(&mut patient, "joinGroup", json!({"group_id": room})).await?;
        ask(&mut patient, "sendMessage", json!({"message": "👍"})).await?;
        hospital.hears("👍").await;
        Ok(())
    }

    async fn talk_without_the_stream(&self) -> Outcome {
        let friend = self.user("friend", "ko");
        let mut listener = self.enter(&friend).await?;
        let mut speaker = self.enter(&self.user("speaker", "ko")).await?;
        let group = json!({"kind": "group", "name": "모임", "members": [friend.participant()]});
        let room = ask(&mut speaker, "createRoom", group).await?["room"]["room_id"].clone();
        let room = room.as_str().expect("a room has an id");
        self.world.gateway.streams().pause();
        // `send-message` does not wait long for its pushes, so that on a busy machine it may take some messages until
        // one arrives. Without a grant none does, and the function logs that.
        for number in 0..200 {
            let words = format!("{number}번");
            say(&mut speaker, room, &words).await?;
            if listener.rest().await.iter().any(|frame| frame["message"] == words) {
                self.world.gateway.streams().resume();
                return Ok(());
            }
        }
        Err(Failed("no message arrived before the stream was read".to_owned()))
    }

    async fn meet_a_closed_room(&self) -> Outcome {
        let Consult { room, mut patient, .. } = self.consult().await?;
        ask(&mut patient, "changeRoomStatus", json!({"room_id": room, "status": "closed"})).await?;
        refused(&mut patient, "sendMessage", json!({"room_id": room, "message": "もしもし"}), "room_closed").await
    }

    async fn read(&self) -> Outcome {
        let Consult { room, mut patient, mut hospital } = self.consult().await?;
        for words in ["1", "2"] {
            say(&mut patient, &room, words).await?;
        }
        ask(&mut hospital, "getChatHistory", json!({"room_id": room, "from": 1})).await?;
        ask(&mut hospital, "getChatHistory", json!({"room_id": room, "query": "1"})).await?;
        ask(&mut hospital, "sync", json!({"rooms": {room.clone(): 1}})).await?;
        ask(&mut hospital, "markRead", json!({"room_id": room, "seq": 2})).await?;
        patient.event("read", |event| event["last_read_seq"] == 2).await;
        let open = format!("open:lobby-{}", self.number);
        ask(&mut patient, "joinGroup", json!({"group_id": open})).await?;
        refused(&mut hospital, "markRead", json!({"room_id": open, "seq": 1}), "not_a_member").await
    }

    async fn sort_consults(&self) -> Outcome {
        let Consult { room, mut patient, mut hospital } = self.consult().await?;
        ask(&mut hospital, "changeRoomStatus", json!({"room_id": room, "status": "in_progress"})).await?;
        ask(&mut hospital, "getRoomList", json!({"status": "in_progress"})).await?;
        ask(&mut patient, "getRoomList", json!({})).await?;
        Ok(())
    }

    async fn translate(&self) -> Outcome {
        let Consult { room, mut patient, mut hospital } = self.consult().await?;
        let seq = say(&mut patient, &room, "頭が痛いです。").await?;
        translation(&mut hospital, seq, "ko").await;
        ask(&mut hospital, "translateMessage", json!({"room_id": room, "seq": seq, "language": "en"})).await?;
        let better = json!({"room_id": room, "seq": seq, "language": "ko", "translated_message": "머리가 지끈거려요."});
        ask(&mut hospital, "setTranslatedMessage", better).await?;
        ask(&mut hospital, "getUsage", json!({})).await?;
        Ok(())
    }

    async fn are_overtaken_by_another_translation(&self) -> Outcome {
        let Consult { room, mut patient, .. } = self.consult().await?;
        let asked = self.world.translator.requests().translate;
        self.world.translator.hold();
        let seq = say(&mut patient, &room, "頭が痛いです。").await?;
        self.world.translator.received(asked + 1).await;
        let fields = [("text", "아파요."), ("source", "deepl"), ("status", "ok")];
        let mut faster: HashMap<String, AttributeValue> =
            fields.into_iter().map(|(name, value)| (name.to_owned(), text(value))).collect();
        for (name, value) in [("version", "1"), ("at", "1")] {
            faster.insert(name.to_owned(), AttributeValue::N(value.to_owned()));
        }
        let row = self.world.dynamodb.update_item().table_name(self.world.table("MessagesTable"));
        let row = row.key("room_id", text(&room)).key("seq", AttributeValue::N(seq.to_string()));
        let row = row.update_expression("SET translations.ko = :faster");
        row.expression_attribute_values(":faster", AttributeValue::M(faster)).send().await.expect("a row is written");
        self.world.translator.release();
        self.world.gateway.streams().idle().await;
        Ok(())
    }

    async fn use_up_the_quota(&self) -> Outcome {
        let Consult { room, mut patient, mut hospital } = self.consult().await?;
        self.world.translator.set_failure(Some(456));
        let seq = say(&mut patient, &room, "熱があります。").await?;
        let failed = translation(&mut hospital, seq, "ko").await;
        expect(failed["reason"] == "quota", "the quota is used up")?;
        ask(&mut hospital, "getFailedTranslations", json!({})).await?;
        let asked = json!({"room_id": room, "seq": seq, "language": "en"});
        refused(&mut hospital, "translateMessage", asked, "translation_unavailable").await?;
        tidy_up(self.world).await;
        Ok(())
    }

    async fn use_up_the_budget(&self) -> Outcome {
        let Consult { room, mut patient, mut hospital } = self.consult().await?;
        let seq = say(&mut patient, &room, &"頭が痛いです。".repeat(10)).await?;
        translation(&mut hospital, seq, "ko").await;
        self.world.gateway.streams().idle().await;
        say(&mut patient, &room, "熱もあります。").await?;
        patient.event("message", |event| event["event"]["name"] == "translation_limited").await;
        Ok(())
    }

    async fn outstay_their_session(&self) -> Outcome {
        let Consult { room, mut hospital, patient: _stays } = self.consult().await?;
        let of_the_patient = self.user("patient", "ja").participant();
        let rows = self.world.rows("ConnectionsTable").await;
        let mut row = rows.into_iter().find(|row| row["audience"] == of_the_patient).expect("the patient is connected");
        let outstayed = format!("outstayed-{}", self.number);
        (row["connection_id"], row["session_until"]) = (json!(outstayed), json!(1));
        self.world.put("ConnectionsTable", [row]).await;
        say(&mut hospital, &room, "👍").await?;
        self.gone(|row| row["connection_id"] == outstayed).await;
        Ok(())
    }

    async fn repeat_themselves(&self) -> Outcome {
        let Consult { room, mut patient, .. } = self.consult().await?;
        let begun = Instant::now();
        for _ in 0..3 {
            say(&mut patient, &room, "👍").await?;
        }
        self.world.hold_log(&room, begun).await;
        for words in ["👍", "👋"] {
            refused(&mut patient, "sendMessage", json!({"room_id": room, "message": words}), "rate_limited").await?;
        }
        Ok(())
    }
}
