//! Doses and measures: a number with its unit. A number is protected as a whole or not at all, since half of it would
//! be another dose.

use std::ops::Range;

use super::normalized::NormalizedChar;

pub(super) struct Measure {
    pub(super) range: Range<usize>,
    /// Whether it cannot be a personal number. A telephone number may be followed by an `m`, for example.
    pub(super) is_unambiguous: bool,
}

/// Units of several letters match in any case.
const UNITS: [&str; 56] = [
    "mg", "µg", "ug", "mcg", "ng", "pg", "kg", "g", "㎎", "㎍", "㎏", "mL", "µL", "dL", "cc", "L", "l", "㎖", "㎕",
    "㎗", "㏄", "mm", "cm", "m", "km", "㎜", "㎝", "㎞", "mm2", "cm2", "m2", "mm²", "cm²", "m²", "mm3", "cm3", "m3",
    "mm³", "cm³", "m³", "IU", "mIU", "µIU", "U", "mEq", "mmol", "µmol", "nmol", "mmHg", "kcal", "%", "‰", "℃", "℉",
    "°C", "°F",
];
/// Units that occur only after a slash.
const TIME_UNITS: [&str; 5] = ["h", "hr", "min", "s", "d"];

/// Finds the measures in a text, in order.
pub(super) fn find(chars: &[NormalizedChar]) -> Vec<Measure> {
    let mut measures = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        if !is_amount(chars, at) {
            at += 1;
            continue;
        }
        let numeral = Numeral::read(chars, at);
        at = numeral.end;
        if let Some(unit) = unit(chars, numeral.end) {
            let is_unambiguous = numeral.is_unambiguous(unit.end - unit.start);
            measures.push(Measure { range: numeral.start..unit.end, is_unambiguous });
            at = unit.end;
        }
    }
    measures
}

/// Fractions such as `½` are one character.
fn is_amount(chars: &[NormalizedChar], at: usize) -> bool {
    let is_fraction = |c| matches!(c, '¼'..='¾' | '\u{2150}'..='\u{215e}' | '\u{2189}');
    chars.get(at).is_some_and(|c| c.is_digit() || is_fraction(c.normalized))
}

fn char_at(chars: &[NormalizedChar], at: usize) -> Option<char> {
    chars.get(at).map(|c| c.normalized)
}

/// Groups of digits that form one numeral: `1 000.5`, `120/80`, `5 - 10`, `2 x 500`.
struct Numeral {
    start: usize,
    end: usize,
    digits: usize,
    /// `5 - 10` has two.
    amounts: usize,
    /// Written like an amount: with no leading zero, and grouped in threes if at all.
    is_well_formed: bool,
}

/// How two groups of digits are joined.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Joint {
    /// A decimal or thousands separator.
    Mark,
    Space,
    /// Separates two amounts, as in a range, a ratio or a product.
    Operator,
}

impl Numeral {
    fn read(chars: &[NormalizedChar], first: usize) -> Self {
        let group = |from: usize| from + (from..chars.len()).take_while(|at| is_amount(chars, *at)).count();
        let has_leading_zero = |from: usize, end: usize| end - from > 1 && char_at(chars, from) == Some('0');
        let end = group(first);
        let start = with_sign(chars, first);
        let is_well_formed = !has_leading_zero(first, end) && end - first <= 4;
        let mut numeral = Self { start, end, digits: end - first, amounts: 1, is_well_formed };
        let mut previous = end - first;
        // In `B12 500 mg`, the first digits belong to a name.
        let mut is_name = follows_word(chars, first);
        while let Some((next, joint)) = joined(chars, numeral.end) {
            let end = group(next);
            if is_name && joint == Joint::Space {
                numeral =
                    Self { start: next, end, digits: 0, amounts: 1, is_well_formed: !has_leading_zero(next, end) };
                is_name = false;
            } else {
                numeral.is_well_formed &= match joint {
                    Joint::Mark => true,
                    Joint::Space => previous <= 3 && end - next == 3,
                    Joint::Operator => !has_leading_zero(next, end) && end - next <= 4,
                };
            }
            numeral.amounts += usize::from(joint == Joint::Operator);
            numeral.digits += end - next;
            numeral.end = end;
            previous = end - next;
        }
        numeral
    }

    /// With a unit of `unit` characters.
    fn is_unambiguous(&self, unit: usize) -> bool {
        self.digits <= 6 || (self.is_well_formed && self.amounts <= 3 && unit > 1)
    }
}

