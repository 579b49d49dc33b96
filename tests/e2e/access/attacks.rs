//! Attempts to get into rooms of others.

use end_to_end::{Client, Consultation, Person, World};
use serde_json::{Value, json};

use super::printed::Printed;
use super::{OF_THE_SESSION, request};

/// The actions that name no room, or only a new one.
const WITHOUT_A_ROOM: [&str; 4] = ["createRoom", "getRoomList", "getUsage", "getFailedTranslations"];

fn names_a_room(action: &str) -> bool {
    !WITHOUT_A_ROOM.contains(&action) && !OF_THE_SESSION.contains(&action)
}

/// Another patient, and staff of another hospital.
fn strangers() -> [Person; 2] {
    [Person::user("mallory", "Mallory", "en"), Person::staff("seoyeon", "busan-clinic", "서연", "ko")]
}

/// A consult and a direct room with a text in each, the connections of their members, and all actions.
async fn hidden_rooms() -> (World, Vec<Client>, Vec<String>) {
    let world = World::start().await;
    let Consultation { room, mut patient, hospital } = world.consultation().await;
    patient.say(&room, "はい").await;
    let mut hana = world.connect(&Person::user("hana", "하나", "ko")).await;
    hana.ask("createRoom", json!({"kind": "direct", "user_id": "joon"})).await;
    hana.say("direct:hana:joon", "네").await;
    world.settled().await;
    let actions = Printed::read().await.actions().map(str::to_owned).collect();
    (world, vec![patient, hospital, hana], actions)
}

/// The exact answer of an action's function to this caller. `None` calls without an identity.
async fn answered(world: &World, action: &str, caller: Option<(&Person, u64)>, fields: &Value) -> String {
    let api = world.template().api.as_ref().expect("the template has an API");
    let function = &world.template().functions[&api.routes[action].function];
    let mut body = fields.clone();
    body["action"] = json!(action);
    body["request_id"] = json!("7");
    let answer = world
        .invoke_event(function.binary(), |event| {
            event["body"] = json!(body.to_string());
            event["requestContext"]["authorizer"] = caller.map_or(json!(null), |(person, exp)| {
                json!({"participant": person.participant(), "user_id": person.user_id, "exp": exp.to_string()})
            });
        })
        .await;
    answer["body"].as_str().expect("an answer has a body").to_owned()
}

const FAR_FUTURE: u64 = 4_102_444_800;

#[tokio::test(flavor = "multi_thread")]
async fn foreign_and_missing_rooms_answer_byte_identically() {
    let (world, _everybody, actions) = hidden_rooms().await;
    let before = world.row_counts().await;
    for action in &actions {
        for person in strangers() {
            for (room, none) in
                [("consult:aiko:seoul-clinic", "consult:nobody:nowhere"), ("direct:hana:joon", "direct:nobody:nowhere")]
            {
                // A room is opened under the name of the caller, so nobody can ask for another's.
                if action == "createRoom" || OF_THE_SESSION.contains(&action.as_str()) {
                    continue;
                }
                for change in [json!({"status": "closed"}), json!({"status": "waiting", "seq": 1})] {
                    let mut said = Vec::new();
                    for room in [room, none] {
                        let fields = request(room, change.clone());
                        said.push(answered(&world, action, Some((&person, FAR_FUTURE)), &fields).await);
                    }
                    assert_eq!(
                        said[0],
                        said[1],
                        "{action} by {} distinguishes {room} from a missing room",
                        person.participant()
                    );
                }
            }
        }
    }
    world.settled().await;
    assert_eq!(world.row_counts().await, before, "nothing was written");
}

