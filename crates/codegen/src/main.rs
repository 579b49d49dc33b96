//! `cargo codegen`: writes what is derived from the Rust types, `template.yaml` and measurements.

mod architecture;
mod asyncapi;
mod authorization;
mod configuration;
#[cfg(test)]
mod documentation;
mod files;
mod markdown;
mod performance;
mod protocol_tables;
mod repository;
mod schemas;
mod typescript;

use std::process::ExitCode;

use files::Generated;
use repository::CodegenError;

const USAGE: &str = "\
usage: cargo codegen WHAT

  asyncapi | typescript    print the wire as an AsyncAPI document or a TypeScript module
  authorization | protocol | configuration | architecture | performance
                           print the generated part of that page
  docs                     rewrite the generated parts of docs/
  --write                  rewrite every generated file
  --check                  fail if a generated file is stale";

fn main() -> ExitCode {
    let what = std::env::args().nth(1).unwrap_or_default();
    match run(&what) {
        Ok(Some(text)) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Ok(None) => {
            eprintln!("{USAGE}");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What to print; nothing where there is no such thing to generate.
fn run(what: &str) -> Result<Option<String>, CodegenError> {
    let text = match what {
        "asyncapi" => asyncapi::document(),
        "typescript" => typescript::module(),
        "docs" => write(&files::pages()?)?,
        "--write" => write(&files::all()?)?,
        "--check" => check(&files::all()?)?,
        part => return files::part(part),
    };
    Ok(Some(text))
}

fn write(files: &[Generated]) -> Result<String, CodegenError> {
    let mut written = String::new();
    for file in files {
        if file.is_stale() {
            file.write()?;
            written += &format!("wrote {}\n", file.path);
        }
    }
    Ok(if written.is_empty() { "everything is up to date\n".to_owned() } else { written })
}

fn check(files: &[Generated]) -> Result<String, CodegenError> {
    let stale: Vec<&str> = files.iter().filter(|file| file.is_stale()).map(|file| file.path).collect();
    if stale.is_empty() {
        Ok("everything is up to date\n".to_owned())
    } else {
        Err(CodegenError::Stale(stale.join(", ")))
    }
}
