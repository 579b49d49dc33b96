//! What a plan says: how often each kind of fault strikes, and for how long.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Kind, Latencies, Latency};

/// Which faults are put in the way of a running stack. The default is none at all.
///
/// As a file it is JSON, where everything may be left out and a chance may be a bare probability:
///
/// ```json
/// {
///   "seed": 7,
///   "dynamodb": { "throttled": 0.02, "slow": { "probability": 0.1, "most_ms": 80 }, "operations": ["PutItem"] },
///   "lambda": { "cold": { "probability": 1, "at_most": 3 } }
/// }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Plan {
    /// What every decision is drawn from: the n-th decision about one kind of fault is the same in every run with the same
    /// seed and the same chance. Which call it falls on depends on the order in which calls arrive.
    pub seed: u64,
    /// Faults of DynamoDB; they strike the calls of functions alone, so that a test reads the truth.
    pub dynamodb: DynamoDb,
    /// Faults of Lambda; through a `cargo lambda watch`, whose processes are its own, there are none.
    pub lambda: Lambda,
    /// Faults of the readers of streams.
    pub streams: Streams,
    /// Faults of `PostToConnection` to open connections.
    pub pushes: Pushes,
    /// Faults of clients' connections.
    pub connections: Connections,
    /// How long AWS takes, put upon everything; without it everything takes as long as it takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latencies: Option<Latencies>,
    /// Defects planted on purpose, which make the application break its promises.
    pub sabotage: Sabotage,
}

/// Faults of DynamoDB.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DynamoDb {
    /// Only calls of these functions, by logical id; of all where there is none.
    pub functions: BTreeSet<String>,
    /// Only these operations, for example `PutItem`; all where there is none.
    pub operations: BTreeSet<String>,
    /// See [`Kind::DynamoDbThrottled`].
    pub throttled: Chance,
    /// See [`Kind::DynamoDbFailedBefore`].
    pub failed_before: Chance,
    /// See [`Kind::DynamoDbFailedAfter`].
    pub failed_after: Chance,
    /// See [`Kind::DynamoDbCutAfter`].
    pub cut_after: Chance,
    /// See [`Kind::DynamoDbNeverAnswered`].
    pub never_answered: Chance,
    /// See [`Kind::DynamoDbSlow`]; how long the call waits.
    pub slow: Delayed,
    /// See [`Kind::DynamoDbConflict`]; strikes `TransactWriteItems` alone.
    pub conflict: Chance,
    /// See [`Kind::DynamoDbWriteConflict`]; strikes `PutItem`, `UpdateItem` and `DeleteItem` alone.
    pub write_conflict: Chance,
}

/// Faults of Lambda.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Lambda {
    /// Only these functions, by logical id; all where there is none.
    pub functions: BTreeSet<String>,
    /// See [`Kind::LambdaKilled`]; how long after its begin. An invocation that answers sooner loses its answer then.
    pub killed: Delayed,
    /// See [`Kind::LambdaTimeout`]; how long the invocation then has, instead of the function's `Timeout` if that is longer.
    pub timeout: Delayed,
    /// See [`Kind::LambdaCold`].
    pub cold: Chance,
    /// See [`Kind::LambdaCrowd`].
    pub crowd: Chance,
}

/// Faults of the readers of streams.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Streams {
    /// Only what is delivered to these functions, by logical id; to all where there is none.
    pub functions: BTreeSet<String>,
    /// See [`Kind::StreamDoubled`]; how long after the first time, while later batches go on.
    pub doubled: Delayed,
    /// See [`Kind::StreamSplit`]; how long after the first time, while later batches go on.
    pub split: Delayed,
    /// See [`Kind::StreamLate`]; how long the batch waits, and all behind it.
    pub late: Delayed,
    /// See [`Kind::StreamParallel`]; a batch of one record has no parts.
    pub parallel: Chance,
}

/// Faults of `PostToConnection`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Pushes {
    /// See [`Kind::PushGone`].
    pub gone: Chance,
    /// See [`Kind::PushThrottled`].
    pub throttled: Chance,
    /// See [`Kind::PushFailed`].
    pub failed: Chance,
    /// See [`Kind::PushHung`].
    pub hung: Chance,
    /// See [`Kind::PushSlow`]; how long the push waits.
    pub slow: Delayed,
    /// See [`Kind::PushLostAnswer`].
    pub lost_answer: Chance,
}

/// Faults of clients' connections.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Connections {
    /// See [`Kind::ConnectionCut`]. A message from the client may have reached its function, whose reply is then lost.
    pub cut: Chance,
    /// See [`Kind::DisconnectNever`].
    pub disconnect_never: Chance,
    /// See [`Kind::DisconnectLate`]; how much later.
    pub disconnect_late: Delayed,
    /// See [`Kind::DisconnectTwice`].
    pub disconnect_twice: Chance,
}

