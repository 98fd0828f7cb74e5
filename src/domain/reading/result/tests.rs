//! Examples of results as forms print them.

use proptest::prelude::*;

use super::*;
use crate::domain::fixtures::{number, year};

fn read_2024(text: &str, unit: Option<&str>) -> ReadResult {
    read(text, unit, year(2024))
}

#[test]
fn a_value_is_read_with_its_rating() {
    use Rating::{A, B};
    for (text, unit, value, rating, kept) in [
        ("57.0%：A", "%", "57.0", Some(A), "57.0%"),
        ("84.96%：A", "%", "84.96", Some(A), "84.96%"),
        ("８４．９６％：Ａ", "%", "84.96", Some(A), "８４．９６％"),
        ("57.0% A", "%", "57.0", Some(A), "57.0%"),
        ("57.0%（A）", "%", "57.0", Some(A), "57.0%"),
        ("A：57.0%", "%", "57.0", Some(A), "57.0%"),
        ("（B）57.0%", "%", "57.0", Some(B), "57.0%"),
        ("57.0%：達成（A）", "%", "57.0", Some(A), "57.0%"),
        ("57.0%：未達成", "%", "57.0", Some(B), "57.0%"),
        ("延べ2,415件：B", "件", "2415", Some(B), "延べ2,415件"),
        ("3団体", "団体", "3", None, "3団体"),
        ("57.0%", "%", "57.0", None, "57.0%"),
        ("57.0", "%", "57.0", None, "57.0"),
        ("0件：A", "件", "0", Some(A), "0件"),
        ("△3件", "件", "-3", None, "△3件"),
        ("22分30秒", "分", "22.5", None, "22分30秒"),
        ("22分30秒", "秒", "1350", None, "22分30秒"),
        ("8割：A", "%", "80", Some(A), "8割"),
        ("1万2千人：A", "人", "12000", Some(A), "1万2千人"),
    ] {
        let read = read_2024(text, Some(unit));
        assert_eq!(
            (
                read.value,
                read.declared_rating,
                read.text.as_deref(),
                read.value_status,
                read.parse
            ),
            (
                Some(number(value)),
                rating,
                Some(kept),
                Some(ValueStatus::Reported),
                Parse::Full
            ),
            "{text}: {read:?}"
        );
    }
}

#[test]
fn no_figure_is_made_of_what_stands_apart() {
    for (text, unit, rating) in [
        ("- 66.4%：B", "%", Some(Rating::B)),
        ("▲ 3件", "件", None),
        ("1 48.5%:B", "%", Some(Rating::B)),
        ("2 1,204人:A", "人", Some(Rating::A)),
        ("12\n34", "件", None),
        ("3　5件", "件", None),
        ("51²件", "件", None),
        ("3分の2", "分", None),
        ("2/3", "件", None),
        ("（59.5%）：B", "%", Some(Rating::B)),
    ] {
        let read = read_2024(text, Some(unit));
        assert_eq!(
            (read.value, read.value_status, read.declared_rating),
            (None, Some(ValueStatus::TextOnly), rating),
            "{text}: {read:?}"
        );
        assert_ne!(read.parse, Parse::Full, "{text}");
    }
    let listed = read_2024("3. 980件：A", Some("件"));
    assert_eq!(
        (listed.value, listed.text.as_deref()),
        (Some(number("980")), Some("3. 980件"))
    );
}

#[test]
fn one_result_may_carry_two_numbers() {
    let read = read_2024("4,722世帯(R3~R5合計10,488世帯):A", Some("世帯"));
    assert_eq!(
        (
            read.value,
            read.cumulative_value,
            read.cumulative_years,
            read.declared_rating,
            read.parse
        ),
        (
            Some(number("4722")),
            Some(number("10488")),
            Some((year(2021), year(2023))),
            Some(Rating::A),
            Parse::Full
        )
    );
    let read = read_2024("4,722世帯（累計10,488世帯）", Some("世帯"));
    assert_eq!(
        (read.cumulative_value, read.cumulative_years),
        (Some(number("10488")), None)
    );
}

