//! The scope of a number: per what it is counted, or of what it is a part. It belongs to the name, also behind the colon, since
//! without it the number is another one.
//!
//! ```text
//! scope   := (each | average | scale)+ (の | で | 、)?                before a number
//! each    := word? (number unit)+ (あたり | につき | 平均)             児童1人あたり, 1人1日あたり, 1日平均
//!          | word あたり | (1 unit)+                                 世帯あたり, 1人1日
//! average := (月 | 週 | 年 | 年間)? 平均
//! scale   := number unit? (満点中 | 段階中)                           5点満点中
//! ```

use super::is_kind;
use crate::domain::reading::token::{Kind, Token};

/// The scope that a target begins with, and what stands behind it. None where no number follows.
pub(super) fn split<'t, 'a>(tokens: &'t [&'a Token<'a>]) -> Option<(&'t [&'a Token<'a>], &'t [&'a Token<'a>])> {
    let mut end = 0;
    while let Some(len) = tokens.get(end..).and_then(part) {
        end += len;
    }
    let (scope, behind) = tokens.split_at_checked(end).filter(|_| end > 0)?;
    let number = match behind {
        [joint, number @ ..] if joint.kind == Kind::Separator || matches!(joint.text, "の" | "で") => number,
        _ => behind,
    };
    starts_with_number(number).then_some((scope, number))
}

/// How many tokens the first part of a scope takes.
fn part(tokens: &[&Token<'_>]) -> Option<usize> {
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

/// Whether a number is that of each person or day: 1人.
pub(super) fn is_one_of(number: &Token<'_>, unit: &Token<'_>) -> bool {
    number.is("1") && matches!(unit.text, "人" | "日" | "回" | "世帯" | "年" | "か月")
}

fn is_time(token: &Token<'_>) -> bool {
    matches!(token.text, "月" | "週" | "日" | "年" | "年間")
}

fn starts_with_number(tokens: &[&Token<'_>]) -> bool {
    let number = match tokens {
        [lead, number, ..] if matches!(lead.kind, Kind::Lead | Kind::Bound(_)) => number,
        [number, ..] => number,
        [] => return false,
    };
    matches!(number.kind, Kind::Number(numeral) if numeral.has_digits)
}
