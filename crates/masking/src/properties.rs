//! Property tests of masking. Generators know what has to be protected or redacted; [`spans`] is never asked for it.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::normalized::is_line_break;
use super::*;

#[derive(Debug, Clone)]
enum Piece {
    /// Without digits and without spans.
    Words(&'static str),
    /// To be protected.
    Measure(String),
    /// To be redacted.
    PersonalNumber(String),
    /// Looks like a personal number, but has to be sent.
    Harmless(String),
}

impl Piece {
    fn text(&self) -> &str {
        match self {
            Self::Words(words) => words,
            Self::Measure(text) | Self::PersonalNumber(text) | Self::Harmless(text) => text,
        }
    }
}

/// The zeros of the scripts in which digits are written.
fn zeros() -> impl Strategy<Value = char> {
    select(vec!['0', '0', '0', '０', '٠', '۰', '०', '๐'])
}

fn in_script(digits: &str, zero: char) -> String {
    let digit = |c: char| match c.to_digit(10) {
        Some(value) => char::from_u32(u32::from(zero) + value).expect("a digit"),
        None => c,
    };
    digits.chars().map(digit).collect()
}

/// The digits of a text in ASCII.
fn ascii_digits(text: &str) -> String {
    let zeros = ['0', '０', '٠', '۰', '०', '๐'].map(u32::from);
    let digit = |c: char| zeros.into_iter().find_map(|zero| char::from_digit(u32::from(c).checked_sub(zero)?, 10));
    text.chars().filter_map(digit).collect()
}

fn amounts() -> impl Strategy<Value = String> {
    let separator = || select(vec![" ", "\u{a0}", "\u{202f}", "'", "’", ",", "."]);
    prop_oneof![
        3 => "[1-9][0-9]{0,3}",
        2 => "(0|[1-9][0-9]{0,2})[.,][0-9]{1,2}",
        2 => ("[1-9][0-9]{0,2}", separator(), "[0-9]{3}").prop_map(|(one, mark, two)| format!("{one}{mark}{two}")),
        1 => ("[1-9]", separator(), "[0-9]{3}", "[0-9]{3}")
            .prop_map(|(one, mark, two, three)| format!("{one}{mark}{two}{mark}{three}")),
        1 => "[1-9]\\.[0-9]{3},[0-9]",
        1 => "[1-9]? ?[½¼¾⅓]",
        1 => "[1-9] 1/[2-4]",
        1 => "[-−][1-9][0-9]?",
    ]
}

fn measures() -> impl Strategy<Value = Piece> {
    let operators = vec!["-", "–", "—", "−", "~", "～", "〜", "/", " - ", " – ", " ~ ", " / ", " x ", "→"];
    let number = prop_oneof![
        3 => amounts(),
        1 => ("[1-9][0-9]{0,2}", select(operators), "[1-9][0-9]{0,2}")
            .prop_map(|(one, operator, two)| format!("{one}{operator}{two}")),
    ];
    let units = vec![
        "mg",
        "MG",
        "Mg",
        "ｍｇ",
        "㎎",
        "g",
        "kg",
        "µg",
        "μg",
        "mcg",
        "mL",
        "ml",
        "L",
        "mℓ",
        "cc",
        "IU",
        "U",
        "%",
        "％",
        "℃",
        "°C",
        "mmHg",
        "mm",
        "cm",
        "m²",
        "mg/kg",
        "mL/h",
        "mcg/kg/min",
        "mg/dL",
        "mmol/L",
        "㎍/㎏",
    ];
    (number, zeros(), select(vec!["", " ", "\u{a0}", "\u{202f}"]), select(units)).prop_map(
        |(number, zero, space, unit)| {
            let number = number.trim_start();
            Piece::Measure(format!("{}{space}{unit}", in_script(number, zero)))
        },
    )
}

fn personal_numbers() -> impl Strategy<Value = Piece> {
    let separators = vec![
        "-", " ", ".", "/", "ー", "−", "—", "‑", "－", "・", "·", "\u{3000}", "\u{a0}", " - ", " – ", ") ", "",
        "\u{200b}",
    ];
    let groups = prop_oneof![
        "01[0-9] [0-9]{4} [0-9]{4}",
        "0[2-9] [0-9]{4} [0-9]{4}",
        "\\+82 10 [0-9]{4} [0-9]{4}",
        "\\+1 [2-9][0-9]{2} [0-9]{3} [0-9]{4}",
        "[0-9]{6} [1-4][0-9]{6}",
        "4[0-9]{3} [0-9]{4} [0-9]{4} [0-9]{4}",
        "3[0-9]{3} [0-9]{6} [0-9]{5}",
        "[0-9]{4} [0-9]{4} [0-9]{4}",
    ];
    let grouped = (groups, select(separators), zeros())
        .prop_map(|(groups, separator, zero)| in_script(&groups.replace(' ', separator), zero));
    let lettered = prop_oneof![
        "[A-Z][0-9]{8}",
        "[A-Z]{2}[0-9]{7}",
        "[A-Z][0-9]{3}[A-Z][0-9]{4}",
        "[A-Z][0-9]{7}[A-Z]",
        "[1-9][0-9]{16}X",
        "(VISA|ID|HP|TEL|No|M)[0-9]{9,16}",
    ];
    let lettered = (lettered, zeros()).prop_map(|(number, zero)| in_script(&number, zero));
    let addressed =
        ("[0-9]{9,12}", select(vec!["https://wa.me/#", "#@naver.com", "www.damso.kr/u/#?a=b", "{#}", "<a tel=#>"]))
            .prop_map(|(number, address)| address.replace('#', &number));
    prop_oneof![6 => grouped, 3 => lettered, 1 => addressed].prop_map(Piece::PersonalNumber)
}

/// Numbers of a known form, with separators that other numbers are not found across.
fn known_numbers() -> impl Strategy<Value = String> {
    let separators =
        vec![", ", "，", "、", "; ", "\n", "\r\n", "\r", "-\n", "\u{2028}", "     ", " — ", "――――", " | ", "~"];
    let date = (0..100, 1..=12, 1..=31).prop_map(|(y, m, d)| format!("{y:02}{m:02}{d:02}"));
    let card = "4[0-9]{3} [0-9]{4} [0-9]{4} [0-9]{3}".prop_map(|number| {
        let with = |last: u32| format!("{number}{last}");
        let sum = |number: &str| {
            let digits = number.chars().rev().filter_map(|c| c.to_digit(10)).enumerate();
            digits.map(|(at, digit)| if at % 2 == 1 { digit * 2 / 10 + digit * 2 % 10 } else { digit }).sum::<u32>()
        };
        (0..10).map(with).find(|number| sum(number) % 10 == 0).expect("one of ten digits is the check digit")
    });
    let number = prop_oneof![
        "01[016789] [2-9][0-9]{2,3} [0-9]{4}",
        "0[2-9] [2-9][0-9]{2,3} [0-9]{4}",
        "0[2-9]0 [0-9]{4} [0-9]{4}",
        "\\+82 10 [0-9]{4} [0-9]{4}",
        "\\+81 90 [0-9]{4} [0-9]{4}",
        (date, "[1-8][0-9]{6}").prop_map(|(date, rest)| format!("{date} {rest}")),
        card,
        "M [1-9][0-9]{3} [0-9]{3}1",
        "TK [1-9][0-9]{3} [0-9]{2}1",
    ];
    (number, select(separators), zeros())
        .prop_map(|(number, separator, zero)| in_script(&number.replace(' ', separator), zero))
}

fn harmless() -> impl Strategy<Value = Piece> {
    let date = (1900..2100, 1..=12, 1..=31);
    prop_oneof![
        (date.clone(), select(vec!["-", ".", "/", ". "]))
            .prop_map(|((y, m, d), mark)| format!("{y}{mark}{m:02}{mark}{d:02}")),
        (date.clone(), select(vec![".", "/", "-"]))
            .prop_map(|((y, m, d), mark)| format!("{d:02}{mark}{m:02}{mark}{y}")),
        date.clone().prop_map(|(y, m, d)| format!("{y}年{m}月{d}日")),
        (date.clone(), 0..24).prop_map(|((y, m, d), h)| format!("{y}-{m:02}-{d:02} {h:02}:00")),
        date.prop_map(|(y, m, d)| format!("{y}-{m:02}-{d:02} - {y}-{m:02}-{d:02}")),
        (1900..2000, 2000..2100).prop_map(|(from, to)| format!("{from}-{to}")),
        (90..200, 40..90).prop_map(|(high, low)| format!("{high}/{low}")),
        "[0-9]{1,5}호",
        "[1-9][0-9]{0,2}(,[0-9]{3}){1,3}원",
        "[1-9][0-9]{0,2}(\\.[0-9]{3}){1,3} ₫",
        "[0-9]{1,5}",
        "[A-Z]{1,4}[0-9]{1,3}",
    ]
    .prop_map(Piece::Harmless)
}

/// Words before and after a piece, with the particles and spaces of several languages.
fn surroundings() -> impl Strategy<Value = (&'static str, &'static str)> {
    select(vec![
        ("하루 ", "씩 드세요"),
        ("번호는 ", "입니다. "),
        ("毎日", "を飲んでください。"),
        ("番号：", "です。"),
        ("每次服用", "，饭后"),
        ("Take ", " twice a day. "),
        ("Call (", "), please. "),
        ("Prenez ", " après le repas. "),
        ("Günde ", " alın. "),
        ("Uống ", " mỗi ngày. "),
        ("خذ ", " يوميا. "),
        ("กินยา ", "วันละครั้ง"),
    ])
}

fn texts(piece: impl Strategy<Value = Piece>) -> impl Strategy<Value = Vec<Piece>> {
    let piece =
        (surroundings(), piece).prop_map(|((before, after), piece)| [Piece::Words(before), piece, Piece::Words(after)]);
    vec(piece, 1..4).prop_map(|pieces| pieces.concat())
}

fn concat(pieces: &[Piece]) -> String {
    pieces.iter().map(Piece::text).collect()
}

/// Splits a segment into its words, with `|` in place of each element, and its elements.
fn parse(segment: &str) -> (String, Vec<String>) {
    let mut words = String::new();
    let mut elements = Vec::new();
    let mut rest = segment;
    while let Some((before, element)) = rest.split_once("<x ") {
        words.push_str(before);
        words.push('|');
        let end = element.find('>').expect("a tag ends");
        let is_empty = element[..end].ends_with('/');
        let end = if is_empty { end + 1 } else { element.find("</x>").expect("an element is closed") + 4 };
        elements.push(format!("<x {}", &element[..end]));
        rest = &element[end..];
    }
    (words + rest, elements)
}

fn content(element: &str) -> &str {
    element.split_once('>').map_or("", |(_, content)| content.trim_end_matches("</x>"))
}

/// A translation with the elements in reverse order, between other words with the same numbers.
fn translated(segment: &str) -> String {
    let (words, elements) = parse(segment);
    let elements: Vec<String> =
        elements.into_iter().rev().map(|element| format!("{element} palabras &amp; ")).collect();
    format!("Otras {} {}", words.replace('|', " | "), elements.concat())
}

/// Arbitrary strings mixed with realistic messages.
fn messages() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        3 => "[a-zA-Z가-힣ぁ-んァ-ン一-龥 ,.!?&<>\"']{0,12}",
        1 => select(vec![
            "\n", "\n\n  ", "\r", "\u{2029}", "&amp;", "&#39;", "😀", "👨‍👩‍👧‍👦", "👍🏽", "🇰🇷", "1️⃣", "{{name}}", "%s", "https://a.kr/b", "a@b.kr",
        ])
        .prop_map(str::to_owned),
        2 => "[0-9 .,/~+()x%A-Za-zー−½㎎٠-٩-]{0,12}",
        1 => prop_oneof![measures(), personal_numbers(), harmless()].prop_map(|piece| piece.text().to_owned()),
        1 => any::<String>(),
    ];
    vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn measures_survive_a_reordering_translator(pieces in texts(measures())) {
        let text = MaskedText::new(&concat(&pieces), true);
        let segment = text.segments(true).concat();
        let (words, elements) = parse(&segment);
        prop_assert!(!words.contains(char::is_numeric), "a part of a number is among the words: {segment}");
        let is_measure = |piece: &&Piece| matches!(piece, Piece::Measure(_));
        let measures: Vec<&str> = pieces.iter().filter(is_measure).map(Piece::text).collect();
        prop_assert_eq!(elements.iter().map(|element| content(element)).collect::<Vec<_>>(), measures.clone());
        let restored = text.restore([translated(&segment)].into_iter(), true).expect("all spans are there");
        for measure in measures {
            prop_assert!(restored.contains(measure), "{measure} in {restored}");
        }
    }

    #[test]
    fn personal_numbers_are_removed_and_restored(
        pieces in texts(prop_oneof![2 => personal_numbers(), 1 => Just(Piece::Measure("5 mg".to_owned()))]),
    ) {
        let original = concat(&pieces);
        let text = MaskedText::new(&original, true);
        let segment = text.segments(true).concat();
        let (words, elements) = parse(&segment);
        let contents: Vec<&str> = elements.iter().map(|element| content(element)).collect();
        let sent = words + &contents.join("|");
        let measures = pieces.iter().filter(|piece| matches!(piece, Piece::Measure(_))).count();
        prop_assert_eq!(ascii_digits(&sent), "5".repeat(measures), "{}", segment);
        prop_assert_eq!(ascii_digits(&redact_personal_numbers(&original)), "5".repeat(measures));
        let restored = text.restore([translated(&segment)].into_iter(), true);
        for piece in pieces.iter().filter(|piece| !matches!(piece, Piece::Words(_))) {
            let is_restored = restored.as_ref().is_some_and(|restored| restored.contains(piece.text()));
            prop_assert!(is_restored, "{:?} in {:?}", piece, restored);
        }
    }

    #[test]
    fn known_numbers_are_never_sent((before, after) in surroundings(), number in known_numbers()) {
        let text = format!("{before}{number}{after}");
        let masked = MaskedText::new(&text, true);
        let segments = masked.segments(true);
        let words: String = segments.iter().map(|segment| parse(segment).0).collect();
        prop_assert_eq!(ascii_digits(&words), "", "{:?}", segments);
        prop_assert_eq!(ascii_digits(&redact_personal_numbers(&text)), "");
        prop_assert_eq!(masked.restore(segments.into_iter(), true), Some(text));
    }

    #[test]
    fn dates_hours_rooms_and_prices_are_sent(pieces in texts(prop_oneof![2 => harmless(), 1 => measures()])) {
        let text = concat(&pieces);
        let segment = MaskedText::new(&text, true).segments(true).concat();
        for piece in pieces.iter().filter(|piece| !matches!(piece, Piece::Words(_))) {
            prop_assert!(segment.contains(piece.text()), "{:?} in {}", piece, segment);
        }
        prop_assert_eq!(redact_personal_numbers(&text), text);
    }

    #[test]
    fn unchanged_segments_restore_the_text(text in messages(), redact: bool) {
        let text = text.replace(|c: char| c.is_control() && !is_line_break(c), " ");
        let masked = MaskedText::new(&text, redact);
        for xml in [true, masked.has_markup()] {
            prop_assert_eq!(masked.restore(masked.segments(xml).into_iter(), xml), Some(text.clone()));
        }
    }

    #[test]
    fn line_breaks_and_placeholders_survive_any_translation(text in messages(), redact: bool) {
        let masked = MaskedText::new(&text, redact);
        let translations = masked.segments(true).into_iter().map(|segment| translated(&segment));
        let restored = masked.restore(translations, true).expect("all spans are there");
        prop_assert_eq!(text.matches(is_line_break).count(), restored.matches(is_line_break).count());
        for placeholder in ["{{name}}", "😀"] {
            prop_assert!(
                restored.matches(placeholder).count() >= text.matches(placeholder).count().min(1),
                "{restored}"
            );
        }
    }
}
