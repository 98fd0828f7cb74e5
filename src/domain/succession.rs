//! The changes of an indicator from one policy to a later one: the breaks of a series.

use serde::Serialize;
use utoipa::ToSchema;

use super::{
    evaluation::wording::year,
    kinds::Direction,
    likeness::{same_shape, same_text, same_unit},
    target::Target,
};
use crate::{
    text_enum,
    value::{Codes as _, FiscalYear, language::Bilingual},
};

text_enum! {
    /// What breaks a series between two policies.
    pub enum BreakKind in "break_kind" {
        /// The name is another, beyond widths and blanks.
        Reworded = "reworded" ("名称の変更", "reworded"),
        /// The unit is another.
        UnitChanged = "unit_changed" ("単位の変更", "unit changed"),
        /// Both policies say who or what is counted, and say it differently.
        PopulationChanged = "population_changed" ("対象の変更", "population changed"),
        /// Both policies say which way is better, and say it differently.
        DirectionChanged = "direction_changed" ("良い方向の変更", "direction changed"),
        /// The target is compared in another way, against another sort of reference, or over another sort of period.
        TargetKindChanged = "target_kind_changed" ("目標の種類の変更", "kind of target changed"),
        /// There is no policy with the indicator for a year or more.
        GapInYears = "gap_in_years" ("年度の欠落", "gap in years"),
        /// The organization says that the two years are not comparable.
        DeclaredNotComparable = "declared_not_comparable" ("比較不可の表明", "declared not comparable"),
        /// Another organization goes on with it, after a merger or under a new slug.
        OrganizationChanged = "organization_changed" ("所属の変更", "organization changed"),
    }
}

/// An indicator as one policy has it.
#[derive(Debug, Clone, Copy)]
pub struct Terms<'a> {
    /// Fiscal year of the policy.
    pub fiscal_year: FiscalYear,
    /// The organization, by its slug.
    pub organization: &'a str,
    /// Name of the indicator.
    pub name: &'a str,
    /// Who or what is counted.
    pub population: Option<&'a str>,
    /// Its unit as printed.
    pub unit: Option<&'a str>,
    /// Which way is better.
    pub direction: Direction,
    /// The target.
    pub target: &'a Target,
    /// Whether the results can be compared with the year before.
    pub comparable: Option<bool>,
    /// The reason for `comparable`.
    pub comparable_reason: Option<&'a str>,
}

/// A break of a series: what was, what is, and a sentence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Break {
    /// What changed.
    pub kind: BreakKind,
    /// How it was in the earlier policy: a text, a code, or a fiscal year; null where there was none.
    #[schema(required = true, max_length = 2000)]
    pub before: Option<String>,
    /// How it is in this one.
    #[schema(required = true, max_length = 2000)]
    pub after: Option<String>,
    /// The same as a sentence.
    pub sentence: Bilingual,
}

