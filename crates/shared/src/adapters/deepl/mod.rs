//! The DeepL adapter. <https://developers.deepl.com/docs/api-reference/translate>

mod client;
mod language_codes;
mod lines;
mod outcome;
mod stock_phrases;
mod tone;

pub use outcome::{Failure, Translated};
pub use stock_phrases::is_stock_phrase;

use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use crate::adapters::secrets::{Secret, SecretError};
use crate::config::DeepLConfig;
use crate::error::chain;
use client::{AttemptError, Body, Client};
use lines::{TranslatedLines, batches};
use masking::MaskedText;
use protocol::chat::FailureReason;
use protocol::clock::{Clock, Timestamp};
use protocol::language::Language;

/// Messages of one language to translate into another.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    pub texts: &'a [&'a str],
    /// The language that the writers usually write in. DeepL is told only where that helps, and detects it otherwise.
    pub source: Option<&'a Language>,
    pub target: &'a Language,
    /// The conversation around the messages; it shapes the result and is not billed.
    /// <https://developers.deepl.com/docs/best-practices/working-with-context>
    pub context: &'a str,
    /// For all HTTP requests together.
    pub timeout: Duration,
}

#[derive(Debug)]
pub struct DeepL {
    clock: Clock,
    client: Client,
    config: DeepLConfig,
    key: Secret,
    /// The target languages that DeepL listed, and when.
    listed: Mutex<Option<(Instant, Vec<String>)>>,
}

/// The languages of a request in DeepL's codes.
struct Codes {
    source: Option<String>,
    target: String,
}

/// DeepL detects the language of a text with a line of this [weight](masking::weight): about three words. Detectors
/// confuse related languages in one of ten pairs of words, and in one of four single words, but hardly in sentences.
const DETECTABLE: usize = 20;
/// Longer contexts don't make a chat message clearer.
const MAX_CONTEXT_BYTES: usize = 8 * 1024;
/// How long the list of target languages is cached.
const LIST_TTL: Duration = Duration::from_secs(24 * 60 * 60);

impl DeepL {
    pub fn new(config: DeepLConfig, key: Secret, clock: Clock) -> Self {
        Self { clock, client: Client::new(clock), config, key, listed: Mutex::default() }
    }

    /// Whether the last request failed a moment ago, so that automatic translation need not try as well.
    pub fn is_unavailable(&self) -> bool {
        self.client.is_unavailable()
    }

    /// The settings that shape a translation besides its text, languages and context, for use in a cache key.
    pub fn settings(&self, source: Option<&Language>, target: &Language) -> String {
        let tone = tone::tone(target);
        let glossary = self.config.glossary(source, target).unwrap_or_default();
        let formality = tone.formality.as_deref().unwrap_or_default();
        [glossary, &self.config.model, formality, &tone.instructions.join("\n")].join("\u{1f}")
    }

    /// Translates each text and returns the results in the same order. Retries after 429, 529, 5xx and broken
    /// connections. Sends as few requests as DeepL's limits allow: one, except for very long texts.
    pub async fn translate(&self, request: Request<'_>) -> Vec<Result<Translated, Failure>> {
        let deadline = self.clock.now() + request.timeout;
        let masked = |text: &&str| MaskedText::new(text, self.config.redact);
        let texts: Vec<MaskedText> = request.texts.iter().map(masked).collect();
        let has_source: Vec<bool> =
            request.texts.iter().zip(&texts).map(|(text, masked)| self.needs_source(&request, text, masked)).collect();
        let source = request.source.filter(|_| has_source.contains(&true));
        match self.codes(source, request.target, deadline).await {
            Ok(codes) => self.translate_lines(&request, &texts, &has_source, codes, deadline).await,
            Err(reason) => request.texts.iter().map(|_| Err(Failure::unbilled(reason))).collect(),
        }
    }

