use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use super::*;

fn found(text: &str) -> Vec<(&str, Kind)> {
    spans(text).iter().map(|span| (&text[span.start..span.end], span.kind)).collect()
}

#[test]
fn personal_numbers_are_redacted() {
    for number in [
        // Korea: resident registration, mobile, landline, business, with a country code.
        "900101-1234567",
        "9001011234567",
        "010-1234-5678",
        "01012345678",
        "010 1234 5678",
        "02-123-4567",
        "1588-1234",
        "+82 10-1234-5678",
        "+82-2-123-4567",
        // Japan: My Number, mobile, landline, full width.
        "1234 5678 9012",
        "123456789012",
        "090-1234-5678",
        "03-1234-5678",
        "(03)1234-5678",
        "０９０－１２３４－５６７８",
        "+81 90 1234 5678",
        // Elsewhere: payment cards, telephone, US social security, Chinese identity card.
        "4111 1111 1111 1111",
        "4111-1111-1111-1111",
        "378282246310005",
        "+1 (415) 555-2671",
        "+44 20 7946 0958",
        "078-05-1120",
        "11010519491231002X",
        // Passports and identity cards with letters.
        "M12345678",
        "TR1234567",
        "S1234567D",
        "AB123456C",
        "A123456789",
        "M123A4567",
        // Separators of other keyboards, and invisible characters that telephones copy along.
        "０９０ー１２３４ー５６７８",
        "090ｰ1234ｰ5678",
        "090−1234−5678",
        "010—1234—5678",
        "010‑1234‑5678",
        "010\u{3000}1234\u{3000}5678",
        "010\u{a0}1234\u{a0}5678",
        "010・1234・5678",
        "010 - 1234 - 5678",
        "010_1234_5678",
        "(+82) 10-1234-5678",
        "010\u{200b}1234\u{2060}5678",
        "0️⃣1️⃣0️⃣1️⃣2️⃣3️⃣4️⃣5️⃣6️⃣7️⃣8️⃣",
        // Digits of other scripts.
        "٠٥٠١٢٣٤٥٦٧",
        "۰۹۱۲ ۳۴۵ ۶۷۸۹",
        "०९८७६५४३२१०",
        "๐๘๑-๒๓๔-๕๖๗๘",
        "Ｍ１２３４５６７８",
        // Personal numbers attached to other text.
        "VISA4111111111111111",
        "ID9001011234567",
        "HP01012345678",
        "DE89370400440532013000",
        "12345678A",
        "https://wa.me/821012345678",
        "01012345678@naver.com",
        "010-1234-5678@naver.com",
        "1990-01-01-1234567",
        "2026-11-20 010-1234-5678",
        "+33 1 20 11 2026",
    ] {
        let text = format!("제 번호는 {number}입니다");
        assert_eq!(found(&text), [(number, Kind::Redacted)], "{number}");
        let segments = MaskedText::new(&text, true).segments(true);
        let digits = |text: &str| text.chars().filter(|c| c.is_numeric()).count();
        assert!(segments.iter().all(|segment| digits(segment) <= 1), "{segments:?}");
        assert!(!redact_personal_numbers(&text).contains(number), "{number}");
    }
}

#[test]
fn other_long_numbers_are_not_redacted() {
    for text in [
        "2026-11-21 예약",
        "2026.11.21",
        "2026. 11. 20.",
        "2026年11月20日",
        "2026년 11월 20일 14시 30분",
        "20.11.2026",
        "11/20/2026",
        "٢٠٢٦/١١/٢٠",
        "2026-11-20 10:30",
        "2026-11-20 3번 방",
        "2026-11-20 1203호",
        "2026-11-20 ~ 2026-11-25",
        "2026-11-20 - 2026-11-25",
        "2026.11.20-25",
        "2025-2026",
        "2025 – 2026",
        "120/80 130/85",
        "120 / 80, 36.5, 72",
        "5 mg",
        "38.5",
        "3번",
        "10:30",
        "10:30-11:45",
        "120/80",
        "room 12345",
        "101, 102, 103, 104호",
        "1,500,000원",
        "12,500,000원",
        "15000000원",
        "12.500.000 đ",
        "₩ 15 000 000",
        "$12345678",
        "1 200 000 IU",
        "10 000 000 IU",
        "1000-2000 mg",
        "1000 ~ 2000mL",
        "COVID-19, B12, HbA1c 7.2%, CYP2D6",
        "500000원",
        "500000VND",
    ] {
        assert!(spans(text).iter().all(|span| span.kind == Kind::Protected), "{text}: {:?}", found(text));
    }
}

#[test]
fn addresses_doses_placeholders_and_emoji_are_protected() {
    for (text, protected) in [
        ("https://damso.example/예약에서 보세요", "https://damso.example/"),
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
        (0..5).map(run).min().unwrap_or_default()
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
    ] {
        let short = time(&piece.repeat(1_000 / piece.len()));
        let long = time(&piece.repeat(10_000 / piece.len()));
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

#[test]
fn a_lost_or_duplicated_span_fails() {
    let text = MaskedText::new("하루 500mg씩 드세요", true);
    let restored = |translated: &str| text.restore([translated.to_owned()].into_iter(), true);
    assert_eq!(restored(r#"Take <x id="1">500mg</x> daily"#).as_deref(), Some("Take 500mg daily"));
    assert_eq!(restored(r#"Take <x id="1">50 mg</x> daily"#).as_deref(), Some("Take 500mg daily"), "the original dose");
    assert_eq!(restored(r#"Take <x id="1"/> daily"#).as_deref(), Some("Take 500mg daily"));
    assert_eq!(restored("Take it daily"), None);
    assert_eq!(restored(r#"<x id="1">500mg</x> or <x id="1">500mg</x>"#), None);
    assert_eq!(restored(r#"Take <x id="7"/><x id="1"/>"#), None);
    assert_eq!(restored("<x"), None);
}
