//! Web addresses, which may have letters of any script in their host and path. Where words follow without a space, as
//! in `https://damso.example/예약에서`, the address ends with the script, or before a Korean particle.

use std::ops::Range;
use std::sync::LazyLock;

use icu_properties::props::Script;
use regex_lite::Regex;

use super::script::script;

/// How far to look for another part of an address.
const MAX_LOOKAHEAD: usize = 40;

#[expect(clippy::expect_used, reason = "the pattern is a constant that every test compiles")]
static START: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?i)https?://|www\.").expect("a valid pattern"));

/// The addresses in a text, in bytes.
pub(super) fn find(text: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for start in START.find_iter(text) {
        let is_new = found.last().is_none_or(|last| last.end <= start.start());
        let length = if is_new { length(&text[start.end()..]) } else { 0 };
        if length > 0 {
            found.push(start.start()..start.end() + length);
        }
    }
    found
}

/// The length of an address without its scheme.
fn length(rest: &str) -> usize {
    let mut end = 0;
    let mut is_host = true;
    let mut is_ascii = true;
    let mut before = '/';
    // The script of the letters since the last sign.
    let mut word: Option<Script> = None;
    for (at, c) in rest.char_indices() {
        if c.is_ascii() {
            if !(c.is_ascii_alphanumeric() || "-._~:/?#[]@!$&'()*+,;=%".contains(c)) {
                break;
            }
            if !before.is_ascii() && starts_address(&rest[at..]) {
                break;
            }
            is_host &= !matches!(c, '/' | '?' | '#');
            word = match c {
                // In `서울_지하철_2호선`, a digit belongs to a word; after `/r/12345`, a sentence may go on.
                '0'..='9' if !is_ascii => word.or(Some(Script::Common)),
                _ => c.is_ascii_alphanumeric().then_some(Script::Latin),
            };
            if word.is_some() || "-_~/=&%#".contains(c) {
                end = at + 1;
            }
        } else if is_mark(c) && word.is_some() {
            end = at + c.len_utf8();
        } else if c.is_alphanumeric() {
            let follows = word.is_some_and(|word| follows_word(word, script(c), before, &rest[at..]));
            let starts = word.is_none() && (is_host || !".,:;!'()[]*$@".contains(before));
            if !(follows || starts || continues(&rest[at..], is_host)) {
                break;
            }
            let is_neutral = matches!(script(c), Script::Common | Script::Inherited);
            word = if is_neutral { word.or(Some(Script::Common)) } else { Some(script(c)) };
            end = at + c.len_utf8();
            is_ascii &= is_host;
        } else {
            break;
        }
        before = c;
    }
    end - particle(&rest[..end])
}

fn starts_address(rest: &str) -> bool {
    let is_start = |start: &&str| rest.get(..start.len()).is_some_and(|rest| rest.eq_ignore_ascii_case(start));
    ["https://", "http://", "www."].iter().any(is_start)
}

/// Characters that are neither letters nor signs: accents, vowel killers, joiners.
fn is_mark(c: char) -> bool {
    !c.is_alphanumeric() && script(c) == Script::Inherited && !c.is_whitespace() || is_vowel_killer(c)
}

fn is_vowel_killer(c: char) -> bool {
    matches!(
        c,
        '\u{94d}' | '\u{9cd}' | '\u{a4d}' | '\u{acd}' | '\u{b4d}' | '\u{bcd}' | '\u{c4d}' | '\u{ccd}' | '\u{d4d}'
    ) || matches!(c, '\u{dca}' | '\u{e47}'..='\u{e4e}' | '\u{103a}' | '\u{17d2}')
}

/// Whether a letter belongs to the same word of an address as the letters before it.
fn follows_word(word: Script, next: Script, before: char, rest: &str) -> bool {
    let is_japanese = |script| matches!(script, Script::Han | Script::Hiragana | Script::Katakana);
    if next == Script::Hiragana && (is_japanese(word) || word == Script::Common) {
        let is_word_start = script(before) != Script::Hiragana;
        return !(rest.starts_with('を') || is_word_start && starts_with_particle(rest));
    }
    word == next || word == Script::Common || next == Script::Common || (is_japanese(word) && is_japanese(next))
}

