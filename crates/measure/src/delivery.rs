//! Delivery times from one client's request to another client's event, the throughput of a stack, and of one hot room.

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

/// Two people in a direct room.
struct Pair {
    room: String,
    sender: Client,
    receiver: Client,
}

/// The times of one message, from its request.
struct Exchange {
    replied: Duration,
    delivered: Duration,
}

/// The messages sent at one rate.
struct Outcome {
    exchanges: Vec<Exchange>,
    duplicates: u64,
    elapsed: Duration,
}

/// A rate in messages per second, and the messages sent at that rate.
const RATES: [(f64, usize); 3] = [(1.0, 10), (10.0, 60), (100.0, 600)];
/// The rate and number of the messages that start the processes.
const WARM_UP: (f64, usize) = (20.0, 60);
const PAIRS: usize = 20;
/// The messages in flight at saturation.
const SATURATION: usize = 16;
/// The members of the hot room.
const WRITERS: usize = 20;
const HOT_ROOM_RATES: [u32; 4] = [10, 20, 60, 120];

/// Delivery times and throughput, with and without the express lane, as fast as the machine allows and at AWS's
/// latencies.
///
/// # Errors
///
/// See [`MeasureError`].
pub async fn delivery(setup: &Setup, latencies: &Latencies, seconds: u32) -> Result<Table, MeasureError> {
    let about = format!(
        "{PAIRS} pairs of people talk one to one; gateway, functions and clients share this machine. Delivery is the \
         time from the sender's request to the receiver's event. The last line of each block is saturation: \
         {SATURATION} messages in flight at any time for {seconds} s, each until it is received. At AWS's latencies, \
         that number is the bottleneck ({SATURATION} per 0.2 s without the express lane), not the stack."
    );
    let columns = [
        "latencies",
        "express lane",
        "offered per second",
        "sent",
        "delivery p50 ms",
        "delivery p99 ms",
        "reply p50 ms",
        "reply p99 ms",
        "duplicates per 1,000",
        "sent per second",
    ];
    let mut table = Table::new("Delivery latency", &about, &columns);
    for (latencies_label, latencies) in [("this machine", None), ("AWS", Some(latencies.clone()))] {
        for (lane, limit) in [("on", "8"), ("off", "0")] {
            let stack = setup.clone().with("ExpressLimit", limit).at(latencies.clone()).start().await?;
            let pairs = connect_pairs(&stack).await?;
            let (rate, messages) = WARM_UP;
            send_at_rate(&stack, &pairs, rate, messages).await?;
            for (rate, messages) in RATES {
                let outcome = send_at_rate(&stack, &pairs, rate, messages).await?;
                outcome.add_row(&mut table, latencies_label, lane, &format!("{rate:.0}"));
            }
            let outcome = saturate(&stack, &pairs, Duration::from_secs(seconds.into())).await?;
            outcome.add_row(&mut table, latencies_label, lane, "saturation");
            stack.gateway.shut_down().await;
        }
    }
    Ok(table)
}

/// One room in which many people write, at AWS's latencies.
///
/// # Errors
///
/// See [`MeasureError`].
pub async fn hot_room(setup: &Setup, latencies: &Latencies, seconds: u32) -> Result<Table, MeasureError> {
    let about = format!(
        "{WRITERS} people write in one group at AWS's latencies, for {seconds} s each. The local gateway runs at most \
         ten processes of a function, where Lambda would start more: at 120 a second, replies wait for one of them. An \
         attempt is one transaction. A rate-limited message (`rate_limited`) is not stored and is retried later, which \
         is not counted here."
    );
    let columns = [
        "offered per second",
        "offered",
        "stored",
        "stored per second",
        "attempts per message",
        "rate limited",
        "reply p50 ms",
        "reply p99 ms",
        "gaps",
    ];
    let mut table = Table::new("One hot room", &about, &columns);
    let stack = setup.clone().at(Some(latencies.clone())).start().await?;
    let people: Vec<_> = (0..WRITERS).map(|number| Person::user(&format!("writer-{number}"), "사람", "ko")).collect();
    let members: Vec<_> = people.iter().skip(1).map(Person::participant).collect();
    let writers = connect_all(&stack, people).await?;
    let reply = writers[0].ask("createRoom", json!({"kind": "group", "name": "모임", "members": members})).await?;
    let room = &reply["room"]["room_id"];
    for rate in HOT_ROOM_RATES {
        stack.settled().await?;
        let counts_before = stack.gateway.ledger().snapshot();
        let started = Instant::now();
        let offered = seconds * rate;
        let answers: Vec<(Duration, Value)> = stream::iter(0..offered)
            .map(|number| {
                let writer = &writers[number as usize % WRITERS];
                let due = started + Duration::from_secs(1) * number / rate;
                async move {
                    tokio::time::sleep_until(due.into()).await;
                    let requested = Instant::now();
                    let message = json!({"room_id": room, "message": format!("{rate} {number}")});
                    let answer = writer.request("sendMessage", message).await?;
                    Ok::<_, ClientError>((requested.elapsed(), answer))
                }
            })
            .buffer_unordered(offered as usize)
            .try_collect()
            .await?;
        let elapsed = started.elapsed();
        let counts = &stack.gateway.ledger().snapshot() - &counts_before;
        let send_calls = counts.function("SendMessageFunction").calls;
        let transactions = send_calls.iter().filter(|(kind, _)| kind.contains("TransactWriteItems"));
        let attempts: u64 = transactions.map(|(_, call)| call.calls).sum();
        let (stored, limited): (Vec<_>, Vec<_>) = answers.iter().partition(|(_, answer)| answer["type"] == "reply");
        let times: Vec<_> = stored.iter().map(|(time, _)| *time).collect();
        let stored_count = u32::try_from(stored.len()).unwrap_or(u32::MAX);
        let seqs: BTreeSet<u64> = stored.iter().filter_map(|(_, answer)| answer["seq"].as_u64()).collect();
        let attempts_per_message = attempts as f64 / f64::from(stored_count.max(1));
        table.add_row([
            rate.to_string(),
            offered.to_string(),
            stored_count.to_string(),
            format!("{:.0}", f64::from(stored_count) / elapsed.as_secs_f64()),
            format!("{attempts_per_message:.2}"),
            limited.len().to_string(),
            milliseconds(percentile(&times, 50)),
            milliseconds(percentile(&times, 99)),
            gaps(&seqs).to_string(),
        ]);
    }
    stack.gateway.shut_down().await;
    Ok(table)
}

