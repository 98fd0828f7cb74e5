//! Cuts a printed text into tokens, each with its place. Nothing is joined over blanks, line breaks or marks.

use std::ops::Range;

use super::{
    number,
    plain::Plain,
    token::{Kind, Token},
    vocabulary, years,
};
use crate::value::FiscalYear;

pub(super) mod extent;
#[cfg(test)]
mod tests;

/// The bullets before items of a list.
const BULLETS: &[char] = &[
    '・', '●', '○', '◆', '◇', '■', '□', '▪', '•', '‣', '▶', '►', '*', '①', '②', '③', '④', '⑤', '⑥', '⑦', '⑧', '⑨', '⑩',
];
/// First characters of words that end with 約: 予約, 契約.
const PROMISED: &[char] = &[
    '予', '契', '節', '公', '規', '条', '協', '集', '要', '制', '解', '誓', '成',
];
/// Units that may stand behind a blank.
const KNOWN_UNITS: &[&str] = &[
    "%",
    "件",
    "人",
    "団体",
    "回",
    "か所",
    "世帯",
    "分",
    "秒",
    "時間",
    "割",
    "ポイント",
    "倍",
];

/// Cuts a text in one width into tokens. Bare years (4年度) are read against the policy's year; without it there are none.
pub(super) fn lex<'a>(plain: &'a Plain<'_>, policy_year: Option<FiscalYear>) -> Vec<Token<'a>> {
    Lexer {
        text: &plain.text,
        policy_year,
        tokens: Vec::new(),
    }
    .lexed()
}

struct Lexer<'a> {
    text: &'a str,
    policy_year: Option<FiscalYear>,
    tokens: Vec<Token<'a>>,
}

