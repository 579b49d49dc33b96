//! A whole stack, and what is measured on it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use deepl_stub::DeepLStub;
use local_gateway::Gateway;
use local_gateway::faults::{Latencies, Plan};
use testkit::people::Person;
use testkit::rows::TableError;
use testkit::{StackError, stack};

use crate::bill::Bill;
use crate::client::{Client, ClientError};
use crate::traffic::Traffic;

#[derive(Debug, thiserror::Error)]
pub enum MeasureError {
    #[error(transparent)]
    Stack(#[from] StackError),
    #[error(transparent)]
    Table(#[from] TableError),
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("failed to read a data file: {0}")]
    Data(#[from] serde_json::Error),
    #[error("{0}")]
    Other(String),
}

/// How long the effects of an action may take.
const SETTLE_TIMEOUT: Duration = Duration::from_secs(120);
/// How often the ledger and the traffic are looked at.
const POLL_INTERVAL: Duration = Duration::from_millis(1);

#[derive(Debug, Clone, Default)]
pub struct Setup {
    pub template: PathBuf,
    /// The folder with the functions' binaries.
    pub binaries: PathBuf,
    /// Template parameters by name.
    pub parameters: BTreeMap<String, String>,
    /// The latencies to add; none by default.
    pub latencies: Option<Latencies>,
}

pub struct Stack {
    pub gateway: Gateway,
    pub translator: DeepLStub,
    /// The traffic of all clients.
    pub traffic: Traffic,
}

impl Setup {
    /// The stack as deployed by default, except that clients may write faster than people.
    #[must_use]
    pub fn of(template: &Path, binaries: &Path) -> Self {
        let faster =
            [("SendWindowMs", "0"), ("CostlyBurst", "1000000"), ("RequestsPerMinute", "0"), ("PushesPerSecond", "0")];
        let parameters = faster.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        Self { template: template.to_owned(), binaries: binaries.to_owned(), parameters, latencies: None }
    }

    #[must_use]
    pub fn with(mut self, parameter: &str, value: &str) -> Self {
        self.parameters.insert(parameter.to_owned(), value.to_owned());
        self
    }

    #[must_use]
    pub fn at(self, latencies: Option<Latencies>) -> Self {
        Self { latencies, ..self }
    }

    /// Starts the stack.
    ///
    /// # Errors
    ///
    /// See [`MeasureError`].
    pub async fn start(&self) -> Result<Stack, MeasureError> {
        let started = testkit::Stack::start(&self.template, &self.binaries, |options| {
            options.parameters.extend(self.parameters.clone());
            options.faults = Plan { latencies: self.latencies.clone(), ..Plan::default() };
        });
        let testkit::Stack { gateway, translator } = started.await?;
        Ok(Stack { gateway, translator, traffic: Traffic::default() })
    }
}

impl Stack {
    /// Connects somebody.
    ///
    /// # Errors
    ///
    /// [`ClientError::Handshake`].
    pub async fn connect(&self, person: &Person) -> Result<Client, ClientError> {
        Client::connect(&self.gateway.websocket_url(), &stack::token(person), &self.traffic).await
    }

    /// Waits until the streams have been read to their end, and so have the changes that the readers made.
    ///
    /// # Errors
    ///
    /// When it takes too long.
    pub async fn settled(&self) -> Result<(), MeasureError> {
        let late = |_| MeasureError::Other(format!("the streams were still being read after {SETTLE_TIMEOUT:?}"));
        tokio::time::timeout(SETTLE_TIMEOUT, self.gateway.streams().idle()).await.map_err(late)
    }

    /// Runs `work` and returns its bill, including everything that follows from it.
    ///
    /// # Errors
    ///
    /// The errors of `work`, or when its effects take too long.
    pub async fn bill<T>(
        &self,
        action: &str,
        work: impl Future<Output = Result<T, impl Into<MeasureError>>>,
    ) -> Result<(Bill, T), MeasureError> {
        self.settled().await?;
        let counts_before = self.gateway.ledger().snapshot();
        let traffic_before = self.traffic.totals();
        let used_before = self.gigabyte_seconds_used();
        let characters_before = self.translator.requests().billed_characters;
        // On AWS a stream record takes at least a tenth of a second to reach its function. On a busy machine it must
        // not arrive before the writing function has replied.
        self.gateway.streams().pause();
        let started = Instant::now();
        let result = work.await;
        let elapsed = started.elapsed();
        self.gateway.streams().resume();
        let result = result.map_err(Into::into)?;
        self.settled().await?;
        let counts = &self.gateway.ledger().snapshot() - &counts_before;
        self.wait_for_pushes(traffic_before.pushed + counts.total().pushes).await?;
        let traffic = self.traffic.totals();
        let bill = Bill {
            action: action.to_owned(),
            functions: counts.functions,
            metered: traffic.metered - traffic_before.metered,
            bytes_in: traffic.bytes_in - traffic_before.bytes_in,
            bytes_out: traffic.bytes_out - traffic_before.bytes_out,
            characters: self.translator.requests().billed_characters - characters_before,
            elapsed,
            gigabyte_seconds: self.gigabyte_seconds_used() - used_before,
        };
        Ok((bill, result))
    }

    /// Closes connections, and waits until `$disconnect` has removed them.
    ///
    /// # Errors
    ///
    /// When it takes too long.
    pub async fn disconnect(&self, clients: Vec<Client>) -> Result<(), MeasureError> {
        // The calls that `$disconnect` makes for each connection, concurrently.
        const CALLS: [&str; 2] = ["dynamodb:DeleteItem ConnectionsTable", "dynamodb:UpdateItem SessionsTable"];
        let handled = || {
            let calls = self.gateway.ledger().snapshot().function("DisconnectFunction").calls;
            CALLS.map(|kind| calls.get(kind).map_or(0, |call| call.calls))
        };
        let closing = u64::try_from(clients.len()).unwrap_or(u64::MAX);
        let expected = handled().map(|calls| calls + closing);
        let removed = async {
            for client in clients {
                client.close().await;
            }
            while handled().iter().zip(expected).any(|(calls, expected)| *calls < expected) {
                tokio::time::sleep(POLL_INTERVAL).await;
            }
        };
        let late = |_| MeasureError::Other(format!("closed connections were still listed after {SETTLE_TIMEOUT:?}"));
        tokio::time::timeout(SETTLE_TIMEOUT, removed).await.map_err(late)
    }

    /// Waits until this many pushes have reached their clients.
    async fn wait_for_pushes(&self, pushed: u64) -> Result<(), MeasureError> {
        let all = async {
            while self.traffic.totals().pushed < pushed {
                tokio::time::sleep(POLL_INTERVAL).await;
            }
        };
        let late = |_| MeasureError::Other(format!("pushes had not reached their clients after {SETTLE_TIMEOUT:?}"));
        tokio::time::timeout(SETTLE_TIMEOUT, all).await.map_err(late)
    }

    /// The duration of all invocations so far, multiplied by their functions' memory.
    fn gigabyte_seconds_used(&self) -> f64 {
        let functions = &self.gateway.template().functions;
        let used = self.gateway.functions().process_stats().into_iter().map(|(function, stats)| {
            let seconds: f64 = stats.first.iter().chain(&stats.later).map(Duration::as_secs_f64).sum();
            seconds * functions.get(&function).map_or(0.0, |function| f64::from(function.memory_mb)) / 1024.0
        });
        used.sum()
    }
}
