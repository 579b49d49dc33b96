//! The people who send requests, and the rooms that they ask about.

use std::collections::BTreeMap;

use end_to_end::{Client, Person, World};
use serde_json::{Value, json};

use super::printed::{HOSPITAL, MEMBER, NO_ROOM, NOT_JOINED, OWNER, PATIENT, STRANGER};

/// A connected person.
pub struct Caller {
    pub person: Person,
    pub client: Client,
}

/// A room as the test knows it, kept up to date from the replies.
pub struct Room {
    pub id: String,
    pub exists: bool,
    pub closed: bool,
    /// The relation of each member to the room.
    pub members: BTreeMap<String, &'static str>,
    /// The authors of its texts, and the `seq` of each text.
    pub texts: Vec<(String, u64)>,
}

pub struct Fixtures {
    pub world: World,
    pub callers: Vec<Caller>,
    pub rooms: Vec<Room>,
}

/// A group that exists, and one that does not.
const GROUP: &str = "room:01931b1c-7d4e-7cc3-98c4-dc0c0c07398f";
const NO_GROUP: &str = "room:01931b1c-7d4e-7cc3-98c4-dc0c0c073990";

impl Room {
    fn new(id: &str) -> Self {
        Self { id: id.to_owned(), exists: false, closed: false, members: BTreeMap::new(), texts: Vec::new() }
    }

    /// The kind of room, and the other parts of its id.
    pub fn parts(&self) -> (&str, Vec<&str>) {
        let mut parts = self.id.split(':');
        (parts.next().expect("an id names a kind"), parts.collect())
    }

    /// The relation of a person to this room.
    pub fn relation(&self, person: &Person) -> &'static str {
        let hidden = matches!(self.parts().0, "consult" | "direct");
        match self.members.get(&person.participant()) {
            _ if !self.exists => NO_ROOM,
            Some(relation) => relation,
            None if hidden => STRANGER,
            None => NOT_JOINED,
        }
    }

    /// The two members that the id itself names.
    pub fn sides(&self) -> BTreeMap<String, &'static str> {
        match self.parts() {
            ("consult", ids) => {
                [(format!("user:{}", ids[0]), PATIENT), (format!("hospital:{}", ids[1]), HOSPITAL)].into()
            }
            ("direct", ids) => ids.iter().map(|id| (format!("user:{id}"), MEMBER)).collect(),
            _ => BTreeMap::new(),
        }
    }

    /// The request that opens this room. A consult or direct room is between the caller and the other side that the
    /// request names.
    pub fn opening(&self, person: &Person) -> Value {
        match self.parts() {
            ("consult", ids) => json!({"kind": "consult", "user_id": ids[0], "hospital_id": ids[1]}),
            ("direct", ids) => {
                let other = ids.iter().find(|id| **id != person.user_id);
                json!({"kind": "direct", "user_id": other})
            }
            ("room", _) => json!({"kind": "group", "name": "Recovery", "room_id": self.id}),
            (kind, _) => json!({"kind": kind, "name": "Recovery", "room_id": self.id}),
        }
    }

    /// Whether a person can ask to open this room.
    pub fn may_be_opened_by(&self, person: &Person) -> bool {
        self.id.starts_with("room:") || self.sides().contains_key(&person.participant())
    }

    /// Records that a person has opened or joined the room.
    pub fn admit(&mut self, person: &Person, role_in_group: &'static str) {
        if !self.exists {
            self.exists = true;
            self.members = self.sides();
        }
        if self.sides().is_empty() {
            self.members.entry(person.participant()).or_insert(role_in_group);
        }
    }
}

impl Fixtures {
    /// Two patients, the staff of two hospitals, a group with its owner and members, some of whom are also in an open
    /// room, and one person who is in no room.
    pub async fn build() -> Self {
        let world = World::with(|options| {
            for parameter in ["SendWindowMs", "MuteSeconds", "CostlyPerMinute", "RequestsPerMinute"] {
                options.parameters.insert(parameter.to_owned(), "0".to_owned());
            }
        })
        .await;
        let mut callers = Vec::new();
        for person in [
            Person::user("aiko", "愛子", "ja"),
            Person::user("ren", "蓮", "ja"),
            Person::staff("minjun", "seoul-clinic", "민준", "ko"),
            Person::staff("jisoo", "seoul-clinic", "지수", "ko"),
            Person::staff("seoyeon", "busan-clinic", "서연", "ko"),
            Person::user("hana", "하나", "ko"),
            Person::user("joon", "준", "ko"),
            Person::user("mallory", "Mallory", "en"),
        ] {
            callers.push(Caller { client: world.connect(&person).await, person });
        }
        let mut fixtures = Self { world, callers, rooms: Vec::new() };
        fixtures.open("consult:aiko:seoul-clinic", &["aiko", "minjun"]).await;
        fixtures.open("consult:aiko:busan-clinic", &["aiko", "seoyeon"]).await;
        fixtures.open("consult:ren:seoul-clinic", &["ren", "jisoo"]).await;
        fixtures.open("direct:hana:joon", &["hana", "joon"]).await;
        fixtures.open(GROUP, &["hana", "joon", "seoyeon"]).await;
        fixtures.open("open:lobby", &["joon", "seoyeon"]).await;
        fixtures
            .ask("seoyeon", "changeRoomStatus", json!({"room_id": "consult:aiko:busan-clinic", "status": "closed"}))
            .await;
        fixtures.rooms[1].closed = true;
        for missing in
            ["consult:aiko:jeju-clinic", "consult:nobody:seoul-clinic", "direct:joon:nobody", NO_GROUP, "open:nowhere"]
        {
            fixtures.rooms.push(Room::new(missing));
        }
        fixtures.world.settled().await;
        fixtures
    }

    /// Opens a room in which each of these people says something. It is translated into every language that
    /// [`correctable`] returns.
    async fn open(&mut self, id: &str, people: &[&str]) {
        let mut room = Room::new(id);
        for (number, user_id) in people.iter().enumerate() {
            let caller = self.caller(user_id);
            let person = caller.person.clone();
            let opens = number == 0 && !id.starts_with("open:");
            if opens {
                caller.client.ask("createRoom", room.opening(&person)).await;
            } else {
                caller.client.ask("joinGroup", json!({"room_id": id})).await;
            }
            let seq = caller.client.say(id, &format!("{user_id} {id}")).await;
            for language in ["de", "en", "fr"] {
                let wanted = json!({"room_id": id, "seq": seq, "language": language});
                caller.client.ask("translateMessage", wanted).await;
            }
            room.admit(&person, if number == 0 && id.starts_with("room:") { OWNER } else { MEMBER });
            room.texts.push((person.participant(), seq));
        }
        self.rooms.push(room);
    }

    pub fn caller(&mut self, user_id: &str) -> &mut Caller {
        self.callers.iter_mut().find(|caller| caller.person.user_id == user_id).expect("a person of the fixtures")
    }

    /// Sends a request that must succeed.
    pub async fn ask(&mut self, user_id: &str, action: &str, fields: Value) -> Value {
        self.caller(user_id).client.ask(action, fields).await
    }
}

/// The language that this person corrects. No two people correct the same translation, which would be a conflict.
pub fn correctable(person: &Person) -> &'static str {
    match person.user_id.as_str() {
        "minjun" | "seoyeon" => "en",
        "jisoo" => "de",
        _ => "fr",
    }
}
