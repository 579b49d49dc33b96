//! One message to very many connections in one room. The clients run in a separate process, because each process may
//! have only so many open files.

use std::process::Stdio;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use futures::{StreamExt, TryStreamExt, stream};
use local_gateway::faults::{Chance, Plan};
use serde::{Deserialize, Serialize};
use serde_json::json;
use testkit::people::Person;
use testkit::stack;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::client::{Client, ClientError};
use crate::percentile::{milliseconds, percentile};
use crate::stack::{MeasureError, Setup};
use crate::table::Table;
use crate::traffic::Traffic;

/// The measured audiences.
const SIZES: [usize; 5] = [1, 2, 10, 1_000, 10_000];
/// The audience that is also measured with one connection that answers no push.
const SIZE_WITH_HUNG_CONNECTION: usize = 1_000;
const ROOM: &str = "open:hall";
/// The clients that connect at the same time.
const MAX_CONCURRENCY: usize = 16;
/// How long the process of the clients may take for an order.
const ORDER_TIMEOUT: Duration = Duration::from_secs(600);

/// Sends one message to ever larger audiences, up to `max_connections`.
///
/// # Errors
///
/// See [`MeasureError`].
pub async fn fan_out(setup: &Setup, max_connections: usize) -> Result<Table, MeasureError> {
    let about = "One message in one open room, from the sender's request to each receipt. The clients are a separate \
                 process. In the row with a hung connection, one connection answers no push; the times are those of \
                 the others.";
    let columns =
        ["connections", "first ms", "p50 ms", "p99 ms", "last ms", "pushes per second", "AWS calls", "peak memory MB"];
    let mut table = Table::new("Fan-out", about, &columns);
    let stack = setup.start().await?;
    let sender = stack.connect(&Person::user("sender", "사람", "ko")).await?;
    sender.ask("joinGroup", json!({"group_id": ROOM})).await?;
    let mut listeners = ListenerProcess::start(&stack.gateway.websocket_url())?;
    let mut connected = 0;
    for size in SIZES.into_iter().filter(|size| *size <= max_connections) {
        listeners.connect(size - connected).await?;
        connected = size;
        for hung in [0, 1] {
            if hung == 1 && size != SIZE_WITH_HUNG_CONNECTION {
                continue;
            }
            stack.settled().await?;
            if hung == 1 {
                let mut plan = Plan::default();
                plan.pushes.hung = Chance::once();
                stack.gateway.faults().set(plan).map_err(|error| MeasureError::Other(error.to_string()))?;
            }
            let counts_before = stack.gateway.ledger().snapshot();
            let text = format!("여러분 {size} {hung}");
            let sent = since_epoch();
            sender.ask("sendMessage", json!({"room_id": ROOM, "message": text})).await?;
            let arrivals = listeners.wait_for_message(size - hung, &text).await?;
            let times: Vec<Duration> = arrivals.into_iter().map(|at| at.saturating_sub(sent)).collect();
            stack.settled().await?;
            let counts = &stack.gateway.ledger().snapshot() - &counts_before;
            stack.gateway.faults().calm();
            let calls: u64 = counts.function("FanOutFunction").calls.values().map(|call| call.calls).sum();
            let stats = stack.gateway.functions().process_stats();
            let fan_out = stats.get("FanOutFunction");
            let peak = fan_out.and_then(|stats| stats.memory.iter().map(|memory| memory.peak).max());
            let last = percentile(&times, 100);
            let rate = size as f64 / last.unwrap_or_default().as_secs_f64();
            let peak = peak.map_or_else(|| "–".to_owned(), |bytes| format!("{:.1}", bytes as f64 / 1_000_000.0));
            table.add_row([
                if hung == 1 { format!("{size}, one of them hung") } else { size.to_string() },
                milliseconds(times.iter().min().copied()),
                milliseconds(percentile(&times, 50)),
                milliseconds(percentile(&times, 99)),
                milliseconds(last),
                format!("{rate:.0}"),
                calls.to_string(),
                peak,
            ]);
        }
    }
    drop(listeners);
    stack.gateway.shut_down().await;
    Ok(table)
}

