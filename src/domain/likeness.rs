//! How alike two indicators are: the evidence that one continues the other. Codes and places never count.

use std::cmp::Ordering;

use rust_decimal::Decimal as Number;
use unicode_normalization::UnicodeNormalization as _;

use super::{
    kinds::IndicatorKind,
    quantity::{carried, is_percent, ratio},
    target::{Comparator, Target},
};
use crate::{
    text_enum,
    value::{Decimal, work},
};

text_enum! {
    /// What speaks for an indicator continuing another.
    pub enum LikenessReason in "likeness_reason" {
        /// The names are the same, but for widths and blanks.
        SameName = "same_name" ("名称が同じ", "same name"),
        /// The names have at least half of their pairs of characters in common.
        LikeName = "like_name" ("名称が似ている", "similar name"),
        /// The units are the same.
        SameUnit = "same_unit" ("単位が同じ", "same unit"),
        /// The populations are the same, or neither is said.
        SamePopulation = "same_population" ("対象が同じ", "same population"),
        /// Both are outcome, process or output indicators.
        SameKind = "same_kind" ("指標の種類が同じ", "same kind"),
        /// The targets compare in the same way, with the same sort of reference, over the same sort of period.
        SameTargetShape = "same_target_shape" ("目標の形が同じ", "same shape of target"),
    }
}

/// The weights of a score, in hundredths: the name counts most, and without it the other parts are not enough.
const NAME: i64 = 70;
const OTHERS: &[(LikenessReason, i64)] = &[
    (LikenessReason::SameUnit, 10),
    (LikenessReason::SamePopulation, 10),
    (LikenessReason::SameKind, 5),
    (LikenessReason::SameTargetShape, 5),
];

/// The traits of an indicator that are compared, prepared for comparing with many others.
#[derive(Debug, Clone)]
pub struct Traits<'a> {
    name: String,
    /// The pairs of neighbouring characters in the name, sorted.
    pairs: Vec<(char, char)>,
    unit: Option<&'a str>,
    population: Option<String>,
    kind: IndicatorKind,
    target: &'a Target,
}

impl<'a> Traits<'a> {
    /// The traits of an indicator with this name, unit as printed, population, kind and target.
    #[must_use]
    pub fn of(
        name: &str,
        unit: Option<&'a str>,
        population: Option<&str>,
        kind: IndicatorKind,
        target: &'a Target,
    ) -> Self {
        let name = plain(name);
        Self {
            pairs: pairs(&name),
            name,
            unit,
            population: population.map(plain),
            kind,
            target,
        }
    }

    /// The name in one width (NFKC), without blanks.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// How alike two indicators are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Likeness {
    /// From 0 to 1, to four places.
    pub score: Decimal,
    /// How alike the names are, from 0 to 1, to four places.
    pub name: Decimal,
    /// The reasons for the score.
    pub reasons: Vec<LikenessReason>,
}

impl Likeness {
    /// Whether the indicators differ by a word at most: they have one unit, and equal or nearly equal names.
    #[must_use]
    pub fn is_close(&self) -> bool {
        self.reasons.contains(&LikenessReason::SameUnit)
            && (self.reasons.contains(&LikenessReason::SameName) || self.name.0 >= Number::new(8, 1))
    }
}

/// A text in one width (NFKC), without blanks.
#[must_use]
pub fn plain(text: &str) -> String {
    text.nfkc().filter(|c| !c.is_whitespace()).collect()
}

/// Whether two texts say the same, but for widths and blanks.
#[must_use]
pub fn same_text(one: &str, other: &str) -> bool {
    one == other || plain(one) == plain(other)
}

/// Whether two units are the same, however they are printed.
#[must_use]
pub fn same_unit(one: Option<&str>, other: Option<&str>) -> bool {
    match (one, other) {
        (Some("ポイント"), other) | (other, Some("ポイント")) => other == Some("ポイント"),
        (Some(a), Some(b)) => same_text(a, b) || (is_percent(one) && is_percent(other)),
        (None, None) => true,
        _ => false,
    }
}

/// Whether two targets have one shape: comparator, kind of reference, kind of period.
#[must_use]
pub fn same_shape(one: &Target, other: &Target) -> bool {
    let shape = |target: &Target| (target.comparator, target.reference.kind, target.period.kind);
    shape(one) == shape(other)
}

