//! A whole stack for one test: gateway, tables, function processes and DeepL stub, on free ports and with a temporary
//! database.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use deepl_stub::DeepLStub;
use local_gateway::{Gateway, LogLine, LogSink, Options};
use sam_template::Template;
use serde_json::{Value, json};
use testkit::binaries::build;
use testkit::people::Person;
use testkit::{Stack, rows, stack};
use tokio::sync::OnceCell;
use tokio::sync::mpsc::unbounded_channel;

use crate::client::{Client, Credential, Refusal};
use crate::function_log::FunctionLog;

/// One row, as plain JSON.
pub type Row = Value;

/// The root of the repository.
#[must_use]
pub fn root() -> PathBuf {
    stack::repository()
}

/// Builds every binary of the workspace, once per test run, and returns their folder. `cargo test` builds the libraries
/// of other packages but not their binaries. By the time tests run it has released its lock on the target folder, so
/// cargo can be called from here.
pub async fn binaries() -> PathBuf {
    static BUILT: OnceCell<PathBuf> = OnceCell::const_new();
    BUILT.get_or_init(async || build(&root()).await.unwrap_or_else(|error| panic!("{error}"))).await.clone()
}

/// A running stack. Dropping it ends it.
pub struct World {
    pub gateway: Gateway,
    /// Stands in for DeepL.
    pub translator: DeepLStub,
    pub dynamodb: aws_sdk_dynamodb::Client,
    log: FunctionLog,
}

impl World {
    /// Starts a stack with the defaults of the template.
    pub async fn start() -> Self {
        Self::with(|_| ()).await
    }

    /// Starts a stack with other options, for example other template parameters.
    pub async fn with(change: impl FnOnce(&mut Options)) -> Self {
        let binaries = binaries().await;
        let (lines, log) = unbounded_channel();
        let started = Stack::start(&stack::template_file(), &binaries, |options| {
            options.log = LogSink::Lines(lines);
            change(options);
        })
        .await;
        let Stack { gateway, translator } = started.unwrap_or_else(|error| panic!("{error}"));
        let dynamodb = dynamodb_client(&gateway);
        Self { gateway, translator, dynamodb, log: FunctionLog::new(log) }
    }

    /// A token that is valid for an hour.
    #[must_use]
    pub fn token(&self, person: &Person) -> String {
        stack::token(person)
    }

    /// Connects a person, with the token in the header.
    pub async fn connect(&self, person: &Person) -> Client {
        match self.try_connect(&self.token(person), Credential::Header).await {
            Ok(client) => client,
            Err(refusal) => panic!("{person:?} was refused with {refusal:?}"),
        }
    }

    /// Connects with any token.
    ///
    /// # Errors
    ///
    /// The HTTP response, if the connection was refused.
    pub async fn try_connect(&self, token: &str, credential: Credential) -> Result<Client, Refusal> {
        Client::connect(&self.gateway.websocket_url(), Some((token, credential))).await
    }

    /// A patient (愛子, Japanese) and a hospital (민준, Korean) in one consultation. Both are connected, and both have
    /// received the event that opened it.
    pub async fn consultation(&self) -> Consultation {
        let mut patient = self.connect(&testkit::people::patient()).await;
        let mut hospital = self.connect(&testkit::people::coordinator()).await;
        let reply = patient.ask("createRoom", json!({"kind": "consult", "hospital_id": "seoul-clinic"})).await;
        let room = reply["room"]["room_id"].as_str().expect("a room has an id").to_owned();
        for side in [&mut patient, &mut hospital] {
            side.event("message", |event| event["room_id"] == *room && event["event"]["name"] == "room_created").await;
        }
        Consultation { room, patient, hospital }
    }

    /// Returns once the readers of the streams have processed everything that was written, including their own writes:
    /// what has not happened by then will not happen. Fails if a reader gave up a record, or if a function was denied a
    /// call, even one that it can do without.
    pub async fn settled(&self) {
        let drained = tokio::time::timeout(crate::DEADLINE, self.gateway.streams().idle()).await;
        drained.expect("the readers of the streams finish");
        assert_eq!(self.gateway.streams().given_up(), [], "a reader gave up a record");
        assert_eq!(self.gateway.iam().denials(), BTreeSet::new(), "a policy lacks a statement");
    }

