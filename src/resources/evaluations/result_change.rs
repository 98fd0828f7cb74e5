//! Results that a transaction has changed, as they were: what their series came to before can be said without reading the past.

use diesel::{
    prelude::*,
    sql_types::{Integer, Nullable, Uuid},
};

use crate::{
    db::{NestedRows, RowsOf, Subquery, schema::change_log as c},
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
        where i.id = (coalesce(change_log.after, change_log.before) ->> 'indicator_id')::uuid and change_log.type = 'result'";
    /// From the name of the result.
    PolicyYear: "(change_log.key ->> 'fiscal_year')::integer";
    /// Of the result now, or before it went.
    Indicator: "(coalesce(change_log.after, change_log.before) ->> 'indicator_id')::uuid";
    /// Of the result now.
    Year: "(change_log.after ->> 'fiscal_year')::integer";
    /// A row or none.
    Before: "from jsonb_populate_record(null::public.results, change_log.before) as results \
        where change_log.type = 'result' and change_log.before is not null and change_log.was_public";
}

impl ResultChange {
    /// The changes of what everybody sees since a place in the history, the last one first; none if they are many, or if anything but
    /// results has changed.
    pub fn since(conn: &mut PgConnection, seq: i64) -> Result<Option<Vec<Self>>> {
        let changes: Vec<Self> = Self::query()
            .filter(c::seq.gt(seq))
            .filter(c::was_public.or(c::is_public))
            .filter(c::type_.ne(ChangeType::Revision))
            .order(c::seq.desc())
            .limit(MOST + 1)
            .load(conn)?;
        let are_few = i64::try_from(changes.len()).is_ok_and(|many| many <= MOST);
        let are_results = changes.iter().all(|change| change.type_ == ChangeType::Result);
        Ok((are_few && are_results).then_some(changes))
    }
}
