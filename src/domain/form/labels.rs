//! The labels of a form's boxes, however they are broken, numbered or explained: アウトカム 指標 (経営課題の解決に…).

use super::{Confidence, layout::Cell, width::Narrow};
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

/// The most bytes of a label with its explanation.
const LONGEST: usize = 480;

/// The start of a text, cut at a character.
pub(super) fn start(text: &str) -> &str {
    if text.len() <= LONGEST {
        return text;
    }
    (0..=LONGEST).rev().find_map(|end| text.get(..end)).unwrap_or_default()
}

/// The label that a text starts with. If the word may also begin a sentence, the text must end there, or go on with a
/// colon or a bullet.
pub(super) fn find(text: &str) -> Option<Found<'_>> {
    let plain = Narrow::of(start(text));
    let bare = plain
        .text
        .trim_start_matches(|c: char| c == ' ' || "【[<《〈〔■□●○◆◇▼・※".contains(c));
    let (year, bare) = year_before(bare);
    let (label, confidence, after) = WORDS
        .iter()
        .find_map(|(word, label, confidence)| Some((*label, *confidence, strip_broken(bare, word)?)))?;
    let (after, explained) = explanation(after);
    let rest = text.get(plain.place_from_end(after.len())..).unwrap_or_default();
    let content = rest.trim_start();
    let separated = after
        .trim_start()
        .starts_with([':', '・', '①', '●', '○', '■', '「', '※']);
    let parted = after.starts_with(' ') && (explained || label != Label::Vision && label != Label::Mission);
    let whole = content.is_empty();
    let long = parted && !is_short(label, bare, after);
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

/// Whether a label is too short to be sure of it if more text follows.
fn is_short(label: Label, bare: &str, after: &str) -> bool {
    let words = bare.len() - after.len();
    words < "主な戦略".len() || label == Label::Ratings
}

/// The rest of a text after a word that blanks may break; nothing if the text does not start with the word.
fn strip_broken<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let mut rest = text;
    for (n, c) in word.chars().enumerate() {
        let trimmed = if n == 0 { rest } else { rest.trim_start() };
        rest = trimmed.strip_prefix(c)?;
    }
    Some(rest)
}

/// A fiscal year before a label's words (令和6年度, 6年度), and the words.
pub(super) fn year_before(text: &str) -> (Option<String>, &str) {
    let Some((before, after)) = text.split_once("年度") else {
        return (None, text);
    };
    let year: String = before.chars().filter(|c| !c.is_whitespace()).collect();
    let bare = year.trim_start_matches(|c| "令和平成昭RHS".contains(c));
    let is_year = !bare.is_empty()
        && bare.chars().count() <= 4
        && bare
            .chars()
            .all(|c| c.is_ascii_digit() || "元一二三四五六七八九十〇".contains(c));
    if is_year {
        let after = after.trim_start();
        (
            Some(format!("{year}年度")),
            after.strip_prefix('の').unwrap_or(after).trim_start(),
        )
    } else {
        (None, text)
    }
}

/// Skips the explanation of a label: closing brackets, (課題解決の方策), ※A：達成 B：未達成. Returns the rest, and whether
/// there was an explanation.
fn explanation(text: &str) -> (&str, bool) {
    let mut rest = text;
    let mut any = false;
    loop {
        let trimmed = rest.trim_start();
        if let Some(after) = trimmed.strip_prefix(['】', ']', '>', '》', '〉', '〕']) {
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

/// The text after ※A：達成 B：未達成.
fn legend(text: &str) -> Option<&str> {
    let text = meaning(text.strip_prefix('※').unwrap_or(text), 'A', "達成")?;
    meaning(text, 'B', "未達成")
}

/// The text after what a letter means: A：達成, Ａ=目標達成.
fn meaning<'a>(text: &'a str, letter: char, word: &str) -> Option<&'a str> {
    let text = text
        .trim_start_matches([' ', '、', ',', '/', '・'])
        .strip_prefix(letter)?;
    let text = text.trim_start_matches([' ', ':', '=', '…', '・', '-']);
    strip_broken(text.strip_prefix("目標").unwrap_or(text), word)
}

/// A text without the legend of ratings that it begins or ends with: ※A：達成 B：未達成, or the same in brackets.
pub(super) fn without_legend(text: &str) -> &str {
    let plain = Narrow::of(start(text));
    if let Some(after) = marked_legend(&plain.text) {
        return text
            .get(plain.place_from_end(after.len())..)
            .unwrap_or_default()
            .trim_start();
    }
    let Some(at) = text.rfind(['※', '(', '（']).filter(|at| text.len() - at <= LONGEST) else {
        return text;
    };
    let (before, end) = text.split_at_checked(at).unwrap_or((text, ""));
    let is_legend = marked_legend(&Narrow::of(end).text).is_some_and(|after| after.trim().is_empty());
    if is_legend { before.trim_end() } else { text }
}

/// The text after a legend with its mark; without one, A：達成 B：未達成 may be two ratings.
fn marked_legend(text: &str) -> Option<&str> {
    let text = text.trim_start();
    let inner = text.strip_prefix('(').map(str::trim_start);
    if inner.is_none() && !text.starts_with('※') {
        return None;
    }
    let after = legend(inner.unwrap_or(text))?;
    match inner {
        Some(_) => after.trim_start().strip_prefix(')'),
        None => Some(after),
    }
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
    use super::{IndicatorKind, Label, find, without_legend};

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
        ] {
            let found = find(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((found.label, found.rest), (label, rest), "{text}");
        }
    }

    #[test]
    fn the_legend_of_ratings_is_left_out_where_it_is_marked() {
        for (text, rest) in [
            ("※Ａ：達成　Ｂ：未達成", ""),
            ("※A：達成 B：未達成 ・57.0%：A", "・57.0%：A"),
            ("57.0%：A ※Ａ：達成、Ｂ：未達成", "57.0%：A"),
            ("（Ａ：目標達成、Ｂ：目標未達成）", ""),
            ("57.0%：A（A＝達成 B＝未達成）", "57.0%：A"),
            ("A：達成 B：未達成", "A：達成 B：未達成"),
            ("※A：達成", "※A：達成"),
            ("57.0%：A（速報値）", "57.0%：A（速報値）"),
            ("", ""),
        ] {
            assert_eq!(without_legend(text), rest, "{text}");
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
            "",
            "年度",
        ] {
            assert_eq!(find(text), None, "{text}");
        }
    }
}
