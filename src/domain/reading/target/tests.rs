//! Examples of targets as forms print them.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use super::*;
use crate::{
    domain::fixtures::{by_end_of, cumulative, number as decimal, year},
    value::Codes as _,
};

mod lines;
mod mutations;
mod named;
mod random;

fn read_2024(text: &str) -> ReadTarget {
    read(text, year(2024))
}

/// Comparator, value (and upper), unit, direction.
#[test]
fn a_number_is_read_with_how_it_is_compared() {
    for (text, comparator, value, unit) in [
        ("48%以上", "gte", "48", "%"),
        ("81.2%以上", "gte", "81.2", "%"),
        ("４８％以上", "gte", "48", "%"),
        ("４８　％　以上", "gte", "48", "%"),
        ("40%以上。", "gte", "40", "%"),
        ("3団体以上", "gte", "3", "団体"),
        ("三団体以上", "gte", "3", "団体"),
        ("2,000件以上", "gte", "2000", "件"),
        ("２，０００件以上", "gte", "2000", "件"),
        ("3千人以上", "gte", "3000", "人"),
        ("1万世帯以上", "gte", "10000", "世帯"),
        ("8割以上", "gte", "80", "%"),
        ("八割以上", "gte", "80", "%"),
        ("延べ2,400件以上", "gte", "2400", "件"),
        ("年間12回以上", "gte", "12", "回"),
        ("12回以上開催", "gte", "12", "回"),
        ("5か所以上", "gte", "5", "か所"),
        ("80%以上とする", "gte", "80", "%"),
        ("80％以上を維持", "gte", "80", "%"),
        ("80%以上をめざす", "gte", "80", "%"),
        ("80％以上を目指す。", "gte", "80", "%"),
        ("75%を超える", "gt", "75", "%"),
        ("75%超", "gt", "75", "%"),
        ("75%を上回る", "gt", "75", "%"),
        ("30時間未満", "lt", "30", "時間"),
        ("30件を下回る", "lt", "30", "件"),
        ("20分以内", "lte", "20", "分"),
        ("1時間30分以内", "lte", "1.5", "時間"),
        ("22分30秒以内", "lte", "22.5", "分"),
        ("5%以下", "lte", "5", "%"),
        ("3位以内", "lte", "3", "位"),
        ("100件以下", "lte", "100", "件"),
        ("0件", "lte", "0", "件"),
        ("0人を維持", "lte", "0", "人"),
        ("1,577人→0人", "lte", "0", "人"),
        ("1,577人⇒1,000人", "lte", "1000", "人"),
        ("100件→150件", "gte", "150", "件"),
        ("全15地域で策定する", "gte", "15", "地域"),
        ("全24区で実施", "gte", "24", "区"),
        ("1.5倍以上（R4:1,020件）", "gte", "1530", "件"),
        ("2倍以上(令和4年度実績100件)", "gte", "200", "件"),
    ] {
        let read = read_2024(text);
        let target = &read.target;
        assert_eq!(
            (
                target.comparator.code(),
                target.value,
                read.unit.as_deref(),
                read.parse,
                target.reference.clone(),
                target.period
            ),
            (
                comparator,
                Some(decimal(value)),
                Some(unit),
                Parse::Full,
                Reference::default(),
                Period::default()
            ),
            "{text}: {read:?}"
        );
        let expected = match comparator {
            "gte" | "gt" => Direction::HigherIsBetter,
            _ => Direction::LowerIsBetter,
        };
        assert_eq!(read.direction, expected, "{text}");
        assert_eq!(target.text.as_ref().unwrap().0, one_line(text), "the text as printed");
    }
}

#[test]
fn nothing_at_all_is_at_most_nought() {
    for (text, unit) in [
        ("死者ゼロ", None),
        ("待機児童ゼロ", None),
        ("ゼロ", None),
        ("0人", Some("人")),
    ] {
        let read = read_2024(text);
        assert_eq!(
            (
                read.target.comparator,
                read.target.value,
                read.unit.as_deref(),
                read.parse
            ),
            (Comparator::Lte, Some(Decimal::ZERO), unit, Parse::Full),
            "{text}"
        );
    }
}

