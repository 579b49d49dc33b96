//! One message to very many connections in one room, whose clients are a process of their own: each process may hold only so many
//! open files.

use std::process::Stdio;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use futures::{StreamExt, TryStreamExt, stream};
use local_gateway::faults::{Chance, Plan};
use serde_json::json;
use testkit::people::Person;
use testkit::stack;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::client::{Client, ClientError, Traffic};
use crate::percentile::{milliseconds, percentile};
use crate::stack::{MeasureError, Setup};
use crate::table::Table;

/// How many connections listen.
const SIZES: [usize; 5] = [1, 2, 10, 1_000, 10_000];
const ROOM: &str = "open:hall";
/// How many connect at once.
const AT_ONCE: usize = 16;
/// How long the clients may take to connect.
const CONNECTING: Duration = Duration::from_secs(600);

/// Sends one message to more and more connections.
///
/// # Errors
///
/// See [`MeasureError`].
pub async fn fan_out(setup: &Setup, most: usize) -> Result<Table, MeasureError> {
    let columns = [
        "connections",
        "first ms",
        "p50 ms",
        "p99 ms",
        "last ms",
        "pushes a second",
        "AWS calls of fan-out",
        "its peak memory MB",
    ];
    let about = "From the sender's request to each receipt, one message in one open room; the clients are a process of their own. With the hung one, \
                 a single connection answers no push; the times are those of the others.";
    let mut table = Table::new("One message to many connections", about, &columns);
    let stack = setup.start().await?;
    let sender = stack.connect(&Person::user("sender", "사람", "ko")).await?;
    sender.ask("joinGroup", json!({"group_id": ROOM})).await?;
    let mut crowd = Crowd::start(&stack.gateway.websocket_url())?;
    let mut connected = 0;
    let sizes = SIZES.into_iter().filter(|size| *size <= most);
    for (size, is_hung) in
        sizes.flat_map(|size| [(size, false), (size, true)]).filter(|(size, hung)| !hung || *size == 1_000)
    {
        crowd.connect(size - connected).await?;
        connected = size;
        stack.settled().await?;
        if is_hung {
            let mut plan = Plan::default();
            plan.pushes.hung = Chance::once();
            stack.gateway.faults().set(plan).map_err(|error| MeasureError::Other(error.to_string()))?;
        }
        let answering = size - usize::from(is_hung);
        let before = stack.gateway.ledger().snapshot();
        let text = format!("여러분 {size} {is_hung}");
        let sent = now();
        sender.ask("sendMessage", json!({"room_id": ROOM, "message": text})).await?;
        let times: Vec<Duration> =
            crowd.heard(answering, &text).await?.into_iter().map(|at| at.saturating_sub(sent)).collect();
        stack.settled().await?;
        let counts = &stack.gateway.ledger().snapshot() - &before;
        stack.gateway.faults().calm();
        let last = percentile(&times, 100);
        let memory = stack
            .gateway
            .functions()
            .process_stats()
            .get("FanOutFunction")
            .and_then(|figures| figures.memory.iter().map(|memory| memory.peak).max());
        let calls: u64 = counts.function("FanOutFunction").calls.values().map(|call| call.calls).sum();
        #[expect(clippy::cast_precision_loss, reason = "for people")]
        table.row([
            format!("{size}{}", if is_hung { ", one of them hung" } else { "" }),
            milliseconds(times.iter().min().copied()),
            milliseconds(percentile(&times, 50)),
            milliseconds(percentile(&times, 99)),
            milliseconds(last),
            format!("{:.0}", size as f64 / last.unwrap_or_default().as_secs_f64()),
            calls.to_string(),
            memory.map_or_else(|| "–".to_owned(), |bytes| format!("{:.1}", bytes as f64 / 1_000_000.0)),
        ]);
    }
    drop(crowd);
    stack.gateway.shut_down().await;
    Ok(table)
}

/// The process of the clients, told line by line what to do.
struct Crowd {
    _process: Child,
    orders: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Crowd {
    fn start(url: &str) -> Result<Self, MeasureError> {
        let failed =
            |problem: std::io::Error| MeasureError::Other(format!("the clients' process cannot start: {problem}"));
        let mut process = Command::new(std::env::current_exe().map_err(failed)?)
            .args(["--clients-of", url])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(failed)?;
        let (Some(orders), Some(answers)) = (process.stdin.take(), process.stdout.take()) else {
            return Err(MeasureError::Other("the clients' process cannot be spoken to".to_owned()));
        };
        Ok(Self { _process: process, orders, answers: BufReader::new(answers).lines() })
    }

    async fn order(&mut self, line: &str) -> Result<String, MeasureError> {
        let ended = || MeasureError::Other("the clients' process ended".to_owned());
        self.orders.write_all(format!("{line}\n").as_bytes()).await.map_err(|_| ended())?;
        let answer = tokio::time::timeout(CONNECTING, self.answers.next_line()).await.map_err(|_| ended())?;
        answer.map_err(|_| ended())?.ok_or_else(ended)
    }

    async fn connect(&mut self, further: usize) -> Result<(), MeasureError> {
        self.order(&format!("connect {further}")).await.map(|_| ())
    }

    /// When the first so many clients heard a text, since the epoch.
    async fn heard(&mut self, count: usize, text: &str) -> Result<Vec<Duration>, MeasureError> {
        let micros: Vec<u64> = serde_json::from_str(&self.order(&format!("hear {count} {text}")).await?)?;
        Ok(micros.into_iter().map(Duration::from_micros).collect())
    }
}

/// What the clients' process does: connects, joins and listens as it is told, until its orders end.
///
/// # Errors
///
/// Where a client cannot do its part.
pub async fn clients(url: &str) -> Result<(), MeasureError> {
    let mut orders = BufReader::new(tokio::io::stdin()).lines();
    let mut clients: Vec<Client> = Vec::new();
    let traffic = Traffic::default();
    while let Ok(Some(order)) = orders.next_line().await {
        let (what, of) = order.split_once(' ').unwrap_or((&order, ""));
        if what == "connect" {
            let further: usize = of.parse().unwrap_or_default();
            let numbers = clients.len()..clients.len() + further;
            let more: Vec<Client> = stream::iter(numbers)
                .map(async |number| {
                    let token = stack::token(&Person::user(&format!("listener-{number}"), "사람", "ko"));
                    let client = Client::connect(url, &token, &traffic).await?;
                    client.ask("joinGroup", json!({"group_id": ROOM})).await?;
                    Ok::<_, ClientError>(client)
                })
                .buffer_unordered(AT_ONCE)
                .try_collect()
                .await?;
            clients.extend(more);
            anstream::println!("connected");
        } else {
            let (instant, time) = (Instant::now(), now());
            let (count, text) = of.split_once(' ').unwrap_or(("0", of));
            let hearing =
                stream::iter(&clients).map(|client| client.hears(text)).buffer_unordered(clients.len().max(1));
            let first: Vec<Instant> = hearing.take(count.parse().unwrap_or_default()).try_collect().await?;
            let since_the_epoch = |at: Instant| match at.checked_duration_since(instant) {
                Some(later) => time + later,
                None => time.saturating_sub(instant - at),
            };
            let micros: Vec<u128> = first.into_iter().map(|at| since_the_epoch(at).as_micros()).collect();
            anstream::println!("{}", json!(micros));
        }
    }
    Ok(())
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
