use crate::tests::found;
use crate::{Kind, MaskedText, redact_context, redact_personal_numbers, spans};

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
        assert_eq!(digits(&sent(&text)), "", "{number}");
        assert!(!redact_personal_numbers(&text).contains(number), "{number}");
    }
}

/// Known numbers, with `_` between the digits.
const KNOWN: [&str; 20] = [
    "4111_1111_1111_1111",
    "3782_822463_10005",
    "5555_5555_5555_4444",
    "9410_8512_3456_7890",
    "010_1234_5678",
    "02_123_4567",
    "0505_123_4567",
    "090_1234_5678",
    "03_1234_5678",
    "0120_123_456",
    "138_1234_5678",
    "06_12_34_56_78",
    "+82_10_1234_5678",
    "+1_415_555_2671",
    "0082_10_1234_5678",
    "900101_1234567",
    "900101_5234567",
    "1234_5678_9018",
    "110105_19491231_002X",
    "M_1234_5678",
];

#[test]
fn known_numbers_are_redacted_whatever_separates_them() {
    let separators = [
        ", ",
        ",",
        "，",
        "、",
        "; ",
        "\n",
        "\r\n",
        "\r",
        "\u{2028}",
        "\n\n",
        " \n ",
        "-\n",
        "      ",
        "\t\t",
        " — ",
        "——",
        "⸻",
        "ㅡ",
        "➖",
        "─",
        "〜",
        "~",
        " / ",
        " | ",
        "*",
        ":",
        " ・ ",
        "\u{3000}\u{3000}",
        "\u{200b} \u{200b}",
        ") (",
        "] [",
        "\" \"",
        " … ",
        "\u{3164}",
    ];
    for number in KNOWN {
        for separator in separators {
            let written = number.replace('_', separator);
            for (text, harmless) in [
                (format!("번호는 {written}입니다"), ""),
                (format!("101, 102호, {written} 그리고 3일"), "1011023"),
                (format!("101, 102호\n번호:\n{written}\n그리고 3일"), "1011023"),
            ] {
                assert_eq!(digits(&redact_personal_numbers(&text)), harmless, "{text:?}");
                assert_eq!(digits(&sent(&text)), harmless, "{text:?}");
                let masked = MaskedText::new(&text, true);
                assert_eq!(masked.restore(masked.segments(true).into_iter(), true), Some(text));
            }
        }
    }
}

#[test]
fn other_forms_of_numbers_are_redacted() {
    for number in [
        // Passports in any spacing.
        "M 12345678",
        "M-12345678",
        "M1234 5678",
        "m 1234-5678",
        "M\n12345678",
        "M 1 2 3 4 5 6 7 8",
        "M123 A 4567",
        "M-123-A-4567",
        "TK 1234567",
        "TK1234 567",
        "T K 123 4567",
        "E 12345678",
        "EA 1234567",
        "E, 1234, 5678",
        "S 1234567 D",
        "Ｍ　１２３４　５６７８",
        // Spelled digit by digit.
        "0, 1, 0, 1, 2, 3, 4, 5, 6, 7, 8",
        "4,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1",
        // Cut by a line break within a group.
        "010-1234-56\n78",
        "010-12\n34-5678",
        "4111 1111 11\n11 1111",
        "1234 56\n78 9018",
        "900101-12\n34567",
        // Years that are part of a number.
        "010-1999-2001",
        "010, 1999, 2001",
        "90.01.01, 1234567",
        // Han digits, and a Han digit as a dash.
        "〇九〇-一二三四-五六七八",
        "〇九〇、一二三四、五六七八",
        "010一1234一5678",
        // Digits of several scripts.
        "٠٥٠، ١٢٣٤، ٥٦٧٨",
        "０１０，１２３４，５６７８",
    ] {
        let text = format!("제 번호는 {number}입니다");
        let is_digit = |c: &char| c.is_numeric() || "〇一二三四五六七八九".contains(*c);
        assert_eq!(sent(&text).chars().filter(is_digit).collect::<String>(), "", "{text:?}: {:?}", sent(&text));
        assert!(!redact_personal_numbers(&text).contains(|c| is_digit(&c)), "{text:?}");
    }
}

#[test]
fn number_continued_in_the_text_is_redacted_in_its_context() {
    assert_eq!(redact_context("제 번호는 010\n1234", "5678이에요"), "제 번호는 …");
    assert_eq!(redact_context("101호예요\n3층", "5678이에요"), "101호예요\n3층");
    assert_eq!(redact_context("010-1234-5678", ""), "…");
}

fn digits(text: &str) -> String {
    text.chars().filter(|c| c.is_numeric()).collect()
}

/// What is sent of a text, without tags.
fn sent(text: &str) -> String {
    let segments = MaskedText::new(text, true).segments(true).join("\n");
    let without_tag = |part: &str| part.split_once('>').map_or(part, |(_, text)| text).to_owned();
    segments.split("<").map(without_tag).collect()
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
        // Lists.
        "101, 102, 103, 104, 105호",
        "1201, 1305, 1402, 1507호",
        "2301, 2302, 2303, 2304호",
        "120, 130, 125, 118, 140, 122, 135",
        "120\n130\n125\n118\n140\n122\n135",
        "혈압 120/80, 130/85, 125/82, 118/76, 140/90",
        "체온 36.5, 37.2, 38.1, 36.9, 37.0",
        "0.05, 0.12, 0.35, 0.40, 0.55",
        "0,05; 0,12; 0,35; 0,40; 0,55",
        "+1.50, +2.00, -0.75, +1.25",
        "+1, +2, +3, +4, +5, +10, +20, +30",
        "5200, 4800, 6100, 5900",
        "35,000원, 42,000원, 128,000원, 1,500,000원",
        "1,005,000, 2,010,000, 3,050,000",
        "1.005.000 ₫, 2.010.000 ₫, 3.050.000 ₫",
        "35000, 42000, 128000, 55000",
        "$10, $20, $30, $400, $5000",
        "09:00, 10:30, 11:45, 13:20, 14:30",
        "09:00~12:30, 13:30~18:00",
        "0900, 1030, 1200, 1330",
        "01, 02, 03, 04, 05, 06일",
        "03, 10, 17, 24, 31일",
        "7/15, 7/22, 8/05, 8/12",
        "07/15, 08/20, 101호",
        "2026.11.20, 2026.11.27, 2026.12.04",
        "2026-11-20\n2026-11-27\n2026-12-04",
        "2018, 2019, 2020, 2021년",
        "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10",
        "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16",
        "5 mg, 10 mg, 20 mg, 500 mg, 1000 mg",
        "BP 120, 80, 72",
        "HR 72, 75, 80, 78",
        "A 1201, 1202호",
        "A101, A102, B2034",
        "비타민 D 1000, 2000",
        "Rp 1500000",
        "A 101, 102, 103",
        "3월 5일, 6일, 7일 14시, 15시",
        "二〇二六年十一月二十日",
        "一、二、三、四、五、六、七、八、九、十",
    ] {
        assert!(spans(text).iter().all(|span| span.kind == Kind::Protected), "{text}: {:?}", found(text));
    }
}
