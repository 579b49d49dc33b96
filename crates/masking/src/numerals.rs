//! Whether a translation has the numbers of its original. Numbers may be written in other digits, with other
//! separators, in words, on another clock or with another calendar; a number that got lost or became another one makes a dose or
//! an appointment wrong.

mod reader;

use super::number_words::Words;
use reader::{Kind, Number, ONE, Value, numbers};

/// The largest number that languages commonly write in words.
const MAX_WORD: u64 = 12;

/// What is left of a number that the other text does not have.
#[derive(Debug)]
struct Rest<'a> {
    value: Value,
    number: &'a Number,
}

/// Whether a translation has the numbers of its original, and no others.
pub(super) fn keeps_numbers(source: &str, translated: &str) -> bool {
    let source_numbers = numbers(source);
    let translated_numbers = numbers(translated);
    let (lost, added) = differences(&source_numbers, &translated_numbers);
    if lost.is_empty() && added.is_empty() {
        return true;
    }
    let source_words = Words::read(source);
    let translated_words = Words::read(translated);
    let is_afternoon = source_words.is_afternoon || translated_words.is_afternoon;
    let has_half = source_words.has_half || translated_words.has_half;
    let era = era(source).or_else(|| era(translated));
    let (lost, added) = without_pairs(lost, added, |one, other| {
        (is_afternoon && is_same_hour(one, other))
            || (has_half && is_half_more(one, other))
            || is_same_year(one, other, era)
    });
    let has_names = |rests: &[Rest<'_>]| rests.iter().any(|rest| !rest.number.name.is_empty());
    let have_names = has_names(&lost) && has_names(&added);
    let may_be_lost = |rest: &Rest<'_>| {
        rest.is_in(&translated_words)
            || rest.is_dispensable(&translated_words)
            || rest.is_repeated_in(&source_numbers)
            || (rest.is_name() && !have_names)
    };
    let may_be_added = |rest: &Rest<'_>| {
        rest.is_in(&source_words)
            || rest.is_one()
            || rest.is_repeated() && source_numbers.iter().any(|number| number.values.contains(&rest.value))
            || (source_words.is_unknown && lost.is_empty())
            || (rest.is_name() && !have_names)
    };
    lost.iter().all(may_be_lost) && added.iter().all(may_be_added)
}

impl Rest<'_> {
    fn integer(&self) -> Option<u64> {
        to_integer(self.value)
    }

    fn is_small(&self) -> bool {
        self.integer().is_some_and(|value| value <= MAX_WORD)
    }

    /// Whether a translation may repeat the number: `2 tablets in the morning and 2 in the evening`.
    fn is_repeated(&self) -> bool {
        self.is_small() && self.number.kind != Kind::Minutes
    }

    /// `a tablet`, `daily`
    fn is_one(&self) -> bool {
        self.value == ONE && self.number.kind != Kind::Minutes && !self.number.is_month()
    }

    /// Whether the other text has the number in words.
    fn is_in(&self, words: &Words) -> bool {
        let counter = self.number.counter.as_str();
        let may_be_month = match self.number.kind {
            Kind::Date | Kind::Decimal | Kind::Fraction => true,
            Kind::Whole | Kind::Groups => self.number.is_month() || matches!(counter, "" | "-"),
            Kind::Minutes => false,
        };
        let is_zero = self.number.kind == Kind::Minutes && self.value == 0;
        let has_value = |value| words.have(value) || (may_be_month && words.has_month(value));
        is_zero || (words.has_half && self.is_half(words)) || self.integer().is_some_and(has_value)
    }

    /// `0.5`, `1/2`, `2.5` beside `two and a half`, half an hour, and half of everything.
    fn is_half(&self, words: &Words) -> bool {
        let is_half = |value: Value| {
            let whole = u64::try_from(value / ONE).unwrap_or(u64::MAX);
            value % ONE == ONE / 2 && (whole <= 1 || words.have(whole))
        };
        let is_part = matches!(self.number.kind, Kind::Decimal | Kind::Fraction);
        let is_fraction = is_part && self.value == 5 * ONE && self.number.values[0] % ONE == ONE / 2;
        let is_percent = self.number.counter.starts_with(['%', '퍼', '프', 'パ', 'p', 'п', 'ب', '百']);
        is_half(self.value)
            || is_fraction
            || (is_part && is_half(self.number.values[0]))
            || self.value == 30 * ONE
            || (self.value == 50 * ONE && is_percent)
    }

    /// Whether the other text may leave the number out: `a tablet`, or a number that counts nothing.
    fn is_dispensable(&self, other: &Words) -> bool {
        let is_uncounted = match self.number.kind {
            Kind::Whole | Kind::Groups => self.number.counter.is_empty() || self.is_one(),
            // `1/3` is a third.
            Kind::Fraction => self.is_one() && self.number.parts[1..].iter().all(|part| is_word(*part, other)),
            Kind::Decimal | Kind::Minutes => false,
            Kind::Date => true,
        };
        self.is_small() && (is_uncounted || other.is_unknown)
    }

    /// Whether the same of its kind occurs more than once: `2 tablets in the morning and evening`.
    fn is_repeated_in(&self, numbers: &[Number]) -> bool {
        let is_same = |number: &&Number| number.values == self.number.values && number.counter == self.number.counter;
        self.number.kind == Kind::Whole && numbers.iter().filter(is_same).count() > 1
    }

    /// Names are translated: `SpO2` is `산소포화도`, and `코로나` is `COVID-19`.
    fn is_name(&self) -> bool {
        match (self.number.name.as_str(), self.integer()) {
            ("covid", value) => value == Some(19),
            (name, value) => !name.is_empty() && value.is_some_and(|value| value <= MAX_WORD),
        }
    }
}

