//! Writes forms in the shapes in which people paste them.

use proptest::prelude::{Strategy, prop};

/// An indicator as it is written.
#[derive(Debug, Clone)]
pub(super) struct Written {
    pub(super) name: String,
    pub(super) target: String,
    pub(super) result: String,
    pub(super) rating: &'static str,
    pub(super) previous: String,
    pub(super) unit: &'static str,
}

/// How the items of a box are parted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Parted {
    /// ・a ・b
    Bullets,
    /// Lines with bullets.
    Lines,
    /// ①a ②b
    Numbers,
    /// Lines with 1. and 2.
    Ordinals,
    /// Lines with dashes.
    Dashes,
    /// a b
    Blanks,
    /// A cell of several lines, as a spreadsheet quotes it.
    Quoted,
}

/// Lines of the page around a form, which are inserted between the form's own lines.
pub(super) const BETWEEN: &[&str] = &[
    "- 3 -",
    "3/8",
    "12 ページ",
    "電話：06-6532-9625　ファックス：06-6538-7316",
    "更新日：2024年4月1日",
    "[2024年4月1日]",
    "このページの作成者・問合せ先\n大阪市西区役所 総務課\n〒550-8501 大阪市西区新町4丁目5番14号",
    "印刷する",
    "トップページ > 西区 > 令和6年度",
    "https://www.example.com/2024/0001 3/8",
    "令和6年度西区運営方針（PDF形式, 123.45KB）",
];
pub(super) const LEGENDS: &[&str] = &[
    "",
    "※A：達成 B：未達成",
    "※Ａ：達成　Ｂ：未達成",
    "（A：達成、B：未達成）",
    "【凡例】A：達成 B：未達成",
];

pub(super) fn written() -> impl Strategy<Value = Vec<Written>> {
    let unit = prop::sample::select(vec!["%", "件", "人", "団体", "回"]);
    let number = || (0_u32..3_000, 0_u32..10);
    let one = (
        unit,
        number(),
        number(),
        number(),
        prop::sample::select(vec!["", "：A", "：B"]),
    );
    prop::collection::vec(one, 1..4).prop_map(|rows| {
        let printed = |(whole, tenths): (u32, u32), unit: &str| {
            let grouped = match (whole / 1_000, whole % 1_000) {
                (0, rest) => rest.to_string(),
                (thousands, rest) => format!("{thousands},{rest:03}"),
            };
            match unit {
                "%" => format!("{}.{tenths}%", whole % 100),
                unit => format!("{grouped}{unit}"),
            }
        };
        let names = [
            "地域の活動に参加している区民の割合",
            "相談窓口の利用",
            "訓練に参加した団体の状況",
        ];
        rows.into_iter()
            .zip(names)
            .map(|((unit, target, result, previous, rating), name)| Written {
                name: name.to_owned(),
                target: format!("{}以上", printed(target, unit)),
                result: printed(result, unit),
                rating,
                previous: printed(previous, unit),
                unit,
            })
            .collect()
    })
}

pub(super) fn parted() -> impl Strategy<Value = Parted> {
    prop::sample::select(vec![
        Parted::Bullets,
        Parted::Lines,
        Parted::Numbers,
        Parted::Ordinals,
        Parted::Dashes,
        Parted::Blanks,
        Parted::Quoted,
    ])
}

/// A box with its label, as text.
fn boxed(label: &str, items: &[String], parted: Parted, legend: &str) -> String {
    let signed = |sign: &dyn Fn(usize) -> String, between: &str| {
        let items: Vec<String> = items
            .iter()
            .zip(1..)
            .map(|(item, n)| format!("{}{item}", sign(n)))
            .collect();
        items.join(between)
    };
    let circled = |n: usize| ["①", "②", "③", "④"].get(n - 1).copied().unwrap_or_default().to_owned();
    let legend_line = if legend.is_empty() {
        String::new()
    } else {
        format!("{legend}\n")
    };
    match parted {
        Parted::Bullets => format!("{label}\t{legend} {}\n", signed(&|_| "・".to_owned(), " ")),
        Parted::Numbers => format!("{label}\t{} {legend}\n", signed(&circled, " ")),
        Parted::Blanks => format!("{label}\t{}\t{legend}\n", signed(&|_| String::new(), "　")),
        Parted::Lines => format!("{label}\n{legend_line}{}\n", signed(&|_| "・".to_owned(), "\n")),
        Parted::Ordinals => format!("{label}\n{legend_line}{}\n", signed(&|n| format!("{n}. "), "\n")),
        Parted::Dashes => format!("{label}\n{}\n{legend_line}", signed(&|_| "- ".to_owned(), "\n")),
        Parted::Quoted => format!("{label}\t\"{legend_line}{}\n\"\n", signed(&|_| "・".to_owned(), "\n")),
    }
}

/// The boxes of a form.
pub(super) fn boxes(written: &[Written], shapes: [Parted; 3], legend: &str) -> String {
    let of = |text: &dyn Fn(&Written) -> String| written.iter().map(text).collect::<Vec<_>>();
    let names = of(&|it| format!("{}：{}", it.name, it.target));
    let results = of(&|it| format!("{}{}", it.result, it.rating));
    let previous = of(&|it| it.previous.clone());
    let [names_in, results_in, previous_in] = shapes;
    let mut text = "令和6年度 西区運営方針\n経営課題1-(1) 防災\n\t5決算額\t77百万円\t6予算額（千円）\t1,018\n課題認識\n・備えが足りない。\n".to_owned();
    for (label, items, parted, legend) in [
        ("アウトカム指標", names, names_in, ""),
        ("6年度実績と達成状況", results, results_in, legend),
        ("前年度実績", previous, previous_in, ""),
    ] {
        text.push_str(&boxed(label, &items, parted, legend));
    }
    text
}
