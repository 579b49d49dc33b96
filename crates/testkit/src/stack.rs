//! A whole stack: the template on the local gateway, with the DeepL stub as its translator.

use std::path::{Path, PathBuf};
use std::time::Duration;

use deepl_stub::DeepLStub;
use local_gateway::{Binaries, Gateway, LogSink, Options, StartError};

use crate::people::{self, Person};
use crate::websocket::{HandshakeError, WebSocket};

/// The secret that signs the tokens of a [`Stack`]; the authorizer reads it from Secrets Manager.
pub const TOKEN_SECRET: &str = "the-secret-of-the-tests'-tokens-which-is-longer-than-256-bit";

/// How long a token is valid, unless a test is about that.
const TOKEN_LIFETIME: Duration = Duration::from_secs(3600);

/// A running stack. Dropping it ends it, and every process of its functions.
pub struct Stack {
    pub gateway: Gateway,
    pub translator: DeepLStub,
}

#[derive(Debug, thiserror::Error)]
pub enum StackError {
    #[error(transparent)]
    Gateway(#[from] StartError),
    #[error("failed to start the DeepL stub: {0}")]
    Translator(#[source] std::io::Error),
}

impl Stack {
    /// Starts the template with the binaries of that folder, on free ports and with a temporary database. `configure`
    /// changes the options of the gateway before it starts.
    ///
    /// # Errors
    ///
    /// See [`StackError`].
    pub async fn start(
        template: &Path,
        binaries: &Path,
        configure: impl FnOnce(&mut Options),
    ) -> Result<Self, StackError> {
        let translator = DeepLStub::start().await.map_err(StackError::Translator)?;
        let binaries = Binaries::Built { directory: binaries.to_owned() };
        let mut options = Options { log: LogSink::Discard, ..Options::new(template, binaries) };
        options.parameters.insert("DeepLEndpoint".to_owned(), translator.url());
        options.parameters.insert("Hospitals".to_owned(), people::hospitals().to_string());
        options.secrets.insert("TokenSecret".to_owned(), TOKEN_SECRET.to_owned());
        options.secrets.insert("DeepLSecret".to_owned(), "any-key".to_owned());
        configure(&mut options);
        let gateway = Gateway::start(options).await?;
        Ok(Self { gateway, translator })
    }

    /// Connects somebody, with their token in the header.
    ///
    /// # Errors
    ///
    /// See [`HandshakeError`].
    pub async fn connect(&self, person: &Person) -> Result<WebSocket, HandshakeError> {
        WebSocket::connect_with_token(&self.gateway.websocket_url(), &token(person)).await
    }
}

/// Signs a token with which somebody can connect to a [`Stack`].
#[must_use]
pub fn token(person: &Person) -> String {
    person.token(TOKEN_SECRET, TOKEN_LIFETIME)
}

/// The root of the repository.
#[must_use]
pub fn repository() -> PathBuf {
    // This crate lies two folders below it.
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or(Path::new(".")).to_path_buf()
}

/// The template that is deployed.
#[must_use]
pub fn template_file() -> PathBuf {
    repository().join("template.yaml")
}
