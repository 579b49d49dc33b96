//! Waiting that does not depend on the speed of the machine. The clock never decides whether a test passes, only when a
//! test that would wait forever fails.

use std::time::{Duration, Instant};

use tokio::time::{sleep, timeout};

/// How long a test waits before it fails. Nothing takes this long, not even on a slow and busy machine, so this only
/// bounds failures.
pub const DEADLINE: Duration = Duration::from_secs(120);

/// Polls until a condition holds that no event announces, for example that a row has been deleted.
pub async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let looking = async {
        while !holds().await {
            sleep(Duration::from_millis(10)).await;
        }
    };
    assert!(timeout(DEADLINE, looking).await.is_ok(), "gave up waiting until {what}");
}

/// Repeats an attempt that needs the machine to be fast enough, for example to connect before a token expires, until it
/// was. An attempt that was too slow returns `None`, and the next one is given twice the time.
pub async fn in_time<T>(first: Duration, mut attempt: impl AsyncFnMut(Duration) -> Option<T>) -> T {
    let begun = Instant::now();
    let mut time = first;
    loop {
        if let Some(done) = attempt(time).await {
            return done;
        }
        assert!(begun.elapsed() < DEADLINE, "too slow even with {time:?}");
        time = (time * 2).min(DEADLINE);
    }
}
