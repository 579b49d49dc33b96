//! What one person can spend who asks for everything as fast as the limits allow, and in the most expensive way.
//!
//! An hour would take an hour. So each limit is made small, used up, and what the accepted requests cost is multiplied
//! by what the limit allows in an hour. `cargo test --workspace -- --nocapture hostile` prints the hour.

use std::collections::BTreeMap;
use std::time::Duration;

use end_to_end::{Client, Consultation, Row, World, root};
use local_gateway::ledger::OUTSIDE;
use measure::bill::Bill;
use measure::prices::Prices;
use serde_json::{Value, json};

/// DeepL's characters in any hour, of what the person writes and of what they ask for: 1.50 dollars.
const CHARACTERS_AN_HOUR: u64 = 60_000;
/// Dollars an hour for API Gateway, Lambda and DynamoDB, where every limit is exact: those in the `guards` table.
const DOLLARS_AN_HOUR: f64 = 2.0;
/// The same for requests that are limited in the memory of the process that answers them. A person who keeps several
/// processes of a function busy spends as many times this.
const DOLLARS_AN_HOUR_PER_PROCESS: f64 = 3.0;

/// Longer than an invocation takes. They are billed for 256 MB.
const INVOCATION: Duration = Duration::from_millis(100);

/// The largest text, 16 KB, of which nothing is translated.
fn large_text() -> String {
    "🙂".repeat(4_000)
}

/// A text of nearly 4,000 characters that is translated.
fn long_text(number: usize) -> String {
    format!("{number:02}日前から") + &"頭が痛いです。".repeat(569)
}

/// The default of a template parameter.
fn default_of(parameter: &str) -> f64 {
    let source = std::fs::read_to_string(root().join("template.yaml")).expect("the template can be read");
    let parameters = sam_template::parameters(&source).expect("the template is valid");
    let found = parameters.into_iter().find(|declared| declared.name == parameter).expect("the parameter is declared");
    found.default.expect("it has a default").parse().expect("a number")
}

/// How many requests the limit in the memory of one process allows in an hour.
fn requests_an_hour() -> f64 {
    61.0 * default_of("RequestsPerMinute")
}

/// How many requests a limit in the `guards` table allows in an hour.
fn limited_actions_an_hour() -> f64 {
    default_of("CostlyBurst") + 60.0 * default_of("CostlyPerMinute")
}

/// Repeats a request until it is refused, and returns what an accepted one costs in dollars, with everything that
/// follows from it, but without DeepL.
async fn exhaust(world: &World, client: &mut Client, action: &str, request: impl Fn(usize) -> Value) -> f64 {
    world.settled().await;
    let before = world.gateway.ledger().snapshot();
    let mut accepted = 0;
    loop {
        let answer = client.request(action, request(accepted)).await;
        if answer["code"] == "rate_limited" {
            break;
        }
        assert_eq!(answer["type"], "reply", "{action}: {answer}");
        accepted += 1;
        assert!(accepted < 100, "{action} is limited");
    }
    world.settled().await;
    let mut counts = &world.gateway.ledger().snapshot() - &before;
    counts.functions.remove(OUTSIDE);
    let total = counts.total();
    let invocations = u32::try_from(total.invocations).expect("few");
    let bill = Bill {
        action: action.to_owned(),
        functions: counts.functions,
        // Requests and replies, the last of which is the refusal.
        metered: 2 * (accepted as u64 + 1) + total.pushes,
        bytes_in: 0,
        bytes_out: 0,
        characters: 0,
        elapsed: Duration::ZERO,
        gigabyte_seconds: (INVOCATION * invocations).as_secs_f64() / 4.0,
    };
    let prices = Prices::read().expect("the price list is valid");
    bill.dollars_per_million(&prices) / 1_000_000.0 / accepted as f64
}

