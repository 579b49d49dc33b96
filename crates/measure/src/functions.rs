//! What each function weighs: its binary, its start, its invocations, its memory.

use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use flate2::Compression;
use flate2::write::DeflateEncoder;

use crate::percentile::{milliseconds, percentile};
use crate::stack::{MeasureError, Setup};
use crate::table::Table;
use crate::tour::tour;

/// Takes every action through a stack that warms in INIT and through one that does not.
///
/// # Errors
///
/// See [`MeasureError`].
pub async fn functions(setup: &Setup) -> Result<Table, MeasureError> {
    let columns = [
        "function",
        "binary MB",
        "zipped MB",
        "start to first poll ms",
        "… warming in INIT",
        "first invocation ms",
        "… warmed",
        "later ms",
        "resident MB",
        "peak MB",
    ];
    let about = "Medians over the processes of two tours through all actions, on this machine and over plain HTTP: on AWS a TLS handshake comes to \
                 the first call, which is what warming takes out of the first invocation. Zipped is deflate, as Lambda counts a package.";
    let mut table = Table::new("What a function weighs", about, &columns);
    let mut seen = Vec::new();
    for warms in ["false", "true"] {
        let stack = setup.clone().with("WarmInInit", warms).start().await?;
        for number in 1..=2 {
            tour(&stack, number).await?;
        }
        seen.push(stack.gateway.functions().process_stats());
        if warms == "true" {
            for function in stack.gateway.template().functions.values() {
                let [cold, warm] = [&seen[0], &seen[1]].map(|figures| figures.get(&function.logical_id).cloned());
                let (Some(cold), Some(warm)) = (cold, warm) else { continue };
                let (size, zipped) = sizes(&setup.binaries.join(function.binary()))?;
                let median = |times: &[Duration]| milliseconds(percentile(times, 50));
                let memory = |pick: fn(&local_gateway::lambda::Memory) -> u64| {
                    warm.memory.iter().map(pick).max().map_or_else(|| "–".to_owned(), megabytes)
                };
                table.row([
                    function.binary().to_owned(),
                    megabytes(size),
                    megabytes(zipped),
                    median(&cold.starts),
                    median(&warm.starts),
                    median(&cold.first),
                    median(&warm.first),
                    median(&warm.later),
                    memory(|memory| memory.resident),
                    memory(|memory| memory.peak),
                ]);
            }
        }
        stack.gateway.shut_down().await;
    }
    Ok(table)
}

/// The bytes of a file, plain and deflated.
fn sizes(binary: &Path) -> Result<(u64, u64), MeasureError> {
    let unreadable = |problem: std::io::Error| MeasureError::Other(format!("{}: {problem}", binary.display()));
    let bytes = std::fs::read(binary).map_err(unreadable)?;
    let mut deflated = DeflateEncoder::new(Vec::new(), Compression::best());
    deflated.write_all(&bytes).map_err(unreadable)?;
    let deflated = deflated.finish().map_err(unreadable)?;
    let length = |bytes: &[u8]| u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    Ok((length(&bytes), length(&deflated)))
}

#[expect(clippy::cast_precision_loss, reason = "for people")]
fn megabytes(bytes: u64) -> String {
    format!("{:.2}", bytes as f64 / 1_000_000.0)
}
