//! Fault plans: how likely each kind of fault is, and how long it lasts.

use std::collections::BTreeSet;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::chance::{Chance, Delayed};
use super::error::PlanError;
use super::json_file;
use super::kind::Kind;
use super::latencies::Latencies;

/// The faults that are injected into a running stack; none by default.
///
/// A plan can be read from a JSON file, in which every field is optional and a chance may be a bare probability:
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
    /// The source of every decision: the n-th decision about one kind of fault is the same in every run with the same
    /// seed and chance. Which call it applies to depends on the order in which calls arrive.
    pub seed: u64,
    /// Faults of DynamoDB, for calls by functions only, so that tests can read the tables undisturbed.
    pub dynamodb: DynamoDb,
    /// Faults of Lambda; not available with `cargo lambda watch`, which runs the processes itself.
    pub lambda: Lambda,
    /// Faults of the readers of streams.
    pub streams: Streams,
    /// Faults of `PostToConnection` to open connections.
    pub pushes: Pushes,
    /// Faults of clients' connections.
    pub connections: Connections,
    /// The latencies of AWS; without them, calls take as long as they do locally.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latencies: Option<Latencies>,
}

/// Faults of DynamoDB.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DynamoDb {
    /// Only calls by these functions (logical ids); by all if empty.
    pub functions: BTreeSet<String>,
    /// Only these operations, for example `PutItem`; all if empty.
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
    /// See [`Kind::DynamoDbSlow`]; the duration is the delay of the call.
    pub slow: Delayed,
    /// See [`Kind::DynamoDbConflict`]; only for `TransactWriteItems`.
    pub conflict: Chance,
    /// See [`Kind::DynamoDbWriteConflict`]; only for `PutItem`, `UpdateItem` and `DeleteItem`.
    pub write_conflict: Chance,
}

/// Faults of Lambda.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Lambda {
    /// Only these functions (logical ids); all if empty.
    pub functions: BTreeSet<String>,
    /// See [`Kind::LambdaKilled`]; the duration counts from the start of the invocation. An invocation that responds
    /// sooner loses its response.
    pub killed: Delayed,
    /// See [`Kind::LambdaTimeout`]; the duration replaces the function's `Timeout` if that is longer.
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
    /// Only batches for these functions (logical ids); for all if empty.
    pub functions: BTreeSet<String>,
    /// See [`Kind::StreamDoubled`]; the duration counts from the first delivery, and later batches do not wait.
    pub doubled: Delayed,
    /// See [`Kind::StreamSplit`]; the duration is as for `doubled`.
    pub split: Delayed,
    /// See [`Kind::StreamLate`]; the duration is the delay of the batch and of all that follow.
    pub late: Delayed,
    /// See [`Kind::StreamParallel`]; only for batches of two or more records.
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
    /// See [`Kind::PushSlow`]; the duration is the delay of the push.
    pub slow: Delayed,
    /// See [`Kind::PushLostAnswer`].
    pub lost_answer: Chance,
}

/// Faults of clients' connections.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Connections {
    /// See [`Kind::ConnectionCut`]. A message from the client may have reached its function; the reply is then lost.
    pub cut: Chance,
    /// See [`Kind::DisconnectNever`].
    pub disconnect_never: Chance,
    /// See [`Kind::DisconnectLate`]; the duration is the delay.
    pub disconnect_late: Delayed,
    /// See [`Kind::DisconnectTwice`].
    pub disconnect_twice: Chance,
}

impl Plan {
    /// A plan with every kind of fault at this probability, and every duration up to 50 ms.
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
        }
    }

    /// Reads a plan from a JSON file.
    ///
    /// # Errors
    ///
    /// [`PlanError::File`] and [`PlanError::Json`].
    pub fn read(file: &Path) -> Result<Plan, PlanError> {
        json_file::read(file)
    }

    /// The same seed and latencies, without any fault.
    pub fn calm(&self) -> Plan {
        Plan { seed: self.seed, latencies: self.latencies.clone(), ..Plan::default() }
    }

    /// Whether a kind of fault may affect a function and operation.
    pub(super) fn applies_to(&self, kind: Kind, function: &str, operation: &str) -> bool {
        let selects = |names: &BTreeSet<String>, name: &str| names.is_empty() || names.contains(name);
        match kind.name().split_once('.') {
            Some(("dynamodb", _)) => {
                selects(&self.dynamodb.functions, function) && selects(&self.dynamodb.operations, operation)
            }
            Some(("lambda", _)) => selects(&self.lambda.functions, function),
            Some(("streams", _)) => selects(&self.streams.functions, function),
            _ => true,
        }
    }

    /// The chance of one kind of fault; those without a duration have zero.
    pub(super) fn chance_of(&self, kind: Kind) -> Delayed {
        let instant = |chance: Chance| chance.for_ms(0..=0);
        match kind {
            Kind::DynamoDbThrottled => instant(self.dynamodb.throttled),
            Kind::DynamoDbFailedBefore => instant(self.dynamodb.failed_before),
            Kind::DynamoDbFailedAfter => instant(self.dynamodb.failed_after),
            Kind::DynamoDbCutAfter => instant(self.dynamodb.cut_after),
            Kind::DynamoDbNeverAnswered => instant(self.dynamodb.never_answered),
            Kind::DynamoDbSlow => self.dynamodb.slow,
            Kind::DynamoDbConflict => instant(self.dynamodb.conflict),
            Kind::DynamoDbWriteConflict => instant(self.dynamodb.write_conflict),
            Kind::LambdaKilled => self.lambda.killed,
            Kind::LambdaTimeout => self.lambda.timeout,
            Kind::LambdaCold => instant(self.lambda.cold),
            Kind::LambdaCrowd => instant(self.lambda.crowd),
            Kind::StreamDoubled => self.streams.doubled,
            Kind::StreamSplit => self.streams.split,
            Kind::StreamLate => self.streams.late,
            Kind::StreamParallel => instant(self.streams.parallel),
            Kind::PushGone => instant(self.pushes.gone),
            Kind::PushThrottled => instant(self.pushes.throttled),
            Kind::PushFailed => instant(self.pushes.failed),
            Kind::PushHung => instant(self.pushes.hung),
            Kind::PushSlow => self.pushes.slow,
            Kind::PushLostAnswer => instant(self.pushes.lost_answer),
            Kind::ConnectionCut => instant(self.connections.cut),
            Kind::DisconnectNever => instant(self.connections.disconnect_never),
            Kind::DisconnectLate => self.connections.disconnect_late,
            Kind::DisconnectTwice => instant(self.connections.disconnect_twice),
        }
    }
}
