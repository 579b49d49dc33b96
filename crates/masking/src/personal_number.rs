//! Numbers that identify a person: telephone, card, passport, insurance and identity numbers of any country. They have
//! at least eight digits, possibly in groups, or at least six digits with letters before or among them.

use std::ops::Range;

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
    let mut at = 0;
    while at < chars.len() {
        let run = DigitRun::read(chars, &is_measure, at);
        at = run.last_digit().unwrap_or(at) + 1;
        if run.digits() >= MIN_DIGITS && (run.has_country_code() || !(run.is_money() || run.is_calendar())) {
            numbers.extend(run.extent());
        }
    }
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

/// Groups of digits with at most three separators in between.
struct DigitRun<'a> {
    chars: &'a [NormalizedChar],
    groups: Vec<Range<usize>>,
}

impl<'a> DigitRun<'a> {
    fn read(chars: &'a [NormalizedChar], is_measure: &[bool], first: usize) -> Self {
        let is_digit = |at: &usize| chars.get(*at).is_some_and(|c| c.is_digit() && !is_measure[*at]);
        let is_separator =
            |at: &usize| chars.get(*at).is_some_and(|c| " .()-/·_[]".contains(c.normalized) && !is_measure[*at]);
        let mut groups: Vec<Range<usize>> = Vec::new();
        let mut at = first;
        while is_digit(&at) {
            let end = at + (at..chars.len()).take_while(is_digit).count();
            groups.push(at..end);
            at = end + (end..end + 3).take_while(is_separator).count();
        }
        Self { chars, groups }
    }

    fn last_digit(&self) -> Option<usize> {
        self.groups.last().map(|last| last.end - 1)
    }

    fn digits(&self) -> usize {
        self.groups.iter().map(Range::len).sum()
    }

    fn char_at(&self, at: usize) -> Option<char> {
        self.chars.get(at).map(|c| c.normalized)
    }

    /// The value of a short group.
    fn value(&self, group: usize) -> Option<u32> {
        let digits: String = self.chars[self.groups.get(group)?.clone()].iter().map(|c| c.normalized).collect();
        digits.parse().ok()
    }

    /// The characters between a group and the next one.
    fn separator(&self, group: usize) -> String {
        let end = self.groups.get(group + 1).map_or(self.groups[group].end, |next| next.start);
        self.chars[self.groups[group].end..end].iter().map(|c| c.normalized).collect()
    }

    /// The run with what belongs to it: `+`, a parenthesis that is closed inside, and a single check letter.
    fn extent(&self) -> Option<Range<usize>> {
        let mut start = self.groups.first()?.start;
        let mut end = self.groups.last()?.end;
        let closes_parenthesis = self.chars[start..end].iter().any(|c| c.normalized == ')');
        for _ in 0..2 {
            let before = start.checked_sub(1).and_then(|before| self.char_at(before));
            start -= usize::from(before == Some('+') || (closes_parenthesis && before == Some('(')));
        }
        let is_letter = |at: usize| self.char_at(at).is_some_and(|c| c.is_ascii_alphanumeric());
        end += usize::from(is_letter(end) && !is_letter(end + 1));
        Some(start..end)
    }

    /// Only a telephone number starts like `+82`.
    fn has_country_code(&self) -> bool {
        let before = self.groups.first().and_then(|first| first.start.checked_sub(1));
        before.and_then(|before| self.char_at(before)) == Some('+')
    }

    /// A price of eight digits and more: ungrouped or in groups of three, with its currency.
    fn is_money(&self) -> bool {
        let (Some(first), Some(last)) = (self.groups.first(), self.groups.last()) else { return false };
        let separator = self.separator(0);
        let is_grouped = first.len() <= 3
            && separator.len() == 1
            && (1..self.groups.len())
                .all(|group| self.groups[group].len() == 3 && self.separator(group - 1) == separator);
        let is_number =
            self.char_at(first.start) != Some('0') && (is_grouped || (self.groups.len() == 1 && first.len() <= 9));
        let is_sign = |c: char| matches!(c, '$' | '£' | '¥' | '฿' | '₠'..='₿' | '\u{fdfc}');
        let is_currency = |c: char| is_sign(c) || matches!(c, '원' | '円' | '元' | '圓' | '동' | 'đ' | '￦');
        let space = |at: usize| usize::from(self.char_at(at) == Some(' '));
        let before = first.start.checked_sub(1).map(|before| before.saturating_sub(space(before)));
        is_number
            && (before.and_then(|before| self.char_at(before)).is_some_and(is_sign)
                || self.char_at(last.end + space(last.end)).is_some_and(is_currency))
    }

    /// Dates, years and blood pressures reach eight digits too, but don't identify anybody. At most four other digits
    /// may stand between them, such as an hour or a room: many personal numbers start with a date of birth.
    fn is_calendar(&self) -> bool {
        let mut group = 0;
        let mut other_digits = 0;
        while group < self.groups.len() {
            let harmless = self.harmless_groups(group);
            other_digits = if harmless > 0 { 0 } else { other_digits + self.groups[group].len() };
            if other_digits > 4 {
                return false;
            }
            group += harmless.max(1);
        }
        true
    }

    /// How many groups, starting with this one, form a date, a range of years or a blood pressure.
    fn harmless_groups(&self, group: usize) -> usize {
        let length = |at: usize| self.groups.get(group + at).map_or(0, Range::len);
        let value = |at: usize| self.value(group + at).unwrap_or(0);
        let separator = |at: usize| self.separator(group + at);
        let is_year = |at: usize| length(at) == 4 && (1900..2100).contains(&value(at));
        let is_day = |day: usize, month: usize| {
            let are_short = (1..=2).contains(&length(day)) && (1..=2).contains(&length(month));
            are_short && (1..=31).contains(&value(day)) && (1..=12).contains(&value(month))
        };
        let has_date_separator = |at: usize| separator(at).chars().all(|c| " .-/".contains(c));
        let is_date = || (is_year(0) && is_day(2, 1)) || (is_year(2) && (is_day(0, 1) || is_day(1, 0)));
        if length(2) > 0 && has_date_separator(0) && has_date_separator(1) && is_date() {
            return 3;
        }
        let is_short = |at: usize| (2..=3).contains(&length(at));
        let are_years = || separator(0).trim() == "-" && is_year(0) && is_year(1) && value(0) < value(1);
        let is_pressure = || {
            separator(0).trim() == "/"
                && is_short(0)
                && is_short(1)
                && (50..=300).contains(&value(0))
                && value(1) < value(0)
        };
        if length(1) > 0 && (are_years() || is_pressure()) { 2 } else { 0 }
    }
}
