//! The workload of a run: people, their devices and the rooms they share. All of it follows from the seed.

use std::collections::{BTreeMap, BTreeSet};

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use testkit::people::Person;

#[derive(Debug, Clone)]
pub struct Workload {
    /// Each device is one client.
    pub devices: Vec<Device>,
    /// By id.
    pub rooms: BTreeMap<String, Room>,
}

#[derive(Debug, Clone)]
pub struct Device {
    pub owner: Person,
    /// `<user id>/<device number>`.
    pub name: String,
}

#[derive(Debug, Clone)]
pub struct Room {
    /// The index of the device that opens the room.
    pub founder: usize,
    pub opening: Opening,
    /// All members, once everybody has joined.
    pub members: BTreeSet<String>,
    /// The members who join with `joinGroup`.
    pub joining: BTreeSet<String>,
    /// Whether only connections that joined the room receive its messages.
    pub is_open: bool,
}

/// The request that opens a room.
#[derive(Debug, Clone)]
pub struct Opening {
    pub action: &'static str,
    pub fields: Value,
}

/// A participant, and the index of the first device that speaks as it.
struct Participant {
    device: usize,
    name: String,
}

/// The staff of a large hospital. Up to ten connections of one participant receive every message in full.
const LARGE_HOSPITAL: usize = 12;

impl Workload {
    /// Draws `rooms` rooms and the people for them: of every ten rooms four consults, two direct rooms, two groups and
    /// two open rooms.
    #[must_use]
    pub fn generate(seed: u64, rooms: usize) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let mut users = Vec::new();
        let mut devices = Vec::new();
        for number in 0..(rooms * 2 / 3).max(4) {
            let language = if rng.random_bool(0.25) { "ja" } else { "ko" };
            let user = Person::user(&format!("u{number}"), &format!("User {number}"), language);
            users.push(Participant { device: devices.len(), name: user.participant() });
            let device_count = if number.is_multiple_of(3) { 2 } else { 1 };
            devices.extend((1..=device_count).map(|device| Device::new(&user, device)));
        }
        let mut hospitals = Vec::new();
        for number in 0..rooms.div_ceil(40) {
            let hospital = format!("h{number}");
            // In a long run one hospital has more connections than receive every message in full.
            let staff = if number == 0 && rooms >= 100 { LARGE_HOSPITAL } else { 2 };
            hospitals.push(Participant { device: devices.len(), name: format!("hospital:{hospital}") });
            for member in 0..staff {
                let id = format!("{hospital}-s{member}");
                let person = Person::staff(&id, &hospital, &format!("Staff {member}"), "ko");
                devices.push(Device::new(&person, 1));
            }
        }
        let mut workload = Self { devices, rooms: BTreeMap::new() };
        while workload.rooms.len() < rooms {
            match workload.rooms.len() % 10 {
                0 | 3 | 5 | 8 => workload.add_consult(&mut rng, &users, &hospitals),
                1 | 6 => workload.add_direct(&mut rng, &users),
                2 | 7 => workload.add_group(&mut rng, &users),
                _ => workload.add_open(&mut rng, &users),
            }
        }
        workload
    }

    /// The ids of the rooms of which a participant is a member in the end.
    pub fn rooms_of(&self, participant: &str) -> impl Iterator<Item = &str> {
        let rooms = self.rooms.iter().filter(move |(_, room)| room.members.contains(participant));
        rooms.map(|(id, _)| id.as_str())
    }

    /// The number of devices with a room to write in. A user who is in no room has none.
    #[must_use]
    pub fn writers(&self) -> usize {
        self.devices.iter().filter(|device| self.rooms_of(&device.owner.participant()).next().is_some()).count()
    }

    fn add_consult(&mut self, rng: &mut StdRng, users: &[Participant], hospitals: &[Participant]) {
        let Some(user) = users.choose(rng) else { return };
        let Some(hospital) = hospitals.choose(rng) else { return };
        let room_id = format!("consult:{}:{}", user.id(), hospital.id());
        let fields = json!({"kind": "consult", "hospital_id": hospital.id()});
        self.rooms.entry(room_id).or_insert(Room {
            founder: user.device,
            opening: Opening { action: "createRoom", fields },
            members: names([user, hospital]),
            joining: BTreeSet::new(),
            is_open: false,
        });
    }

    fn add_direct(&mut self, rng: &mut StdRng, users: &[Participant]) {
        let pair: Vec<_> = users.sample(rng, 2).collect();
        let [founder, other] = pair[..] else { return };
        let mut ids = [founder.id(), other.id()];
        ids.sort_unstable();
        self.rooms.entry(format!("direct:{}:{}", ids[0], ids[1])).or_insert(Room {
            founder: founder.device,
            opening: Opening { action: "createRoom", fields: json!({"kind": "direct", "user_id": other.id()}) },
            members: names([founder, other]),
            joining: BTreeSet::new(),
            is_open: false,
        });
    }

    fn add_group(&mut self, rng: &mut StdRng, users: &[Participant]) {
        let size = rng.random_range(3..=6);
        let chosen: Vec<_> = users.sample(rng, size).collect();
        let Some((founder, others)) = chosen.split_first() else { return };
        let id_bytes: [u8; 16] = rng.random();
        let room_id = format!("room:{}", uuid::Builder::from_random_bytes(id_bytes).into_uuid());
        // The founder adds half of the others; the rest join on their own.
        let (added, joining) = others.split_at(others.len() / 2);
        let fields = json!({
            "kind": "group",
            "name": format!("Group of {}", founder.name),
            "room_id": room_id,
            "members": names(added.iter().copied()),
        });
        let room = Room {
            founder: founder.device,
            opening: Opening { action: "createRoom", fields },
            members: names(chosen.iter().copied()),
            joining: names(joining.iter().copied()),
            is_open: false,
        };
        self.rooms.insert(room_id, room);
    }

    fn add_open(&mut self, rng: &mut StdRng, users: &[Participant]) {
        let size = rng.random_range(3..=6);
        let chosen: Vec<_> = users.sample(rng, size).collect();
        let Some(founder) = chosen.first() else { return };
        let room_id = format!("open:hall-{}", self.rooms.len());
        let members = names(chosen.iter().copied());
        let room = Room {
            founder: founder.device,
            opening: Opening { action: "joinGroup", fields: json!({"group_id": room_id}) },
            joining: members.clone(),
            members,
            is_open: true,
        };
        self.rooms.insert(room_id, room);
    }
}

