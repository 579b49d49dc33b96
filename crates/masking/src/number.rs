//! Doses and measures: a number with its unit. A number is taken whole or not at all, for half of one is another dose.

use std::ops::Range;

use super::glyph::Glyph;

/// A number and its unit.
pub(super) struct Measure {
    pub(super) range: Range<usize>,
    /// Whether it can be nothing else: a telephone number can have an `m` behind it.
    pub(super) is_plain: bool,
}

/// Units, in whatever case they are written where they have several letters.
const UNITS: [&str; 56] = [
    "mg", "µg", "ug", "mcg", "ng", "pg", "kg", "g", "㎎", "㎍", "㎏", "mL", "µL", "dL", "cc", "L", "l", "㎖", "㎕",
    "㎗", "㏄", "mm", "cm", "m", "km", "㎜", "㎝", "㎞", "mm2", "cm2", "m2", "mm²", "cm²", "m²", "mm3", "cm3", "m3",
    "mm³", "cm³", "m³", "IU", "mIU", "µIU", "U", "mEq", "mmol", "µmol", "nmol", "mmHg", "kcal", "%", "‰", "℃", "℉",
    "°C", "°F",
];
/// What else stands behind a stroke.
const TIMES: [&str; 5] = ["h", "hr", "min", "s", "d"];

/// The measures of a text, in order.
pub(super) fn measures(glyphs: &[Glyph]) -> Vec<Measure> {
    let mut measures = Vec::new();
    let mut at = 0;
    while at < glyphs.len() {
        if !is_amount(glyphs, at) {
            at += 1;
            continue;
        }
        let numeral = Numeral::read(glyphs, at);
        at = numeral.end;
        if let Some(unit) = unit(glyphs, numeral.end) {
            let is_plain = numeral.is_plain(unit.end - unit.start);
            measures.push(Measure { range: numeral.start..unit.end, is_plain });
            at = unit.end;
        }
    }
    measures
}

/// Digits, and the fractions that are one character.
fn is_amount(glyphs: &[Glyph], at: usize) -> bool {
    let is_fraction = |read| matches!(read, '¼'..='¾' | '\u{2150}'..='\u{215e}' | '\u{2189}');
    glyphs.get(at).is_some_and(|glyph| glyph.is_digit() || is_fraction(glyph.read))
}

fn read(glyphs: &[Glyph], at: usize) -> Option<char> {
    glyphs.get(at).map(|glyph| glyph.read)
}

/// All digits that hang together: `1 000.5`, `120/80`, `5 - 10`, `2 x 500`.
struct Numeral {
    start: usize,
    end: usize,
    digits: usize,
    /// From how many to how many and so on.
    amounts: usize,
    /// Whether it is written like a number: in groups of three if any, and with no zero in front.
    is_well_formed: bool,
}

/// How two groups of digits hang together.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Joint {
    Mark,
    Space,
    /// Between two numbers.
    Between,
}

impl Numeral {
    fn read(glyphs: &[Glyph], first: usize) -> Self {
        let group = |from: usize| from + (from..glyphs.len()).take_while(|at| is_amount(glyphs, *at)).count();
        let has_zero = |from: usize, end: usize| end - from > 1 && read(glyphs, from) == Some('0');
        let end = group(first);
        let start = with_sign(glyphs, first);
        let well = !has_zero(first, end) && end - first <= 4;
        let mut numeral = Self { start, end, digits: end - first, amounts: 1, is_well_formed: well };
        let mut before = end - first;
        // `B12 500 mg`: digits that are tied to a word belong to a name.
        let mut is_name = is_tied(glyphs, first);
        while let Some((next, joint)) = joined(glyphs, numeral.end) {
            let end = group(next);
            if is_name && joint == Joint::Space {
                numeral = Self { start: next, end, digits: 0, amounts: 1, is_well_formed: !has_zero(next, end) };
                is_name = false;
            } else {
                numeral.is_well_formed &= match joint {
                    Joint::Mark => true,
                    Joint::Space => before <= 3 && end - next == 3,
                    Joint::Between => !has_zero(next, end) && end - next <= 4,
                };
            }
            numeral.amounts += usize::from(joint == Joint::Between);
            numeral.digits += end - next;
            numeral.end = end;
            before = end - next;
        }
        numeral
    }

    fn is_plain(&self, unit: usize) -> bool {
        self.digits <= 6 || (self.is_well_formed && self.amounts <= 3 && unit > 1)
    }
}

