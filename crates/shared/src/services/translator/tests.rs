//! Tests of the steps that need no AWS.

use super::context::context_text;
use super::fetch::batches;
use super::job::{CacheKeys, Fetched, Lookup, TranslationJob, TranslationRequest};
use crate::adapters::dynamodb::CachedTranslation;
use protocol::chat::{Entry, EntryKind, FailureReason, Sender, SystemEvent};
use protocol::chat::{Translation, TranslationSource, TranslationStatus};
use protocol::clock::Timestamp;
use protocol::language::Language;

const NOW: Timestamp = Timestamp::from_seconds(1_000);

fn language(tag: &str) -> Language {
    tag.parse().expect("a valid tag")
}

fn message(room: &str, text: &str, source: &str) -> Entry {
    let sender = Sender {
        participant: "user:u1".parse().expect("a valid participant"),
        user_id: "u1".parse().expect("a valid id"),
        name: None,
    };
    let room = room.parse().expect("a valid room id");
    let entry = Entry::system(room, None, sender, SystemEvent::RoomCreated, NOW);
    Entry { kind: EntryKind::Text, event: None, message: text.to_owned(), language: source.parse().ok(), ..entry }
}

fn korean(text: &str) -> Entry {
    message("consult:u1:h9", text, "ko")
}

/// A job whose machine key is the message itself.
fn job<'a>(entry: &'a Entry, target: &'a Language, lookup: Lookup) -> TranslationJob<'a> {
    let keys = CacheKeys { machine: entry.message.clone(), correction: String::new() };
    TranslationJob { request: TranslationRequest { entry, target }, keys, lookup }
}

fn cached(text: &str) -> CachedTranslation {
    CachedTranslation {
        cache_key: String::new(),
        text: text.to_owned(),
        detected_language: None,
        billed_characters: 0,
        trace_id: None,
        by_person: false,
        expires_at: 0,
    }
}

fn settle(entry: &Entry, lookup: Lookup, fetched: &Fetched<'_>) -> Translation {
    job(entry, &language("ja"), lookup).settle(fetched, NOW)
}

#[test]
fn a_readable_message_is_its_own_translation() {
    let translation = settle(&korean("🙂"), Lookup::NotNeeded, &Fetched::new());
    assert_eq!(translation.status, TranslationStatus::Same);
    assert_eq!(translation.text.as_deref(), Some("🙂"));
}

#[test]
fn corrections_are_marked_as_memory() {
    let hit = Lookup::Hit(CachedTranslation { by_person: true, ..cached("熱があります") });
    let translation = settle(&korean("열이 있어요"), hit, &Fetched::new());
    assert_eq!(translation.source, TranslationSource::Memory);
    assert_eq!(translation.text.as_deref(), Some("熱があります"));
}

#[test]
fn a_detected_target_language_needs_no_translation() {
    let detected = CachedTranslation { detected_language: Some(language("ja")), ..cached("お腹が痛い") };
    let unknown_source = message("consult:u1:h9", "おなかが痛い", "");
    let translation = settle(&unknown_source, Lookup::Hit(detected.clone()), &Fetched::new());
    assert_eq!(translation.status, TranslationStatus::Same);
    assert_eq!(translation.text.as_deref(), Some("おなかが痛い"));
    // A person who usually writes Korean wrote Japanese.
    let other_language = settle(&korean("おなかが痛い"), Lookup::Hit(detected), &Fetched::new());
    assert_eq!(other_language.status, TranslationStatus::Same);
}

#[test]
fn chinese_in_the_other_script_is_translated() {
    let detected = CachedTranslation { detected_language: Some(language("zh")), ..cached("我头疼") };
    let target = language("zh-Hans");
    for (source, status) in [("zh-TW", TranslationStatus::Ok), ("ko", TranslationStatus::Same)] {
        let entry = message("consult:u1:h9", "我頭疼", source);
        let translation = job(&entry, &target, Lookup::Hit(detected.clone())).settle(&Fetched::new(), NOW);
        assert_eq!(translation.status, status, "{source}");
    }
}

#[test]
fn only_text_in_the_language_of_its_writer_is_readable() {
    let target = language("ko");
    for (text, readable) in [("머리가 아파요", true), ("MRI 검사", true), ("Please wait here", false), ("👍", true)]
    {
        let entry = korean(text);
        assert_eq!(TranslationRequest { entry: &entry, target: &target }.is_readable(), readable, "{text}");
    }
}

#[test]
fn misses_take_what_was_fetched() {
    let entry = korean("열이 있어요");
    let fetched = Fetched::from([("열이 있어요", Ok(cached("熱があります")))]);
    assert_eq!(settle(&entry, Lookup::Miss, &fetched).text.as_deref(), Some("熱があります"));
    let failed = Fetched::from([("열이 있어요", Err(FailureReason::TooLong))]);
    assert_eq!(settle(&entry, Lookup::Miss, &failed).reason, Some(FailureReason::TooLong));
}

#[test]
fn a_new_translation_raises_the_version() {
    let mut entry = korean("열이 있어요");
    entry.translations.insert(language("ja"), Translation::failed(FailureReason::Quota, 4, NOW));
    let translation = settle(&entry, Lookup::Miss, &Fetched::new());
    assert_eq!((translation.status, translation.version), (TranslationStatus::Failed, 5));
}

#[test]
fn identical_messages_are_fetched_once() {
    let first = korean("열이 있어요");
    let second = korean("열이 있어요");
    let target = language("ja");
    let jobs = [job(&first, &target, Lookup::Miss), job(&second, &target, Lookup::Miss)];
    let batches = batches(&jobs);
    assert_eq!(batches.iter().map(|batch| batch.jobs.len()).collect::<Vec<_>>(), [1]);
}

#[test]
fn only_misses_are_fetched() {
    let entry = korean("열이 있어요");
    let target = language("ja");
    let jobs = [job(&entry, &target, Lookup::NotNeeded), job(&entry, &target, Lookup::Hit(cached("熱")))];
    assert!(batches(&jobs).is_empty());
}

#[test]
fn languages_and_stock_phrases_have_separate_batches() {
    let sentence = korean("열이 있어요");
    let thanks = korean("감사합니다");
    let japanese = language("ja");
    let english = language("en");
    let jobs = [(&sentence, &japanese), (&sentence, &english), (&thanks, &japanese)];
    let jobs = jobs.map(|(entry, target)| job(entry, target, Lookup::Miss));
    assert_eq!(batches(&jobs).len(), 3);
}

#[test]
fn consultations_contribute_only_translated_messages_as_context() {
    let untranslated = korean("비밀이에요");
    let mut requested = korean("열이 있어요");
    requested.translate_to = [language("ja")].into_iter().collect();
    let open = message("open:lobby", "안녕하세요", "ko");
    assert_eq!(context_text(&[untranslated, requested, open]), "열이 있어요\n안녕하세요");
}

#[test]
fn deleted_and_system_entries_are_never_context() {
    let deleted = Entry { deleted_at: Some(NOW), ..message("open:lobby", "지워졌어요", "ko") };
    let system = Entry { kind: EntryKind::System, ..message("open:lobby", "시스템", "ko") };
    assert_eq!(context_text(&[deleted, system]), "");
}
