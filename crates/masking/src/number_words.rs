//! Numbers that a text has in words, in the languages of `number_words.txt`. Words are read generously, in all
//! languages at once: they explain why a text has a number in digits that another one lacks, and nothing follows from them
//! alone.

use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;

use icu_properties::props::Script;

use super::script::script;

/// The numbers and the signs of numbers in the words of a text.
#[derive(Debug, Default)]
pub(super) struct Words {
    values: BTreeSet<u64>,
    months: BTreeSet<u64>,
    pub(super) has_half: bool,
    /// Says that an hour is of the second half of the day.
    pub(super) is_afternoon: bool,
    /// Some of its letters are of a script whose words are unknown here.
    pub(super) is_unknown: bool,
}

#[derive(Debug, Clone, Copy)]
enum Meaning {
    Value(u64),
    Month(u64),
    Half,
    Afternoon,
}

#[derive(Default)]
struct Lexicon {
    words: HashMap<&'static str, Vec<Meaning>>,
    prefixes: HashMap<&'static str, Vec<Meaning>>,
    /// Words for a thousand and more, for numbers such as `3 million`.
    scales: Vec<(&'static str, u64)>,
    /// Found anywhere in a text.
    phrases: Vec<(String, Meaning)>,
}

/// Of which numbers in words are composed.
const SCALES: [u64; 6] = [100, 1_000, 10_000, 1_000_000, 100_000_000, 1_000_000_000];

static LEXICON: LazyLock<Lexicon> = LazyLock::new(|| {
    let mut lexicon = Lexicon::default();
    for (section, position, words) in entries() {
        for word in words.split('|') {
            lexicon.add(section, position, word);
        }
    }
    lexicon
});

/// The entries of the file: their section, their position in it, and their words.
fn entries() -> impl Iterator<Item = (&'static str, usize, &'static str)> {
    let lines = include_str!("number_words.txt").lines().filter(|line| !line.starts_with('#'));
    let mut section = "";
    let mut position = 0;
    lines.flat_map(str::split_whitespace).filter_map(move |entry| {
        if let Some(name) = entry.strip_suffix(':') {
            section = name;
            position = 0;
            return None;
        }
        position += 1;
        Some((section, position - 1, entry))
    })
}

/// The number at a position of the section `numbers`.
fn value_at(position: u64) -> u64 {
    if position <= 20 { position } else { (position - 18) * 10 }
}

impl Lexicon {
    fn add(&mut self, section: &'static str, position: usize, word: &'static str) {
        let position = position as u64;
        let scale = [1_000, 1_000_000, 1_000_000_000].get(usize::try_from(position).unwrap_or(usize::MAX));
        let meaning = match (section, section.strip_prefix('='), scale) {
            ("numbers", ..) => Meaning::Value(value_at(position)),
            ("months", ..) => Meaning::Month(position + 1),
            ("half", ..) => Meaning::Half,
            ("pm", ..) => Meaning::Afternoon,
            ("scales", _, Some(scale)) => {
                self.scales.push((word, *scale));
                Meaning::Value(*scale)
            }
            (_, Some(value), _) => Meaning::Value(value.parse().unwrap_or_default()),
            _ => return,
        };
        let (stem, is_prefix) = word.strip_suffix('*').map_or((word, false), |stem| (stem, true));
        let is_unspaced = |c| matches!(script(c), Script::Han | Script::Hiragana | Script::Katakana | Script::Thai);
        if stem.contains(|c: char| !c.is_alphabetic() || is_unspaced(c)) {
            self.phrases.push((stem.trim_start_matches('~').replace('_', " "), meaning));
        } else if is_prefix {
            self.prefixes.entry(stem).or_default().push(meaning);
        } else {
            self.words.entry(stem).or_default().push(meaning);
        }
    }

