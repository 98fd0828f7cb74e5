//! The organization's own rating beside the one the rule gives.

use serde::Serialize;
use utoipa::ToSchema;

use super::outcome::{Outcome, Reason};
use crate::domain::kinds::Rating;

/// The organization's rating and ours. A disagreement is a finding to show, never repaired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Ratings {
    /// What the organization declared (達成状況): `A`, `B` or null.
    #[schema(required = true)]
    pub declared: Option<Rating>,
    /// What the rule gives: `A` when achieved, `B` when not achieved, null when the rule has no answer.
    #[schema(required = true)]
    pub computed: Option<Rating>,
    /// `declared`, or `computed` when nothing was declared.
    #[schema(required = true)]
    pub official: Option<Rating>,
    /// Whether `declared` and `computed` agree; null unless there are both.
    #[schema(required = true)]
    pub consistent: Option<bool>,
}

pub(super) fn ratings(declared: Option<Rating>, outcome: Outcome, reason: Option<Reason>) -> Ratings {
    let computed = match (outcome, reason) {
        (_, Some(Reason::Qualitative)) => None,
        (Outcome::Achieved, _) => Some(Rating::A),
        (Outcome::NotAchieved, _) => Some(Rating::B),
        _ => None,
    };
    Ratings {
        declared,
        computed,
        official: declared.or(computed),
        consistent: declared.zip(computed).map(|(theirs, ours)| theirs == ours),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        evaluation::{Case, Facts, evaluate},
        fixtures::{case, number, target},
        kinds::Rating::{A, B},
        target::Comparator,
    };

    #[test]
    fn the_declared_rating_is_official_and_a_disagreement_is_shown() {
        let target = target(Comparator::Gte, "81.2");
        for (value, declared, computed, official, consistent) in [
            (Some("82"), None, Some(A), Some(A), None),
            (Some("82"), Some(A), Some(A), Some(A), Some(true)),
            (Some("82"), Some(B), Some(A), Some(B), Some(false)),
            (Some("81"), Some(A), Some(B), Some(A), Some(false)),
            (None, Some(A), None, Some(A), None),
            (None, None, None, None, None),
        ] {
            let facts = Facts {
                value: value.map(number),
                declared_rating: declared,
                ..Facts::default()
            };
            let it = evaluate(&Case {
                result: Some(facts),
                ..case(&target)
            });
            assert_eq!(
                it.ratings,
                Ratings {
                    declared,
                    computed,
                    official,
                    consistent
                }
            );
            assert_eq!(it.rating, official);
        }
    }
}
