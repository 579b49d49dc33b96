//! Reads the numbers that a text has in digits.

use std::ops::Range;

use super::super::normalized::{NormalizedChar, normalize};
use super::super::number_words::{scale, scale_word};

/// In millionths, wrapping: only compared.
pub(super) type Value = u128;
pub(super) const ONE: Value = 1_000_000;

/// A number in digits.
#[derive(Debug)]
pub(super) struct Number {
    /// What it may mean as a whole: `1.500` is 1500 or 1.5.
    pub(super) values: Vec<Value>,
    /// What its groups of digits mean by themselves: `11.21` is the 21st of November.
    pub(super) parts: Vec<Value>,
    pub(super) kind: Kind,
    /// The word or sign after it.
    pub(super) counter: String,
    /// The Latin letters before it in a name: `COVID-19`, `B12`.
    pub(super) name: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Its parts mean nothing by themselves.
    Whole,
    /// Its parts may be numbers of their own: `1 500`.
    Groups,
    /// Its parts may be a day and a month: `1/2`.
    Fraction,
    /// Its parts may be a day and a month: `11.21`.
    Decimal,
    /// Its parts are a year, a month and a day, or a list.
    Date,
    /// Minutes after an hour, which are left out if they are zero.
    Minutes,
}

impl Number {
    /// What has to be found in a text that does not have the number as it is.
    pub(super) fn rests(&self) -> &[Value] {
        if self.kind == Kind::Whole { &self.values[..1] } else { &self.parts }
    }

    pub(super) fn is_month(&self) -> bool {
        matches!(self.counter.as_str(), "월" | "月")
    }

    fn whole(value: Value) -> Self {
        Self { values: vec![value], parts: vec![value], kind: Kind::Whole, counter: String::new(), name: String::new() }
    }
}

/// The numbers that a text has in digits.
pub(super) fn numbers(text: &str) -> Vec<Number> {
    let chars = normalize(text);
    let mut numbers = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let Some((mut number, end)) = read_scaled(&chars, at).or_else(|| read_sign(&chars, at)) else {
            at += 1;
            continue;
        };
        number.name = name_before(&chars, at);
        number.counter = counter_at(&chars, end);
        // `7.2점` is a value, and `1,2층` are two floors: these languages have no decimal comma.
        let is_tight = chars.get(end).is_some_and(|c| !c.normalized.is_whitespace());
        if number.kind == Kind::Decimal && is_tight && !number.counter.is_empty() {
            let is_spaced = chars[end].continues_word() || !chars[end].original.is_alphabetic();
            let has_comma = chars[at..end].iter().any(|c| c.normalized == ',');
            number.kind = if has_comma && !is_spaced { Kind::Groups } else { Kind::Whole };
        }
        numbers.push(number);
        at = end;
    }
    numbers
}

fn char_at(chars: &[NormalizedChar], at: usize) -> Option<char> {
    chars.get(at).map(|c| c.normalized)
}

fn is_digit(chars: &[NormalizedChar], at: usize) -> bool {
    chars.get(at).is_some_and(|c| c.is_digit())
}

/// A number with the scales after it: `3만 5천`, `1.2 million`.
fn read_scaled(chars: &[NormalizedChar], first: usize) -> Option<(Number, usize)> {
    let (mut number, mut end) = read(chars, first)?;
    let Some((mut scale, after)) = scale_at(chars, end).filter(|_| !number.values.is_empty()) else {
        return Some((number, end));
    };
    let mut value = number.values[0].wrapping_mul(scale.into());
    let decimal = number.values.get(1).map(|decimal| decimal.wrapping_mul(scale.into()));
    // `조` is also a group, `兆` a sign, and `bin` a thousand only in Turkish.
    let unscaled = number.values[0];
    let is_short_word = char_at(chars, end) == Some(' ') && after - end <= 4;
    let is_ambiguous = is_short_word || matches!(char_at(chars, end), Some('조' | '兆'));
    end = after;
    while let Some((next, next_end, next_scale)) = addend(chars, end, scale) {
        value = value.wrapping_add(next);
        (scale, end) = (next_scale, next_end);
    }
    number = Number::whole(value);
    number.values.extend(decimal.into_iter().chain(is_ambiguous.then_some(unscaled)));
    Some((number, end))
}

/// The smaller part of a number after its larger one: its value, its end and its scale.
fn addend(chars: &[NormalizedChar], end: usize, scale: u64) -> Option<(Value, usize, u64)> {
    let first = end + usize::from(char_at(chars, end) == Some(' '));
    let (number, number_end) = read(chars, first)?;
    let (own_scale, after) = scale_at(chars, number_end).unwrap_or((1, number_end));
    let is_money = || matches!(char_at(chars, after), Some('원' | '円' | '元' | '圓'));
    let value = number.values.first()?.wrapping_mul(own_scale.into());
    let belongs = own_scale > 1 || first == end || is_money();
    (scale > 1 && belongs && value < ONE.wrapping_mul(scale.into())).then_some((value, after, own_scale))
}