    /// What a word means in any language, and how long the longest stem is that says so.
    fn meanings(&self, word: &str) -> (Vec<Meaning>, usize) {
        let mut meanings = self.words.get(word).cloned().unwrap_or_default();
        let mut stem = if meanings.is_empty() { 0 } else { word.len() };
        for (end, _) in word.char_indices().skip(2).chain([(word.len(), ' ')]) {
            if let Some(more) = self.prefixes.get(&word[..end]) {
                meanings.extend(more);
                stem = stem.max(end);
            }
        }
        (meanings, stem)
    }
}

impl Words {
    pub(super) fn read(text: &str) -> Self {
        let text = text.to_lowercase();
        let mut words = Self::default();
        for (phrase, meaning) in &LEXICON.phrases {
            if text.contains(phrase.as_str()) {
                words.add(*meaning);
            }
        }
        for word in text.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty()) {
            words.read_word(word);
        }
        words.read_han(&text);
        words
    }

    fn add(&mut self, meaning: Meaning) {
        match meaning {
            Meaning::Value(value) => self.values.extend([value]),
            Meaning::Month(month) => self.months.extend([month]),
            Meaning::Half => self.has_half = true,
            Meaning::Afternoon => self.is_afternoon = true,
        }
    }

    fn read_word(&mut self, word: &str) {
        let is_known = |c: char| {
            let script = script(c);
            matches!(script, Script::Latin | Script::Cyrillic | Script::Greek | Script::Hebrew | Script::Arabic)
                || matches!(script, Script::Hangul | Script::Han | Script::Hiragana | Script::Katakana | Script::Thai)
                || matches!(script, Script::Common | Script::Inherited)
        };
        self.is_unknown |= word.contains(|c| !is_known(c));
        for form in without_prefixes(word) {
            let (meanings, stem) = LEXICON.meanings(form);
            // `fünfundzwanzig`, `veinticinco`: the rest of a compound is a number as well.
            let is_number = meanings.iter().any(|meaning| matches!(meaning, Meaning::Value(_)));
            meanings.into_iter().for_each(|meaning| self.add(meaning));
            let rest = &form[stem..];
            for (start, _) in rest.char_indices().filter(|_| is_number) {
                LEXICON.meanings(&rest[start..]).0.into_iter().for_each(|meaning| self.add(meaning));
            }
        }
        // The Arabic and the Hebrew dual: two days are one word.
        let is_dual = ["ين", "ان", "יים"].iter().any(|ending| word.ends_with(ending));
        self.values.extend(is_dual.then_some(2));
        self.read_korean(word);
        self.read_roman(word);
    }

    /// Korean numerals of one syllable need a counter: `두 번`, but not `두통`. Those of Chinese origin start a word:
    /// `삼십 분`.
    fn read_korean(&mut self, word: &str) {
        const NATIVE: [(char, u64); 8] =
            [('한', 1), ('두', 2), ('세', 3), ('석', 3), ('네', 4), ('넉', 4), ('열', 10), ('몇', 2)];
        const SINO: &str = "공일이삼사오육칠팔구";
        const COUNTERS: &str = concat!(
            "번개알정시달주살명분가지잔병장군방숟스컵봉포캡대마층채쪽차끼박회곳해사켤벌송자그",
            "초일월년호인원급도배점단퍼프밀센미킬성",
        );
        let letters: Vec<char> = word.chars().collect();
        let is_counter = |at: usize| letters.get(at).is_none_or(|c| COUNTERS.contains(*c));
        for (syllable, value) in NATIVE {
            if letters[0] == syllable && is_counter(1) {
                self.values.insert(value);
            }
        }
        let digit = |c: char| SINO.chars().position(|digit| digit == c).map(|digit| digit as u64);
        let numeral: Vec<Numeral> = letters.iter().map_while(|c| Numeral::sino_korean(*c, digit(*c))).collect();
        if numeral.len() > 1 || (numeral.len() == 1 && letters.len() > 1 && is_counter(1)) {
            self.add_numeral(&numeral);
        }
    }

    /// `III`, which is written in lower case here.
    fn read_roman(&mut self, word: &str) {
        const ROMAN: [&str; 12] = ["i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii"];
        self.values.extend((1..).zip(ROMAN).filter(|(_, roman)| *roman == word).map(|(value, _)| value));
    }

