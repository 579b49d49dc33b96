//! The JSON Schemas of everything on the wire.

use protocol::access::Action;
use protocol::wire::{Event, Refusal, replies, requests};
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value};

/// An action with its request and reply.
pub struct Exchange {
    pub action: &'static str,
    /// An object without properties for actions that take no fields.
    pub request: Value,
    pub reply: Value,
}

/// The whole wire.
pub struct Wire {
    pub exchanges: Vec<Exchange>,
    pub refusal: Value,
    pub event: Value,
    /// The schemas that the others refer to, by name.
    pub definitions: Map<String, Value>,
}

/// Path of the definitions within the AsyncAPI document.
pub const DEFINITIONS: &str = "/components/schemas";

/// `signOutEverywhere` and `createTicket` take no fields.
#[derive(JsonSchema)]
struct Nothing {}

impl Wire {
    /// Schemas of all actions, in documentation order.
    pub fn of_all() -> Self {
        let mut settings = SchemaSettings::draft07();
        settings.definitions_path = DEFINITIONS.into();
        let mut read = SchemaGenerator::new(settings.clone().for_deserialize());
        let mut written = SchemaGenerator::new(settings.for_serialize());
        let exchanges = Action::ALL
            .into_iter()
            .map(|action| {
                let (request, reply) = shapes(action, &mut read, &mut written);
                Exchange { action: action.as_str(), request, reply }
            })
            .collect();
        let refusal = schema::<Refusal>(&mut written);
        let event = schema::<Event>(&mut written);
        let mut definitions = written.take_definitions(true);
        for (name, definition) in read.take_definitions(true) {
            definitions.entry(name).or_insert(definition);
        }
        Self { exchanges, refusal, event, definitions }
    }
}

fn schema<T: JsonSchema>(generator: &mut SchemaGenerator) -> Value {
    let mut schema = generator.subschema_for::<T>().to_value();
    // A named type is a definition of the document: keep only the reference to it.
    if let Some(name) = schema.get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next()) {
        schema = serde_json::json!({ "$ref": format!("#{DEFINITIONS}/{name}") });
    }
    schema
}

fn shapes(action: Action, read: &mut SchemaGenerator, written: &mut SchemaGenerator) -> (Value, Value) {
    match action {
        Action::CreateRoom => (schema::<requests::CreateRoom>(read), schema::<replies::RoomCreated>(written)),
        Action::JoinGroup => (schema::<requests::JoinGroup>(read), schema::<replies::GroupJoined>(written)),
        Action::SendMessage => (schema::<requests::SendMessage>(read), schema::<replies::MessageSent>(written)),
        Action::GetChatHistory => (schema::<requests::GetChatHistory>(read), schema::<replies::ChatHistory>(written)),
        Action::GetRoomList => (schema::<requests::GetRoomList>(read), schema::<replies::RoomListPage>(written)),
        Action::ChangeRoomStatus => {
            (schema::<requests::ChangeRoomStatus>(read), schema::<replies::RoomStatusChanged>(written))
        }
        Action::MarkRead => (schema::<requests::MarkRead>(read), schema::<replies::MarkedRead>(written)),
        Action::Sync => (schema::<requests::Sync>(read), schema::<replies::Synced>(written)),
        Action::TranslateMessage => {
            (schema::<requests::TranslateMessage>(read), schema::<replies::Translated>(written))
        }
        Action::SetTranslatedMessage => {
            (schema::<requests::SetTranslatedMessage>(read), schema::<replies::Translated>(written))
        }
        Action::SetRoomTranslation => {
            (schema::<requests::SetRoomTranslation>(read), schema::<replies::RoomTranslationSet>(written))
        }
        Action::GetUsage => (schema::<requests::GetUsage>(read), schema::<replies::TranslationUsage>(written)),
        Action::GetFailedTranslations => {
            (schema::<requests::GetFailedTranslations>(read), schema::<replies::FailedTranslations>(written))
        }
        Action::SetLanguage => (schema::<requests::SetLanguage>(read), schema::<replies::LanguageSet>(written)),
        Action::RefreshSession => {
            (schema::<requests::RefreshSession>(read), schema::<replies::SessionRefreshed>(written))
        }
        Action::SignOutEverywhere => (schema::<Nothing>(read), schema::<replies::SignedOut>(written)),
        Action::CreateTicket => (schema::<Nothing>(read), schema::<replies::TicketCreated>(written)),
    }
}
