//! Counts what lives (processes, sessions), so that the end of all of it can be waited for.

use std::sync::Arc;

use tokio::sync::watch;

/// How many of a kind live. Clones are the same count.
#[derive(Debug, Clone)]
pub(crate) struct Living(Arc<watch::Sender<usize>>);

/// One that lives, until it is dropped.
#[derive(Debug)]
pub(crate) struct Life(Living);

impl Living {
    pub(crate) fn none_yet() -> Living {
        Living(Arc::new(watch::Sender::new(0)))
    }

    /// One more.
    pub(crate) fn begin(&self) -> Life {
        self.0.send_modify(|count| *count += 1);
        Life(self.clone())
    }

    /// Waits until none lives.
    pub(crate) async fn ended(&self) {
        // The sender lives in `self`, so that this cannot fail.
        let _ = self.0.subscribe().wait_for(|count| *count == 0).await;
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        self.0.0.send_modify(|count| *count -= 1);
    }
}
