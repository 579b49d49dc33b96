//! Who takes part in a run: the people, the devices they hold, and the rooms they share. All of it follows from the seed.

use std::collections::{BTreeMap, BTreeSet};

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use testkit::people::Person;

/// Everybody, and every room.
#[derive(Debug, Clone)]
pub struct Cast {
    /// The devices; each is one client.
    pub devices: Vec<Device>,
    /// The rooms, by id.
    pub rooms: BTreeMap<String, Room>,
}

/// One client.
#[derive(Debug, Clone)]
pub struct Device {
    /// Whose it is.
    pub person: Person,
    /// The person's user id and the device's number.
    pub name: String,
}

/// A room of the run.
#[derive(Debug, Clone)]
pub struct Room {
    /// Which device opens it.
    pub founder: usize,
    /// How it is opened: the action and its fields.
    pub opening: (&'static str, Value),
    /// Those who have a seat in the end.
    pub members: BTreeSet<String>,
    /// Those of them who take their seat themselves, by `joinGroup`.
    pub joining: BTreeSet<String>,
    /// Whether only connections that joined it get what is said in it.
    pub open: bool,
}

/// How many of its staff are connected at once; up to ten connections of one participant are told each word.
const LARGE_HOSPITAL: usize = 12;

impl Cast {
    /// Draws so many rooms and the people for them: of each ten rooms four consults, two direct rooms, two groups, two open
    /// rooms.
    #[must_use]
    pub fn of(seed: u64, rooms: usize) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let mut users = Vec::new();
        let mut devices = Vec::new();
        for number in 0..(rooms * 2 / 3).max(4) {
            let language = if rng.random_bool(0.25) { "ja" } else { "ko" };
            let person = Person::user(&format!("u{number}"), &format!("User {number}"), language);
            users.push((devices.len(), person.participant()));
            let count = if number.is_multiple_of(3) { 2 } else { 1 };
            devices.extend((1..=count).map(|device| Device::of(&person, device)));
        }
        let mut hospitals = Vec::new();
        for number in 0..rooms.div_ceil(40) {
            // In a long run one hospital has more open screens than are told each word.
            let staff = if number == 0 && rooms >= 100 { LARGE_HOSPITAL } else { 2 };
            hospitals.push((devices.len(), format!("hospital:h{number}")));
            for member in 0..staff {
                let (id, hospital) = (format!("h{number}-s{member}"), format!("h{number}"));
                devices.push(Device::of(&Person::staff(&id, &hospital, &format!("Staff {member}"), "ko"), 1));
            }
        }
        let mut cast = Self { devices, rooms: BTreeMap::new() };
        while cast.rooms.len() < rooms {
            match cast.rooms.len() % 10 {
                0 | 3 | 5 | 8 => cast.add_consult(&mut rng, &users, &hospitals),
                1 | 6 => cast.add_direct(&mut rng, &users),
                2 | 7 => cast.add_group(&mut rng, &users),
                _ => cast.add_open(&mut rng, &users),
            }
        }
        cast
    }

    /// The ids of the rooms in which a participant has a seat in the end.
    pub fn rooms_of(&self, participant: &str) -> impl Iterator<Item = &str> {
        let rooms = self.rooms.iter().filter(move |(_, room)| room.members.contains(participant));
        rooms.map(|(id, _)| id.as_str())
    }

    /// How many devices have a room to write in. A user whom no room was drawn for has none.
    pub fn writers(&self) -> usize {
        self.devices.iter().filter(|device| self.rooms_of(&device.person.participant()).next().is_some()).count()
    }

    fn add_consult(&mut self, rng: &mut StdRng, users: &[(usize, String)], hospitals: &[(usize, String)]) {
        let (Some((device, user)), Some((_, hospital))) = (users.choose(rng), hospitals.choose(rng)) else { return };
        let (user_id, hospital_id) = (id_of(user), id_of(hospital));
        let id = format!("consult:{user_id}:{hospital_id}");
        let opening = ("createRoom", json!({"kind": "consult", "hospital_id": hospital_id}));
        let members = [user.clone(), hospital.clone()].into();
        self.rooms.entry(id).or_insert(Room {
            founder: *device,
            opening,
            members,
            joining: BTreeSet::new(),
            open: false,
        });
    }

