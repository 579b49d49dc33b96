//! How a connection ends.

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ending {
    /// The client closes the connection.
    ByClient { code: u16, reason: String },
    /// The gateway closes the connection.
    ByGateway { code: u16, reason: &'static str },
    /// The connection breaks without a close frame.
    Broken,
}

impl Ending {
    pub(super) const GOING_AWAY: Ending = Ending::ByGateway { code: 1001, reason: "Going away" };
    pub(super) const DELETED: Ending = Ending::ByGateway { code: 1000, reason: "Connection Closed Normally" };

    /// `disconnectStatusCode`
    pub(super) fn code(&self) -> u16 {
        match self {
            Ending::ByClient { code, .. } | Ending::ByGateway { code, .. } => *code,
            Ending::Broken => 1006,
        }
    }

    /// `disconnectReason`
    pub(super) fn reason(&self) -> &str {
        match self {
            Ending::ByClient { reason, .. } => reason,
            Ending::ByGateway { reason, .. } => reason,
            Ending::Broken => "Connection closed abnormally",
        }
    }
}
