//! Numbers of a known form: telephone numbers, payment cards, and identity numbers with a date of birth or a check
//! digit. Because of their form, they are found whatever stands between their digits. So that lists of rooms, prices
//! and values are sent, the digits have to be grouped the way people write such numbers, or be spelled one by one.

use std::ops::Range;

use super::digit_run::{DigitRun, digit, is_separator};
use super::normalized::NormalizedChar;

/// A payment card with the most digits.
const MAX_DIGITS: usize = 19;

/// Consecutive groups of a run that may be one number.
struct Candidate<'a> {
    digits: &'a [u32],
    groups: Vec<usize>,
    values: Vec<u32>,
    /// A line break may cut a group in two.
    has_line_break: bool,
    follows_plus: bool,
    /// The group before or after has as many digits as those of the candidate.
    is_in_series: bool,
}

/// The known numbers in a run, as ranges of its groups.
pub(super) fn find(run: &DigitRun<'_>, is_harmless: &[bool]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = 0;
    while start < run.groups.len() {
        let digits = digits_from(run, start, is_harmless);
        let mut end = None;
        for next in start + 1..=run.groups.len() {
            if is_harmless[next - 1] || digits_of(run, start..next) > digits.len() {
                break;
            }
            let candidate = candidate(run, start..next, &digits);
            if candidate.is_known() {
                end = Some(next);
                if candidate.is_complete() {
                    break;
                }
            }
        }
        found.extend(end.map(|end| start..end));
        start = end.unwrap_or(start + 1);
    }
    found
}

/// At most [`MAX_DIGITS`] digits from a group on.
fn digits_from(run: &DigitRun<'_>, start: usize, is_harmless: &[bool]) -> Vec<u32> {
    let groups = run.groups[start..].iter().zip(&is_harmless[start..]).take_while(|(_, is_harmless)| !**is_harmless);
    groups.flat_map(|(group, _)| group.clone()).filter_map(|at| digit(run.chars, at)).take(MAX_DIGITS).collect()
}

fn digits_of(run: &DigitRun<'_>, groups: Range<usize>) -> usize {
    run.groups[groups].iter().map(Range::len).sum()
}

fn candidate<'a>(run: &DigitRun<'_>, range: Range<usize>, digits: &'a [u32]) -> Candidate<'a> {
    let groups: Vec<usize> = run.groups[range.clone()].iter().map(Range::len).collect();
    let neighbours = [range.start.checked_sub(1), Some(range.end)];
    let has_length = |group: usize| run.groups.get(group).is_some_and(|group| group.len() == groups[0]);
    let is_in_series = neighbours.into_iter().flatten().any(has_length);
    Candidate {
        digits: &digits[..groups.iter().sum()],
        values: range.clone().map(|group| run.value(group).unwrap_or(u32::MAX)).collect(),
        has_line_break: (range.start + 1..range.end).any(|group| run.separator(group - 1).contains('\n')),
        follows_plus: run.follows_plus(run.groups[range.start].start),
        is_in_series,
        groups,
    }
}