/// Fifty open rooms of the person, eight of which have a page of the largest texts, and the first one so many. They are
/// written directly, as if they had been filled over months.
async fn fill_rooms(world: &World, client: &mut Client, texts: usize) -> Vec<String> {
    let first = "open:hall-00".to_owned();
    client.ask("joinGroup", json!({"room_id": first})).await;
    client.say(&first, &large_text()).await;
    world.settled().await;
    let rooms: Vec<String> = (0..50).map(|number| format!("open:hall-{number:02}")).collect();
    for table in ["RoomsTable", "MembersTable", "MessagesTable"] {
        let rows = world.rows(table).await;
        let rows = rows.iter().filter(|row| row["room_id"] == first);
        let copies = rows.flat_map(|row| rooms[1..].iter().map(|room| in_room(row, room)));
        world.put(table, copies).await;
    }
    for (room, texts) in rooms[..8].iter().zip(std::iter::once(texts).chain(std::iter::repeat(30))) {
        world.write_log(room, (0..texts).map(|_| large_text())).await;
    }
    world.settled().await;
    rooms
}

fn in_room(row: &Row, room: &str) -> Row {
    let mut row = row.clone();
    row["room_id"] = json!(room);
    row
}

/// What a person spends in an hour.
struct Spending<'a> {
    world: &'a World,
    client: &'a mut Client,
    /// Dollars, by action and the shape of its request.
    dollars: BTreeMap<(&'static str, &'static str), f64>,
}

