//! One open connection, as the rest of the gateway sees it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::Instant;

use super::event::Caller;
use super::limits::Limits;

/// The least that a frame counts in a connection's buffer, so that many small ones are bounded too.
const MIN_FRAME_COST: usize = 256;

/// One frame on its way to a client, with its share of the connection's buffer until it is written.
pub(super) struct Outgoing {
    pub(super) text: String,
    pub(super) buffer_space: OwnedSemaphorePermit,
}

pub(super) struct Connection {
    pub(super) caller: Caller,
    last_active: Mutex<(Instant, SystemTime)>,
    outgoing: mpsc::UnboundedSender<Outgoing>,
    buffer: Arc<Semaphore>,
    buffer_size: usize,
    deleted: Notify,
}

/// Why a push failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PushError {
    Gone,
    TooLarge,
    BufferFull,
    /// An internal error of API Gateway.
    Internal,
}

impl Connection {
    /// A connection, and the frames that its session must write.
    pub(super) fn open(caller: Caller, limits: &Limits) -> (Arc<Connection>, mpsc::UnboundedReceiver<Outgoing>) {
        let (outgoing, to_write) = mpsc::unbounded_channel();
        let buffer_size = limits.waiting_bytes.clamp(MIN_FRAME_COST, u32::MAX as usize).min(Semaphore::MAX_PERMITS);
        let connection = Connection {
            last_active: Mutex::new((Instant::now(), caller.connected_at)),
            caller,
            outgoing,
            buffer: Arc::new(Semaphore::new(buffer_size)),
            buffer_size,
            deleted: Notify::new(),
        };
        (Arc::new(connection), to_write)
    }

    /// Queues a frame if the buffer has space.
    pub(super) fn push(&self, text: String) -> Result<(), PushError> {
        match self.buffer.clone().try_acquire_many_owned(self.cost(&text)) {
            Ok(buffer_space) => self.outgoing.send(Outgoing { text, buffer_space }).map_err(|_| PushError::Gone),
            Err(_) => Err(PushError::BufferFull),
        }
    }

    /// Queues a reply as soon as the buffer has space. It is lost if the connection ends first.
    pub(super) async fn reply(&self, text: String) {
        if let Ok(buffer_space) = self.buffer.clone().acquire_many_owned(self.cost(&text)).await {
            let _ = self.outgoing.send(Outgoing { text, buffer_space });
        }
    }

    fn cost(&self, text: &str) -> u32 {
        u32::try_from(text.len().max(MIN_FRAME_COST).min(self.buffer_size)).unwrap_or(u32::MAX)
    }

    /// Records that a message was sent or received.
    pub(super) fn touch(&self) {
        *self.activity() = (Instant::now(), SystemTime::now());
    }

    /// When the last message was sent or received.
    pub(super) fn idle_since(&self) -> Instant {
        self.activity().0
    }

    pub(super) fn last_active_at(&self) -> SystemTime {
        self.activity().1
    }

    pub(super) fn delete(&self) {
        self.deleted.notify_one();
    }

    /// Waits until the connection is deleted.
    pub(super) async fn deleted(&self) {
        self.deleted.notified().await;
    }

    fn activity(&self) -> MutexGuard<'_, (Instant, SystemTime)> {
        self.last_active.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
