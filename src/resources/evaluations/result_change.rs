//! Results that a transaction has changed, as they were: what their series came to before can be said without reading the past.

use diesel::{
    prelude::*,
    sql_types::{Integer, Nullable, Uuid},
};

use crate::{
    db::{NestedRows, RowsOf, Subquery, schema::public_changes as c},
    error::Result,
    resources::{changes::ChangeType, results::stored::StoredColumns},
    subqueries,
    value::{FiscalYear, Id},
};

/// Most changes that are looked at one by one.
const MOST: i64 = 100;

/// A change of a result that everybody sees, or saw.
#[derive(Debug, HasQuery)]
#[diesel(table_name = c)]
pub struct ResultChange {
    /// Its place in the history.
    pub seq: i64,
    type_: ChangeType,
    /// The organization.
    pub organization_id: Option<Id>,
    /// The series of the result.
    #[diesel(select_expression = Subquery::VALUE, select_expression_type = Subquery<Nullable<Uuid>, Series>)]
    pub series: Option<Id>,
    /// The fiscal year of the policy.
    #[diesel(select_expression = Subquery::VALUE, select_expression_type = Subquery<Nullable<Integer>, PolicyYear>)]
    pub policy_year: Option<FiscalYear>,
    /// The indicator of the result.
    #[diesel(select_expression = Subquery::VALUE, select_expression_type = Subquery<Nullable<Uuid>, Indicator>)]
    pub indicator: Option<Id>,
    /// The fiscal year of the result now; none if it went.
    #[diesel(select_expression = Subquery::VALUE, select_expression_type = Subquery<Nullable<Integer>, Year>)]
    pub year: Option<FiscalYear>,
    /// The result before, if everybody saw it.
    #[diesel(select_expression = RowsOf::all(), select_expression_type = RowsOf<StoredColumns, Before>, deserialize_as = NestedRows<StoredColumns>)]
    pub before: Vec<StoredColumns>,
}

subqueries! {
    /// Results stay with their indicators, and these with their series.
    Series: "select i.series_id from indicators i \
        where i.id = (coalesce(public_changes.after, public_changes.before) ->> 'indicator_id')::uuid and public_changes.type = 'result'";
    /// From the name of the result.
    PolicyYear: "(public_changes.key ->> 'fiscal_year')::integer";
    /// Of the result now, or before it went.
    Indicator: "(coalesce(public_changes.after, public_changes.before) ->> 'indicator_id')::uuid";
    /// Of the result now.
    Year: "(public_changes.after ->> 'fiscal_year')::integer";
    /// A row or none.
    Before: "from jsonb_populate_record(null::public.results, public_changes.before) as results \
        where public_changes.type = 'result' and public_changes.before is not null and public_changes.was_public";
}

impl ResultChange {
    /// What the open write has changed of what everybody sees since a place in the history, the last change first; none if that is much,
    /// or anything but results.
    pub fn since(conn: &mut PgConnection, seq: i64) -> Result<Option<Vec<Self>>> {
        let changes: Vec<Self> = Self::query()
            .filter(c::seq.gt(seq))
            .order(c::seq.desc())
            .limit(MOST + 1)
            .load(conn)?;
        let are_few = i64::try_from(changes.len()).is_ok_and(|many| many <= MOST);
        let are_results = changes.iter().all(|change| change.type_ == ChangeType::Result);
        Ok((are_few && are_results).then_some(changes))
    }
}