/// After Chinese characters or katakana, these end a Japanese address.
fn starts_with_particle(rest: &str) -> bool {
    ["は", "が", "に", "で", "へ", "と", "の", "も", "や", "から", "まで", "より", "です", "だ"]
        .iter()
        .any(|particle| rest.starts_with(particle))
}

/// Whether the address goes on after the letters at the start of `rest`.
fn continues(rest: &str, is_host: bool) -> bool {
    let mut letters = rest.chars().take(MAX_LOOKAHEAD).skip_while(|c| c.is_alphanumeric());
    match letters.next() {
        Some('/' | '?' | '=' | '&' | '#' | '%' | '_') => true,
        Some('.') => is_host && letters.next().is_some_and(char::is_alphanumeric),
        _ => false,
    }
}

/// Whether a syllable before a particle must have a final consonant.
#[derive(Clone, Copy)]
enum After {
    Any,
    Consonant,
    Vowel,
    /// `로` follows the consonant `ㄹ` as well.
    VowelOrRieul,
}

/// Korean particles that follow an address without a space.
const PARTICLES: [(&str, After); 48] = [
    ("에서는", After::Any),
    ("에서도", After::Any),
    ("에서", After::Any),
    ("에게서", After::Any),
    ("에게", After::Any),
    ("에는", After::Any),
    ("에도", After::Any),
    ("에", After::Any),
    ("으로는", After::Consonant),
    ("으로도", After::Consonant),
    ("으로", After::Consonant),
    ("로는", After::VowelOrRieul),
    ("로도", After::VowelOrRieul),
    ("로", After::VowelOrRieul),
    ("까지", After::Any),
    ("부터", After::Any),
    ("하고", After::Any),
    ("처럼", After::Any),
    ("보다", After::Any),
    ("이랑", After::Consonant),
    ("이나", After::Consonant),
    ("이며", After::Consonant),
    ("이고", After::Consonant),
    ("이라는", After::Consonant),
    ("이라고", After::Consonant),
    ("라는", After::Vowel),
    ("라고", After::Vowel),
    ("입니다", After::Any),
    ("입니다만", After::Any),
    ("인데요", After::Any),
    ("인데", After::Any),
    ("이에요", After::Consonant),
    ("예요", After::Vowel),
    ("에요", After::Any),
    ("이요", After::Consonant),
    ("요", After::Vowel),
    ("을", After::Consonant),
    ("를", After::Vowel),
    ("은", After::Consonant),
    ("는", After::Vowel),
    ("이", After::Consonant),
    ("가", After::Vowel),
    ("과", After::Consonant),
    ("와", After::Vowel),
    ("의", After::Any),
    ("도", After::Any),
    ("만", After::Any),
    ("께", After::Any),
];

/// Nouns that end like a particle.
const NOUNS: [&str; 52] = [
    "문의",
    "회의",
    "주의",
    "동의",
    "강의",
    "합의",
    "논의",
    "건의",
    "결과",
    "효과",
    "안과",
    "인과",
    "신과",
    "경과",
    "의학과",
    "학과",
    "성과",
    "통과",
    "지도",
    "온도",
    "속도",
    "제도",
    "제주도",
    "강원도",
    "경기도",
    "휴가",
    "평가",
    "국가",
    "작가",
    "전문가",
    "허가",
    "추가",
    "증가",
    "물가",
    "가을",
    "마을",
    "노을",
    "대로",
    "회로",
    "피로",
    "을지로",
    "어린이",
    "종이",
    "길이",
    "높이",
    "놀이",
    "먹이",
    "맞이",
    "불만",
    "비만",
    "중요",
    "필요",
];

