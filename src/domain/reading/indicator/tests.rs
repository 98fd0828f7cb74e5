//! Examples of lines of indicators.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::domain::{fixtures::year, target::Target};

fn read_2024(line: &str) -> ReadIndicator {
    read(line, year(2024))
}

#[test]
fn a_line_that_says_more_than_one_target_is_none_to_be_judged() {
    for line in [
        "満足度60%以上、参加者数100人以上",
        "満足度60%以上、参加者数：100人以上",
        "認知度 R6：40%以上 R7：45%以上",
        "合格率 7割以上8割未満",
        "3か年で延べ600人以上",
        "満足度80%以上かつ回答率50%以上",
        "3分の2以上",
        "合格者が2／3以上",
        "参加者の3分の2以上",
    ] {
        let target = read_2024(line).target;
        assert!(
            target
                .as_ref()
                .is_none_or(|target| target.target.comparator == Comparator::Unread),
            "{line}: {target:?}"
        );
    }
}

#[test]
fn a_time_before_the_name_belongs_to_the_target() {
    for (line, name, to) in [
        ("令和8年度末時点で認知度50%以上", "認知度", Some(2026)),
        ("令和7年度末までに、登録者数 1,000人以上", "登録者数", Some(2025)),
        ("令和6年度末時点で認知度50%以上", "認知度", None),
    ] {
        let read = read_2024(line);
        let target = read.target.unwrap_or_else(|| panic!("{line}"));
        assert_eq!(
            (read.name.as_str(), target.parse, target.period.to.map(FiscalYear::get)),
            (name, Parse::Full, to),
            "{line}"
        );
    }
    let read = read_2024("満足度を、平成5年度より4ポイント増加");
    let target = read.target.unwrap();
    assert_eq!(
        (
            read.name.as_str(),
            target.target.reference.fiscal_year.map(FiscalYear::get)
        ),
        ("満足度", Some(1993))
    );
}

#[test]
fn what_leads_to_a_number_is_no_name() {
    for line in [
        "前年度比△10%以上",
        "前年度比10%以上",
        "令和3年度比5%以上",
        "利用件数が前年度より5件以上",
        "利用件数 前年度比△10%以上",
        "利用件数は約40件以上",
        "満足度が上位3位以内",
        "気温が-5度以上",
    ] {
        let read = read_2024(line);
        assert_eq!(read.name, line);
        let target = read.target.map(|target| target.target.comparator);
        assert!(
            target.is_none_or(|comparator| comparator == Comparator::Unread),
            "{line}"
        );
    }
}

#[test]
fn a_line_is_a_name_and_a_target() {
    for (line, name, text) in [
        (
            "・地域活動協議会を知っている区民アンケート回答者の割合：40%以上",
            "地域活動協議会を知っている区民アンケート回答者の割合",
            "40%以上",
        ),
        (
            "コンビニでの証明書発行割合 40%以上",
            "コンビニでの証明書発行割合",
            "40%以上",
        ),
        (
            "コンビニでの証明書発行割合　４０％以上",
            "コンビニでの証明書発行割合",
            "４０％以上",
        ),
        ("待ち時間10分以上の割合：5%以下", "待ち時間10分以上の割合", "5%以下"),
        (
            "窓口の待ち時間が20分以内だった割合80%以上",
            "窓口の待ち時間が20分以内だった割合",
            "80%以上",
        ),
        ("①防災訓練の参加者数: 1,000人以上", "防災訓練の参加者数", "1,000人以上"),
        (
            "相談件数：1.5倍以上（R4:1,020件）",
            "相談件数",
            "1.5倍以上（R4:1,020件）",
        ),
        ("事業A：相談件数：100件以上", "事業A：相談件数", "100件以上"),
        ("案内の質：分かりやすい案内を行う", "案内の質", "分かりやすい案内を行う"),
    ] {
        let read = read_2024(line);
        let target = read.target.unwrap_or_else(|| panic!("{line}: no target"));
        assert_eq!(
            (read.name.as_str(), target.target.text.unwrap().0.as_str()),
            (name, text),
            "{line}"
        );
    }
    for line in [
        "・防災訓練の参加者数",
        "満足度が80%以上の区民の割合",
        "満足度：",
        "20分以内の窓口",
    ] {
        assert_eq!(read_2024(line).target, None, "{line}");
    }
    assert_eq!(read_2024("満足度：").name, "満足度");
}

#[test]
fn the_indicators_of_the_real_policy_are_read_as_they_are() {
    let policy: Value = serde_json::from_str(include_str!("../../../../tests/forms/nishi-2024.json")).unwrap();
    let goals = policy["goals"].as_array().unwrap().iter();
    let indicators: Vec<&Value> = goals.flat_map(|goal| goal["indicators"].as_array().unwrap()).collect();
    assert_eq!(indicators.len(), 10);
    for indicator in indicators {
        let name = indicator["name"].as_str().unwrap();
        let target: Target = serde_json::from_value(indicator["target"].clone()).unwrap();
        let text = &target.text.as_ref().unwrap().0;
        for line in [format!("・{name}：{text}"), format!("{name} {text}")] {
            let read = read_2024(&line);
            let found = read.target.unwrap();
            assert_eq!((read.name.as_str(), &found.target), (name, &target));
            assert_eq!(read.population.as_deref(), indicator["population"].as_str(), "{name}");
            assert_eq!(found.unit.as_deref(), indicator["unit"].as_str());
            assert_eq!(u64::from(found.decimals), indicator["decimals"].as_u64().unwrap());
            assert_eq!(serde_json::to_value(found.direction).unwrap(), indicator["direction"]);
            assert_eq!(found.parse, Parse::Full);
        }
    }
}

#[test]
fn who_is_asked_is_said_only_where_the_name_says_it() {
    for (name, expected) in [
        (
            "満足したと回答した来庁者アンケート回答者の割合",
            Some("来庁者アンケート回答者"),
        ),
        ("安心と感じる保護者の割合", Some("保護者")),
        ("知っている区民の割合", Some("区民")),
        ("証明書発行の割合", None),
        ("アンケートで満足との回答の割合", None),
        ("防災訓練の参加者数", None),
        ("の割合", None),
        ("", None),
    ] {
        assert_eq!(population(name).as_deref(), expected, "{name}");
    }
}

proptest! {
    #[test]
    fn any_line_has_a_name_that_stands_in_it(line in "[・：: 　0-9%以上内のAぁ一（）()]{0,60}") {
        let read = read_2024(&line);
        prop_assert!(one_line(&line).contains(&read.name));
    }
}
