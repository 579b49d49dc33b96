//! The door to DeepL. <https://developers.deepl.com/docs/api-reference/translate>

mod target;

use std::sync::LazyLock;
use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::AUTHORIZATION;
use serde::{Deserialize, Serialize};

use crate::chat::FailureReason;
use crate::language::Language;
use crate::metric::{self, Metric};
use crate::secrets::Secret;

/// One text to be translated into one language.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The text.
    pub text: &'a str,
    /// What it is written in; `None`: DeepL finds out.
    pub source: Option<&'a Language>,
    /// What it shall be read in.
    pub target: &'a Language,
    /// What was said before it; shapes the result and is not billed.
    pub context: &'a str,
}

/// What DeepL made of it.
#[derive(Clone)]
pub struct Translated {
    /// The translation.
    pub text: String,
    /// What the text was found to be written in.
    pub detected: Option<Language>,
    /// What it counts on the bill.
    pub billed_characters: u64,
}

/// The client.
#[derive(Debug)]
pub struct DeepL {
    /// Made for the first request: it reads all root certificates, which would be a third of the time that a function takes to start.
    http: LazyLock<reqwest::Client>,
    endpoint: Option<String>,
    key: Secret,
}

#[derive(Serialize)]
struct Body<'a> {
    text: [&'a str; 1],
    target_lang: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_lang: Option<String>,
    #[serde(skip_serializing_if = "str::is_empty")]
    context: &'a str,
    show_billed_characters: bool,
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

/// One try that did not succeed.
struct Mishap {
    reason: FailureReason,
    passing: bool,
}

impl DeepL {
    const TRIES: u32 = 4;
    const TRY_TIMEOUT: Duration = Duration::from_secs(5);

    /// At `endpoint`, or where the key belongs: keys of the free tier end in `:fx` and have a host of their own.
    pub fn new(endpoint: Option<String>, key: Secret) -> Self {
        Self { http: LazyLock::new(reqwest::Client::new), endpoint, key }
    }

    /// Translates, trying again where that can help: after 429, 529, 5xx and broken connections, up to four times.
    pub async fn translate(&self, request: Request<'_>) -> Result<Translated, FailureReason> {
        let key = self.key.value().await.map_err(|error| {
            tracing::error!(error = %crate::error::chain(&error), "there is no DeepL key");
            FailureReason::Unavailable
        })?;
        let mut tries = 1;
        loop {
            match self.once(&key, request).await {
                Ok(translated) => return Ok(translated),
                Err(mishap) if mishap.passing && tries < Self::TRIES => {
                    let bound = 250u64 << tries;
                    let pause = rand::random_range(bound / 4..=bound);
                    tokio::time::sleep(Duration::from_millis(pause)).await;
                    tries += 1;
                }
                Err(mishap) => {
                    tracing::warn!(reason = ?mishap.reason, tries, target = %request.target, "a translation failed");
                    metric::count(Metric::TranslationFailed, 1);
                    return Err(mishap.reason);
                }
            }
        }
    }

    async fn once(&self, key: &str, request: Request<'_>) -> Result<Translated, Mishap> {
        let host = match &self.endpoint {
            Some(endpoint) => endpoint.trim_end_matches('/'),
            None if key.ends_with(":fx") => "https://api-free.deepl.com",
            None => "https://api.deepl.com",
        };
        let body = Body {
            text: [request.text],
            target_lang: target::target_code(request.target),
            source_lang: request.source.map(target::source_code),
            context: request.context,
            show_billed_characters: true,
        };
        let call = self.http.post(format!("{host}/v2/translate")).timeout(Self::TRY_TIMEOUT);
        let answer = call.header(AUTHORIZATION, format!("DeepL-Auth-Key {key}")).json(&body).send().await;
        let answer = answer.map_err(|error| {
            // `without_url`: the address is ours, but an error must never carry more than it has to.
            tracing::debug!(error = %crate::error::chain(&error.without_url()), "DeepL did not answer");
            Mishap { reason: FailureReason::Unavailable, passing: true }
        })?;
        let status = answer.status();
        if status.is_success() {
            let broken = |_| Mishap { reason: FailureReason::Unavailable, passing: true };
            let answer: Answer = answer.json().await.map_err(broken)?;
            let first = answer
                .translations
                .into_iter()
                .next()
                .ok_or(Mishap { reason: FailureReason::Rejected, passing: false })?;
            return Ok(Translated {
                text: first.text,
                detected: first.detected_source_language.and_then(|code| code.parse().ok()),
                billed_characters: first.billed_characters.unwrap_or(request.text.chars().count() as u64),
            });
        }
        let trace = answer.headers().get("x-trace-id").and_then(|id| id.to_str().ok()).unwrap_or_default().to_owned();
        tracing::debug!(status = status.as_u16(), trace, "DeepL refused");
        Err(mishap(status, &answer.text().await.unwrap_or_default()))
    }
}

/// What a status means. <https://developers.deepl.com/docs/best-practices/error-handling>
fn mishap(status: StatusCode, body: &str) -> Mishap {
    let reason = |reason, passing| Mishap { reason, passing };
    match status.as_u16() {
        456 => reason(FailureReason::Quota, false),
        413 | 414 => reason(FailureReason::TooLong, false),
        429 | 500..=599 => reason(FailureReason::Unavailable, true),
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
            assert_eq!((found.reason, found.passing), (reason, passing), "{status}");
        }
        let unsupported = mishap(StatusCode::BAD_REQUEST, r#"{"message":"Value for 'target_lang' not supported."}"#);
        assert_eq!(unsupported.reason, FailureReason::UnsupportedLanguage);
    }
}
