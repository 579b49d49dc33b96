//! A parser of Rust files that finds their modules, items and paths.

use std::collections::BTreeSet;

/// What matters of a file or an inline module.
#[derive(Debug, Default)]
pub struct Source {
    /// The names of the items that it defines.
    pub items: BTreeSet<String>,
    pub uses: Vec<Use>,
    /// The modules in files of their own.
    pub modules: Vec<String>,
    /// The inline modules: the name, whether it is a test module, and the contents.
    pub inline: Vec<(String, bool, Source)>,
    /// The code outside of `use` and of inline modules.
    pub tokens: Vec<Token>,
}

/// One name that a `use` imports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    pub path: Vec<String>,
    /// The name in this module.
    pub name: String,
    pub is_glob: bool,
    pub is_public: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Token {
    Name(String),
    PathSeparator,
    Other(char),
}

impl Source {
    pub fn parse(text: &str) -> Self {
        Self::of(&tokens(text))
    }

    fn of(tokens: &[Token]) -> Self {
        let mut source = Self::default();
        let mut depth = 0_usize;
        let mut at = 0;
        // Whether the current item is public, and whether it is compiled only for tests.
        let mut is_public = false;
        let mut is_test = false;
        while at < tokens.len() {
            match &tokens[at] {
                Token::Name(word) if word == "use" => {
                    let end = end_of_use(tokens, at);
                    if !is_test {
                        read_use(&tokens[at + 1..end], is_public, &mut source.uses);
                    }
                    at = end;
                    (is_public, is_test) = (false, false);
                }
                Token::Name(word) if word == "mod" && depth == 0 => {
                    let Some(Token::Name(name)) = tokens.get(at + 1) else { break };
                    if tokens.get(at + 2) == Some(&Token::Other('{')) {
                        let end = closing(tokens, at + 2);
                        source.inline.push((name.clone(), is_test, Self::of(&tokens[at + 3..end])));
                        at = end;
                    } else {
                        source.modules.push(name.clone());
                        at += 2;
                    }
                    (is_public, is_test) = (false, false);
                }
                Token::Name(word) if word == "pub" => is_public = true,
                Token::Name(word) if depth == 0 && DEFINES.contains(&word.as_str()) => {
                    // In `const fn` the last keyword is the one with the name.
                    if let Some(Token::Name(name)) = tokens.get(at + 1)
                        && !DEFINES.contains(&name.as_str())
                    {
                        source.items.insert(name.clone());
                    }
                    source.tokens.push(tokens[at].clone());
                }
                Token::Other('#') if tokens.get(at + 1) == Some(&Token::Other('[')) => {
                    let end = closing(tokens, at + 1);
                    is_test |= tokens[at..end].contains(&Token::Name("test".to_owned()))
                        && tokens[at..end].contains(&Token::Name("cfg".to_owned()));
                    source.tokens.extend_from_slice(&tokens[at..end]);
                    at = end;
                }
                token => {
                    match token {
                        Token::Other('{') => depth += 1,
                        Token::Other('}') => depth = depth.saturating_sub(1),
                        _ => {}
                    }
                    if matches!(token, Token::Other(';' | '{' | '}')) {
                        (is_public, is_test) = (false, false);
                    }
                    source.tokens.push(token.clone());
                }
            }
            at += 1;
        }
        source
    }
}

/// Keywords that are followed by the name of the item that they define.
const DEFINES: [&str; 9] = ["fn", "struct", "enum", "union", "trait", "type", "const", "static", "macro_rules"];

/// Where the bracket at `open` is closed.
fn closing(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token {
            Token::Other('{' | '[' | '(') => depth += 1,
            Token::Other('}' | ']' | ')') => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at;
        }
    }
    tokens.len()
}

fn end_of_use(tokens: &[Token], start: usize) -> usize {
    let end = tokens[start..].iter().position(|token| *token == Token::Other(';'));
    end.map_or(tokens.len(), |length| start + length)
}

