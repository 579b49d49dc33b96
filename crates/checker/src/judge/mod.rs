//! Judges a recorded run. Pure functions, from the clients' histories and the database snapshot to the violations.

mod clients;
mod derived;
mod log;
mod pushes;
mod statuses;
#[cfg(test)]
mod tests;
mod violation;

pub use violation::{Kind, RunHistory, Violation};

/// Returns everything that violates a guarantee.
#[must_use]
pub fn judge(run: &RunHistory) -> Vec<Violation> {
    let mut violations = Vec::new();
    log::judge(run, &mut violations);
    clients::judge(run, &mut violations);
    pushes::judge(run, &mut violations);
    derived::judge(run, &mut violations);
    statuses::judge(run, &mut violations);
    violations
}
