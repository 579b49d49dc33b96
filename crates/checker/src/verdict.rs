//! What a run ends with.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::account::Counts;
use crate::judge::{Kind, Violation};

/// The outcome of a run.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// What the cast, the clients' choices and the faults were drawn from.
    pub seed: u64,
    /// How many messages were to be acknowledged at least.
    pub asked: u64,
    /// How many were while messages were sent, under the faults; those that came later show little.
    pub in_time: u64,
    /// What contradicts a promise; empty if all were kept.
    pub violations: Vec<Violation>,
    /// What the clients did and got, all of them together.
    pub counts: Counts,
    /// How many clients took part.
    pub clients: usize,
    /// How many rooms there were.
    pub rooms: usize,
    /// How many entries the rooms' logs have together, system entries included.
    pub entries: usize,
    /// How often each kind of fault struck.
    pub faults: BTreeMap<String, u64>,
    /// How many batches of stream records went to the failure destination.
    pub given_up: usize,
    /// Between the first connection and the last message's acknowledgement.
    pub talked: Duration,
    /// The whole run.
    pub took: Duration,
}

/// How many violations of one kind are shown.
const SHOWN: usize = 5;

impl Verdict {
    /// Whether no promise was broken.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.violations.is_empty()
    }

    /// Whether as much was said as was to be: a run that was cut short shows nothing.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.in_time >= self.asked
    }

    /// How many violations of each kind there are.
    #[must_use]
    pub fn kinds(&self) -> BTreeMap<Kind, usize> {
        let mut kinds = BTreeMap::new();
        for violation in &self.violations {
            *kinds.entry(violation.kind).or_default() += 1;
        }
        kinds
    }
}

#[expect(clippy::cast_precision_loss, reason = "a rate for people")]
fn per_thousand(some: u64, all: u64) -> f64 {
    1000.0 * some as f64 / all.max(1) as f64
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, clients, rooms, entries, given_up, .. } = self;
        let counts = &self.counts;
        writeln!(formatter, "seed {seed}: {clients} clients in {rooms} rooms, {entries} entries")?;
        let (talked, took) = (self.talked.as_secs_f64(), self.took.as_secs_f64());
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let rate = counts.acknowledged as f64 / talked.max(f64::EPSILON);
        writeln!(
            formatter,
            "time          {talked:.0} s of talking ({rate:.0} messages a second), {took:.0} s in all"
        )?;
        let columns = [
            ("sends", counts.sends),
            ("acknowledged", counts.acknowledged),
            ("abandoned", counts.abandoned),
            ("repeated", counts.repeated),
            ("duplicates", counts.duplicates),
            ("pried", counts.pried),
            ("failures", counts.failures),
            ("pushed", counts.pushed),
            ("doubles", counts.doubles),
            ("pushed again", counts.pushed_again),
            ("repaired", counts.repaired),
            ("gaps", counts.gaps),
            ("syncs", counts.syncs),
            ("connections", counts.connections),
            ("closed", counts.closed),
            ("refused", counts.refused_handshakes),
        ];
        for (name, count) in columns {
            writeln!(formatter, "{name:<13} {count}")?;
        }
        let came = counts.pushed - counts.pushed_again + counts.repaired;
        writeln!(
            formatter,
            "per thousand  {:.1} pushes brought what was there, {:.1} entries were repaired",
            per_thousand(counts.pushed_again, counts.pushed),
            per_thousand(counts.repaired, came),
        )?;
        if *given_up > 0 {
            writeln!(formatter, "given up      {given_up} batches of stream records")?;
        }
        let total: u64 = self.faults.values().sum();
        writeln!(formatter, "faults        {total}")?;
        for (kind, count) in &self.faults {
            writeln!(formatter, "  {kind:<29} {count}")?;
        }
        if self.holds() && !self.is_whole() {
            let (some, asked) = (self.in_time, self.asked);
            return write!(formatter, "verdict       none: of {asked} messages only {some} were acknowledged in time");
        }
        if self.holds() {
            return write!(formatter, "verdict       every promise was kept");
        }
        writeln!(formatter, "verdict       {} violations", self.violations.len())?;
        for (kind, count) in self.kinds() {
            writeln!(formatter, "  {kind:?}: {count}")?;
            for violation in self.violations.iter().filter(|violation| violation.kind == kind).take(SHOWN) {
                writeln!(formatter, "    {}", violation.evidence)?;
            }
        }
        write!(formatter, "              repeat with --seed {seed}")
    }
}