#[test]
fn a_range_has_both_its_ends() {
    for (text, lower, upper, unit) in [
        ("2,000件～2,400件", "2000", "2400", "件"),
        ("2,000～2,400件", "2000", "2400", "件"),
        ("２，０００件〜２，４００件", "2000", "2400", "件"),
        ("40%以上60%以下", "40", "60", "%"),
        ("40%以上、60%以内", "40", "60", "%"),
    ] {
        let read = read_2024(text);
        assert_eq!(
            (
                read.target.comparator,
                read.target.value,
                read.target.upper,
                read.unit.as_deref(),
                read.parse
            ),
            (
                Comparator::Between,
                Some(decimal(lower)),
                Some(decimal(upper)),
                Some(unit),
                Parse::Full
            ),
            "{text}: {read:?}"
        );
    }
    for text in ["2,400件～2,000件", "40%～60件", "40%以上60%未満"] {
        assert_eq!(read_2024(text).target.comparator, Comparator::Unread, "{text}");
    }
}

#[test]
fn a_target_may_refer_to_another_year() {
    let previous = (ReferenceKind::PreviousYear, None, None);
    let of = |gregorian, value: Option<&str>| (ReferenceKind::FiscalYear, Some(year(gregorian)), value.map(decimal));
    let constant = |value| (ReferenceKind::Constant, None, Some(decimal(value)));
    for (text, comparator, value, reference) in [
        ("前年度より増加", "increase", None, previous),
        ("前年度より減少", "decrease", None, previous),
        ("前年度実績を上回る", "gt", None, previous),
        ("前年度実績を上回る。", "gt", None, previous),
        ("前年度実績以上", "gte", None, previous),
        ("前年度以上", "gte", None, previous),
        ("前年度実績値以上", "gte", None, previous),
        ("昨年度実績以下", "lte", None, previous),
        ("前年度を下回る", "lt", None, previous),
        ("対前年度比増", "increase", None, previous),
        ("前年度比減", "decrease", None, previous),
        ("前年度に比べて増加", "increase", None, previous),
        ("前年度比で向上", "increase", None, previous),
        ("前年度から減少させる", "decrease", None, previous),
        ("前年度実績を維持", "maintain", None, previous),
        ("前年度と同程度", "maintain", None, previous),
        ("前年度並み", "maintain", None, previous),
        ("前年度水準を維持する", "maintain", None, previous),
        ("毎年3ポイント減少", "decrease_by", Some("3"), previous),
        ("毎年度3ポイント以上増加", "increase_by", Some("3"), previous),
        ("前年度より4ポイント向上", "increase_by", Some("4"), previous),
        ("前年度より10件増", "increase_by", Some("10"), previous),
        ("前年度比▲10件", "decrease_by", Some("10"), previous),
        ("令和3年度末より4ポイント増加", "increase_by", Some("4"), of(2021, None)),
        (
            "Ｒ３年度実績より４ポイント増加",
            "increase_by",
            Some("4"),
            of(2021, None),
        ),
        ("令和元年度より減少", "decrease", None, of(2019, None)),
        ("平成30年度実績を上回る", "gt", None, of(2018, None)),
        ("4年度実績以上", "gte", None, of(2022, None)),
        ("前年度実績(57%)以上", "gte", None, of(2023, Some("57"))),
        ("令和4年度実績（1,020件）以上", "gte", None, of(2022, Some("1020"))),
        (
            "前年度より増加（前年度実績57%）",
            "increase",
            None,
            of(2023, Some("57")),
        ),
        ("90%を維持", "maintain", None, constant("90")),
    ] {
        let read = read_2024(text);
        let it = &read.target.reference;
        assert_eq!(
            (
                read.target.comparator.code(),
                read.target.value,
                (it.kind, it.fiscal_year, it.value),
                read.parse
            ),
            (comparator, value.map(decimal), reference, Parse::Full),
            "{text}: {read:?}"
        );
    }
}

#[test]
fn a_change_that_is_not_to_be_is_no_change() {
    use Comparator::{Decrease, Gte, Increase, Lte};
    for (text, comparator) in [
        ("前年度より増加させる", Increase),
        ("前年度より増やす", Increase),
        ("前年度より高める", Increase),
        ("前年度より減らす", Decrease),
        ("前年度より増加させない", Lte),
        ("前年度より増やさないこと", Lte),
        ("前年度より減らさない", Gte),
        ("前年度を下回らない", Gte),
        ("前年度実績を超えない", Lte),
    ] {
        let read = read_2024(text);
        assert_eq!(
            (read.target.comparator, read.target.reference.kind, read.parse),
            (comparator, ReferenceKind::PreviousYear, Parse::Full),
            "{text}: {read:?}"
        );
    }
    for (text, comparator) in [
        ("60%を超えない", Lte),
        ("60%を上回らないこと", Lte),
        ("60%を下回らない", Gte),
    ] {
        let read = read_2024(text);
        assert_eq!(
            (read.target.comparator, read.parse),
            (comparator, Parse::Full),
            "{text}"
        );
    }
    for text in [
        "5%以上の減少",
        "30分以上待った割合を減らす",
        "苦情を減らす60件",
        "全15地域で検討を始める",
    ] {
        let read = read_2024(text);
        assert_eq!(read.target.comparator, Comparator::Unread, "{text}: {read:?}");
        assert_eq!(read.understood(), None, "{text}");
    }
}

