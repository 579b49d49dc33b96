//! Decides when faults are injected, and how long calls take.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sam_template::Template;

use super::chance::Delayed;
use super::draw;
use super::error::PlanError;
use super::kind::Kind;
use super::latencies::{Floor, Latencies};
use super::latency::Latency;
use super::plan::Plan;

/// The faults of one stack. Clones share them.
#[derive(Clone)]
pub struct Faults(Arc<Inner>);

struct Inner {
    /// Whether the plan contains anything at all.
    active: AtomicBool,
    state: Mutex<State>,
    /// The logical ids of the template's functions.
    functions: BTreeSet<String>,
}

#[derive(Default)]
struct State {
    plan: Plan,
    /// Decisions under this plan.
    decided: BTreeMap<Kind, u64>,
    /// Faults injected under this plan.
    injected: BTreeMap<Kind, u64>,
    /// Latencies drawn under this plan.
    drawn: u64,
    /// Whether a connection answers no push under this plan, once that is decided.
    hung: BTreeMap<String, bool>,
    /// Faults injected under all plans.
    counts: BTreeMap<Kind, u64>,
}

/// A fault to inject.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Injected {
    /// Zero for kinds without a duration.
    pub delay: Duration,
    /// From 0 to just below 1: decides the fault's variant.
    pub share: f64,
}

impl Injected {
    /// Picks an index below `count` at random.
    pub(crate) fn pick(&self, count: usize) -> usize {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "counts are small"
        )]
        let picked = (self.share * count as f64) as usize;
        picked.min(count.saturating_sub(1))
    }
}

impl Faults {
    /// Follows the plan from the first call on.
    ///
    /// # Errors
    ///
    /// If the plan does not fit the template; see [`PlanError`].
    pub fn of(template: &Template, plan: Plan) -> Result<Faults, PlanError> {
        let faults = Faults::for_functions(template.functions.keys().cloned().collect());
        faults.set(plan)?;
        Ok(faults)
    }

    /// No faults, for functions and readers without a gateway.
    pub fn none() -> Faults {
        Faults::for_functions(BTreeSet::new())
    }

    fn for_functions(functions: BTreeSet<String>) -> Faults {
        Faults(Arc::new(Inner { active: AtomicBool::new(false), state: Mutex::default(), functions }))
    }

    /// Follows another plan from now on. Its decisions start over, so that setting the same plan twice gives the same
    /// decisions twice; the [`counts`](Faults::counts) continue.
    ///
    /// # Errors
    ///
    /// If the plan is rejected; the old one stays in force.
    pub fn set(&self, plan: Plan) -> Result<(), PlanError> {
        self.check(&plan)?;
        let active = plan != Plan { seed: plan.seed, ..Plan::default() };
        let mut state = self.state();
        *state = State { plan, counts: std::mem::take(&mut state.counts), ..State::default() };
        self.0.active.store(active, Ordering::Release);
        Ok(())
    }

    /// Injects no fault from the next decision on. Faults that are already decided still happen, for example a batch to
    /// be delivered again or a delayed call. Latencies stay.
    pub fn calm(&self) {
        let plan = self.plan().calm();
        // Cannot fail: the new plan names only what the old one did.
        let _ = self.set(plan);
    }

    /// The current plan.
    pub fn plan(&self) -> Plan {
        self.state().plan.clone()
    }

    /// The number of faults of each kind since the stack started, without kinds that never occurred.
    pub fn counts(&self) -> BTreeMap<Kind, u64> {
        self.state().counts.clone()
    }

    /// Decides whether to inject a fault now. `function` and `operation` are what it would affect, for plans that name
    /// some of them; pushes and connections have neither.
    pub(crate) fn inject(&self, kind: Kind, function: &str, operation: &str) -> Option<Injected> {
        if !self.are_active() {
            return None;
        }
        self.state().inject(kind, function, operation)
    }

    /// Whether a connection answers no push at all.
    pub(crate) fn hangs(&self, connection: &str) -> bool {
        if !self.are_active() {
            return false;
        }
        let mut state = self.state();
        if let Some(hangs) = state.hung.get(connection) {
            return *hangs;
        }
        let hangs = state.inject(Kind::PushHung, "", "").is_some();
        state.hung.insert(connection.to_owned(), hangs);
        hangs
    }

    /// Whether calls take as long as on AWS.
    pub(crate) fn have_latencies(&self) -> bool {
        self.are_active() && self.state().plan.latencies.is_some()
    }

    /// The earliest moment at which something that starts now may be done. `of` selects the latency.
    pub(crate) fn floor(&self, of: impl FnOnce(&Latencies) -> Option<&Latency>) -> Floor {
        self.floor_since(Instant::now(), of)
    }

    /// The same for something that started earlier.
    pub(crate) fn floor_since(&self, started: Instant, of: impl FnOnce(&Latencies) -> Option<&Latency>) -> Floor {
        if !self.are_active() {
            return Floor::NONE;
        }
        let mut state = self.state();
        let Some(latency) = state.plan.latencies.as_ref().and_then(of).cloned() else { return Floor::NONE };
        state.drawn += 1;
        let normal = draw::normal(state.plan.seed, state.drawn, "latency");
        Floor::at(started + latency.at(normal))
    }

    fn are_active(&self) -> bool {
        self.0.active.load(Ordering::Acquire)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn check(&self, plan: &Plan) -> Result<(), PlanError> {
        for kind in Kind::ALL {
            let Delayed { probability, least_ms, most_ms, .. } = plan.chance_of(kind);
            if !(0.0..=1.0).contains(&probability) {
                return Err(PlanError::Probability { kind, probability });
            }
            if least_ms > most_ms {
                return Err(PlanError::Range { kind, least_ms, most_ms });
            }
        }
        for (field, names) in [
            ("dynamodb.functions", &plan.dynamodb.functions),
            ("lambda.functions", &plan.lambda.functions),
            ("streams.functions", &plan.streams.functions),
        ] {
            if let Some(name) = names.iter().find(|name| !self.0.functions.contains(*name)) {
                return Err(PlanError::Unknown { field, name: name.clone() });
            }
        }
        match plan.latencies.as_ref().and_then(Latencies::impossible) {
            Some(latency) => Err(PlanError::Latency(latency.clone())),
            None => Ok(()),
        }
    }
}

impl State {
    fn inject(&mut self, kind: Kind, function: &str, operation: &str) -> Option<Injected> {
        let chance = self.plan.chance_of(kind);
        if chance.probability <= 0.0 || !self.plan.applies_to(kind, function, operation) {
            return None;
        }
        let injected = self.injected.entry(kind).or_default();
        if chance.at_most.is_some_and(|most| *injected >= most) {
            return None;
        }
        let decided = self.decided.entry(kind).or_default();
        let decision = decide(self.plan.seed, kind, *decided, &chance);
        *decided += 1;
        if decision.is_some() {
            *injected += 1;
            *self.counts.entry(kind).or_default() += 1;
        }
        decision
    }
}

fn decide(seed: u64, kind: Kind, counter: u64, chance: &Delayed) -> Option<Injected> {
    let [probability, duration, share] = draw::uniform(seed, counter, kind.name());
    let span = Duration::from_millis(chance.most_ms - chance.least_ms);
    let delay = Duration::from_millis(chance.least_ms) + span.mul_f64(duration);
    (probability < chance.probability).then_some(Injected { delay, share })
}
