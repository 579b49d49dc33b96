//! How far a reader is in its stream.

use tokio::sync::watch;

use crate::dynamodb::Database;

pub(super) struct Checkpoint {
    pub(super) database: Database,
    /// `<function>/<event>`, under which the position is stored.
    pub(super) reader: String,
    /// The physical name of the table.
    pub(super) table: String,
    /// All readers of this stream.
    pub(super) readers: Vec<String>,
    /// The number of the last record that the reader is done with.
    pub(super) position: watch::Sender<Option<i64>>,
}

impl Checkpoint {
    pub(super) fn position(&self) -> Option<i64> {
        *self.position.borrow()
    }

    pub(super) async fn advance(&self, number: i64) {
        if self.position() >= Some(number) {
            return;
        }
        if let Err(error) = self.database.advance(&self.reader, number, &self.table, &self.readers).await {
            tracing::error!("failed to store the position in the stream of {}: {}", self.table, error.body);
        }
        self.position.send_replace(Some(number));
    }
}
