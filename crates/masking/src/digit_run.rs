//! Groups of digits with anything but letters in between, and what they mean together.

use std::ops::Range;

use super::normalized::NormalizedChar;

/// The most separators, besides spaces, between two groups of a number of unknown form.
const MAX_SEPARATORS: usize = 3;

/// Whether these characters may separate the groups of a number of unknown form.
pub(super) fn is_tight(separator: &str) -> bool {
    separator.chars().filter(|c| *c != ' ').count() <= MAX_SEPARATORS
        && separator.chars().all(|c| " .()-/·_[]".contains(c))
}

/// Whether a character may stand between the digits of a known number: anything but letters, digits, and the signs that
/// start another number.
pub(super) fn is_separator(chars: &[NormalizedChar], at: usize) -> bool {
    chars.get(at).is_some_and(|c| {
        !(c.original.is_alphanumeric() && c.normalized.is_alphanumeric())
            && c.normalized != '+'
            && !is_currency_sign(c.normalized)
            || is_han_dash(chars, at)
    })
}

fn is_currency_sign(c: char) -> bool {
    matches!(c, '$' | '£' | '¥' | '￦' | '฿' | '₠'..='₿' | '\u{fdfc}')
}

/// The Han character for 1 looks like a dash and is used as one: `010一1234一5678`.
fn is_han_dash(chars: &[NormalizedChar], at: usize) -> bool {
    let is_digit = |at: Option<usize>| at.and_then(|at| chars.get(at)).is_some_and(|c| c.is_digit());
    chars[at].original == '一' && is_digit(at.checked_sub(1)) && is_digit(Some(at + 1))
}

/// The value of a digit, which may be Han.
pub(super) fn digit(chars: &[NormalizedChar], at: usize) -> Option<u32> {
    const HAN: [char; 10] = ['〇', '一', '二', '三', '四', '五', '六', '七', '八', '九'];
    let c = chars.get(at)?;
    let han = || HAN.iter().position(|han| *han == c.original).filter(|_| !is_han_dash(chars, at));
    c.normalized.to_digit(10).or_else(|| u32::try_from(han()?).ok())
}

/// Groups of digits with separators in between.
pub(super) struct DigitRun<'a> {
    pub(super) chars: &'a [NormalizedChar],
    pub(super) groups: Vec<Range<usize>>,
}

impl<'a> DigitRun<'a> {
    pub(super) fn read(chars: &'a [NormalizedChar], is_measure: &[bool], first: usize) -> Self {
        let is_digit = |at: &usize| digit(chars, *at).is_some() && !is_measure[*at];
        let is_separator = |at: &usize| is_separator(chars, *at) && !is_measure[*at];
        let mut groups: Vec<Range<usize>> = Vec::new();
        let mut at = first;
        while is_digit(&at) {
            let end = at + (at..chars.len()).take_while(is_digit).count();
            groups.push(at..end);
            at = end + (end..chars.len()).take_while(is_separator).count();
        }
        Self { chars, groups }
    }

    pub(super) fn part(&self, groups: Range<usize>) -> Self {
        Self { chars: self.chars, groups: self.groups[groups].to_vec() }
    }

    /// The groups between certain separators.
    pub(super) fn split_where(&self, splits: impl Fn(&str) -> bool) -> Vec<Range<usize>> {
        let mut parts: Vec<Range<usize>> = Vec::new();
        for group in 0..self.groups.len() {
            match parts.last_mut() {
                Some(part) if !splits(&self.separator(group - 1)) => part.end = group + 1,
                Some(_) | None => parts.push(group..group + 1),
            }
        }
        parts
    }

    pub(super) fn digits(&self) -> usize {
        self.groups.iter().map(Range::len).sum()
    }

    pub(super) fn char_at(&self, at: usize) -> Option<char> {
        self.chars.get(at).map(|c| c.normalized)
    }

    /// The value of a short group.
    pub(super) fn value(&self, group: usize) -> Option<u32> {
        let digits = self.groups.get(group)?.clone().map(|at| digit(self.chars, at));
        digits.into_iter().try_fold(0u32, |value, digit| value.checked_mul(10)?.checked_add(digit?))
    }

    /// The characters between a group and the next one.
    pub(super) fn separator(&self, group: usize) -> String {
        let end = self.groups.get(group + 1).map_or(self.groups[group].end, |next| next.start);
        self.chars[self.groups[group].end..end].iter().map(|c| c.normalized).collect()
    }

