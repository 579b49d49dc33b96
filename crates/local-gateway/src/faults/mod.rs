//! Faults that AWS really has, put in the way of a running stack by a [`Plan`], so that an application can show what it
//! makes of them.
//!
//! Every decision is a pure function of the plan's seed, the kind of fault, and how many decisions of that kind there
//! were before: a run can be repeated, and switching one kind on changes nothing about another. Without a plan nothing is
//! drawn, and a hook costs one look at a flag.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sha2::{Digest as _, Sha256};

pub(crate) mod calls;
pub(crate) mod cut;
mod kind;
mod latencies;
mod plan;
#[cfg(test)]
mod tests;

pub use kind::Kind;
pub use latencies::{Latencies, Latency};
pub use plan::{Chance, Connections, Delayed, DynamoDb, Lambda, Plan, PlanError, Pushes, Sabotage, Streams};

use sam_template::Template;

/// The faults of one stack. Clones are the same faults.
#[derive(Clone)]
pub struct Faults(Arc<Inner>);

struct Inner {
    /// Whether there is anything to decide at all.
    active: AtomicBool,
    state: Mutex<State>,
    functions: BTreeSet<String>,
    tables: BTreeSet<String>,
}

#[derive(Default)]
struct State {
    plan: Plan,
    /// Under this plan.
    decided: BTreeMap<Kind, u64>,
    /// Under this plan.
    struck: BTreeMap<Kind, u64>,
    /// How many latencies were drawn under this plan.
    drawn: u64,
    /// Which connections answer no push under this plan, as far as it is decided.
    hung: BTreeMap<String, bool>,
    /// Under all plans.
    counts: BTreeMap<Kind, u64>,
}

/// A fault that strikes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Strike {
    /// How long it takes; zero where its kind has no time.
    pub after: Duration,
    /// From 0 to just below 1: what else is left to chance about it.
    pub share: f64,
}

impl Strike {
    /// One of so many things, by chance.
    pub(crate) fn among(&self, things: usize) -> usize {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "small"
        )]
        let chosen = (self.share * things as f64) as usize;
        chosen.min(things.saturating_sub(1))
    }
}

impl Faults {
    /// Follows that plan from the first call on.
    ///
    /// # Errors
    ///
    /// Where the plan cannot be followed: see [`PlanError`].
    pub fn of(template: &Template, plan: Plan) -> Result<Faults, PlanError> {
        let faults = Faults(Arc::new(Inner {
            active: AtomicBool::new(false),
            state: Mutex::default(),
            functions: template.functions.keys().cloned().collect(),
            tables: template.tables.keys().cloned().collect(),
        }));
        faults.set(plan)?;
        Ok(faults)
    }

    /// No faults, for functions and readers that run without a template's gateway.
    pub fn none() -> Faults {
        let (functions, tables) = (BTreeSet::new(), BTreeSet::new());
        Faults(Arc::new(Inner { active: AtomicBool::new(false), state: Mutex::default(), functions, tables }))
    }

    /// Follows another plan from now on. Its decisions begin anew, so that the same plan set twice decides the same twice;
    /// the [`counts`](Faults::counts) go on.
    ///
    /// # Errors
    ///
    /// Where the plan cannot be followed; the old one stays then.
    pub fn set(&self, plan: Plan) -> Result<(), PlanError> {
        self.check(&plan)?;
        let active = plan != Plan { seed: plan.seed, ..Plan::default() };
        let mut state = self.state();
        *state = State { plan, counts: std::mem::take(&mut state.counts), ..State::default() };
        self.0.active.store(active, Ordering::Release);
        Ok(())
    }

    /// Ends every fault from the next decision on; what was already decided (a batch to be delivered again, a call that
    /// waits) still happens. Planted defects and latencies stay.
    pub fn calm(&self) {
        let plan = self.plan().calm();
        // A plan without faults names nothing that the old one did not.
        let _ = self.set(plan);
    }

    /// The plan that is followed now.
    pub fn plan(&self) -> Plan {
        self.state().plan.clone()
    }

    /// How many faults of each kind have struck since the stack started; kinds that never did are left out.
    pub fn counts(&self) -> BTreeMap<Kind, u64> {
        self.state().counts.clone()
    }

    /// Whether the plan holds anything at all.
    pub(crate) fn are_active(&self) -> bool {
        self.0.active.load(Ordering::Acquire)
    }