/// The scale after a number, and its end.
fn scale_at(chars: &[NormalizedChar], end: usize) -> Option<(u64, usize)> {
    let scales: Vec<u64> = (end..chars.len()).map_while(|at| scale(chars[at].normalized)).collect();
    if !scales.is_empty() {
        return Some((scales.iter().fold(1, |product: u64, scale| product.saturating_mul(*scale)), end + scales.len()));
    }
    let first = end + usize::from(matches!(char_at(chars, end), Some(' ' | '-')));
    let word: String = word_at(chars, first);
    let letters = word.chars().count();
    let is_complete = !is_digit(chars, first + letters);
    scale_word(&word.to_lowercase()).filter(|_| is_complete).map(|scale| (scale, first + letters))
}

fn word_at(chars: &[NormalizedChar], first: usize) -> String {
    chars[first.min(chars.len())..].iter().map(|c| c.original).take_while(|c| c.is_alphabetic()).collect()
}

/// Digits, in groups if they are separated, and with a fraction: `1,500.5`, `11.21`, `1½`, `1/2`.
fn read(chars: &[NormalizedChar], first: usize) -> Option<(Number, usize)> {
    let mut groups = vec![digits_at(chars, first)];
    if groups[0].is_empty() {
        return None;
    }
    let mut marks = String::new();
    while let Some((mark, next)) = next_group(chars, &groups, &marks) {
        marks.push(mark);
        groups.push(next);
    }
    let end = groups.last()?.end;
    let parts: Vec<Value> = groups.iter().map(|group| integer(chars, group.clone())).collect();
    let values = values(chars, &groups, &marks);
    let kind = match marks.as_str() {
        "" if follows_hour(chars, first) => Kind::Minutes,
        "" => Kind::Whole,
        "." | "," if values.len() == 1 => Kind::Decimal,
        marks if marks.starts_with(' ') => Kind::Groups,
        _ if values.is_empty() => Kind::Date,
        _ => Kind::Whole,
    };
    let number = Number { values, parts, kind, counter: String::new(), name: String::new() };
    if groups.len() > 1 {
        return Some((number, end));
    }
    Some(with_fraction(chars, first, end).unwrap_or((number, end)))
}

/// Whether there is an hour before a number: `15:30`, `15h30`.
fn follows_hour(chars: &[NormalizedChar], first: usize) -> bool {
    let is_mark = |at: usize| matches!(char_at(chars, at), Some(':' | 'h' | 'H'));
    first > 1 && is_mark(first - 1) && is_digit(chars, first - 2)
}

fn digits_at(chars: &[NormalizedChar], first: usize) -> Range<usize> {
    first..first + (first..chars.len()).take_while(|at| is_digit(chars, *at)).count()
}

/// The next group of a number, and the mark before it. A space separates thousands only.
fn next_group(chars: &[NormalizedChar], groups: &[Range<usize>], marks: &str) -> Option<(char, Range<usize>)> {
    let mark = char_at(chars, groups.last()?.end)?;
    let next = digits_at(chars, groups.last()?.end + 1);
    let has_thousands = next.len() == 3
        && groups[0].len() <= 3
        && char_at(chars, groups[0].start) != Some('0')
        && groups[1..].iter().all(|group| group.len() == 3);
    let belongs = match mark {
        ' ' => has_thousands && marks.chars().all(|mark| mark == ' '),
        '.' | ',' | '\'' => true,
        _ => false,
    };
    (belongs && !next.is_empty()).then_some((mark, next))
}

/// What groups of digits may mean as one number.
fn values(chars: &[NormalizedChar], groups: &[Range<usize>], marks: &str) -> Vec<Value> {
    let (last, front) = match groups {
        [group] => return vec![integer(chars, group.clone())],
        [front @ .., last] => (last, front),
        [] => return Vec::new(),
    };
    let mut marks_before = marks.chars();
    let last_mark = marks_before.next_back();
    let has_leading_zero = char_at(chars, groups[0].start) == Some('0');
    let are_thousands = |groups: &[Range<usize>]| {
        !has_leading_zero && groups[0].len() <= 3 && groups[1..].iter().all(|group| group.len() == 3)
    };
    let is_uniform = |marks: &str| marks.chars().all(|mark| marks.starts_with(mark));
    let join = |groups: &[Range<usize>]| groups.iter().cloned().flatten().fold(0, |value, at| append(value, chars, at));
    let mut values = Vec::new();
    let is_indian = marks.chars().all(|mark| mark == ',')
        && !has_leading_zero
        && groups[0].len() <= 2
        && last.len() == 3
        && groups[1..groups.len() - 1].iter().all(|group| group.len() == 2);
    if is_uniform(marks) && (are_thousands(groups) || is_indian) {
        values.push(ONE.wrapping_mul(join(groups)));
    }
    let front_marks = marks_before.as_str();
    let is_decimal = matches!(last_mark, Some('.' | ','))
        && is_uniform(front_marks)
        && !last_mark.is_some_and(|mark| front_marks.contains(mark))
        && (front.len() == 1 || are_thousands(front));
    if is_decimal {
        let fraction = last.clone().take(6).fold((0, ONE), |(value, unit), at| (append(value, chars, at), unit / 10));
        values.push(ONE.wrapping_mul(join(front)).wrapping_add(fraction.0.wrapping_mul(fraction.1)));
    }
    values
}