impl Candidate<'_> {
    fn is_known(&self) -> bool {
        if self.groups.len() < 2 || self.is_ascending() {
            return false;
        }
        self.is_telephone() || self.is_resident() || self.is_chinese_resident() || self.is_my_number() || self.is_card()
    }

    /// Grouped like most telephone numbers, so that digits that follow do not belong to it.
    fn is_complete(&self) -> bool {
        matches!(self.groups[..], [2..=4, 3..=4, 4])
    }

    /// `4 1 1 1`
    fn is_spelled(&self) -> bool {
        self.groups.len() > 2 && self.groups.iter().all(|digits| *digits == 1)
    }

    /// Whether the digits form at most this many groups.
    fn has_groups(&self, most: usize) -> bool {
        self.is_spelled() || self.groups.len() - usize::from(self.has_line_break) <= most
    }

    /// Rooms, days and pages: `101, 102, 105`.
    fn is_ascending(&self) -> bool {
        let is_step = |pair: &[u32]| (1..=10).contains(&pair[1].saturating_sub(pair[0]));
        self.values.len() > 2 && self.values.windows(2).all(is_step)
    }

    /// Prices and doses: `1500, 2000, 12000`.
    fn is_round(&self) -> bool {
        let unit = if self.values.len() == 2 { 100 } else { 10 };
        self.values.iter().all(|value| value % unit == 0)
    }

    /// Hours without a colon: `0900, 1330, 1800`.
    fn are_hours(&self) -> bool {
        let is_hour = |value: &u32| *value <= 2400 && value % 100 < 60 && value.is_multiple_of(5);
        self.groups.iter().all(|digits| *digits == 4) && self.values.iter().all(is_hour)
    }

    /// International, national with a leading zero, or a Chinese mobile number.
    fn is_telephone(&self) -> bool {
        let count = self.digits.len();
        let first = self.groups[0];
        match self.digits {
            [1..=9, ..] if self.follows_plus => (9..=15).contains(&count) && self.has_groups(7),
            [0, 0, 1..=9, ..] => (11..=17).contains(&count) && first > 1 && self.has_groups(8),
            [0, 1..=9, ..] if self.is_spelled() => (10..=11).contains(&count),
            [0, 1..=9, ..] => {
                (9..=12).contains(&count) && (2..=5).contains(&first) && self.has_groups(5) && !self.are_hours()
            }
            [1, 3..=9, ..] => self.groups == [3, 4, 4] && !self.is_round(),
            _ => false,
        }
    }

    /// A Korean resident or alien registration number: date of birth, century and sex, and five more digits.
    fn is_resident(&self) -> bool {
        let is_grouped = self.is_spelled() || (self.has_groups(4) && self.groups.iter().any(|digits| *digits >= 6));
        matches!(self.digits, [_, _, month @ .., 1..=8, _, _, _, _, _, _] if month.len() == 4 && is_day(month))
            && is_grouped
    }

    /// A Chinese identity number: region, date of birth, serial number and check digit, which may be an `X`.
    fn is_chinese_resident(&self) -> bool {
        const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
        const X: u32 = 10;
        let Some((number, check)) = self.digits.split_at_checked(WEIGHTS.len()) else { return false };
        let sum: u32 = number.iter().zip(WEIGHTS).map(|(digit, weight)| digit * weight).sum();
        check.len() <= 1
            && (12 - sum % 11) % 11 == check.first().copied().unwrap_or(X)
            && matches!(number[6..8], [1, 8 | 9] | [2, 0])
            && is_day(&number[10..14])
            && self.has_groups(4)
    }

    /// A Japanese individual number.
    fn is_my_number(&self) -> bool {
        let weights = (2..=7).chain(2..=6).rev();
        let [number @ .., check] = self.digits else { return false };
        let sum: u32 = number.iter().zip(weights).map(|(digit, weight)| digit * weight).sum();
        let expected = if sum % 11 <= 1 { 0 } else { 11 - sum % 11 };
        let is_grouped = self.is_spelled() || (self.has_groups(3) && self.groups.iter().any(|digits| *digits >= 4));
        number.len() == 11 && *check == expected && is_grouped && !self.is_in_series && !self.is_round()
    }

    /// A payment card of a known issuer, by its check digit.
    fn is_card(&self) -> bool {
        let is_of_issuer = matches!(
            (self.digits, self.digits.len()),
            ([4, ..], 13 | 16 | 19)
                | ([3, 4 | 7, ..], 15)
                | ([3, 0 | 6 | 8 | 9, ..], 14)
                | ([3, 5, ..] | [5, 0..=8, ..] | [2, 2..=7, ..] | [9, ..], 16)
                | ([6, ..], 16..=19)
        );
        let double = |digit: u32| if digit > 4 { digit * 2 - 9 } else { digit * 2 };
        let odd = |(at, digit): (usize, &u32)| if at % 2 == 1 { double(*digit) } else { *digit };
        let sum: u32 = self.digits.iter().rev().enumerate().map(odd).sum();
        is_of_issuer && sum.is_multiple_of(10) && self.has_groups(self.digits.len() / 4 + 1) && !self.is_round()
    }
}

