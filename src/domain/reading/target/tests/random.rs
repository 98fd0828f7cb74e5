//! Targets at random: any text is read as a target that holds together, and what is printed is read again as it was.

use proptest::prelude::*;

use super::*;

#[test]
fn what_is_far_too_long_is_no_target() {
    for fragment in ["(", "前年度", "9", "一", "R3~", "以上", "全", "→"] {
        let text = fragment.repeat(100_000 / fragment.len());
        let read = read_2024(&text);
        assert_eq!((read.parse, &read.target.text), (Parse::Unparsed, &None), "{fragment}");
        let text: String = text.chars().take(MOST_TEXT).collect();
        assert!(read_2024(&text).target.faults().is_empty(), "{fragment}");
    }
}

#[test]
fn what_was_not_understood_is_said_with_its_place() {
    for (text, rest) in [
        ("約８０％以上", vec![("約", (0, 1))]),
        ("満足度：８０％以上 ※雨天を除く", vec![("※雨天を除く", (10, 16))]),
        (
            "80%以上（おおよその数）かつ前年度以上",
            vec![("(おおよその数)かつ前年度以上", (5, 20))],
        ),
        ("80%以上", vec![]),
        ("80%", vec![]),
    ] {
        let read = crate::domain::reading::indicator::read(text, year(2024)).target;
        let read = read.unwrap_or_else(|| read_2024(text));
        let expected: (Vec<String>, Vec<_>) = rest.iter().map(|(rest, span)| ((*rest).to_owned(), *span)).unzip();
        assert_eq!((read.rest, read.rest_spans), expected, "{text}");
    }
}

proptest! {
    #[test]
    fn whatever_is_printed_there_is_a_target_that_holds_together(text in ".{0,60}") {
        prop_assert!(read_2024(&text).target.faults().is_empty());
    }

    #[test]
    fn pieces_of_wording_in_any_order_are_no_trouble(pieces in prop::collection::vec(prop::sample::select(vec![
        "前年度", "令和3年度", "R4", "末", "より", "比", "1,020", "48", "%", "件", "ポイント", "以上", "未満", "増加", "△", "～",
        "（", "）", "(", ")", ":", "→", "約", "全", "ゼロ", "倍", "割", "までに", "を維持", "合計", "分", "秒", "千", "億", "年度", "年", "月", "回", "円",
        "位", "人", "7", "0", ".", "各", "計", "毎年", "毎月", "週", "/", "全て", "すべて", "で実施", "から", "維持", "・", "向上", "+", "≧", "=", "を上回る", "超",
    ]), 0..12)) {
        let text = pieces.concat();
        let first = read_2024(&text);
        prop_assert!(first.target.faults().is_empty());
        for (rest, (start, end)) in first.rest.iter().zip(&first.rest_spans) {
            let there: String = text.chars().skip(*start).take(end - start).collect();
            prop_assert_eq!(rest, &crate::domain::reading::plain::plain(&there), "{}", text);
        }
        if first.parse == Parse::Full {
            let printed = print(&first.target, first.unit.as_deref());
            let again = read_2024(&printed).target;
            prop_assert_eq!(Target { text: None, ..again }, Target { text: None, ..first.target }, "{} from {}", printed, text);
        }
    }

    #[test]
    fn what_is_printed_is_read_as_the_same(target in coherent(), unit in prop::option::of(prop::sample::select(vec!["%", "件", "団体", "か所"]))) {
        prop_assert_eq!(target.faults(), vec![]);
        let printed = print(&target, unit);
        let read = read_2024(&printed);
        prop_assert_eq!(read.parse, Parse::Full, "{}: {:?}", printed, &read);
        prop_assert_eq!(Target { text: None, ..read.target }, target, "{}", printed);
    }

    #[test]
    fn width_makes_no_difference(target in coherent()) {
        let printed = print(&target, Some("%"));
        let wide: String = printed
            .chars()
            .map(|c| if ('!'..='~').contains(&c) { char::from_u32(u32::from(c) + 0xfee0).unwrap() } else { c })
            .collect();
        let (narrow, wide) = (read_2024(&printed), read_2024(&wide));
        prop_assert_eq!(
            (Target { text: None, ..narrow.target }, narrow.parse, narrow.unit),
            (Target { text: None, ..wide.target }, wide.parse, wide.unit)
        );
    }
}

/// Targets that forms have words for.
fn coherent() -> impl Strategy<Value = Target> {
    use Comparator::{Between, Decrease, DecreaseBy, Gt, Gte, Increase, IncreaseBy, Lt, Lte, Maintain};
    let value = || (0..10_000_000_i64, 0..3_u32).prop_map(|(n, places)| Decimal(rust_decimal::Decimal::new(n, places)));
    let of_year = (1990..2024, prop::option::of(value())).prop_map(|(of, value)| Reference {
        kind: ReferenceKind::FiscalYear,
        fiscal_year: Some(year(of)),
        value,
        ..Reference::default()
    });
    let previous = Just(Reference {
        kind: ReferenceKind::PreviousYear,
        ..Reference::default()
    });
    let other_year = || prop_oneof![previous.clone(), of_year.clone()];
    let period = prop_oneof![
        Just(Period::default()),
        (2015..2024, 1..5).prop_map(|(from, more)| cumulative(from, from + more)),
        (2025..2040).prop_map(by_end_of),
    ];
    let compare = prop::sample::select(vec![Gte, Gt, Lte, Lt]);
    prop_oneof![
        (compare.clone(), value(), period).prop_map(|(comparator, value, period)| Target {
            comparator,
            value: Some(value),
            period,
            ..Target::default()
        }),
        (value(), value()).prop_map(|(one, other)| Target {
            comparator: Between,
            value: Some(one.min(other)),
            upper: Some(one.max(other)),
            ..Target::default()
        }),
        (compare, other_year()).prop_map(|(comparator, reference)| Target {
            comparator,
            reference,
            ..Target::default()
        }),
        (prop::sample::select(vec![Increase, Decrease, Maintain]), other_year()).prop_map(|(comparator, reference)| {
            Target {
                comparator,
                reference,
                ..Target::default()
            }
        }),
        (
            prop::sample::select(vec![IncreaseBy, DecreaseBy]),
            other_year(),
            value()
        )
            .prop_map(|(comparator, reference, by)| Target {
                comparator,
                reference,
                value: Some(by),
                ..Target::default()
            }),
        Just(Target::default()),
    ]
}
