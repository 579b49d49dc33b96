//! The translator: DeepL when there is a key for it, otherwise the stub.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use deepl_stub::DeepLStub;

const KEY_VARIABLE: &str = "DEEPL_AUTH_KEY";

/// Dropping the stub stops it.
#[derive(Debug)]
pub enum Translator {
    /// DeepL, with this key.
    DeepL(String),
    Stub(DeepLStub),
}

impl Translator {
    /// DeepL if `DEEPL_AUTH_KEY` is set, otherwise the stub on that address.
    ///
    /// # Errors
    ///
    /// When the stub cannot listen on the address.
    #[allow(
        clippy::disallowed_methods,
        reason = "other users can read a command line, so the key is passed in the environment"
    )]
    pub async fn choose(address: SocketAddr) -> std::io::Result<Self> {
        match std::env::var(KEY_VARIABLE) {
            Ok(key) if !key.trim().is_empty() => Ok(Self::DeepL(key.trim().to_owned())),
            _ => Ok(Self::Stub(DeepLStub::start_on(address).await?)),
        }
    }

    /// The value of the secret `DeepLSecret`. The stub accepts any key.
    #[must_use]
    pub fn key(&self) -> &str {
        match self {
            Self::DeepL(key) => key,
            Self::Stub(_) => "any-key",
        }
    }

    /// Template parameters: the address of the stub. DeepL's own address follows from the key.
    #[must_use]
    pub fn parameters(&self) -> BTreeMap<String, String> {
        match self {
            Self::DeepL(_) => BTreeMap::new(),
            Self::Stub(stub) => BTreeMap::from([("DeepLEndpoint".to_owned(), stub.url())]),
        }
    }

    #[must_use]
    pub fn is_deepl(&self) -> bool {
        matches!(self, Self::DeepL(_))
    }
}