#[test]
fn no_number_has_its_reason() {
    use ValueStatus::{BeingCompiled, Discontinued, NotApplicable, NotMeasured, NotReported, TextOnly, Withheld};
    for (text, status) in [
        ("集計中（令和7年9月確定予定）", BeingCompiled),
        ("集計中", BeingCompiled),
        ("未集計", BeingCompiled),
        ("－（新規）", NotApplicable),
        ("－", NotApplicable),
        ("-", NotApplicable),
        ("ー", NotApplicable),
        ("評価対象外", NotApplicable),
        ("－（集計中）", BeingCompiled),
        ("把握困難", NotMeasured),
        ("非公表", Withheld),
        ("廃止", Discontinued),
        ("未報告", NotReported),
        ("分かりやすい案内を行った", TextOnly),
        ("○", TextOnly),
    ] {
        let read = read_2024(text, Some("%").filter(|_| status != TextOnly));
        assert_eq!(
            (read.value, read.value_status, read.parse, read.text.as_deref()),
            (None, Some(status), Parse::Full, Some(text)),
            "{text}: {read:?}"
        );
    }
    for text in ["", "　", " \t\n"] {
        let read = read_2024(text, None);
        assert_eq!((read.value_status, read.text, read.parse), (None, None, Parse::Full));
    }
    let rating_alone = read_2024("A", None);
    assert_eq!(
        (
            rating_alone.declared_rating,
            rating_alone.value_status,
            rating_alone.text
        ),
        (Some(Rating::A), None, None)
    );
}

#[test]
fn how_settled_a_value_is_stands_beside_it() {
    use ObservationStatus::{Final, Provisional, Revised};
    for (text, status) in [
        ("57.0%（速報値）：A", Provisional),
        ("速報値57.0%", Provisional),
        ("57.0%（訂正後）", Revised),
        ("57.0%（確定値）", Final),
        ("57.0%", Final),
    ] {
        let read = read_2024(text, Some("%"));
        assert_eq!(
            (read.value, read.observation_status, read.parse),
            (Some(number("57.0")), status, Parse::Full),
            "{text}"
        );
    }
}

#[test]
fn what_is_not_this_indicators_number_is_not_taken() {
    for (text, unit) in [
        ("57件", "%"),
        ("57%", "件"),
        ("22分20秒", "分"),
        ("57%～60%", "%"),
        ("男57%、女60%", "%"),
        ("57%（うち女性60%", "%"),
        ("増えた気がする", "%"),
        ("約57%", "%"),
        ("1(2)1,204件", "件"),
        ("0. 1%", "%"),
    ] {
        let read = read_2024(text, Some(unit));
        assert_eq!(
            (read.value, read.value_status),
            (None, Some(ValueStatus::TextOnly)),
            "{text}: {read:?}"
        );
        assert_ne!(read.parse, Parse::Full, "{text}");
    }
    let remark = read_2024("57%（女性は60%）", Some("%"));
    assert_eq!((remark.value, remark.parse), (Some(number("57")), Parse::Partial));
}

#[test]
fn a_range_is_read_from_its_ends() {
    for (text, expected) in [
        ("R3~R5合計", Some((2021, 2023))),
        ("令和3~5年度", Some((2021, 2023))),
        ("令和3年度から令和5年度までの累計", Some((2021, 2023))),
        ("3~5年度", Some((2021, 2023))),
        ("R3~5", Some((2021, 2023))),
        ("令和5年度~令和3年度", None),
        ("令和3年~令和5年", None),
        ("2,000件~2,400件", None),
        ("3~5", None),
        ("3~R5", None),
        ("R3~ 5", None),
        ("令和3年度から5まで", None),
        ("R3", None),
    ] {
        let read = leading_range(text, year(2024)).map(|(first, last, _)| (first.get(), last.get()));
        assert_eq!(read, expected, "{text}");
    }
}

proptest! {
    #[test]
    fn whatever_is_printed_is_read_somehow(text in ".{0,60}") {
        let read = read_2024(&text, Some("%"));
        prop_assert_eq!(read.value.is_some(), read.value_status == Some(ValueStatus::Reported));
    }

    #[test]
    fn what_is_printed_is_read_as_the_same(
        value in prop::option::of((0..10_000_000_i64, 0..3_u32)),
        sum in prop::option::of(0..10_000_000_i64),
        rating in prop::option::of(prop::sample::select(Rating::ALL)),
        settled in prop::sample::select(ObservationStatus::ALL),
        unit in prop::option::of(prop::sample::select(vec!["%", "件", "世帯", "分"])),
    ) {
        let value = value.map(|(n, places)| Decimal(rust_decimal::Decimal::new(n, places)));
        let result = ReadResult {
            value,
            cumulative_value: sum.filter(|_| value.is_some()).map(|n| Decimal(n.into())),
            cumulative_years: sum.filter(|_| value.is_some()).map(|_| (year(2021), year(2023))),
            unit: unit.filter(|_| value.is_some()).map(str::to_owned),
            value_status: Some(if value.is_some() { ValueStatus::Reported } else { ValueStatus::BeingCompiled }),
            observation_status: settled,
            declared_rating: rating,
            text: None,
            parse: Parse::Full,
        };
        let read = read_2024(&print(&result, unit), unit);
        prop_assert_eq!(ReadResult { text: None, ..read }, result);
    }
}