    #[must_use]
    pub fn template(&self) -> &Template {
        self.gateway.template()
    }

    /// The physical name of a table.
    #[must_use]
    pub fn table(&self, logical_id: &str) -> String {
        self.gateway.resource(logical_id).unwrap_or_else(|| panic!("the template has no {logical_id}"))
    }

    pub async fn rows(&self, logical_id: &str) -> Vec<Row> {
        rows::read(&self.gateway, logical_id).await.unwrap_or_else(|error| panic!("{error}"))
    }

    /// The rows of a room's log, in order.
    pub async fn log_of(&self, room_id: &str) -> Vec<Row> {
        let mut rows = self.rows("MessagesTable").await;
        rows.retain(|row| row["room_id"] == room_id);
        rows.sort_by_key(|row| row["seq"].as_u64());
        rows
    }

    /// Puts rows into a table directly, bypassing the functions.
    pub async fn put(&self, logical_id: &str, new: impl IntoIterator<Item = Row>) {
        rows::write(&self.gateway, logical_id, new).await.unwrap_or_else(|error| panic!("{error}"));
    }

    /// Appends texts to a room's log directly, bypassing the functions, as if they had been written over months. The
    /// last entry of the log must be a text.
    pub async fn write_log(&self, room_id: &str, texts: impl IntoIterator<Item = String>) {
        let last = self.log_of(room_id).await.pop().expect("the log ends with a text");
        let rows = (1..).zip(texts).map(|(number, text)| {
            let mut row = last.clone();
            for counter in ["seq", "text_count"] {
                row[counter] = json!(last[counter].as_u64().expect("a number") + number);
            }
            row["message_id"] = json!(uuid::Uuid::new_v4());
            row["message"] = json!(text);
            row
        });
        self.put("MessagesTable", rows).await;
    }

    /// The number of rows of each table. The rows that expire within minutes are kept for longer from now on, so that
    /// none of them vanishes between two counts.
    pub async fn row_counts(&self) -> BTreeMap<String, usize> {
        self.keep_guards().await;
        let mut counts = BTreeMap::new();
        for logical_id in self.template().tables.keys() {
            counts.insert(logical_id.clone(), self.rows(logical_id).await.len());
        }
        counts
    }

    /// How often the functions called one operation, for example `dynamodb:Scan`.
    #[must_use]
    pub fn calls(&self, operation: &str) -> u64 {
        let total = self.gateway.ledger().snapshot().total();
        let of_operation = |kind: &str| kind.split(' ').next() == Some(operation);
        total.calls.iter().filter(|(kind, _)| of_operation(kind)).map(|(_, counts)| counts.calls).sum()
    }

    /// Ends the stack and returns everything that its functions have logged. While it runs, a line that was written
    /// before a reply may become visible after it.
    pub async fn end(self) -> Vec<LogLine> {
        let Self { gateway, mut log, .. } = self;
        gateway.shut_down().await;
        log.take_to_the_end().await
    }

    /// Invokes a function with its file of `events/`, modified by `change`.
    pub async fn invoke_event(&self, crate_name: &str, change: impl FnOnce(&mut Value)) -> Value {
        let function = self
            .template()
            .functions
            .values()
            .find(|function| function.binary() == crate_name)
            .unwrap_or_else(|| panic!("the template has no function of {crate_name}"));
        let path = root().join("events").join(format!("{crate_name}.json"));
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut event: Value =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        change(&mut event);
        self.gateway
            .invoke(&function.logical_id, event)
            .await
            .unwrap_or_else(|error| panic!("{crate_name} failed: {error}"))
    }
}

/// A DynamoDB client with a key that belongs to no function, so that it may do everything and its calls are not
/// counted.
fn dynamodb_client(gateway: &Gateway) -> aws_sdk_dynamodb::Client {
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("person", "person", None, None, "a person at the laptop"))
        .endpoint_url(gateway.endpoint_url())
        .build();
    aws_sdk_dynamodb::Client::from_conf(config)
}

/// A consultation between a patient and a hospital.
#[derive(Debug)]
pub struct Consultation {
    pub room: String,
    pub patient: Client,
    pub hospital: Client,
}
