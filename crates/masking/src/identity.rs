//! Numbers that identify a person: telephone, card, passport, insurance and identity numbers of any country. They are eight digits and
//! more, in groups, or six and more with letters before them or among them.

use std::ops::Range;

use super::glyph::Glyph;
use super::number::Measure;

/// The numbers of persons in a text.
pub(super) fn numbers(glyphs: &[Glyph], measures: &[Measure]) -> Vec<Range<usize>> {
    let mut measured = vec![false; glyphs.len()];
    for measure in measures.iter().filter(|measure| measure.is_plain) {
        measured[measure.range.clone()].fill(true);
    }
    let mut numbers = words(glyphs);
    let mut at = 0;
    while at < glyphs.len() {
        let run = Run::read(glyphs, &measured, at);
        at = run.end().unwrap_or(at) + 1;
        if run.digits() >= 8 && (run.is_called() || !(run.is_money() || run.is_calendar())) {
            numbers.extend(run.whole());
        }
    }
    numbers
}

/// Words of letters and digits.
fn words(glyphs: &[Glyph]) -> Vec<Range<usize>> {
    let mut words = Vec::new();
    let mut start = 0;
    for word in glyphs.split_inclusive(|glyph| !glyph.read.is_ascii_alphanumeric()) {
        let end = start + word.iter().take_while(|glyph| glyph.read.is_ascii_alphanumeric()).count();
        let last = word.iter().rposition(|glyph| glyph.is_digit()).unwrap_or(0);
        let has_letter = word[..last].iter().any(|glyph| glyph.read.is_ascii_alphabetic());
        if has_letter && word.iter().filter(|glyph| glyph.is_digit()).count() >= 6 {
            words.push(start..end);
        }
        start += word.len();
    }
    words
}

/// Groups of digits with not much in between.
struct Run<'a> {
    glyphs: &'a [Glyph],
    groups: Vec<Range<usize>>,
}

impl<'a> Run<'a> {
    fn read(glyphs: &'a [Glyph], measured: &[bool], first: usize) -> Self {
        let is_digit = |at: &usize| glyphs.get(*at).is_some_and(|glyph| glyph.is_digit() && !measured[*at]);
        let is_gap =
            |at: &usize| glyphs.get(*at).is_some_and(|glyph| " .()-/·_[]".contains(glyph.read) && !measured[*at]);
        let mut groups: Vec<Range<usize>> = Vec::new();
        let mut at = first;
        while is_digit(&at) {
            let end = at + (at..glyphs.len()).take_while(is_digit).count();
            groups.push(at..end);
            at = end + (end..end + 3).take_while(is_gap).count();
        }
        Self { glyphs, groups }
    }

    fn end(&self) -> Option<usize> {
        self.groups.last().map(|last| last.end - 1)
    }

    fn digits(&self) -> usize {
        self.groups.iter().map(Range::len).sum()
    }

    fn read_at(&self, at: usize) -> Option<char> {
        self.glyphs.get(at).map(|glyph| glyph.read)
    }

    /// The value of a short group.
    fn value(&self, group: usize) -> Option<u32> {
        let digits: String = self.glyphs[self.groups.get(group)?.clone()].iter().map(|glyph| glyph.read).collect();
        digits.parse().ok()
    }

    /// What stands behind a group.
    fn gap(&self, group: usize) -> String {
        let end = self.groups.get(group + 1).map_or(self.groups[group].end, |next| next.start);
        self.glyphs[self.groups[group].end..end].iter().map(|glyph| glyph.read).collect()
    }

    /// With what belongs to it: `+`, a bracket that is closed inside, and one letter to check it by.
    fn whole(&self) -> Option<Range<usize>> {
        let (mut start, mut end) = (self.groups.first()?.start, self.groups.last()?.end);
        let closes = self.glyphs[start..end].iter().any(|glyph| glyph.read == ')');
        for _ in 0..2 {
            let before = start.checked_sub(1).and_then(|before| self.read_at(before));
            start -= usize::from(before == Some('+') || (closes && before == Some('(')));
        }
        let is_letter = |at: usize| self.read_at(at).is_some_and(|letter| letter.is_ascii_alphanumeric());
        end += usize::from(is_letter(end) && !is_letter(end + 1));
        Some(start..end)
    }

    /// `+82` begins a telephone number and nothing else.
    fn is_called(&self) -> bool {
        let before = self.groups.first().and_then(|first| first.start.checked_sub(1));
        before.and_then(|before| self.read_at(before)) == Some('+')
    }

    /// A price of ten million and more: in groups of three or in none, with its currency.
    fn is_money(&self) -> bool {
        let (Some(first), Some(last)) = (self.groups.first(), self.groups.last()) else { return false };
        let gap = self.gap(0);
        let is_grouped = first.len() <= 3
            && gap.len() == 1
            && (1..self.groups.len()).all(|group| self.groups[group].len() == 3 && self.gap(group - 1) == gap);
        let is_number =
            self.read_at(first.start) != Some('0') && (is_grouped || (self.groups.len() == 1 && first.len() <= 9));
        let is_sign = |letter: char| matches!(letter, '$' | '£' | '¥' | '฿' | '₠'..='₿' | '\u{fdfc}');
        let is_unit = |letter: char| is_sign(letter) || matches!(letter, '원' | '円' | '元' | '圓' | '동' | 'đ' | '￦');
        let space = |at: usize| usize::from(self.read_at(at) == Some(' '));
        let before = first.start.checked_sub(1).map(|before| before.saturating_sub(space(before)));
        is_number
            && (before.and_then(|before| self.read_at(before)).is_some_and(is_sign)
                || self.read_at(last.end + space(last.end)).is_some_and(is_unit))
    }

    /// Dates, years and blood pressures have eight digits too, and say nothing about who somebody is. Between them may stand something
    /// short, an hour or a room, and no more: a date of birth begins many a number.
    fn is_calendar(&self) -> bool {
        let (mut group, mut rest) = (0, 0);
        while group < self.groups.len() {
            let known = self.known(group);
            rest = if known > 0 { 0 } else { rest + self.groups[group].len() };
            if rest > 4 {
                return false;
            }
            group += known.max(1);
        }
        true
    }

    /// How many groups from this one on are a date, two years or a blood pressure.
    fn known(&self, group: usize) -> usize {
        let length = |at: usize| self.groups.get(group + at).map_or(0, Range::len);
        let value = |at: usize| self.value(group + at).unwrap_or(0);
        let gap = |at: usize| self.gap(group + at);
        let is_year = |at: usize| length(at) == 4 && (1900..2100).contains(&value(at));
        let is_day = |day: usize, month: usize| {
            let are_short = (1..=2).contains(&length(day)) && (1..=2).contains(&length(month));
            are_short && (1..=31).contains(&value(day)) && (1..=12).contains(&value(month))
        };
        let is_joined = |at: usize| gap(at).chars().all(|letter| " .-/".contains(letter));
        if length(2) > 0 && is_joined(0) && is_joined(1) {
            let is_date = (is_year(0) && is_day(2, 1)) || (is_year(2) && (is_day(0, 1) || is_day(1, 0)));
            if is_date {
                return 3;
            }
        }
        let is_short = |at: usize| (2..=3).contains(&length(at));
        let are_years = || gap(0).trim() == "-" && is_year(0) && is_year(1) && value(0) < value(1);
        let is_pressure = || {
            gap(0).trim() == "/" && is_short(0) && is_short(1) && (50..=300).contains(&value(0)) && value(1) < value(0)
        };
        if length(1) > 0 && (are_years() || is_pressure()) { 2 } else { 0 }
    }
}
