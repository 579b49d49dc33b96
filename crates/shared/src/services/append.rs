//! Appending to a room's log, whose next number somebody else may take first.

use std::time::Duration;

use protocol::wire::Refusal;

use crate::error::Error;

/// How often an append is tried before the caller is told to wait.
const MAX_ATTEMPTS: u32 = 10;
/// Retries without a pause: a failed append is somebody else's progress.
const IMMEDIATE_RETRIES: u32 = 2;
/// When a refused caller should try again.
const RETRY_AFTER: Duration = Duration::from_millis(500);

/// The outcome of one attempt.
#[derive(Debug)]
pub enum Attempt<T> {
    /// There is nothing left to do.
    Done(T),
    /// Nothing was stored, because a row had changed since it was read.
    Conflict,
}

/// Calls `attempt` until it is done: twice more at once, then with full jitter growing from 64 to 250 ms, ten times in
/// all; then the caller is told to wait. Each attempt reads everything again, decides and appends; it is passed its
/// number, from 0.
pub async fn append_with_retry<T>(mut attempt: impl AsyncFnMut(u32) -> Result<Attempt<T>, Error>) -> Result<T, Error> {
    for number in 0..MAX_ATTEMPTS {
        pause_before(number).await;
        if let Attempt::Done(result) = attempt(number).await? {
            return Ok(result);
        }
    }
    Err(Refusal::rate_limited("too many people are writing in this room; try again shortly", RETRY_AFTER).into())
}

async fn pause_before(attempt: u32) {
    let Some(backoffs) = attempt.checked_sub(IMMEDIATE_RETRIES + 1) else { return };
    let bound = (64u64 << backoffs.min(2)).min(250);
    tokio::time::sleep(Duration::from_millis(rand::random_range(0..=bound))).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn conflicts_are_retried_until_done() {
        let done =
            append_with_retry(async |number| Ok(if number < 4 { Attempt::Conflict } else { Attempt::Done(number) }));
        assert_eq!(done.await.expect("done"), 4);
    }

    #[tokio::test]
    async fn lasting_conflicts_are_refused_as_rate_limited() {
        let mut attempts = 0;
        let refused = append_with_retry(async |_| {
            attempts += 1;
            Ok(Attempt::<()>::Conflict)
        });
        assert!(matches!(refused.await, Err(Error::Refused(refusal)) if refusal.retry_after_ms.is_some()));
        assert_eq!(attempts, MAX_ATTEMPTS);
    }
}
