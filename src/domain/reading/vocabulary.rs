//! The words that targets are written with, each with its kind. A word that is not listed here means nothing to the reader.

use std::{collections::HashMap, sync::LazyLock};

use super::token::Kind;
use crate::domain::target::Comparator;

mod verbs;

/// All words but verbs.
const WORDS: &[(Kind, &[&str])] = &[
    (Kind::Threshold(Comparator::Gte), &["以上"]),
    (Kind::Threshold(Comparator::Lte), &["以下", "以内"]),
    (Kind::Threshold(Comparator::Lt), &["未満"]),
    (Kind::Threshold(Comparator::Gt), &["超", "超え"]),
    (
        Kind::Bound(Comparator::Gte),
        &["少なくとも", "最低でも", "最低", "≧", "≥"],
    ),
    (
        Kind::Bound(Comparator::Lte),
        &["多くとも", "最大でも", "最大", "上限", "≦", "≤"],
    ),
    // Their amount is not said in figures, or their direction is not said: half, better.
    (
        Kind::Vague,
        &[
            "半減",
            "倍増",
            "増減",
            "微増",
            "微減",
            "急増",
            "急減",
            "激減",
            "加減",
            "改善",
            "改善する",
            "改善させる",
            "過半数",
            "半数",
            "大半",
        ],
    ),
    (
        Kind::Upkeep,
        &[
            "維持する",
            "維持",
            "継続する",
            "継続",
            "堅持する",
            "堅持",
            "保持する",
            "保持",
            "保つ",
            "キープする",
            "キープ",
        ],
    ),
    (
        Kind::Level,
        &[
            "同程度",
            "同水準",
            "同等",
            "同じ水準",
            "水準",
            "並み",
            "並",
            "同数",
            "同率",
            "同じ",
        ],
    ),
    (
        Kind::Previous(1),
        &["対前年度", "前年度", "昨年度", "対前年", "前年", "昨年"],
    ),
    (Kind::Previous(2), &["前々年度", "一昨年度"]),
    (
        Kind::NextYear,
        &[
            "再来年度",
            "来年度",
            "翌年度",
            "次年度",
            "再来年",
            "来年",
            "翌年",
            "最終年度",
            "最終目標",
            "計画期間",
        ],
    ),
    (Kind::EveryYear, &["毎年度", "毎年"]),
    (
        Kind::Present,
        &[
            "現状値",
            "現状",
            "現在値",
            "現在",
            "基準値",
            "基準",
            "当初値",
            "当初",
            "現行",
        ],
    ),
    (
        Kind::External,
        &[
            "大阪市全体の平均",
            "大阪市の平均",
            "大阪市平均",
            "大阪府の平均",
            "大阪府平均",
            "市全体の平均",
            "市全体平均",
            "全市平均",
            "本市平均",
            "市の平均",
            "市平均",
            "府平均",
            "府内平均",
            "市内平均",
            "全国の平均",
            "全国平均",
            "国平均",
            "24区の平均",
            "24区平均",
            "全区平均",
            "他区平均",
            "政令指定都市平均",
            "政令市平均",
        ],
    ),
    (Kind::Average, &["平均値", "平均"]),
    (
        Kind::Than,
        &[
            "と比較して",
            "と比較し",
            "に比較して",
            "と比べて",
            "と比べ",
            "に比べて",
            "に比べ",
            "に対して",
            "に対し",
            "よりも",
            "より",
            "比で",
            "比",
            "から",
        ],
    ),
    (Kind::Result, &["実績値", "実績", "数値", "結果", "値"]),
    (Kind::By, &["までに", "まで"]),
    (Kind::AsOf, &["末時点において", "末時点", "時点において", "時点", "末"]),
    (Kind::Within, &["中に", "内に", "中", "内"]),
    (
        Kind::ThisYear,
        &["今年度", "本年度", "当年度", "当該年度", "年度末", "年度内", "年度中"],
    ),
    (Kind::Sum, &["合計", "累計", "総計", "通算", "計"]),
    // What is counted is counted over the year, in persons or times: this changes nothing of how the number is compared.
    (Kind::Lead, &["延べ", "のべ", "延", "年間で", "年間", "年に", "年"]),
    (Kind::PerTime("月"), &["毎月", "月に", "月"]),
    (Kind::PerTime("週"), &["毎週", "週に", "週"]),
    (Kind::PerTime("日"), &["毎日"]),
    (Kind::PerTime("四半期"), &["四半期ごとに", "四半期に", "毎四半期"]),
    (Kind::Label, &["目標値", "目標", "数値目標"]),
    (
        Kind::About,
        &[
            "約",
            "およそ",
            "おおよそ",
            "おおむね",
            "概ね",
            "ほぼ",
            "程度",
            "前後",
            "内外",
            "ぐらい",
            "くらい",
        ],
    ),
    (Kind::Zero, &["ゼロ"]),
    (Kind::Absent, &["なし", "無し"]),
    (
        Kind::Undecided,
        &[
            "未定",
            "未設定",
            "検討中",
            "調整中",
            "設定なし",
            "設定しない",
            "設定予定",
            "目標なし",
            "今後設定",
            "今後検討",
        ],
    ),
    (Kind::All, &["全", "すべて", "全て"]),
    // What is done that often, or there: it is what is counted, and nothing of how it is compared.
    (
        Kind::Done,
        &[
            "実施", "開催", "策定", "作成", "設置", "整備", "導入", "設立", "配置", "配付", "配布", "訪問", "展開",
            "発行", "発信", "実現", "参加", "確保", "達成", "到達", "公開", "掲載", "更新", "登録", "支援", "受講",
            "利用", "認定", "開設", "新設", "増設", "建設", "改修", "修繕", "撤去", "点検", "養成", "育成", "派遣",
            "交付", "提供", "回収", "締結", "解消", "解決", "対応", "処理", "完了",
        ],
    ),
    // The end of a sentence: that it is a target is known.
    (
        Kind::Ending,
        &[
            "する",
            "させる",
            "とする",
            "にする",
            "になる",
            "となる",
            "なる",
            "であること",
            "である",
            "であり",
            "こと",
            "ようにする",
            "ように",
            "よう",
            "めざす",
            "目指す",
            "めざして",
            "図る",
            "努める",
            "とどめる",
            "行う",
            "できる",
        ],
    ),
    (Kind::Each, &["ずつ", "だけ", "分"]),
    (Kind::Per, &["当たり", "当り", "あたり", "につき", "ごとに"]),
    (
        Kind::Scale,
        &[
            "満点中",
            "満点で",
            "満点",
            "段階中",
            "段階評価中",
            "段階評価で",
            "段階で",
        ],
    ),
    (
        Kind::Joined,
        &[
            "かつ",
            "または",
            "又は",
            "もしくは",
            "若しくは",
            "及び",
            "および",
            "並びに",
            "ただし",
            "但し",
        ],
    ),
    (Kind::Particle, &["を", "は", "が", "の", "と", "に", "で", "へ"]),
];

