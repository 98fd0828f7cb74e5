//! The labels of a form's boxes, however they are broken, numbered or explained: アウトカム 指標 (経営課題の解決に…).

use super::{
    Confidence,
    headings::year_before,
    layout::Cell,
    legend::legend,
    numbers::without_number,
    width::{Narrow, bare, start, strip_broken},
};
use crate::domain::kinds::IndicatorKind;

/// The content that a label announces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Label {
    /// 目標
    Vision,
    /// 使命
    Mission,
    /// 所属運営の基本的な考え方
    BasicApproach,
    /// 重点的に取り組む経営課題: goals follow.
    Goals,
    /// 課題認識
    IssueRecognition,
    /// めざすべき将来像
    DesiredState,
    /// 主な戦略
    Strategies,
    /// アウトカム指標
    Indicators(IndicatorKind),
    /// 目標値
    Targets,
    /// アウトカム指標の達成状況: the heads of the results stand beside or below it.
    ResultTable,
    /// 6年度実績と達成状況
    Results,
    /// 前年度実績
    Previous,
    /// 達成状況
    Ratings,
    /// 自己評価
    SelfEvaluation,
    /// 今後の方針
    FuturePolicy,
}

impl Label {
    /// Whether the label heads a column of indicators or results.
    pub(super) fn is_head(self) -> bool {
        matches!(
            self,
            Self::Indicators(_) | Self::Targets | Self::Results | Self::Previous | Self::Ratings
        )
    }

    /// Whether the label's box belongs to the whole policy.
    pub(super) fn is_of_policy(self) -> bool {
        matches!(
            self,
            Self::Vision | Self::Mission | Self::BasicApproach | Self::SelfEvaluation | Self::FuturePolicy
        )
    }
}

/// A label found at the start of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found<'a> {
    pub(super) label: Label,
    /// The year before the label, as printed: 6年度.
    pub(super) year: Option<String>,
    /// The rest of the text.
    pub(super) rest: &'a str,
    pub(super) confidence: Confidence,
}

use Confidence::{High, Low, Medium};

/// The words of labels. A longer label stands before a shorter one that it begins with.
const WORDS: &[(&str, Label, Confidence)] = &[
    ("所属運営の基本的な考え方", Label::BasicApproach, High),
    ("区運営の基本的な考え方", Label::BasicApproach, High),
    ("局運営の基本的な考え方", Label::BasicApproach, High),
    ("室運営の基本的な考え方", Label::BasicApproach, High),
    ("運営の基本的な考え方", Label::BasicApproach, Medium),
    ("基本的な考え方", Label::BasicApproach, Medium),
    ("区長の方針", Label::BasicApproach, High),
    ("局長の方針", Label::BasicApproach, High),
    ("室長の方針", Label::BasicApproach, High),
    ("所属長の方針", Label::BasicApproach, High),
    ("重点的に取り組む主な経営課題", Label::Goals, High),
    ("重点的に取り組む経営課題", Label::Goals, High),
    ("区の使命", Label::Mission, High),
    ("局の使命", Label::Mission, High),
    ("室の使命", Label::Mission, High),
    ("所属の使命", Label::Mission, High),
    ("使命", Label::Mission, High),
    ("課題認識", Label::IssueRecognition, High),
    ("現状と課題", Label::IssueRecognition, Medium),
    ("現状・課題", Label::IssueRecognition, Medium),
    ("めざすべき将来像", Label::DesiredState, Low),
    ("めざす将来像", Label::DesiredState, Low),
    ("めざす状態", Label::DesiredState, Low),
    ("主な戦略", Label::Strategies, High),
    ("課題解決の方策", Label::Strategies, Medium),
    ("課題", Label::IssueRecognition, Medium),
    ("戦略", Label::Strategies, High),
    ("アウトカム指標の達成状況", Label::ResultTable, High),
    ("アウトプット指標の達成状況", Label::ResultTable, High),
    ("プロセス指標の達成状況", Label::ResultTable, High),
    ("成果指標の達成状況", Label::ResultTable, High),
    ("指標の達成状況", Label::ResultTable, High),
    ("アウトカム指標", Label::Indicators(IndicatorKind::Outcome), High),
    ("成果指標", Label::Indicators(IndicatorKind::Outcome), Medium),
    ("アウトプット指標", Label::Indicators(IndicatorKind::Output), High),
    ("プロセス指標", Label::Indicators(IndicatorKind::Process), High),
    ("指標", Label::Indicators(IndicatorKind::Outcome), Medium),
    ("目標値", Label::Targets, High),
    ("区の目標", Label::Vision, High),
    ("局の目標", Label::Vision, High),
    ("室の目標", Label::Vision, High),
    ("所属の目標", Label::Vision, High),
    ("目標", Label::Vision, High),
    ("前年度実績", Label::Previous, High),
    ("前年度の実績", Label::Previous, High),
    ("前年度", Label::Previous, Medium),
    ("昨年度実績", Label::Previous, Medium),
    ("実績と達成状況", Label::Results, High),
    ("実績・達成状況", Label::Results, High),
    ("実績値", Label::Results, Medium),
    ("実績", Label::Results, Medium),
    ("達成状況", Label::Ratings, High),
    ("自己評価", Label::SelfEvaluation, High),
    ("年度の評価結果の総括", Label::SelfEvaluation, High),
    ("評価結果の総括", Label::SelfEvaluation, High),
    ("今後の方針", Label::FuturePolicy, High),
    ("今後の対応方向", Label::FuturePolicy, High),
    ("今後の対応方針", Label::FuturePolicy, High),
];

