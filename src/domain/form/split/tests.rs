//! Items of boxes, by what separates them.

use super::{Content, Item, Mark, parts};
use crate::domain::fixtures::year;

fn texts(lines: &[(&str, Mark)], content: Content) -> Vec<String> {
    let items: Vec<Item> = lines
        .iter()
        .map(|(text, mark)| Item {
            text: (*text).to_owned(),
            line: 1,
            column: 1,
            mark: *mark,
            goes_on: false,
            exact: vec![],
        })
        .collect();
    parts(&items, content).into_iter().map(|part| part.text).collect()
}

#[test]
fn prose_is_parted_at_bullets_numbers_and_sentences() {
    for (text, mark, expected) in [
        ("・a・b。 ・c", Mark::Line, vec!["a・b。", "c"]),
        ("「a」 ・b", Mark::Line, vec!["「a」", "b"]),
        ("①a ②b", Mark::Line, vec!["①a", "②b"]),
        ("①a②b（①を除く）", Mark::Line, vec!["①a", "②b（①を除く）"]),
        ("（１）a （２）b", Mark::Line, vec!["（１）a", "（２）b"]),
        ("a。 b。そのため、c。", Mark::Line, vec!["a。", "b。そのため、c。"]),
        ("a。 b。", Mark::Run, vec!["a。", "b。"]),
        ("a b", Mark::Run, vec!["a", "b"]),
        ("a b", Mark::Line, vec!["a b"]),
        ("・a b ・c", Mark::Listed, vec!["a b ・c"]),
        ("○○区の○○", Mark::Line, vec!["○○区の○○"]),
        ("・a ①b ②c", Mark::Line, vec!["a ①b ②c"]),
    ] {
        assert_eq!(texts(&[(text, mark)], Content::Prose), expected, "{text}");
    }
}

#[test]
fn a_line_that_broke_off_goes_on() {
    let lines = [
        ("・災害に強い", Mark::Line),
        ("まち。", Mark::Line),
        ("・犯罪", Mark::Line),
    ];
    assert_eq!(texts(&lines, Content::Prose), ["災害に強いまち。", "犯罪"]);
    let lines = [("「誇り」", Mark::Line), ("まち", Mark::Line)];
    assert_eq!(texts(&lines, Content::Prose), ["「誇り」", "まち"]);
}

#[test]
fn indicators_in_a_list_without_bullets_end_with_their_targets() {
    for (text, expected) in [
        ("a：57%以上 b：80%以上", vec!["a：57%以上", "b：80%以上"]),
        (
            "a 40%以上 ICT を使う人：30%以上",
            vec!["a 40%以上", "ICT を使う人：30%以上"],
        ),
        ("・a b：60%以上 ・c 40%以上", vec!["a b：60%以上", "c 40%以上"]),
    ] {
        assert_eq!(
            texts(&[(text, Mark::Run)], Content::Indicators(year(2024))),
            expected,
            "{text}"
        );
    }
}

#[test]
fn results_are_parted_after_ratings_and_take_a_rating_that_stands_apart() {
    for (text, expected) in [
        ("57.0%：A 84.96%：Ｂ", vec!["57.0%：A", "84.96%：Ｂ"]),
        ("①57.0%：A②81%：B", vec!["57.0%：A", "81%：B"]),
        ("22分 30秒", vec!["22分 30秒"]),
    ] {
        assert_eq!(texts(&[(text, Mark::Line)], Content::Values), expected, "{text}");
    }
    assert_eq!(
        texts(&[("57%", Mark::Block), ("Ａ", Mark::Block)], Content::Values),
        ["57%：Ａ"]
    );
}

#[test]
fn marks_of_lists_are_no_signs_and_no_digits() {
    let lines = |lines: &[&str]| {
        let items: Vec<(String, Mark)> = lines.iter().map(|line| ((*line).to_owned(), Mark::Line)).collect();
        let items: Vec<(&str, Mark)> = items.iter().map(|(text, mark)| (text.as_str(), *mark)).collect();
        texts(&items, Content::Values)
    };
    for (text, expected) in [
        (vec!["- 66.4%：B", "- 41%：A"], vec!["66.4%：B", "41%：A"]),
        (vec!["- 66.4%：B"], vec!["- 66.4%：B"]),
        (vec!["-3.5%", "-2%"], vec!["-3.5%", "-2%"]),
        (vec!["1. 48.5%:B", "2. 1,204人:A"], vec!["48.5%:B", "1,204人:A"]),
        (vec!["1) 48.5%:B", "2) 1,204人:A"], vec!["48.5%:B", "1,204人:A"]),
        (vec!["１．48.5%", "２．41%"], vec!["１．48.5%", "２．41%"]),
        (vec!["1 48.5%:B", "2 1,204人:A"], vec!["1 48.5%:B", "2 1,204人:A"]),
        (vec!["3. 980件"], vec!["3. 980件"]),
        (vec!["1. 5倍"], vec!["1. 5倍"]),
        (vec!["ア) 48.5%", "イ) 41%"], vec!["48.5%", "41%"]),
        (vec!["• 48.5%", "• 41%"], vec!["48.5%", "41%"]),
        (vec!["\u{f0b7} 48.5%", "\u{f0b7} 41%"], vec!["48.5%", "41%"]),
        (vec!["○", "○"], vec!["○", "○"]),
    ] {
        assert_eq!(lines(&text), expected, "{text:?}");
    }
}

#[test]
fn lines_that_broke_off_within_a_bracket_or_a_name_go_on() {
    let lines = |lines: &[&str], content| {
        let items: Vec<(&str, Mark)> = lines.iter().map(|line| (*line, Mark::Line)).collect();
        texts(&items, content)
    };
    let indicators = Content::Indicators(year(2024));
    for (text, content, expected) in [
        (
            vec!["4,722世帯(R3~R5合計", "10,488世帯):A", "3人"],
            Content::Values,
            vec!["4,722世帯(R3~R5合計10,488世帯):A", "3人"],
        ),
        (vec!["4,722世帯(1", "0人)"], Content::Values, vec!["4,722世帯(1 0人)"]),
        (
            vec!["備えをしている", "区民の割合：50%以上"],
            indicators,
            vec!["備えをしている", "区民の割合：50%以上"],
        ),
        (
            vec![
                "地域で安心して暮らせると感じている区民アンケートの",
                "回答者の割合：50%以上",
            ],
            indicators,
            vec!["地域で安心して暮らせると感じている区民アンケートの回答者の割合：50%以上"],
        ),
        (
            vec!["訓練の参加者", "の数：１", "２０人以上"],
            indicators,
            vec!["訓練の参加者の数：１ ２０人以上"],
        ),
        (vec!["48", "980", "1,204"], Content::Values, vec!["48", "980", "1,204"]),
        (vec!["4", "8.5%"], Content::Values, vec!["4 8.5%"]),
    ] {
        assert_eq!(lines(&text, content), expected, "{text:?}");
    }
}
