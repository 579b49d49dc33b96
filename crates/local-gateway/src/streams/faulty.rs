//! Injects what Lambda may do to batches at any time: delays, duplicates and concurrent delivery.

use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::task::TaskTracker;

use super::event::{Record, batch};
use super::invoker::{BatchInvoker, DirectInvoker, Invoker, PartialResponse};
use crate::faults::{Faults, Injected, Kind};

pub(super) struct FaultyInvoker<I> {
    inner: DirectInvoker<I>,
    faults: Faults,
    paused: watch::Receiver<bool>,
    /// Aborted when the reader is dropped.
    duplicates: JoinSet<()>,
    pending: TaskTracker,
}

impl<I: Invoker> FaultyInvoker<I> {
    /// Duplicates wait while `paused` is true; `pending` tracks those that are not delivered yet.
    pub(super) fn new(
        inner: DirectInvoker<I>,
        faults: Faults,
        paused: watch::Receiver<bool>,
        pending: TaskTracker,
    ) -> FaultyInvoker<I> {
        FaultyInvoker { inner, faults, paused, duplicates: JoinSet::new(), pending }
    }

    /// Delivers records again after a delay, concurrently with whatever the reader does by then.
    pub(super) fn duplicate(&mut self, records: &[Record], delay: Duration) {
        while self.duplicates.try_join_next().is_some() {}
        let token = self.pending.token();
        let invoker = self.inner.invoker.clone();
        let function = self.inner.function.clone();
        let payload = batch(records);
        let mut paused = self.paused.clone();
        self.duplicates.spawn(async move {
            tokio::time::sleep(delay).await;
            if paused.wait_for(|paused| !*paused).await.is_ok() {
                let _ = invoker.invoke(&function, payload).await;
            }
            drop(token);
        });
    }

    fn duplicate_by_chance(&mut self, records: &[Record]) {
        if let Some(fault) = self.inject(Kind::StreamDoubled) {
            self.duplicate(records, fault.delay);
        }
        if let Some(fault) = self.inject(Kind::StreamSplit) {
            let from = fault.pick(records.len());
            // A single record is delivered again whole.
            let part = if from == 0 { &records[..records.len().div_ceil(2)] } else { &records[from..] };
            self.duplicate(part, fault.delay);
        }
    }

    fn inject(&self, kind: Kind) -> Option<Injected> {
        self.faults.inject(kind, &self.inner.function, "")
    }
}

impl<I: Invoker> BatchInvoker for FaultyInvoker<I> {
    async fn ready(&self) {
        if let Some(late) = self.inject(Kind::StreamLate) {
            tokio::time::sleep(late.delay).await;
        }
    }

    async fn deliver(&mut self, records: &[Record]) -> Vec<PartialResponse> {
        let parallel = if records.len() > 1 { self.inject(Kind::StreamParallel) } else { None };
        let Some(fault) = parallel else {
            let responses = self.inner.deliver(records).await;
            self.duplicate_by_chance(records);
            return responses;
        };
        let (first, second) = records.split_at(1 + fault.pick(records.len() - 1));
        let (first_response, second_response) = tokio::join!(self.inner.invoke(first), self.inner.invoke(second));
        self.duplicate_by_chance(first);
        self.duplicate_by_chance(second);
        vec![
            PartialResponse { records: first.len(), response: first_response },
            PartialResponse { records: second.len(), response: second_response },
        ]
    }

    async fn redeliver(&self, records: &[Record]) {
        self.inner.redeliver(records).await;
    }
}