/// Words before a number that say of what the number is a part, or per what it is counted: without them it is another number.
pub(super) const PER: &[&str] = &[
    "各", "第", "あと", "月", "週", "毎月", "毎週", "毎日", "隔月", "毎に", "連続", "以降", "以後", "以前", "残り",
    "過去", "直近", "上位", "下位", "隔年",
];
/// What there may be none of: 事故なし is at most 0.
pub(super) const COUNTED: &[&str] = &[
    "事故",
    "発生",
    "死者",
    "死亡者",
    "負傷者",
    "待機児童",
    "苦情",
    "違反",
    "漏れ",
    "遅延",
    "遅れ",
    "火災",
    "ミス",
    "不備",
    "誤り",
    "犠牲者",
    "未処理",
];

/// All words by their first character, the longest first.
static VOCABULARY: LazyLock<HashMap<char, Vec<(String, Kind)>>> = LazyLock::new(|| {
    let mut words = verbs::forms();
    for (kind, list) in WORDS {
        words.extend(list.iter().map(|word| ((*word).to_owned(), *kind)));
    }
    words.sort_by_key(|(word, _)| std::cmp::Reverse(word.len()));
    let mut by_first: HashMap<char, Vec<(String, Kind)>> = HashMap::new();
    for (word, kind) in words {
        if let Some(first) = word.chars().next() {
            by_first.entry(first).or_default().push((word, kind));
        }
    }
    by_first
});

/// The longest word that a text in one width begins with.
pub(super) fn leading(text: &str) -> Option<(&'static str, Kind)> {
    let words = VOCABULARY.get(&text.chars().next()?)?;
    let (word, kind) = words.iter().find(|(word, _)| text.starts_with(word.as_str()))?;
    Some((word, *kind))
}
