//! Targets that refer to another year's result: 前年度実績を上回る, 令和3年度末より4ポイント増加, 毎年3ポイント減少.

use super::{COMPARATORS, Comparator, Direction, ReferenceKind, TargetReader, number, trim_ending};
use crate::domain::reading::years;

/// Words for the year before.
const PREVIOUS: &[&str] = &["対前年度", "前年度", "昨年度", "対前年", "前年", "昨年"];
/// Words that may stand between the name of a year and the comparison.
const RESULT: &[&str] = &["実績値", "実績", "末", "の値", "の結果", "の数値", "値", "の"];
/// Words that compare a result with a year.
const THAN: &[&str] = &[
    "と比較して",
    "と比べて",
    "に比べて",
    "に比べ",
    "に対して",
    "に対し",
    "より",
    "比で",
    "比",
    "から",
    "と",
];
/// Words for a change, and their comparators.
const CHANGES: &[(&str, Comparator)] = &[
    ("増加させる", Comparator::Increase),
    ("増加する", Comparator::Increase),
    ("増加", Comparator::Increase),
    ("増やす", Comparator::Increase),
    ("上昇させる", Comparator::Increase),
    ("上昇", Comparator::Increase),
    ("向上させる", Comparator::Increase),
    ("向上", Comparator::Increase),
    ("高める", Comparator::Increase),
    ("上げる", Comparator::Increase),
    ("伸ばす", Comparator::Increase),
    ("増", Comparator::Increase),
    ("減少させる", Comparator::Decrease),
    ("減少する", Comparator::Decrease),
    ("減少", Comparator::Decrease),
    ("減らす", Comparator::Decrease),
    ("低減させる", Comparator::Decrease),
    ("低減", Comparator::Decrease),
    ("低下させる", Comparator::Decrease),
    ("低下", Comparator::Decrease),
    ("下げる", Comparator::Decrease),
    ("削減", Comparator::Decrease),
    ("縮減", Comparator::Decrease),
    ("縮小", Comparator::Decrease),
    ("短縮", Comparator::Decrease),
    ("減", Comparator::Decrease),
];
/// Words for a change that is not to be, and the comparators with what was before.
const NO_CHANGES: &[(&str, Comparator)] = &[
    ("増加させない", Comparator::Lte),
    ("増加しない", Comparator::Lte),
    ("増やさない", Comparator::Lte),
    ("上昇させない", Comparator::Lte),
    ("上げない", Comparator::Lte),
    ("減少させない", Comparator::Gte),
    ("減少しない", Comparator::Gte),
    ("減らさない", Comparator::Gte),
    ("低下させない", Comparator::Gte),
    ("低下しない", Comparator::Gte),
    ("下げない", Comparator::Gte),
];
/// Words for keeping a level.
const UPKEEP: &[&str] = &["同程度", "同水準", "同じ水準", "水準", "並み", "同数", "を維持", "維持"];

impl TargetReader {
    /// Reads a target that refers to another year. False if it refers to none.
    pub(super) fn relative(&mut self, body: &str) -> bool {
        let Some(rest) = self.reference(body) else { return false };
        let (rest, _) = strip(rest, THAN);
        if let Some((comparator, rest)) = compared(rest).or_else(|| found(rest, NO_CHANGES)) {
            self.end(rest, comparator);
            return true;
        }
        let ended = trim_ending(rest);
        let upkeep = UPKEEP.iter().any(|word| rest.starts_with(word)) || (rest != ended && ended.is_empty());
        if upkeep && !rest.is_empty() {
            let (rest, _) = strip(rest, UPKEEP);
            let rest = ["以上", "程度"]
                .into_iter()
                .find_map(|word| rest.strip_prefix(word))
                .unwrap_or(rest);
            self.end(rest, Comparator::Maintain);
            return true;
        }
        if let Some((change, rest)) = change(rest) {
            self.end(rest, change);
            return true;
        }
        self.change_by(rest, body);
        true
    }

    /// Removes and reads the reference year at the beginning.
    fn reference<'a>(&mut self, body: &'a str) -> Option<&'a str> {
        for word in ["毎年度", "毎年"] {
            if let Some(rest) = body.strip_prefix(word) {
                number(rest)?;
                self.refer(ReferenceKind::PreviousYear, None);
                return Some(rest.trim_start_matches('、'));
            }
        }
        let (kind, year, rest) = if let Some(rest) = PREVIOUS.iter().find_map(|word| body.strip_prefix(word)) {
            (ReferenceKind::PreviousYear, None, rest)
        } else {
            let (year, len) = years::leading(body, self.year)?;
            (ReferenceKind::FiscalYear, Some(year), body.get(len..)?)
        };
        let mut rest = rest;
        while let (shorter, true) = strip(rest, RESULT) {
            rest = shorter;
        }
        self.refer(kind, year);
        Some(rest)
    }

    /// A change by an amount: 4ポイント増加. A change in percent of a number that is not printed makes no target.
    fn change_by(&mut self, rest: &str, body: &str) {
        let (unsigned, less) = match rest.strip_prefix(['△', '▲', '-']) {
            Some(rest) => (rest, true),
            None => (rest.strip_prefix('+').unwrap_or(rest), false),
        };
        let Some((by, rest)) = number(unsigned) else {
            self.rest.push(body.to_owned());
            return;
        };
        self.measured(&by);
        let (rest, _) = strip(rest, &["以上の", "以上", "の"]);
        let change = match change(rest) {
            Some((change, rest)) => Some((change, rest)),
            None if less => Some((Comparator::Decrease, rest)),
            None => None,
        };
        let Some((change, rest)) = change else {
            self.rest.push(body.to_owned());
            return;
        };
        let comparator = match change {
            Comparator::Increase => Comparator::IncreaseBy,
            _ => Comparator::DecreaseBy,
        };
        self.read.direction = if comparator == Comparator::IncreaseBy {
            Direction::HigherIsBetter
        } else {
            Direction::LowerIsBetter
        };
        match self.read.unit.as_deref() {
            // Either 10% of a number, or 10 points.
            Some("%" | "倍") => {
                self.read.unit = None;
                self.rest.push(body.to_owned());
            }
            // Differences of percents are in points.
            Some("ポイント") => {
                self.read.unit = Some("%".to_owned());
                self.end(rest, comparator);
            }
            _ => self.end(rest, comparator),
        }
    }
}

/// A text without the word at its beginning, if it is one of these, and whether it is.
fn strip<'a>(text: &'a str, words: &[&str]) -> (&'a str, bool) {
    match words.iter().find_map(|word| text.strip_prefix(word)) {
        Some(rest) => (rest, true),
        None => (text, false),
    }
}

fn compared(text: &str) -> Option<(Comparator, &str)> {
    found(text, COMPARATORS)
}

fn change(text: &str) -> Option<(Comparator, &str)> {
    found(text, CHANGES)
}

/// Whether a text holds a word for a change.
pub(super) fn is_change(text: &str) -> bool {
    CHANGES.iter().any(|(word, _)| text.contains(word))
}

/// The comparator of the word that a text begins with, and the rest of the text.
fn found<'a>(text: &'a str, words: &[(&str, Comparator)]) -> Option<(Comparator, &'a str)> {
    words
        .iter()
        .find_map(|(word, comparator)| text.strip_prefix(word).map(|rest| (*comparator, rest)))
}
