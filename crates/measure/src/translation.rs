//! The cost of translation: recorded consultations of a hospital, replayed on a whole stack, and the characters that
//! DeepL bills for them with and without the cache.

use serde::Deserialize;
use serde_json::json;
use testkit::people::Person;

use crate::client::Client;
use crate::prices::Prices;
use crate::stack::{MeasureError, Setup, Stack};
use crate::table::Table;

/// The hospital of the recording.
const HOSPITAL: &str = "seoul-clinic";

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

/// What DeepL would bill.
struct DeepLBill {
    requests: u64,
    texts: u64,
    characters: u64,
}

/// Replays the recording with and without the cache.
///
/// # Errors
///
/// See [`MeasureError`].
pub async fn translation(setup: &Setup, prices: &Prices) -> Result<Table, MeasureError> {
    let recording: Recording = serde_json::from_str(include_str!("../clinic.json"))?;
    let messages: usize = recording.consultations.iter().map(|consultation| consultation.messages.len()).sum();
    let texts = recording.consultations.iter().flat_map(|consultation| &consultation.messages);
    let characters: usize = texts.map(|(_, text)| text.chars().count()).sum();
    let about = format!(
        "{messages} messages of {} consultations of one hospital, Korean on one side and Japanese, English or Chinese \
         on the other (`crates/measure/clinic.json`), each translated once into the other side's language. DeepL at \
         ${} per million characters. Messages in a clinic are short and seldom repeated: with context, which is what \
         makes a translation of \"네\" correct, only stock phrases and repeated sentences hit the cache. Text that \
         everybody reads, or that has no words, is never sent and costs nothing in any row but the first.",
        recording.consultations.len(),
        prices.deepl_character.of(1e6)
    );
    let columns =
        ["variant", "requests", "texts", "characters billed", "per 1,000 messages", "$ per 1,000 messages", "saved"];
    let mut table = Table::new("Cost of translation", &about, &columns);
    let as_written = DeepLBill { requests: messages as u64, texts: messages as u64, characters: characters as u64 };
    let without_cache = replay(&setup.clone().with("TranslationCacheDays", "0"), &recording).await?;
    let with_cache = replay(setup, &recording).await?;
    let rows = [
        ("every message as written", &as_written),
        ("words only, no cache", &without_cache),
        ("with the cache", &with_cache),
    ];
    for (variant, bill) in rows {
        let billed = bill.characters as f64;
        let share = billed / characters as f64;
        let per_thousand = billed * 1_000.0 / messages as f64;
        table.add_row([
            variant.to_owned(),
            bill.requests.to_string(),
            bill.texts.to_string(),
            bill.characters.to_string(),
            format!("{per_thousand:.0}"),
            format!("{:.3}", prices.deepl_character.of(per_thousand)),
            format!("{:.0} %", (1.0 - share) * 100.0),
        ]);
    }
    Ok(table)
}

async fn replay(setup: &Setup, recording: &Recording) -> Result<DeepLBill, MeasureError> {
    let stack = setup.start().await?;
    let mut hospital = stack.connect(&Person::staff("minjun", HOSPITAL, "민준", "ko")).await?;
    for consultation in &recording.consultations {
        let person = Person::user(&consultation.patient, "Patient", &consultation.language);
        let mut patient = stack.connect(&person).await?;
        patient.ask("createRoom", json!({"kind": "consult", "hospital_id": HOSPITAL})).await?;
        for (side, text) in &consultation.messages {
            let speaker = if *side == Side::Patient { &mut patient } else { &mut hospital };
            send(&stack, speaker, &format!("consult:{}:{HOSPITAL}", consultation.patient), text).await?;
        }
    }
    let counts = stack.translator.requests();
    Ok(DeepLBill { requests: counts.translate, texts: counts.texts, characters: counts.billed_characters })
}

/// People wait for each other, so each message is translated before the next one is sent.
async fn send(stack: &Stack, speaker: &mut Client, room: &str, text: &str) -> Result<(), MeasureError> {
    speaker.ask("sendMessage", json!({"room_id": room, "message": text})).await?;
    stack.settled().await
}