/// The length of the Korean particle at the end of an address.
fn particle(address: &str) -> usize {
    let is_hangul = |c: char| ('\u{ac00}'..='\u{d7a3}').contains(&c);
    let word = &address[address.trim_end_matches(is_hangul).len()..];
    if NOUNS.iter().any(|noun| word.ends_with(noun)) {
        return 0;
    }
    let fits = |(particle, after): &(&str, After)| {
        if word == *particle {
            return Some(word.len());
        }
        let before = word.strip_suffix(particle)?.chars().next_back()?;
        let last_consonant = (u32::from(before) - u32::from('가')) % 28;
        let fits = match after {
            After::Any => true,
            After::Consonant => last_consonant != 0,
            After::Vowel => last_consonant == 0,
            After::VowelOrRieul => last_consonant == 0 || last_consonant == 8,
        };
        fits.then_some(particle.len())
    };
    PARTICLES.iter().filter_map(fits).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        find(text).into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn letters_of_any_script_belong_to_an_address() {
        for address in [
            "https://병원.한국/예약",
            "https://병원.한국",
            "http://病院.jp/頭痛",
            "https://医院.中国/预约/挂号?科=内科#时间",
            "https://больница.рф/запись",
            "https://مستشفى.مصر/حجز",
            "https://ja.wikipedia.org/wiki/お好み焼き",
            "https://ja.wikipedia.org/wiki/カルテ",
            "https://ko.wikipedia.org/wiki/서울_지하철_2호선",
            "https://damso.example/2026년/예약",
            "https://damso.example/여자의/방",
            "https://damso.example/女の子/部屋",
            "https://de.wikipedia.org/wiki/Müller-Straße",
            "https://hi.wikipedia.org/wiki/दिल्ली",
            "https://th.wikipedia.org/wiki/กรุงเทพ",
            "www.병원.kr/진료?과=내과&날짜=내일",
            "https://damso.example/지도",
            "https://damso.example/검사결과",
            "https://damso.example/내과",
            "https://damso.example/산부인과",
            "https://damso.example/문의",
            "https://damso.example/가을",
            "HTTPS://DAMSO.EXAMPLE/a?u=https://b.kr/c",
        ] {
            for (before, after) in
                [("", ""), ("예약: ", " 여기"), ("(", ")"), ("「", "」"), ("予約は", "。"), ("→", ", 그리고")]
            {
                let text = format!("{before}{address}{after}");
                assert_eq!(found(&text), [address], "{text}");
            }
        }
    }

    #[test]
    fn particles_and_words_end_an_address() {
        for (address, after) in [
            ("https://damso.example/", "에서 보세요"),
            ("https://damso.example", "에서 보세요"),
            ("https://damso.example/예약", "에서 보세요"),
            ("https://damso.example/예약", "을 보세요"),
            ("https://damso.example/예약", "은 여기"),
            ("https://damso.example/지도", "를 보세요"),
            ("https://damso.example/지도", "로 오세요"),
            ("https://damso.example/예약", "으로 오세요"),
            ("https://damso.example/예약", "이 안 돼요"),
            ("https://damso.example/안내", "가 있어요"),
            ("https://damso.example/안내", "와 같아요"),
            ("https://damso.example/예약", "입니다."),
            ("https://병원.한국", "에서 예약"),
            ("https://병원.한국/예약2", "에서"),
            ("https://damso.example/map", "를 보세요"),
            ("https://damso.example/map", ".다음은"),
            ("https://damso.example/頭痛", "を見てください"),
            ("https://damso.example/頭痛", "は"),
            ("https://damso.example/カルテ", "で確認"),
            ("https://damso.example/お知らせ", "を見て"),
            ("https://damso.example/map", "を見て"),
            ("https://damso.example/预约", "，谢谢"),
            ("https://a.kr/예약", "에서https://b.kr/안내에서"),
            ("https://damso.example/예약", "\u{3000}에서"),
        ] {
            let text = format!("보기 {address}{after}");
            assert_eq!(found(&text).first(), Some(&address), "{text}");
        }
        for text in ["http:// a", "www. 병원", "httpswww"] {
            assert_eq!(found(text), Vec::<&str>::new(), "{text}");
        }
    }
}
