//! The door to DeepL. <https://developers.deepl.com/docs/api-reference/translate>

mod call;
mod phrases;
mod target;
mod tone;

pub use phrases::is_stock_phrase;

use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use crate::adapters::secrets::Secret;
use crate::config::DeepLConfig;
use call::{Body, Call};
use masking::MaskedText;
use protocol::chat::FailureReason;
use protocol::clock::{Clock, Timestamp};
use protocol::language::Language;

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
    /// How long all that is sent for it may take.
    pub patience: Duration,
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

/// What DeepL made nothing of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lost {
    /// Why.
    pub reason: FailureReason,
    /// What it counts on the bill all the same.
    pub billed_characters: u64,
}

impl From<FailureReason> for Lost {
    fn from(reason: FailureReason) -> Self {
        Self { reason, billed_characters: 0 }
    }
}

/// The client.
#[derive(Debug)]
pub struct DeepL {
    clock: Clock,
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
    pub fn new(config: DeepLConfig, key: Secret, clock: Clock) -> Self {
        Self { clock, call: Call::new(clock), config, key, listed: Mutex::default() }
    }

    /// Whether it was asked in vain a moment ago, so that what nobody waits for need not ask as well.
    pub fn is_out_of_reach(&self) -> bool {
        self.call.is_out_of_reach()
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
    pub async fn translate(&self, request: Request<'_>) -> Vec<Result<Translated, Lost>> {
        let deadline = self.clock.now() + request.patience;
        let ready = async {
            let key = self.usable_key().await?;
            let codes = self.codes(&key, request.source, request.target, deadline).await?;
            Ok::<_, FailureReason>((key, codes))
        };
        match ready.await {
            Ok((key, codes)) => self.lines(&key, request, codes, deadline).await,
            Err(reason) => request.texts.iter().map(|_| Err(reason.into())).collect(),
        }
    }

    async fn usable_key(&self) -> Result<std::sync::Arc<str>, FailureReason> {
        let key = self.key.value().await.map_err(|error| {
            tracing::error!(error = %crate::error::chain(&error), "there is no DeepL key");
            FailureReason::Unavailable
        })?;
        // Who puts it there from a file puts the end of the line there too.
        let key = key.trim();
        if key.is_empty() {
            tracing::error!("the secret with DeepL's key is empty");
            return Err(FailureReason::Unavailable);
        }
        // What the free tier is given may be kept and used by DeepL: https://www.deepl.com/pro-license
        if !self.config.free_keys && key.ends_with(":fx") {
            tracing::error!(
                "this stage does not take a key of DeepL's free tier: what people write would not be confidential"
            );
            return Err(FailureReason::Rejected);
        }
        Ok(key.into())
    }

    /// Both languages in DeepL's codes. A source that DeepL does not know by name it may still recognize.
    async fn codes(
        &self,
        key: &str,
        source: Option<&Language>,
        target: &Language,
        deadline: Timestamp,
    ) -> Result<(Option<String>, String), FailureReason> {
        let source_is_known = source.is_none_or(target::is_known);
        let mut listed = Vec::new();
        if !source_is_known || !target::is_known(target) || target::loses_a_part(target) {
            listed = match self.listed(key, deadline).await {
                Err(reason) if !target::is_known(target) => return Err(reason),
                listed => listed.unwrap_or_default(),
            };
        }
        let code = |language: &Language| match target::is_known(language) {
            true => target::exact_code(language, &listed).or_else(|| Some(target::target_code(language))),
            false => target::listed_code(language, &listed),
        };
        let source = source.filter(|source| code(source).is_some()).map(target::source_code);
        Ok((source, code(target).ok_or(FailureReason::UnsupportedLanguage)?))
    }

    /// The languages that DeepL offers now, asked for once a day.
    async fn listed(&self, key: &str, deadline: Timestamp) -> Result<Vec<String>, FailureReason> {
        let mut listed = self.listed.lock().await;
        if let Some((_, codes)) = listed.as_ref().filter(|(at, _)| at.elapsed() < LISTED) {
            return Ok(codes.clone());
        }
        let codes = self.call.languages(&self.host(key), key, deadline).await?;
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
        (source, target): (Option<String>, String),
        deadline: Timestamp,
    ) -> Vec<Result<Translated, Lost>> {
        let sheets: Vec<MaskedText> =
            request.texts.iter().map(|text| MaskedText::new(text, self.config.redact)).collect();
        let xml = sheets.iter().any(MaskedText::is_marked);
        let sent: Vec<Vec<String>> = sheets.iter().map(|sheet| sheet.texts(xml)).collect();
        // DeepL sees each line by itself, so a text of several is its own context.
        let several = request.texts.iter().zip(&sent).filter(|(_, lines)| lines.len() > 1).map(|(text, _)| *text);
        let around: Vec<&str> = std::iter::once(request.context)
            .chain(several.filter(|text| !request.context.contains(text)))
            .filter(|words| !words.is_empty())
            .collect();
        let context = self.context(&around.join("\n"));
        let numbered = sent.into_iter().enumerate();
        let lines = numbered.flat_map(|(text, lines)| lines.into_iter().map(move |words| Line { text, words }));
        let mut body = Body::new(xml);
        body.target_lang = target;
        // DeepL takes a glossary with its source only.
        let glossary = source.as_ref().and_then(|_| self.config.glossary(request.source, request.target));
        body.glossary_id = glossary.map(str::to_owned);
        body.source_lang = source;
        body.context = context;
        body.model_type.clone_from(&self.config.model);
        body.tone = tone::tone(request.target);
        let mut parts: Vec<Parts> = sheets.iter().map(|_| Parts::default()).collect();
        for mut batch in batches(lines) {
            // What has lost a line cannot be put together any more, and the rest of it need not be paid for.
            batch.retain(|line| parts[line.text].lost.is_none());
            if batch.is_empty() {
                continue;
            }
            body.text = batch.iter().map(|line| line.words.clone()).collect();
            match self.call.translate(&self.host(key), key, &body, deadline).await {
                Ok(answers) => {
                    batch.iter().zip(answers).for_each(|(line, answer)| parts[line.text].lines.push(answer));
                }
                Err(reason) => batch.iter().for_each(|line| parts[line.text].lost = Some(reason)),
            }
        }
        parts.into_iter().zip(&sheets).map(|(parts, sheet)| parts.together(sheet, xml)).collect()
    }

    /// The end of the context, without what identifies a person.
    fn context(&self, context: &str) -> String {
        let hidden = if self.config.redact { masking::without_numbers_of_persons(context) } else { context.to_owned() };
        let from = hidden.len().saturating_sub(CONTEXT_BYTES);
        let from = (from..=hidden.len()).find(|at| hidden.is_char_boundary(*at)).unwrap_or(0);
        hidden[from..].to_owned()
    }
}

/// What DeepL made of a text up to now.
#[derive(Default)]
struct Parts {
    lines: Vec<Translated>,
    lost: Option<FailureReason>,
}

impl Parts {
    fn together(self, sheet: &MaskedText, xml: bool) -> Result<Translated, Lost> {
        let billed_characters = self.lines.iter().map(|line| line.billed_characters).sum();
        let lost = |reason| Lost { reason, billed_characters };
        if let Some(reason) = self.lost {
            return Err(lost(reason));
        }
        // A text is in a language if all of its lines are.
        let mut detected = self.lines.iter().map(|line| line.detected.as_ref());
        let first = detected.next().flatten();
        let detected = first.filter(|first| detected.all(|other| other == Some(*first))).cloned();
        let trace_id = self.lines.last().and_then(|line| line.trace_id.clone());
        let text = sheet.restore(self.lines.into_iter().map(|line| line.text), xml);
        let text = text.ok_or_else(|| lost(FailureReason::Unfaithful))?;
        Ok(Translated { text, detected, billed_characters, trace_id })
    }
}

/// As many lines together as one request may have.
fn batches(lines: impl Iterator<Item = Line>) -> Vec<Vec<Line>> {
    let mut batches: Vec<Vec<Line>> = Vec::new();
    let mut bytes = 0;
    for line in lines {
        let size = protocol::wire::json_len(&line.words) + 1;
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

    fn line(text: &str, language: &str) -> Translated {
        let detected = language.parse().ok();
        Translated { text: text.to_owned(), detected, billed_characters: 7, trace_id: None }
    }

    #[test]
    fn a_text_is_in_a_language_only_if_all_of_its_lines_are() {
        let sheet = MaskedText::new("一行\n二行", true);
        for (languages, detected) in [(["ja", "ja"], Some("ja")), (["ja", "ko"], None), (["ja", ""], None)] {
            let lines = languages.iter().map(|language| line("줄", language)).collect();
            let whole = Parts { lines, lost: None }.together(&sheet, false).ok();
            let whole = whole.expect("both lines are there");
            assert_eq!(whole.detected.as_ref().map(Language::as_str), detected);
            assert_eq!(whole.billed_characters, 14);
        }
    }

    #[test]
    fn what_is_lost_is_on_the_bill_all_the_same() {
        let sheet = MaskedText::new("薬は500mgです\n二行", true);
        let lost = |parts: Parts| parts.together(&sheet, true).err();
        let halfway = Parts { lines: vec![line("줄", "ja")], lost: Some(FailureReason::Quota) };
        assert_eq!(lost(halfway), Some(Lost { reason: FailureReason::Quota, billed_characters: 7 }));
        let unfaithful = Parts { lines: vec![line("줄", "ja"), line("줄", "ja")], lost: None };
        assert_eq!(lost(unfaithful), Some(Lost { reason: FailureReason::Unfaithful, billed_characters: 14 }));
    }
}