/// The next digits that belong to a number, from the end of those before them.
fn joined(glyphs: &[Glyph], end: usize) -> Option<(usize, Joint)> {
    let spaces = |from: usize| (from..from + 2).take_while(|at| read(glyphs, *at) == Some(' ')).count();
    let before = spaces(end);
    let mark = end + before;
    if is_amount(glyphs, mark) {
        return Some((mark, Joint::Space));
    }
    let after = spaces(mark + 1);
    let next = mark + 1 + after;
    let is_tight = before + after == 0;
    let dots = (mark..mark + 3).take_while(|at| read(glyphs, *at) == Some('.')).count();
    match read(glyphs, mark)? {
        '\'' | '·' if is_tight && is_amount(glyphs, next) => Some((next, Joint::Mark)),
        ',' if after == 0 && is_amount(glyphs, next) => Some((next, Joint::Mark)),
        '.' if is_amount(glyphs, mark + dots) => {
            Some((mark + dots, if dots == 1 { Joint::Mark } else { Joint::Between }))
        }
        '-' | '~' => Some((unsigned(glyphs, next)?, Joint::Between)),
        '/' | ':' | '×' | 'x' | 'X' | '*' | '+' | '±' | '→' | '^' | '…' if before == after => {
            Some((unsigned(glyphs, next)?, Joint::Between))
        }
        _ => None,
    }
}

/// The long vowel and the long dash are no signs.
fn is_sign(glyph: Glyph) -> bool {
    matches!(glyph.read, '+' | '±') || (glyph.read == '-' && !matches!(glyph.written, 'ー' | 'ｰ' | '—' | '―'))
}

/// The first digit behind a sign and a point, if there are any.
fn unsigned(glyphs: &[Glyph], at: usize) -> Option<usize> {
    let at = at + usize::from(glyphs.get(at).copied().is_some_and(is_sign));
    let at = at + usize::from(read(glyphs, at) == Some('.'));
    is_amount(glyphs, at).then_some(at)
}

/// Where a number begins that has a sign, or nothing before its point: `-5`, `.5`.
fn with_sign(glyphs: &[Glyph], first: usize) -> usize {
    let before = |at: usize| at.checked_sub(1).and_then(|at| glyphs.get(at).copied());
    let is_free =
        |glyph: Option<Glyph>| glyph.is_none_or(|glyph| matches!(glyph.read, ' ' | '(' | '\n') || is_sign(glyph));
    let mut start = first;
    if before(start).is_some_and(|glyph| matches!(glyph.read, '.' | ',')) && is_free(before(start - 1)) {
        start -= 1;
    }
    if before(start).is_some_and(is_sign) && !before(start - 1).is_some_and(Glyph::goes_on) {
        start -= 1;
    }
    start
}

/// Whether a word ends in these digits: `B12`, `Omega-3`.
fn is_tied(glyphs: &[Glyph], first: usize) -> bool {
    let is_letter = |at: usize| glyphs.get(at).is_some_and(|glyph| glyph.goes_on() && !glyph.is_digit());
    let hyphen = first.checked_sub(2).filter(|_| read(glyphs, first - 1) == Some('-'));
    first.checked_sub(1).is_some_and(is_letter) || hyphen.is_some_and(is_letter)
}

/// The unit behind a number, and what it is per: `mg/kg/h`.
fn unit(glyphs: &[Glyph], number: usize) -> Option<Range<usize>> {
    let spaces = (number..number + 2).take_while(|at| read(glyphs, *at) == Some(' ')).count();
    let hyphen = usize::from(read(glyphs, number) == Some('-'));
    let start = number + spaces + hyphen;
    let mut end = longest(glyphs, start, UNITS.iter())?;
    if hyphen == 1 && end - start == 1 {
        return None;
    }
    while read(glyphs, end) == Some('/') {
        let Some(per) = longest(glyphs, end + 1, UNITS.iter().chain(&TIMES)) else { break };
        end = per;
    }
    Some(start..end)
}

fn longest<'a>(glyphs: &[Glyph], start: usize, units: impl Iterator<Item = &'a &'a str>) -> Option<usize> {
    let end = |unit: &&str| {
        let letters = unit.chars().count();
        let found = glyphs.get(start..start + letters)?;
        let is_it = |(glyph, letter): (&Glyph, char)| {
            glyph.read == letter || (letters > 1 && glyph.read.eq_ignore_ascii_case(&letter))
        };
        let is_unit = found.iter().zip(unit.chars()).all(is_it) && ends(glyphs, start, start + letters);
        is_unit.then_some(start + letters)
    };
    units.filter_map(end).max()
}

/// `7 g` is a weight; `7 gün`, `5 months` and `2 m'ont` are not. Behind a sign such as `%` may stand any letter, but no digit.
fn ends(glyphs: &[Glyph], start: usize, end: usize) -> bool {
    let Some(next) = glyphs.get(end) else { return true };
    if !glyphs[end - 1].written.is_alphanumeric() {
        return !next.is_digit();
    }
    let is_tied = end - start == 1
        && matches!(next.read, '\'' | '-')
        && glyphs.get(end + 1).is_some_and(|glyph| glyph.goes_on() && !glyph.is_digit());
    !next.goes_on() && !is_tied
}
