use super::*;

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

#[test]
fn every_line_break_separates_lines_and_is_restored() {
    for line_break in ["\n", "\r\n", "\r", "\u{b}", "\u{c}", "\u{85}", "\u{2028}", "\u{2029}"] {
        let text = format!("약을 드세요 {line_break}  {line_break}물도요{line_break}");
        let masked = MaskedText::new(&text, true);
        assert_eq!(masked.segments(false), ["약을 드세요", "물도요"], "{line_break:?}");
        let translated = ["Take the\rmedicine", "Water\u{2028}too"].map(str::to_owned);
        let expected = format!("Take the medicine {line_break}  {line_break}Water too{line_break}");
        assert_eq!(masked.restore(translated.into_iter(), false), Some(expected));
    }
}

#[test]
fn character_references_of_the_translator_are_decoded() {
    for (text, translated, expected) in [
        ("톰과 제리", "Tom &amp; Jerry", "Tom & Jerry"),
        ("그건 좋아요", "It&#39;s &quot;good&quot; &lt;good&gt;", "It's \"good\" <good>"),
        ("그건 좋아요", "It&#x2019;s&nbsp;good", "It’s\u{a0}good"),
        // Written by a person.
        ("&amp; 기호", "The sign &amp;", "The sign &amp;"),
        ("&amp; 기호", "The sign &amp; isn&#39;t", "The sign &amp; isn't"),
    ] {
        let masked = MaskedText::new(text, true);
        let restored = |translated: String, xml| masked.restore([translated].into_iter(), xml);
        assert_eq!(restored(translated.to_owned(), false).as_deref(), Some(expected), "{text}");
        // In XML, each of them is escaped once more.
        assert_eq!(restored(translated.replace('&', "&amp;"), true).as_deref(), Some(expected), "{text}");
    }
    let dose = MaskedText::new("500mg을 드세요", true);
    let translated = r#"&lt;x/&gt; Don&#39;t take <x id="0">500mg</x> &amp; water"#.to_owned();
    let expected = "<x/> Don't take 500mg & water";
    assert_eq!(dose.restore([translated].into_iter(), true).as_deref(), Some(expected));
}

#[test]
fn a_translation_with_other_numbers_fails() {
    let text = MaskedText::new("하루 3번 500mg씩\n5일 동안 드세요", true);
    let restored = |first: &str, second: &str| text.restore([first.to_owned(), second.to_owned()].into_iter(), true);
    let first = r#"<x id="1">500mg</x> three times a day"#;
    assert_eq!(restored(first, "for 5 days").as_deref(), Some("500mg three times a day\nfor 5 days"));
    assert_eq!(restored(first, "for 15 days"), None);
    assert_eq!(restored(r#"<x id="1">500mg</x> 4 times a day"#, "for 5 days"), None);
    assert_eq!(restored(r#"<x id="1">500mg</x> 3 times for 5 days"#, "take it"), None, "each line has its own numbers");
}

#[test]
fn the_longest_line_is_measured_without_its_spans() {
    for (text, weight) in [("", 0), ("010-1234-5678", 0), ("네\n감사합니다\nok", 10), ("하루 500mg씩", 6)] {
        assert_eq!(MaskedText::new(text, true).longest_line(), weight, "{text}");
    }
}
