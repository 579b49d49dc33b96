//! The file that `cargo lambda watch --env-file` reads.
//!
//! `cargo lambda watch` takes one file and gives it to every function, so the file is the union of what the functions
//! get from the gateway. What differs from function to function is what Lambda itself sets: its name, its memory,
//! which `cargo lambda` sets as well, and its credentials, which become those of a developer: the gateway lets them
//! do everything.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

/// What Lambda sets in every process, and `cargo lambda` in its own way; a `PATH` of Lambda's would hide cargo from
/// it.
const LAMBDAS_OWN: [&str; 6] = ["AWS_EXECUTION_ENV", "AWS_LAMBDA_", "_HANDLER", "LANG", "PATH", "TZ"];

/// The key that the file carries in place of each function's own.
const DEVELOPER: &str = "developer";

/// Unites the functions' environments into one.
#[must_use]
pub fn united(environments: impl IntoIterator<Item = BTreeMap<String, String>>) -> BTreeMap<String, String> {
    let mut united: BTreeMap<String, String> = environments.into_iter().flatten().collect();
    united
        .retain(|name, _| !LAMBDAS_OWN.iter().any(|own| name == own || (own.ends_with('_') && name.starts_with(own))));
    for credential in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
        united.insert(credential.to_owned(), DEVELOPER.to_owned());
    }
    united.remove("AWS_SESSION_TOKEN");
    united
}

/// Writes one `NAME="value"` line each, and makes the folder.
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
    fn one_file_serves_all_functions_under_a_developers_key() {
        let file = united([
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
