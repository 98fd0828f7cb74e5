//! The verbs of change and comparison that targets are written with, in their forms: active, causative, potential, negated.

use crate::domain::{
    reading::token::{Change, Kind},
    target::Comparator,
};

/// How a verb is inflected: its endings, and which of them say no.
type Inflection = &'static [(&'static str, bool)];

/// 増加: a noun that takes する, させる (causative) and できる (potential).
const SURU: Inflection = &[
    ("", false),
    ("する", false),
    ("させる", false),
    ("している", false),
    ("できる", false),
    ("しない", true),
    ("させない", true),
];
/// 高める: the stem stays.
const ICHIDAN: Inflection = &[
    ("る", false),
    ("られる", false),
    ("ている", false),
    ("ない", true),
    ("させない", true),
];
/// 増やす.
const GODAN_SA: Inflection = &[("す", false), ("せる", false), ("さない", true)];
/// 下回る.
const GODAN_RA: Inflection = &[("る", false), ("っている", false), ("らない", true)];
/// 多い.
const ADJECTIVE: Inflection = &[
    ("い", false),
    ("く", false),
    ("くする", false),
    ("くなる", false),
    ("くない", true),
];

/// Words for more, by inflection.
const MORE: &[(Inflection, &[&str])] = &[
    (SURU, &["増加", "上昇", "向上", "増大", "拡大", "伸長", "増", "アップ"]),
    (ICHIDAN, &["高め", "上げ", "引き上げ", "引上げ", "増え"]),
    (GODAN_SA, &["増や", "伸ば"]),
    (GODAN_RA, &["上が"]),
    (ADJECTIVE, &["多", "高"]),
];
/// Words for less, by inflection.
const LESS: &[(Inflection, &[&str])] = &[
    (
        SURU,
        &[
            "減少",
            "低減",
            "低下",
            "削減",
            "縮減",
            "縮小",
            "短縮",
            "軽減",
            "抑制",
            "減",
            "ダウン",
        ],
    ),
    (ICHIDAN, &["下げ", "引き下げ", "引下げ", "抑え", "縮め"]),
    (GODAN_SA, &["減ら", "落と"]),
    (GODAN_RA, &["下が", "減"]),
    (ADJECTIVE, &["少な", "低", "短"]),
];
/// Verbs of comparison: the comparator, and the one of its negation (60%を超えない is at most 60%).
const VERBS_OF_COMPARISON: &[(Inflection, &[&str], Comparator, Comparator)] = &[
    (ICHIDAN, &["超え", "越え"], Comparator::Gt, Comparator::Lte),
    (GODAN_RA, &["上回"], Comparator::Gt, Comparator::Lte),
    (GODAN_RA, &["下回", "割", "切"], Comparator::Lt, Comparator::Gte),
];

/// All forms of all verbs, each with its kind.
pub(super) fn forms() -> Vec<(String, Kind)> {
    let mut words = Vec::new();
    for (up, list) in [(true, MORE), (false, LESS)] {
        for (endings, stems) in list {
            inflected(
                endings,
                stems,
                |is_verb, negated| Kind::Change(Change { up, negated, is_verb }),
                &mut words,
            );
        }
    }
    for (endings, stems, comparator, negation) in VERBS_OF_COMPARISON {
        let kind = |_, negated| Kind::Threshold(if negated { *negation } else { *comparator });
        inflected(endings, stems, kind, &mut words);
    }
    words
}

fn inflected(endings: Inflection, stems: &[&str], kind: impl Fn(bool, bool) -> Kind, words: &mut Vec<(String, Kind)>) {
    for stem in stems {
        for (ending, negated) in endings {
            words.push((format!("{stem}{ending}"), kind(!ending.is_empty(), *negated)));
        }
    }
}