fn append(value: Value, chars: &[NormalizedChar], at: usize) -> Value {
    let digit = chars[at].normalized.to_digit(10).unwrap_or_default();
    value.wrapping_mul(10).wrapping_add(digit.into())
}

fn integer(chars: &[NormalizedChar], digits: Range<usize>) -> Value {
    ONE.wrapping_mul(digits.fold(0, |value, at| append(value, chars, at)))
}

/// A whole number with a fraction, or `24/7`, which is one expression.
fn with_fraction(chars: &[NormalizedChar], first: usize, end: usize) -> Option<(Number, usize)> {
    let value = integer(chars, first..end);
    if let Some((numerator, denominator)) = char_at(chars, end).and_then(fraction) {
        let fraction = ONE * numerator / denominator;
        let parts = vec![value, ONE * numerator, ONE * denominator];
        return Some((Number { parts, kind: Kind::Fraction, ..Number::whole(value.wrapping_add(fraction)) }, end + 1));
    }
    let denominator = digits_at(chars, end + 1);
    let is_apart = |at: Option<usize>| at.and_then(|at| char_at(chars, at)) != Some('/');
    let is_short = end - first <= 2 && (1..=2).contains(&denominator.len());
    if !(is_short && !is_apart(Some(end)) && is_apart(Some(denominator.end)) && is_apart(first.checked_sub(1))) {
        return None;
    }
    let divisor = integer(chars, denominator.clone());
    if (value, divisor) == (24 * ONE, 7 * ONE) {
        return Some((Number::whole(value), denominator.end));
    }
    let is_fraction = value > 0 && value < divisor;
    is_fraction.then(|| {
        let number = Number::whole(ONE.wrapping_mul(value) / divisor);
        (Number { parts: vec![value, divisor], kind: Kind::Fraction, ..number }, denominator.end)
    })
}

/// A number in one sign: `½`, `①`, `Ⅲ`.
fn read_sign(chars: &[NormalizedChar], at: usize) -> Option<(Number, usize)> {
    let c = chars.get(at)?.original;
    if let Some((numerator, denominator)) = fraction(c) {
        let parts = vec![ONE * numerator, ONE * denominator];
        let number = Number::whole(ONE * numerator / denominator);
        return Some((Number { parts, kind: Kind::Fraction, ..number }, at + 1));
    }
    const ONES: [(char, u32); 12] = [
        ('①', 20),
        ('⑴', 20),
        ('⒈', 20),
        ('❶', 10),
        ('➀', 10),
        ('➊', 10),
        ('⓵', 10),
        ('Ⅰ', 12),
        ('ⅰ', 12),
        ('㈠', 10),
        ('㊀', 10),
        ('㋀', 12),
    ];
    let value = |(one, count): &(char, u32)| {
        let value = u32::from(c).checked_sub(u32::from(*one))? + 1;
        (value <= *count).then_some(value)
    };
    Some((Number::whole(ONE * Value::from(ONES.iter().find_map(value)?)), at + 1))
}

fn fraction(c: char) -> Option<(Value, Value)> {
    Some(match c {
        '½' => (1, 2),
        '⅓' => (1, 3),
        '⅔' => (2, 3),
        '¼' => (1, 4),
        '¾' => (3, 4),
        '⅕' => (1, 5),
        '⅖' => (2, 5),
        '⅗' => (3, 5),
        '⅘' => (4, 5),
        '⅙' => (1, 6),
        '⅚' => (5, 6),
        '⅛' => (1, 8),
        '⅜' => (3, 8),
        '⅝' => (5, 8),
        '⅞' => (7, 8),
        _ => return None,
    })
}

/// The Latin letters that a number belongs to: `covid` of `COVID-19`.
fn name_before(chars: &[NormalizedChar], first: usize) -> String {
    const MAX_LENGTH: usize = 12;
    let end = if first > 1 && char_at(chars, first - 1) == Some('-') { first - 1 } else { first };
    let letters =
        chars[..end].iter().rev().map(|c| c.normalized).take(MAX_LENGTH).take_while(char::is_ascii_alphabetic);
    let count = letters.count();
    let is_after_digit = end > count && is_digit(chars, end - count - 1);
    let name = if is_after_digit { &[] } else { &chars[end - count..end] };
    name.iter().map(|c| c.normalized.to_ascii_lowercase()).collect()
}

/// What a number counts: the letter or word after it, or a sign such as `%`. In `2-3 days`, both numbers do.
fn counter_at(chars: &[NormalizedChar], end: usize) -> String {
    let first = end + usize::from(matches!(char_at(chars, end), Some(' ' | '-')));
    match char_at(chars, end) {
        Some(sign @ ('%' | '‰' | '°' | '℃' | '℉')) => sign.to_string(),
        Some(sign @ ('-' | '~')) if is_digit(chars, end + 1) => sign.to_string(),
        _ => {
            let is_spaced = chars.get(first).is_some_and(|c| c.continues_word());
            word_at(chars, first).chars().take(if is_spaced { usize::MAX } else { 1 }).collect()
        }
    }
}