impl<'a> Lexer<'a> {
    fn lexed(mut self) -> Vec<Token<'a>> {
        let (mut at, mut after_blank) = (0, false);
        while let Some(rest) = self.text.get(at..).filter(|rest| !rest.is_empty()) {
            if let Some(blank) = rest.strip_prefix(' ') {
                (at, after_blank) = (self.text.len() - blank.len(), true);
                continue;
            }
            let (kind, len) = self.next(rest, after_blank);
            self.push(kind, at..at + len, after_blank);
            (at, after_blank) = (at + len, false);
        }
        for (index, token) in self.tokens.iter_mut().enumerate() {
            token.index = index;
        }
        self.tokens
    }

    /// Adds a token; other text that goes on is one token.
    fn push(&mut self, kind: Kind, at: Range<usize>, after_blank: bool) {
        if kind == Kind::Other
            && !after_blank
            && let Some(last) = self.tokens.last_mut().filter(|last| last.kind == Kind::Other)
        {
            last.at.end = at.end;
            last.text = self.text.get(last.at.clone()).unwrap_or_default();
            return;
        }
        if matches!(kind, Kind::Number(_)) {
            self.split_per(after_blank);
        }
        let text = self.text.get(at.clone()).unwrap_or_default();
        self.tokens.push(Token {
            kind,
            text,
            at,
            after_blank,
            index: 0,
        });
    }

    /// Makes the end of the text before a number a token of its own, where it says per what the number is counted. Before a blank
    /// it is the whole word.
    fn split_per(&mut self, before_blank: bool) {
        let Some(last) = self.tokens.last_mut().filter(|last| last.kind == Kind::Other) else {
            return;
        };
        let ends = |word: &&&str| last.text == **word || !before_blank && last.text.ends_with(**word);
        let Some(word) = vocabulary::PER.iter().filter(ends).max_by_key(|word| word.len()) else {
            return;
        };
        let end = last.at.end;
        let start = end - word.len();
        let after_blank = last.after_blank && last.at.start == start;
        last.at.end = start;
        last.text = self.text.get(last.at.clone()).unwrap_or_default();
        if last.text.is_empty() {
            self.tokens.pop();
        }
        let text = self.text.get(start..end).unwrap_or_default();
        self.tokens.push(Token {
            kind: Kind::Per,
            text,
            at: start..end,
            after_blank,
            index: 0,
        });
    }

    fn last(&self) -> Option<Kind> {
        self.tokens.last().map(|token| token.kind)
    }

    /// The token that the rest of the text begins with, and its length.
    fn next(&self, rest: &'a str, after_blank: bool) -> (Kind, usize) {
        let first = rest.chars().next().unwrap_or_default();
        if matches!(self.last(), Some(Kind::Number(_))) {
            let len = extent::unit(rest);
            let is_known = || KNOWN_UNITS.contains(&rest.get(..len).unwrap_or_default());
            if len > 0 && (!after_blank || is_known()) {
                return (Kind::Unit, len);
            }
        }
        let goes_on = !after_blank
            && self
                .tokens
                .last()
                .is_some_and(|last| last.text.ends_with(char::is_alphanumeric));
        let is_letter = |c: char| c.is_ascii_alphanumeric();
        let spelled = !after_blank && self.tokens.last().is_some_and(|last| last.text.ends_with(is_letter));
        if let Some(year) = years::leading(rest, self.policy_year).filter(|_| !spelled || !first.is_ascii()) {
            return year;
        }
        if let Some((word, kind)) = vocabulary::leading(rest)
            && self.takes_its_place(word, kind, rest, after_blank)
        {
            return (kind, word.len());
        }
        if first.is_ascii_digit() || number::is_kanji(first) {
            // .5 is no 5.
            let is_cut = !after_blank && self.tokens.last().is_some_and(|last| last.text.ends_with('.'));
            return match number::leading(rest).filter(|_| !is_cut) {
                // A number in kanji alone is one only where a number can stand.
                Some(read) if !read.has_digits && goes_on && self.last() == Some(Kind::Other) => {
                    (Kind::Other, first.len_utf8())
                }
                Some(read) => (Kind::Number(read), read.len),
                None if first.is_ascii_digit() => (Kind::Odd, extent::odd(rest)),
                None => (Kind::Other, first.len_utf8()),
            };
        }
        let kind = match first {
            _ if self.tokens.iter().all(|token| token.kind == Kind::Mark) && BULLETS.contains(&first) => Kind::Mark,
            '(' => Kind::Open,
            ')' => Kind::Close,
            '「' | '『' => Kind::Quote(true),
            '」' | '』' => Kind::Quote(false),
            ':' | '=' => Kind::Colon,
            '、' | ',' | '・' | ';' => Kind::Separator,
            '。' => Kind::Stop,
            '-' | '―' | '—' | '─' => Kind::Dash,
            'ー' if !goes_on => Kind::Dash,
            '~' => Kind::Tilde,
            '→' => Kind::Arrow,
            '/' => Kind::Slash,
            '▲' | '△' => Kind::Sign(true),
            '+' => Kind::Sign(false),
            _ if first.is_numeric() => Kind::Odd,
            _ => Kind::Other,
        };
        (kind, first.len_utf8())
    }

    /// Whether a word of the vocabulary is that word in this place, and not a part of another one.
    fn takes_its_place(&self, word: &str, kind: Kind, rest: &str, after_blank: bool) -> bool {
        let within_word = !after_blank && self.last() == Some(Kind::Other);
        let after_time = !after_blank
            && matches!(
                self.last(),
                Some(Kind::Year(_) | Kind::ThisYear | Kind::Previous(_) | Kind::Date(_))
            );
        let ends_with = |is: &dyn Fn(char) -> bool| self.tokens.last().is_some_and(|last| last.text.ends_with(is));
        let next = rest.get(word.len()..).and_then(|rest| rest.chars().next());
        let behind = rest.get(word.len()..).unwrap_or_default().trim_start();
        let before_number = behind.starts_with(|c: char| c.is_ascii_digit())
            || matches!(
                vocabulary::leading(behind),
                Some((_, Kind::Lead | Kind::Sum | Kind::About))
            );
        match kind {
            // ≧ is no part of a word.
            Kind::Bound(_) => !within_word || !word.contains(char::is_alphanumeric),
            Kind::External | Kind::ThisYear => !within_word,
            Kind::All if word == "全" => !within_word && before_number,
            Kind::All => !after_blank && matches!(self.last(), Some(Kind::Number(_) | Kind::Unit)),
            // 晩年, 遅延
            Kind::Lead => before_number && !(within_word && matches!(word, "年" | "年に" | "延")),
            Kind::PerTime(_) => before_number && !within_word,
            Kind::Within => after_time,
            Kind::AsOf => word != "末" || after_time,
            Kind::Sum => word != "計" || !within_word || after_time,
            // 予約 is another word.
            Kind::About if word == "約" => !(within_word && ends_with(&|c| PROMISED.contains(&c))),
            // ゼロカーボン and スキルアップ are other words.
            _ if word.starts_with(is_katakana) => {
                !(next.is_some_and(is_katakana) || within_word && ends_with(&is_katakana))
            }
            _ => true,
        }
    }
}

fn is_katakana(c: char) -> bool {
    ('ァ'..='ー').contains(&c)
}