fn to_integer(value: Value) -> Option<u64> {
    value.is_multiple_of(ONE).then_some(value / ONE).and_then(|value| u64::try_from(value).ok())
}

fn is_word(value: Value, words: &Words) -> bool {
    to_integer(value).is_some_and(|value| words.have(value))
}

/// The numbers that only one of the texts has.
fn differences<'a>(source: &'a [Number], translated: &'a [Number]) -> (Vec<Rest<'a>>, Vec<Rest<'a>>) {
    // Months come last, since they may have a name instead: `3月3日` is the 3rd of March.
    let in_order = |numbers: &'a [Number]| {
        let (months, others): (Vec<&Number>, Vec<&Number>) = numbers.iter().partition(|number| number.is_month());
        others.into_iter().chain(months).collect()
    };
    let have_common_value =
        |one: &&Number, other: &&Number| one.values.iter().any(|value| other.values.contains(value));
    let (source, translated) = without_pairs(in_order(source), in_order(translated), have_common_value);
    let rests_of = |number: &'a Number| number.rests().iter().map(move |value| Rest { value: *value, number });
    let rests = |numbers: Vec<&'a Number>| -> Vec<Rest<'a>> { numbers.into_iter().flat_map(rests_of).collect() };
    without_pairs(rests(source), rests(translated), |one, other| {
        let is_one_number = |rest: &Rest<'_>| matches!(rest.number.kind, Kind::Decimal | Kind::Groups);
        one.value == other.value && !(is_one_number(one) && is_one_number(other))
    })
}

/// Removes pairs of elements that correspond to each other.
fn without_pairs<T>(ones: Vec<T>, mut others: Vec<T>, is_pair: impl Fn(&T, &T) -> bool) -> (Vec<T>, Vec<T>) {
    let mut left = Vec::new();
    for one in ones {
        match others.iter().position(|other| is_pair(&one, other)) {
            Some(found) => drop(others.swap_remove(found)),
            None => left.push(one),
        }
    }
    (left, others)
}

/// `15:30` and `3:30 PM`.
fn is_same_hour(one: &Rest<'_>, other: &Rest<'_>) -> bool {
    let hours = one.integer().zip(other.integer());
    hours.is_some_and(|(one, other)| one.max(other) <= 24 && one.abs_diff(other) == 12)
}

/// `2시간 반` and 2.5 hours.
fn is_half_more(one: &Rest<'_>, other: &Rest<'_>) -> bool {
    let larger = one.value.max(other.value);
    larger % ONE == ONE / 2 && larger - ONE / 2 == one.value.min(other.value)
}

/// `26년` and 2026, and the calendars of Japan, Taiwan and Thailand.
fn is_same_year(one: &Rest<'_>, other: &Rest<'_>, era: Option<u64>) -> bool {
    let Some((one, other)) = one.integer().zip(other.integer()) else { return false };
    let (first, second) = (one.min(other), one.max(other));
    let difference = second - first;
    (first < 100 && [1900, 2000].contains(&difference)) || Some(difference) == era
}

/// The years between the era that a text names and ours.
fn era(text: &str) -> Option<u64> {
    const ERAS: [(&str, u64); 10] = [
        ("令和", 2018),
        ("레이와", 2018),
        ("平成", 1988),
        ("헤이세이", 1988),
        ("昭和", 1925),
        ("쇼와", 1925),
        ("民國", 1911),
        ("民国", 1911),
        ("พ.ศ.", 543),
        ("พุทธศักราช", 543),
    ];
    ERAS.iter().find(|(name, _)| text.contains(name)).map(|(_, years)| *years)
}

#[cfg(test)]
mod tests;
