//! The reporting state of an organization's policy of a year: published, due, late.

use chrono::{Months, NaiveDate};

use crate::{text_enum, value::FiscalYear};

text_enum! {
    /// How an organization stands with its policy of a fiscal year.
    pub enum Reporting in "reporting" {
        /// There is no policy; or there is a draft, for those who may not see it.
        Missing = "missing" ("未作成・未公表", "missing"),
        /// There is a draft, of which nothing is public.
        Draft = "draft" ("下書き", "draft"),
        /// The plan is published, and the results are not due yet.
        Plan = "plan" ("計画公表", "plan published"),
        /// The plan is published; the results were due and are not published.
        Late = "late" ("実績の公表遅れ", "results late"),
        /// The results are published, in time or not: `days_late` says which.
        Results = "results" ("実績公表", "results published"),
        /// The policy was public and was withdrawn.
        Withdrawn = "withdrawn" ("取下げ", "withdrawn"),
    }
}

/// The last day on which results of a fiscal year are in time: the day by which those of the policy's own year are due,
/// moved by the years between. Of 29 February becomes the last of a shorter February.
#[must_use]
pub fn due_on(policy_due_on: NaiveDate, policy_year: FiscalYear, year: FiscalYear) -> NaiveDate {
    let months = Months::new(12 * year.get().abs_diff(policy_year.get()));
    let moved = if year < policy_year {
        policy_due_on.checked_sub_months(months)
    } else {
        policy_due_on.checked_add_months(months)
    };
    moved.unwrap_or(policy_due_on)
}

/// The publication facts of a policy.
#[derive(Debug, Clone, Copy, Default)]
pub struct Standing {
    /// Whether there is a draft of the policy.
    pub draft: bool,
    /// Whether its plan is public.
    pub plan_published: bool,
    /// When its results were published, if they are.
    pub results_published_on: Option<NaiveDate>,
    /// Whether its last publication is a withdrawal.
    pub withdrawn: bool,
    /// The last day on which results are in time.
    pub due_on: Option<NaiveDate>,
}

/// The reporting state of an organization, and how late it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stands {
    /// The reporting state.
    pub state: Reporting,
    /// Days by which the results are late; nothing where they are in time, or where no due day is known.
    pub days_late: Option<i64>,
}

/// The reporting state of an organization on a day.
#[must_use]
pub fn standing(of: &Standing, on: NaiveDate) -> Stands {
    let after = |day: NaiveDate| {
        let days = day.signed_duration_since(of.due_on?).num_days();
        (days > 0).then_some(days)
    };
    let (state, days_late) = if of.withdrawn {
        (Reporting::Withdrawn, None)
    } else if let Some(day) = of.results_published_on {
        (Reporting::Results, after(day))
    } else if of.plan_published {
        let late = after(on);
        (late.map_or(Reporting::Plan, |_| Reporting::Late), late)
    } else if of.draft {
        (Reporting::Draft, None)
    } else {
        (Reporting::Missing, None)
    };
    Stands { state, days_late }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fixtures::{date, year};

    #[test]
    fn the_results_of_another_year_are_due_on_that_years_own_day() {
        for (due, policy_year, of, expected) in [
            ("2025-06-30", 2024, 2024, "2025-06-30"),
            ("2024-06-30", 2023, 2024, "2025-06-30"),
            ("2024-06-30", 2023, 2025, "2026-06-30"),
            ("2024-09-15", 2023, 2020, "2021-09-15"),
            ("2024-02-29", 2023, 2024, "2025-02-28"),
            ("2024-02-29", 2023, 2027, "2028-02-29"),
        ] {
            assert_eq!(
                due_on(date(due), year(policy_year), year(of)),
                date(expected),
                "{due} for {of}"
            );
        }
    }

    #[test]
    fn an_organization_stands_as_it_has_published() {
        use Reporting::{Draft, Late, Missing, Plan, Results, Withdrawn};
        let planned = Standing {
            plan_published: true,
            due_on: Some(date("2025-06-30")),
            ..Standing::default()
        };
        let reported = |day| Standing {
            results_published_on: Some(date(day)),
            ..planned
        };
        for (of, on, state, days_late) in [
            (Standing::default(), "2030-01-01", Missing, None),
            (
                Standing {
                    draft: true,
                    plan_published: false,
                    ..planned
                },
                "2030-01-01",
                Draft,
                None,
            ),
            (planned, "2025-06-30", Plan, None),
            (planned, "2025-07-01", Late, Some(1)),
            (planned, "2026-06-30", Late, Some(365)),
            (reported("2025-06-10"), "2030-01-01", Results, None),
            (reported("2025-06-30"), "2030-01-01", Results, None),
            (reported("2025-07-02"), "2030-01-01", Results, Some(2)),
            (
                Standing {
                    withdrawn: true,
                    ..reported("2025-07-02")
                },
                "2030-01-01",
                Withdrawn,
                None,
            ),
            (
                Standing {
                    due_on: None,
                    ..planned
                },
                "2030-01-01",
                Plan,
                None,
            ),
        ] {
            assert_eq!(standing(&of, date(on)), Stands { state, days_late }, "{of:?}");
        }
    }
}
