//! Serves a SAM template on this machine: its WebSocket API, functions, tables and secrets.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use local_gateway::faults::{Latencies, Plan, PlanError};
use local_gateway::{Binaries, Gateway, LogSink, Options};

/// Run a SAM template on this machine: WebSocket API, functions, DynamoDB with streams, secrets
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// SAM template to run
    #[arg(long, default_value = "template.yaml", value_name = "FILE")]
    template: PathBuf,
    /// Folder of the functions' binaries, each named after the last part of its CodeUri
    #[arg(long, default_value = "target/debug", value_name = "DIR")]
    bin_dir: PathBuf,
    /// Send invocations to a running `cargo lambda watch` instead, for example http://127.0.0.1:9000
    #[arg(long, value_name = "URL", conflicts_with = "bin_dir")]
    invoke: Option<String>,
    /// Port of the WebSocket API; 0 picks a free port
    #[arg(long, default_value_t = 3001)]
    port: u16,
    /// Port of DynamoDB and Secrets Manager; 0 picks a free port
    #[arg(long, default_value_t = 0)]
    endpoint_port: u16,
    /// Folder for the database and the generated secrets; without it, nothing is kept
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Name of the stack
    #[arg(long, default_value = "local")]
    stack_name: String,
    /// Set a template parameter; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    parameter: Vec<(String, String)>,
    /// Set a secret by its logical id; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    secret: Vec<(String, String)>,
    /// Set an environment variable of all functions; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    environment: Vec<(String, String)>,
    /// Append the functions' output to a file instead of standard error
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// Inject the faults of a plan (JSON)
    #[arg(long, value_name = "FILE")]
    faults: Option<PathBuf>,
    /// Impose the latencies of AWS (JSON)
    #[arg(long, value_name = "FILE")]
    latencies: Option<PathBuf>,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or_else(|| format!("`{text}` does not have the form NAME=VALUE"))?;
    Ok((name.to_owned(), value.to_owned()))
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::WARN)
        .with_target(false)
        .without_time()
        .with_writer(std::io::stderr)
        .init();
    // Installed first, so that an early Ctrl-C ends everything in order too.
    let stop = stop_signal();
    let options = match options(arguments) {
        Ok(options) => options,
        Err(problem) => {
            eprintln!("{problem}");
            return ExitCode::FAILURE;
        }
    };
    let gateway = match Gateway::start(options).await {
        Ok(gateway) => gateway,
        Err(problem) => {
            eprintln!("{problem}");
            return ExitCode::FAILURE;
        }
    };
    let addresses = format!(
        "WebSocket API     {}\n@connections      {}/@connections/<id>\nDynamoDB, secrets {}\n",
        gateway.websocket_url(),
        gateway.management_url(),
        gateway.endpoint_url()
    );
    // A reader that closes the pipe after the first line must not end the gateway.
    let _ = std::io::stdout().write_all(addresses.as_bytes());
    let stopped = stop.await;
    let faults = gateway.faults().clone();
    gateway.shut_down().await;
    for (kind, count) in faults.counts() {
        eprintln!("{kind}: {count}");
    }
    match stopped {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("failed to wait for Ctrl-C: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn options(arguments: Arguments) -> Result<Options, PlanError> {
    let binaries = match arguments.invoke {
        Some(url) => Binaries::Invoke { url },
        None => Binaries::Built { directory: arguments.bin_dir },
    };
    let mut faults = arguments.faults.as_deref().map(Plan::read).transpose()?.unwrap_or_default();
    if let Some(file) = &arguments.latencies {
        faults.latencies = Some(Latencies::read(file)?);
    }
    Ok(Options {
        stack_name: arguments.stack_name,
        listen: SocketAddr::from(([127, 0, 0, 1], arguments.port)),
        endpoint: SocketAddr::from(([127, 0, 0, 1], arguments.endpoint_port)),
        parameters: BTreeMap::from_iter(arguments.parameter),
        secrets: BTreeMap::from_iter(arguments.secret),
        data: arguments.data,
        environment: BTreeMap::from_iter(arguments.environment),
        log: arguments.log.map_or(LogSink::Inherit, LogSink::File),
        faults,
        ..Options::new(arguments.template, binaries)
    })
}

/// Waits for Ctrl-C, or on Unix for `kill`.
#[cfg(unix)]
fn stop_signal() -> impl Future<Output = std::io::Result<()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let signals = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()].map(signal);
    async move {
        let [interrupt, terminate, hangup] = signals;
        let mut interrupt = interrupt?;
        let mut terminate = terminate?;
        let mut hangup = hangup?;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
        Ok(())
    }
}

/// Waits for Ctrl-C.
#[cfg(not(unix))]
fn stop_signal() -> impl Future<Output = std::io::Result<()>> {
    tokio::signal::ctrl_c()
}
