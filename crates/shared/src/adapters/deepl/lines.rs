//! Texts as the lines that DeepL translates.

use super::{Failure, Translated};
use masking::MaskedText;
use protocol::chat::FailureReason;

/// DeepL's limit for one request.
const MAX_TEXTS: usize = 50;
/// The share of the texts in the 128 KiB that DeepL takes as a body; the rest is for the context and the other fields.
const MAX_TEXT_BYTES: usize = 100 * 1024;

/// A line of one of the texts.
pub(super) struct Line {
    /// The index of its text.
    pub text: usize,
    pub segment: String,
}

/// Packs the lines of all texts into as few requests as DeepL's limits allow.
pub(super) fn batches(texts: Vec<Vec<String>>) -> Vec<Vec<Line>> {
    let mut batches: Vec<Vec<Line>> = Vec::new();
    let mut bytes = 0;
    for (text, segments) in texts.into_iter().enumerate() {
        for segment in segments {
            let size = protocol::wire::json_len(&segment) + 1;
            let line = Line { text, segment };
            match batches.last_mut() {
                Some(batch) if batch.len() < MAX_TEXTS && bytes + size <= MAX_TEXT_BYTES => {
                    bytes += size;
                    batch.push(line);
                }
                Some(_) | None => {
                    bytes = size;
                    batches.push(vec![line]);
                }
            }
        }
    }
    batches
}

/// The lines of one text that are translated so far.
#[derive(Default)]
pub(super) struct TranslatedLines {
    pub lines: Vec<Translated>,
    pub failure: Option<FailureReason>,
}

impl TranslatedLines {
    /// The translation of the whole text; it fails if a line did, or if a masked span or a number was lost or changed.
    pub fn reassemble(self, text: &MaskedText, xml: bool) -> Result<Translated, Failure> {
        let billed_characters = self.lines.iter().map(|line| line.billed_characters).sum();
        if let Some(reason) = self.failure {
            return Err(Failure { reason, billed_characters });
        }
        // The text is in a language only if all of its lines are.
        let mut languages = self.lines.iter().map(|line| line.detected.as_ref());
        let first = languages.next().flatten();
        let detected = first.filter(|first| languages.all(|language| language == Some(*first))).cloned();
        let trace_id = self.lines.last().and_then(|line| line.trace_id.clone());
        let translated = text.restore(self.lines.into_iter().map(|line| line.text), xml);
        let unfaithful = Failure { reason: FailureReason::Unfaithful, billed_characters };
        Ok(Translated { text: translated.ok_or(unfaithful)?, detected, billed_characters, trace_id })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::language::Language;

    /// The sizes of the batches of `count` texts of one line each.
    fn batch_sizes(count: usize, length: usize) -> Vec<usize> {
        let texts = vec![vec!["가".repeat(length)]; count];
        batches(texts).iter().map(Vec::len).collect()
    }

    #[test]
    fn a_batch_holds_at_most_fifty_lines() {
        assert_eq!(batch_sizes(101, 10), [50, 50, 1]);
    }

    #[test]
    fn a_batch_fits_into_a_body() {
        assert_eq!(batch_sizes(9, 4_000), [8, 1]);
    }

    #[test]
    fn no_lines_need_no_batch() {
        assert_eq!(batches(Vec::new()).len(), 0);
    }

    fn line(text: &str, language: &str) -> Translated {
        let detected = language.parse().ok();
        Translated { text: text.to_owned(), detected, billed_characters: 7, trace_id: None }
    }

    #[test]
    fn all_lines_must_be_in_the_detected_language() {
        let text = MaskedText::new("一行\n二行", true);
        for (languages, detected) in [(["ja", "ja"], Some("ja")), (["ja", "ko"], None), (["ja", ""], None)] {
            let lines = languages.iter().map(|language| line("줄", language)).collect();
            let translated = TranslatedLines { lines, failure: None }.reassemble(&text, false);
            let translated = translated.expect("both lines are translated");
            assert_eq!(translated.detected.as_ref().map(Language::as_str), detected);
            assert_eq!(translated.billed_characters, 14);
        }
    }

    #[test]
    fn failures_count_the_lines_billed() {
        let text = MaskedText::new("薬は500mgです\n二行", true);
        let failure = |lines: TranslatedLines| lines.reassemble(&text, true).err();
        let halfway = TranslatedLines { lines: vec![line("줄", "ja")], failure: Some(FailureReason::Quota) };
        assert_eq!(failure(halfway), Some(Failure { reason: FailureReason::Quota, billed_characters: 7 }));
        let without_dose = TranslatedLines { lines: vec![line("줄", "ja"), line("줄", "ja")], failure: None };
        assert_eq!(failure(without_dose), Some(Failure { reason: FailureReason::Unfaithful, billed_characters: 14 }));
    }

    #[test]
    fn other_numbers_are_unfaithful() {
        let text = MaskedText::new("一日3回", true);
        let reason = |translated: &str| {
            let lines = TranslatedLines { lines: vec![line(translated, "ja")], failure: None };
            lines.reassemble(&text, false).err().map(|failure| failure.reason)
        };
        assert_eq!(reason("하루 세 번"), None);
        assert_eq!(reason("하루 2번"), Some(FailureReason::Unfaithful));
    }
}
