//! The door to DeepL. <https://developers.deepl.com/docs/api-reference/translate>

mod call;
mod phrases;
mod target;
mod tone;

pub use phrases::is_stock_phrase;

use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use crate::chat::FailureReason;
use crate::config::DeepLConfig;
use crate::language::Language;
use crate::metric::{self, Metric};
use crate::secrets::Secret;
use crate::verbatim::Sheet;
use call::{Body, Call};

/// Messages of one language, to be translated into one other.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The messages.
    pub texts: &'a [&'a str],
    /// What they are written in; `None`: DeepL finds out.
    pub source: Option<&'a Language>,
    /// What they shall be read in.
    pub target: &'a Language,
    /// What is said around them; shapes the result and is not billed.
    /// <https://developers.deepl.com/docs/best-practices/working-with-context>
    pub context: &'a str,
}

/// What DeepL made of a message.
#[derive(Clone)]
pub struct Translated {
    /// The translation.
    pub text: String,
    /// What the text was found to be written in.
    pub detected: Option<Language>,
    /// What it counts on the bill.
    pub billed_characters: u64,
    /// By which DeepL's support finds the request.
    pub trace_id: Option<String>,
}

/// The client.
#[derive(Debug)]
pub struct DeepL {
    call: Call,
    config: DeepLConfig,
    key: Secret,
    listed: Mutex<Option<(Instant, Vec<String>)>>,
}

/// A line of one of the texts.
struct Line {
    text: usize,
    words: String,
}

/// The most texts of one request.
const TEXTS: usize = 50;
/// What the texts of one request may take of the 128 KiB that its body may have; the rest is for the context and the fields.
const TEXT_BYTES: usize = 100 * 1024;
/// What the context may take. More of it does not make a chat message clearer.
const CONTEXT_BYTES: usize = 8 * 1024;
/// How long the list of languages is believed.
const LISTED: Duration = Duration::from_secs(24 * 60 * 60);

impl DeepL {
    /// With the settings of this stack. Keys of the free tier end in `:fx` and have a host of their own.
    pub fn new(config: DeepLConfig, key: Secret) -> Self {
        Self { call: Call::new(), config, key, listed: Mutex::default() }
    }

    /// What a text's translation depends on beside the text, the languages and the context: for the key of a cache.
    pub fn settings(&self, source: Option<&Language>, target: &Language) -> String {
        let tone = tone::tone(target);
        let glossary = self.config.glossary(source, target).unwrap_or_default();
        let formality = tone.formality.as_deref().unwrap_or_default();
        [glossary, &self.config.model, formality, &tone.instructions.join("\n")].join("\u{1f}")
    }

    /// Translates each text: as many results, in their order. Tries again where that can help: after 429, 529, 5xx and broken
    /// connections. Texts go in as few requests as DeepL's limits allow, which is one for all but the longest.
    pub async fn translate(&self, request: Request<'_>) -> Vec<Result<Translated, FailureReason>> {
        let all = |reason: FailureReason| request.texts.iter().map(|_| Err(reason)).collect();
        let key = match self.usable_key().await {
            Ok(key) => key,
            Err(reason) => return all(reason),
        };
        match self.codes(&key, request.source, request.target).await {
            Ok((source, target)) => self.lines(&key, request, source, target).await,
            Err(reason) => {
                report(reason, request.target);
                all(reason)
            }
        }
    }

    async fn usable_key(&self) -> Result<std::sync::Arc<str>, FailureReason> {
        let key = self.key.value().await.map_err(|error| {
            tracing::error!(error = %crate::error::chain(&error), "there is no DeepL key");
            FailureReason::Unavailable
        })?;
        // What the free tier is given may be kept and used by DeepL: https://www.deepl.com/pro-license
        if !self.config.free_keys && key.ends_with(":fx") {
            tracing::error!(
                "this stage does not take a key of DeepL's free tier: what people write would not be confidential"
            );
            return Err(FailureReason::Rejected);
        }
        Ok(key)
    }

    /// Both languages in DeepL's codes.
    async fn codes(
        &self,
        key: &str,
        source: Option<&Language>,
        target: &Language,
    ) -> Result<(Option<String>, String), FailureReason> {
        let listed = match [source, Some(target)].into_iter().flatten().all(target::is_known) {
            true => Vec::new(),
            false => self.listed(key).await?,
        };
        let code = |language: &Language| match target::is_known(language) {
            true => Some(target::target_code(language)),
            false => target::listed_code(language, &listed),
        };
        let unsupported = FailureReason::UnsupportedLanguage;
        if source.is_some_and(|source| code(source).is_none()) {
            return Err(unsupported);
        }
        Ok((source.map(target::source_code), code(target).ok_or(unsupported)?))
    }