/// How many numbers are missing between the first and the last.
fn gaps(seqs: &BTreeSet<u64>) -> u64 {
    let span = seqs.last().zip(seqs.first()).map_or(0, |(last, first)| last - first + 1);
    span - seqs.len() as u64
}

impl Outcome {
    fn add_row(&self, table: &mut Table, latencies: &str, lane: &str, offered: &str) {
        let sent = self.exchanges.len();
        let delivered: Vec<_> = self.exchanges.iter().map(|exchange| exchange.delivered).collect();
        let replied: Vec<_> = self.exchanges.iter().map(|exchange| exchange.replied).collect();
        let duplicates_per_thousand = self.duplicates as f64 * 1000.0 / sent.max(1) as f64;
        let rate = sent as f64 / self.elapsed.as_secs_f64();
        table.add_row([
            latencies.to_owned(),
            lane.to_owned(),
            offered.to_owned(),
            sent.to_string(),
            milliseconds(percentile(&delivered, 50)),
            milliseconds(percentile(&delivered, 99)),
            milliseconds(percentile(&replied, 50)),
            milliseconds(percentile(&replied, 99)),
            format!("{duplicates_per_thousand:.1}"),
            format!("{rate:.0}"),
        ]);
    }
}

async fn connect_all(stack: &Stack, people: Vec<Person>) -> Result<Vec<Client>, ClientError> {
    stream::iter(people).map(async |person| stack.connect(&person).await).buffered(8).try_collect().await
}

async fn connect_pairs(stack: &Stack) -> Result<Vec<Pair>, MeasureError> {
    let people =
        |role: &str| (0..PAIRS).map(|number| Person::user(&format!("{role}-{number}"), "사람", "ko")).collect();
    let senders = connect_all(stack, people("sender")).await?;
    let receivers = connect_all(stack, people("receiver")).await?;
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
    /// Sends a text and waits until it is acknowledged and received.
    async fn exchange(&self, text: &str) -> Result<Exchange, ClientError> {
        let requested = Instant::now();
        let message = json!({"room_id": self.room, "message": text, "message_id": uuid::Uuid::new_v4()});
        let replied = async {
            self.sender.ask("sendMessage", message).await?;
            Ok(requested.elapsed())
        };
        let (replied, arrived) = tokio::try_join!(replied, self.receiver.wait_for_message(text))?;
        Ok(Exchange { replied, delivered: arrived.saturating_duration_since(requested) })
    }
}

/// Sends at a steady rate, however long the answers take.
async fn send_at_rate(stack: &Stack, pairs: &[Pair], rate: f64, messages: usize) -> Result<Outcome, MeasureError> {
    let duplicates_before = duplicates(pairs);
    let started = Instant::now();
    let exchanges: Vec<_> = stream::iter(0..messages)
        .map(|number| async move {
            let due = started + Duration::from_secs_f64(number as f64 / rate);
            tokio::time::sleep_until(due.into()).await;
            pairs[number % PAIRS].exchange(&format!("{rate} {number}")).await
        })
        .buffer_unordered(messages)
        .try_collect()
        .await?;
    outcome(stack, pairs, exchanges, started.elapsed(), duplicates_before).await
}

/// Sends as fast as messages are received.
async fn saturate(stack: &Stack, pairs: &[Pair], duration: Duration) -> Result<Outcome, MeasureError> {
    let duplicates_before = duplicates(pairs);
    let started = Instant::now();
    let exchanges: Vec<_> = stream::iter(0..)
        .take_while(|_| futures::future::ready(started.elapsed() < duration))
        .map(|number: usize| async move { pairs[number % PAIRS].exchange(&format!("saturation {number}")).await })
        .buffer_unordered(SATURATION)
        .try_collect()
        .await?;
    outcome(stack, pairs, exchanges, started.elapsed(), duplicates_before).await
}

/// Counts the duplicates once nothing more follows from the messages.
async fn outcome(
    stack: &Stack,
    pairs: &[Pair],
    exchanges: Vec<Exchange>,
    elapsed: Duration,
    duplicates_before: u64,
) -> Result<Outcome, MeasureError> {
    stack.settled().await?;
    for pair in pairs {
        // A reply arrives after everything that was pushed before it.
        pair.receiver.ask("sync", json!({"rooms": {}})).await?;
    }
    Ok(Outcome { exchanges, duplicates: duplicates(pairs) - duplicates_before, elapsed })
}

fn duplicates(pairs: &[Pair]) -> u64 {
    pairs.iter().map(|pair| pair.receiver.duplicates()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_counted_between_first_and_last() {
        assert_eq!(gaps(&BTreeSet::new()), 0);
        assert_eq!(gaps(&BTreeSet::from([5, 6, 7])), 0);
        assert_eq!(gaps(&BTreeSet::from([5, 9])), 3);
    }
}