    fn add_direct(&mut self, rng: &mut StdRng, users: &[(usize, String)]) {
        let pair: Vec<_> = users.sample(rng, 2).collect();
        let [(device, one), (_, other)] = pair[..] else { return };
        let mut ids = [id_of(one), id_of(other)];
        let opening = ("createRoom", json!({"kind": "direct", "user_id": ids[1]}));
        ids.sort_unstable();
        let id = format!("direct:{}:{}", ids[0], ids[1]);
        let members = [one.clone(), other.clone()].into();
        self.rooms.entry(id).or_insert(Room {
            founder: *device,
            opening,
            members,
            joining: BTreeSet::new(),
            open: false,
        });
    }

    fn add_group(&mut self, rng: &mut StdRng, users: &[(usize, String)]) {
        let size = rng.random_range(3..=6);
        let chosen: Vec<_> = users.sample(rng, size).collect();
        let Some((founder, owner)) = chosen.first().copied() else { return };
        let bytes: [u8; 16] = rng.random();
        let id = format!("room:{}", uuid::Builder::from_random_bytes(bytes).into_uuid());
        // The owner gives half of the others their seats; the rest come by themselves.
        let (seated, joining) = chosen[1..].split_at((chosen.len() - 1) / 2);
        let names = |some: &[&(usize, String)]| some.iter().map(|(_, name)| name.clone()).collect::<BTreeSet<_>>();
        let opening = (
            "createRoom",
            json!({"kind": "group", "name": format!("Group of {owner}"), "room_id": id, "members": names(seated)}),
        );
        let (members, joining) = (names(&chosen), names(joining));
        self.rooms.insert(id, Room { founder: *founder, opening, members, joining, open: false });
    }

    fn add_open(&mut self, rng: &mut StdRng, users: &[(usize, String)]) {
        let size = rng.random_range(3..=6);
        let chosen: Vec<_> = users.sample(rng, size).collect();
        let Some((founder, _)) = chosen.first().copied() else { return };
        let id = format!("open:hall-{}", self.rooms.len());
        let opening = ("joinGroup", json!({"group_id": id}));
        let members: BTreeSet<String> = chosen.iter().map(|(_, name)| name.clone()).collect();
        let joining = members.clone();
        self.rooms.insert(id, Room { founder: *founder, opening, members, joining, open: true });
    }
}

impl Device {
    fn of(person: &Person, number: usize) -> Self {
        Self { person: person.clone(), name: format!("{}/{number}", person.user_id) }
    }
}

fn id_of(participant: &str) -> &str {
    participant.split_once(':').map_or(participant, |(_, id)| id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_draws_the_same_cast_and_another_one_another() {
        let ids = |seed| Cast::of(seed, 30).rooms.into_keys().collect::<Vec<_>>();
        assert_eq!(ids(7), ids(7));
        assert_ne!(ids(7), ids(8));
    }

    #[test]
    fn every_room_is_opened_by_one_of_its_members() {
        let cast = Cast::of(1, 200);
        assert_eq!(cast.rooms.len(), 200);
        for (id, room) in &cast.rooms {
            let founder = cast.devices[room.founder].person.participant();
            assert!(room.members.contains(&founder), "{id}");
            assert!(room.joining.is_subset(&room.members), "{id}");
            assert!(room.members.len() >= 2, "{id}");
        }
    }

    #[test]
    fn who_has_no_room_is_not_waited_for() {
        let cast = Cast::of(11, 200);
        assert!(cast.writers() < cast.devices.len(), "this seed draws somebody without a room");
    }

    #[test]
    fn a_long_run_has_a_hospital_with_more_screens_than_are_told_each_word() {
        let cast = Cast::of(1, 200);
        let screens = cast.devices.iter().filter(|device| device.person.participant() == "hospital:h0");
        assert!(screens.count() > 10);
    }
}
