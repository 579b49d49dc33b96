//! `cargo codegen`: what is generated from the Rust types that the functions read and write.

mod access;
mod asyncapi;
mod schemas;
mod typescript;

use std::process::ExitCode;

fn main() -> ExitCode {
    let what = std::env::args().nth(1);
    let text = match what.as_deref() {
        Some("access") => access::table(),
        Some("asyncapi") => asyncapi::document(),
        Some("typescript") => typescript::module(),
        _ => {
            eprintln!("usage: cargo codegen access|asyncapi|typescript");
            return ExitCode::FAILURE;
        }
    };
    print!("{text}");
    ExitCode::SUCCESS
}
