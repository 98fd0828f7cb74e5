//! A result against its own parts: the numerator and denominator it was made from, and the text it was printed as.

use super::{FindingField, FindingKind, FindingValue, Misfit, Seen, number, valued};
use crate::{
    domain::{
        evaluation::wording::year,
        quantity::{carried, is_percent, rounded},
        reading::result,
    },
    value::{Decimal, FiscalYear, language::Bilingual},
};

/// What a result was made from, and how it was printed.
#[derive(Debug, Clone, Copy, Default)]
pub struct Parts<'a> {
    /// The sum since the target's period began.
    pub cumulative_value: Option<Decimal>,
    /// Numerator of a ratio.
    pub numerator: Option<Decimal>,
    /// Denominator of a ratio.
    pub denominator: Option<Decimal>,
    /// How many were asked or counted.
    pub sample_size: Option<Decimal>,
    /// The result as printed.
    pub text: Option<&'a str>,
}

/// A share is 100 × numerator / denominator, to the decimals of the value: 684 of 1,200 fits 57.0 and 57.
pub(super) fn ratio_differs(now: &Seen<'_>) -> Option<Misfit> {
    let (unit, value) = (now.terms.unit, now.value?);
    let (part, whole) = (now.parts.numerator?, now.parts.denominator?);
    if !is_percent(unit) || unit == Some("ポイント") {
        return None;
    }
    let hundredfold = part.0.checked_mul(rust_decimal::Decimal::ONE_HUNDRED)?;
    let ratio = carried(rounded(hundredfold.checked_div(whole.0)?, value.0.scale()))?;
    if ratio == value {
        return None;
    }
    let (is, gives) = (number(value, unit), number(ratio, unit));
    let (part, whole) = (number(part, None), number(whole, None));
    let this = year(now.terms.fiscal_year);
    Some(Misfit {
        kind: FindingKind::RatioDiffers,
        found: valued(FindingField::Value, value, unit),
        against: valued(FindingField::Ratio, ratio, unit),
        is_earlier: false,
        sentence: Bilingual::new(
            format!(
                "{}の実績{}は、分子{}と分母{}から計算した{}と異なる。",
                this.ja, is.ja, part.ja, whole.ja, gives.ja
            ),
            format!(
                "The {} result of {} is not what {} of {} gives: {}.",
                this.en, is.en, part.en, whole.en, gives.en
            ),
        ),
    })
}

/// Nobody can count more answers than people were asked.
pub(super) fn sample_below_denominator(now: &Seen<'_>) -> Option<Misfit> {
    let (size, whole) = (now.parts.sample_size?, now.parts.denominator?);
    if size >= whole {
        return None;
    }
    let (is, of) = (number(size, None), number(whole, None));
    let this = year(now.terms.fiscal_year);
    Some(Misfit {
        kind: FindingKind::SampleBelowDenominator,
        found: valued(FindingField::SampleSize, size, None),
        against: valued(FindingField::Denominator, whole, None),
        is_earlier: false,
        sentence: Bilingual::new(
            format!("{}の実績の標本数{}が、分母{}より小さい。", this.ja, is.ja, of.ja),
            format!(
                "The sample size of the {} result, {}, is smaller than its denominator, {}.",
                this.en, is.en, of.en
            ),
        ),
    })
}

/// The value is not the number in the text.
pub(super) fn text_differs(now: &Seen<'_>) -> Option<Misfit> {
    let (unit, value, text) = (now.terms.unit, now.value?, now.parts.text?);
    let (printed, sentence) = printed_otherwise(value, now.parts.cumulative_value, text, unit, now.terms.fiscal_year)?;
    Some(Misfit {
        kind: FindingKind::TextDiffers,
        found: valued(FindingField::Value, value, unit),
        against: FindingValue {
            field: FindingField::Text,
            text: Some(text.chars().take(MOST_TEXT).collect()),
            value: Some(printed),
        },
        is_earlier: false,
        sentence,
    })
}

