use proptest::prelude::*;

use super::*;

fn found(text: &str) -> Vec<(&str, Kind)> {
    spans(text).iter().map(|span| (&text[span.start..span.end], span.kind)).collect()
}

#[test]
fn numbers_of_persons_are_hidden_in_korean_japanese_and_international_formats() {
    for number in [
        // Korea: resident registration, mobile, landline, company, with a country code.
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
        // Elsewhere: cards, telephone, social security, Chinese identity.
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
    ] {
        let text = format!("제 번호는 {number}입니다");
        assert_eq!(found(&text), [(number, Kind::Hidden)], "{number}");
        let sheet = Sheet::new(&text, true);
        let digits = |text: &str| text.chars().filter(char::is_ascii_digit).count();
        assert!(sheet.texts(true).iter().all(|sent| digits(sent) <= 1), "{:?}", sheet.texts(true));
        assert!(!without_numbers_of_persons(&text).contains(number), "{number}");
    }
}

#[test]
fn what_looks_like_a_number_of_a_person_and_is_none_is_sent() {
    for text in ["2026-11-21 예약", "2026.11.21", "5 mg", "38.5", "3번", "1,500,000원", "10:30", "120/80", "room 12345"]
    {
        assert!(spans(text).iter().all(|span| span.kind == Kind::Shown), "{text}: {:?}", found(text));
    }
}

#[test]
fn addresses_doses_placeholders_and_emoji_are_kept() {
    for (text, kept) in [
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
    ] {
        assert_eq!(found(text), [(kept, Kind::Shown)], "{text}");
    }
    assert!(found("5 months, 3 miles, 2 large").is_empty());
}

#[test]
fn a_text_without_words_has_nothing_to_translate() {
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
fn a_translation_that_lost_a_dose_or_doubled_one_is_none() {
    let sheet = Sheet::new("하루 500mg씩 드세요", true);
    let back = |text: &str| sheet.restore([text.to_owned()].into_iter(), true);
    assert_eq!(back(r#"Take <x id="1">500mg</x> daily"#).as_deref(), Some("Take 500mg daily"));
    assert_eq!(back(r#"Take <x id="1">50 mg</x> daily"#).as_deref(), Some("Take 500mg daily"), "what it made of it");
    assert_eq!(back(r#"Take <x id="1"/> daily"#).as_deref(), Some("Take 500mg daily"));
    assert_eq!(back("Take it daily"), None);
    assert_eq!(back(r#"<x id="1">500mg</x> or <x id="1">500mg</x>"#), None);
    assert_eq!(back(r#"Take <x id="7"/><x id="1"/>"#), None);
    assert_eq!(back("<x"), None);
}

/// Text as people write it, with everything in it that has to survive.
fn texts() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[a-zA-Z가-힣ぁ-んァ-ン一-龥 ,.!?&<>\"']{0,12}",
        1 => Just("\n".to_owned()),
        1 => Just("\n\n  ".to_owned()),
        1 => "[0-9]{1,4}(\\.[0-9])? ?(mg|mL|g|%|℃|mmHg)",
        1 => "01[0-9]-[0-9]{4}-[0-9]{4}",
        1 => "https://[a-z]{1,8}\\.(kr|jp|com)/[a-z0-9]{0,8}",
        1 => "[a-z]{1,8}@[a-z]{1,8}\\.(kr|jp|com)",
        1 => prop_oneof![Just("😀"), Just("👨‍👩‍👧‍👦"), Just("👍🏽"), Just("🇰🇷"), Just("1️⃣")].prop_map(str::to_owned),
        1 => "\\{\\{[a-z]{1,8}\\}\\}",
        1 => any::<String>(),
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

/// A translator that changes every word and leaves the elements alone, as DeepL does.
fn translated(text: &str, xml: bool) -> String {
    let mut result = String::new();
    let mut rest = text;
    while xml && let Some((before, element)) = rest.split_once("<x ") {
        result.push_str(&before.to_uppercase());
        let end = element.find('>').expect("an element ends");
        let whole = if element[..end].ends_with('/') { end + 1 } else { element.find("</x>").expect("closed") + 4 };
        result.push_str("<x ");
        result.push_str(&element[..whole]);
        rest = &element[whole..];
    }
    // Entities are not words.
    let text = result + &rest.to_uppercase();
    text.replace("&AMP;", "&amp;").replace("&LT;", "&lt;").replace("&GT;", "&gt;")
}

proptest! {
    #[test]
    fn what_must_not_change_survives_a_translation_that_changes_everything_else(text in texts(), hides: bool) {
        let sheet = Sheet::new(&text, hides);
        let xml = sheet.is_marked();
        let sent = sheet.texts(xml);
        let back = sheet.restore(sent.iter().map(|text| translated(text, xml)), xml);
        let back = back.expect("nothing was lost");
        prop_assert_eq!(text.matches('\n').count(), back.matches('\n').count());
        for line in text.split('\n') {
            for span in spans(line) {
                prop_assert!(back.contains(&line[span.start..span.end]), "{:?} in {back:?}", &line[span.start..span.end]);
            }
        }
    }

    #[test]
    fn a_text_that_is_not_changed_comes_back_as_it_was(text in texts(), hides: bool) {
        let sheet = Sheet::new(&text, hides);
        for xml in [true, sheet.is_marked()] {
            let text = text.replace(|letter: char| letter.is_control() && letter != '\n', " ");
            let sheet = Sheet::new(&text, hides);
            prop_assert_eq!(sheet.restore(sheet.texts(xml).into_iter(), xml), Some(text));
        }
    }

    #[test]
    fn what_is_hidden_is_never_sent(before in "[가-힣 ]{0,8}", number in "01[0-9]-[0-9]{4}-[0-9]{4}", after in "[가-힣 ]{1,8}") {
        let sheet = Sheet::new(&format!("{before}{number}{after}"), true);
        for sent in sheet.texts(sheet.is_marked()) {
            prop_assert!(!sent.contains(&number));
        }
    }
}
