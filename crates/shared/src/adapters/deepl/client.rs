//! DeepL's HTTP API: request bodies, responses and retries.
//! <https://developers.deepl.com/docs/best-practices/error-handling>

use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::AUTHORIZATION;
use reqwest::{RequestBuilder, Response, StatusCode};
use serde::{Deserialize, Serialize};

use super::Translated;
use super::tone::Tone;
use crate::error::chain;
use protocol::chat::FailureReason;
use protocol::clock::{Clock, Timestamp};

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
    /// An empty body for texts that are XML or plain.
    pub fn new(xml: bool) -> Self {
        const NEUTRAL: &Tone = &Tone { formality: None, instructions: Vec::new() };
        let markup = Markup { tag_handling: "xml", tag_handling_version: "v2", ignore_tags: ["x"] };
        Self {
            text: Vec::new(),
            target_lang: String::new(),
            source_lang: None,
            context: String::new(),
            glossary_id: None,
            model_type: String::new(),
            tone: NEUTRAL,
            markup: xml.then_some(markup),
            preserve_formatting: true,
            show_billed_characters: true,
        }
    }
}

#[derive(Deserialize)]
struct TranslateResponse {
    translations: Vec<Translation>,
}

#[derive(Deserialize)]
struct Translation {
    detected_source_language: Option<String>,
    text: String,
    billed_characters: Option<u64>,
}

#[derive(Deserialize)]
struct TargetLanguage {
    language: String,
}

/// A failed attempt.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct AttemptError {
    pub reason: FailureReason,
    is_transient: bool,
    /// DeepL does not know the key (403).
    pub is_key_rejected: bool,
}

impl AttemptError {
    const UNAVAILABLE: Self = Self { reason: FailureReason::Unavailable, is_transient: true, is_key_rejected: false };

    fn permanent(reason: FailureReason) -> Self {
        Self { reason, is_transient: false, is_key_rejected: false }
    }
}

#[derive(Debug)]
pub(super) struct Client {
    /// Created for the first request: reading all root certificates takes a third of a function's cold start.
    http: LazyLock<reqwest::Client>,
    clock: Clock,
    /// Set while DeepL is considered unavailable because the last request failed.
    unavailable_until: Mutex<Option<Timestamp>>,
}

impl Client {
    const MAX_ATTEMPTS: u32 = 4;
    const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(5);
    /// Added to an attempt's timeout for each 10 KB of text.
    const EXTRA_TIMEOUT: Duration = Duration::from_secs(1);
    /// How long DeepL is considered unavailable.
    const COOLDOWN: Duration = Duration::from_secs(30);

    pub fn new(clock: Clock) -> Self {
        Self { http: LazyLock::new(reqwest::Client::new), clock, unavailable_until: Mutex::default() }
    }

    /// Whether the last request failed within the cooldown.
    pub fn is_unavailable(&self) -> bool {
        let until = *self.unavailable_until.lock().unwrap_or_else(PoisonError::into_inner);
        until.is_some_and(|until| self.clock.now() < until)
    }

    fn set_unavailable(&self, is_unavailable: bool) {
        let until = is_unavailable.then(|| self.clock.now() + Self::COOLDOWN);
        *self.unavailable_until.lock().unwrap_or_else(PoisonError::into_inner) = until;
    }

    /// Returns as many translations as the body has texts.
    pub async fn translate(
        &self,
        host: &str,
        key: &str,
        body: &Body,
        deadline: Timestamp,
    ) -> Result<Vec<Translated>, AttemptError> {
        let bytes: usize = body.text.iter().map(String::len).sum();
        let timeout = Self::ATTEMPT_TIMEOUT + Self::EXTRA_TIMEOUT * u32::try_from(bytes / 10_000).unwrap_or(u32::MAX);
        let request = self.http.post(format!("{host}/v2/translate")).json(body);
        let read = async |response: Response| {
            let trace_id = trace_id(&response);
            let response: TranslateResponse = response.json().await.map_err(|_| AttemptError::UNAVAILABLE)?;
            if response.translations.len() != body.text.len() {
                return Err(AttemptError::permanent(FailureReason::Rejected));
            }
            let translations = response.translations.into_iter().zip(&body.text);
            let translated = translations.map(|(translation, text)| Translated {
                billed_characters: translation.billed_characters.unwrap_or(text.chars().count() as u64),
                detected: translation.detected_source_language.and_then(|code| code.parse().ok()),
                text: translation.text,
                trace_id: trace_id.clone(),
            });
            Ok(translated.collect())
        };
        self.send_with_retries(request, key, timeout, deadline, read).await
    }

    /// The codes of the languages that DeepL translates into now.
    pub async fn languages(&self, host: &str, key: &str, deadline: Timestamp) -> Result<Vec<String>, AttemptError> {
        let request = self.http.get(format!("{host}/v2/languages?type=target"));
        let read = async |response: Response| {
            let targets: Vec<TargetLanguage> = response.json().await.map_err(|_| AttemptError::UNAVAILABLE)?;
            Ok(targets.into_iter().map(|target| target.language.to_ascii_uppercase()).collect())
        };
        self.send_with_retries(request, key, Self::ATTEMPT_TIMEOUT, deadline, read).await
    }