/// An order to the process of the clients: one line of JSON on its standard input. It is answered with one line on its
/// standard output.
#[derive(Debug, Serialize, Deserialize)]
enum Order {
    /// Connect this many more clients. Answered with `null`.
    Connect(usize),
    /// Wait until this many clients have received a message with this text. Answered with the list of their times, in
    /// microseconds since the epoch.
    WaitForMessage { clients: usize, text: String },
}

/// The process of the clients.
struct ListenerProcess {
    _process: Child,
    orders: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl ListenerProcess {
    fn start(url: &str) -> Result<Self, MeasureError> {
        let failed =
            |error: std::io::Error| MeasureError::Other(format!("failed to start the process of the clients: {error}"));
        let mut process = Command::new(std::env::current_exe().map_err(failed)?)
            .args(["--listen", url])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(failed)?;
        let no_pipe = || failed(std::io::ErrorKind::BrokenPipe.into());
        let orders = process.stdin.take().ok_or_else(no_pipe)?;
        let answers = process.stdout.take().ok_or_else(no_pipe)?;
        Ok(Self { _process: process, orders, answers: BufReader::new(answers).lines() })
    }

    async fn order(&mut self, order: &Order) -> Result<String, MeasureError> {
        let ended = || MeasureError::Other("the process of the clients ended".to_owned());
        let line = format!("{}\n", json!(order));
        self.orders.write_all(line.as_bytes()).await.map_err(|_| ended())?;
        let answer = tokio::time::timeout(ORDER_TIMEOUT, self.answers.next_line()).await;
        let late = |_| MeasureError::Other(format!("the clients took longer than {ORDER_TIMEOUT:?}"));
        answer.map_err(late)?.map_err(|_| ended())?.ok_or_else(ended)
    }

    async fn connect(&mut self, more: usize) -> Result<(), MeasureError> {
        self.order(&Order::Connect(more)).await?;
        Ok(())
    }

    /// When the first `clients` clients received a text, since the epoch.
    async fn wait_for_message(&mut self, clients: usize, text: &str) -> Result<Vec<Duration>, MeasureError> {
        let answer = self.order(&Order::WaitForMessage { clients, text: text.to_owned() }).await?;
        let micros: Vec<u64> = serde_json::from_str(&answer)?;
        Ok(micros.into_iter().map(Duration::from_micros).collect())
    }
}

/// Runs the process of the clients until its standard input ends.
///
/// # Errors
///
/// When a client fails, or an order cannot be read.
pub async fn listen(url: &str) -> Result<(), MeasureError> {
    let mut orders = BufReader::new(tokio::io::stdin()).lines();
    let mut clients: Vec<Client> = Vec::new();
    while let Ok(Some(line)) = orders.next_line().await {
        let answer = match serde_json::from_str(&line)? {
            Order::Connect(more) => {
                clients.extend(connect_listeners(url, clients.len(), more).await?);
                json!(null)
            }
            Order::WaitForMessage { clients: count, text } => json!(arrivals(&clients, count, &text).await?),
        };
        anstream::println!("{answer}");
    }
    Ok(())
}

async fn connect_listeners(url: &str, connected: usize, more: usize) -> Result<Vec<Client>, ClientError> {
    let traffic = Traffic::default();
    stream::iter(connected..connected + more)
        .map(async |number| {
            let token = stack::token(&Person::user(&format!("listener-{number}"), "사람", "ko"));
            let client = Client::connect(url, &token, &traffic).await?;
            client.ask("joinGroup", json!({"group_id": ROOM})).await?;
            Ok(client)
        })
        .buffer_unordered(MAX_CONCURRENCY)
        .try_collect()
        .await
}

/// When the first `count` clients received a text, in microseconds since the epoch.
async fn arrivals(clients: &[Client], count: usize, text: &str) -> Result<Vec<u128>, ClientError> {
    // Both clocks at one moment, to convert an `Instant`.
    let now = Instant::now();
    let now_since_epoch = since_epoch();
    let waiting = stream::iter(clients).map(|client| client.wait_for_message(text));
    let first: Vec<Instant> = waiting.buffer_unordered(clients.len().max(1)).take(count).try_collect().await?;
    let convert = |at: Instant| match at.checked_duration_since(now) {
        Some(later) => now_since_epoch + later,
        None => now_since_epoch.saturating_sub(now - at),
    };
    Ok(first.into_iter().map(|at| convert(at).as_micros()).collect())
}

fn since_epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