/// The signs before the words of a label.
const BEFORE: &str = "【[<《〈〔≪『■□●○◆◇▼・※";

/// The label that a text starts with. If the word may also begin a sentence, the text must end there, or go on with a
/// colon or a bullet. A label with a number before it (1. 課題認識) or in round brackets stands alone, or before a colon.
pub(super) fn find(text: &str) -> Option<Found<'_>> {
    let plain = Narrow::of(start(text));
    let before = |c: char| c == ' ' || BEFORE.contains(c);
    let opened = plain.text.trim_start_matches(before);
    let inner = opened
        .strip_prefix('(')
        .and_then(|inner| inner.trim_end().strip_suffix(')'));
    let numbered = without_number(opened).map(|rest| rest.trim_start_matches(before));
    let (source, found) = [Some(opened), inner, numbered]
        .into_iter()
        .enumerate()
        .find_map(|(source, text)| Some((source, word(text?)?)))?;
    let (alone, bracketed) = (source > 0, source == 1);
    let (year, label, confidence, bare, after) = found;
    let is_short = is_short(label, bare, after);
    let (after, explained) = explanation(after);
    if bracketed && !after.trim().is_empty() {
        return None;
    }
    // Behind a label in round brackets stands the closing one.
    let rest = text
        .get(plain.place_from_end(after.len())..)
        .filter(|_| !bracketed)
        .unwrap_or_default();
    let content = rest.trim_start();
    let trimmed = after.trim_start();
    let parted = trimmed.len() < after.len();
    let bullet = trimmed.starts_with(['・', '①', '●', '○', '■', '「', '※']);
    // 課題・取組 is a word, and 課題 ・取組 is a label with an item.
    let separated = trimmed.starts_with(':') || !alone && bullet && (parted || explained || !is_short);
    let whole = content.is_empty();
    let long = !alone && parted && (explained || label != Label::Vision && label != Label::Mission) && !is_short;
    if !(whole || separated || long) {
        return None;
    }
    let content = content.strip_prefix([':', '：']).unwrap_or(content).trim_start();
    Some(Found {
        label,
        year,
        rest: content,
        confidence,
    })
}

