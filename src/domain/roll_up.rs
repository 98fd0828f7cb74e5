//! Counts evaluations: how many targets were achieved, and why the others were not or cannot be evaluated.

use rust_decimal::Decimal as Number;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    evaluation::{
        Verdict,
        outcome::{Outcome, Reason},
    },
    quantity::ratio,
};
use crate::value::Decimal;

/// Counts of evaluations by outcome. `achieved`, `not_achieved`, `pending`, `overdue`, `in_progress` and
/// `not_evaluable` add up to `total`. Values of different indicators are never averaged.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, ToSchema)]
pub struct RollUp {
    /// How many targets there are.
    pub total: u32,
    /// How many were achieved.
    pub achieved: u32,
    /// How many were not achieved.
    pub not_achieved: u32,
    /// How many results are still to come.
    pub pending: u32,
    /// How many results should be there and are not.
    pub overdue: u32,
    /// How many wait for what is still to come in their period.
    pub in_progress: u32,
    /// How many cannot be evaluated.
    pub not_evaluable: u32,
    /// Why those cannot be evaluated; the counts add up to `not_evaluable`. Reasons that do not occur are left out.
    #[schema(max_items = 20)]
    pub not_evaluable_by_reason: Vec<ReasonCount>,
    /// In how many the organization's rating and the computed one differ. They are counted by the rule's outcome.
    pub inconsistent: u32,
    /// `achieved` as a part of `achieved` and `not_achieved`, rounded half away from zero to 4 decimal places; null
    /// when there are neither.
    #[schema(required = true)]
    pub achievement_ratio: Option<Decimal>,
}

/// How many targets cannot be evaluated for one reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct ReasonCount {
    /// The reason.
    pub reason: Reason,
    /// How many.
    pub count: u32,
}

impl RollUp {
    /// Adds `count` evaluations with this verdict.
    pub fn add(&mut self, verdict: Verdict, count: u32) {
        self.total += count;
        match verdict.outcome {
            Outcome::Achieved => self.achieved += count,
            Outcome::NotAchieved => self.not_achieved += count,
            Outcome::Pending => self.pending += count,
            Outcome::Overdue => self.overdue += count,
            Outcome::InProgress => self.in_progress += count,
            Outcome::NotEvaluable => {
                self.not_evaluable += count;
                verdict
                    .reason
                    .into_iter()
                    .for_each(|reason| self.add_reason(reason, count));
            }
        }
        if verdict.inconsistent {
            self.inconsistent += count;
        }
        let judged = Number::from(self.achieved) + Number::from(self.not_achieved);
        self.achievement_ratio = ratio(self.achieved.into(), judged);
    }

    fn add_reason(&mut self, reason: Reason, count: u32) {
        let counts = &mut self.not_evaluable_by_reason;
        match counts.iter_mut().find(|it| it.reason == reason) {
            Some(it) => it.count += count,
            None => counts.push(ReasonCount { reason, count }),
        }
        counts.sort_by_key(|it| it.reason);
    }
}

impl FromIterator<Verdict> for RollUp {
    fn from_iter<I: IntoIterator<Item = Verdict>>(verdicts: I) -> Self {
        let mut roll_up = Self::default();
        for verdict in verdicts {
            roll_up.add(verdict, 1);
        }
        roll_up
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;
    use crate::domain::{
        evaluation::{Case, Facts, verdict},
        fixtures::{OwnedCase, any_case, case, case_of, number, reported, said, target},
        kinds::{Rating, ValueStatus},
        target::{Comparator, Target},
    };

    #[test]
    fn nothing_rolls_up_to_nothing() {
        assert_eq!(RollUp::from_iter([]), RollUp::default());
        assert_eq!(RollUp::default().achievement_ratio, None);
    }

    #[test]
    fn each_outcome_is_counted_and_each_reason_too() {
        let at_least = target(Comparator::Gte, "81.2");
        let none = Target::default();
        let declared_b = Facts {
            declared_rating: Some(Rating::B),
            ..reported("82")
        };
        let cases = [
            case_of(&at_least, "82"),
            Case {
                result: Some(declared_b),
                ..case(&at_least)
            },
            case_of(&at_least, "81"),
            case(&at_least),
            case(&none),
            case(&none),
            Case {
                result: Some(said(ValueStatus::Withheld)),
                ..case(&at_least)
            },
        ];
        assert_eq!(
            cases.iter().map(verdict).collect::<RollUp>(),
            RollUp {
                total: 7,
                achieved: 2,
                not_achieved: 1,
                pending: 1,
                not_evaluable: 3,
                not_evaluable_by_reason: vec![
                    ReasonCount {
                        reason: Reason::NoTarget,
                        count: 2
                    },
                    ReasonCount {
                        reason: Reason::Withheld,
                        count: 1
                    },
                ],
                inconsistent: 1,
                achievement_ratio: Some(number("0.6667")),
                ..RollUp::default()
            }
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn the_counts_add_up(cases in vec(any_case(), 0..20)) {
            let it: RollUp = cases.iter().map(|owned| verdict(&owned.case())).collect();
            prop_assert_eq!(
                it.total,
                it.achieved + it.not_achieved + it.pending + it.overdue + it.in_progress + it.not_evaluable
            );
            prop_assert_eq!(it.not_evaluable, it.not_evaluable_by_reason.iter().map(|it| it.count).sum::<u32>());
            prop_assert_eq!(it.achievement_ratio.is_some(), it.achieved + it.not_achieved > 0);
        }

        #[test]
        fn the_order_does_not_matter((cases, shuffled) in vec(any_case(), 0..20).prop_flat_map(|cases| (Just(cases.clone()), Just(cases).prop_shuffle()))) {
            let roll_up = |cases: &[OwnedCase]| cases.iter().map(|owned| verdict(&owned.case())).collect::<RollUp>();
            prop_assert_eq!(roll_up(&cases), roll_up(&shuffled));
        }
    }
}