/// The breaks between an earlier policy and a later one, in the order of the code list.
#[must_use]
pub fn breaks(now: Terms<'_>, before: Terms<'_>) -> Vec<Break> {
    let mut breaks = Vec::new();
    let mut add = |kind, was: Option<&str>, is: Option<&str>, sentence| {
        breaks.push(Break {
            kind,
            before: was.map(str::to_owned),
            after: is.map(str::to_owned),
            sentence,
        });
    };
    if !same_text(now.name, before.name) {
        let sentence = turned("名称", "The name", Some(before.name), Some(now.name));
        add(BreakKind::Reworded, Some(before.name), Some(now.name), sentence);
    }
    if !same_unit(now.unit, before.unit) {
        let sentence = turned("単位", "The unit", before.unit, now.unit);
        add(BreakKind::UnitChanged, before.unit, now.unit, sentence);
    }
    if let (Some(is), Some(was)) = (now.population, before.population)
        && !same_text(is, was)
    {
        let sentence = turned("対象", "The population", Some(was), Some(is));
        add(BreakKind::PopulationChanged, Some(was), Some(is), sentence);
    }
    let said = |direction| direction != Direction::Unknown;
    if said(now.direction) && said(before.direction) && now.direction != before.direction {
        let (was, is) = (before.direction.label(), now.direction.label());
        let sentence = Bilingual::new(
            format!("良い方向が「{}」から「{}」に変わった。", was.ja, is.ja),
            format!("Which way is better changed from {} to {}.", was.en, is.en),
        );
        let (was, is) = (before.direction.code(), now.direction.code());
        add(BreakKind::DirectionChanged, Some(was), Some(is), sentence);
    }
    if !same_shape(now.target, before.target) {
        let (was, is) = (shape(before.target), shape(now.target));
        let sentence = Bilingual::new(
            format!("目標の種類が「{}」から「{}」に変わった。", was.ja, is.ja),
            format!("The kind of target changed from \"{}\" to \"{}\".", was.en, is.en),
        );
        add(
            BreakKind::TargetKindChanged,
            Some(&codes(before.target)),
            Some(&codes(now.target)),
            sentence,
        );
    }
    if now.fiscal_year.previous().is_some_and(|last| before.fiscal_year < last) {
        let (was, is) = (year(before.fiscal_year), year(now.fiscal_year));
        let sentence = Bilingual::new(
            format!("{}の次が{}で、間の年度がない。", was.ja, is.ja),
            format!("{} is followed by {}; the years between are missing.", was.en, is.en),
        );
        let years = (before.fiscal_year.to_string(), now.fiscal_year.to_string());
        add(BreakKind::GapInYears, Some(&years.0), Some(&years.1), sentence);
    }
    if now.comparable == Some(false) {
        let reason = now.comparable_reason;
        let sentence = Bilingual::new(
            format!(
                "前年度と比較できないとされている{}。",
                reason.map_or_else(String::new, |it| format!("（{it}）"))
            ),
            format!(
                "The organization says that the year before is not comparable{}.",
                reason.map_or_else(String::new, |it| format!(" ({it})"))
            ),
        );
        add(BreakKind::DeclaredNotComparable, None, reason, sentence);
    }
    if now.organization != before.organization {
        let (was, is) = (before.organization, now.organization);
        let sentence = turned("所属", "The organization", Some(was), Some(is));
        add(BreakKind::OrganizationChanged, Some(was), Some(is), sentence);
    }
    breaks
}

/// The sentence about a changed term.
pub(super) fn turned(ja: &str, en: &str, was: Option<&str>, is: Option<&str>) -> Bilingual {
    let quoted = |text: Option<&str>| {
        text.map_or_else(
            || Bilingual::new("なし", "none"),
            |text| Bilingual::new(format!("「{text}」"), format!("\"{text}\"")),
        )
    };
    let (was, is) = (quoted(was), quoted(is));
    Bilingual::new(
        format!("{ja}が{}から{}に変わった。", was.ja, is.ja),
        format!("{en} changed from {} to {}.", was.en, is.en),
    )
}

/// The shape of a target in codes: `gte none single_year`.
fn codes(target: &Target) -> String {
    let (reference, period) = (target.reference.kind.code(), target.period.kind.code());
    format!("{} {reference} {period}", target.comparator.code())
}