    /// Decides whether a fault of that kind strikes now. `function` and `operation` are whom it would strike, for plans that
    /// strike only some; pushes and connections have neither.
    pub(crate) fn strike(&self, kind: Kind, function: &str, operation: &str) -> Option<Strike> {
        if !self.are_active() {
            return None;
        }
        self.state().strike(kind, function, operation)
    }

    /// Whether that connection answers no push at all.
    pub(crate) fn hangs(&self, connection: &str) -> bool {
        if !self.are_active() {
            return false;
        }
        let mut state = self.state();
        if let Some(hangs) = state.hung.get(connection) {
            return *hangs;
        }
        let hangs = state.strike(Kind::PushHung, "", "").is_some();
        state.hung.insert(connection.to_owned(), hangs);
        hangs
    }

    /// The planted defects, where there are any.
    pub(crate) fn sabotage(&self) -> Option<Sabotage> {
        if !self.are_active() {
            return None;
        }
        let state = self.state();
        (state.plan.sabotage != Sabotage::default()).then(|| state.plan.sabotage.clone())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn check(&self, plan: &Plan) -> Result<(), PlanError> {
        for kind in Kind::ALL {
            let Delayed { probability, least_ms, most_ms, .. } = plan.of(kind);
            if !(0.0..=1.0).contains(&probability) {
                return Err(PlanError::Probability { kind, probability });
            }
            if least_ms > most_ms {
                return Err(PlanError::Range { kind, least_ms, most_ms });
            }
        }
        for (place, names) in [
            ("dynamodb.functions", &plan.dynamodb.functions),
            ("lambda.functions", &plan.lambda.functions),
            ("streams.functions", &plan.streams.functions),
        ] {
            if let Some(name) = names.iter().find(|name| !self.0.functions.contains(*name)) {
                return Err(PlanError::Unknown { place, name: name.clone() });
            }
        }
        if let Some(latency) = plan.latencies.as_ref().and_then(Latencies::impossible) {
            return Err(PlanError::Latency(latency.clone()));
        }
        let sabotage = &plan.sabotage;
        if sabotage.mark_before_push && !self.0.functions.contains(&sabotage.pusher) {
            return Err(PlanError::Unknown { place: "sabotage.pusher", name: sabotage.pusher.clone() });
        }
        for (place, planted, table) in [
            ("sabotage.sends_table", sabotage.sends_ignored, &sabotage.sends_table),
            ("sabotage.messages_table", sabotage.numbers_unguarded, &sabotage.messages_table),
        ] {
            if planted && !self.0.tables.contains(table) {
                return Err(PlanError::Unknown { place, name: table.clone() });
            }
        }
        Ok(())
    }
}

impl State {
    fn strike(&mut self, kind: Kind, function: &str, operation: &str) -> Option<Strike> {
        let chance = self.plan.of(kind);
        if chance.probability <= 0.0 || !self.plan.concerns(kind, function, operation) {
            return None;
        }
        let struck = self.struck.entry(kind).or_default();
        if chance.at_most.is_some_and(|most| *struck >= most) {
            return None;
        }
        let decided = self.decided.entry(kind).or_default();
        let strike = decide(self.plan.seed, kind, *decided, &chance);
        *decided += 1;
        if strike.is_some() {
            *struck += 1;
            *self.counts.entry(kind).or_default() += 1;
        }
        strike
    }
}

/// The n-th decision about a kind: the same for ever.
fn decide(seed: u64, kind: Kind, counter: u64, chance: &Delayed) -> Option<Strike> {
    let mut hash = Sha256::new();
    hash.update(seed.to_le_bytes());
    hash.update(counter.to_le_bytes());
    hash.update(kind.name());
    let digest = hash.finalize();
    let [whether, when, what] = [0, 8, 16].map(|at| unit(&digest[at..at + 8]));
    let span = Duration::from_millis(chance.most_ms - chance.least_ms);
    let after = Duration::from_millis(chance.least_ms) + span.mul_f64(when);
    (whether < chance.probability).then_some(Strike { after, share: what })
}

/// A number from 0 to just below 1, from the first 53 bits.
fn unit(bytes: &[u8]) -> f64 {
    let bits = bytes.iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte)) >> 11;
    #[expect(clippy::cast_precision_loss, reason = "53 bits are exactly what an f64 holds")]
    let unit = bits as f64 / (1_u64 << 53) as f64;
    unit
}
