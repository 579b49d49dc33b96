//! `cargo measure`: prints the cost and speed of Damso as tables, and writes them as JSON.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use local_gateway::faults::Latencies;
use measure::costs::{self, Costs};
use measure::delivery::{delivery, hot_room};
use measure::fan_out::{self, fan_out};
use measure::functions::functions;
use measure::growth::growth;
use measure::prices::Prices;
use measure::stack::{MeasureError, Setup};
use measure::table::Table;
use measure::translation::translation;
use testkit::binaries::{BuildError, given_or_built};
use testkit::stack::template_file;

/// Measure what Damso costs and how fast it is, on this machine
///
/// Starts the whole stack on this machine and prints a table per measurement. Counts are exact and the same on every
/// machine; times depend on the machine.
#[derive(Debug, Parser)]
#[command(name = "cargo measure", bin_name = "cargo measure", version)]
struct Arguments {
    /// What to measure [default: everything]
    #[arg(value_enum)]
    measurements: Vec<Measurement>,
    /// Write the tables to this file too, as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// How long saturation and each rate of the hot room last
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    seconds: u32,
    /// The largest audience of the fan-out measurement
    #[arg(long, value_name = "NUMBER", default_value_t = 10_000)]
    connections: usize,
    /// Write the calls and capacity units of each action to this file (tests/costs.json), and print no tables
    #[arg(long, value_name = "FILE", conflicts_with_all = ["json", "measurements"])]
    counts: Option<PathBuf>,
    /// Run the function binaries in this folder instead of building them
    #[arg(long, value_name = "DIR")]
    binaries: Option<PathBuf>,
    /// SAM template to run [default: template.yaml]
    #[arg(long, value_name = "FILE", default_value_os_t = template_file(), hide_default_value = true)]
    template: PathBuf,
    /// Run the clients of the fan-out measurement, in a process that this program starts itself
    #[arg(long, value_name = "URL", hide = true)]
    listen: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Measurement {
    /// Calls, capacity units, round trips, bytes and dollars of each action
    Costs,
    /// Characters that DeepL bills for recorded consultations
    Translation,
    /// Costs among many connections, messages and rooms
    Growth,
    /// One message to many connections
    FanOut,
    /// Delivery latency and throughput
    Delivery,
    /// One room in which many people write
    HotRoom,
    /// Size, start time, invocation time and memory of each function
    Functions,
}

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Build(#[from] BuildError),
    #[error(transparent)]
    Measure(#[from] MeasureError),
    #[error("failed to read a data file: {0}")]
    Data(#[from] serde_json::Error),
    #[error("failed to write {}: {source}", path.display())]
    Write { path: PathBuf, source: std::io::Error },
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(&Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            anstream::eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments) -> Result<(), Failure> {
    if let Some(url) = &arguments.listen {
        return Ok(fan_out::listen(url).await?);
    }
    let binaries = given_or_built(arguments.binaries.as_deref(), &arguments.template).await?;
    let setup = Setup::of(&arguments.template, &binaries);
    if let Some(file) = &arguments.counts {
        return write(file, &serde_json::to_string_pretty(&costs::counts(&setup).await?)?);
    }
    let prices = Prices::read()?;
    let latencies: Latencies = serde_json::from_str(include_str!("../latencies.json"))?;
    let mut tables = Vec::new();
    for measurement in Measurement::value_variants() {
        if !arguments.measurements.is_empty() && !arguments.measurements.contains(measurement) {
            continue;
        }
        for table in measure(*measurement, arguments, &setup, &prices, &latencies).await? {
            anstream::println!("{table}");
            tables.push(table);
        }
    }
    if let Some(file) = &arguments.json {
        write(file, &serde_json::to_string_pretty(&tables)?)?;
    }
    Ok(())
}

async fn measure(
    measurement: Measurement,
    arguments: &Arguments,
    setup: &Setup,
    prices: &Prices,
    latencies: &Latencies,
) -> Result<Vec<Table>, MeasureError> {
    Ok(match measurement {
        Measurement::Costs => {
            let costs = Costs::measure(setup, latencies).await?;
            vec![costs.table(prices), costs.guarantees(prices)]
        }
        Measurement::Translation => vec![translation(setup, prices).await?],
        Measurement::Growth => vec![growth(setup).await?],
        Measurement::FanOut => vec![fan_out(setup, arguments.connections).await?],
        Measurement::Delivery => vec![delivery(setup, latencies, arguments.seconds).await?],
        Measurement::HotRoom => vec![hot_room(setup, latencies, arguments.seconds).await?],
        Measurement::Functions => vec![functions(setup).await?],
    })
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    std::fs::write(path, format!("{text}\n")).map_err(|source| Failure::Write { path: path.to_owned(), source })
}
