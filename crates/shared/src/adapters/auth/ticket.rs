//! Tickets: what may stand in a URL, because it is good for half a minute and spent by its first use.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// A random secret of 256 bits. The table holds its digest alone, so that who reads the table can use none.
pub struct Ticket([u8; 32]);

impl Ticket {
    /// A new one.
    pub fn random() -> Self {
        Self(rand::random())
    }

    /// The one that somebody shows; `None` where it is none.
    pub fn shown(text: &str) -> Option<Self> {
        URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok().map(Self)
    }

    /// As it stands in a URL.
    pub fn text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// As it is kept. A plain hash will do: 256 random bits cannot be guessed.
    pub fn digest(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(self.0))
    }
}