/// The shape of a target in words: 以上・単年度.
fn shape(target: &Target) -> Bilingual {
    let (comparator, period) = (target.comparator.label(), target.period.kind.label());
    let reference = target.reference.kind.label();
    let (ja, en) = if target.reference.kind == super::target::ReferenceKind::None {
        (comparator.ja, comparator.en)
    } else {
        (
            format!("{}（{}）", comparator.ja, reference.ja),
            format!("{} ({})", comparator.en, reference.en),
        )
    };
    Bilingual::new(format!("{ja}・{}", period.ja), format!("{en}, {}", period.en))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        fixtures::{cumulative, target, target_on_previous, year},
        target::Comparator,
    };

    fn terms(target: &Target) -> Terms<'_> {
        Terms {
            fiscal_year: year(2025),
            organization: "nishi",
            name: "満足している区民の割合",
            population: Some("区民"),
            unit: Some("%"),
            direction: Direction::HigherIsBetter,
            target,
            comparable: None,
            comparable_reason: None,
        }
    }

    fn before(target: &Target) -> Terms<'_> {
        Terms {
            fiscal_year: year(2024),
            ..terms(target)
        }
    }

    #[test]
    fn what_stays_as_it_was_breaks_nothing() {
        let (one, higher) = (target(Comparator::Gte, "48"), target(Comparator::Gte, "50"));
        for now in [
            terms(&one),
            terms(&higher),
            Terms {
                unit: Some("％"),
                ..terms(&one)
            },
            Terms {
                name: "満足している 区民の割合",
                ..terms(&one)
            },
            Terms {
                population: None,
                ..terms(&one)
            },
            Terms {
                direction: Direction::Unknown,
                ..terms(&one)
            },
            Terms {
                comparable: Some(true),
                ..terms(&one)
            },
        ] {
            assert_eq!(breaks(now, before(&one)), [], "{now:?}");
        }
    }

    /// The only break between last year's terms and these.
    fn only_break(now: Terms<'_>, last: &Target) -> Break {
        let found = breaks(now, before(last));
        let [only] = &found[..] else { panic!("{found:?}") };
        assert!(only.sentence.en.ends_with('.'), "{}", only.sentence.en);
        only.clone()
    }

    #[test]
    fn every_break_has_its_name_both_values_and_a_sentence() {
        let gte = target(Comparator::Gte, "48");
        let it = terms(&gte);
        for (now, kind, was, is, ja) in [
            (
                Terms {
                    name: "満足している人の割合",
                    ..it
                },
                BreakKind::Reworded,
                Some("満足している区民の割合"),
                Some("満足している人の割合"),
                "名称が「満足している区民の割合」から「満足している人の割合」に変わった。",
            ),
            (
                Terms {
                    unit: Some("件"), ..it
                },
                BreakKind::UnitChanged,
                Some("%"),
                Some("件"),
                "単位が「%」から「件」に変わった。",
            ),
            (
                Terms { unit: None, ..it },
                BreakKind::UnitChanged,
                Some("%"),
                None,
                "単位が「%」からなしに変わった。",
            ),
            (
                Terms {
                    population: Some("回答者"),
                    ..it
                },
                BreakKind::PopulationChanged,
                Some("区民"),
                Some("回答者"),
                "対象が「区民」から「回答者」に変わった。",
            ),
            (
                Terms {
                    direction: Direction::LowerIsBetter,
                    ..it
                },
                BreakKind::DirectionChanged,
                Some("higher_is_better"),
                Some("lower_is_better"),
                "良い方向が「高いほど良い」から「低いほど良い」に変わった。",
            ),
            (
                Terms {
                    fiscal_year: year(2026),
                    ..it
                },
                BreakKind::GapInYears,
                Some("2024"),
                Some("2026"),
                "令和6年度の次が令和8年度で、間の年度がない。",
            ),
            (
                Terms {
                    comparable: Some(false),
                    comparable_reason: Some("調査方法を変更"),
                    ..it
                },
                BreakKind::DeclaredNotComparable,
                None,
                Some("調査方法を変更"),
                "前年度と比較できないとされている（調査方法を変更）。",
            ),
            (
                Terms {
                    organization: "kita",
                    ..it
                },
                BreakKind::OrganizationChanged,
                Some("nishi"),
                Some("kita"),
                "所属が「nishi」から「kita」に変わった。",
            ),
        ] {
            let only = only_break(now, &gte);
            assert_eq!(
                (only.kind, only.before.as_deref(), only.after.as_deref()),
                (kind, was, is)
            );
            assert_eq!(only.sentence.ja, ja);
        }
    }

    #[test]
    fn a_target_of_another_kind_is_a_break() {
        let gte = target(Comparator::Gte, "48");
        let lte = target(Comparator::Lte, "48");
        let on_previous = target_on_previous(Comparator::Gte);
        let over_years = Target {
            period: cumulative(2023, 2025),
            ..gte.clone()
        };
        let it = terms(&gte);
        for (now, kind, was, is, ja) in [
            (
                Terms { target: &lte, ..it },
                BreakKind::TargetKindChanged,
                Some("gte none single_year"),
                Some("lte none single_year"),
                "目標の種類が「以上・単年度」から「以下・単年度」に変わった。",
            ),
            (
                Terms {
                    target: &on_previous,
                    ..it
                },
                BreakKind::TargetKindChanged,
                Some("gte none single_year"),
                Some("gte previous_year single_year"),
                "目標の種類が「以上・単年度」から「以上（前年度実績）・単年度」に変わった。",
            ),
            (
                Terms {
                    target: &over_years,
                    ..it
                },
                BreakKind::TargetKindChanged,
                Some("gte none single_year"),
                Some("gte none cumulative"),
                "目標の種類が「以上・単年度」から「以上・累計」に変わった。",
            ),
        ] {
            let only = only_break(now, &gte);
            assert_eq!(
                (only.kind, only.before.as_deref(), only.after.as_deref()),
                (kind, was, is)
            );
            assert_eq!(only.sentence.ja, ja);
        }
    }
}
