//! Counts what AWS would bill: per function, the invocations, pushes, and calls with the read and write units they
//! consumed. Take a [`snapshot`](Ledger::snapshot) before and after, and subtract. Calls that a function's policies do
//! not allow cost nothing and are not counted.

use std::collections::BTreeMap;
use std::ops::Sub;
use std::sync::{Arc, Mutex, MutexGuard};

use serde::Serialize;

/// The name under which calls by other clients than functions are counted, for example the AWS CLI or a test.
pub const OUTSIDE: &str = "(outside)";

/// The counts of a gateway. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Ledger(Arc<Mutex<Counts>>);

/// The counts at one moment, or between two.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Counts {
    /// By the logical id of the function, or [`OUTSIDE`].
    pub functions: BTreeMap<String, FunctionCounts>,
}

/// The counts of one function.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct FunctionCounts {
    /// Invocations, including retries.
    pub invocations: u64,
    /// `PostToConnection` calls, including those that got 410.
    pub pushes: u64,
    /// Calls to DynamoDB and Secrets Manager, by `<service>:<operation>` and, after a space, the logical ids of the
    /// tables, for example `dynamodb:TransactWriteItems MessagesTable+SendsTable`.
    pub calls: BTreeMap<String, CallCounts>,
}

/// Calls of one kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct CallCounts {
    /// All calls, including failed ones.
    pub calls: u64,
    /// Calls that failed. DynamoDB does not report what a failed write consumed (on AWS at least one unit), so those
    /// units are missing below.
    pub refused: u64,
    /// Read capacity units as reported by DynamoDB.
    pub read_units: f64,
    /// Write capacity units as reported by DynamoDB.
    pub write_units: f64,
}

/// The capacity that one call consumed.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Units {
    /// Read capacity units.
    pub read: f64,
    /// Write capacity units.
    pub write: f64,
}

impl Ledger {
    /// Counts an invocation of a function.
    pub fn invocation(&self, function: &str) {
        self.counts().functions.entry(function.to_owned()).or_default().invocations += 1;
    }

    /// Counts a push made by a function.
    pub fn push(&self, function: &str) {
        self.counts().functions.entry(function.to_owned()).or_default().pushes += 1;
    }

    /// Counts a call; `kind` is a key of [`FunctionCounts::calls`], and `units` is `None` for a call that failed.
    pub fn call(&self, function: &str, kind: &str, units: Option<Units>) {
        let mut counts = self.counts();
        let calls = &mut counts.functions.entry(function.to_owned()).or_default().calls;
        let call = calls.entry(kind.to_owned()).or_default();
        call.calls += 1;
        match units {
            Some(units) => {
                call.read_units += units.read;
                call.write_units += units.write;
            }
            None => call.refused += 1,
        }
    }

    /// The counts so far.
    pub fn snapshot(&self) -> Counts {
        self.counts().clone()
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Counts {
    /// The counts of one function; zero if it never ran.
    pub fn function(&self, logical_id: &str) -> FunctionCounts {
        self.functions.get(logical_id).cloned().unwrap_or_default()
    }

    /// The sum over all functions, without [`OUTSIDE`].
    pub fn total(&self) -> FunctionCounts {
        let mut total = FunctionCounts::default();
        for (_, counts) in self.functions.iter().filter(|(function, _)| *function != OUTSIDE) {
            total.invocations += counts.invocations;
            total.pushes += counts.pushes;
            for (kind, call) in &counts.calls {
                let sum = total.calls.entry(kind.clone()).or_default();
                sum.calls += call.calls;
                sum.refused += call.refused;
                sum.read_units += call.read_units;
                sum.write_units += call.write_units;
            }
        }
        total
    }
}

impl FunctionCounts {
    /// All read units.
    pub fn read_units(&self) -> f64 {
        self.calls.values().map(|call| call.read_units).sum()
    }

    /// All write units.
    pub fn write_units(&self) -> f64 {
        self.calls.values().map(|call| call.write_units).sum()
    }
}

impl Sub<&Counts> for &Counts {
    type Output = Counts;

    /// The counts since `earlier`, without functions and calls that did not occur.
    fn sub(self, earlier: &Counts) -> Counts {
        let mut difference = Counts::default();
        for (function, now) in &self.functions {
            let before = earlier.function(function);
            let mut counts = FunctionCounts {
                invocations: now.invocations.saturating_sub(before.invocations),
                pushes: now.pushes.saturating_sub(before.pushes),
                calls: BTreeMap::new(),
            };
            for (kind, now) in &now.calls {
                let before = before.calls.get(kind).copied().unwrap_or_default();
                if now.calls > before.calls {
                    let since = CallCounts {
                        calls: now.calls - before.calls,
                        refused: now.refused.saturating_sub(before.refused),
                        read_units: now.read_units - before.read_units,
                        write_units: now.write_units - before.write_units,
                    };
                    counts.calls.insert(kind.clone(), since);
                }
            }
            if counts != FunctionCounts::default() {
                difference.functions.insert(function.clone(), counts);
            }
        }
        difference
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snapshots_can_be_subtracted() {
        let ledger = Ledger::default();
        ledger.invocation("Send");
        ledger.call("Send", "dynamodb:GetItem RoomsTable", Some(Units { read: 1.0, write: 0.0 }));
        ledger.invocation("Quiet");
        let before = ledger.snapshot();
        ledger.invocation("Send");
        ledger.push("Push");
        ledger.call("Send", "dynamodb:PutItem RoomsTable", Some(Units { read: 0.0, write: 2.0 }));
        ledger.call("Send", "dynamodb:PutItem RoomsTable", None);
        ledger.call(OUTSIDE, "dynamodb:GetItem RoomsTable", Some(Units { read: 1.0, write: 0.0 }));
        let since = &ledger.snapshot() - &before;

        assert_eq!(since.functions.keys().collect::<Vec<_>>(), [OUTSIDE, "Push", "Send"]);
        let send = since.function("Send");
        assert_eq!(send.invocations, 1);
        let put = CallCounts { calls: 2, refused: 1, read_units: 0.0, write_units: 2.0 };
        assert_eq!(send.calls, [("dynamodb:PutItem RoomsTable".to_owned(), put)].into());
        let total = since.total();
        assert_eq!((total.invocations, total.pushes), (1, 1));
        assert_eq!((total.read_units(), total.write_units()), (0.0, 2.0));
        let json = serde_json::to_value(&since).unwrap();
        assert_eq!(json["functions"]["Send"]["calls"]["dynamodb:PutItem RoomsTable"]["write_units"], 2.0);
    }
}
