//! The words of targets: comparison, endings and beginnings that add nothing.

use crate::domain::target::Comparator;

/// Words for there being no target, or none yet.
pub(super) const UNDECIDED: &[&str] = &[
    "",
    "-",
    "―",
    "—",
    "ー",
    "─",
    "未定",
    "未設定",
    "検討中",
    "調整中",
    "設定なし",
    "なし",
    "今後設定",
    "今後検討",
];
/// Words of comparison after a number, and their comparators.
pub(super) const COMPARATORS: &[(&str, Comparator)] = &[
    ("を超えない", Comparator::Lte),
    ("超えない", Comparator::Lte),
    ("を越えない", Comparator::Lte),
    ("越えない", Comparator::Lte),
    ("を上回らない", Comparator::Lte),
    ("上回らない", Comparator::Lte),
    ("を下回らない", Comparator::Gte),
    ("下回らない", Comparator::Gte),
    ("以上", Comparator::Gte),
    ("以下", Comparator::Lte),
    ("以内", Comparator::Lte),
    ("未満", Comparator::Lt),
    ("を超える", Comparator::Gt),
    ("超える", Comparator::Gt),
    ("を越える", Comparator::Gt),
    ("越える", Comparator::Gt),
    ("超", Comparator::Gt),
    ("を上回る", Comparator::Gt),
    ("上回る", Comparator::Gt),
    ("を下回る", Comparator::Lt),
    ("下回る", Comparator::Lt),
];
/// Words at the end of a target that add nothing to it.
const ENDINGS: &[&str] = &[
    "を達成する",
    "を達成",
    "の達成",
    "を維持する",
    "を維持",
    "の維持",
    "維持",
    "をめざす",
    "を目指す",
    "とする",
    "にする",
    "になる",
    "であること",
    "こと",
    "ようにする",
    "を確保する",
    "を確保",
    "の確保",
    "確保",
    "する",
    "を実施する",
    "を実施",
    "の実施",
    "実施",
    "を開催",
    "の開催",
    "開催",
    "。",
];
/// What is done in all of a number of places: 全15地域で策定する.
pub(super) const DONE: &[&str] = &[
    "策定", "作成", "設置", "整備", "導入", "設立", "配置", "配付", "配布", "訪問", "展開",
];
/// Words that make a number approximate.
const ABOUT: &[&str] = &["約", "およそ", "おおむね", "概ね"];
/// Words before a number that add nothing to it.
const BEFORE: &[&str] = &["延べ", "のべ", "年間", "合計", "計", "目標値", "目標"];

/// Whether a text holds a word of comparison.
pub(super) fn is_condition(text: &str) -> bool {
    let joined = ["かつ", "または", "若しくは", "もしくは"];
    let words = COMPARATORS.iter().map(|(word, _)| *word).filter(|word| *word != "超");
    words.chain(joined).any(|word| text.contains(word))
}

pub(super) fn is_ending_of_upkeep(rest: &str) -> bool {
    matches!(rest, "を維持" | "を維持する" | "の維持" | "維持")
}

/// A text without words at its end that add nothing.
pub(super) fn trim_ending(text: &str) -> &str {
    let mut text = text;
    while let Some(shorter) = ENDINGS.iter().find_map(|ending| text.strip_suffix(ending)) {
        text = shorter;
    }
    text
}

/// A text without words at its beginning that add nothing, and whether one of them makes the number approximate.
pub(super) fn trim_before(text: &str) -> (&str, bool) {
    let (mut text, mut about) = (text, false);
    loop {
        if let Some(rest) = ABOUT.iter().find_map(|word| text.strip_prefix(word)) {
            (text, about) = (rest, true);
        } else if let Some(rest) = BEFORE.iter().find_map(|word| text.strip_prefix(word)) {
            text = rest;
        } else {
            return (text, about);
        }
    }
}
