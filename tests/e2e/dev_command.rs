//! `cargo dev` from a user's perspective: its output can be pasted into a terminal, and errors are one clear sentence.

use std::net::TcpListener;
use std::path::Path;
use std::process::Stdio;

use end_to_end::{Client, DEADLINE, binaries, root};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::http::{HeaderMap, HeaderName};

/// The command, with the binaries of this test run and without touching the `.dev` folder of the checkout.
async fn dev(folder: &Path, arguments: &[&str]) -> Command {
    let binaries = binaries().await;
    let mut command = Command::new(binaries.join("dev"));
    command.arg("--binaries").arg(&binaries).arg("--env-file").arg(folder.join("lambda.env")).args(arguments);
    command.env_remove("DEEPL_AUTH_KEY").stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

fn temporary() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// A running `cargo dev`, and what it has printed up to the functions' logs.
struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    printed: Vec<String>,
}

impl Running {
    async fn start(folder: &Path, arguments: &[&str]) -> Self {
        let arguments = [&["--port", "0"], arguments].concat();
        let mut child = dev(folder, &arguments).await.spawn().expect("dev starts");
        let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let mut printed: Vec<String> = Vec::new();
        while printed.last().is_none_or(|line| !line.contains("--env-file")) {
            match timeout(DEADLINE, lines.next_line()).await {
                Ok(Ok(Some(line))) => printed.push(line),
                ended => {
                    let mut errors = String::new();
                    child.start_kill().expect("it can be ended");
                    child.stderr.take().expect("it is piped").read_to_string(&mut errors).await.expect("text");
                    panic!("{ended:?} after {printed:#?} and {errors}");
                }
            }
        }
        Self { child, lines, printed }
    }

    /// The two commands to paste into a terminal, each with the requests to paste into it.
    fn sides(&self) -> Vec<Side> {
        let starts = self.printed.iter().enumerate().filter(|(_, line)| line.starts_with("wscat "));
        starts
            .map(|(index, line)| {
                let said = self.printed[index + 1..].iter().take_while(|line| !line.starts_with("wscat "));
                Side { wscat: line.clone(), paste: said.filter(|line| line.starts_with('{')).cloned().collect() }
            })
            .collect()
    }

    async fn end(mut self) {
        let pid = self.child.id().expect("it runs").to_string();
        let told = Command::new("kill").args(["-TERM", &pid]).status().await.expect("kill can be started");
        assert!(told.success());
        let status =
            timeout(DEADLINE, self.child.wait()).await.expect("it ends when it is told to").expect("it has a status");
        assert!(status.success(), "{status}");
        // A function that outlived it would still hold its output open.
        while let Ok(Some(_)) = timeout(DEADLINE, self.lines.next_line()).await.expect("its output is closed") {}
    }
}

struct Side {
    wscat: String,
    paste: Vec<String>,
}

