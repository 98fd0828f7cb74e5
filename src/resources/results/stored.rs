//! Results as they are stored: how they get there, and how they become what callers see, what callers write and what is
//! evaluated.

use chrono::NaiveDate;
use diesel::{prelude::*, upsert::excluded};

use super::{IndicatorResult, ResultInput};
use crate::{
    db::{
        Tx,
        schema::{indicators as i, organizations as o, policies as p, results},
    },
    domain::{
        evaluation::{Facts, outcome::value_status},
        kinds::{ObservationStatus, Rating, ValueStatus},
    },
    error::Result,
    value::{Date, Decimal, FiscalYear, Id, Line, Prose, Slug, Time},
};

/// A result as stored, with the columns that showing and evaluating it take.
#[derive(Debug, Clone, HasQuery)]
#[diesel(table_name = results, base_query = results::table.inner_join(i::table).inner_join(p::table.on(p::id.eq(results::policy_id)).inner_join(o::table)))]
pub struct StoredResult {
    /// Identifier.
    pub id: Id,
    /// The indicator.
    pub indicator_id: Id,
    #[diesel(select_expression = i::goal_id)]
    goal_id: Id,
    #[diesel(select_expression = o::slug)]
    organization: Slug,
    #[diesel(select_expression = p::fiscal_year)]
    policy_year: FiscalYear,
    #[diesel(select_expression = p::results_due_on)]
    due_on: Date,
    #[diesel(embed)]
    /// The columns that callers write.
    pub stored: Columns,
    /// 1 when created, one more with each change.
    pub version: i64,
    created_at: Time,
    updated_at: Time,
}

/// The columns of a result that callers write.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = results)]
pub struct Columns {
    /// Fiscal year of the result.
    pub fiscal_year: FiscalYear,
    /// The value.
    pub value: Option<Decimal>,
    /// The cumulative value.
    pub cumulative_value: Option<Decimal>,
    numerator: Option<Decimal>,
    denominator: Option<Decimal>,
    sample_size: Option<i64>,
    value_status: Option<ValueStatus>,
    /// How final the value is.
    pub observation_status: ObservationStatus,
    /// The result as printed.
    pub text: Option<Prose<2000>>,
    comment: Option<Prose<4000>>,
    measured_on: Option<Date>,
    declared_rating: Option<Rating>,
    stated_previous_value: Option<Decimal>,
    stated_previous_text: Option<Line<500>>,
}

impl Columns {
    /// The part of a result that an evaluation looks at.
    #[must_use]
    pub fn facts(&self) -> Facts {
        Facts {
            value: self.value,
            cumulative_value: self.cumulative_value,
            value_status: self.value_status,
            declared_rating: self.declared_rating,
            stated_previous_value: self.stated_previous_value,
        }
    }

    /// The result in the form in which callers write it, as of a day.
    #[must_use]
    pub fn input(self, due_on: Date, on: NaiveDate) -> ResultInput {
        let value_status = value_status(Some(&self.facts()), due_on.0, on);
        ResultInput {
            fiscal_year: self.fiscal_year,
            value: self.value,
            cumulative_value: self.cumulative_value,
            numerator: self.numerator,
            denominator: self.denominator,
            sample_size: self.sample_size,
            value_status,
            observation_status: self.observation_status,
            text: self.text,
            comment: self.comment,
            measured_on: self.measured_on,
            declared_rating: self.declared_rating,
            stated_previous_value: self.stated_previous_value,
            stated_previous_text: self.stated_previous_text,
        }
    }
}

impl StoredResult {
    /// Fiscal year of the result.
    #[must_use]
    pub fn fiscal_year(&self) -> FiscalYear {
        self.stored.fiscal_year
    }

    /// Whether storing `input` would change anything.
    #[must_use]
    pub fn differs(&self, input: &ResultInput) -> bool {
        // The day does not matter: a status that nobody stated makes no difference.
        let mut stored = self.stored.clone().input(self.due_on, self.due_on.0);
        if input.said().is_none() && stored.said().is_none() {
            stored.value_status = input.value_status;
        }
        stored != *input
    }

    /// The result in the form in which callers write it, as of a day.
    #[must_use]
    pub fn input(self, on: NaiveDate) -> ResultInput {
        self.stored.input(self.due_on, on)
    }

    /// The result as callers see it on a day.
    #[must_use]
    pub fn view(self, on: NaiveDate) -> IndicatorResult {
        let input = self.stored.input(self.due_on, on);
        IndicatorResult {
            id: self.id,
            indicator_id: self.indicator_id,
            goal_id: self.goal_id,
            organization: self.organization,
            policy_year: self.policy_year,
            fiscal_year: input.fiscal_year,
            value: input.value,
            cumulative_value: input.cumulative_value,
            numerator: input.numerator,
            denominator: input.denominator,
            sample_size: input.sample_size,
            value_status: input.value_status,
            observation_status: input.observation_status,
            text: input.text,
            comment: input.comment,
            measured_on: input.measured_on,
            declared_rating: input.declared_rating,
            stated_previous_value: input.stated_previous_value,
            stated_previous_text: input.stated_previous_text,
            version: self.version,
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }
}

/// Each column as the statement would have inserted it.
macro_rules! taken_over {
    ($($column:ident),+) => { ($(results::$column.eq(excluded(results::$column))),+) };
}

/// Most results in one statement: PostgreSQL takes 65,535 parameters, and a result has 17.
const ROWS: usize = 1000;

/// Stores new and changed results, each with its indicator.
pub fn put(tx: &mut Tx<'_>, all: &[(Id, &ResultInput)]) -> Result<()> {
    for some in all.chunks(ROWS) {
        let row = |(indicator, input): &(Id, &ResultInput)| {
            let key = (results::id.eq(Id::generate()), results::indicator_id.eq(*indicator));
            (key, results::value_status.eq(input.said()), (*input).clone())
        };
        let rows: Vec<_> = some.iter().map(row).collect();
        diesel::insert_into(results::table)
            .values(rows)
            .on_conflict((results::indicator_id, results::fiscal_year))
            .do_update()
            .set(taken_over!(
                value,
                cumulative_value,
                numerator,
                denominator,
                sample_size,
                value_status,
                observation_status,
                text,
                comment,
                measured_on,
                declared_rating,
                stated_previous_value,
                stated_previous_text
            ))
            .execute(tx.conn)?;
    }
    Ok(())
}

/// Stores one changed result, in another year perhaps.
pub fn update(tx: &mut Tx<'_>, id: Id, input: &ResultInput) -> Result<()> {
    diesel::update(results::table.find(id))
        .set((results::value_status.eq(input.said()), input))
        .execute(tx.conn)?;
    Ok(())
}
