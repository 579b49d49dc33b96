//! One call to DeepL: what is sent, what comes back, and when it is tried again.
//! <https://developers.deepl.com/docs/best-practices/error-handling>

use std::sync::LazyLock;
use std::time::Duration;

use reqwest::header::AUTHORIZATION;
use reqwest::{RequestBuilder, Response, StatusCode};
use serde::{Deserialize, Serialize};

use super::Translated;
use super::tone::Tone;
use crate::chat::FailureReason;

/// The body of a request for translations.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Body {
    pub text: Vec<String>,
    pub target_lang: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_lang: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub context: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub glossary_id: Option<String>,
    pub model_type: String,
    #[serde(flatten)]
    pub tone: &'static Tone,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    markup: Option<Markup>,
    preserve_formatting: bool,
    show_billed_characters: bool,
}

/// <https://developers.deepl.com/docs/xml-and-html-handling/xml>
#[derive(Debug, Clone, Serialize)]
struct Markup {
    tag_handling: &'static str,
    tag_handling_version: &'static str,
    ignore_tags: [&'static str; 1],
}

impl Body {
    /// A body whose texts are XML, where they are.
    pub fn new(xml: bool) -> Self {
        let markup = Markup { tag_handling: "xml", tag_handling_version: "v2", ignore_tags: ["x"] };
        const PLAIN: &Tone = &Tone { formality: None, instructions: Vec::new() };
        Self {
            text: Vec::new(),
            target_lang: String::new(),
            source_lang: None,
            context: String::new(),
            glossary_id: None,
            model_type: String::new(),
            tone: PLAIN,
            markup: xml.then_some(markup),
            preserve_formatting: true,
            show_billed_characters: true,
        }
    }
}

#[derive(Deserialize)]
struct Answer {
    translations: Vec<Translation>,
}

#[derive(Deserialize)]
struct Translation {
    detected_source_language: Option<String>,
    text: String,
    billed_characters: Option<u64>,
}

#[derive(Deserialize)]
struct Offered {
    language: String,
}

/// One try that did not succeed.
#[derive(Debug, PartialEq, Eq)]
struct Mishap {
    reason: FailureReason,
    passing: bool,
}

impl Mishap {
    const BROKEN: Self = Self { reason: FailureReason::Unavailable, passing: true };
}

/// The HTTP client.
#[derive(Debug)]
pub(super) struct Call {
    /// Made for the first request: it reads all root certificates, which would be a third of the time that a function takes to start.
    http: LazyLock<reqwest::Client>,
}

impl Call {
    const TRIES: u32 = 4;
    const TRY_TIMEOUT: Duration = Duration::from_secs(5);

    pub fn new() -> Self {
        Self { http: LazyLock::new(reqwest::Client::new) }
    }

    /// As many translations as texts.
    pub async fn translate(&self, host: &str, key: &str, body: &Body) -> Result<Vec<Translated>, FailureReason> {
        let call = self.http.post(format!("{host}/v2/translate")).json(body);
        let translated = async |answer: Response| {
            let trace_id = trace_id(&answer);
            let answer: Answer = answer.json().await.map_err(|_| Mishap::BROKEN)?;
            if answer.translations.len() != body.text.len() {
                return Err(Mishap { reason: FailureReason::Rejected, passing: false });
            }
            let translations = answer.translations.into_iter().zip(&body.text).map(|(translation, text)| Translated {
                billed_characters: translation.billed_characters.unwrap_or(text.chars().count() as u64),
                detected: translation.detected_source_language.and_then(|code| code.parse().ok()),
                text: translation.text,
                trace_id: trace_id.clone(),
            });
            Ok(translations.collect())
        };
        self.tried(call, key, translated).await
    }

    /// The codes of the languages that DeepL translates into now.
    pub async fn languages(&self, host: &str, key: &str) -> Result<Vec<String>, FailureReason> {
        let call = self.http.get(format!("{host}/v2/languages?type=target"));
        let codes = async |answer: Response| {
            let offered: Vec<Offered> = answer.json().await.map_err(|_| Mishap::BROKEN)?;
            Ok(offered.into_iter().map(|offered| offered.language.to_ascii_uppercase()).collect())
        };
        self.tried(call, key, codes).await
    }

    async fn tried<T>(
        &self,
        call: RequestBuilder,
        key: &str,
        read: impl AsyncFn(Response) -> Result<T, Mishap>,
    ) -> Result<T, FailureReason> {
        let call = call.header(AUTHORIZATION, format!("DeepL-Auth-Key {key}")).timeout(Self::TRY_TIMEOUT);
        let mut tries = 1;
        loop {
            let Some(try_of_it) = call.try_clone() else { return Err(FailureReason::Rejected) };
            match once(try_of_it, &read).await {
                Ok(answer) => return Ok(answer),
                Err(mishap) if mishap.passing && tries < Self::TRIES => {
                    let bound = 250u64 << tries;
                    let pause = rand::random_range(bound / 4..=bound);
                    tokio::time::sleep(Duration::from_millis(pause)).await;
                    tries += 1;
                }
                Err(mishap) => return Err(mishap.reason),
            }
        }
    }
}

async fn once<T>(call: RequestBuilder, read: &impl AsyncFn(Response) -> Result<T, Mishap>) -> Result<T, Mishap> {
    let answer = call.send().await.map_err(|error| {
        // `without_url`: the address is ours, but an error must never carry more than it has to.
        tracing::debug!(error = %crate::error::chain(&error.without_url()), "DeepL did not answer");
        Mishap::BROKEN
    })?;
    if answer.status().is_success() {
        return read(answer).await;
    }
    let (status, trace_id) = (answer.status(), trace_id(&answer).unwrap_or_default());
    tracing::warn!(status = status.as_u16(), trace_id, "DeepL refused");
    Err(mishap(status, &answer.text().await.unwrap_or_default()))
}

fn trace_id(answer: &Response) -> Option<String> {
    let id = answer.headers().get("x-trace-id")?;
    id.to_str().ok().map(str::to_owned)
}

/// What a status means.
fn mishap(status: StatusCode, body: &str) -> Mishap {
    let reason = |reason, passing| Mishap { reason, passing };
    match status.as_u16() {
        456 => reason(FailureReason::Quota, false),
        413 | 414 => reason(FailureReason::TooLong, false),
        429 | 500..=599 => Mishap::BROKEN,
        400 if body.contains("target_lang") || body.contains("source_lang") => {
            reason(FailureReason::UnsupportedLanguage, false)
        }
        _ => reason(FailureReason::Rejected, false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_passes_by_itself_is_tried_again() {
        for (status, reason, passing) in [
            (429, FailureReason::Unavailable, true),
            (529, FailureReason::Unavailable, true),
            (500, FailureReason::Unavailable, true),
            (504, FailureReason::Unavailable, true),
            (400, FailureReason::Rejected, false),
            (403, FailureReason::Rejected, false),
            (413, FailureReason::TooLong, false),
            (456, FailureReason::Quota, false),
        ] {
            let found = mishap(StatusCode::from_u16(status).expect("a status"), "");
            assert_eq!(found, Mishap { reason, passing }, "{status}");
        }
        let unsupported = mishap(StatusCode::BAD_REQUEST, r#"{"message":"Value for 'target_lang' not supported."}"#);
        assert_eq!(unsupported.reason, FailureReason::UnsupportedLanguage);
    }
}