#[tokio::test(flavor = "multi_thread")]
async fn unidentified_caller_is_refused_by_every_action() {
    let (world, _everybody, actions) = hidden_rooms().await;
    let refusal = Client::connect(&world.gateway.websocket_url(), None).await.expect_err("there is no token");
    assert_eq!(refusal.status, 401);
    let before = world.row_counts().await;
    let patient = testkit::people::patient();
    for action in &actions {
        let fields =
            request("consult:aiko:seoul-clinic", json!({"status": "closed", "kind": "consult", "hospital_id": "h"}));
        // An identity in the request is none: it comes from the authorizer, or from nowhere.
        for (caller, code) in [(None, "internal"), (Some((&patient, 1)), "session_expired")] {
            let answer: Value = serde_json::from_str(&answered(&world, action, caller, &fields).await).unwrap();
            assert_eq!(answer["code"], code, "{action} was answered by {answer}");
        }
    }
    world.settled().await;
    assert_eq!(world.row_counts().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn sender_claims_in_requests_are_ignored() {
    let (world, mut everybody, _) = hidden_rooms().await;
    let mut mallory = world.connect(&strangers()[0]).await;
    let claims = json!({
        "user_type": "hospital", "hospital_id": "seoul-clinic", "user_id": "aiko", "sub": "aiko", "role": "staff",
        "participant": "hospital:seoul-clinic", "sender": {"participant": "user:aiko", "user_id": "aiko"},
        "requestContext": {"authorizer": {"participant": "hospital:seoul-clinic"}},
    });
    let with = |mut fields: Value| {
        fields.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
        fields
    };
    // A consult is between the caller and the hospital that the caller names.
    let opened = mallory.ask("createRoom", with(json!({"kind": "consult"}))).await;
    assert_eq!(opened["room"]["room_id"], "consult:mallory:seoul-clinic");
    let room = "consult:mallory:seoul-clinic";
    mallory.refused("changeRoomStatus", with(json!({"room_id": room, "status": "on_hold"})), "forbidden").await;
    mallory.refused("getUsage", with(json!({})), "forbidden").await;
    mallory.refused("getFailedTranslations", with(json!({})), "forbidden").await;
    let own = mallory.ask("getRoomList", with(json!({}))).await;
    assert_eq!(own["rooms"].as_array().map(Vec::len), Some(1), "{own}");
    mallory.ask("sendMessage", with(json!({"room_id": room, "message": "I am Aiko"}))).await;
    let heard = everybody[1].hears("I am Aiko").await;
    assert_eq!(heard["sender"]["participant"], "user:mallory", "{heard}");
    assert_eq!(heard["sender"]["user_id"], "mallory");
}

#[tokio::test(flavor = "multi_thread")]
async fn own_correction_is_not_reused_for_others() {
    let world = World::start().await;
    let [aiko, ren, joon] = [("aiko", "ja"), ("ren", "ja"), ("joon", "ko")].map(|(id, tag)| Person::user(id, id, tag));
    let mut aiko = world.connect(&aiko).await;
    let mut ren = world.connect(&ren).await;
    let mut joon = world.connect(&joon).await;
    let group = json!({"kind": "group", "name": "Recovery", "members": ["user:ren", "user:joon"]});
    let room = aiko.ask("createRoom", group).await["room"]["room_id"].as_str().unwrap().to_owned();
    let own = aiko.say(&room, "頭が痛いです。").await;
    joon.event("translation", |event| event["seq"] == own).await;
    let correction = json!({"room_id": room, "seq": own, "language": "ko", "translated_message": "다들 나가세요."});
    aiko.ask("setTranslatedMessage", correction).await;
    let theirs = ren.say(&room, "頭が痛いです。").await;
    let heard = joon.event("translation", |event| event["seq"] == theirs).await;
    assert_eq!(heard["translation"]["text"], "머리가 아파요.", "{heard}");
}

#[tokio::test(flavor = "multi_thread")]
async fn respelled_room_ids_never_match() {
    let (world, mut everybody, actions) = hidden_rooms().await;
    let mut mallory = world.connect(&strangers()[0]).await;
    let before = world.row_counts().await;
    // Some are ids of rooms that do not exist, most are no ids. Not even the patient reaches her room with them.
    let spellings = [
        ("consult:Aiko:seoul-clinic", "not_found"),
        ("consult:aiko:Seoul-Clinic", "not_found"),
        ("consult:seoul-clinic:aiko", "not_found"),
        ("Consult:aiko:seoul-clinic", "bad_request"),
        ("CONSULT:AIKO:SEOUL-CLINIC", "bad_request"),
        ("consult:\u{430}iko:seoul-clinic", "bad_request"),
        ("consult:ａｉｋｏ:seoul-clinic", "bad_request"),
        ("consult\u{ff1a}aiko\u{ff1a}seoul-clinic", "bad_request"),
        ("consult:aiko:seoul\u{2010}clinic", "bad_request"),
        ("consult:a\u{200b}iko:seoul-clinic", "bad_request"),
        ("consult%3Aaiko%3Aseoul-clinic", "bad_request"),
        ("consult:%61iko:seoul-clinic", "bad_request"),
        ("consult:aiko:seoul-clinic ", "bad_request"),
        (" consult:aiko:seoul-clinic", "bad_request"),
        ("consult:aiko:seoul-clinic\n", "bad_request"),
        ("consult:aiko:seoul-clinic\0", "bad_request"),
        ("consult:aiko:seoul-clinic:", "bad_request"),
        ("consult:aiko:seoul-clinic:x", "bad_request"),
        ("consult:mallory:aiko:seoul-clinic", "bad_request"),
        ("consult::aiko:seoul-clinic", "bad_request"),
        ("consult:aiko:../seoul-clinic", "bad_request"),
        ("user:aiko", "bad_request"),
        ("hospital:seoul-clinic", "bad_request"),
    ];
    for action in actions.iter().filter(|action| names_a_room(action)) {
        for (spelling, code) in spellings {
            let fields = request(spelling, json!({"status": "closed"}));
            for client in [&mut mallory, &mut everybody[0]] {
                if (action.as_str(), code) == ("sync", "not_found") {
                    assert_eq!(client.ask(action, fields.clone()).await["rooms"], json!([]), "{spelling}");
                } else {
                    client.refused(action, fields.clone(), code).await;
                }
            }
        }
    }
    // Two ids in one request: the check and the read must use the same one.
    let twice =
        r#"{"action":"getChatHistory","request_id":"two","room_id":"open:a","room_id":"consult:aiko:seoul-clinic"}"#;
    mallory.send(twice).await;
    assert_eq!(mallory.answer("two").await["code"], "not_found");
    let two = json!({"group_id": "open:a", "room_id": "consult:aiko:seoul-clinic"});
    mallory.refused("joinGroup", two, "bad_request").await;
    world.settled().await;
    let mut after = world.row_counts().await;
    after.insert("ConnectionsTable".to_owned(), before["ConnectionsTable"]);
    assert_eq!(after, before, "nothing was written");
}