    /// Numerals in Han characters, which are part of other words as well.
    fn read_han(&mut self, text: &str) {
        let mut numeral = Vec::new();
        for c in text.chars().chain([' ']) {
            match Numeral::han(c) {
                Some(part) => numeral.push(part),
                None => self.add_numeral(&std::mem::take(&mut numeral)),
            }
        }
    }

    /// Adds the value of a numeral, and of each of its digits: `二三日` are two or three days.
    fn add_numeral(&mut self, numeral: &[Numeral]) {
        let (mut total, mut section, mut digits) = (0u64, 0u64, 0u64);
        for part in numeral {
            match *part {
                Numeral::Digit(digit) => {
                    digits = digits.saturating_mul(10).saturating_add(digit);
                    self.values.insert(digit);
                }
                Numeral::Scale(scale) if scale < 10_000 => {
                    section = section.saturating_add(digits.max(1).saturating_mul(scale));
                    digits = 0;
                }
                Numeral::Scale(scale) => {
                    total = total.saturating_add(section.saturating_add(digits).max(1).saturating_mul(scale));
                    (section, digits) = (0, 0);
                }
            }
        }
        if !numeral.is_empty() {
            self.values.insert(total.saturating_add(section).saturating_add(digits));
        }
    }

    pub(super) fn has_month(&self, month: u64) -> bool {
        self.months.contains(&month)
    }

    /// Whether the words have a number, possibly composed: `five and twenty`, `three hundred`.
    pub(super) fn have(&self, value: u64) -> bool {
        let has = |value| self.values.contains(&value);
        let is_composed = |scale| {
            let (count, rest) = (value / scale, value % scale);
            count > 0 && has(scale) && (count == 1 || self.have(count)) && (rest == 0 || self.have(rest))
        };
        let is_two_words = value < 100 && value > 20 && has(value - value % 10) && has(value % 10);
        has(value) || is_two_words || SCALES.into_iter().filter(|scale| value > *scale).any(is_composed)
    }
}

/// A character of a numeral that is written in words.
#[derive(Debug, Clone, Copy)]
enum Numeral {
    Digit(u64),
    Scale(u64),
}

impl Numeral {
    fn sino_korean(c: char, digit: Option<u64>) -> Option<Self> {
        let scale = || Some(Self::Scale(scale(c).filter(|_| script(c) == Script::Hangul)?));
        digit.map(Self::Digit).or_else(scale)
    }

    fn han(c: char) -> Option<Self> {
        let digit = match c {
            '〇' | '零' => 0,
            '一' | '壱' => 1,
            '二' | '两' | '兩' | '弐' => 2,
            '三' | '参' => 3,
            '四' => 4,
            '五' => 5,
            '六' => 6,
            '七' => 7,
            '八' => 8,
            '九' => 9,
            _ => return Some(Self::Scale(scale(c).filter(|_| script(c) == Script::Han)?)),
        };
        Some(Self::Digit(digit))
    }
}

/// The value of a character that multiplies the number before it.
pub(super) fn scale(c: char) -> Option<u64> {
    match c {
        '십' | '十' => Some(10),
        '백' | '百' => Some(100),
        '천' | '千' => Some(1_000),
        '만' | '万' | '萬' => Some(10_000),
        '억' | '億' | '亿' => Some(100_000_000),
        '조' | '兆' => Some(1_000_000_000_000),
        _ => None,
    }
}

/// The value of a word that multiplies the number before it.
pub(super) fn scale_word(word: &str) -> Option<u64> {
    let is_it = |(scale, _): &&(&str, u64)| match scale.strip_suffix('*') {
        Some(stem) => word.starts_with(stem),
        None => *scale == word,
    };
    LEXICON.scales.iter().filter(|(scale, _)| !scale.contains('_')).find(is_it).map(|(_, value)| *value)
}

