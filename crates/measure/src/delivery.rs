//! How long it takes from one client's send to another's receipt, how many messages a second a stack takes, and what one hot
//! room bears.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use futures::{StreamExt, TryStreamExt, stream};
use local_gateway::faults::Latencies;
use serde_json::{Value, json};
use testkit::people::Person;

use crate::client::{Client, ClientError};
use crate::percentile::{milliseconds, percentile};
use crate::stack::{MeasureError, Setup, Stack};
use crate::table::Table;

/// Two people in a room of their own.
struct Pair {
    room: String,
    sender: Client,
    receiver: Client,
}

/// What came of sending at one rate.
struct Outcome {
    sent: usize,
    delivered: Vec<Duration>,
    replied: Vec<Duration>,
    doubles: u64,
    took: Duration,
}

/// At how many messages a second, and of how many in all at least.
const RATES: [(f64, usize); 3] = [(1.0, 10), (10.0, 60), (100.0, 600)];
/// How many pairs talk.
const PAIRS: usize = 20;
/// How many messages are under way at once where as many as possible are sent.
const SATURATING: usize = 16;
/// How many writers share the hot room.
const WRITERS: usize = 20;

/// Times and rates, with the express lane and without, as fast as the machine allows and at AWS's latencies.
///
/// # Errors
///
/// See [`MeasureError`].
pub async fn delivery(setup: &Setup, latencies: &Latencies, seconds: u32) -> Result<Table, MeasureError> {
    let columns = [
        "latencies",
        "express lane",
        "offered a second",
        "sent",
        "delivery p50 ms",
        "p99 ms",
        "reply p50 ms",
        "p99 ms",
        "doubles per 1,000",
        "sent a second",
    ];
    let about = format!(
        "{PAIRS} pairs of people who talk one to one, gateway, functions and clients together on this machine. Delivery is from the sender's \
         request to the receiver's event. The last line of each block is saturation: {SATURATING} messages under way at any time, for {seconds} s."
    );
    let mut table = Table::new("How long delivery takes", &about, &columns);
    for (what, latencies) in [("this machine", None), ("AWS", Some(latencies.clone()))] {
        for (lane, limit) in [("on", "8"), ("off", "0")] {
            let stack = setup.clone().with("ExpressLimit", limit).at(latencies.clone()).start().await?;
            let pairs = pairs(&stack).await?;
            // The first messages start the processes.
            paced(&stack, &pairs, 20.0, 60).await?;
            for (rate, messages) in RATES {
                let outcome = paced(&stack, &pairs, rate, messages).await?;
                outcome.row(&mut table, what, lane, &format!("{rate:.0}"));
            }
            let outcome = saturated(&stack, &pairs, Duration::from_secs(seconds.into())).await?;
            outcome.row(&mut table, what, lane, "saturation");
            stack.gateway.shut_down().await;
        }
    }
    Ok(table)
}

/// One room that everybody writes in, at AWS's latencies.
///
/// # Errors
///
/// See [`MeasureError`].
pub async fn hot_room(setup: &Setup, latencies: &Latencies, seconds: u32) -> Result<Table, MeasureError> {
    let columns = [
        "offered a second",
        "offered",
        "stored",
        "stored a second",
        "tries a message",
        "told to wait",
        "reply p50 ms",
        "p99 ms",
        "holes",
    ];
    let about = format!(
        "{WRITERS} people write in one group at AWS's latencies, for {seconds} s each. A try is one transaction; who is told to wait \
         (`rate_limited`) has nothing stored and repeats later, which is not counted here."
    );
    let mut table = Table::new("One hot room", &about, &columns);
    let stack = setup.clone().at(Some(latencies.clone())).start().await?;
    let people: Vec<_> = (0..WRITERS).map(|number| Person::user(&format!("writer-{number}"), "사람", "ko")).collect();
    let members: Vec<_> = people.iter().skip(1).map(Person::participant).collect();
    let writers = connected(&stack, people).await?;
    let reply = writers[0].ask("createRoom", json!({"kind": "group", "name": "모임", "members": members})).await?;
    let room = &reply["room"]["room_id"];
    for rate in [10_u32, 20, 60, 120] {
        stack.settled().await?;
        let before = stack.gateway.ledger().snapshot();
        let begun = Instant::now();
        let offered = seconds * rate;
        let answers: Vec<(Duration, Value)> = stream::iter(0..offered)
            .map(|number| {
                let writer = &writers[number as usize % WRITERS];
                let at = begun + Duration::from_secs(1) * number / rate;
                async move {
                    tokio::time::sleep_until(at.into()).await;
                    let asked = Instant::now();
                    let message = json!({"room_id": room, "message": format!("{rate} {number}")});
                    let answer = writer.request("sendMessage", message).await?;
                    Ok::<_, ClientError>((asked.elapsed(), answer))
                }
            })
            .buffer_unordered(offered as usize)
            .try_collect()
            .await?;
        let took = begun.elapsed();
        let counts = &stack.gateway.ledger().snapshot() - &before;
        let tries: u64 = counts
            .function("SendMessageFunction")
            .calls
            .iter()
            .filter(|(kind, _)| kind.contains("TransactWriteItems"))
            .map(|(_, call)| call.calls)
            .sum();
        let (stored, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|(_, answer)| answer["type"] == "reply");
        let numbers: BTreeSet<u64> = stored.iter().filter_map(|(_, answer)| answer["seq"].as_u64()).collect();
        let span = numbers.last().zip(numbers.first()).map_or(0, |(last, first)| last - first + 1);
        let times: Vec<_> = stored.iter().map(|(time, _)| *time).collect();
        let count = u32::try_from(stored.len()).unwrap_or(u32::MAX);
        table.row([
            rate.to_string(),
            offered.to_string(),
            count.to_string(),
            format!("{:.0}", f64::from(count) / took.as_secs_f64()),
            format!("{:.2}", tries as f64 / f64::from(count.max(1))),
            refused.len().to_string(),
            milliseconds(percentile(&times, 50)),
            milliseconds(percentile(&times, 99)),
            (span - numbers.len() as u64).to_string(),
        ]);
    }
    stack.gateway.shut_down().await;
    Ok(table)
}

