//! Tickets: credentials that are safe in a URL because they expire after 30 seconds and work only once.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// A random secret of 256 bits. The table stores only its digest, so that reading the table yields no usable ticket.
pub struct Ticket([u8; 32]);

impl Ticket {
    pub fn random() -> Self {
        Self(rand::random())
    }

    /// Decodes a ticket; `None` if it is malformed.
    pub fn parse(text: &str) -> Option<Self> {
        URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok().map(Self)
    }

    /// The form in URLs.
    pub fn text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// The form in the table. A plain hash is enough because 256 random bits cannot be guessed.
    pub fn digest(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(self.0))
    }
}
