//! A whole Damso to measure, and the meter on it.

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
use crate::client::{Client, ClientError, Traffic};

/// Something could not be measured.
#[derive(Debug, thiserror::Error)]
pub enum MeasureError {
    /// The stack does not start.
    #[error(transparent)]
    Stack(#[from] StackError),
    /// The tables cannot be filled.
    #[error(transparent)]
    Table(#[from] TableError),
    /// A client could not do its part.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// A table of data is not as it should be.
    #[error("a data file cannot be read: {0}")]
    Data(#[from] serde_json::Error),
    /// Anything else, in a sentence.
    #[error("{0}")]
    Other(String),
}

/// How long it may take until all that follows from an action has happened.
const QUIET: Duration = Duration::from_secs(120);

/// What to start.
#[derive(Debug, Clone, Default)]
pub struct Setup {
    /// The template.
    pub template: PathBuf,
    /// The folder of the functions' binaries.
    pub binaries: PathBuf,
    /// Parameters of the template, by name.
    pub parameters: BTreeMap<String, String>,
    /// How long everything takes; without it as long as it takes.
    pub latencies: Option<Latencies>,
}

/// A running Damso, its clients' traffic, and what its functions do.
pub struct Stack {
    /// What runs it.
    pub gateway: Gateway,
    /// Who translates.
    pub translator: DeepLStub,
    /// What goes over its clients' connections.
    pub traffic: Traffic,
}

impl Setup {
    /// The functions of that folder, as deployed by default, but that clients may write faster than people do.
    #[must_use]
    pub fn of(template: &Path, binaries: &Path) -> Self {
        let faster = [("SendWindowMs", "0"), ("CostlyBurst", "1000000")];
        let parameters = faster.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        Self { template: template.to_owned(), binaries: binaries.to_owned(), parameters, latencies: None }
    }

    /// With this parameter.
    #[must_use]
    pub fn with(mut self, parameter: &str, value: &str) -> Self {
        self.parameters.insert(parameter.to_owned(), value.to_owned());
        self
    }

    /// At these latencies.
    #[must_use]
    pub fn at(self, latencies: Option<Latencies>) -> Self {
        Self { latencies, ..self }
    }

    /// Starts it.
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

    /// Waits until everything that follows from what was done has happened: the streams are read, and what was pushed has come.
    ///
    /// # Errors
    ///
    /// Where it takes too long.
    pub async fn settled(&self) -> Result<(), MeasureError> {
        let late = |_| MeasureError::Other(format!("the streams were not read to their end within {QUIET:?}"));
        tokio::time::timeout(QUIET, self.gateway.streams().idle()).await.map_err(late)
    }

    /// Does something and says what it cost, with all that follows from it.
    ///
    /// # Errors
    ///
    /// Those of the work, and where it does not come to an end.
    pub async fn bill<T>(
        &self,
        action: &str,
        work: impl Future<Output = Result<T, impl Into<MeasureError>>>,
    ) -> Result<(Bill, T), MeasureError> {
        self.settled().await?;
        let (counts, traffic, used) = (self.gateway.ledger().snapshot(), self.traffic.sum(), self.used());
        let characters = self.translator.requests().billed_characters;
        // On AWS a record takes a tenth of a second at least to whom it is for: a busy machine must not make that less than what
        // a function still does before it answers.
        self.gateway.streams().pause();
        let begun = Instant::now();
        let result = work.await;
        let elapsed = begun.elapsed();
        self.gateway.streams().resume();
        let result = result.map_err(Into::into)?;
        self.settled().await?;
        let counts = &self.gateway.ledger().snapshot() - &counts;
        self.arrived(traffic.pushed + counts.total().pushes).await?;
        let gigabyte_seconds = self.used() - used;
        let characters = self.translator.requests().billed_characters - characters;
        let sum = self.traffic.sum();
        let bill = Bill {
            action: action.to_owned(),
            functions: counts.functions,
            metered: sum.metered - traffic.metered,
            bytes_in: sum.bytes_in - traffic.bytes_in,
            bytes_out: sum.bytes_out - traffic.bytes_out,
            characters,
            elapsed,
            gigabyte_seconds,
        };
        Ok((bill, result))
    }

    /// Lets clients go, and waits until that is known.
    ///
    /// # Errors
    ///
    /// Where it takes too long.
    pub async fn leave(&self, clients: Vec<Client>) -> Result<(), MeasureError> {
        // What `$disconnect` does for each of them, side by side.
        const DEEDS: [&str; 2] = ["dynamodb:DeleteItem ConnectionsTable", "dynamodb:UpdateItem SessionsTable"];
        let handled = || {
            let calls = self.gateway.ledger().snapshot().function("DisconnectFunction").calls;
            DEEDS.map(|deed| calls.get(deed).map_or(0, |call| call.calls))
        };
        let leaving = u64::try_from(clients.len()).unwrap_or(u64::MAX);
        let wanted = handled().map(|calls| calls + leaving);
        let known = async {
            for client in clients {
                client.leave().await;
            }
            while handled().iter().zip(wanted).any(|(calls, wanted)| *calls < wanted) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        let late = |_| MeasureError::Other("connections that ended are still listed".to_owned());
        tokio::time::timeout(QUIET, known).await.map_err(late)
    }

    /// Waits until so many frames that were pushed have reached their clients.
    async fn arrived(&self, pushed: u64) -> Result<(), MeasureError> {
        let all = async {
            while self.traffic.sum().pushed < pushed {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        let late = |_| MeasureError::Other("what was pushed did not reach its clients".to_owned());
        tokio::time::timeout(QUIET, all).await.map_err(late)
    }

    /// For how long which memory was used by invocations up to now, in gigabyte-seconds.
    fn used(&self) -> f64 {
        let functions = &self.gateway.template().functions;
        let used = self.gateway.functions().process_stats().into_iter().map(|(function, figures)| {
            let seconds: f64 = figures.first.iter().chain(&figures.later).map(Duration::as_secs_f64).sum();
            seconds * functions.get(&function).map_or(0.0, |function| f64::from(function.memory_mb)) / 1024.0
        });
        used.sum()
    }
}
