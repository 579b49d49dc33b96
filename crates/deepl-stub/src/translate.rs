//! `POST /v2/translate`: the request, its validation and the response.

use serde::Deserialize;
use serde_json::{Value, json};

use super::markup::{self, Piece};
use super::{languages, phrasebook};

/// The most texts in one request.
const MAX_TEXTS: usize = 50;

#[derive(Debug, Deserialize)]
struct Request {
    text: Vec<String>,
    target_lang: String,
    source_lang: Option<String>,
    formality: Option<String>,
    glossary_id: Option<String>,
    model_type: Option<String>,
    tag_handling: Option<String>,
    #[serde(default)]
    ignore_tags: Vec<String>,
    #[serde(default)]
    show_billed_characters: bool,
    #[serde(default)]
    custom_instructions: Vec<String>,
}

/// A response, and what it counts for.
pub(crate) struct Translated {
    pub(crate) body: Value,
    pub(crate) texts: u64,
    pub(crate) billed_characters: u64,
}

/// Translates; an error is the message of DeepL's 400.
pub(crate) fn translate(body: &Value, extra_languages: &[String]) -> Result<Translated, String> {
    let request: Request =
        serde_json::from_value(body.clone()).map_err(|error| format!("Bad request. Reason: {error}"))?;
    let target = request.target_lang.to_uppercase();
    let source = request.source_lang.as_deref().filter(|source| !source.is_empty()).map(str::to_uppercase);
    check(&request, &target, source.as_deref(), extra_languages)?;

    let mut translations = Vec::new();
    let mut billed = 0;
    for text in &request.text {
        let detected = match &source {
            Some(source) => source.as_str(),
            None => detected(text),
        };
        // Characters are code points. A text that already is in the target language is billed too; tags are not:
        // https://support.deepl.com/hc/en-us/articles/360020685720
        let characters = match request.tag_handling {
            None => text.chars().count(),
            Some(_) => markup::characters(text),
        } as u64;
        billed += characters;
        let translation = match request.tag_handling {
            None => translated(text, detected, &target),
            Some(_) => marked_up(text, &request.ignore_tags, detected, &target)?,
        };
        let mut translation = json!({ "detected_source_language": detected, "text": translation });
        if request.show_billed_characters {
            translation["billed_characters"] = characters.into();
        }
        if request.model_type.is_some() {
            translation["model_type_used"] = "quality_optimized".into();
        }
        translations.push(translation);
    }
    Ok(Translated {
        body: json!({ "translations": translations }),
        texts: request.text.len() as u64,
        billed_characters: billed,
    })
}

fn check(request: &Request, target: &str, source: Option<&str>, extra_languages: &[String]) -> Result<(), String> {
    let reject = |problem: &str| Err(problem.to_owned());
    if request.text.is_empty() {
        return reject("Parameter 'text' not specified.");
    }
    if request.text.len() > MAX_TEXTS {
        return reject("Bad request. Reason: Too many texts, at most 50 are allowed.");
    }
    let is_extra = |code: &str| extra_languages.iter().any(|extra| extra == code);
    if !languages::is_target(target) && !is_extra(target) {
        return reject("Value for 'target_lang' not supported.");
    }
    if source.is_some_and(|source| !languages::is_source(source) && !is_extra(source)) {
        return reject("Value for 'source_lang' not supported.");
    }
    if request.glossary_id.is_some() && source.is_none() {
        return reject("Value for 'source_lang' is required when using a glossary.");
    }
    match request.formality.as_deref() {
        None | Some("default" | "prefer_more" | "prefer_less") => {}
        Some("more" | "less") if languages::supports_formality(target) => {}
        Some("more" | "less") => return reject("'formality' is not supported for given 'target_lang'."),
        Some(_) => return reject("Value for 'formality' not supported."),
    }
    match request.tag_handling.as_deref() {
        None | Some("xml" | "html") => {}
        Some(_) => return reject("Value for 'tag_handling' not supported."),
    }
    match request.model_type.as_deref() {
        None | Some("quality_optimized" | "latency_optimized" | "prefer_quality_optimized") => {}
        Some(_) => return reject("Value for 'model_type' not supported."),
    }
    if request.custom_instructions.len() > 10 {
        return reject("Bad request. Reason: at most 10 custom instructions are allowed.");
    }
    if request.custom_instructions.iter().any(|instruction| instruction.chars().count() > 300) {
        return reject("Bad request. Reason: a custom instruction is at most 300 characters long.");
    }
    Ok(())
}

fn detected(text: &str) -> &'static str {
    match languages::detect(text) {
        // Chinese characters alone may also be Japanese.
        "ZH" => phrasebook::language_of(text).unwrap_or("ZH"),
        other => other,
    }
}

/// Translates the text between XML elements piece by piece; the elements stay.
fn marked_up(text: &str, ignored: &[String], source: &str, target: &str) -> Result<String, String> {
    let pieces = markup::pieces(text, ignored).ok_or("Tag handling parsing failed, please check input.")?;
    let translated: Option<String> = pieces
        .iter()
        .map(|piece| match piece {
            Piece::Markup(markup) => Some((*markup).to_owned()),
            Piece::Words(words) if source == languages::base(target) => Some(markup::escape(words)),
            Piece::Words(words) if !words.chars().any(char::is_alphabetic) => Some(markup::escape(words)),
            Piece::Words(words) => {
                let spaces = |side: &str| if side.is_empty() { "" } else { " " };
                let start = &words[..words.len() - words.trim_start().len()];
                let end = &words[words.trim_end().len()..];
                let phrase = phrasebook::translate(words.trim(), source, target)?;
                Some(format!("{}{}{}", spaces(start), markup::escape(&phrase), spaces(end)))
            }
        })
        .collect();
    let unknown = || format!("[untranslated {}→{}] {text}", source.to_lowercase(), target.to_lowercase());
    Ok(translated.unwrap_or_else(unknown))
}

/// The phrasebook's translation; unchanged if the text already is in the target language; otherwise the text, marked as
/// untranslated.
fn translated(text: &str, source: &str, target: &str) -> String {
    if source == languages::base(target) || text.trim().is_empty() {
        return text.to_owned();
    }
    phrasebook::translate(text, source, target)
        .unwrap_or_else(|| format!("[untranslated {}→{}] {text}", source.to_lowercase(), target.to_lowercase()))
}