impl Device {
    fn new(owner: &Person, number: usize) -> Self {
        Self { owner: owner.clone(), name: format!("{}/{number}", owner.user_id) }
    }
}

impl Participant {
    /// The part after `user:` or `hospital:`.
    fn id(&self) -> &str {
        self.name.split_once(':').map_or(&self.name, |(_, id)| id)
    }
}

fn names<'a>(participants: impl IntoIterator<Item = &'a Participant>) -> BTreeSet<String> {
    participants.into_iter().map(|participant| participant.name.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seed_determines_workload() {
        let ids = |seed| Workload::generate(seed, 30).rooms.into_keys().collect::<Vec<_>>();
        assert_eq!(ids(7), ids(7));
        assert_ne!(ids(7), ids(8));
    }

    #[test]
    fn founders_are_members() {
        let workload = Workload::generate(1, 200);
        assert_eq!(workload.rooms.len(), 200);
        for (id, room) in &workload.rooms {
            let founder = workload.devices[room.founder].owner.participant();
            assert!(room.members.contains(&founder), "{id}");
            assert!(room.joining.is_subset(&room.members), "{id}");
            assert!(room.members.len() >= 2, "{id}");
        }
    }

    #[test]
    fn devices_without_rooms_are_not_writers() {
        let workload = Workload::generate(11, 200);
        assert!(workload.writers() < workload.devices.len(), "this seed draws a device without a room");
    }

    #[test]
    fn long_run_has_large_hospital() {
        let workload = Workload::generate(1, 200);
        let staff = workload.devices.iter().filter(|device| device.owner.participant() == "hospital:h0");
        assert!(staff.count() > 10);
    }
}
