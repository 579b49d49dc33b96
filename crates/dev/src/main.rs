//! `cargo dev`: builds the functions, runs the whole template on this machine, opens a demo consultation between a
//! patient and a hospital, and prints how to join it from a browser or with `wscat`.

mod arguments;
mod demo;
mod environment_file;
mod log_format;
mod page;
mod ready_screen;
mod session;
mod token_secret;
mod translator;

use std::io;
use std::pin::pin;
use std::process::ExitCode;

use clap::Parser;

use arguments::Arguments;
use session::{DevError, Session};

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
