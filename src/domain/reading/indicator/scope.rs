//! The scope of a number: per what it is counted, or of what it is a part. It belongs to the name, also behind the colon, since
//! without it the number is another one.
//!
//! ```text
//! scope   := ((each | average | scale | kind)+ (の | で | に | 、)? | what (が | は | を)?)   before a number
//! each    := word? (number unit)+ (あたり | につき | 平均)             児童1人あたり, 1人1日あたり, 1日平均
//!          | word あたり | (1 unit)+                                 世帯あたり, 1人1日
//! average := (月 | 週 | 年 | 年間)? 平均
//! scale   := number unit? (満点中 | 段階中)                           5点満点中
//! kind    := 新規 | 延長 | 男性 …                                     新規10棟以上
//! what    := words (quantity | people)                               7日以内に対応した割合95%以上
//!          | words people の                                         全職員の90%以上
//!          | words が                                                オンライン予約が70%以上
//! ```

use super::{
    is_kind,
    name::{ends_name, ends_with_people, ends_with_quantity, is_one_of, without_particle},
    starts_target,
};
use crate::domain::reading::token::{Kind, Token};

/// Last words of those that say of which kind things are that are counted.
const KINDS: &[&str] = &[
    "新規",
    "新た",
    "延長",
    "総延長",
    "男性",
    "女性",
    "男子",
    "女子",
    "小学校",
    "中学校",
    "小学生",
    "中学生",
];

/// The scope that a target begins with, and what stands behind it. None where no number follows.
pub(super) fn split<'t, 'a>(tokens: &'t [&'a Token<'a>]) -> Option<(&'t [&'a Token<'a>], &'t [&'a Token<'a>])> {
    closed(tokens).or_else(|| what(tokens))
}

/// A scope of known words.
pub(super) fn closed<'t, 'a>(tokens: &'t [&'a Token<'a>]) -> Option<(&'t [&'a Token<'a>], &'t [&'a Token<'a>])> {
    let mut end = 0;
    while let Some(len) = tokens.get(end..).and_then(part) {
        end += len;
    }
    let (scope, behind) = tokens.split_at_checked(end).filter(|_| end > 0)?;
    let number = match behind {
        [joint, number @ ..] if joint.kind == Kind::Separator || matches!(joint.text, "の" | "で" | "に") => number,
        _ => behind,
    };
    starts_with_number(number).then_some((scope, number))
}

fn is_kind_of(word: &Token<'_>) -> bool {
    word.kind == Kind::Other && KINDS.iter().any(|kind| word.text.ends_with(kind)) && !is_each(word)
}

/// Parts the tokens behind a colon in two: the words that say what is measured, and the target.
fn what<'t, 'a>(tokens: &'t [&'a Token<'a>]) -> Option<(&'t [&'a Token<'a>], &'t [&'a Token<'a>])> {
    (1..tokens.len()).rev().find_map(|at| {
        let (words, target) = tokens.split_at_checked(at)?;
        let name = match words.split_last()? {
            (_, people) if ends_with_people(words) && is_share(target) => people,
            (subject, name) if subject.is("が") && ends_name(name) && !is_all(name) => name,
            _ => Some(without_particle(words)).filter(|name| ends_with_quantity(name))?,
        };
        let is_clear = name.iter().all(|token| is_word(token) && !is_each(token));
        (is_clear && starts_target(target.first()?)).then_some((name, target))
    })
}

/// Whether a word says that what follows holds for each of several: it is no one number.
fn is_each(word: &Token<'_>) -> bool {
    ["各", "毎回", "いずれ"].iter().any(|each| word.text.contains(each))
}

/// Whether a subject is all of several: 全区が80%以上.
fn is_all(name: &[&Token<'_>]) -> bool {
    name.iter()
        .any(|word| word.text.starts_with('全') || word.text.starts_with("すべて"))
}

fn is_share(number: &[&Token<'_>]) -> bool {
    matches!(number, [_, unit, ..] if matches!(unit.text, "%" | "割"))
}

/// Whether a token may stand in the words that say what is measured: nothing that refers to something, or says when.
fn is_word(token: &Token<'_>) -> bool {
    use Kind::{
        Average, Change, Done, Each, Ending, Number, Other, Particle, Per, PerTime, Quote, Result, Scale, Separator,
        Sum, Than, Threshold, Unit, Upkeep, Vague,
    };
    matches!(
        token.kind,
        Average
            | Change(_)
            | Done
            | Each
            | Ending
            | Number(_)
            | Other
            | Particle
            | Per
            | PerTime(_)
            | Quote(_)
            | Result
            | Scale
            | Separator
            | Sum
            | Than
            | Threshold(_)
            | Unit
            | Upkeep
            | Vague
    )
}

/// How many tokens the first part of a scope takes.
fn part(tokens: &[&Token<'_>]) -> Option<usize> {
    if tokens.first().is_some_and(|word| is_kind_of(word)) {
        return Some(1);
    }
    let words = usize::from(is_kind(tokens, 0, Kind::Other));
    let mut at = words;
    let mut amounts = 0;
    let mut ones = 0;
    while let [number, unit, ..] = tokens.get(at..)?
        && matches!(number.kind, Kind::Number(_))
        && unit.kind == Kind::Unit
    {
        ones += usize::from(ones == amounts && is_one_of(number, unit));
        amounts += 1;
        at += 2;
    }
    let next = tokens.get(at)?;
    match next.kind {
        Kind::Per if amounts > 0 || words > 0 && matches!(next.text, "あたり" | "当たり" | "当り") => {
            Some(at + 1)
        }
        Kind::Average if amounts > 0 || words == 0 || is_time(tokens.first()?) => Some(at + 1),
        Kind::Lead if at == 0 && is_kind(tokens, 1, Kind::Average) => Some(2),
        Kind::Scale if words == 0 && amounts == 1 => Some(at + 1),
        Kind::Number(_) if words == 0 && amounts == 0 && is_kind(tokens, 1, Kind::Scale) => Some(2),
        _ if words == 0 && ones > 0 && (ones < amounts || matches!(next.kind, Kind::Number(_))) => Some(2 * ones),
        _ => None,
    }
}

fn is_time(token: &Token<'_>) -> bool {
    matches!(token.text, "月" | "週" | "日" | "年" | "年間")
}

fn starts_with_number(tokens: &[&Token<'_>]) -> bool {
    let number = match tokens {
        [lead, number, ..] if matches!(lead.kind, Kind::Lead | Kind::Bound(_) | Kind::PerTime(_)) => number,
        [number, ..] => number,
        [] => return false,
    };
    matches!(number.kind, Kind::Number(numeral) if numeral.has_digits)
}
