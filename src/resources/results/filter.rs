//! Which results a request asks for: the parameters, and the queries that they narrow down.

use diesel::{helper_types::IntoBoxed, pg::Pg, prelude::*};

use crate::{
    db::schema::{indicators as i, organizations as o, policies as p, results},
    domain::kinds::IndicatorKind,
    http::{
        as_of::Since,
        query::{AnyOf, Years},
    },
    narrow, query,
    value::{Id, OrganizationKey},
};

query! {
    /// Which results to list.
    pub struct ResultFilter {
        /// Only results of these organizations, by slug or municipality code.
        pub organization: AnyOf<OrganizationKey>,
        /// Only results of policies of these fiscal years.
        pub policy_year: Years,
        /// Only results of these fiscal years.
        pub fiscal_year: Years,
        /// Only results of indicators of these kinds.
        pub kind: AnyOf<IndicatorKind>,
        /// Only results of indicators of these goals.
        pub goal: AnyOf<Id>,
        /// Only results of these indicators.
        pub indicator: AnyOf<Id>,
    }
}

#[diesel::dsl::auto_type]
fn joined() -> _ {
    results::table
        .inner_join(i::table)
        .inner_join(p::table.on(p::id.eq(results::policy_id)).inner_join(o::table))
}

/// Results as a boxed query, before anything is selected.
pub type Boxed<'a> = IntoBoxed<'a, joined, Pg>;

/// Results joined with nothing, as a boxed query.
pub type Lean<'a> = IntoBoxed<'a, results::table, Pg>;

/// Narrows a query down by the filters on results.
macro_rules! narrow_own {
    ($query:ident, $filter:ident, $since:ident) => {
        narrow!($query, results::fiscal_year, $filter.fiscal_year);
        narrow!($query, results::indicator_id, $filter.indicator);
        if let Some(time) = $since.updated_since {
            $query = $query.filter(results::updated_at.ge(time));
        }
    };
}

/// The results a filter asks for, not yet selected or ordered.
#[must_use]
pub fn matching<'a>(filter: &'a ResultFilter, since: &Since) -> Boxed<'a> {
    let mut query = joined().into_boxed();
    narrow!(query, organization in filter.organization);
    narrow!(query, p::fiscal_year, filter.policy_year);
    narrow!(query, i::kind, filter.kind);
    narrow!(query, i::goal_id, filter.goal);
    narrow_own!(query, filter, since);
    query
}

/// The results a filter asks for, joined with nothing: for reads of so many that looking indicators and policies up apart is
/// less work.
#[must_use]
pub fn lean<'a>(filter: &'a ResultFilter, since: &Since) -> Lean<'a> {
    let mut query = results::table.into_boxed();
    narrow_own!(query, filter, since);
    if filter.kind.some().is_some() || filter.goal.some().is_some() {
        let mut indicators = i::table.select(i::id).into_boxed();
        narrow!(indicators, i::kind, filter.kind);
        narrow!(indicators, i::goal_id, filter.goal);
        query = query.filter(results::indicator_id.eq_any(indicators));
    }
    if filter.organization.some().is_some() || filter.policy_year.some().is_some() {
        let mut policies = p::table.inner_join(o::table).select(p::id).into_boxed();
        narrow!(policies, organization in filter.organization);
        narrow!(policies, p::fiscal_year, filter.policy_year);
        query = query.filter(results::policy_id.eq_any(policies));
    }
    query
}
