//! Invalid requests: the client gets the error that the protocol names, the connection stays open if possible, and
//! nothing is written.

use std::collections::BTreeMap;

use end_to_end::{Client, Consultation, Credential, Person, World};
use serde_json::{Value, json};

/// A consultation, and the number of rows in each table.
struct Quiet {
    world: World,
    room: String,
    patient: Client,
    /// Stays connected, because disconnecting would remove a row.
    _hospital: Client,
    before: BTreeMap<String, usize>,
}

impl Quiet {
    async fn start() -> Self {
        let world = World::start().await;
        let Consultation { room, mut patient, hospital } = world.consultation().await;
        patient.say(&room, "はい").await;
        world.settled().await;
        let before = world.row_counts().await;
        Self { world, room, patient, _hospital: hospital, before }
    }

    /// Sends a frame, which must be answered with this error.
    async fn refuses(&mut self, frame: &str, code: &str) -> Value {
        self.patient.send(frame).await;
        let error = self.patient.frame(&format!("the answer to {frame}"), |frame| frame["type"] == "error").await;
        assert_eq!(error["code"], code, "{frame} was answered by {error}");
        error
    }

    /// Asserts that the connection still works and that no table has gained or lost a row.
    async fn assert_unchanged(mut self) {
        self.patient.ask("getRoomList", json!({})).await;
        self.world.settled().await;
        assert_eq!(self.world.row_counts().await, self.before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn non_object_frames_are_bad_requests() {
    let mut quiet = Quiet::start().await;
    for frame in [
        "hello",
        "",
        "{",
        "{\"action\":\"sendMessage\"",
        "[]",
        "[{\"action\":\"sync\"}]",
        "null",
        "42",
        "\"sendMessage\"",
    ] {
        quiet.refuses(frame, "bad_request").await;
    }
    quiet.assert_unchanged().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_without_action_are_bad_requests() {
    let mut quiet = Quiet::start().await;
    for frame in
        [r#"{}"#, r#"{"message":"hi"}"#, r#"{"action":7}"#, r#"{"action":null}"#, r#"{"action":{"name":"sync"}}"#]
    {
        quiet.refuses(frame, "bad_request").await;
    }
    quiet.assert_unchanged().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_actions_are_refused() {
    let mut quiet = Quiet::start().await;
    for action in ["sendmessage", "SendMessage", "$connect", "$disconnect", "$default", "drop table", ""] {
        quiet.patient.refused(action, json!({"room_id": quiet.room, "message": "hi"}), "unknown_action").await;
    }
    quiet.assert_unchanged().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_requests_name_the_field() {
    let mut quiet = Quiet::start().await;
    let room = quiet.room.clone();
    for (fields, field) in [
        (json!({"room_id": room}), "message"),
        (json!({"room_id": room, "message": null}), "message"),
        (json!({"room_id": room, "message": ["hi"]}), "message"),
        (json!({"room_id": room, "message": ""}), "message"),
        (json!({"room_id": room, "message": "   "}), "message"),
        (json!({"room_id": 7, "message": "hi"}), "room_id"),
        (json!({"room_id": room, "message": "hi", "message_id": 7}), "message_id"),
        (json!({"room_id": room, "message": "hi", "message_id": "not-a-uuid"}), "message_id"),
        (json!({"room_id": room, "message": "hi", "language": "not a language"}), "language"),
        (json!({"room_id": room, "message": "hi", "reply_to": "2"}), "reply_to"),
        (json!({"room_id": room, "message": "hi", "reply_to": 0}), "reply_to"),
    ] {
        let error = quiet.patient.refused("sendMessage", fields.clone(), "bad_request").await;
        assert!(error["message"].as_str().unwrap().contains(field), "{fields} should name {field}: {error}");
    }
    quiet.assert_unchanged().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn request_id_must_be_a_short_string() {
    let mut quiet = Quiet::start().await;
    for request_id in [json!(7), json!("x".repeat(65)), json!({}), json!(["7"])] {
        let frame = json!({"action": "sendMessage", "room_id": quiet.room, "message": "hi", "request_id": request_id})
            .to_string();
        quiet.refuses(&frame, "bad_request").await;
    }
    quiet.assert_unchanged().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn text_of_5000_characters_is_refused() {
    let mut quiet = Quiet::start().await;
    let fields = json!({"room_id": quiet.room, "message": "あ".repeat(5_000)});
    quiet.patient.refused("sendMessage", fields, "message_too_long").await;
    quiet.assert_unchanged().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lone_surrogates_are_not_json() {
    let mut quiet = Quiet::start().await;
    for escape in [r"\ud800", r"\udc00", r"\ud800x", r"\ud800\ud800"] {
        let room = &quiet.room;
        let frame = format!(r#"{{"action":"sendMessage","request_id":"5","room_id":"{room}","message":"{escape}"}}"#);
        let error = quiet.refuses(&frame, "bad_request").await;
        assert_eq!((&error["action"], &error["request_id"]), (&json!("sendMessage"), &json!("5")), "{escape}");
    }
    quiet.assert_unchanged().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_rooms_are_not_found() {
    let mut quiet = Quiet::start().await;
    for room in
        ["consult:aiko:nowhere", "direct:aiko:nobody", "room:01931b1c-7d4e-7cc3-98c4-dc0c0c07398f", "open:nowhere"]
    {
        quiet.patient.refused("sendMessage", json!({"room_id": room, "message": "hi"}), "not_found").await;
        quiet.patient.refused("getChatHistory", json!({"room_id": room}), "not_found").await;
        quiet.patient.refused("markRead", json!({"room_id": room, "seq": 1}), "not_found").await;
        quiet.patient.refused("changeRoomStatus", json!({"room_id": room, "status": "closed"}), "not_found").await;
        quiet
            .patient
            .refused("translateMessage", json!({"room_id": room, "seq": 1, "language": "ko"}), "not_found")
            .await;
    }
    for room in
        ["", "aiko", "castle:aiko", "consult:aiko", "direct:b:a", "room:7", "consult:aiko:seoul-clinic:x", "open:名前"]
    {
        quiet.patient.refused("sendMessage", json!({"room_id": room, "message": "hi"}), "bad_request").await;
    }
    quiet.assert_unchanged().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_seqs_are_not_found() {
    let mut quiet = Quiet::start().await;
    let room = quiet.room.clone();
    quiet.patient.refused("translateMessage", json!({"room_id": room, "seq": 3, "language": "ko"}), "not_found").await;
    let correction = json!({"room_id": room, "seq": 3, "language": "ko", "translated_message": "네"});
    quiet.patient.refused("setTranslatedMessage", correction, "not_found").await;
    let history = quiet.patient.ask("getChatHistory", json!({"room_id": room, "after_seq": 1_000_000})).await;
    assert_eq!(history["messages"], json!([]));
    quiet.assert_unchanged().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn seqs_out_of_range_are_bad_requests() {
    let mut quiet = Quiet::start().await;
    let room = quiet.room.clone();
    for seq in ["-1", "9223372036854775808", "18446744073709551616", "1e400", "1.5", "\"2\""] {
        for rest in [
            r#""action":"markRead","seq":SEQ"#,
            r#""action":"translateMessage","language":"ko","seq":SEQ"#,
            r#""action":"setTranslatedMessage","language":"ko","translated_message":"네","seq":SEQ"#,
            r#""action":"getChatHistory","after_seq":SEQ"#,
            r#""action":"getChatHistory","before_seq":SEQ"#,
            r#""action":"sendMessage","message":"hi","reply_to":SEQ"#,
        ] {
            let frame = format!(r#"{{"room_id":"{room}",{}}}"#, rest.replace("SEQ", seq));
            quiet.refuses(&frame, "bad_request").await;
        }
        let frame = format!(r#"{{"action":"sync","rooms":{{"{room}":{seq}}}}}"#);
        quiet.refuses(&frame, "bad_request").await;
    }
    quiet.assert_unchanged().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_rooms_stay_untouched() {
    let quiet = Quiet::start().await;
    let mut mallory = quiet.world.connect(&Person::user("mallory", "Mallory", "en")).await;
    let before = quiet.world.row_counts().await;
    let room = &quiet.room;
    mallory.refused("sendMessage", json!({"room_id": room, "message": "hi"}), "not_found").await;
    mallory.refused("getChatHistory", json!({"room_id": room}), "not_found").await;
    mallory.refused("joinGroup", json!({"room_id": room}), "not_found").await;
    mallory.refused("changeRoomStatus", json!({"room_id": room, "status": "closed"}), "not_found").await;
    mallory.refused("markRead", json!({"room_id": room, "seq": 1}), "not_found").await;
    mallory.refused("translateMessage", json!({"room_id": room, "seq": 2, "language": "en"}), "not_found").await;
    let correction = json!({"room_id": room, "seq": 2, "language": "ko", "translated_message": "아니요"});
    mallory.refused("setTranslatedMessage", correction, "not_found").await;
    let synced = mallory.request("sync", json!({"rooms": {room.as_str(): 0}})).await;
    assert!(!synced.to_string().contains("はい"), "{synced}");
    let list = mallory.ask("getRoomList", json!({})).await;
    assert_eq!(list["rooms"], json!([]));
    assert_eq!(quiet.world.row_counts().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn oversized_frame_closes_with_1009() {
    let Quiet { world, room, mut patient, _hospital, before } = Quiet::start().await;
    let frame = json!({"action": "sendMessage", "room_id": room, "message": "x".repeat(200 * 1024)});
    patient.send(frame.to_string()).await;
    assert_eq!(patient.closed().await, Some(1009));
    assert_eq!(written(&world).await, only_rooms(before));
    // The person can connect again.
    let mut patient = world.connect(&testkit::people::patient()).await;
    patient.say(&room, "もしもし").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn binary_frame_closes_with_1003() {
    let Quiet { world, room, mut patient, _hospital, before } = Quiet::start().await;
    let frame = json!({"action": "sendMessage", "room_id": room, "message": "hi"});
    patient.send_binary(frame.to_string().into_bytes()).await;
    assert_eq!(patient.closed().await, Some(1003));
    assert_eq!(written(&world).await, only_rooms(before));
}

#[tokio::test(flavor = "multi_thread")]
async fn expired_token_ends_session_and_connection() {
    let world = World::start().await;
    let Consultation { room, .. } = world.consultation().await;
    world.settled().await;
    let (mut patient, token) = world.connect_briefly(&testkit::people::patient()).await;
    let before = world.row_counts().await;

    // Requests are accepted until the token expires.
    let error = loop {
        let answer = patient.request("getRoomList", json!({})).await;
        if answer["type"] == "error" {
            break answer;
        }
    };
    assert_eq!(error["code"], "session_expired", "{error}");
    patient.refused("sendMessage", json!({"room_id": room, "message": "hi"}), "session_expired").await;
    assert_eq!(written(&world).await, only_rooms(before));
    let refusal = world.try_connect(&token, Credential::Header).await.expect_err("the token has expired");
    assert_eq!(refusal.status, 401);

    // The next push closes the connection instead of reaching it.
    let mut fresh = world.connect(&testkit::people::patient()).await;
    fresh.say(&room, "もしもし").await;
    patient.closed().await;
}

/// The number of rows of every table except that of connections, from which closed ones are removed.
async fn written(world: &World) -> BTreeMap<String, usize> {
    world.settled().await;
    only_rooms(world.row_counts().await)
}

fn only_rooms(mut counts: BTreeMap<String, usize>) -> BTreeMap<String, usize> {
    counts.remove("ConnectionsTable");
    counts
}
