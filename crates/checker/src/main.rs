//! `check`: starts the whole stack on this machine, puts every fault in its way that AWS has, lets many clients talk, and
//! says whether a promise was broken. Exit code 1 if one was, 2 if there is no verdict: nor is there one where fewer messages were
//! acknowledged than were asked for.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use checker::mutations::Mutation;
use checker::{CheckError, Options, Progress, Tempo, Verdict, plans, run};
use clap::Parser;
use local_gateway::faults::{Plan, PlanError};
use local_gateway::{Limits, LogSink, Timing};
use testkit::binaries::{BuildError, given_or_built};
use testkit::{Stack, StackError, TOKEN_SECRET, stack};

/// Checks that nothing acknowledged is lost, doubled or out of order, under faults.
#[derive(Debug, Parser)]
#[command(name = "check", version)]
struct Arguments {
    /// What the people, the rooms, the clients' choices and the faults are drawn from [default: a new one each time].
    #[arg(long)]
    seed: Option<u64>,
    /// How many rooms.
    #[arg(long, default_value_t = 50)]
    rooms: usize,
    /// How many messages at least are sent until they are acknowledged.
    #[arg(long, default_value_t = 5_000)]
    sends: u64,
    /// How many messages may be on their way at once.
    #[arg(long, default_value_t = 16)]
    at_once: usize,
    /// How often everybody's connection breaks at the same time.
    #[arg(long, default_value_t = 3)]
    storms: u32,
    /// How many minutes messages are sent at most.
    #[arg(long, default_value_t = 60, value_name = "MINUTES")]
    time_limit: u64,
    /// A fault plan instead of all faults at once: see the local gateway's --faults.
    #[arg(long, value_name = "FILE")]
    faults: Option<PathBuf>,
    /// No faults at all.
    #[arg(long, conflicts_with = "faults")]
    calm: bool,
    /// No faults of pushes and connections: whoever stays connected must then be pushed everything.
    #[arg(long, conflicts_with_all = ["faults", "calm"])]
    steady: bool,
    /// Plant a defect that the checker must find.
    #[arg(long, value_name = "MUTATION")]
    mutate: Option<Mutation>,
    /// A folder with built functions, to run these instead of building them.
    #[arg(long, value_name = "DIR")]
    binaries: Option<PathBuf>,
    /// Where the lines go that the functions log [default: nowhere].
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// The template to run [default: template.yaml].
    #[arg(long, value_name = "FILE", default_value_os_t = stack::template_file(), hide_default_value = true)]
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
        Ok(verdict) if !verdict.is_whole() => ExitCode::from(2),
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
        None if arguments.calm => Plan::default(),
        None if arguments.steady => plans::everything_but_lost_frames(seed),
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
        sends: arguments.sends,
        at_once: arguments.at_once,
        faults,
        storms: arguments.storms,
        session: Duration::from_secs(240),
        time_limit: Duration::from_secs(60 * arguments.time_limit),
        // Hundreds of clients whose hearts beat as fast as in a short run would do little else.
        tempo: Tempo { heartbeat_ms: 8_000..=15_000, ..Tempo::default() },
        ..Options::default()
    };
    let binaries = given_or_built(arguments.binaries.as_deref(), &arguments.template).await?;
    let Stack { gateway, .. } =
        Stack::start(&arguments.template, &binaries, |options| configure(options, arguments)).await?;
    let sends = arguments.sends;
    let verdict = run(&gateway, TOKEN_SECRET, &options, |Progress { acknowledged, since }| {
        anstream::eprintln!("{:>5} s  {acknowledged} of {sends} messages acknowledged", since.as_secs());
    })
    .await;
    gateway.shut_down().await;
    let verdict = verdict?;
    anstream::println!("{verdict}");
    Ok(verdict)
}

/// The stack as it is deployed, with AWS's limits in time made short.
fn configure(options: &mut local_gateway::Options, arguments: &Arguments) {
    // The clients write faster than people do.
    for (parameter, value) in [("SendWindowMs", "0"), ("CostlyPerMinute", "0")] {
        options.parameters.insert(parameter.to_owned(), value.to_owned());
    }
    if let Some(file) = &arguments.log {
        options.log = LogSink::File(file.clone());
    }
    // Now and then a heart beats later than a connection may be idle.
    options.limits = Limits { idle: Duration::from_secs(12), longest: Duration::from_secs(300), ..Limits::default() };
    if let Some(mutation) = arguments.mutate {
        options.interceptor = mutation.interceptor();
    }
    options.streams =
        Timing { first_retry: Duration::from_millis(50), longest_retry: Duration::from_secs(1), ..Timing::default() };
}
