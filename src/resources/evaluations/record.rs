//! What a series came to over the years, in one organization's own record.

use diesel::{
    deserialize::{self, FromSql},
    pg::{Pg, PgValue},
    sql_types::{Array, Int4, Nullable, Numeric, Record, Timestamptz, Uuid},
};

use crate::{
    db::Subquery,
    subqueries,
    value::{Decimal, FiscalYear, Id, Time},
};

/// In a statement that reads `indicators` and `policies`: the results of the other indicators of the series of each, in the policy's
/// organization. The record of one organization counts for no other. A reader who does not see a policy sees none of its results.
pub type OtherResults = Subquery<Array<RecordedRow>, OfSeries>;

/// In a statement that reads `results`: the value of the year before, by the same indicator.
pub type OwnPrevious = Subquery<Nullable<Numeric>, OfYearBefore>;

subqueries! {
    /// The text of [`OwnPrevious`].
    OfYearBefore: "select own.value from results own \
        where own.indicator_id = results.indicator_id and own.fiscal_year = results.fiscal_year - 1";
    /// The text of [`OtherResults`].
    OfSeries: "select array(\
        select row(r.indicator_id, p.fiscal_year, r.fiscal_year, r.value, greatest(r.updated_at, i.updated_at, p.updated_at)) \
        from indicators i join results r on r.indicator_id = i.id join policies p on p.id = r.policy_id \
        where i.series_id = indicators.series_id and i.id <> indicators.id and p.organization_id = policies.organization_id)";
}

/// The columns of a [`Recorded`].
pub type RecordedRow = Record<(Uuid, Int4, Int4, Nullable<Numeric>, Timestamptz)>;

/// A result of any indicator of a series in a year.
#[derive(Debug, Clone, Copy)]
pub struct Recorded {
    /// The indicator.
    pub indicator: Id,
    /// The fiscal year of its policy.
    pub policy_year: FiscalYear,
    /// The fiscal year of the result.
    pub fiscal_year: FiscalYear,
    /// Its value.
    pub value: Option<Decimal>,
    /// When it last changed; of another indicator, or that or its policy.
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
#[must_use]
pub fn updated_at(record: &[Recorded]) -> Option<Time> {
    record.iter().map(|row| row.updated_at).max()
}

/// The value of a series in a year, for one of its indicators: the indicator's own result, else the result in the policy of that
/// year, else the only result there is. Choosing among several would be a guess.
#[must_use]
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
#[must_use]
pub fn before(record: &[Recorded], indicator: Id, year: FiscalYear) -> Option<Decimal> {
    value(record, indicator, year.previous()?)
}
