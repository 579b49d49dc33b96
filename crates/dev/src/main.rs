//! `cargo dev`: builds the functions, runs the whole template on this machine, opens a consultation between a patient
//! and a hospital, and says how to join it with `wscat`.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use dev::binaries::{self, BuildError, BuildFolder};
use dev::consultation::{self, ConsultationError};
use dev::page::{Page, SignedIn};
use dev::people::{self, Person};
use dev::screen::Ready;
use dev::translator::Translator;
use dev::{environment_file, log_lines, token_secret};
use local_gateway::faults::{Faults, Plan, PlanError};
use local_gateway::{Binaries, Gateway, LogLine, LogSink, Options, StartError};
use sam_template::{StackContext, Template, TemplateError};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::sleep;
use url::Url;

/// The stack's name: the first part of every table's name.
const STACK: &str = "damso";

/// How long a printed token lets its holder in. API Gateway ends every connection after two hours; this is a day of
/// reconnecting.
const TOKEN_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// Runs Damso on this machine: no AWS account, no Docker, no network.
#[derive(Debug, Parser)]
#[command(name = "cargo dev", bin_name = "cargo dev", version)]
struct Arguments {
    /// The port to connect to. AWS's services answer on the next one, DeepL's stand-in on the one after, the page on the one
    /// after that. 0 takes free ones.
    #[arg(long, default_value_t = 3001)]
    port: u16,
    /// A folder that keeps the data from one run to the next.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// A running `cargo lambda watch` (for example http://127.0.0.1:9000) that runs the functions instead.
    #[arg(long, value_name = "URL")]
    invoke: Option<Url>,
    /// A folder with built functions, to run these instead of building them.
    #[arg(long, value_name = "DIR", conflicts_with = "invoke")]
    binaries: Option<PathBuf>,
    /// A plan (JSON) of faults to put in the stack's way, once the consultation is open.
    #[arg(long, value_name = "FILE")]
    faults: Option<PathBuf>,
    /// Where to write the variables that `cargo lambda watch --env-file` reads [default: .dev/lambda.env].
    #[arg(long, value_name = "FILE")]
    env_file: Option<PathBuf>,
    /// The template to run [default: template.yaml].
    #[arg(long, value_name = "FILE", default_value_os_t = repository().join("template.yaml"), hide_default_value = true)]
    template: PathBuf,
}

/// Where this program was built: two folders above its crate.
fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or(Path::new(".")).to_path_buf()
}

