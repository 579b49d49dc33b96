//! The command line of `cargo dev`.

use std::path::PathBuf;

use clap::Parser;
use testkit::stack::template_file;
use url::Url;

/// Run Damso on this machine, without an AWS account, Docker or a network
///
/// Builds the functions, starts API Gateway, Lambda, DynamoDB and Secrets Manager on loopback, opens a demo
/// consultation and prints how to join it. Ctrl-C stops everything.
///
/// Translations come from a phrasebook; set DEEPL_AUTH_KEY to use DeepL.
#[derive(Debug, Parser)]
#[command(name = "cargo dev", bin_name = "cargo dev", version)]
pub struct Arguments {
    /// WebSocket port; the AWS services, the DeepL stub and the web page use the next three (0: any free ports)
    #[arg(long, default_value_t = 3001)]
    pub port: u16,
    /// Keep the data in this folder between runs [default: discard it on exit]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Invoke the functions through a running `cargo lambda watch`, for example http://127.0.0.1:9000
    #[arg(long, value_name = "URL")]
    pub invoke: Option<Url>,
    /// Run the function binaries in this folder instead of building them
    #[arg(long, value_name = "DIR", conflicts_with = "invoke")]
    pub binaries: Option<PathBuf>,
    /// Inject the faults of this plan (JSON) once the demo consultation is open
    #[arg(long, value_name = "FILE")]
    pub faults: Option<PathBuf>,
    /// Write the functions' environment for `cargo lambda watch --env-file` here [default: .dev/lambda.env]
    #[arg(long, value_name = "FILE")]
    pub env_file: Option<PathBuf>,
    /// Set a template parameter; may be given several times
    #[arg(long = "parameter", value_name = "NAME=VALUE", value_parser = name_and_value)]
    pub parameters: Vec<(String, String)>,
    /// SAM template to run [default: template.yaml]
    #[arg(long, value_name = "FILE", default_value_os_t = template_file(), hide_default_value = true)]
    pub template: PathBuf,
}

fn name_and_value(argument: &str) -> Result<(String, String), &'static str> {
    let (name, value) = argument.split_once('=').ok_or("must be NAME=VALUE, such as RequestsPerMinute=0")?;
    Ok((name.to_owned(), value.to_owned()))
}
