//! What an indicator and its series came to. Both stand beside the indicator, so that one statement reads everything that an
//! evaluation looks at. diesel has no array of the rows of a subquery about the row it stands in; these are its own words for it,
//! with the names of the tables that the statement reads.

use diesel::{
    AppearsOnTable, Expression, SelectableExpression,
    deserialize::{self, FromSql, Queryable},
    dsl::SqlTypeOf,
    expression::ValidGrouping,
    pg::{Pg, PgValue},
    prelude::*,
    query_builder::{AstPass, QueryFragment, QueryId},
    sql_types::{Array, Int4, Nullable, Numeric, Record, Timestamptz, Uuid},
};

use crate::{
    resources::results::{ResultInput, stored::Columns},
    value::{Decimal, FiscalYear, Id, Time},
};

type Selected = <ResultInput as Selectable<Pg>>::SelectExpression;
type SelectedRow = Record<SqlTypeOf<Selected>>;

/// In a statement that reads `indicators`: the results of each.
#[derive(QueryId, ValidGrouping)]
pub struct OwnResults(Selected);

impl OwnResults {
    /// The results of each indicator.
    #[must_use]
    pub fn of_indicator() -> Self {
        Self(<ResultInput as Selectable<Pg>>::construct_selection())
    }
}

impl Expression for OwnResults {
    type SqlType = Array<SelectedRow>;
}
impl<T> SelectableExpression<T> for OwnResults {}
impl<T> AppearsOnTable<T> for OwnResults {}

impl QueryFragment<Pg> for OwnResults {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("array(select row(");
        self.0.walk_ast(out.reborrow())?;
        out.push_sql(") from results where results.indicator_id = indicators.id)");
        Ok(())
    }
}

/// A result of an indicator.
#[derive(Debug)]
pub struct OwnResult(pub Columns);

impl FromSql<SelectedRow, Pg> for OwnResult {
    fn from_sql(row: PgValue<'_>) -> deserialize::Result<Self> {
        let row = FromSql::<SelectedRow, Pg>::from_sql(row)?;
        let written = <ResultInput as Queryable<SqlTypeOf<Selected>, Pg>>::build(row)?;
        Ok(Self(written.into()))
    }
}

/// In a statement that reads `indicators` and `policies`: the results of the series of each, in the policy's organization. No
/// organization's record counts for another, and whoever does not see a policy sees no result of it.
#[derive(Debug, Clone, Copy, QueryId, ValidGrouping)]
pub struct SeriesRecord;

type RecordedRow = Record<(Uuid, Int4, Int4, Nullable<Numeric>, Timestamptz)>;

impl Expression for SeriesRecord {
    type SqlType = Array<RecordedRow>;
}
impl<T> SelectableExpression<T> for SeriesRecord {}
impl<T> AppearsOnTable<T> for SeriesRecord {}

impl QueryFragment<Pg> for SeriesRecord {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(
            "array(select row(r.indicator_id, p.fiscal_year, r.fiscal_year, r.value, greatest(r.updated_at, i.updated_at, p.updated_at)) \
             from indicators i join results r on r.indicator_id = i.id join policies p on p.id = r.policy_id \
             where i.series_id = indicators.series_id and p.organization_id = policies.organization_id)",
        );
        Ok(())
    }
}

/// A result of any indicator of a series in a year.
#[derive(Debug)]
pub struct Recorded {
    /// The indicator.
    pub indicator: Id,
    /// The fiscal year of its policy.
    pub policy_year: FiscalYear,
    /// The fiscal year of the result.
    pub fiscal_year: FiscalYear,
    /// Its value.
    pub value: Option<Decimal>,
    /// When it last changed, or its indicator or policy.
    pub updated_at: Time,
}

impl FromSql<RecordedRow, Pg> for Recorded {
    fn from_sql(row: PgValue<'_>) -> deserialize::Result<Self> {
        let (indicator, policy_year, fiscal_year, value, updated_at) = FromSql::<RecordedRow, Pg>::from_sql(row)?;
        Ok(Self {
            indicator,
            policy_year,
            fiscal_year,
            value,
            updated_at,
        })
    }
}

/// When anything in a record last changed.
pub fn updated_at(record: &[Recorded]) -> Option<Time> {
    record.iter().map(|row| row.updated_at).max()
}

/// The value of a series in a year, for one of its indicators: the indicator's own result, else the result in the policy of that
/// year, else the only result there is. Choosing among several would be a guess.
pub fn value(record: &[Recorded], indicator: Id, year: FiscalYear) -> Option<Decimal> {
    let only = |counts: &dyn Fn(&Recorded) -> bool| {
        let mut rows = (record.iter()).filter(|row| row.fiscal_year == year && row.value.is_some() && counts(row));
        match (rows.next(), rows.next()) {
            (Some(row), None) => row.value,
            _ => None,
        }
    };
    only(&|row| row.indicator == indicator)
        .or_else(|| only(&|row| row.policy_year == year))
        .or_else(|| only(&|_| true))
}

/// The value of a series in the year before this one.
pub fn before(record: &[Recorded], indicator: Id, year: FiscalYear) -> Option<Decimal> {
    value(record, indicator, year.previous()?)
}
