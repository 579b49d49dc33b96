//! The outcome of a run.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::history::Counts;
use crate::judge::{Kind, Violation};

#[derive(Debug, Clone)]
pub struct Verdict {
    pub seed: u64,
    /// How many messages the run had to send until they were acknowledged.
    pub requested: u64,
    /// How many were acknowledged while faults were injected; later ones prove little.
    pub acknowledged_in_time: u64,
    /// Empty if every guarantee was kept.
    pub violations: Vec<Violation>,
    /// All clients together.
    pub counts: Counts,
    pub clients: usize,
    pub rooms: usize,
    /// The entries in all logs, including system entries.
    pub entries: usize,
    /// How often each kind of fault was injected.
    pub faults: BTreeMap<String, u64>,
    /// The batches of stream records that went to the failure destination.
    pub abandoned_batches: usize,
    /// From the first message to the last acknowledgement.
    pub sending_time: Duration,
    pub total_time: Duration,
}

/// How many violations of one kind are listed.
const LISTED_VIOLATIONS: usize = 5;

impl Verdict {
    /// Whether no guarantee was violated.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.violations.is_empty()
    }

    /// Whether as many messages were acknowledged as requested. A run that was cut short proves nothing.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.acknowledged_in_time >= self.requested
    }

    /// The number of violations of each kind.
    #[must_use]
    pub fn kinds(&self) -> BTreeMap<Kind, usize> {
        let mut kinds = BTreeMap::new();
        for violation in &self.violations {
            *kinds.entry(violation.kind).or_default() += 1;
        }
        kinds
    }

    fn write_counts(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = &self.counts;
        let lines = [
            ("messages sent", counts.sent),
            ("acknowledged", counts.acknowledged),
            ("abandoned", counts.abandoned),
            ("retries", counts.retries),
            ("duplicate replies", counts.duplicate_replies),
            ("retryable errors", counts.retryable_errors),
            ("unauthorized", counts.unauthorized),
            ("entries pushed", counts.pushed),
            ("pushed again", counts.duplicate_pushes),
            ("received again", counts.duplicate_entries),
            ("repaired", counts.repaired),
            ("gaps", counts.gaps),
            ("syncs", counts.syncs),
            ("connections", counts.connections),
            ("closed by server", counts.closed_by_server),
            ("failed handshakes", counts.failed_handshakes),
        ];
        for (name, count) in lines {
            writeln!(formatter, "{name:<18} {count}")?;
        }
        let first_received = counts.pushed - counts.duplicate_pushes + counts.repaired;
        writeln!(
            formatter,
            "{:<18} {:.1} duplicate pushes, {:.1} repaired entries",
            "per 1,000",
            per_thousand(counts.duplicate_pushes, counts.pushed),
            per_thousand(counts.repaired, first_received),
        )
    }

    fn write_outcome(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let heading = "verdict";
        if !self.holds() {
            writeln!(formatter, "{heading:<18} {} violations", self.violations.len())?;
            for (kind, count) in self.kinds() {
                writeln!(formatter, "  {kind:?}: {count}")?;
                let of_this_kind = self.violations.iter().filter(|violation| violation.kind == kind);
                for violation in of_this_kind.take(LISTED_VIOLATIONS) {
                    writeln!(formatter, "    {}", violation.details)?;
                }
            }
            return write!(formatter, "{:<18} repeat this run with --seed {}", "", self.seed);
        }
        if !self.is_complete() {
            let acknowledged = self.acknowledged_in_time;
            let requested = self.requested;
            return write!(
                formatter,
                "{heading:<18} none: only {acknowledged} of {requested} messages were acknowledged in time"
            );
        }
        write!(formatter, "{heading:<18} every guarantee was kept")
    }
}

fn per_thousand(part: u64, whole: u64) -> f64 {
    1000.0 * part as f64 / whole.max(1) as f64
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, clients, rooms, entries, abandoned_batches, .. } = self;
        writeln!(formatter, "seed {seed}: {clients} clients in {rooms} rooms, {entries} entries")?;
        let sending_seconds = self.sending_time.as_secs_f64();
        let total_seconds = self.total_time.as_secs_f64();
        let rate = self.counts.acknowledged as f64 / sending_seconds.max(f64::EPSILON);
        writeln!(
            formatter,
            "{:<18} {sending_seconds:.0} s of sending at {rate:.0} messages/s, {total_seconds:.0} s in total",
            "time"
        )?;
        self.write_counts(formatter)?;
        if *abandoned_batches > 0 {
            writeln!(formatter, "{:<18} {abandoned_batches} batches of stream records", "gave up on")?;
        }
        writeln!(formatter, "{:<18} {}", "faults injected", self.faults.values().sum::<u64>())?;
        for (kind, count) in &self.faults {
            writeln!(formatter, "  {kind:<29} {count}")?;
        }
        self.write_outcome(formatter)
    }
}
