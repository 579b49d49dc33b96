//! What must survive, and what must not leave, comes from generators of its own here: [`spans`] is never asked what it found.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;

/// A piece of a text, and what is to happen to it.
#[derive(Debug, Clone)]
enum Piece {
    /// Has no digit and nothing else that stays.
    Words(&'static str),
    /// Stays as it is, and is seen.
    Measure(String),
    /// Stays as it is, and is not seen.
    Number(String),
    /// Is sent like words.
    Harmless(String),
}

impl Piece {
    fn text(&self) -> &str {
        match self {
            Self::Words(words) => words,
            Self::Measure(text) | Self::Number(text) | Self::Harmless(text) => text,
        }
    }
}

/// How digits are written.
fn scripts() -> impl Strategy<Value = char> {
    select(vec!['0', '0', '0', '０', '٠', '۰', '०', '๐'])
}

fn written(digits: &str, zero: char) -> String {
    let digit = |letter: char| match letter.to_digit(10) {
        Some(value) => char::from_u32(u32::from(zero) + value).expect("a digit"),
        None => letter,
    };
    digits.chars().map(digit).collect()
}

fn values(text: &str) -> String {
    let zeros = ['0', '０', '٠', '۰', '०', '๐'].map(u32::from);
    let value =
        |letter: char| zeros.into_iter().find_map(|zero| char::from_digit(u32::from(letter).checked_sub(zero)?, 10));
    text.chars().filter_map(value).collect()
}

fn amounts() -> impl Strategy<Value = String> {
    let space = || select(vec![" ", "\u{a0}", "\u{202f}", "'", "’", ",", "."]);
    prop_oneof![
        3 => "[1-9][0-9]{0,3}",
        2 => "(0|[1-9][0-9]{0,2})[.,][0-9]{1,2}",
        2 => ("[1-9][0-9]{0,2}", space(), "[0-9]{3}").prop_map(|(one, space, two)| format!("{one}{space}{two}")),
        1 => ("[1-9]", space(), "[0-9]{3}", "[0-9]{3}").prop_map(|(one, space, two, three)| format!("{one}{space}{two}{space}{three}")),
        1 => "[1-9]\\.[0-9]{3},[0-9]",
        1 => "[1-9]? ?[½¼¾⅓]",
        1 => "[1-9] 1/[2-4]",
        1 => "[-−][1-9][0-9]?",
    ]
}

fn measures() -> impl Strategy<Value = Piece> {
    let between = vec!["-", "–", "—", "−", "~", "～", "〜", "/", " - ", " – ", " ~ ", " / ", " x ", "→"];
    let number = prop_oneof![
        3 => amounts(),
        1 => ("[1-9][0-9]{0,2}", select(between), "[1-9][0-9]{0,2}").prop_map(|(one, to, two)| format!("{one}{to}{two}")),
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
    (number, scripts(), select(vec!["", " ", "\u{a0}", "\u{202f}"]), select(units)).prop_map(
        |(number, zero, space, unit)| {
            let number = number.trim_start();
            Piece::Measure(format!("{}{space}{unit}", written(number, zero)))
        },
    )
}

fn numbers() -> impl Strategy<Value = Piece> {
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
    let grouped = (groups, select(separators), scripts())
        .prop_map(|(groups, separator, zero)| written(&groups.replace(' ', separator), zero));
    let lettered = prop_oneof![
        "[A-Z][0-9]{8}",
        "[A-Z]{2}[0-9]{7}",
        "[A-Z][0-9]{3}[A-Z][0-9]{4}",
        "[A-Z][0-9]{7}[A-Z]",
        "[1-9][0-9]{16}X",
        "(VISA|ID|HP|TEL|No|M)[0-9]{9,16}",
    ];
    let lettered = (lettered, scripts()).prop_map(|(number, zero)| written(&number, zero));
    let addressed =
        ("[0-9]{9,12}", select(vec!["https://wa.me/#", "#@naver.com", "www.damso.kr/u/#?a=b", "{#}", "<a tel=#>"]))
            .prop_map(|(number, address)| address.replace('#', &number));
    prop_oneof![6 => grouped, 3 => lettered, 1 => addressed].prop_map(Piece::Number)
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

/// Before and behind a piece, in several languages, as the particles and spaces of each have it.
fn around() -> impl Strategy<Value = (&'static str, &'static str)> {
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
        (around(), piece).prop_map(|((before, after), piece)| [Piece::Words(before), piece, Piece::Words(after)]);
    vec(piece, 1..4).prop_map(|pieces| pieces.concat())
}

fn written_out(pieces: &[Piece]) -> String {
    pieces.iter().map(Piece::text).collect()
}

/// What stands in a text that is sent: the words, and the elements with what they hold.
fn read(sent: &str) -> (String, Vec<String>) {
    let (mut words, mut elements) = (String::new(), Vec::new());
    let mut rest = sent;
    while let Some((before, element)) = rest.split_once("<x ") {
        words.push_str(before);
        words.push('|');
        let end = element.find('>').expect("an element ends");
        let whole = if element[..end].ends_with('/') { end + 1 } else { element.find("</x>").expect("closed") + 4 };
        elements.push(format!("<x {}", &element[..whole]));
        rest = &element[whole..];
    }
    (words + rest, elements)
}

/// What an element holds.
fn inside(element: &str) -> &str {
    element.split_once('>').map_or("", |(_, inside)| inside.trim_end_matches("</x>"))
}

/// A translator that has every element at another place, and other words, which have numbers too.
fn rewritten(sent: &str) -> String {
    let (_, elements) = read(sent);
    let elements: Vec<String> = elements.into_iter().rev().map(|element| format!("{element} palabras & 77 ")).collect();
    format!("Otras 3 {}", elements.concat()).replace('&', "&amp;").replace("&amp;amp;", "&amp;")
}

/// Anything, and what people write in between.
fn anything() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        3 => "[a-zA-Z가-힣ぁ-んァ-ン一-龥 ,.!?&<>\"']{0,12}",
        1 => select(vec!["\n", "\n\n  ", "😀", "👨‍👩‍👧‍👦", "👍🏽", "🇰🇷", "1️⃣", "{{name}}", "%s", "https://a.kr/b", "a@b.kr"])
            .prop_map(str::to_owned),
        2 => "[0-9 .,/~+()x%A-Za-zー−½㎎٠-٩-]{0,12}",
        1 => prop_oneof![measures(), numbers(), harmless()].prop_map(|piece| piece.text().to_owned()),
        1 => any::<String>(),
    ];
    vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn a_measure_is_sent_whole_and_comes_back_from_a_translator_that_turns_everything_around(pieces in texts(measures())) {
        let text = written_out(&pieces);
        let sheet = MaskedText::new(&text, true);
        let sent = sheet.segments(true).concat();
        let (words, elements) = read(&sent);
        prop_assert!(!words.contains(char::is_numeric), "a part of a number is among the words: {sent}");
        let measures: Vec<&str> = pieces.iter().filter(|piece| matches!(piece, Piece::Measure(_))).map(Piece::text).collect();
        prop_assert_eq!(elements.iter().map(|element| inside(element)).collect::<Vec<_>>(), measures.clone());
        let back = sheet.restore([rewritten(&sent)].into_iter(), true).expect("nothing was lost");
        for measure in measures {
            prop_assert!(back.contains(measure), "{measure} in {back}");
        }
    }

    #[test]
    fn no_part_of_a_number_of_a_person_leaves_and_all_of_it_comes_back(
        pieces in texts(prop_oneof![2 => numbers(), 1 => Just(Piece::Measure("5 mg".to_owned()))]),
    ) {
        let text = written_out(&pieces);
        let sheet = MaskedText::new(&text, true);
        let sent = sheet.segments(true).concat();
        let (words, elements) = read(&sent);
        let left: String = words + &elements.iter().map(|element| inside(element)).collect::<Vec<_>>().join("|");
        let measures = pieces.iter().filter(|piece| matches!(piece, Piece::Measure(_))).count();
        prop_assert_eq!(values(&left), "5".repeat(measures), "{}", sent);
        prop_assert_eq!(values(&redact_personal_numbers(&text)), "5".repeat(measures));
        let back = sheet.restore([rewritten(&sent)].into_iter(), true);
        for piece in pieces.iter().filter(|piece| !matches!(piece, Piece::Words(_))) {
            // A text of nothing but a number is not sent.
            prop_assert!(back.clone().is_some_and(|back| back.contains(piece.text())), "{:?} in {:?}", piece, back);
        }
    }

    #[test]
    fn dates_hours_rooms_and_prices_are_seen(pieces in texts(prop_oneof![2 => harmless(), 1 => measures()])) {
        let text = written_out(&pieces);
        let sent = MaskedText::new(&text, true).segments(true).concat();
        for piece in pieces.iter().filter(|piece| !matches!(piece, Piece::Words(_))) {
            prop_assert!(sent.contains(piece.text()), "{:?} in {}", piece, sent);
        }
        prop_assert_eq!(redact_personal_numbers(&text), text);
    }

    #[test]
    fn a_text_that_is_not_changed_comes_back_as_it_was(text in anything(), hides: bool) {
        let text = text.replace(|letter: char| letter.is_control() && letter != '\n', " ");
        let sheet = MaskedText::new(&text, hides);
        for xml in [true, sheet.has_markup()] {
            prop_assert_eq!(sheet.restore(sheet.segments(xml).into_iter(), xml), Some(text.clone()));
        }
    }

    #[test]
    fn a_text_keeps_its_lines_and_its_marks_whatever_the_translator_makes_of_it(text in anything(), hides: bool) {
        let sheet = MaskedText::new(&text, hides);
        let back = sheet.restore(sheet.segments(true).iter().map(|sent| rewritten(sent)), true).expect("nothing was lost");
        prop_assert_eq!(text.matches('\n').count(), back.matches('\n').count());
        for mark in ["{{name}}", "😀"] {
            prop_assert!(back.matches(mark).count() >= text.matches(mark).count().min(1), "{back}");
        }
    }
}