    /// Whether DeepL is told the source language of a text: a glossary requires it, and a short text may be of several
    /// languages. A person who usually writes one language may write another one, in which DeepL then finds no sense.
    fn needs_source(&self, request: &Request<'_>, text: &str, masked: &MaskedText) -> bool {
        let has_glossary = self.config.glossary(request.source, request.target).is_some();
        let is_plausible = request.source.is_some_and(|source| masking::may_be_in(text, source.as_str()));
        is_plausible && (has_glossary || masked.longest_line() < DETECTABLE)
    }

    /// Calls DeepL with the key. If it is rejected, it may have been replaced just now: the new one is tried at once.
    async fn with_key<T>(&self, call: impl AsyncFn(&str) -> Result<T, AttemptError>) -> Result<T, FailureReason> {
        let key = self.usable_key().await?;
        match call(&key).await {
            Err(error) if error.is_key_rejected => match self.find_key(|other| other != key).await {
                Ok(Some(replacement)) => call(&replacement).await,
                Ok(None) | Err(_) => Err(error),
            },
            result => result,
        }
        .map_err(|error| error.reason)
    }

    async fn usable_key(&self) -> Result<String, FailureReason> {
        let unreadable = |error: SecretError| {
            tracing::error!(error = %chain(&error), "failed to read the DeepL key");
            FailureReason::Unavailable
        };
        if let Some(key) = self.find_key(|_| true).await.map_err(unreadable)? {
            return Ok(key);
        }
        if self.key.value().await.map_err(unreadable)?.trim().is_empty() {
            tracing::error!("the secret with the DeepL key is empty; set it to a DeepL API key");
            return Err(FailureReason::Unavailable);
        }
        tracing::error!(
            "DeepL keys of the free tier are not accepted on this stage: messages would not be confidential; use a key \
             of DeepL API Pro"
        );
        Err(FailureReason::Rejected)
    }

    /// The key, if it may be used here and `accepts` it.
    async fn find_key(&self, accepts: impl Fn(&str) -> bool) -> Result<Option<String>, SecretError> {
        let usable = |value: &str| {
            // A secret that was set from a file often ends in a line break.
            let key = value.trim();
            // DeepL may keep and use the texts it receives on the free tier: https://www.deepl.com/pro-license
            let is_allowed = self.config.free_keys || !is_free_key(key);
            (!key.is_empty() && is_allowed && accepts(key)).then(|| key.to_owned())
        };
        self.key.find(usable).await
    }

    /// Both languages in DeepL's codes. DeepL detects a source language for which it has no code.
    async fn codes(
        &self,
        source: Option<&Language>,
        target: &Language,
        deadline: Timestamp,
    ) -> Result<Codes, FailureReason> {
        let is_source_known = source.is_none_or(language_codes::is_known);
        let is_target_known = language_codes::is_known(target);
        let mut listed = Vec::new();
        if !is_source_known || !is_target_known || language_codes::loses_a_part(target) {
            listed = match self.listed_codes(deadline).await {
                Err(reason) if !is_target_known => return Err(reason),
                listed => listed.unwrap_or_default(),
            };
        }
        let code = |language: &Language| match language_codes::is_known(language) {
            true => {
                language_codes::exact_code(language, &listed).or_else(|| Some(language_codes::target_code(language)))
            }
            false => language_codes::listed_code(language, &listed),
        };
        let source = source.filter(|source| code(source).is_some()).map(language_codes::source_code);
        let target = code(target).ok_or(FailureReason::UnsupportedLanguage)?;
        Ok(Codes { source, target })
    }

    /// The codes of the languages that DeepL offers now, requested once a day.
    async fn listed_codes(&self, deadline: Timestamp) -> Result<Vec<String>, FailureReason> {
        let mut listed = self.listed.lock().await;
        if let Some((_, codes)) = listed.as_ref().filter(|(at, _)| at.elapsed() < LIST_TTL) {
            return Ok(codes.clone());
        }
        let codes = self.with_key(async |key| self.client.languages(&self.host(key), key, deadline).await).await?;
        *listed = Some((Instant::now(), codes.clone()));
        Ok(codes)
    }