impl Side {
    /// Connects like the printed command: `wscat -c <url> -H "<name>: <value>"`.
    async fn connect(&self) -> Client {
        let url = self.wscat.split_whitespace().nth(2).expect("a URL");
        let header = self.wscat.split('"').nth(1).expect("a header");
        let (name, value) = header.split_once(": ").expect("a name and a value");
        let mut headers = HeaderMap::new();
        headers.insert(name.parse::<HeaderName>().expect("a name"), value.parse().expect("a value"));
        Client::connect_with_headers(url, headers).await.expect("the printed token is valid")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn printed_commands_start_a_translated_conversation() {
    let folder = temporary();
    let running = Running::start(folder.path(), &[]).await;
    assert!(
        running.printed.iter().any(|line| line.starts_with("Damso is ready on ws://127.0.0.1:")),
        "{:#?}",
        running.printed
    );
    let sides = running.sides();
    assert_eq!(sides.len(), 2, "{:#?}", running.printed);
    let mut patient = sides[0].connect().await;
    let mut hospital = sides[1].connect().await;

    pastes(&mut patient, &sides[0], &mut hospital, "ko").await;
    pastes(&mut hospital, &sides[1], &mut patient, "ja").await;
    let history = patient.ask("getChatHistory", serde_json::from_str(&sides[0].paste[1]).expect("JSON")).await;
    assert_eq!(
        history["messages"].as_array().expect("messages").len(),
        5,
        "the opening, two first words, and the two just said"
    );
    running.end().await;
}

/// Sends the first request to paste; the other side receives it and then its translation.
async fn pastes(speaker: &mut Client, side: &Side, listener: &mut Client, language: &str) {
    let pasted: Value = serde_json::from_str(&side.paste[0]).expect("what is to be pasted is JSON");
    speaker.send(side.paste[0].clone()).await;
    let reply = speaker.frame("the reply", |frame| frame["action"] == "sendMessage").await;
    assert_eq!(reply["type"], "reply", "{reply}");
    listener.hears(pasted["message"].as_str().expect("a text")).await;
    let translated = listener.event("translation", |event| event["seq"] == reply["seq"]).await;
    assert_eq!(translated["translation"]["language"], language);
    assert_eq!(translated["translation"]["status"], "ok");
    let text = translated["translation"]["text"].as_str().expect("a text");
    assert!(!text.contains(pasted["message"].as_str().expect("a text")), "the stub knows the phrase: {text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn data_option_keeps_the_conversation() {
    let folder = temporary();
    let data = folder.path().join("data");
    let mut lengths = Vec::new();
    for _ in 0..2 {
        let running = Running::start(folder.path(), &["--data", data.to_str().expect("a plain name")]).await;
        let side = &running.sides()[0];
        let mut patient = side.connect().await;
        let pasted: Value = serde_json::from_str(&side.paste[0]).expect("JSON");
        patient.ask("sendMessage", pasted).await;
        let history = patient.ask("getChatHistory", serde_json::from_str(&side.paste[1]).expect("JSON")).await;
        lengths.push(history["messages"].as_array().expect("messages").len());
        running.end().await;
    }
    assert_eq!(lengths, [4, 5]);
}

/// Runs the command, which must fail, and returns its error.
async fn fails(arguments: &[&str]) -> String {
    let folder = temporary();
    let output =
        timeout(DEADLINE, dev(folder.path(), arguments).await.output()).await.expect("it ends").expect("it starts");
    assert!(!output.status.success());
    let said = String::from_utf8(output.stderr).expect("text");
    let errors: Vec<&str> = said.lines().filter(|line| line.starts_with("error")).collect();
    assert_eq!(errors.len(), 1, "one sentence: {said}");
    errors[0].to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn port_in_use_error_suggests_option() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let port = taken.local_addr().expect("an address").port().to_string();
    let error = fails(&["--port", &port]).await;
    assert!(error.contains(&format!("127.0.0.1:{port}")) && error.contains("--port"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_template_error_names_the_file() {
    let folder = temporary();
    let template = folder.path().join("template.yaml");
    std::fs::write(&template, "Resources: [").expect("it can be written");
    let error = fails(&["--port", "0", "--template", template.to_str().expect("a plain name")]).await;
    assert!(error.contains("template"), "{error}");
    let missing = folder.path().join("nowhere.yaml");
    let error = fails(&["--port", "0", "--template", missing.to_str().expect("a plain name")]).await;
    assert!(error.contains("nowhere.yaml"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_binary_error_names_build_command() {
    let folder = temporary();
    let options = local_gateway::Options::new(
        root().join("template.yaml"),
        local_gateway::Binaries::Built { directory: folder.path().to_path_buf() },
    );
    let Err(error) = local_gateway::Gateway::start(options).await else { panic!("nothing was built there") };
    let error = error.to_string();
    assert!(error.contains("cargo build"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn environment_file_lists_tables_without_lambda_variables() {
    let folder = temporary();
    let running = Running::start(folder.path(), &[]).await;
    let line = running.printed.iter().find(|line| line.contains("--env-file")).expect("it is printed");
    let path = Path::new(line.rsplit(' ').next().expect("a path"));
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    for name in [
        "MESSAGES_TABLE",
        "DEEPL_ENDPOINT",
        "AWS_ENDPOINT_URL_DYNAMODB",
        "AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI",
        "AWS_REGION",
    ] {
        assert!(text.lines().any(|line| line.starts_with(&format!("{name}="))), "{name} is missing in {text}");
    }
    assert!(!text.lines().any(|line| line.starts_with("PATH=") || line.starts_with("AWS_LAMBDA_")), "{text}");
    running.end().await;
}

/// The head and body of the response to a `GET` request.
async fn get(link: &str) -> (String, String) {
    let (host, path) = link.strip_prefix("http://").and_then(|rest| rest.split_once('/')).expect("a link");
    let mut stream = tokio::net::TcpStream::connect(host).await.expect("the server listens");
    stream.write_all(format!("GET /{path} HTTP/1.0\r\nHost: {host}\r\n\r\n").as_bytes()).await.expect("it is sent");
    let mut answer = Vec::new();
    timeout(DEADLINE, stream.read_to_end(&mut answer)).await.expect("it is answered").expect("it is read");
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    (head.to_owned(), body.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn printed_links_open_the_signed_in_page() {
    let folder = temporary();
    let running = Running::start(folder.path(), &[]).await;
    let links: Vec<&str> = running
        .printed
        .iter()
        .flat_map(|line| line.split_whitespace())
        .filter(|word| word.starts_with("http://"))
        .collect();
    let [both, patient, hospital] = links.as_slice() else { panic!("{:#?}", running.printed) };
    let page = both.strip_suffix("both").expect("the page's own link");
    for (link, fragment) in [(both, "/#pair="), (patient, "/#url="), (hospital, "/#url=")] {
        let (head, _) = get(link).await;
        assert!(head.starts_with("HTTP/1.0 307") && head.contains(&format!("location: {fragment}")), "{link}: {head}");
    }
    let (head, body) = get(page).await;
    assert!(head.starts_with("HTTP/1.0 200") && head.contains("text/html"), "{head}");
    let script = body.split('"').find(|part| part.ends_with(".js")).expect("a script").trim_start_matches("./");
    let (head, _) = get(&format!("{page}{script}")).await;
    assert!(head.starts_with("HTTP/1.0 200") && head.contains("javascript"), "{head}");
    let (head, _) = get(&format!("{page}../Cargo.toml")).await;
    assert!(head.starts_with("HTTP/1.0 404"), "{head}");
    running.end().await;
}
