//! Numbers that identify a person: telephone, card, passport, insurance and identity numbers of any country. They have
//! at least eight digits, possibly in groups, or at least six digits with letters before or among them. Those of a
//! [known form](super::known_numbers) are found even if commas, line breaks or other signs stand between their digits.

use std::ops::Range;

use super::digit_run::{DigitRun, is_tight};
use super::known_numbers;
use super::measure::Measure;
use super::normalized::NormalizedChar;

const MIN_DIGITS: usize = 8;
/// For numbers with letters, such as `M12345678`.
const MIN_DIGITS_WITH_LETTERS: usize = 6;

/// Finds the personal numbers in a text.
pub(super) fn find(chars: &[NormalizedChar], measures: &[Measure]) -> Vec<Range<usize>> {
    let mut is_measure = vec![false; chars.len()];
    for measure in measures.iter().filter(|measure| measure.is_unambiguous) {
        is_measure[measure.range.clone()].fill(true);
    }
    let mut numbers = numbers_with_letters(chars);
    let mut is_harmless = is_measure.clone();
    let mut at = 0;
    while at < chars.len() {
        let run = DigitRun::read(chars, &is_measure, at);
        at = run.groups.last().map_or(at, |last| last.end - 1) + 1;
        let mut harmless = run.harmless();
        for groups in run.split_where(|separator| !is_tight(separator)) {
            let part = run.part(groups.clone());
            if part.is_money() && !part.has_country_code() {
                harmless[groups].fill(true);
            } else if part.digits() >= MIN_DIGITS && (part.has_country_code() || !part.is_calendar()) {
                numbers.extend(part.extent());
            }
        }
        for (group, harmless) in run.groups.iter().zip(&harmless) {
            is_harmless[group.clone()].fill(*harmless);
        }
        for groups in known_numbers::find(&run, &harmless) {
            numbers.extend(run.part(groups).extent());
        }
    }
    numbers.extend(known_numbers::passports(chars, &is_harmless));
    numbers
}

fn numbers_with_letters(chars: &[NormalizedChar]) -> Vec<Range<usize>> {
    let mut numbers = Vec::new();
    let mut start = 0;
    for word in chars.split_inclusive(|c| !c.normalized.is_ascii_alphanumeric()) {
        let end = start + word.iter().take_while(|c| c.normalized.is_ascii_alphanumeric()).count();
        let last = word.iter().rposition(|c| c.is_digit()).unwrap_or(0);
        let has_letter = word[..last].iter().any(|c| c.normalized.is_ascii_alphabetic());
        if has_letter && word.iter().filter(|c| c.is_digit()).count() >= MIN_DIGITS_WITH_LETTERS {
            numbers.push(start..end);
        }
        start += word.len();
    }
    numbers
}

#[cfg(test)]
mod tests;