/// A word, and without the letters that Arabic and Hebrew write together with the next word: `and`, `the`, `in` …
fn without_prefixes(word: &str) -> impl Iterator<Item = &str> {
    let is_prefix = |c: &char| "وفبلكאהבוכלמש".contains(*c);
    let letters = word.chars().take(2).take_while(is_prefix).map(char::len_utf8);
    let starts = std::iter::once(0).chain(letters.scan(0, |start, length| {
        *start += length;
        Some(*start)
    }));
    let forms = starts.map(|start| &word[start..]);
    forms.flat_map(|form| [Some(form), form.strip_prefix("ال")]).flatten().filter(|form| !form.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_are_complete() {
        let mut sizes: HashMap<&str, Vec<usize>> = HashMap::new();
        for (section, position, _) in entries() {
            let sizes = sizes.entry(section).or_default();
            match sizes.last_mut() {
                Some(size) if position > 0 => *size = position + 1,
                Some(_) | None => sizes.push(1),
            }
        }
        let count = |section: &str, size: usize| sizes[section].iter().filter(|actual| **actual == size).count();
        assert_eq!((count("numbers", 29), sizes["numbers"].len()), (31, 32), "{:?}", sizes["numbers"]);
        assert_eq!((count("months", 12), sizes["months"].len()), (30, 30), "{:?}", sizes["months"]);
        assert_eq!((count("scales", 3), sizes["scales"].len()), (30, 30), "{:?}", sizes["scales"]);
        assert_eq!((sizes["half"].len(), sizes["pm"].len()), (32, 32));
    }

    #[test]
    fn numbers_are_read_in_every_language() {
        for (text, values) in [
            ("Take two tablets three times a day for twenty-five days", &[2, 3, 25][..]),
            ("zweimal täglich, fünfundzwanzig Tage", &[2, 25]),
            ("trois fois par jour pendant quatre-vingt-dix jours", &[3, 90]),
            ("veinticinco pastillas", &[25]),
            ("venticinque compresse", &[25]),
            ("по две таблетки трижды в день, двадцать пять дней", &[2, 3, 25]),
            ("حبتان مرتين يوميا وثلاثة أيام وعشرين يوما", &[2, 3, 20]),
            ("שלושה כדורים פעמיים ביום", &[3, 2]),
            ("하루에 세 번 두 알씩 삼십 분 후, 이틀", &[1, 3, 2, 30]),
            ("열두 시, 스물다섯 명, 오백 원, 삼만 원", &[12, 25, 500, 30_000]),
            ("一日三回、二錠ずつ、二十五日", &[1, 3, 2, 25]),
            ("二三天，三万元，一千五百", &[2, 3, 30_000, 1_500]),
            ("วันละสามครั้ง ครั้งละสองเม็ด", &[3, 2]),
            ("üç kez iki tablet", &[3, 2]),
            ("ba lần mỗi ngày, hai viên", &[3, 2]),
            ("three hundred and thirty thousand", &[300, 30_000]),
            ("Stage III, Typ II", &[3, 2]),
        ] {
            let words = Words::read(text);
            for value in values {
                assert!(words.have(*value), "{value} in {text}: {words:?}");
            }
        }
    }

    #[test]
    fn other_words_are_no_numbers() {
        for (text, value) in [("두통이 있어요", 2), ("한국 병원", 1), ("세수하세요", 3), ("often", 10), ("tender", 10)]
        {
            assert!(!Words::read(text).have(value), "{text}");
        }
    }

    #[test]
    fn months_halves_and_afternoons_are_read() {
        for (text, month) in
            [("March 5", 3), ("5. März", 3), ("5 марта", 3), ("٥ مارس", 3), ("21 novembre", 11), ("5 พฤษภาคม", 5)]
        {
            assert!(Words::read(text).has_month(month), "{text}");
        }
        for text in ["half an hour", "eine halbe Stunde", "полчаса", "نصف ساعة", "세 시 반", "2시간반", "三時半"]
        {
            assert!(Words::read(text).has_half, "{text}");
        }
        for text in
            ["3 PM", "3 p.m.", "오후 3시", "午後3時", "下午3点", "3 часа дня", "الساعة 3 مساءً", "15 Uhr nachmittags"]
        {
            assert!(Words::read(text).is_afternoon, "{text}");
        }
    }
}
