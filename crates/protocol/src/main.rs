//! `cargo protocol asyncapi` and `cargo protocol typescript`: the wire, written from the Rust types that the functions read and write.

mod asyncapi;
mod schemas;
mod typescript;

use std::process::ExitCode;

fn main() -> ExitCode {
    let what = std::env::args().nth(1);
    let text = match what.as_deref() {
        Some("asyncapi") => asyncapi::document(),
        Some("typescript") => typescript::module(),
        _ => {
            eprintln!("usage: cargo protocol asyncapi|typescript");
            return ExitCode::FAILURE;
        }
    };
    print!("{text}");
    ExitCode::SUCCESS
}