/// Defects that break what an application promises. They exist to show that a checker can fail.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sabotage {
    /// `GetItem` of the sends' table finds nothing, and a put into it has no condition: a repeated send is a new one.
    pub sends_ignored: bool,
    /// A put into the messages' table has no condition: the second of two that take one number replaces the first.
    pub numbers_unguarded: bool,
    /// A stream reader counts every batch as done, whatever its function reports, and even when it failed.
    pub failures_dropped: bool,
    /// A push by the pusher is answered before it is made, and every third never is, as if its process had died in between:
    /// what it marks as pushed then was not.
    pub mark_before_push: bool,
    /// Logical id of the function that marks what it pushes.
    pub pusher: String,
    /// Logical id of the sends' table.
    pub sends_table: String,
    /// Logical id of the messages' table.
    pub messages_table: String,
}

/// How often something strikes. Reads from JSON also as a bare probability.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "ChanceText")]
pub struct Chance {
    /// From 0 (never) to 1 (always).
    pub probability: f64,
    /// It strikes no more often than this under one plan; without it, without end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_most: Option<u64>,
}

/// How often something strikes, and a time in milliseconds that is drawn each time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delayed {
    /// From 0 (never) to 1 (always).
    pub probability: f64,
    /// It strikes no more often than this under one plan; without it, without end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<u64>,
    /// The shortest time.
    #[serde(default)]
    pub least_ms: u64,
    /// The longest time.
    pub most_ms: u64,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum ChanceText {
    Bare(f64),
    Full(ChanceFields),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChanceFields {
    probability: f64,
    at_most: Option<u64>,
}

impl From<ChanceText> for Chance {
    fn from(text: ChanceText) -> Chance {
        match text {
            ChanceText::Bare(probability) => Chance { probability, at_most: None },
            ChanceText::Full(ChanceFields { probability, at_most }) => Chance { probability, at_most },
        }
    }
}

impl Chance {
    /// Strikes with that probability.
    pub const fn of(probability: f64) -> Chance {
        Chance { probability, at_most: None }
    }

    /// Strikes the first time, and never again.
    pub const fn once() -> Chance {
        Chance { probability: 1.0, at_most: Some(1) }
    }

    /// The same, no more often than this.
    pub const fn at_most(self, times: u64) -> Chance {
        Chance { at_most: Some(times), ..self }
    }

    /// The same, with a time in milliseconds that is drawn from this range.
    pub const fn for_ms(self, range: RangeInclusive<u64>) -> Delayed {
        let Chance { probability, at_most } = self;
        Delayed { probability, at_most, least_ms: *range.start(), most_ms: *range.end() }
    }
}

/// Why a plan cannot be followed.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The file cannot be read.
    #[error("the fault plan {} cannot be read: {_1}", _0.display())]
    File(PathBuf, std::io::Error),
    /// The file is no plan.
    #[error("{} is no fault plan: {_1}", _0.display())]
    Json(PathBuf, serde_json::Error),
    /// A probability is none.
    #[error("the fault plan's {kind} has the probability {probability}, which is not between 0 and 1")]
    Probability {
        /// Where.
        kind: Kind,
        /// What it says.
        probability: f64,
    },
    /// Figures that no distribution has.
    #[error(
        "the latency of p50 {} ms and p99 {} ms ({}) is none: the first must be above 0, and the second no smaller",
        _0.p50_ms, _0.p99_ms, _0.source
    )]
    Latency(Latency),
    /// A shortest time is longer than the longest.
    #[error("the fault plan's {kind} lasts at least {least_ms} ms and at most {most_ms} ms, which is shorter")]
    Range {
        /// Where.
        kind: Kind,
        /// The shortest time.
        least_ms: u64,
        /// The longest time.
        most_ms: u64,
    },
    /// A function or table that a plan names is not in the template.
    #[error("the fault plan's {place} names `{name}`, which the template has not")]
    Unknown {
        /// Where.
        place: &'static str,
        /// What it names.
        name: String,
    },
}

impl Plan {
    /// A plan with every kind of fault at that probability, each wait up to 50 ms, and no sabotage.
    pub fn every_kind(seed: u64, probability: f64) -> Plan {
        let chance = Chance::of(probability);
        let delayed = chance.for_ms(0..=50);
        Plan {
            seed,
            dynamodb: DynamoDb {
                throttled: chance,
                failed_before: chance,
                failed_after: chance,
                cut_after: chance,
                never_answered: chance,
                slow: delayed,
                conflict: chance,
                write_conflict: chance,
                ..DynamoDb::default()
            },
            lambda: Lambda { killed: delayed, timeout: delayed, cold: chance, crowd: chance, ..Lambda::default() },
            streams: Streams {
                doubled: delayed,
                split: delayed,
                late: delayed,
                parallel: chance,
                ..Streams::default()
            },
            pushes: Pushes {
                gone: chance,
                throttled: chance,
                failed: chance,
                hung: chance,
                slow: delayed,
                lost_answer: chance,
            },
            connections: Connections {
                cut: chance,
                disconnect_never: chance,
                disconnect_late: delayed,
                disconnect_twice: chance,
            },
            latencies: None,
            sabotage: Sabotage::default(),
        }
    }

