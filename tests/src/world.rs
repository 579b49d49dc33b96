//! A whole Damso for one test: gateway, tables, function processes and translator, on free ports and in a temporary
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

/// The repository.
#[must_use]
pub fn root() -> PathBuf {
    stack::repository()
}

/// Builds every binary of the workspace, once per test run, and says where they lie. `cargo test` builds the
/// libraries of other packages, but not their programs; by the time tests run it has let go of the target folder, so
/// cargo can be asked from here.
pub async fn binaries() -> PathBuf {
    static BUILT: OnceCell<PathBuf> = OnceCell::const_new();
    BUILT.get_or_init(async || build(&root()).await.unwrap_or_else(|error| panic!("{error}"))).await.clone()
}

/// A running Damso.
pub struct World {
    /// What runs it.
    pub gateway: Gateway,
    /// Who translates.
    pub translator: DeepLStub,
    /// Its tables.
    pub dynamodb: aws_sdk_dynamodb::Client,
    log: FunctionLog,
}

impl World {
    /// Starts one as deployed by default.
    pub async fn start() -> Self {
        Self::with(|_| ()).await
    }

    /// Starts one with other options, for example other template parameters.
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

    /// A token for somebody.
    #[must_use]
    pub fn token(&self, person: &Person) -> String {
        stack::token(person)
    }

    /// Connects somebody, with the token in the header.
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
    /// The HTTP answer, where the connection was refused.
    pub async fn try_connect(&self, token: &str, credential: Credential) -> Result<Client, Refusal> {
        Client::connect(&self.gateway.websocket_url(), Some((token, credential))).await
    }

    /// A patient (愛子, Japanese) and a hospital (민준, Korean) in one consultation, both connected and both knowing that
    /// it was opened.
    pub async fn consultation(&self) -> Consultation {
        let (patient, coordinator) = (testkit::people::patient(), testkit::people::coordinator());
        let mut patient = self.connect(&patient).await;
        let mut hospital = self.connect(&coordinator).await;
        let reply = patient.ask("createRoom", json!({"kind": "consult", "hospital_id": "seoul-clinic"})).await;
        let room = reply["room"]["room_id"].as_str().expect("a room has an id").to_owned();
        for side in [&mut patient, &mut hospital] {
            side.event("message", |event| event["room_id"] == *room && event["event"]["name"] == "room_created").await;
        }
        Consultation { room, patient, hospital }
    }

    /// Returns once everything that was written has gone through the streams' readers, and what those wrote as well: what
    /// has not happened by now will not happen. No reader may have given anything up, and no function may have been denied
    /// anything, not even what it can do without.
    pub async fn settled(&self) {
        let drained = tokio::time::timeout(crate::DEADLINE, self.gateway.streams().idle()).await;
        drained.expect("the streams' readers get to the end");
        assert_eq!(self.gateway.streams().given_up(), [], "no record was given up");
        assert_eq!(self.gateway.iam().denials(), BTreeSet::new(), "no policy lacks a statement");
    }

    /// The template that it runs.
    #[must_use]
    pub fn template(&self) -> &Template {
        self.gateway.template()
    }

    /// A table's physical name.
    #[must_use]
    pub fn table(&self, logical_id: &str) -> String {
        self.gateway.resource(logical_id).unwrap_or_else(|| panic!("the template has no {logical_id}"))
    }

    /// All rows of a table.
    pub async fn rows(&self, logical_id: &str) -> Vec<Row> {
        rows::read(&self.gateway, logical_id).await.unwrap_or_else(|error| panic!("{error}"))
    }

    /// The rows of one room's log, in order.
    pub async fn log_of(&self, room_id: &str) -> Vec<Row> {
        let mut rows = self.rows("MessagesTable").await;
        rows.retain(|row| row["room_id"] == room_id);
        rows.sort_by_key(|row| row["seq"].as_u64());
        rows
    }

    /// Puts rows into a table, past every function.
    pub async fn put(&self, logical_id: &str, new: impl IntoIterator<Item = Row>) {
        rows::write(&self.gateway, logical_id, new).await.unwrap_or_else(|error| panic!("{error}"));
    }

    /// Puts texts into a room's log, past every function, behind a text that is its last entry: as they would have been
    /// written over months.
    pub async fn write_log(&self, room_id: &str, texts: impl IntoIterator<Item = String>) {
        let last = self.log_of(room_id).await.pop().expect("the log has a text to go on from");
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

    /// How many rows each table has.
    pub async fn row_counts(&self) -> BTreeMap<String, usize> {
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

    /// What the functions have logged since the last call.
    pub fn logged(&self) -> Vec<LogLine> {
        self.log.take()
    }

    /// Ends it, and returns what the functions have logged since the last look, to the last line: one that was written
    /// before a reply may be read only after it.
    pub async fn end(self) -> Vec<LogLine> {
        let Self { gateway, mut log, .. } = self;
        gateway.shut_down().await;
        log.take_to_the_end().await
    }

    /// Invokes a function with a file of `events/`, after `change` was made to it.
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

/// An SDK's client of the gateway's DynamoDB. Its key belongs to no function: it may do everything and is counted for
/// nobody.
fn dynamodb_client(gateway: &Gateway) -> aws_sdk_dynamodb::Client {
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("person", "person", None, None, "a person at the laptop"))
        .endpoint_url(gateway.endpoint_url())
        .build();
    aws_sdk_dynamodb::Client::from_conf(config)
}

/// A patient and a hospital who talk.
#[derive(Debug)]
pub struct Consultation {
    /// The room's id.
    pub room: String,
    /// The patient's connection.
    pub patient: Client,
    /// The hospital's connection.
    pub hospital: Client,
}
