//! What translating costs: recorded consultations of a hospital, played through a whole stack, and the characters that DeepL
//! bills for them with the cache and without.

use serde::Deserialize;
use serde_json::json;
use testkit::people::Person;

use crate::client::Client;
use crate::prices::Prices;
use crate::stack::{MeasureError, Setup, Stack};
use crate::table::Table;

/// The hospital of the recording.
const HOSPITAL: &str = "seoul-clinic";

/// Consultations as they were written.
#[derive(Debug, Deserialize)]
struct Recording {
    consultations: Vec<Consultation>,
}

#[derive(Debug, Deserialize)]
struct Consultation {
    patient: String,
    language: String,
    messages: Vec<(Side, String)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
enum Side {
    #[serde(rename = "p")]
    Patient,
    #[serde(rename = "h")]
    Hospital,
}

/// What DeepL was asked and would bill.
struct Bill {
    requests: u64,
    texts: u64,
    characters: u64,
}

/// Plays the recording with the cache and without.
///
/// # Errors
///
/// See [`MeasureError`].
pub async fn translation(setup: &Setup, prices: &Prices) -> Result<Table, MeasureError> {
    let recording: Recording = serde_json::from_str(include_str!("../clinic.json"))?;
    let messages: usize = recording.consultations.iter().map(|consultation| consultation.messages.len()).sum();
    let said = recording.consultations.iter().flat_map(|consultation| &consultation.messages);
    let characters: usize = said.map(|(_, text)| text.chars().count()).sum();
    let about = format!(
        "{messages} messages of {} consultations of one hospital, Korean on one side, Japanese, English or Chinese on the other \
         (`crates/measure/clinic.json`), each translated once, into the other side's language. DeepL at {} dollars a million characters.",
        recording.consultations.len(),
        prices.deepl_character.of(1e6)
    );
    let columns = ["", "requests", "texts", "characters billed", "per 1,000 messages", "$ per 1,000 messages", "saved"];
    let mut table = Table::new("What translating costs", &about, &columns);
    let every_text = Bill { requests: messages as u64, texts: messages as u64, characters: characters as u64 };
    let without = play(&setup.clone().with("TranslationCacheDays", "0"), &recording).await?;
    let with = play(setup, &recording).await?;
    let rows = [
        ("every message as it is", &every_text),
        ("words only, without the cache", &without),
        ("with the cache", &with),
    ];
    for (how, bill) in rows {
        #[expect(clippy::cast_precision_loss, reason = "a few thousand characters")]
        let (billed, all) = (bill.characters as f64, characters as f64);
        #[expect(clippy::cast_precision_loss, reason = "a few hundred messages")]
        let per_thousand = billed * 1_000.0 / messages as f64;
        table.row([
            how.to_owned(),
            bill.requests.to_string(),
            bill.texts.to_string(),
            bill.characters.to_string(),
            format!("{per_thousand:.0}"),
            format!("{:.3}", prices.deepl_character.of(per_thousand)),
            format!("{:.0} %", (1.0 - billed / all) * 100.0),
        ]);
    }
    Ok(table)
}

async fn play(setup: &Setup, recording: &Recording) -> Result<Bill, MeasureError> {
    let stack = setup.start().await?;
    let mut hospital = stack.connect(&Person::staff("minjun", HOSPITAL, "민준", "ko")).await?;
    for consultation in &recording.consultations {
        let person = Person::user(&consultation.patient, "Patient", &consultation.language);
        let mut patient = stack.connect(&person).await?;
        patient.ask("createRoom", json!({"kind": "consult", "hospital_id": HOSPITAL})).await?;
        for (side, text) in &consultation.messages {
            let speaker = if *side == Side::Patient { &mut patient } else { &mut hospital };
            say(&stack, speaker, &format!("consult:{}:{HOSPITAL}", consultation.patient), text).await?;
        }
    }
    let asked = stack.translator.requests();
    Ok(Bill { requests: asked.translate, texts: asked.texts, characters: asked.billed_characters })
}

/// People wait for each other, so each message is translated before the next is written.
async fn say(stack: &Stack, speaker: &mut Client, room: &str, text: &str) -> Result<(), MeasureError> {
    speaker.ask("sendMessage", json!({"room_id": room, "message": text})).await?;
    stack.settled().await
}
