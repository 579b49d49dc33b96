use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use super::*;

pub(super) fn found(text: &str) -> Vec<(&str, Kind)> {
    spans(text).iter().map(|span| (&text[span.start..span.end], span.kind)).collect()
}

#[test]
fn addresses_doses_placeholders_and_emoji_are_protected() {
    for (text, protected) in [
        ("https://damso.example/예약에서 보세요", "https://damso.example/예약"),
        ("https://병원.한국/예약 보세요", "https://병원.한국/예약"),
        ("(www.clinic.kr/map?a=1&b=2).", "www.clinic.kr/map?a=1&b=2"),
        ("kim.minji@clinic.co.kr로 보내세요", "kim.minji@clinic.co.kr"),
        ("하루 500mg씩", "500mg"),
        ("Take 0.5 mL twice", "0.5 mL"),
        ("체온이 38.5℃예요", "38.5℃"),
        ("혈압 120/80mmHg", "120/80mmHg"),
        ("{{name}}님", "{{name}}"),
        ("Hello {first_name}", "{first_name}"),
        ("고마워요 👨‍👩‍👧‍👦", "👨‍👩‍👧‍👦"),
        ("좋아요👍🏽", "👍🏽"),
        ("<b>굵게", "<b>"),
        ("<BR/>다음", "<BR/>"),
        ("굵게</strong>", "</strong>"),
        ("{{ reserved.at | date }}에", "{{ reserved.at | date }}"),
        (r#"<a href="https://a.kr/b" title="예약 안내">예약"#, r#"<a href="https://a.kr/b" title="예약 안내">"#),
        ("<user_name>님", "<user_name>"),
        ("<x1>번", "<x1>"),
        ("<g id=7>번", "<g id=7>"),
    ] {
        assert_eq!(found(text), [(protected, Kind::Protected)], "{text}");
    }
    assert!(found("5 months, 3 miles, 2 large").is_empty());
}

#[test]
fn words_in_brackets_are_words() {
    for text in [
        "<MRI 검사 안내>",
        "<검사>",
        "<notice>",
        "<Important notice>",
        "<I am here>",
        "＜お知らせ＞",
        "〈안내〉",
        "a < b > c",
        "{{Call the nurse}}",
        "{{重要なお知らせ}}",
        "{예약 안내}",
    ] {
        assert_eq!(found(text), [], "{text}");
        assert!(has_words(text), "{text}");
    }
    assert_eq!(found("<MRI 500 mg 안내>"), [("500 mg", Kind::Protected)]);
}

#[test]
fn measures_are_protected_whole() {
    for measure in [
        // Groups and fractions.
        "1 000 mg",
        "1\u{a0}000 mg",
        "1\u{202f}000 mg",
        "1'000 mg",
        "1’000 mg",
        "1,000 mg",
        "1.000,5 mg",
        "1 200 000 IU",
        "1,00,000 IU",
        "2,5 mg",
        "2·5 mg",
        "٢٫٥ mg",
        ".5 mg",
        "½ mg",
        "1½ mg",
        "1 ½ mg",
        "1 1/2 mg",
        "1 ,5 mg",
        "1 .5 mg",
        // Ranges, ratios and products.
        "5~10mg",
        "5〜10mg",
        "5～10mg",
        "5-10 mg",
        "5 - 10 mg",
        "5– 10 mg",
        "5−10 mg",
        "5—10 mg",
        "5...10 mg",
        "5→10 mg",
        "0.5-.75 mg",
        "110-120-130 mg/dL",
        "120/80 mmHg",
        "120 / 80 mmHg",
        "3 x 5 cm",
        "2x500mg",
        "5±1 mg",
        // Signs.
        "-5℃",
        "−5℃",
        "－５℃",
        "-10 ~ -5℃",
        "+2 kg",
        // Units of any width and case.
        "500MG",
        "500 Mg",
        "５００ｍｇ",
        "５００㎎",
        "٥٠٠ mg",
        "500-mg",
        "2ℓ",
        // Other units.
        "10 U",
        "250 µg",
        "250 μg",
        "5 mg/kg",
        "2.5 mIU/L",
        "0.1 mcg/kg/min",
        "125 mL/h",
        "1.73 m²",
        "22 kg/m2",
        "99%",
        "٥٠٪",
    ] {
        for (before, after) in [("", ""), ("하루 ", "을 드세요"), ("毎日", "を飲む"), ("Take ", " daily, "), ("(", ")")]
        {
            // After a letter, a point ends a sentence and does not belong to the number.
            if measure.starts_with('.') && before.ends_with(char::is_alphabetic) {
                continue;
            }
            let text = format!("{before}{measure}{after}");
            assert_eq!(found(&text), [(measure, Kind::Protected)], "{text}");
        }
    }
}

#[test]
fn a_unit_is_a_complete_word() {
    for (text, protected) in [
        ("500mg을 드세요", "500mg"),
        ("500mgを飲む", "500mg"),
        ("每次500mg，饭后", "500mg"),
        ("กิน500mgวันละครั้ง", "500mg"),
        ("500 mg'lık tablet", "500 mg"),
        ("0.9%saline", "0.9%"),
        ("5%dextrose", "5%"),
        ("0.9 % saline", "0.9 %"),
        ("비타민 B12 500 mg", "500 mg"),
        ("Omega-3 1000 mg", "1000 mg"),
        ("SpO2 98%", "98%"),
        ("1. 500 mg 드세요", "500 mg"),
        ("コーヒー500mL", "500mL"),
        ("5 mg/tablet", "5 mg"),
    ] {
        assert_eq!(found(text), [(protected, Kind::Protected)], "{text}");
    }
    for text in [
        "Bu ilacı 7 gün kullanın",
        "7 gu\u{308}n",
        "Prenez 2 gélules",
        "Uống 2 gói",
        "2 go\u{301}i",
        "há 3 mês",
        "3 měsíce",
        "5 g\u{307}",
        "5 mğ",
        "les 2 m'ont dit",
        "2 L-förmig",
        "3 Лекарства",
        "5 mgа",
        "5 ｍｇａ",
        "5 mg5",
        "50%20",
        "½ tablet",
        "B12",
    ] {
        assert_eq!(found(text), [], "{text}");
    }
}

#[test]
fn doses_apart_from_numbers_are_sent() {
    assert_eq!(found("Tel. 010-1234-5678 (5 mg)"), [("010-1234-5678", Kind::Redacted), ("5 mg", Kind::Protected)]);
    assert_eq!(found("2026-11-20 500 mg"), [("2026-11-20 500 mg", Kind::Protected)], "one number");
    assert_eq!(found("010-1234-5678 500 mg"), [("010-1234-5678 500 mg", Kind::Redacted)]);
}

#[test]
fn masking_takes_linear_time() {
    // CPU time of this thread alone, because other tests and programs run concurrently; the least of several runs,
    // because they share its caches.
    let cpu_time = || {
        let time = clock_gettime(ClockId::ThreadCPUTime);
        Duration::new(time.tv_sec.try_into().expect("positive"), time.tv_nsec.try_into().expect("below a second"))
    };
    let time = |text: &str| {
        let run = |_| {
            let start = cpu_time();
            spans(text);
            cpu_time() - start
        };
        (0..3).map(run).min().unwrap_or_default()
    };
    for piece in [
        "1",
        "1 ",
        "1-",
        "+",
        "a1",
        "5 mg ",
        "%s ",
        "a@",
        "a@b.c ",
        "http://",
        "<a ",
        "<a b=",
        "{{",
        "😀",
        "1 000 ",
        "2026-11-20 ",
        "((+1",
        "1, ",
        "1,111,",
        "000,",
        "1:01:",
        "0.5, ",
        "010,\n",
        "4 1 1 1, ",
        "M ",
        "M 1 ",
        "a\n12\n",
        "\n",
        "http://가",
        "http://a/가나",
        "http://頭を",
        "www.",
    ] {
        let short = time(&piece.repeat(500 / piece.len()));
        let long = time(&piece.repeat(5_000 / piece.len()));
        assert!(long < short * 40 + Duration::from_millis(50), "{piece}: {short:?}, {long:?}");
    }
}

#[test]
fn only_letters_outside_of_spans_are_words() {
    for text in
        ["", "👍", "❤️❤️", "12345", "https://damso.example/a", "010-1234-5678", "!?", " \n ", "500mg", "a@b.kr 🙂"]
    {
        assert!(!has_words(text), "{text}");
    }
    for text in ["네", "はい", "ok", "👍 네", "500mg씩", "약 3개"] {
        assert!(has_words(text), "{text}");
    }
}