/// The most characters of a text that a finding repeats.
const MOST_TEXT: usize = 200;

/// Words of a text that give a number roughly: 約4,700世帯, 1.2万人, 8割.
const ROUGHLY: &[char] = &['約', '概', '余', '弱', '強', '程', '割', '千', '万', '億', '兆'];

/// The number in a printed result of a fiscal year, in the indicator's unit, if it is another than the value and than the sum;
/// and a sentence.
///
/// Compares to the printed decimal places: a record of 81.15 fits a printed 81.2%. A text that no number can be read from, or
/// only a rough one, says nothing against a value.
#[must_use]
pub fn printed_otherwise(
    value: Decimal,
    cumulative_value: Option<Decimal>,
    text: &str,
    unit: Option<&str>,
    of: FiscalYear,
) -> Option<(Decimal, Bilingual)> {
    let printed = result::read(text, unit, of).value?;
    let fits = |number: Decimal| rounded(number.0, printed.0.scale()) == printed.0;
    if text.contains(ROUGHLY) || fits(value) || cumulative_value.is_some_and(fits) {
        return None;
    }
    let (this, is, says) = (year(of), number(value, unit), number(printed, unit));
    let sentence = Bilingual::new(
        format!("{}の実績{}は、実績（原文）にある{}と異なる。", this.ja, is.ja, says.ja),
        format!(
            "The {} result of {} is not the {} of its printed text.",
            this.en, is.en, says.en
        ),
    );
    Some((printed, sentence))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        finding::{misfits, tests::seen},
        fixtures::{number as decimal, target},
        target::Comparator,
    };

    /// The kinds and sentences of what does not fit a value of fiscal 2024 with these parts.
    fn found(unit: &str, value: Option<&str>, parts: Parts<'_>) -> Vec<(FindingKind, String, String)> {
        let of = target(Comparator::Gte, "48");
        let mut now = seen(&of, 2024);
        now.terms.name = "参加の状況";
        now.terms.unit = Some(unit);
        now.value = value.map(decimal);
        now.parts = parts;
        misfits(&now, None)
            .into_iter()
            .map(|it| (it.kind, it.sentence.ja, it.sentence.en))
            .collect()
    }

    #[test]
    fn a_share_is_held_against_its_numerator_and_denominator() {
        for (unit, value, numerator, denominator, differs) in [
            ("%", Some("66"), "100", "530", true),
            ("%", Some("57"), "684", "1200", false),
            ("%", Some("57.0"), "684", "1200", false),
            ("%", Some("57"), "685", "1200", false),
            ("%", Some("57.0"), "685", "1200", true),
            ("％", Some("18.9"), "100", "530", false),
            ("パーセント", Some("18.8"), "100", "530", true),
            ("%", Some("12.5"), "1", "8", false),
            ("%", Some("13"), "1", "8", false),
            ("%", Some("0"), "0", "530", false),
            ("%", Some("0"), "999999999999999", "0.000000001", false), // beyond what can be compared
            ("ポイント", Some("66"), "100", "530", false),
            ("人", Some("66"), "100", "530", false),
            ("%", None, "100", "530", false),
        ] {
            let parts = Parts {
                numerator: Some(decimal(numerator)),
                denominator: Some(decimal(denominator)),
                ..Parts::default()
            };
            let kinds: Vec<_> = found(unit, value, parts).into_iter().map(|it| it.0).collect();
            let expected = Vec::from_iter(differs.then_some(FindingKind::RatioDiffers));
            assert_eq!(kinds, expected, "{value:?}{unit} {numerator}/{denominator}");
        }
    }

    #[test]
    fn more_answers_than_were_asked_do_not_fit() {
        for (size, denominator, differs) in [("529", "530", true), ("530", "530", false), ("0", "1", true)] {
            let parts = Parts {
                sample_size: Some(decimal(size)),
                denominator: Some(decimal(denominator)),
                ..Parts::default()
            };
            for value in [Some("66"), None] {
                let kinds: Vec<_> = found("%", value, parts).into_iter().map(|it| it.0).collect();
                let expected = Vec::from_iter(differs.then_some(FindingKind::SampleBelowDenominator));
                assert_eq!(kinds, expected, "{size} of {denominator}");
            }
        }
    }

    #[test]
    fn a_value_is_held_against_its_own_text() {
        for (value, sum, text, unit, differs) in [
            ("60.5", None, "11%", "%", true),
            ("60.5", None, "60.5%", "%", false),
            ("60.5", None, "60.5％：A", "%", false),
            ("81.15", None, "81.2%", "%", false),
            ("81.1", None, "81.15%", "%", true),
            ("11", None, "11.0%（速報値）", "%", false),
            ("12", None, "11.0%（速報値）", "%", true),
            ("0", None, "11%", "%", true),
            ("11", None, "0%", "%", true),
            (
                "4722",
                Some("10488"),
                "4,722世帯（R3～R5合計10,488世帯）",
                "世帯",
                false,
            ),
            ("4722", Some("10488"), "10,488世帯", "世帯", false),
            ("4723", Some("10488"), "4,722世帯", "世帯", true),
            ("4722", None, "約4,700世帯", "世帯", false),
            ("4722", None, "0.5万世帯", "世帯", false),
            ("22.5", None, "22分30秒", "分", false),
            ("22", None, "22分30秒", "分", true),
            ("60.5", None, "集計中", "%", false),
            ("60.5", None, "11団体", "%", false),
            ("60.5", None, "おおむね達成した", "%", false),
            ("60.5", None, "", "%", false),
        ] {
            let printed = printed_otherwise(
                decimal(value),
                sum.map(decimal),
                text,
                Some(unit),
                crate::domain::fixtures::year(2024),
            );
            assert_eq!(printed.is_some(), differs, "{value} {text}");
        }
    }

    #[test]
    fn what_does_not_fit_is_said_in_both_languages() {
        let parts = Parts {
            numerator: Some(decimal("100")),
            denominator: Some(decimal("1530")),
            sample_size: Some(decimal("1200")),
            text: Some("11%"),
            ..Parts::default()
        };
        let said: Vec<(FindingKind, &str, &str)> = vec![
            (
                FindingKind::RatioDiffers,
                "令和6年度の実績60.5%は、分子100と分母1,530から計算した6.5%と異なる。",
                "The FY2024 result of 60.5% is not what 100 of 1,530 gives: 6.5%.",
            ),
            (
                FindingKind::SampleBelowDenominator,
                "令和6年度の実績の標本数1,200が、分母1,530より小さい。",
                "The sample size of the FY2024 result, 1,200, is smaller than its denominator, 1,530.",
            ),
            (
                FindingKind::TextDiffers,
                "令和6年度の実績60.5%は、実績（原文）にある11%と異なる。",
                "The FY2024 result of 60.5% is not the 11% of its printed text.",
            ),
        ];
        let found = found("%", Some("60.5"), parts);
        let found: Vec<_> = found
            .iter()
            .map(|(kind, ja, en)| (*kind, ja.as_str(), en.as_str()))
            .collect();
        assert_eq!(found, said);
    }

    #[test]
    fn a_text_is_repeated_as_it_is_printed_with_the_number_read_from_it() {
        let of = target(Comparator::Gte, "48");
        let now = Seen {
            value: Some(decimal("60.5")),
            parts: Parts {
                text: Some("11.0%（速報値）"),
                ..Parts::default()
            },
            ..seen(&of, 2024)
        };
        let against = text_differs(&now).map(|misfit| misfit.against);
        let expected = FindingValue {
            field: FindingField::Text,
            text: Some("11.0%（速報値）".to_owned()),
            value: Some(decimal("11.0")),
        };
        assert_eq!(against, Some(expected));
    }
}