    /// The languages that DeepL offers now, asked for once a day.
    async fn listed(&self, key: &str) -> Result<Vec<String>, FailureReason> {
        let mut listed = self.listed.lock().await;
        if let Some((_, codes)) = listed.as_ref().filter(|(at, _)| at.elapsed() < LISTED) {
            return Ok(codes.clone());
        }
        let codes = self.call.languages(&self.host(key), key).await?;
        *listed = Some((Instant::now(), codes.clone()));
        Ok(codes)
    }

    fn host(&self, key: &str) -> String {
        match &self.config.endpoint {
            Some(endpoint) => endpoint.trim_end_matches('/').to_owned(),
            None if key.ends_with(":fx") => "https://api-free.deepl.com".to_owned(),
            None => "https://api.deepl.com".to_owned(),
        }
    }

    /// Sends line by line what has words, and puts each text together again.
    async fn lines(
        &self,
        key: &str,
        request: Request<'_>,
        source: Option<String>,
        target: String,
    ) -> Vec<Result<Translated, FailureReason>> {
        let sheets: Vec<Sheet> = request.texts.iter().map(|text| Sheet::new(text, self.config.redact)).collect();
        let xml = sheets.iter().any(Sheet::is_marked);
        let lines = sheets
            .iter()
            .enumerate()
            .flat_map(|(text, sheet)| sheet.texts(xml).into_iter().map(move |words| Line { text, words }));
        let mut body = Body::new(xml);
        body.target_lang = target;
        body.glossary_id = self.config.glossary(request.source, request.target).map(str::to_owned);
        body.source_lang = source;
        body.context = self.context(request.context);
        body.model_type.clone_from(&self.config.model);
        body.tone = tone::tone(request.target);
        let mut results: Vec<Result<(Vec<String>, Translated), FailureReason>> =
            sheets.iter().map(|_| Ok(blank())).collect();
        for batch in batches(lines) {
            body.text = batch.iter().map(|line| line.words.clone()).collect();
            match self.call.translate(&self.host(key), key, &body).await {
                Ok(answers) => {
                    for (line, answer) in batch.iter().zip(answers) {
                        if let Ok((lines, whole)) = &mut results[line.text] {
                            whole.billed_characters += answer.billed_characters;
                            whole.detected = whole.detected.take().or(answer.detected);
                            whole.trace_id = answer.trace_id;
                            lines.push(answer.text);
                        }
                    }
                }
                Err(reason) => {
                    report(reason, request.target);
                    batch.iter().for_each(|line| results[line.text] = Err(reason));
                }
            }
        }
        let restored = results.into_iter().zip(&sheets).map(|(result, sheet)| {
            let (lines, whole) = result?;
            let text = sheet.restore(lines.into_iter(), xml).ok_or_else(|| {
                report(FailureReason::Unfaithful, request.target);
                FailureReason::Unfaithful
            })?;
            Ok(Translated { text, ..whole })
        });
        restored.collect()
    }

    /// The end of the context, without what identifies a person.
    fn context(&self, context: &str) -> String {
        let hidden =
            if self.config.redact { crate::verbatim::without_numbers_of_persons(context) } else { context.to_owned() };
        let from = hidden.len().saturating_sub(CONTEXT_BYTES);
        let from = (from..=hidden.len()).find(|at| hidden.is_char_boundary(*at)).unwrap_or(0);
        hidden[from..].to_owned()
    }
}

fn blank() -> (Vec<String>, Translated) {
    (Vec::new(), Translated { text: String::new(), detected: None, billed_characters: 0, trace_id: None })
}

/// As many lines together as one request may have.
fn batches(lines: impl Iterator<Item = Line>) -> Vec<Vec<Line>> {
    let mut batches: Vec<Vec<Line>> = Vec::new();
    let mut bytes = 0;
    for line in lines {
        let size = crate::wire::json_len(&line.words) + 1;
        match batches.last_mut().filter(|batch| batch.len() < TEXTS && bytes + size <= TEXT_BYTES) {
            Some(batch) => {
                bytes += size;
                batch.push(line);
            }
            None => {
                bytes = size;
                batches.push(vec![line]);
            }
        }
    }
    batches
}

fn report(reason: FailureReason, target: &Language) {
    tracing::warn!(?reason, %target, "a translation failed");
    metric::count(Metric::TranslationFailed, 1);
    if reason == FailureReason::Quota {
        metric::count(Metric::QuotaUsedUp, 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_go_together_up_to_fifty_and_up_to_the_size_of_a_body() {
        let lines =
            |count: usize, length: usize| (0..count).map(move |text| Line { text, words: "가".repeat(length) });
        let sizes = |lines| batches(lines).iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(sizes(lines(101, 10)), [50, 50, 1]);
        assert_eq!(sizes(lines(9, 4_000)), [8, 1]);
        assert_eq!(batches(lines(0, 1)).len(), 0);
    }
}