/// Whether four digits are a month and a day.
fn is_day(digits: &[u32]) -> bool {
    let [a, b, c, d] = digits else { return false };
    (1..=12).contains(&(a * 10 + b)) && (1..=31).contains(&(c * 10 + d))
}

/// Passports and similar documents whose number is not one word: one or two letters and seven or eight digits
/// (`M 1234 5678`, `TK-1234567`), or a letter among the digits (`M123 A 4567`).
pub(super) fn passports(chars: &[NormalizedChar], is_harmless: &[bool]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let is_word = is_letter(chars, at) && (at == 0 || !chars[at - 1].normalized.is_ascii_alphanumeric());
        match is_word.then(|| passport(chars, at, is_harmless)).flatten() {
            Some(end) => {
                found.push(at..end);
                at = end;
            }
            None => at += 1,
        }
    }
    found
}

fn is_letter(chars: &[NormalizedChar], at: usize) -> bool {
    chars.get(at).is_some_and(|c| c.normalized.is_ascii_alphabetic())
}

/// Where the next letter or digit is.
fn after_separators(chars: &[NormalizedChar], from: usize) -> usize {
    from + (from..chars.len()).take_while(|at| is_separator(chars, *at)).count()
}

/// The end of the passport number that starts with this letter.
fn passport(chars: &[NormalizedChar], first: usize, is_harmless: &[bool]) -> Option<usize> {
    let mut at = after_separators(chars, first + 1);
    let has_two_letters = is_letter(chars, at) && (at == first + 1 || !is_letter(chars, at + 1));
    if has_two_letters {
        at = after_separators(chars, at + 1);
    }
    let groups = groups(chars, at, is_harmless);
    let lengths: Vec<usize> = groups.iter().map(Range::len).collect();
    if lengths.first() == Some(&3) && !has_two_letters {
        let letter = after_separators(chars, groups[0].end);
        let rest = after_separators(chars, letter + 1);
        let digits = (rest..chars.len()).take_while(|at| digit(chars, *at).is_some()).count();
        let is_type = matches!(chars[first].normalized.to_ascii_uppercase(), 'M' | 'S' | 'R' | 'G' | 'D' | 'P');
        let is_korean = is_type && is_letter(chars, letter) && digits == 4 && !is_letter(chars, rest + 4);
        if is_korean {
            return Some(rest + 4);
        }
    }
    let is_spelled = lengths.iter().all(|digits| *digits == 1);
    let value = |group: &Range<usize>| {
        group.clone().filter_map(|at| digit(chars, at)).fold(0, |value, digit| value * 10 + digit)
    };
    let values: Vec<u32> = groups.iter().map(value).collect();
    let is_number = |count: &usize| {
        let values = &values[..*count];
        let unit = if values.len() == 1 { 1000 } else { 100 };
        let is_list = values.iter().all(|value| value % unit == 0)
            || (values.len() > 1 && values.windows(2).all(|two| two[0].abs_diff(two[1]) <= 10));
        (7..=8).contains(&lengths[..*count].iter().sum::<usize>())
            && (is_spelled || (lengths[..*count].iter().all(|digits| *digits >= 3) && !is_list))
    };
    let count = (1..=groups.len()).rfind(is_number)?;
    let end = groups[count - 1].end;
    let is_check_letter =
        is_letter(chars, end) && !chars.get(end + 1).is_some_and(|c| c.normalized.is_ascii_alphanumeric());
    Some(end + usize::from(is_check_letter))
}

/// The next groups of at most eight digits in all.
fn groups(chars: &[NormalizedChar], from: usize, is_harmless: &[bool]) -> Vec<Range<usize>> {
    const MOST: usize = 8;
    let mut groups = Vec::new();
    let mut digits = 0;
    let mut at = from;
    loop {
        let is_digit = |at: &usize| digit(chars, *at).is_some() && !is_harmless[*at];
        let count = (at..chars.len()).take_while(is_digit).take(MOST + 1).count();
        digits += count;
        if count == 0 || digits > MOST {
            return groups;
        }
        groups.push(at..at + count);
        at = after_separators(chars, at + count);
    }
}
