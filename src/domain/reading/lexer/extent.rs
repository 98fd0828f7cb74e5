//! How far units go, and what looks like a number and is none.

use super::Kind;
use crate::domain::reading::{number, vocabulary};

/// The most characters of a unit.
pub(in super::super) const MOST_UNIT: usize = 10;

/// How many bytes of a text look like a number and are none: a fraction, 1,0,0.
pub(super) fn odd(text: &str) -> usize {
    let run = |text: &str| {
        let is_part = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',') || number::is_kanji(c);
        text.find(|c| !is_part(c)).unwrap_or(text.len())
    };
    let len = run(text);
    let rest = text.get(len..).unwrap_or_default();
    let divisor = rest.strip_prefix("分の").or_else(|| rest.strip_prefix('/'));
    divisor.map_or(len, |divisor| text.len() - divisor.len() + run(divisor))
}

/// How many bytes of a text behind a number are its unit: up to the next word that goes on with the target.
pub(super) fn unit(text: &str) -> usize {
    for unit in ["%ポイント", "%pt", "%", "‰", "ポイント", "pt"] {
        if text.starts_with(unit) {
            return unit.len();
        }
    }
    let mut end = 0;
    for (count, c) in text.chars().enumerate() {
        let rest = text.get(end..).unwrap_or_default();
        let is_hiragana = ('ぁ'..='ゖ').contains(&c);
        let counter = ["か所", "か月", "か国", "か年"].iter().any(|it| rest.starts_with(it)) || end == 0 && c == 'つ';
        let is_unit = c.is_alphabetic() && !is_hiragana || matches!(c, '/' | '㎡' | '℃' | 'ー');
        if !(is_unit || counter) || ends_unit(rest) {
            return end;
        }
        if count == MOST_UNIT {
            // No unit is longer.
            return 0;
        }
        end += c.len_utf8();
        if c == 'つ' && !text.get(end..).is_some_and(|rest| rest.starts_with('/')) {
            return end;
        }
    }
    end
}

/// Whether the text behind a unit begins with a word that is no part of the unit.
fn ends_unit(rest: &str) -> bool {
    use Kind::{
        About, All, Average, Change, Done, Each, Joined, Label, Level, Per, Previous, Scale, Sum, Threshold, Undecided,
        Upkeep, Vague,
    };
    // 30分 is a time, 5計画 five plans, and 5全集 five editions.
    vocabulary::leading(rest)
        .filter(|(word, _)| !matches!(*word, "分" | "計" | "全"))
        .is_some_and(|(_, kind)| {
            matches!(
                kind,
                Threshold(_)
                    | Change(_)
                    | Upkeep
                    | Level
                    | About
                    | All
                    | Vague
                    | Scale
                    | Per
                    | Previous(_)
                    | Average
                    | Joined
                    | Label
                    | Undecided
                    | Each
                    | Sum
                    | Done
            )
        })
}