/// How alike two indicators are that may be one, whose name was reworded; else nothing. They may be one if they are close. They
/// also may if their units and the shapes of their targets are the same, and their names are alike, or one name only adds
/// characters to the other. The shape of an unread target is unknown, and counts as the same.
#[must_use]
pub fn reworded(one: &Traits<'_>, other: &Traits<'_>) -> Option<Likeness> {
    let likeness = likeness(one, other);
    let has = |reason| likeness.reasons.contains(&reason);
    let unread = [one, other].iter().any(|it| it.target.comparator == Comparator::Unread);
    let is_like = has(LikenessReason::LikeName) || adds_to(&one.name, &other.name) || adds_to(&other.name, &one.name);
    let replaces = has(LikenessReason::SameUnit) && (unread || has(LikenessReason::SameTargetShape)) && is_like;
    (likeness.is_close() || replaces).then_some(likeness)
}

/// Whether a name has all characters of a shorter one, in their order.
fn adds_to(name: &str, shorter: &str) -> bool {
    let mut more = name.chars();
    shorter.chars().all(|c| more.any(|other| other == c))
}

/// How alike two indicators are; the order does not matter.
#[must_use]
pub fn likeness(one: &Traits<'_>, other: &Traits<'_>) -> Likeness {
    let name = dice(one, other);
    let mut reasons = Vec::new();
    if one.name == other.name {
        reasons.push(LikenessReason::SameName);
    } else if name >= Number::new(5, 1) {
        reasons.push(LikenessReason::LikeName);
    }
    for (reason, holds) in [
        (LikenessReason::SameUnit, same_unit(one.unit, other.unit)),
        (LikenessReason::SamePopulation, one.population == other.population),
        (LikenessReason::SameKind, one.kind == other.kind),
        (LikenessReason::SameTargetShape, same_shape(one.target, other.target)),
    ] {
        if holds {
            reasons.push(reason);
        }
    }
    let parts: i64 = OTHERS
        .iter()
        .filter(|(reason, _)| reasons.contains(reason))
        .map(|(_, part)| part)
        .sum();
    let score = name * Number::new(NAME, 2) + Number::new(parts, 2);
    let rounded = |number: Number| ratio(number, Number::ONE).or_else(|| carried(Number::ZERO));
    Likeness {
        score: rounded(score).unwrap_or(Decimal::ZERO),
        name: rounded(name).unwrap_or(Decimal::ZERO),
        reasons,
    }
}

/// The share of character pairs that two names have in common (Dice): 1 for equal names, 0 for no common pair.
fn dice(one: &Traits<'_>, other: &Traits<'_>) -> Number {
    if one.name == other.name {
        return Number::ONE;
    }
    let (a, b) = (&one.pairs, &other.pairs);
    work::spend(a.len() + b.len());
    let (mut i, mut j, mut common) = (0, 0, 0_usize);
    while let (Some(x), Some(y)) = (a.get(i), b.get(j)) {
        match x.cmp(y) {
            Ordering::Less => i += 1,
            Ordering::Greater => j += 1,
            Ordering::Equal => (i, j, common) = (i + 1, j + 1, common + 1),
        }
    }
    Number::from(2 * common)
        .checked_div(Number::from(a.len() + b.len()))
        .unwrap_or(Number::ZERO)
}

