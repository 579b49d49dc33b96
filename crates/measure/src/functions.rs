//! The size, start time, invocation time and memory of each function.

use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use flate2::Compression;
use flate2::write::DeflateEncoder;
use local_gateway::lambda::Memory;

use crate::actions::perform_actions;
use crate::percentile::{milliseconds, percentile};
use crate::stack::{MeasureError, Setup, Stack};
use crate::table::Table;

/// Performs every action on a stack whose functions warm up in INIT and on one whose functions do not.
///
/// # Errors
///
/// See [`MeasureError`].
pub async fn functions(setup: &Setup) -> Result<Table, MeasureError> {
    let about = format!(
        "Medians over the processes of two passes through all actions, on this machine ({}) and over plain HTTP. On \
         AWS, the first call adds a TLS handshake, which warming moves out of the first invocation. Some processes \
         start while others work; alone, a function that calls DynamoDB polls 5 to 6 ms after its start, two of which \
         go into reading Debian's root certificates. Zipped means deflated, as Lambda counts a package (0.64 to \
         2.46 MB for arm64). For the binaries as deployed, run `cargo build --release` and `cargo measure functions \
         --binaries target/release`.",
        std::env::consts::ARCH
    );
    let columns = [
        "function",
        "binary MB",
        "zipped MB",
        "start to first poll ms",
        "… warming in INIT",
        "first invocation ms",
        "… warmed",
        "later invocations ms",
        "resident MB",
        "peak MB",
    ];
    let mut table = Table::new("Functions", &about, &columns);
    let cold_stack = used_stack(&setup.clone().with("WarmInInit", "false")).await?;
    let cold = cold_stack.gateway.functions().process_stats();
    cold_stack.gateway.shut_down().await;
    let warm_stack = used_stack(&setup.clone().with("WarmInInit", "true")).await?;
    let warm = warm_stack.gateway.functions().process_stats();
    for function in warm_stack.gateway.template().functions.values() {
        let Some(cold) = cold.get(&function.logical_id) else { continue };
        let Some(warm) = warm.get(&function.logical_id) else { continue };
        let size = Size::of(&setup.binaries.join(function.binary()))?;
        let median = |times: &[Duration]| milliseconds(percentile(times, 50));
        let memory =
            |pick: fn(&Memory) -> u64| warm.memory.iter().map(pick).max().map_or_else(|| "–".to_owned(), megabytes);
        table.add_row([
            function.binary().to_owned(),
            megabytes(size.plain),
            megabytes(size.deflated),
            median(&cold.starts),
            median(&warm.starts),
            median(&cold.first),
            median(&warm.first),
            median(&warm.later),
            memory(|memory| memory.resident),
            memory(|memory| memory.peak),
        ]);
    }
    warm_stack.gateway.shut_down().await;
    Ok(table)
}

/// A stack on which every action has been performed twice.
async fn used_stack(setup: &Setup) -> Result<Stack, MeasureError> {
    let stack = setup.start().await?;
    for pass in 1..=2 {
        perform_actions(&stack, pass).await?;
    }
    Ok(stack)
}

/// The size of a file in bytes.
struct Size {
    plain: u64,
    deflated: u64,
}

impl Size {
    fn of(file: &Path) -> Result<Self, MeasureError> {
        let failed = |error: std::io::Error| MeasureError::Other(format!("failed to read {}: {error}", file.display()));
        let bytes = std::fs::read(file).map_err(failed)?;
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&bytes).map_err(failed)?;
        let deflated = encoder.finish().map_err(failed)?;
        let length = |bytes: &[u8]| u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        Ok(Self { plain: length(&bytes), deflated: length(&deflated) })
    }
}

fn megabytes(bytes: u64) -> String {
    format!("{:.2}", bytes as f64 / 1_000_000.0)
}