#[test]
fn a_target_may_take_several_years() {
    for (text, value, period) in [
        ("10,000世帯以上（R3～R5合計）", "10000", cumulative(2021, 2023)),
        (
            "10,000世帯以上（令和3年度から令和5年度までの合計）",
            "10000",
            cumulative(2021, 2023),
        ),
        ("R3～R5累計で10,000世帯以上", "10000", cumulative(2021, 2023)),
        ("令和7年度末までに80%以上", "80", by_end_of(2025)),
        ("80%以上（令和7年度末まで）", "80", by_end_of(2025)),
        ("令和6年度末までに80%以上", "80", Period::default()),
    ] {
        let read = read_2024(text);
        assert_eq!(
            (
                read.target.comparator,
                read.target.value,
                read.target.period,
                read.parse
            ),
            (Comparator::Gte, Some(decimal(value)), period, Parse::Full),
            "{text}: {read:?}"
        );
    }
}

#[test]
fn a_state_in_words_is_one_and_no_target_is_none() {
    for text in [
        "分かりやすい案内を行う",
        "一人ひとりに寄り添った支援を行う",
        "計画を策定する",
        "すべての区民が安心して暮らせる",
    ] {
        let read = read_2024(text);
        assert_eq!(
            (read.target.comparator, read.parse),
            (Comparator::Qualitative, Parse::Full),
            "{text}"
        );
    }
    for text in ["", "　", "－", "-", "未定", "検討中"] {
        let read = read_2024(text);
        assert_eq!(
            (read.target.comparator, read.parse),
            (Comparator::Undecided, Parse::Full),
            "{text}"
        );
    }
}

#[test]
fn what_leaves_a_choice_is_no_target_but_what_was_understood_is_kept() {
    let bare = read_2024("80%");
    assert_eq!(
        (bare.target.comparator, bare.parse, bare.value, bare.unit.as_deref()),
        (Comparator::Unread, Parse::Partial, Some(decimal("80")), Some("%"))
    );
    assert_eq!(bare.target.value, None);

    let relative = read_2024("前年度比△10%以上");
    assert_eq!(
        (
            relative.target.comparator,
            relative.parse,
            relative.reference.kind,
            relative.direction
        ),
        (
            Comparator::Unread,
            Parse::Partial,
            ReferenceKind::PreviousYear,
            Direction::LowerIsBetter
        ),
        "10% of a number that is not printed"
    );
    for text in [
        "前年度比10%増",
        "80%以上かつ前年度以上",
        "1.5倍以上",
        "0倍",
        "0百倍",
        "全1倍",
        "1倍～2倍",
        "1倍→2倍",
        "30分から20分に短縮",
        "概ね達成（80点）",
        "1,0,0件以上",
        "51 52%以上",
        "5²件以上",
        "3分の2以上",
        "2／3以上",
        "80%以上（ただし雨天の日を除く）",
    ] {
        let read = read_2024(text);
        assert_eq!(read.target.comparator, Comparator::Unread, "{text}: {read:?}");
        assert_ne!(read.parse, Parse::Full, "{text}: {read:?}");
        assert_eq!(read.target.text.as_ref().unwrap().0, text);
    }
    let about = read_2024("約80%以上");
    assert_eq!(
        (
            about.target.comparator,
            about.target.value,
            about.comparator,
            about.value,
            about.parse,
            about.rest.as_slice()
        ),
        (
            Comparator::Unread,
            None,
            Some(Comparator::Gte),
            Some(decimal("80")),
            Parse::Partial,
            &["約".to_owned()][..]
        )
    );
    assert_eq!(print(&about.understood().unwrap(), Some("%")), "80%以上");
    let remark = read_2024("80%以上（努力目標）");
    assert_eq!(
        (remark.target.comparator, remark.comparator, remark.parse),
        (Comparator::Unread, Some(Comparator::Gte), Parse::Partial)
    );
}

#[test]
fn decimals_are_those_of_the_printed_number() {
    for (text, decimals) in [("48%以上", 0), ("81.2%以上", 1), ("81.20%以上", 2), ("1.25～3.5件", 2)] {
        assert_eq!(read_2024(text).decimals, decimals, "{text}");
    }
}