    fn host(&self, key: &str) -> String {
        match &self.config.endpoint {
            Some(endpoint) => endpoint.trim_end_matches('/').to_owned(),
            None if is_free_key(key) => "https://api-free.deepl.com".to_owned(),
            None => "https://api.deepl.com".to_owned(),
        }
    }

    /// Sends the lines that have words and reassembles each text from its translated lines. Texts with a source
    /// language and without one are separate requests.
    async fn translate_lines(
        &self,
        request: &Request<'_>,
        texts: &[MaskedText],
        has_source: &[bool],
        codes: Codes,
        deadline: Timestamp,
    ) -> Vec<Result<Translated, Failure>> {
        let xml = texts.iter().any(MaskedText::has_markup);
        let segments: Vec<Vec<String>> = texts.iter().map(|text| text.segments(xml)).collect();
        let context = self.context(request, &segments);
        let mut translated: Vec<TranslatedLines> = texts.iter().map(|_| TranslatedLines::default()).collect();
        for with_source in [true, false] {
            let source = codes.source.clone().filter(|_| with_source);
            let belongs = |text: usize| (has_source[text] && codes.source.is_some()) == with_source;
            let of_text = |(text, lines): (usize, &Vec<String>)| if belongs(text) { lines.clone() } else { Vec::new() };
            let batches = batches(segments.iter().enumerate().map(of_text).collect());
            let mut body = self.body(request, source, &codes.target, &context, xml);
            for mut batch in batches {
                // A text with a failed line cannot be reassembled, so the rest of it need not be paid for.
                batch.retain(|line| translated[line.text].failure.is_none());
                if batch.is_empty() {
                    continue;
                }
                body.text = batch.iter().map(|line| line.segment.clone()).collect();
                let answers = async |key: &str| self.client.translate(&self.host(key), key, &body, deadline).await;
                match self.with_key(answers).await {
                    Ok(answers) => {
                        batch.iter().zip(answers).for_each(|(line, answer)| translated[line.text].lines.push(answer));
                    }
                    Err(reason) => batch.iter().for_each(|line| translated[line.text].failure = Some(reason)),
                }
            }
        }
        translated.into_iter().zip(texts).map(|(lines, text)| lines.reassemble(text, xml)).collect()
    }

    fn body(&self, request: &Request<'_>, source: Option<String>, target: &str, context: &str, xml: bool) -> Body {
        // DeepL rejects a glossary without a source language.
        let glossary = source.as_ref().and_then(|_| self.config.glossary(request.source, request.target));
        let mut body = Body::new(xml);
        body.glossary_id = glossary.map(str::to_owned);
        body.source_lang = source;
        target.clone_into(&mut body.target_lang);
        context.clone_into(&mut body.context);
        body.model_type.clone_from(&self.config.model);
        body.tone = tone::tone(request.target);
        body
    }

    /// The end of the request's context, without personal numbers, and the texts of several lines as well: DeepL
    /// translates each line independently, so such a text is its own context.
    fn context(&self, request: &Request<'_>, segments: &[Vec<String>]) -> String {
        let multiline = request.texts.iter().zip(segments).filter(|(_, lines)| lines.len() > 1).map(|(text, _)| *text);
        let parts: Vec<&str> = std::iter::once(request.context)
            .chain(multiline.filter(|text| !request.context.contains(text)))
            .filter(|part| !part.is_empty())
            .collect();
        let context = parts.join("\n");
        let following = request.texts.iter().find(|text| !context.contains(**text)).copied().unwrap_or_default();
        let redacted = if self.config.redact { masking::redact_context(&context, following) } else { context };
        let start = redacted.ceil_char_boundary(redacted.len().saturating_sub(MAX_CONTEXT_BYTES));
        redacted[start..].to_owned()
    }
}

/// DeepL has a host of its own for free keys, which end in `:fx`.
fn is_free_key(key: &str) -> bool {
    key.ends_with(":fx")
}

#[cfg(test)]
mod tests;
