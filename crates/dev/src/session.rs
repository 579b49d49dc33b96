//! One run of `cargo dev`: the stack, the demo, and the functions' log lines on the terminal.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use local_gateway::faults::{Faults, Plan, PlanError};
use local_gateway::{Binaries, Gateway, LogLine, LogSink, Options, StartError};
use sam_template::{StackContext, Template, TemplateError};
use testkit::binaries::{BuildError, given_or_built};
use testkit::people::{self, Person};
use testkit::stack::repository;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::sleep;
use url::Url;

use crate::arguments::Arguments;
use crate::demo::{self, DemoError};
use crate::page::{Login, Page};
use crate::ready_screen::{ReadyScreen, Side};
use crate::translator::Translator;
use crate::{environment_file, log_format, token_secret};

/// The stack's name, which is the first part of every table's name.
const STACK: &str = "damso";

/// How long a printed token is valid. API Gateway ends every connection after two hours, so a day allows for
/// reconnecting.
const TOKEN_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

#[derive(Debug, thiserror::Error)]
pub enum DevError {
    #[error("failed to listen on {address} ({source}); stop the program that uses it, or choose another --port")]
    Port { address: SocketAddr, source: io::Error },
    #[error(transparent)]
    Template(#[from] TemplateError),
    #[error(transparent)]
    Build(#[from] BuildError),
    #[error("failed to write {}: {source}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Faults(#[from] PlanError),
    #[error("failed to serve the web page: {0}")]
    Page(io::Error),
    #[error("failed to start the DeepL stub: {0}")]
    Translator(io::Error),
    #[error(transparent)]
    Start(#[from] StartError),
    #[error("failed to open the demo consultation: {0}")]
    Demo(#[from] DemoError),
    #[error("failed to listen for signals: {0}")]
    Signals(io::Error),
}

/// Everything that runs.
pub struct Session {
    gateway: Gateway,
    translator: Translator,
    token_secret: String,
    page: SocketAddr,
    environment_file: PathBuf,
    faults: Option<Plan>,
    log: UnboundedReceiver<LogLine>,
    /// Logical id → the name of the function's crate, which is the name to look for in a log.
    function_names: BTreeMap<String, String>,
}

/// The addresses of a run. They are the same in every run, so that an environment file stays valid.
struct Addresses {
    websocket: SocketAddr,
    aws: SocketAddr,
    deepl: SocketAddr,
    page: SocketAddr,
}

impl Session {
    /// Builds the functions and starts the stack.
    pub async fn start(arguments: &Arguments) -> Result<Self, DevError> {
        let addresses = Addresses::from_port(arguments.port).await?;
        let template = Template::read(&arguments.template, StackContext::local(STACK), &BTreeMap::new())?;
        let faults = arguments.faults.as_deref().map(Plan::read).transpose()?;
        if let Some(plan) = &faults {
            // Checked before the functions are built, which may take minutes.
            Faults::of(&template, plan.clone())?;
        }
        let binaries = match &arguments.invoke {
            Some(url) => Binaries::Invoke { url: url.to_string() },
            None => {
                Binaries::Built { directory: given_or_built(arguments.binaries.as_deref(), &arguments.template).await? }
            }
        };
        let environment_file = arguments.env_file.clone().unwrap_or_else(|| template.folder.join(".dev/lambda.env"));
        let secret_file = environment_file.with_file_name("token-secret");
        let token_secret = token_secret::read_or_create(&secret_file)
            .map_err(|source| DevError::Write { path: secret_file, source })?;
        let translator = Translator::choose(addresses.deepl).await.map_err(DevError::Translator)?;
        let (lines, log) = unbounded_channel();
        let gateway = Gateway::start(Options {
            stack_name: STACK.to_owned(),
            listen: addresses.websocket,
            endpoint: addresses.aws,
            parameters: parameters(&translator, arguments),
            secrets: BTreeMap::from([
                ("TokenSecret".to_owned(), token_secret.clone()),
                ("DeepLSecret".to_owned(), translator.key().to_owned()),
            ]),
            data: arguments.data.clone(),
            log: LogSink::Lines(lines),
            ..Options::new(arguments.template.clone(), binaries)
        })
        .await?;

        let environment = environment_file::merge(template.functions.keys().map(|id| gateway.function_environment(id)));
        environment_file::write(&environment_file, &environment)
            .map_err(|source| DevError::Write { path: environment_file.clone(), source })?;
        let function_names = template
            .functions
            .values()
            .map(|function| (function.logical_id.clone(), function.binary().to_owned()))
            .collect();
        let page = addresses.page;
        Ok(Self { gateway, translator, token_secret, page, environment_file, faults, log, function_names })
    }

    /// Opens the demo consultation, prints how to join it, and then prints the functions' log lines.
    pub async fn serve(&mut self, arguments: &Arguments) -> Result<(), DevError> {
        if let Some(url) = &arguments.invoke {
            wait_for_watch(url, &self.environment_file).await;
        }
        let url = self.gateway.websocket_url();
        let opened = demo::open(&url, |person| self.token(person)).await;
        if let Err(error) = opened {
            self.print_log_so_far();
            return Err(error.into());
        }
        // Waits for the translations of the first messages, so that the first `getChatHistory` includes them.
        self.gateway.streams().idle().await;
        while self.log.try_recv().is_ok() {}
        if let Some(plan) = self.faults.take() {
            self.gateway.faults().set(plan)?;
        }

        let patient = Side { person: people::patient(), token: self.token(&people::patient()) };
        let coordinator = Side { person: people::coordinator(), token: self.token(&people::coordinator()) };
        let logins = [
            Login { path: "/patient", token: patient.token.clone() },
            Login { path: "/hospital", token: coordinator.token.clone() },
        ];
        let page = Page::start(self.page, &repository().join("web/dist"), &url, &logins).await;
        let page = page.map_err(DevError::Page)?;
        let screen = ReadyScreen {
            websocket_url: &url,
            page: &page,
            patient: &patient,
            coordinator: &coordinator,
            deepl: self.translator.is_deepl(),
            data: arguments.data.as_deref(),
            environment_file: &relative(&self.environment_file),
        };
        anstream::println!("{screen}");
        while let Some(line) = self.log.recv().await {
            self.print(&line);
        }
        Ok(())
    }

    pub async fn shut_down(self) {
        self.gateway.shut_down().await;
    }

    fn token(&self, person: &Person) -> String {
        person.token(&self.token_secret, TOKEN_LIFETIME)
    }

    fn print(&self, line: &LogLine) {
        let name = self.function_names.get(&line.function).unwrap_or(&line.function);
        if let Some(readable) = log_format::readable(name, &line.line) {
            anstream::println!("{readable}");
        }
    }

    fn print_log_so_far(&mut self) {
        while let Ok(line) = self.log.try_recv() {
            self.print(&line);
        }
    }
}

/// Template parameters: the translator's, the hospital of the demo, and those that were given.
fn parameters(translator: &Translator, arguments: &Arguments) -> BTreeMap<String, String> {
    let mut parameters = translator.parameters();
    parameters.insert("Hospitals".to_owned(), people::demo_hospital().to_string());
    parameters.extend(arguments.parameters.iter().cloned());
    parameters
}

impl Addresses {
    /// Four consecutive ports. Each is tried now, before a build that may take minutes.
    async fn from_port(port: u16) -> Result<Self, DevError> {
        let [websocket, aws, deepl, page] = [0, 1, 2, 3].map(|offset| {
            let port = if port == 0 { 0 } else { port.saturating_add(offset) };
            SocketAddr::from((Ipv4Addr::LOCALHOST, port))
        });
        for address in [websocket, aws, deepl, page] {
            TcpListener::bind(address).await.map_err(|source| DevError::Port { address, source })?;
        }
        Ok(Self { websocket, aws, deepl, page })
    }
}

/// The path relative to the current folder, where it is below it.
fn relative(path: &Path) -> PathBuf {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(here).unwrap_or(path).to_path_buf()
}

/// Returns once `cargo lambda watch` listens.
async fn wait_for_watch(url: &Url, environment_file: &Path) {
    let addresses = url.socket_addrs(|| Some(9000)).unwrap_or_default();
    let mut announced = false;
    while TcpStream::connect(&*addresses).await.is_err() {
        if !announced {
            announced = true;
            anstream::println!(
                "Waiting for the functions on {url}. In another terminal, run:\n\
                 cargo lambda watch --invoke-port {} --env-file {}",
                url.port_or_known_default().unwrap_or(9000),
                relative(environment_file).display()
            );
        }
        sleep(Duration::from_millis(300)).await;
    }
}