impl Outcome {
    fn row(&self, table: &mut Table, latencies: &str, lane: &str, offered: &str) {
        table.row([
            latencies.to_owned(),
            lane.to_owned(),
            offered.to_owned(),
            self.sent.to_string(),
            milliseconds(percentile(&self.delivered, 50)),
            milliseconds(percentile(&self.delivered, 99)),
            milliseconds(percentile(&self.replied, 50)),
            milliseconds(percentile(&self.replied, 99)),
            format!("{:.1}", self.doubles as f64 * 1000.0 / self.sent.max(1) as f64),
            format!("{:.0}", self.sent as f64 / self.took.as_secs_f64()),
        ]);
    }
}

async fn connected(stack: &Stack, people: Vec<Person>) -> Result<Vec<Client>, ClientError> {
    stream::iter(people).map(async |person| stack.connect(&person).await).buffered(8).try_collect().await
}

async fn pairs(stack: &Stack) -> Result<Vec<Pair>, MeasureError> {
    let names = |side: &str| (0..PAIRS).map(|number| format!("{side}-{number}")).collect::<Vec<_>>();
    let person = |name: &String| Person::user(name, "사람", "ko");
    let senders = connected(stack, names("sender").iter().map(person).collect()).await?;
    let receivers = connected(stack, names("receiver").iter().map(person).collect()).await?;
    let mut pairs = Vec::new();
    for (number, (sender, receiver)) in senders.into_iter().zip(receivers).enumerate() {
        let room = json!({"kind": "direct", "user_id": format!("receiver-{number}")});
        let reply = sender.ask("createRoom", room).await?;
        let room = reply["room"]["room_id"].as_str().unwrap_or_default().to_owned();
        pairs.push(Pair { room, sender, receiver });
    }
    stack.settled().await?;
    Ok(pairs)
}

impl Pair {
    /// Sends a text and waits until it is answered and has come: the times of both.
    async fn exchange(&self, text: &str) -> Result<(Duration, Duration), ClientError> {
        let asked = Instant::now();
        let message = json!({"room_id": self.room, "message": text, "message_id": uuid::Uuid::new_v4()});
        let replied = async {
            self.sender.ask("sendMessage", message).await?;
            Ok(asked.elapsed())
        };
        let (replied, heard) = tokio::try_join!(replied, self.receiver.hears(text))?;
        Ok((replied, heard.saturating_duration_since(asked)))
    }
}

/// Sends at a steady rate, whatever comes of it.
async fn paced(stack: &Stack, pairs: &[Pair], rate: f64, messages: usize) -> Result<Outcome, MeasureError> {
    let (begun, doubles) = (Instant::now(), doubles(pairs));
    let times: Vec<_> = stream::iter(0..messages)
        .map(|number| async move {
            let at = begun + Duration::from_secs_f64(number as f64 / rate);
            tokio::time::sleep_until(at.into()).await;
            pairs[number % PAIRS].exchange(&format!("{rate} {number}")).await
        })
        .buffer_unordered(messages)
        .try_collect()
        .await?;
    outcome(stack, pairs, times, begun.elapsed(), doubles).await
}

/// Sends as fast as answers come.
async fn saturated(stack: &Stack, pairs: &[Pair], time: Duration) -> Result<Outcome, MeasureError> {
    let (begun, doubles) = (Instant::now(), doubles(pairs));
    let times: Vec<_> = stream::iter(0..)
        .take_while(|_| futures::future::ready(begun.elapsed() < time))
        .map(|number: usize| async move { pairs[number % PAIRS].exchange(&format!("much {number}")).await })
        .buffer_unordered(SATURATING)
        .try_collect()
        .await?;
    outcome(stack, pairs, times, begun.elapsed(), doubles).await
}

/// What came of it, once nothing follows any more: what is still to be heard then came twice.
async fn outcome(
    stack: &Stack,
    pairs: &[Pair],
    times: Vec<(Duration, Duration)>,
    took: Duration,
    doubles_before: u64,
) -> Result<Outcome, MeasureError> {
    stack.settled().await?;
    for pair in pairs {
        // A reply comes behind everything that was pushed before it.
        pair.receiver.ask("sync", json!({"rooms": {}})).await?;
    }
    let doubles = doubles(pairs) - doubles_before;
    let (replied, delivered) = times.iter().copied().unzip();
    Ok(Outcome { sent: times.len(), delivered, replied, doubles, took })
}

/// How often somebody heard what they had heard.
fn doubles(pairs: &[Pair]) -> u64 {
    pairs.iter().map(|pair| pair.receiver.doubles()).sum()
}