    /// The run with what belongs to it: `+`, a parenthesis that is closed inside, and a single check letter.
    pub(super) fn extent(&self) -> Option<Range<usize>> {
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
    pub(super) fn has_country_code(&self) -> bool {
        let before = self.groups.first().and_then(|first| first.start.checked_sub(1));
        before.and_then(|before| self.char_at(before)) == Some('+')
    }

    /// Whether there is a `+` before a digit, possibly with a space or a bracket in between.
    pub(super) fn follows_plus(&self, first: usize) -> bool {
        let mut before = (0..first).rev().map(|at| self.chars[at].normalized).take(3);
        before.find(|c| !matches!(c, ' ' | '(')) == Some('+')
    }

    /// A price of eight digits and more: ungrouped or in groups of three, with its currency.
    pub(super) fn is_money(&self) -> bool {
        let (Some(first), Some(last)) = (self.groups.first(), self.groups.last()) else { return false };
        let separator = self.separator(0);
        let is_grouped = first.len() <= 3
            && separator.len() == 1
            && (1..self.groups.len())
                .all(|group| self.groups[group].len() == 3 && self.separator(group - 1) == separator);
        let is_number =
            self.char_at(first.start) != Some('0') && (is_grouped || (self.groups.len() == 1 && first.len() <= 9));
        let is_currency = |c: char| is_currency_sign(c) || matches!(c, '원' | '円' | '元' | '圓' | '동' | 'đ');
        let space = |at: usize| usize::from(self.char_at(at) == Some(' '));
        let before = first.start.checked_sub(1).map(|before| before.saturating_sub(space(before)));
        is_number
            && (before.and_then(|before| self.char_at(before)).is_some_and(is_currency_sign)
                || self.char_at(last.end + space(last.end)).is_some_and(is_currency))
    }

    /// Dates, years and blood pressures reach eight digits too, but don't identify anybody. At most four other digits
    /// may stand between them, such as an hour or a room: many personal numbers start with a date of birth.
    pub(super) fn is_calendar(&self) -> bool {
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

    /// Which groups are certainly not of a personal number.
    pub(super) fn harmless(&self) -> Vec<bool> {
        let mut harmless = vec![false; self.groups.len()];
        let mut group = 0;
        while group < self.groups.len() {
            let count = self.harmless_groups(group).max(self.amount_groups(group));
            harmless[group..group + count].fill(true);
            group += count.max(1);
        }
        harmless
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
        // In `010-1999-2001`, they belong to a telephone number.
        let follows_prefix = || {
            let is_prefix =
                |at: usize| self.groups[at].len() <= 4 && digit(self.chars, self.groups[at].start) == Some(0);
            group.checked_sub(1).is_some_and(|before| is_prefix(before) && is_tight(&self.separator(before)))
        };
        let are_years =
            || separator(0).trim() == "-" && is_year(0) && is_year(1) && value(0) < value(1) && !follows_prefix();
        let is_pressure = || {
            separator(0).trim() == "/"
                && is_short(0)
                && is_short(1)
                && (50..=300).contains(&value(0))
                && value(1) < value(0)
        };
        if length(1) > 0 && (are_years() || is_pressure()) { 2 } else { 0 }
    }

    /// How many groups, starting with this one, form a time (`09:30`), a day (`07/15`), a decimal (`0.5`) or an amount
    /// in thousands (`1,500,000`).
    fn amount_groups(&self, group: usize) -> usize {
        let first = &self.groups[group];
        let length = |at: usize| self.groups.get(group + at).map_or(0, Range::len);
        let value = |at: usize| self.value(group + at).unwrap_or(u32::MAX);
        let is_separated_by = |at: usize, separator: char| {
            group + at + 1 < self.groups.len() && self.separator(group + at).chars().eq([separator])
        };
        let continues = |at: usize, separator: char| {
            let end = self.groups[group + at].end;
            self.char_at(end) == Some(separator) && digit(self.chars, end + 1).is_some()
        };
        let follows = |separator: char| group > 0 && self.separator(group - 1).chars().eq([separator]);
        let are_short = (1..=2).contains(&length(0)) && length(1) == 2;
        if are_short && is_separated_by(0, ':') && value(0) <= 24 && value(1) < 60 && !follows(':') {
            let has_seconds = is_separated_by(1, ':') && length(2) == 2;
            if !(has_seconds && is_separated_by(2, ':')) {
                return if has_seconds { 3 } else { 2 };
            }
        }
        let is_day = |separator: char| {
            let fits = |month: usize, day: usize| (1..=12).contains(&value(month)) && (1..=31).contains(&value(day));
            (1..=2).contains(&length(0))
                && (1..=2).contains(&length(1))
                && is_separated_by(0, separator)
                && (fits(0, 1) || fits(1, 0))
                && !continues(1, separator)
                && !follows(separator)
        };
        let has_leading_zero = length(0) > 1 && digit(self.chars, first.start) == Some(0);
        let is_decimal = |separator: char| {
            length(0) <= 3
                && length(1) <= 3
                && !has_leading_zero
                && is_separated_by(0, separator)
                && !continues(1, separator)
                && !follows(separator)
        };
        if is_day('/') || is_day('.') || is_decimal('.') || (value(0) == 0 && is_decimal(',')) {
            return 2;
        }
        let starts_with_zero = digit(self.chars, first.start) == Some(0);
        if length(0) > 3 || starts_with_zero || self.follows_plus(first.start) {
            return 0;
        }
        let amount = |separator: char| {
            if follows(separator) {
                return 0;
            }
            let is_thousands = |at: &usize| is_separated_by(at - 1, separator) && length(*at) == 3;
            let thousands = (1..self.groups.len() - group).take_while(is_thousands).count();
            if thousands == 0 || continues(thousands, separator) { 0 } else { thousands + 1 }
        };
        amount(',').max(amount('.')).max(amount('\''))
    }
}
