//! One call to DeepL: what is sent, what comes back, and when it is tried again.
//! <https://developers.deepl.com/docs/best-practices/error-handling>

use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::AUTHORIZATION;
use reqwest::{RequestBuilder, Response, StatusCode};
use serde::{Deserialize, Serialize};

use super::Translated;
use super::tone::Tone;
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
    clock: Clock,
    /// Until when DeepL is taken to be out of reach, the last request having been tried in vain.
    out_of_reach: Mutex<Option<Timestamp>>,
}

impl Call {
    const TRIES: u32 = 4;
    const TRY_TIMEOUT: Duration = Duration::from_secs(5);
    /// What a try may take longer for each 10 KB of its body.
    const MORE_TIME: Duration = Duration::from_secs(1);
    /// How long DeepL is taken to be out of reach.
    const REST: Duration = Duration::from_secs(30);

    pub fn new(clock: Clock) -> Self {
        Self { http: LazyLock::new(reqwest::Client::new), clock, out_of_reach: Mutex::default() }
    }

    /// Whether the last request was tried in vain, a moment ago.
    pub fn is_out_of_reach(&self) -> bool {
        let until = *self.out_of_reach.lock().unwrap_or_else(PoisonError::into_inner);
        until.is_some_and(|until| self.clock.now() < until)
    }

    fn found(&self, out_of_reach: bool) {
        let until = out_of_reach.then(|| self.clock.now() + Self::REST);
        *self.out_of_reach.lock().unwrap_or_else(PoisonError::into_inner) = until;
    }

    /// As many translations as texts, before `deadline`.
    pub async fn translate(
        &self,
        host: &str,
        key: &str,
        body: &Body,
        deadline: Timestamp,
    ) -> Result<Vec<Translated>, FailureReason> {
        let bytes: usize = body.text.iter().map(String::len).sum();
        let timeout = Self::TRY_TIMEOUT + Self::MORE_TIME * u32::try_from(bytes / 10_000).unwrap_or(u32::MAX);
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
        self.tried(call, key, timeout, deadline, translated).await
    }

    /// The codes of the languages that DeepL translates into now.
    pub async fn languages(&self, host: &str, key: &str, deadline: Timestamp) -> Result<Vec<String>, FailureReason> {
        let call = self.http.get(format!("{host}/v2/languages?type=target"));
        let codes = async |answer: Response| {
            let offered: Vec<Offered> = answer.json().await.map_err(|_| Mishap::BROKEN)?;
            Ok(offered.into_iter().map(|offered| offered.language.to_ascii_uppercase()).collect())
        };
        self.tried(call, key, Self::TRY_TIMEOUT, deadline, codes).await
    }

    async fn tried<T>(
        &self,
        call: RequestBuilder,
        key: &str,
        timeout: Duration,
        deadline: Timestamp,
        read: impl AsyncFn(Response) -> Result<T, Mishap>,
    ) -> Result<T, FailureReason> {
        let call = call.header(AUTHORIZATION, format!("DeepL-Auth-Key {key}"));
        let mut tries = 1;
        loop {
            let left = deadline.since(self.clock.now());
            let Some(try_of_it) = call.try_clone() else { return Err(FailureReason::Rejected) };
            let done = once(try_of_it.timeout(timeout.min(left)), &read).await;
            let bound = 250u64 << tries;
            let pause = Duration::from_millis(rand::random_range(bound / 4..=bound));
            let again = tries < Self::TRIES && pause < deadline.since(self.clock.now());
            match done {
                Err(mishap) if mishap.passing && again => {
                    tokio::time::sleep(pause).await;
                    tries += 1;
                }
                done => {
                    self.found(done.as_ref().is_err_and(|mishap| mishap.passing));
                    return done.map_err(|mishap| mishap.reason);
                }
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

    #[tokio::test]
    async fn who_waits_is_answered_before_the_deadline_though_deepl_never_answers() {
        // Connections are let in by the system, and nobody ever reads from them.
        let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let host = format!("http://{}", silent.local_addr().expect("it is bound"));
        let call = Call::new(Clock::System);
        let mut body = Body::new(false);
        body.text = vec!["안녕하세요".to_owned()];
        let started = Clock::System.now();
        let answer = call.translate(&host, "key", &body, started + Duration::from_millis(200)).await;
        assert_eq!(answer.err(), Some(FailureReason::Unavailable));
        assert!(Clock::System.now().since(started) < Call::TRY_TIMEOUT);
        assert!(call.is_out_of_reach());
    }

    #[test]
    fn deepl_is_taken_to_be_out_of_reach_for_a_moment() {
        let now = Timestamp::from_seconds(1_000);
        let mut call = Call::new(Clock::Fixed(now));
        assert!(!call.is_out_of_reach());
        call.found(true);
        assert!(call.is_out_of_reach());
        call.clock = Clock::Fixed(now + Call::REST);
        assert!(!call.is_out_of_reach());
        call.found(true);
        call.found(false);
        assert!(!call.is_out_of_reach(), "one that succeeds ends it");
    }

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
