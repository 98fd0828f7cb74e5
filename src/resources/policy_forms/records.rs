//! What a form does not print and the service knows: computed ratings, and results of the year before.

use std::collections::HashMap;

use chrono::NaiveDate;
use diesel::{PgConnection, prelude::*};

use crate::{
    db::schema::goals as g,
    domain::kinds::Rating,
    error::Result,
    http::query::Years,
    resources::{
        evaluations::case::{Subject, judge},
        policies::{Policy, PolicyStage},
    },
    value::{Decimal, Id},
};

/// What is known of an indicator.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Known {
    /// The official rating; nothing before the results are published.
    pub(super) rating: Option<Rating>,
    /// The result of the year before, through the series.
    pub(super) previous: Option<Decimal>,
}

/// What is known of each indicator of a policy in its fiscal year.
pub(super) fn of(conn: &mut PgConnection, policy: &Policy, today: NaiveDate) -> Result<HashMap<Id, Known>> {
    let subjects = Subject::query().filter(g::policy_id.eq(policy.id)).load(conn)?;
    let judged = judge(subjects, &Years(vec![policy.fiscal_year]), today);
    let published = policy.stage == PolicyStage::Results;
    let known = judged.into_iter().map(|judged| {
        let known = Known {
            rating: judged.verdict().rating.filter(|_| published),
            previous: judged.recorded_previous,
        };
        (judged.subject.indicator.id, known)
    });
    Ok(known.collect())
}
