//! `measure`: prints what Damso costs and how long it takes, as tables for people and as JSON for programs.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use local_gateway::faults::Latencies;
use measure::costs::{self, Costs};
use measure::delivery::{delivery, hot_room};
use measure::fanout::{self, fan_out};
use measure::functions::functions;
use measure::growth::growth;
use measure::prices::Prices;
use measure::stack::{MeasureError, Setup};
use measure::table::Table;
use measure::translation::translation;
use testkit::binaries::{BuildError, given_or_built};
use testkit::stack::template_file;

/// Measures what Damso costs and how long it takes, on this machine.
#[derive(Debug, Parser)]
#[command(name = "measure", version)]
struct Arguments {
    /// What to measure [default: everything]
    #[arg(value_enum)]
    what: Vec<What>,
    /// Writes the tables there too, as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// How long saturation and the hot room last, in seconds
    #[arg(long, default_value_t = 10)]
    seconds: u32,
    /// How many connections fan-out is measured with at most
    #[arg(long, default_value_t = 10_000)]
    connections: usize,
    /// Be the clients of that stack, as a process that this program starts itself
    #[arg(long, value_name = "URL", hide = true)]
    clients_of: Option<String>,
    /// Writes there what each action costs in calls and units, instead of printing tables
    #[arg(long, value_name = "FILE", conflicts_with = "json")]
    counts: Option<PathBuf>,
    /// A folder with built functions, to measure these instead of building them
    #[arg(long, value_name = "DIR")]
    binaries: Option<PathBuf>,
    /// The template to run
    #[arg(long, value_name = "FILE", default_value_os_t = template_file(), hide_default_value = true)]
    template: PathBuf,
}

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum What {
    /// Calls, units, round trips, bytes and dollars of each action
    Costs,
    /// The characters that DeepL bills for recorded consultations
    Translation,
    /// The same with many connections, messages and rooms
    Growth,
    /// From one client's send to another's receipt, and messages a second
    Delivery,
    /// One room that everybody writes in
    HotRoom,
    /// One message to many connections
    FanOut,
    /// Each function's binary, start, invocations and memory
    Functions,
}

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Build(#[from] BuildError),
    #[error(transparent)]
    Measure(#[from] MeasureError),
    #[error("a data file cannot be read: {0}")]
    Data(#[from] serde_json::Error),
    #[error("{} cannot be written: {_1}", _0.display())]
    Write(PathBuf, std::io::Error),
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
    if let Some(url) = &arguments.clients_of {
        return Ok(fanout::clients(url).await?);
    }
    let binaries = given_or_built(arguments.binaries.as_deref(), &arguments.template).await?;
    let setup = Setup::of(&arguments.template, &binaries);
    if let Some(file) = &arguments.counts {
        return write(file, &serde_json::to_string_pretty(&costs::counts(&setup).await?)?);
    }
    let prices = Prices::read()?;
    let latencies: Latencies = serde_json::from_str(include_str!("../latencies.json"))?;
    let wanted = |what: What| arguments.what.is_empty() || arguments.what.contains(&what);
    let mut tables: Vec<Table> = Vec::new();
    if wanted(What::Costs) {
        let costs = Costs::measure(&setup, &latencies).await?;
        show(&mut tables, costs.table(&prices));
        show(&mut tables, costs.guarantees(&prices));
    }
    if wanted(What::Translation) {
        show(&mut tables, translation(&setup, &prices).await?);
    }
    if wanted(What::Growth) {
        show(&mut tables, growth(&setup).await?);
    }
    if wanted(What::FanOut) {
        show(&mut tables, fan_out(&setup, arguments.connections).await?);
    }
    if wanted(What::Delivery) {
        show(&mut tables, delivery(&setup, &latencies, arguments.seconds).await?);
    }
    if wanted(What::HotRoom) {
        show(&mut tables, hot_room(&setup, &latencies, arguments.seconds).await?);
    }
    if wanted(What::Functions) {
        show(&mut tables, functions(&setup).await?);
    }
    if let Some(file) = &arguments.json {
        let json: serde_json::Map<_, _> = tables.iter().map(|table| (table.title.clone(), table.json())).collect();
        write(file, &serde_json::to_string_pretty(&json)?)?;
    }
    Ok(())
}

fn write(file: &Path, text: &str) -> Result<(), Failure> {
    std::fs::write(file, format!("{text}\n")).map_err(|problem| Failure::Write(file.to_owned(), problem))
}

/// Prints a table as soon as it is there, and keeps it.
fn show(tables: &mut Vec<Table>, table: Table) {
    anstream::println!("{table}");
    tables.push(table);
}
