//! All open connections of one API.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;

use super::connection::{Connection, PushError};

/// Clones share the connections.
#[derive(Clone)]
pub(super) struct Connections {
    open: Arc<Mutex<BTreeMap<String, Arc<Connection>>>>,
    max_message_bytes: usize,
}

impl Connections {
    pub(super) fn new(max_message_bytes: usize) -> Connections {
        Connections { open: Arc::default(), max_message_bytes }
    }

    pub(super) fn add(&self, connection: Arc<Connection>) {
        self.lock().insert(connection.caller.connection_id.clone(), connection);
    }

    pub(super) fn remove(&self, id: &str) {
        self.lock().remove(id);
    }

    pub(super) fn ids(&self) -> Vec<String> {
        self.lock().keys().cloned().collect()
    }

    pub(super) fn find(&self, id: &str) -> Option<Arc<Connection>> {
        self.lock().get(id).cloned()
    }

    /// The connection for a push, if the push is small enough and the connection open.
    pub(super) fn recipient(&self, id: &str, body: &Bytes) -> Result<Arc<Connection>, PushError> {
        if body.len() > self.max_message_bytes {
            return Err(PushError::TooLarge);
        }
        self.find(id).ok_or(PushError::Gone)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Connection>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