/// The label that a text in one width begins with: its year, the text from its words on, and the text behind them.
fn word(text: &str) -> Option<(Option<String>, Label, Confidence, &str, &str)> {
    let (year, bare) = year_before(text);
    let mut words = WORDS.iter();
    words.find_map(|(word, label, confidence)| {
        Some((year.clone(), *label, *confidence, bare, strip_broken(bare, word)?))
    })
}

/// Whether a text may be the beginning of a label whose words are broken over lines, or of its explanation.
pub(super) fn may_begin(text: &str) -> bool {
    let text = bare(text.trim_start_matches(|c: char| c == ' ' || BEFORE.contains(c)));
    let (_, words) = year_before(&text);
    let words = without_number(words)
        .unwrap_or(words)
        .trim_start_matches(|c| BEFORE.contains(c));
    !words.is_empty()
        && (WORDS.iter().any(|(word, ..)| word.starts_with(words))
            || words.split_once('(').is_some_and(|(word, more)| {
                WORDS.iter().any(|(known, ..)| *known == word)
                    && EXPLANATIONS
                        .iter()
                        .any(|explanation| explanation.trim_start_matches('(').starts_with(more))
            }))
}

/// Whether a label is too short to be sure of it if more text follows.
fn is_short(label: Label, bare: &str, after: &str) -> bool {
    let words = bare.len() - after.len();
    words < "主な戦略".len() || label == Label::Ratings
}

/// Skips the explanation of a label: closing brackets, (課題解決の方策), ※A：達成 B：未達成. Returns the rest, and whether
/// there was an explanation.
fn explanation(text: &str) -> (&str, bool) {
    let mut rest = text;
    let mut any = false;
    loop {
        let trimmed = rest.trim_start();
        if let Some(after) = trimmed.strip_prefix(['】', ']', '>', '》', '〉', '〕', '≫', '』']) {
            rest = after;
        } else if let Some(after) = trimmed.strip_prefix('(').and_then(|inner| {
            let (inner, after) = inner.split_once(')')?;
            let numbers = inner.trim().chars().all(|c| c.is_ascii_digit());
            (!numbers && inner.chars().count() <= 60).then_some(after)
        }) {
            rest = after;
        } else if let Some(after) = legend(trimmed) {
            rest = after;
        } else {
            return (rest, any);
        }
        any = true;
    }
}

/// What the official form says in brackets behind its labels.
const EXPLANATIONS: &[&str] = &[
    "(課題解決の方策)",
    "(経営課題の解決に向けた進捗度合を示した指標)",
    "(経営課題の解決に向けた進捗度合いを示した指標)",
    "(定量評価)",
    "(定性評価)",
    "(運営方針全体の定性評価)",
    "(区長の方針)",
    "(局長の方針)",
    "(所属長の方針)",
];

/// Whether a text is the explanation of a label, as the official form has it.
pub(super) fn is_explanation(text: &str) -> bool {
    EXPLANATIONS.contains(&bare(text).as_str())
}

/// Whether a text is the words of a label and nothing else.
pub(super) fn is_words(text: &str) -> bool {
    let text = bare(text);
    WORDS.iter().any(|(word, ..)| *word == text)
}

/// The label a cell starts with, and how many of its items the label takes.
pub(super) fn label_of(cell: &Cell) -> Option<(Found<'_>, usize)> {
    let first = cell.items.first().filter(|item| item.exact.is_empty())?;
    let found = find(&first.text).map(|found| (found, 1));
    let short = cell.items.iter().map(|item| item.text.len()).sum::<usize>() <= 240;
    if cell.items.len() == 1 || !short || cell.items.len() > 6 {
        return found;
    }
    // A label may be broken over the lines of its cell.
    let whole: String = cell.items.iter().map(|item| item.text.as_str()).collect();
    match find(&whole).filter(|whole| whole.rest.is_empty()) {
        Some(whole) => Some((
            Found {
                rest: "",
                ..whole_owned(&whole)
            },
            cell.items.len(),
        )),
        None => found,
    }
}

