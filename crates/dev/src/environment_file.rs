//! The file that `cargo lambda watch --env-file` reads.
//!
//! `cargo lambda watch` passes one file to every function, so the file merges the environments of all functions. Only
//! what Lambda itself sets differs between functions: the name and memory, which `cargo lambda` sets too, and the
//! credentials. The file has a developer's credentials instead, with which the gateway allows everything.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

/// Variables that Lambda sets in every process, and `cargo lambda` in its own way. Lambda's `PATH` would hide cargo
/// from `cargo lambda`.
const SET_BY_LAMBDA: [&str; 6] = ["AWS_EXECUTION_ENV", "AWS_LAMBDA_", "_HANDLER", "LANG", "PATH", "TZ"];

/// The access key that replaces those of the functions.
const DEVELOPER: &str = "developer";

/// Merges the functions' environments into one.
#[must_use]
pub fn merge(environments: impl IntoIterator<Item = BTreeMap<String, String>>) -> BTreeMap<String, String> {
    let mut merged: BTreeMap<String, String> = environments.into_iter().flatten().collect();
    merged.retain(|name, _| {
        !SET_BY_LAMBDA.iter().any(|own| name == own || (own.ends_with('_') && name.starts_with(own)))
    });
    for credential in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
        merged.insert(credential.to_owned(), DEVELOPER.to_owned());
    }
    merged.remove("AWS_SESSION_TOKEN");
    merged
}

/// Writes one `NAME="value"` line per variable, and creates the folder if needed.
///
/// # Errors
///
/// When the folder or the file cannot be written.
pub fn write(path: &Path, environment: &BTreeMap<String, String>) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let lines: String = environment.iter().map(|(name, value)| format!("{name}=\"{value}\"\n")).collect();
    fs::write(path, format!("# Written by `cargo dev` for `cargo lambda watch --env-file`.\n{lines}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn merged_file_has_developer_credentials() {
        let file = merge([
            environment(&[
                ("ROOMS_TABLE", "damso-RoomsTable"),
                ("AWS_ACCESS_KEY_ID", "first"),
                ("AWS_LAMBDA_FUNCTION_NAME", "first"),
                ("PATH", "/bin"),
            ]),
            environment(&[
                ("SENDS_TABLE", "damso-SendsTable"),
                ("AWS_ACCESS_KEY_ID", "second"),
                ("AWS_SESSION_TOKEN", "second"),
            ]),
        ]);
        assert_eq!(
            file,
            environment(&[
                ("AWS_ACCESS_KEY_ID", "developer"),
                ("AWS_SECRET_ACCESS_KEY", "developer"),
                ("ROOMS_TABLE", "damso-RoomsTable"),
                ("SENDS_TABLE", "damso-SendsTable"),
            ])
        );
    }
}