    /// Retries transient failures with jittered exponential backoff until the deadline.
    async fn send_with_retries<T>(
        &self,
        request: RequestBuilder,
        key: &str,
        timeout: Duration,
        deadline: Timestamp,
        read: impl AsyncFn(Response) -> Result<T, AttemptError>,
    ) -> Result<T, AttemptError> {
        let request = request.header(AUTHORIZATION, format!("DeepL-Auth-Key {key}"));
        let mut attempts = 1;
        loop {
            let remaining = deadline.since(self.clock.now());
            let Some(attempt) = request.try_clone() else {
                return Err(AttemptError::permanent(FailureReason::Rejected));
            };
            let result = send(attempt.timeout(timeout.min(remaining)), &read).await;
            let max_backoff = 250u64 << attempts;
            let backoff = Duration::from_millis(rand::random_range(max_backoff / 4..=max_backoff));
            let may_retry = attempts < Self::MAX_ATTEMPTS && backoff < deadline.since(self.clock.now());
            match result {
                Err(error) if error.is_transient && may_retry => {
                    tokio::time::sleep(backoff).await;
                    attempts += 1;
                }
                result => {
                    self.set_unavailable(result.as_ref().is_err_and(|error| error.is_transient));
                    return result;
                }
            }
        }
    }
}

async fn send<T>(
    request: RequestBuilder,
    read: &impl AsyncFn(Response) -> Result<T, AttemptError>,
) -> Result<T, AttemptError> {
    let response = request.send().await.map_err(|error| {
        // Without the URL: the address is ours, but an error must not carry more than it needs to.
        tracing::debug!(error = %chain(&error.without_url()), "failed to reach DeepL");
        AttemptError::UNAVAILABLE
    })?;
    if response.status().is_success() {
        return read(response).await;
    }
    let status = response.status();
    let trace_id = trace_id(&response).unwrap_or_default();
    tracing::warn!(status = status.as_u16(), trace_id, "DeepL returned an error");
    Err(attempt_error(status, &response.text().await.unwrap_or_default()))
}

fn trace_id(response: &Response) -> Option<String> {
    let id = response.headers().get("x-trace-id")?;
    id.to_str().ok().map(str::to_owned)
}

fn attempt_error(status: StatusCode, body: &str) -> AttemptError {
    match status.as_u16() {
        456 => AttemptError::permanent(FailureReason::Quota),
        413 | 414 => AttemptError::permanent(FailureReason::TooLong),
        429 | 500..=599 => AttemptError::UNAVAILABLE,
        403 => AttemptError { is_key_rejected: true, ..AttemptError::permanent(FailureReason::Rejected) },
        400 if body.contains("target_lang") || body.contains("source_lang") => {
            AttemptError::permanent(FailureReason::UnsupportedLanguage)
        }
        _ => AttemptError::permanent(FailureReason::Rejected),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_deadline_bounds_a_request_without_response() {
        // The operating system accepts connections, but nobody reads from them.
        let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let host = format!("http://{}", silent.local_addr().expect("the listener is bound"));
        let client = Client::new(Clock::System);
        let mut body = Body::new(false);
        body.text = vec!["안녕하세요".to_owned()];
        let started = Clock::System.now();
        let result = client.translate(&host, "key", &body, started + Duration::from_millis(200)).await;
        assert_eq!(result.err(), Some(AttemptError::UNAVAILABLE));
        assert!(Clock::System.now().since(started) < Client::ATTEMPT_TIMEOUT);
        assert!(client.is_unavailable());
    }

    #[test]
    fn unavailability_ends_with_the_cooldown() {
        let now = Timestamp::from_seconds(1_000);
        let mut client = Client::new(Clock::Fixed(now));
        assert!(!client.is_unavailable());
        client.set_unavailable(true);
        assert!(client.is_unavailable());
        client.clock = Clock::Fixed(now + Client::COOLDOWN);
        assert!(!client.is_unavailable());
    }

    #[test]
    fn a_success_ends_unavailability() {
        let client = Client::new(Clock::Fixed(Timestamp::from_seconds(1_000)));
        client.set_unavailable(true);
        client.set_unavailable(false);
        assert!(!client.is_unavailable());
    }

    #[test]
    fn only_transient_errors_are_retried() {
        for (status, reason, is_transient) in [
            (429, FailureReason::Unavailable, true),
            (529, FailureReason::Unavailable, true),
            (500, FailureReason::Unavailable, true),
            (504, FailureReason::Unavailable, true),
            (400, FailureReason::Rejected, false),
            (403, FailureReason::Rejected, false),
            (413, FailureReason::TooLong, false),
            (456, FailureReason::Quota, false),
        ] {
            let error = attempt_error(StatusCode::from_u16(status).expect("a valid status"), "");
            assert_eq!((error.reason, error.is_transient), (reason, is_transient), "{status}");
            assert_eq!(error.is_key_rejected, status == 403, "{status}");
        }
    }

    #[test]
    fn unsupported_languages_have_their_own_reason() {
        let body = r#"{"message":"Value for 'target_lang' not supported."}"#;
        let error = attempt_error(StatusCode::BAD_REQUEST, body);
        assert_eq!(error.reason, FailureReason::UnsupportedLanguage);
    }
}