impl Spending<'_> {
    async fn add(
        &mut self,
        times_an_hour: f64,
        action: &'static str,
        shape: &'static str,
        request: impl Fn(usize) -> Value,
    ) {
        let each = exhaust(self.world, self.client, action, request).await;
        self.dollars.insert((action, shape), each * times_an_hour);
    }

    /// The sum of all so far, which starts anew.
    fn total(&mut self) -> f64 {
        let dollars = std::mem::take(&mut self.dollars);
        for ((action, shape), dollars) in &dollars {
            println!("{dollars:>8.3} dollars an hour for {action}, {shape}");
        }
        dollars.values().sum()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hour_of_one_hostile_person_costs_a_few_dollars() {
    const TEXTS: usize = 500;
    let world = World::with(|options| {
        let scaled = [("RequestsPerMinute", "10"), ("CostlyPerMinute", "1"), ("CostlyBurst", "3")];
        options.parameters.extend(scaled.map(|(name, value)| (name.to_owned(), value.to_owned())));
    })
    .await;
    let Consultation { room: consult, mut patient, hospital: _hospital } = world.consultation().await;
    let rooms = fill_rooms(&world, &mut patient, TEXTS).await;
    let large = &rooms[0];
    // The person has read nothing in it.
    let mut member = world.rows("MembersTable").await;
    member.retain(|row| row["room_id"] == *large);
    for (field, value) in [("last_read_seq", 0), ("read_text_count", 0), ("own_seq", TEXTS)] {
        member[0][field] = json!(value);
    }
    world.put("MembersTable", member).await;
    patient.say(&consult, &long_text(0)).await;
    world.settled().await;
    world.write_log(&consult, (1..30).map(long_text)).await;
    world.settled().await;
    world.refill_rate_limits().await;

    // First those with an exact limit: they count as requests of their functions as well.
    let mut spending = Spending { world: &world, client: &mut patient, dollars: BTreeMap::new() };
    let limited = limited_actions_an_hour();
    let others: Vec<String> = (0..89).map(|number| format!("user:member-{number}")).collect();
    let group = |_| json!({"kind": "group", "name": "모임", "members": others});
    spending.add(limited, "createRoom", "groups of 90", group).await;
    let languages = ["en", "de", "fr", "es"];
    let reopened = |number: usize| {
        let language = languages[number % languages.len()];
        json!({"kind": "consult", "hospital_id": "seoul-clinic", "language": language})
    };
    spending.add(limited / 10.0, "createRoom", "the same consult in another language", reopened).await;
    let search = |_| json!({"room_id": large, "query": "nothing"});
    spending.add(limited, "getChatHistory", "searches in vain", search).await;
    let modes = ["off", "on_request"];
    let mode = |number: usize| json!({"room_id": consult, "translation": modes[number % modes.len()]});
    spending.add(limited, "setRoomTranslation", "back and forth", mode).await;
    let total = spending.total();
    assert!(total < DOLLARS_AN_HOUR, "{total} dollars");

    let requests = requests_an_hour();
    let positions: BTreeMap<&String, u64> = rooms.iter().map(|room| (room, 0)).collect();
    let sync = |_| json!({"rooms": positions});
    spending.add(requests, "sync", "50 rooms that were never read", sync).await;
    spending.add(requests, "getRoomList", "full pages", |_| json!({"limit": 100})).await;
    let page = |_| json!({"room_id": large, "from": 1, "to": 1_000_000, "limit": 100});
    spending.add(requests, "getChatHistory", "by time", page).await;
    let mark = |number: usize| json!({"room_id": large, "seq": number + 1});
    spending.add(requests, "markRead", "in the middle", mark).await;
    spending.add(requests, "joinGroup", "a consult", |_| json!({"group_id": consult})).await;
    let say = |number: usize| json!({"room_id": consult, "message": format!("{number}{}", "🙂".repeat(3_999))});
    spending.add(requests, "sendMessage", "16 KB to one reader", say).await;
    spending.add(requests, "createTicket", "one after the other", |_| json!({})).await;
    let total = spending.total();
    assert!(total < DOLLARS_AN_HOUR_PER_PROCESS, "{total} dollars");
}

/// Has messages translated on request, into one language after the other, until that is refused.
async fn translate_on_request(client: &mut Client, room: &str, seqs: &[u64]) -> Value {
    for seq in seqs {
        for language in ["en", "de", "fr", "es", "it", "nl", "pl", "ru", "zh"] {
            let request = json!({"room_id": room, "seq": seq, "language": language});
            let answer = client.request("translateMessage", request).await;
            if answer["type"] == "error" {
                return answer;
            }
        }
    }
    panic!("translation is limited");
}

#[tokio::test(flavor = "multi_thread")]
async fn hour_of_one_hostile_person_bills_bounded_characters() {
    let world = World::start().await;
    let Consultation { room, mut patient, mut hospital } = world.consultation().await;
    let mut seqs = Vec::new();
    for number in 0..3 {
        seqs.push(patient.say(&room, &long_text(number)).await);
    }
    world.settled().await;
    assert!(world.translator.requests().billed_characters > 10_000, "they are translated automatically");
    let refusal = translate_on_request(&mut patient, &room, &seqs).await;
    assert_eq!(refusal["code"], "rate_limited", "{refusal}");
    // What they write is no longer translated either.
    let over = patient.say(&room, &long_text(3)).await;
    let event = hospital.event("translation", |event| event["seq"] == over).await;
    assert_eq!(event["translation"]["reason"], "rate_limited");
    let at_once = world.translator.requests().billed_characters;
    assert!(at_once as f64 <= default_of("CharactersPerHour"), "{at_once}");

    // An hour later.
    let mut buckets = world.rows("GuardsTable").await;
    buckets.retain(|row| row["full_at"].is_u64());
    for bucket in &mut buckets {
        bucket["full_at"] = json!(bucket["full_at"].as_u64().expect("a time") - 60 * 60 * 1_000);
    }
    world.put("GuardsTable", buckets).await;
    let refusal = translate_on_request(&mut patient, &room, &seqs).await;
    assert_eq!(refusal["code"], "rate_limited", "{refusal}");
    let billed = world.translator.requests().billed_characters;
    println!("{billed} characters in an hour");
    assert!((at_once + 1..=CHARACTERS_AN_HOUR).contains(&billed), "{billed}");
}
