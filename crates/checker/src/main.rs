//! `cargo check-promises`: runs the checker against the whole stack on this machine.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use checker::mutations::Mutation;
use checker::{CheckError, ClientTiming, Options, Progress, Verdict, plans, run};
use clap::Parser;
use local_gateway::faults::{Plan, PlanError};
use local_gateway::{Limits, LogSink, Timing};
use testkit::binaries::{BuildError, given_or_built};
use testkit::stack::template_file;
use testkit::{Stack, StackError, TOKEN_SECRET};

/// Check that no acknowledged message is lost, duplicated or reordered while faults are injected
///
/// Starts the whole stack on this machine, lets many clients write while faults are injected, and compares what they
/// sent and saw with the tables. Prints a verdict.
///
/// Exit status: 0 if every guarantee was kept, 1 if one was violated, 2 if there is no verdict (an error, or fewer
/// messages were acknowledged in time than requested).
#[derive(Debug, Parser)]
#[command(name = "cargo check-promises", bin_name = "cargo check-promises", version)]
struct Arguments {
    /// Seed of the workload, the clients' choices and the faults [default: random]
    #[arg(long)]
    seed: Option<u64>,
    /// Number of rooms
    #[arg(long, default_value_t = 50)]
    rooms: usize,
    /// Number of messages to send until they are acknowledged
    #[arg(long, default_value_t = 5_000)]
    messages: u64,
    /// Maximum number of messages in flight
    #[arg(long, default_value_t = 16)]
    concurrency: usize,
    /// How often all clients lose their connections at once
    #[arg(long, value_name = "TIMES", default_value_t = 3)]
    mass_disconnects: u32,
    /// Stop sending after this many minutes
    #[arg(long, default_value_t = 60, value_name = "MINUTES")]
    time_limit: u64,
    /// Inject the faults of this plan (JSON) instead of all kinds
    #[arg(long, value_name = "FILE")]
    faults: Option<PathBuf>,
    /// Inject no faults
    #[arg(long, conflicts_with = "faults")]
    no_faults: bool,
    /// Inject no faults that lose frames: every open connection must then be pushed every entry
    #[arg(long, conflicts_with_all = ["faults", "no_faults"])]
    no_lost_frames: bool,
    /// Run with a defect, which the checker must find
    #[arg(long, value_name = "MUTATION")]
    mutate: Option<Mutation>,
    /// Run the function binaries in this folder instead of building them
    #[arg(long, value_name = "DIR")]
    binaries: Option<PathBuf>,
    /// Write the functions' log to this file [default: discard it]
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// SAM template to run [default: template.yaml]
    #[arg(long, value_name = "FILE", default_value_os_t = template_file(), hide_default_value = true)]
    template: PathBuf,
}

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Build(#[from] BuildError),
    #[error(transparent)]
    Plan(#[from] PlanError),
    #[error(transparent)]
    Stack(#[from] StackError),
    #[error(transparent)]
    Check(#[from] CheckError),
}

#[tokio::main]
async fn main() -> ExitCode {
    match check(&Arguments::parse()).await {
        Ok(verdict) if !verdict.holds() => ExitCode::from(1),
        Ok(verdict) if !verdict.is_complete() => ExitCode::from(2),
        Ok(_) => ExitCode::SUCCESS,
        Err(failure) => {
            anstream::eprintln!("error: {failure}");
            ExitCode::from(2)
        }
    }
}

async fn check(arguments: &Arguments) -> Result<Verdict, Failure> {
    let seed = arguments.seed.unwrap_or_else(|| rand::random_range(0..1_000_000));
    let mut faults = match &arguments.faults {
        Some(file) => Plan::read(file)?,
        None if arguments.no_faults => Plan::default(),
        None if arguments.no_lost_frames => plans::everything_but_lost_frames(seed),
        None => plans::everything(seed),
    };
    if let Some(mutation) = arguments.mutate {
        if mutation == Mutation::FailuresDropped {
            plans::fail_fan_out(&mut faults, 0.7);
        }
        anstream::eprintln!("WARNING: this stack has the defect {mutation:?}; acknowledged messages may be lost");
    }
    let options = Options {
        seed,
        rooms: arguments.rooms,
        messages: arguments.messages,
        concurrency: arguments.concurrency,
        faults,
        mass_disconnects: arguments.mass_disconnects,
        token_lifetime: Duration::from_secs(240),
        time_limit: Duration::from_secs(60 * arguments.time_limit),
        // With the heartbeats of a short run, hundreds of clients would do little else.
        timing: ClientTiming { heartbeat_ms: 8_000..=15_000, ..ClientTiming::default() },
        ..Options::default()
    };
    let binaries = given_or_built(arguments.binaries.as_deref(), &arguments.template).await?;
    let Stack { gateway, .. } =
        Stack::start(&arguments.template, &binaries, |options| configure(options, arguments)).await?;
    let messages = arguments.messages;
    let verdict = run(&gateway, TOKEN_SECRET, &options, |Progress { acknowledged, elapsed }| {
        anstream::eprintln!("{:>5} s  {acknowledged} of {messages} messages acknowledged", elapsed.as_secs());
    })
    .await;
    gateway.shut_down().await;
    let verdict = verdict?;
    anstream::println!("{verdict}");
    Ok(verdict)
}

/// The stack as it is deployed, with shorter versions of AWS's time limits.
fn configure(options: &mut local_gateway::Options, arguments: &Arguments) {
    // Clients write faster than people.
    for (parameter, value) in [("SendWindowMs", "0"), ("CostlyPerMinute", "0"), ("RequestsPerMinute", "0")] {
        options.parameters.insert(parameter.to_owned(), value.to_owned());
    }
    if let Some(file) = &arguments.log {
        options.log = LogSink::File(file.clone());
    }
    // Shorter than the longest heartbeat interval, so that some connections end because they are idle.
    options.limits = Limits { idle: Duration::from_secs(12), longest: Duration::from_secs(300), ..Limits::default() };
    if let Some(mutation) = arguments.mutate {
        options.interceptor = mutation.interceptor();
    }
    options.streams =
        Timing { first_retry: Duration::from_millis(50), longest_retry: Duration::from_secs(1), ..Timing::default() };
}