/// Reads what is between `use` and its semicolon.
fn read_use(tokens: &[Token], is_public: bool, uses: &mut Vec<Use>) {
    let mut prefix: Vec<String> = Vec::new();
    // The length of the prefix at each open brace.
    let mut outer: Vec<usize> = Vec::new();
    let mut alias: Option<String> = None;
    let mut is_glob = false;
    let mut at = 0;
    while at <= tokens.len() {
        match tokens.get(at) {
            Some(Token::Name(word)) if word == "as" => {
                if let Some(Token::Name(name)) = tokens.get(at + 1) {
                    alias = Some(name.clone());
                }
                at += 1;
            }
            Some(Token::Name(name)) => prefix.push(name.clone()),
            Some(Token::Other('*')) => is_glob = true,
            Some(Token::Other('{')) => outer.push(prefix.len()),
            Some(Token::PathSeparator) => {}
            end @ (Some(Token::Other(',' | '}')) | None) => {
                let kept = outer.last().copied().unwrap_or_default();
                if prefix.len() > kept || is_glob {
                    let mut path = prefix.clone();
                    if path.last().is_some_and(|last| last == "self") && path.len() > 1 {
                        path.pop();
                    }
                    let name = alias.take().or_else(|| path.last().cloned()).unwrap_or_default();
                    uses.push(Use { path, name, is_glob, is_public });
                }
                (is_glob, alias) = (false, None);
                prefix.truncate(kept);
                if end == Some(&Token::Other('}')) {
                    outer.pop();
                    // The path before this brace is complete as well.
                    prefix.truncate(outer.last().copied().unwrap_or_default());
                }
            }
            Some(Token::Other(_)) => {}
        }
        at += 1;
    }
}

/// The tokens of a text without its comments, strings and numbers.
fn tokens(text: &str) -> Vec<Token> {
    let chars: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    while at < chars.len() {
        let here = chars[at];
        let next = chars.get(at + 1).copied().unwrap_or_default();
        match here {
            '/' if next == '/' => {
                while at < chars.len() && chars[at] != '\n' {
                    at += 1;
                }
            }
            '/' if next == '*' => at = end_of_comment(&chars, at),
            '"' => at = end_of_string(&chars, at),
            '\'' => {
                // Unlike a lifetime, a character literal ends with a quote.
                let is_char = next == '\\' || chars.get(at + 2) == Some(&'\'');
                if is_char {
                    at += if next == '\\' { 3 } else { 2 };
                    while at < chars.len() && chars[at] != '\'' {
                        at += 1;
                    }
                    at += 1;
                } else {
                    at += 1;
                    while at < chars.len() && is_name(chars[at]) {
                        at += 1;
                    }
                }
            }
            ':' if next == ':' => {
                tokens.push(Token::PathSeparator);
                at += 2;
            }
            '!' if tokens.last() == Some(&Token::Name("macro_rules".to_owned())) => at += 1,
            c if is_name(c) => {
                let start = at;
                while at < chars.len() && is_name(chars[at]) {
                    at += 1;
                }
                let word: String = chars[start..at].iter().collect();
                match chars.get(at) {
                    Some('"') if ["b", "c"].contains(&word.as_str()) => at = end_of_string(&chars, at),
                    Some('"' | '#') if ["r", "br", "cr"].contains(&word.as_str()) => at = end_of_raw_string(&chars, at),
                    Some('\'') if word == "b" => {}
                    _ if c.is_numeric() => tokens.push(Token::Other('0')),
                    _ => tokens.push(Token::Name(word)),
                }
            }
            c if c.is_whitespace() => at += 1,
            c => {
                tokens.push(Token::Other(c));
                at += 1;
            }
        }
    }
    tokens
}

fn end_of_comment(chars: &[char], start: usize) -> usize {
    let mut depth = 0_usize;
    let mut at = start;
    while at + 1 < chars.len() {
        match (chars[at], chars[at + 1]) {
            ('/', '*') => {
                depth += 1;
                at += 2;
            }
            ('*', '/') => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    chars.len()
}

fn end_of_string(chars: &[char], start: usize) -> usize {
    let mut at = start + 1;
    while at < chars.len() && chars[at] != '"' {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}

fn end_of_raw_string(chars: &[char], start: usize) -> usize {
    let hashes = chars[start..].iter().take_while(|c| **c == '#').count();
    if chars.get(start + hashes) != Some(&'"') {
        // A raw identifier.
        return start + hashes;
    }
    let mut at = start + hashes + 1;
    while at < chars.len() {
        if chars[at] == '"' && chars[at + 1..].iter().take_while(|c| **c == '#').count() >= hashes {
            return at + 1 + hashes;
        }
        at += 1;
    }
    chars.len()
}