/// The pairs of neighbouring characters in a text, sorted.
fn pairs(text: &str) -> Vec<(char, char)> {
    let mut pairs: Vec<_> = text.chars().zip(text.chars().skip(1)).collect();
    pairs.sort_unstable();
    pairs
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::fixtures::number;

    fn traits<'a>(name: &'a str, target: &'a Target) -> Traits<'a> {
        Traits::of(name, Some("%"), None, IndicatorKind::Outcome, target)
    }

    #[test]
    fn names_are_as_alike_as_their_pairs_of_characters() {
        let target = Target::default();
        for (one, other, expected) in [
            ("防災訓練の参加者数", "防災訓練の参加者数", "1"),
            ("ＡＢＣ の割合", "ABCの割合", "1"),
            ("ＡＢ（甲）", "AB(甲)", "1"),
            ("あいう", "あいえ", "0.5"),
            ("あいうえ", "あいうえお", "0.8571"),
            ("あ", "い", "0"),
            ("あああ", "あああああ", "0.6667"),
            ("満足度", "待ち時間", "0"),
            ("区民の割合", "区民アンケート回答者の割合", "0.375"),
        ] {
            let likeness = likeness(&traits(one, &target), &traits(other, &target));
            assert_eq!(likeness.name, number(expected), "{one} {other}");
        }
    }

    #[test]
    fn a_score_says_what_it_is_made_of() {
        use LikenessReason::{SameKind, SamePopulation, SameTargetShape, SameUnit};
        let (gte, lte) = (
            Target {
                comparator: Comparator::Gte,
                ..Target::default()
            },
            Target {
                comparator: Comparator::Lte,
                ..Target::default()
            },
        );
        let one = traits("あいう", &gte);
        for (other, score, reasons) in [
            (
                traits("かきく", &gte),
                "0.3",
                vec![SameUnit, SamePopulation, SameKind, SameTargetShape],
            ),
            (traits("かきく", &lte), "0.25", vec![SameUnit, SamePopulation, SameKind]),
            (
                Traits::of("かきく", Some("件"), Some("区民"), IndicatorKind::Output, &lte),
                "0",
                vec![],
            ),
            (
                Traits::of("かきく", Some("％"), None, IndicatorKind::Outcome, &lte),
                "0.25",
                vec![SameUnit, SamePopulation, SameKind],
            ),
        ] {
            let likeness = likeness(&one, &other);
            assert_eq!((likeness.score, &likeness.reasons), (number(score), &reasons));
            assert!(!likeness.is_close());
        }
    }

    #[test]
    fn what_is_the_same_but_for_a_word_is_close() {
        let target = Target::default();
        let one = traits("区役所窓口が適切な対応をしていると感じる区民の割合", &target);
        let reworded = traits(
            "区役所窓口が適切な対応をしていると感じる区民アンケート回答者の割合",
            &target,
        );
        let other = traits("防犯カメラを知っている区民アンケート回答者の割合", &target);
        assert!(likeness(&one, &one).is_close());
        assert!(likeness(&one, &reworded).is_close());
        assert!(!likeness(&reworded, &other).is_close());
        let in_other_units = Traits {
            unit: Some("件"),
            ..one.clone()
        };
        assert!(!likeness(&one, &in_other_units).is_close());
    }

    #[test]
    fn one_may_be_the_other_in_other_words() {
        let (gte, lte, unread) = (Comparator::Gte, Comparator::Lte, Comparator::Unread);
        for (one, other, (here, there), unit, may) in [
            ("区民の割合", "区民アンケート回答者の割合", (gte, gte), "%", true),
            (
                "イベントに参加した区民の割合",
                "行事に参加した区民の割合",
                (gte, gte),
                "%",
                true,
            ),
            (
                "イベントに参加した区民の割合",
                "行事に参加した区民の割合",
                (gte, unread),
                "%",
                true,
            ),
            (
                "イベントに参加した区民の割合",
                "行事に参加した区民の割合",
                (gte, lte),
                "%",
                false,
            ),
            (
                "イベントに参加した区民の割合",
                "行事に参加した区民の割合",
                (gte, gte),
                "人",
                false,
            ),
            ("防災訓練の参加率", "窓口の満足度", (gte, gte), "%", false),
        ] {
            let target = |comparator| Target {
                comparator,
                ..Target::default()
            };
            let (here, there) = (target(here), target(there));
            let (one, other) = (traits(one, &here), traits(other, &there));
            let other = Traits {
                unit: Some(unit),
                ..other
            };
            assert_eq!(reworded(&one, &other).is_some(), may, "{one:?} {other:?}");
            assert_eq!(reworded(&other, &one).is_some(), may, "{one:?} {other:?}");
        }
    }

    #[test]
    fn units_are_the_same_however_they_are_printed() {
        for (one, other, same) in [
            (Some("%"), Some("％"), true),
            (Some("%"), Some("パーセント"), true),
            (Some("%"), Some("ポイント"), false),
            (Some("ポイント"), Some("ポイント"), true),
            (Some("か所"), Some("か所"), true),
            (Some("件"), Some("人"), false),
            (Some("件"), None, false),
            (None, None, true),
        ] {
            assert_eq!(same_unit(one, other), same, "{one:?} {other:?}");
            assert_eq!(same_unit(other, one), same, "{one:?} {other:?}");
        }
    }

    proptest! {
        #[test]
        fn likeness_has_no_order_and_no_more_than_one(one in "[あ-おa-cＡ-Ｃ ]{0,12}", other in "[あ-おa-cＡ-Ｃ ]{0,12}") {
            let target = Target::default();
            let there = likeness(&traits(&one, &target), &traits(&other, &target));
            let back = likeness(&traits(&other, &target), &traits(&one, &target));
            prop_assert_eq!(&there, &back);
            prop_assert!(there.score >= Decimal::ZERO && there.score <= number("1"));
        }

        #[test]
        fn what_is_equal_has_a_likeness_of_one(name in "\\PC{0,40}") {
            let target = Target::default();
            let it = likeness(&traits(&name, &target), &traits(&name, &target));
            prop_assert_eq!(it.score, number("1"));
            prop_assert!(it.is_close());
        }
    }
}
