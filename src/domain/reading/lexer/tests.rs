//! Texts and the tokens they are cut into.
use super::*;
use crate::domain::fixtures::year;

/// The tokens of a text, each with a letter for its kind: n a number, u a unit, x what looks like a number and is none.
fn outline(text: &str) -> String {
    let plain = Plain::of(text);
    let tokens = lex(&plain, Some(year(2024)));
    let letter = |kind| match kind {
        Kind::Number(_) => "n",
        Kind::Unit => "u",
        Kind::Odd => "x",
        Kind::Year(_) => "y",
        Kind::Date(_) => "d",
        Kind::Threshold(_) => "t",
        Kind::Change(_) => "c",
        Kind::Mark => "m",
        Kind::Other => "o",
        _ => "-",
    };
    let tokens: Vec<String> = tokens
        .iter()
        .map(|it| format!("{}{}", letter(it.kind), it.text))
        .collect();
    tokens.join(" ")
}

#[test]
fn a_text_is_cut_where_its_words_end() {
    for (text, expected) in [
        ("48%以上", "n48 u% t以上"),
        ("４８　％　以上", "n48 u% t以上"),
        ("1.2万人以上", "n1.2万 u人 t以上"),
        ("51 52%", "n51 n52 u%"),
        ("5 1以上", "n5 n1 t以上"),
        ("51²件", "n51 x² o件"),
        ("③件", "m③ o件"),
        ("3分の2以上", "x3分の2 t以上"),
        ("2／3以上", "x2/3 t以上"),
        ("½以上", "x½ t以上"),
        ("٥١件", "x٥ x١ o件"),
        ("1,0,0件", "x1,0,0 o件"),
        ("- 66.4%", "-- n66.4 u%"),
        ("12\n34", "n12 n34"),
        ("60%を超えない", "n60 u% -を t超えない"),
        ("前年度より増加させない", "-前年度 -より c増加させない"),
        ("令和8年度末時点で認知度50%", "y令和8年度 -末時点 -で o認知度 n50 u%"),
        ("令和8年3月31日", "d令和8年3月31日"),
        ("R4:1,020件", "yR4 -: n1,020 u件"),
        ("月1回以上", "-月 n1 u回 t以上"),
        ("区民の一人", "o区民 -の n一 u人"),
        ("十分な案内", "n十 u分 oな案内"),
    ] {
        assert_eq!(outline(text), expected, "{text}");
    }
}
