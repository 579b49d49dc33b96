//! Waiting without depending on the speed of the machine: nothing here decides by the clock whether a test passes, only
//! when one that would wait forever is given up.

use std::time::{Duration, Instant};

use tokio::time::{sleep, timeout};

/// When a test gives up waiting. Nothing takes this long, even on a slow and busy machine, so that it only bounds a
/// failure.
pub const DEADLINE: Duration = Duration::from_secs(120);

/// Waits until something holds that nothing announces, for example that a row has gone.
pub async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let looking = async {
        while !holds().await {
            sleep(Duration::from_millis(10)).await;
        }
    };
    assert!(timeout(DEADLINE, looking).await.is_ok(), "waited in vain until {what}");
}

/// Repeats an attempt that depends on something being done in time (before a token ends, before the express lane stops
/// waiting), until it was: an attempt that was too late returns `None`. Each gets twice the time of the one before.
pub async fn in_time<T>(first: Duration, mut attempt: impl AsyncFnMut(Duration) -> Option<T>) -> T {
    let begun = Instant::now();
    let mut time = first;
    loop {
        if let Some(done) = attempt(time).await {
            return done;
        }
        assert!(begun.elapsed() < DEADLINE, "too late even with {time:?}");
        time = (time * 2).min(DEADLINE);
    }
}