    /// Reads a plan from a JSON file. Whoever runs it says [`Sabotage::warning`] first.
    ///
    /// # Errors
    ///
    /// [`PlanError::File`] and [`PlanError::Json`].
    pub fn read(file: &Path) -> Result<Plan, PlanError> {
        let text = std::fs::read(file).map_err(|problem| PlanError::File(file.to_owned(), problem))?;
        serde_json::from_slice(&text).map_err(|problem| PlanError::Json(file.to_owned(), problem))
    }

    /// The same seed, latencies and sabotage, without any fault.
    pub fn calm(&self) -> Plan {
        let (latencies, sabotage) = (self.latencies.clone(), self.sabotage.clone());
        Plan { seed: self.seed, latencies, sabotage, ..Plan::default() }
    }

    /// Whether a fault of that kind may strike that function and operation.
    pub(super) fn concerns(&self, kind: Kind, function: &str, operation: &str) -> bool {
        let among = |names: &BTreeSet<String>, name: &str| names.is_empty() || names.contains(name);
        match kind.name().split_once('.') {
            Some(("dynamodb", _)) => {
                among(&self.dynamodb.functions, function) && among(&self.dynamodb.operations, operation)
            }
            Some(("lambda", _)) => among(&self.lambda.functions, function),
            Some(("streams", _)) => among(&self.streams.functions, function),
            _ => true,
        }
    }

    /// What it says of one kind; a chance without a time has none.
    pub(super) fn of(&self, kind: Kind) -> Delayed {
        let without_time = |chance: Chance| chance.for_ms(0..=0);
        match kind {
            Kind::DynamoDbThrottled => without_time(self.dynamodb.throttled),
            Kind::DynamoDbFailedBefore => without_time(self.dynamodb.failed_before),
            Kind::DynamoDbFailedAfter => without_time(self.dynamodb.failed_after),
            Kind::DynamoDbCutAfter => without_time(self.dynamodb.cut_after),
            Kind::DynamoDbNeverAnswered => without_time(self.dynamodb.never_answered),
            Kind::DynamoDbSlow => self.dynamodb.slow,
            Kind::DynamoDbConflict => without_time(self.dynamodb.conflict),
            Kind::DynamoDbWriteConflict => without_time(self.dynamodb.write_conflict),
            Kind::LambdaKilled => self.lambda.killed,
            Kind::LambdaTimeout => self.lambda.timeout,
            Kind::LambdaCold => without_time(self.lambda.cold),
            Kind::LambdaCrowd => without_time(self.lambda.crowd),
            Kind::StreamDoubled => self.streams.doubled,
            Kind::StreamSplit => self.streams.split,
            Kind::StreamLate => self.streams.late,
            Kind::StreamParallel => without_time(self.streams.parallel),
            Kind::PushGone => without_time(self.pushes.gone),
            Kind::PushThrottled => without_time(self.pushes.throttled),
            Kind::PushFailed => without_time(self.pushes.failed),
            Kind::PushHung => without_time(self.pushes.hung),
            Kind::PushSlow => self.pushes.slow,
            Kind::PushLostAnswer => without_time(self.pushes.lost_answer),
            Kind::ConnectionCut => without_time(self.connections.cut),
            Kind::DisconnectNever => without_time(self.connections.disconnect_never),
            Kind::DisconnectLate => self.connections.disconnect_late,
            Kind::DisconnectTwice => without_time(self.connections.disconnect_twice),
        }
    }
}

impl Sabotage {
    /// What to tell a person, loudly, before a stack runs with planted defects; nothing where there is none.
    pub fn warning(&self) -> Option<String> {
        let planted = [
            ("sends_ignored", self.sends_ignored),
            ("numbers_unguarded", self.numbers_unguarded),
            ("failures_dropped", self.failures_dropped),
            ("mark_before_push", self.mark_before_push),
        ];
        let planted: Vec<&str> = planted.iter().filter(|(_, set)| *set).map(|(name, _)| *name).collect();
        (!planted.is_empty()).then(|| {
            format!(
                "WARNING: the fault plan plants defects ({}); what this stack acknowledges may be lost or doubled",
                planted.join(", ")
            )
        })
    }
}
