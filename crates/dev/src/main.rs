//! `cargo dev`: builds the functions, runs the whole template on this machine, opens a demo consultation between a
//! patient and a hospital, and prints how to join it from a browser or with `wscat`.

mod demo;
mod environment_file;
mod log_format;
mod page;
mod ready_screen;
mod session;
mod token_secret;
mod translator;

use std::io;
use std::path::PathBuf;
use std::pin::pin;
use std::process::ExitCode;

use clap::Parser;
use testkit::stack::template_file;
use url::Url;

use session::{DevError, Session};

/// Run Damso on this machine, without an AWS account, Docker or a network
///
/// Builds the functions, starts API Gateway, Lambda, DynamoDB and Secrets Manager on loopback, opens a demo
/// consultation and prints how to join it. Ctrl-C stops everything.
///
/// Translations come from a phrasebook; set DEEPL_AUTH_KEY to use DeepL.
#[derive(Debug, Parser)]
#[command(name = "cargo dev", bin_name = "cargo dev", version)]
struct Arguments {
    /// WebSocket port; the AWS services, the DeepL stub and the web page use the next three (0: any free ports)
    #[arg(long, default_value_t = 3001)]
    port: u16,
    /// Keep the data in this folder between runs [default: discard it on exit]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Invoke the functions through a running `cargo lambda watch`, for example http://127.0.0.1:9000
    #[arg(long, value_name = "URL")]
    invoke: Option<Url>,
    /// Run the function binaries in this folder instead of building them
    #[arg(long, value_name = "DIR", conflicts_with = "invoke")]
    binaries: Option<PathBuf>,
    /// Inject the faults of this plan (JSON) once the demo consultation is open
    #[arg(long, value_name = "FILE")]
    faults: Option<PathBuf>,
    /// Write the functions' environment for `cargo lambda watch --env-file` here [default: .dev/lambda.env]
    #[arg(long, value_name = "FILE")]
    env_file: Option<PathBuf>,
    /// SAM template to run [default: template.yaml]
    #[arg(long, value_name = "FILE", default_value_os_t = template_file(), hide_default_value = true)]
    template: PathBuf,
}

#[tokio::main]
async fn main() -> ExitCode {
    // The gateway's own warnings, such as a statement that a policy lacks.
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

/// Runs until a signal arrives, then stops everything that was started.
async fn run(arguments: &Arguments) -> Result<(), DevError> {
    let mut signal = pin!(signal().map_err(DevError::Signals)?);
    let mut session = tokio::select! {
        started = Session::start(arguments) => started?,
        () = &mut signal => return Ok(()),
    };
    let served = tokio::select! {
        served = session.serve(arguments) => served,
        () = &mut signal => Ok(()),
    };
    session.shut_down().await;
    served
}

/// Completes when the user or the system asks this program to stop.
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

/// Completes when the user asks this program to stop.
#[cfg(not(unix))]
fn signal() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        // Without a console nobody can press Ctrl-C.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    })
}