/// The next digits of a numeral whose last group ends at `end`.
fn joined(chars: &[NormalizedChar], end: usize) -> Option<(usize, Joint)> {
    let spaces = |from: usize| (from..from + 2).take_while(|at| char_at(chars, *at) == Some(' ')).count();
    let before = spaces(end);
    let mark = end + before;
    if is_amount(chars, mark) {
        return Some((mark, Joint::Space));
    }
    let after = spaces(mark + 1);
    let next = mark + 1 + after;
    let is_tight = before + after == 0;
    let dots = (mark..mark + 3).take_while(|at| char_at(chars, *at) == Some('.')).count();
    match char_at(chars, mark)? {
        '\'' | '·' if is_tight && is_amount(chars, next) => Some((next, Joint::Mark)),
        ',' if after == 0 && is_amount(chars, next) => Some((next, Joint::Mark)),
        '.' if is_amount(chars, mark + dots) => {
            Some((mark + dots, if dots == 1 { Joint::Mark } else { Joint::Operator }))
        }
        '-' | '~' => Some((unsigned(chars, next)?, Joint::Operator)),
        '/' | ':' | '×' | 'x' | 'X' | '*' | '+' | '±' | '→' | '^' | '…' if before == after => {
            Some((unsigned(chars, next)?, Joint::Operator))
        }
        _ => None,
    }
}

/// The long vowel mark and the long dashes are not signs.
fn is_sign(c: NormalizedChar) -> bool {
    matches!(c.normalized, '+' | '±') || (c.normalized == '-' && !matches!(c.original, 'ー' | 'ｰ' | 'ㅡ' | '—' | '―'))
}

/// Skips an optional sign and an optional point before a digit.
fn unsigned(chars: &[NormalizedChar], at: usize) -> Option<usize> {
    let at = at + usize::from(chars.get(at).copied().is_some_and(is_sign));
    let at = at + usize::from(char_at(chars, at) == Some('.'));
    is_amount(chars, at).then_some(at)
}

/// Where a numeral starts that may have a sign or no digit before its point: `-5`, `.5`.
fn with_sign(chars: &[NormalizedChar], first: usize) -> usize {
    let before = |at: usize| at.checked_sub(1).and_then(|at| chars.get(at).copied());
    let is_free = |c: Option<NormalizedChar>| c.is_none_or(|c| matches!(c.normalized, ' ' | '(' | '\n') || is_sign(c));
    let mut start = first;
    if before(start).is_some_and(|c| matches!(c.normalized, '.' | ',')) && is_free(before(start - 1)) {
        start -= 1;
    }
    if before(start).is_some_and(is_sign) && !before(start - 1).is_some_and(NormalizedChar::continues_word) {
        start -= 1;
    }
    start
}

/// Whether the digits belong to a word before them: `B12`, `Omega-3`.
fn follows_word(chars: &[NormalizedChar], first: usize) -> bool {
    let is_letter = |at: usize| chars.get(at).is_some_and(|c| c.continues_word() && !c.is_digit());
    let hyphen = first.checked_sub(2).filter(|_| char_at(chars, first - 1) == Some('-'));
    first.checked_sub(1).is_some_and(is_letter) || hyphen.is_some_and(is_letter)
}

/// The unit after a number, including its denominators: `mg/kg/h`.
fn unit(chars: &[NormalizedChar], number: usize) -> Option<Range<usize>> {
    let spaces = (number..number + 2).take_while(|at| char_at(chars, *at) == Some(' ')).count();
    let hyphen = usize::from(char_at(chars, number) == Some('-'));
    let start = number + spaces + hyphen;
    let mut end = longest_unit(chars, start, UNITS.iter())?;
    if hyphen == 1 && end - start == 1 {
        return None;
    }
    while char_at(chars, end) == Some('/') {
        let Some(denominator) = longest_unit(chars, end + 1, UNITS.iter().chain(&TIME_UNITS)) else { break };
        end = denominator;
    }
    Some(start..end)
}

fn longest_unit<'a>(chars: &[NormalizedChar], start: usize, units: impl Iterator<Item = &'a &'a str>) -> Option<usize> {
    let end = |unit: &&str| {
        let letters = unit.chars().count();
        let found = chars.get(start..start + letters)?;
        let is_it = |(c, letter): (&NormalizedChar, char)| {
            c.normalized == letter || (letters > 1 && c.normalized.eq_ignore_ascii_case(&letter))
        };
        let is_unit = found.iter().zip(unit.chars()).all(is_it) && is_complete(chars, start, start + letters);
        is_unit.then_some(start + letters)
    };
    units.filter_map(end).max()
}

/// `7 g` is a weight; `7 gün`, `5 months` and `2 m'ont` are not. A sign such as `%` may be followed by any letter, but
/// not by a digit.
fn is_complete(chars: &[NormalizedChar], start: usize, end: usize) -> bool {
    let Some(next) = chars.get(end) else { return true };
    if !chars[end - 1].original.is_alphanumeric() {
        return !next.is_digit();
    }
    let is_contraction = end - start == 1
        && matches!(next.normalized, '\'' | '-')
        && chars.get(end + 1).is_some_and(|c| c.continues_word() && !c.is_digit());
    !next.continues_word() && !is_contraction
}
