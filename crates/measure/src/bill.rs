//! What one action costs.

use std::collections::BTreeMap;
use std::time::Duration;

use local_gateway::ledger::{FunctionCounts, OUTSIDE};
use serde_json::{Map, Value, json};

use crate::prices::Prices;

/// What one action used, including everything that followed from it.
#[derive(Debug, Clone)]
pub struct Bill {
    /// The action and its circumstances, as in `tests/costs.json`.
    pub action: String,
    /// By logical id.
    pub functions: BTreeMap<String, FunctionCounts>,
    /// Messages as API Gateway meters them.
    pub metered: u64,
    /// Bytes from clients.
    pub bytes_in: u64,
    /// Bytes to clients.
    pub bytes_out: u64,
    /// Characters billed by DeepL.
    pub characters: u64,
    /// From the request to its reply.
    pub elapsed: Duration,
    /// The duration of all invocations, multiplied by their functions' memory.
    pub gigabyte_seconds: f64,
}

#[derive(Debug, Clone, Copy, Default)]
pub struct CapacityUnits {
    pub read: f64,
    pub write: f64,
}

impl Bill {
    fn billed(&self) -> impl Iterator<Item = (&String, &FunctionCounts)> {
        self.functions.iter().filter(|(function, _)| *function != OUTSIDE)
    }

    /// Calls to AWS services, without pushes.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.billed().flat_map(|(_, counts)| counts.calls.values()).map(|call| call.calls).sum()
    }

    #[must_use]
    pub fn read_units(&self) -> f64 {
        self.billed().map(|(_, counts)| counts.read_units()).sum()
    }

    #[must_use]
    pub fn write_units(&self) -> f64 {
        self.billed().map(|(_, counts)| counts.write_units()).sum()
    }

    #[must_use]
    pub fn invocations(&self) -> u64 {
        self.billed().map(|(_, counts)| counts.invocations).sum()
    }

    #[must_use]
    pub fn pushes(&self) -> u64 {
        self.billed().map(|(_, counts)| counts.pushes).sum()
    }

    /// The price of a million of these actions, without DeepL.
    #[must_use]
    pub fn dollars_per_million(&self, prices: &Prices) -> f64 {
        let million = 1_000_000.0;
        prices.websocket_message.of(count(self.metered) * million)
            + prices.lambda_request.of(count(self.invocations()) * million)
            + prices.lambda_gigabyte_second.of(self.gigabyte_seconds * million)
            + prices.dynamodb_read_unit.of(self.read_units() * million)
            + prices.dynamodb_write_unit.of(self.write_units() * million)
    }

    /// The capacity units of the calls for which `picks` is true, by their function and kind.
    #[must_use]
    pub fn units_of(&self, picks: impl Fn(&str, &str) -> bool) -> CapacityUnits {
        let calls = self.billed().flat_map(|(function, counts)| {
            counts.calls.iter().map(move |(kind, call)| (function.as_str(), kind.as_str(), call))
        });
        let mut units = CapacityUnits::default();
        for (_, _, call) in calls.filter(|(function, kind, _)| picks(function, kind)) {
            units.read += call.read_units;
            units.write += call.write_units;
        }
        units
    }

    /// The counts that are the same on every machine, as in `tests/costs.json`.
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
        let mut counts: Map<String, Value> = self.billed().map(function).collect();
        counts.insert("messages over the WebSocket API".to_owned(), json!(self.metered));
        counts.insert("characters".to_owned(), json!(self.characters));
        Value::Object(counts)
    }
}

fn count(count: u64) -> f64 {
    count as f64
}