#[derive(Debug, thiserror::Error)]
enum DevError {
    #[error("cannot listen on {address} ({source}); stop what listens there, or choose another port with --port")]
    Port { address: SocketAddr, source: io::Error },
    #[error(transparent)]
    Template(#[from] TemplateError),
    #[error(transparent)]
    Build(#[from] BuildError),
    #[error("cannot write {path}: {source}")]
    File { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Faults(#[from] PlanError),
    #[error("the page cannot be served: {0}")]
    Page(io::Error),
    #[error("the stand-in for DeepL cannot start: {0}")]
    StandIn(io::Error),
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Consultation(#[from] ConsultationError),
    #[error("cannot listen for signals: {0}")]
    Signals(io::Error),
}

#[tokio::main]
async fn main() -> ExitCode {
    // What the gateway itself has to say, such as which statement a policy lacks.
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::WARN)
        .with_target(false)
        .without_time()
        .with_writer(io::stderr)
        .init();
    match run(&Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            anstream::eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs until a signal comes, and ends everything that it started.
async fn run(arguments: &Arguments) -> Result<(), DevError> {
    let mut signal = pin!(signal().map_err(DevError::Signals)?);
    let mut damso = tokio::select! {
        started = Damso::start(arguments) => started?,
        () = &mut signal => return Ok(()),
    };
    let served = tokio::select! {
        served = damso.serve(arguments) => served,
        () = &mut signal => Ok(()),
    };
    damso.gateway.shut_down().await;
    served
}

/// Everything that runs.
struct Damso {
    gateway: Gateway,
    translator: Translator,
    token_secret: String,
    page: SocketAddr,
    environment_file: PathBuf,
    faults: Option<Plan>,
    log: UnboundedReceiver<LogLine>,
    /// Logical id → the name of the function's crate, which is what a person looks for in a log.
    names: BTreeMap<String, String>,
}

impl Damso {
    async fn start(arguments: &Arguments) -> Result<Self, DevError> {
        let [listen, endpoint, deepl, page] = addresses(arguments.port).await?;
        let template = Template::read(&arguments.template, StackContext::local(STACK), &BTreeMap::new())?;
        let faults = arguments.faults.as_deref().map(Plan::read).transpose()?;
        if let Some(plan) = &faults {
            // Refused now rather than after the functions were built.
            Faults::of(&template, plan.clone())?;
            if let Some(warning) = plan.sabotage.warning() {
                anstream::eprintln!("{warning}");
            }
        }
        let binaries = match (&arguments.invoke, &arguments.binaries) {
            (Some(url), _) => Binaries::Invoke { url: url.to_string() },
            (None, Some(folder)) => Binaries::Built { directory: folder.clone() },
            (None, None) => Binaries::Built { directory: build_functions(&template).await? },
        };
        let environment_file = arguments.env_file.clone().unwrap_or_else(|| template.folder.join(".dev/lambda.env"));
        let secret_file = environment_file.with_file_name("token-secret");
        let token_secret =
            token_secret::read_or_make(&secret_file).map_err(|source| DevError::File { path: secret_file, source })?;
        let translator = Translator::choose(deepl).await.map_err(DevError::StandIn)?;
        let (lines, log) = unbounded_channel();
        let gateway = Gateway::start(Options {
            stack_name: STACK.to_owned(),
            listen,
            endpoint,
            parameters: translator.parameters(),
            secrets: BTreeMap::from([
                ("TokenSecret".to_owned(), token_secret.clone()),
                ("DeepLSecret".to_owned(), translator.key().to_owned()),
            ]),
            data: arguments.data.clone(),
            log: LogSink::Lines(lines),
            ..Options::new(arguments.template.clone(), binaries)
        })
        .await?;

        let environment =
            environment_file::united(template.functions.keys().map(|id| gateway.function_environment(id)));
        environment_file::write(&environment_file, &environment)
            .map_err(|source| DevError::File { path: environment_file.clone(), source })?;
        let names = template
            .functions
            .values()
            .map(|function| (function.logical_id.clone(), function.binary().to_owned()))
            .collect();
        Ok(Self { gateway, translator, token_secret, page, environment_file, faults, log, names })
    }

    /// Opens the consultation, says how to join it, and from then on shows what the functions log.
    async fn serve(&mut self, arguments: &Arguments) -> Result<(), DevError> {
        if let Some(url) = &arguments.invoke {
            wait_for_watch(url, &self.environment_file).await;
        }
        let url = self.gateway.websocket_url();
        let opened = consultation::open(&url, |person| self.token(person)).await;
        if let Err(error) = opened {
            self.show_log_so_far();
            return Err(error.into());
        }
        // Lets the first messages' translations arrive, so that the first `getChatHistory` already shows them.
        self.gateway.streams().idle().await;
        while self.log.try_recv().is_ok() {}
        if let Some(plan) = self.faults.take() {
            self.gateway.faults().set(plan)?;
        }

        let (patient, coordinator) = (people::patient(), people::coordinator());
        let tokens = [self.token(&patient), self.token(&coordinator)];
        let signed_in = ["/patient", "/hospital"].into_iter().zip(&tokens);
        let signed_in: Vec<_> = signed_in.map(|(path, token)| SignedIn { path, token: token.clone() }).collect();
        let page = Page::start(self.page, &repository().join("web/dist"), &url, &signed_in).await;
        let page = page.map_err(DevError::Page)?;
        let [patients, coordinators] = tokens;
        let ready = Ready {
            websocket_url: &url,
            page: &page,
            patient: (&patient, patients),
            coordinator: (&coordinator, coordinators),
            deepl: self.translator.is_deepl(),
            data: arguments.data.as_deref(),
            environment_file: &shown(&self.environment_file),
        };
        anstream::println!("{}", ready.text());
        while let Some(line) = self.log.recv().await {
            self.show(&line);
        }
        Ok(())
    }

    fn token(&self, person: &Person) -> String {
        person.token(&self.token_secret, TOKEN_LIFETIME)
    }

    fn show(&self, line: &LogLine) {
        let name = self.names.get(&line.function).unwrap_or(&line.function);
        if let Some(readable) = log_lines::readable(name, &line.line) {
            anstream::println!("{readable}");
        }
    }

    fn show_log_so_far(&mut self) {
        while let Ok(line) = self.log.try_recv() {
            self.show(&line);
        }
    }
}

/// Where to connect to, and where AWS's services, DeepL's stand-in and the page are. They are the same in every run, so that an
/// environment file stays true; and all are tried here, before a build that may take minutes.
async fn addresses(port: u16) -> Result<[SocketAddr; 4], DevError> {
    let addresses = [0, 1, 2, 3].map(|next| {
        let port = if port == 0 { 0 } else { port.saturating_add(next) };
        SocketAddr::from((Ipv4Addr::LOCALHOST, port))
    });
    for address in addresses {
        TcpListener::bind(address).await.map_err(|source| DevError::Port { address, source })?;
    }
    Ok(addresses)
}

async fn build_functions(template: &Template) -> Result<PathBuf, DevError> {
    let folder = BuildFolder::of_this_program()?;
    let count = template.functions.len();
    anstream::eprintln!("Building the {count} functions; the first time takes some minutes, later ones a second.");
    binaries::build(&template.folder, &folder).await?;
    Ok(folder.binaries())
}

/// The path as a person in the current folder would write it.
fn shown(path: &Path) -> PathBuf {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(here).unwrap_or(path).to_path_buf()
}

/// Returns once something listens where `cargo lambda watch` should.
async fn wait_for_watch(url: &Url, environment_file: &Path) {
    let addresses = url.socket_addrs(|| Some(9000)).unwrap_or_default();
    let mut said = false;
    while TcpStream::connect(&*addresses).await.is_err() {
        if !said {
            said = true;
            anstream::println!(
                "Waiting for functions on {url}: run `cargo lambda watch --invoke-port {} --env-file {}` in another terminal.",
                url.port_or_known_default().unwrap_or(9000),
                shown(environment_file).display()
            );
        }
        sleep(Duration::from_millis(300)).await;
    }
}

/// A future that is done when the person or the system tells this program to end.
#[cfg(unix)]
fn signal() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => (),
            _ = terminate.recv() => (),
            _ = hangup.recv() => (),
        }
    })
}

/// A future that is done when the person tells this program to end.
#[cfg(not(unix))]
fn signal() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        // Without a console there is nobody to press Ctrl-C.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    })
}
