//! What one action cost.

use std::collections::BTreeMap;
use std::time::Duration;

use local_gateway::ledger::{FunctionCounts, OUTSIDE};
use serde_json::{Map, Value, json};

use crate::prices::Prices;

/// Everything that one action used, with all that followed from it.
#[derive(Debug, Clone)]
pub struct Bill {
    /// What was done.
    pub action: String,
    /// What the functions did, by logical id.
    pub functions: BTreeMap<String, FunctionCounts>,
    /// Messages as API Gateway meters them.
    pub metered: u64,
    /// Bytes from clients.
    pub bytes_in: u64,
    /// Bytes to clients.
    pub bytes_out: u64,
    /// Characters that DeepL bills.
    pub characters: u64,
    /// From the request to its reply.
    pub elapsed: Duration,
    /// The time of all invocations, times their functions' memory.
    pub gigabyte_seconds: f64,
}

impl Bill {
    fn ours(&self) -> impl Iterator<Item = (&String, &FunctionCounts)> {
        self.functions.iter().filter(|(function, _)| *function != OUTSIDE)
    }

    /// Calls of AWS's services, pushes left out.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.ours().flat_map(|(_, counts)| counts.calls.values()).map(|call| call.calls).sum()
    }

    /// Read units.
    #[must_use]
    pub fn read_units(&self) -> f64 {
        self.ours().map(|(_, counts)| counts.read_units()).sum()
    }

    /// Write units.
    #[must_use]
    pub fn write_units(&self) -> f64 {
        self.ours().map(|(_, counts)| counts.write_units()).sum()
    }

    /// Invocations.
    #[must_use]
    pub fn invocations(&self) -> u64 {
        self.ours().map(|(_, counts)| counts.invocations).sum()
    }

    /// Pushes.
    #[must_use]
    pub fn pushes(&self) -> u64 {
        self.ours().map(|(_, counts)| counts.pushes).sum()
    }

    /// What a million of these cost, without DeepL.
    #[must_use]
    pub fn dollars_per_million(&self, prices: &Prices) -> f64 {
        let million = 1_000_000.0;
        prices.websocket_message.of(count(self.metered) * million)
            + prices.lambda_request.of(count(self.invocations()) * million)
            + prices.lambda_gigabyte_second.of(self.gigabyte_seconds * million)
            + prices.dynamodb_read_unit.of(self.read_units() * million)
            + prices.dynamodb_write_unit.of(self.write_units() * million)
    }

    /// Units of the calls that a predicate picks by their function and kind: read, write.
    #[must_use]
    pub fn units_of(&self, picks: impl Fn(&str, &str) -> bool) -> (f64, f64) {
        let calls = self.ours().flat_map(|(function, counts)| {
            counts.calls.iter().map(move |(kind, call)| (function.as_str(), kind.as_str(), call))
        });
        let picked = calls.filter(|(function, kind, _)| picks(function, kind)).map(|(.., call)| call);
        picked.fold((0.0, 0.0), |(read, write), call| (read + call.read_units, write + call.write_units))
    }

    /// What is the same on every machine, as a file keeps it, a line for each thing.
    #[must_use]
    pub fn counts(&self) -> Value {
        let function = |(function, counts): (&String, &FunctionCounts)| {
            let calls = counts.calls.iter();
            let mut object: Map<String, Value> = calls
                .map(|(kind, call)| {
                    let line = format!("{}; {} read, {} write units", call.calls, call.read_units, call.write_units);
                    (kind.clone(), json!(line))
                })
                .collect();
            object.insert("invocations".to_owned(), json!(counts.invocations));
            object.insert("pushes".to_owned(), json!(counts.pushes));
            (function.clone(), Value::Object(object))
        };
        let mut counts: Map<String, Value> = self.ours().map(function).collect();
        counts.insert("messages over the WebSocket API".to_owned(), json!(self.metered));
        counts.insert("characters".to_owned(), json!(self.characters));
        Value::Object(counts)
    }
}

/// As a factor of prices.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn count(count: u64) -> f64 {
    count as f64
}
