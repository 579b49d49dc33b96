//! Who translates on the laptop: DeepL itself for those who have a key, else its stand-in.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use deepl_stub::DeepLStub;

/// The variable that holds a key of DeepL's.
const KEY_VARIABLE: &str = "DEEPL_AUTH_KEY";

/// Who translates. Dropping the stand-in ends it.
#[derive(Debug)]
pub enum Translator {
    /// DeepL, with this key.
    DeepL(String),
    /// The phrasebook on loopback.
    StandIn(DeepLStub),
}

impl Translator {
    /// DeepL where `DEEPL_AUTH_KEY` is set, else the stand-in on that address.
    ///
    /// # Errors
    ///
    /// When the stand-in cannot listen there.
    #[allow(
        clippy::disallowed_methods,
        reason = "a program of the laptop: a key does not belong on a command line, which others can read"
    )]
    pub async fn choose(address: SocketAddr) -> std::io::Result<Self> {
        match std::env::var(KEY_VARIABLE) {
            Ok(key) if !key.trim().is_empty() => Ok(Self::DeepL(key.trim().to_owned())),
            _ => Ok(Self::StandIn(DeepLStub::start_on(address).await?)),
        }
    }

    /// What the secret `DeepLSecret` holds. The stand-in takes any key.
    #[must_use]
    pub fn key(&self) -> &str {
        match self {
            Self::DeepL(key) => key,
            Self::StandIn(_) => "stand-in",
        }
    }

    /// What it sets in the template: the stand-in's address; DeepL's own follows from the key.
    #[must_use]
    pub fn parameters(&self) -> BTreeMap<String, String> {
        match self {
            Self::DeepL(_) => BTreeMap::new(),
            Self::StandIn(stand_in) => BTreeMap::from([("DeepLEndpoint".to_owned(), stand_in.url())]),
        }
    }

    /// Whether it is DeepL.
    #[must_use]
    pub fn is_deepl(&self) -> bool {
        matches!(self, Self::DeepL(_))
    }
}
