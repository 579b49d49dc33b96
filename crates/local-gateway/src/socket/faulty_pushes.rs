//! Pushes to connections, with the faults that a plan injects into them.

use axum::body::Bytes;

use super::connection::PushError;
use super::connections::Connections;
use crate::connection_aborter::ConnectionAborter;
use crate::faults::{Faults, Kind};

pub(super) struct FaultyPushes {
    pub(super) connections: Connections,
    pub(super) faults: Faults,
}

impl FaultyPushes {
    /// Pushes to an open connection. `aborter` belongs to the connection that the request came by.
    pub(super) async fn push(&self, id: &str, body: Bytes, aborter: &ConnectionAborter) -> Result<(), PushError> {
        let inject = |kind| self.faults.inject(kind, "", "");
        // Before any fault: a push to a closed connection meets none.
        let mut recipient = self.connections.recipient(id, &body)?;
        if self.faults.hangs(id) {
            // The client times out and closes its request.
            std::future::pending::<()>().await;
        }
        if let Some(slow) = inject(Kind::PushSlow) {
            tokio::time::sleep(slow.delay).await;
            recipient = self.connections.recipient(id, &body)?;
        }
        if inject(Kind::PushGone).is_some() {
            return Err(PushError::Gone);
        }
        if inject(Kind::PushThrottled).is_some() {
            return Err(PushError::BufferFull);
        }
        if inject(Kind::PushFailed).is_some() {
            return Err(PushError::Internal);
        }
        // A text frame must be UTF-8.
        recipient.push(String::from_utf8_lossy(&body).into_owned())?;
        if let Some(lost) = inject(Kind::PushLostAnswer) {
            if lost.pick(2) == 0 {
                aborter.abort();
            }
            return Err(PushError::Internal);
        }
        Ok(())
    }
}
