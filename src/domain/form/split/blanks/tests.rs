//! Texts in which only blanks separate items.

use super::{Line, Part, indicators, names, results, targets};
use crate::domain::{fixtures::year, form::notes::Place};

fn part(text: &str) -> Part {
    Part {
        text: text.to_owned(),
        place: Place::line(1),
        number: None,
        marked: false,
        doubtful: false,
        run_together: false,
        exact: None,
    }
}

fn texts(parts: Option<Vec<Part>>) -> Option<Vec<String>> {
    parts.map(|parts| parts.into_iter().map(|part| part.text).collect())
}

#[test]
fn indicators_end_with_their_targets() {
    let several = |text| match indicators(text, year(2024)) {
        Line::Several(parts) => parts.into_iter().map(|(_, text)| text.to_owned()).collect::<Vec<_>>(),
        Line::One => vec!["one".to_owned()],
        Line::Unclear => vec!["unclear".to_owned()],
    };
    for (text, expected) in [
        (
            "満足度：48%以上 利用件数：980件以上 参加者数：1,200人以上",
            vec!["満足度：48%以上", "利用件数：980件以上", "参加者数：1,200人以上"],
        ),
        (
            "認知度 40%以上 参加者数 100人以上",
            vec!["認知度 40%以上", "参加者数 100人以上"],
        ),
        (
            "認知度40%以上 参加者数100人以上",
            vec!["認知度40%以上", "参加者数100人以上"],
        ),
        (
            "満足度：48%以上 発行割合 40%以上",
            vec!["満足度：48%以上", "発行割合 40%以上"],
        ),
        (
            "安心して暮らせる 区民の割合：80%以上 訓練の回数：3回以上",
            vec!["安心して暮らせる 区民の割合：80%以上", "訓練の回数：3回以上"],
        ),
        ("コンビニでの証明書発行割合 40%以上", vec!["one"]),
        ("安心して暮らせる 区民の割合：80%以上", vec!["one"]),
        ("満足度：48%以上", vec!["one"]),
        ("待ち時間10分以上 の割合：5%以下", vec!["one"]),
        ("待ち時間10分以上 利用者の割合：5%以下", vec!["unclear"]),
    ] {
        assert_eq!(several(text), expected, "{text}");
    }
}

#[test]
fn results_are_separated_where_number_and_units_decide_it() {
    let units = |units: &[&str]| -> Vec<Option<String>> {
        units
            .iter()
            .map(|unit| (!unit.is_empty()).then(|| (*unit).to_owned()))
            .collect()
    };
    for (text, of, expected) in [
        (
            "48.5% 980件 1,204人",
            vec!["%", "件", "人"],
            Some(vec!["48.5%", "980件", "1,204人"]),
        ),
        (
            "48.5%：B 980件：A 1,204人：A",
            vec!["%", "件", "人"],
            Some(vec!["48.5%：B", "980件：A", "1,204人：A"]),
        ),
        ("48.5% B 980件 A", vec!["%", "件"], Some(vec!["48.5% B", "980件 A"])),
        (
            "48.5% 集計中 （令和7年9月確定予定） 1,204人",
            vec!["%", "件", "人"],
            Some(vec!["48.5%", "集計中 （令和7年9月確定予定）", "1,204人"]),
        ),
        ("48.5% －", vec!["%", "件"], Some(vec!["48.5%", "－"])),
        ("－ 980件", vec!["%", "件"], None),
        ("- 980件", vec!["%", "件"], None),
        ("48.5% - 41%", vec!["%", "件", "%"], None),
        ("48.5% 41%", vec!["%", "%"], Some(vec!["48.5%", "41%"])),
        ("980件 48.5%", vec!["%", "件"], None),
        ("22分 30秒", vec!["分", "分"], None),
        ("1 204人", vec!["人", "人"], None),
        ("48.5 980", vec!["%", "件"], None),
        ("48.5% 980件", vec!["%", "件", "人"], None),
        ("48.5% A 980件 B 1,204人", vec!["%", "件", "人"], None),
        ("増えた 減った", vec!["%", "件"], None),
    ] {
        let read = texts(results(&[part(text)], &units(&of), year(2024)));
        assert_eq!(
            read,
            expected.map(|texts| texts.into_iter().map(str::to_owned).collect()),
            "{text}"
        );
    }
}

#[test]
fn names_and_targets_are_separated_where_there_are_as_many_of_both() {
    let some = |texts: &[&str]| Some(texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>());
    let year = year(2024);
    assert_eq!(texts(targets(&[part("48%以上 980件 以上 前年度以上")], 2, year)), None);
    assert_eq!(
        texts(targets(&[part("48%以上 980件 以上")], 2, year)),
        some(&["48%以上", "980件 以上"])
    );
    assert_eq!(texts(targets(&[part("48% 以上 980件")], 2, year)), None);
    assert_eq!(texts(names(&part("満足度 利用件数"), 2)), some(&["満足度", "利用件数"]));
    assert_eq!(texts(names(&part("健診の 受診率"), 2)), None);
    assert_eq!(texts(names(&part("満足度 利用件数 参加者数"), 2)), None);
}