/// A label that takes a whole cell, without a rest to borrow.
fn whole_owned<'a>(found: &Found<'_>) -> Found<'a> {
    Found {
        label: found.label,
        year: found.year.clone(),
        rest: "",
        confidence: found.confidence,
    }
}

#[cfg(test)]
mod tests {
    use super::{IndicatorKind, Label, find};

    #[test]
    fn labels_are_known_however_they_are_broken_or_explained() {
        let outcome = Label::Indicators(IndicatorKind::Outcome);
        for (text, label, rest) in [
            ("目標", Label::Vision, ""),
            ("【区の目標】", Label::Vision, ""),
            ("使命", Label::Mission, ""),
            ("令和6年度 所属運営の 基本的な 考え方", Label::BasicApproach, ""),
            (
                "令和５年度　区運営の基本的な考え方（区長の方針）",
                Label::BasicApproach,
                "",
            ),
            ("■ 区長の方針", Label::BasicApproach, ""),
            ("課題認識：災害に強いまち", Label::IssueRecognition, "災害に強いまち"),
            ("課題認識 ・災害 ・犯罪", Label::IssueRecognition, "・災害 ・犯罪"),
            ("課題認識 (1)災害", Label::IssueRecognition, "(1)災害"),
            ("主な戦略 (課題解決の方策)", Label::Strategies, ""),
            (
                "アウトカム 指標 (経営課題の解決に向けた進捗度合を示した 指標)",
                outcome,
                "",
            ),
            ("ア ウ ト カ ム 指 標", outcome, ""),
            ("アウトカム 指標の達成状況 (定量評価)", Label::ResultTable, ""),
            ("6年度実績と達成状況 ※A：達成 B：未達成", Label::Results, ""),
            (
                "６年度実績と達成状況 ※A：達成　B：未達成 ・57.0%：A",
                Label::Results,
                "・57.0%：A",
            ),
            ("前年度実績", Label::Previous, ""),
            ("自己評価 (運営方針全体の定性評価)", Label::SelfEvaluation, ""),
            ("令和6年度の評価結果の総括", Label::SelfEvaluation, ""),
            ("今後の対応方向", Label::FuturePolicy, ""),
            ("重点的に取り組む経営課題", Label::Goals, ""),
            ("【課題】", Label::IssueRecognition, ""),
            ("［課題認識］", Label::IssueRecognition, ""),
            ("〔主な戦略〕・訓練", Label::Strategies, "・訓練"),
            ("（課題認識）", Label::IssueRecognition, ""),
            ("≪使命≫", Label::Mission, ""),
            ("1. 課題認識", Label::IssueRecognition, ""),
            ("(2) 主な戦略：訓練", Label::Strategies, "訓練"),
            ("③【アウトカム指標】", outcome, ""),
            ("Ⅰ　目標", Label::Vision, ""),
            ("１－１　課題認識", Label::IssueRecognition, ""),
            ("ア 自己評価", Label::SelfEvaluation, ""),
        ] {
            let found = find(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((found.label, found.rest), (label, rest), "{text}");
        }
    }

    #[test]
    fn sentences_that_begin_like_a_label_are_none() {
        for text in [
            "目標を達成する",
            "目標 を達成する",
            "使命感をもって取り組む。",
            "戦略 的に取り組む。",
            "課題認識を共有する。",
            "アウトカム指標を見直す。",
            "実績が伸びている。",
            "令和6年度は取り組む。",
            "課題・ニーズに応じた支援を行う。",
            "課題が多い。",
            "1. 課題 を見直す。",
            "（課題認識）を見直す。",
            "1 課題認識 ・災害",
            "",
            "年度",
        ] {
            assert_eq!(find(text), None, "{text}");
        }
    }
}
