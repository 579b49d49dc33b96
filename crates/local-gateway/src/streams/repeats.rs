//! Batches that are delivered once more although nothing is wrong with them, as Lambda may do at any time.

use std::time::Duration;

use axum::body::Bytes;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::Invoker;
use crate::living::Living;

/// The repeated deliveries of one reader. Dropping them ends them.
pub(super) struct Repeats {
    tasks: JoinSet<()>,
    pending: Living,
}

impl Repeats {
    /// None yet; `pending` counts those that are not through.
    pub(super) fn counted_by(pending: Living) -> Repeats {
        Repeats { tasks: JoinSet::new(), pending }
    }

    /// Delivers a batch after some time, beside whatever the reader does by then, but not while readers are paused. What
    /// the function says to it changes nothing, as when Lambda has lost its checkpoint.
    pub(super) fn later<I: Invoker>(
        &mut self,
        after: Duration,
        invoker: I,
        function: String,
        batch: Bytes,
        mut paused: watch::Receiver<bool>,
    ) {
        while self.tasks.try_join_next().is_some() {}
        let life = self.pending.begin();
        self.tasks.spawn(async move {
            tokio::time::sleep(after).await;
            if paused.wait_for(|paused| !*paused).await.is_ok() {
                let _ = invoker.invoke(&function, batch).await;
            }
            drop(life);
        });
    }
}
