//! Results as they are read from the database.

use chrono::NaiveDate;
use diesel::prelude::*;

use super::ResultInput;
use crate::{
    db::schema::{indicators as i, latest, organizations as o, policies as p, results},
    domain::{
        evaluation::{Facts, outcome::value_status},
        finding::Parts,
        kinds::{ObservationStatus, ValueStatus},
        reporting,
    },
    error::Violation,
    value::{Date, Decimal, FiscalYear, Id, Prose, Slug, Time, language::Bilingual},
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
    pub(super) goal_id: Id,
    #[diesel(select_expression = o::slug)]
    pub(super) organization: Slug,
    #[diesel(select_expression = p::fiscal_year)]
    pub(super) policy_year: FiscalYear,
    /// The day by which the results of the policy's own year are due.
    #[diesel(select_expression = p::results_due_on)]
    pub(super) due_on: Date,
    #[diesel(embed)]
    /// The columns that callers write.
    pub stored: Columns,
    /// 1 when created, one more with each change.
    pub version: i64,
    pub(super) created_at: Time,
    /// When it last changed.
    pub updated_at: Time,
    #[diesel(select_expression = latest(latest(results::updated_at, i::updated_at.nullable()), latest(p::updated_at, o::updated_at.nullable()).nullable()))]
    changed_at: Time,
}

/// The columns of a result that callers write, before the day is looked at on which its status depends.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = results)]
pub struct Columns {
    #[diesel(embed)]
    written: ResultInput,
}

/// The columns of a result that callers write, and when it last changed.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = results)]
pub struct StoredColumns {
    /// The columns.
    #[diesel(embed)]
    pub columns: Columns,
    /// When the result last changed.
    pub updated_at: Time,
}

/// Where no status is stored, it follows from value and date. Until they are looked at it is `not_reported`, which is never
/// stored.
impl From<Option<ValueStatus>> for ValueStatus {
    fn from(stated: Option<Self>) -> Self {
        stated.unwrap_or(Self::NotReported)
    }
}

impl Columns {
    /// Fiscal year of the result.
    #[must_use]
    pub fn fiscal_year(&self) -> FiscalYear {
        self.written.fiscal_year
    }

    /// How final the value is.
    #[must_use]
    pub fn observation_status(&self) -> ObservationStatus {
        self.written.observation_status
    }

    /// The result as printed.
    #[must_use]
    pub fn text(&self) -> Option<&Prose<2000>> {
        self.written.text.as_ref()
    }

    /// The part of a result that an evaluation looks at.
    #[must_use]
    pub fn facts(&self) -> Facts {
        self.written.facts()
    }

    /// What the value was made from, and how it was printed.
    #[must_use]
    pub fn parts(&self) -> Parts<'_> {
        let written = &self.written;
        Parts {
            cumulative_value: written.cumulative_value,
            numerator: written.numerator,
            denominator: written.denominator,
            sample_size: written.sample_size.map(|size| Decimal(size.into())),
            text: written.text.as_ref().map(|text| text.0.as_str()),
        }
    }

    /// The result in the form in which callers write it, as of a day; its policy is of `policy_year` and due on `due_on`.
    #[must_use]
    pub fn input(self, policy_year: FiscalYear, due_on: Date, on: NaiveDate) -> ResultInput {
        let due_on = reporting::due_on(due_on.0, policy_year, self.fiscal_year());
        ResultInput {
            value_status: value_status(Some(&self.facts()), due_on, on),
            ..self.written
        }
    }
}

/// The violation of a result that was made from another version than the stored one; without a version it may be made from any.
#[must_use]
pub fn stale(at: String, read: Option<i64>, stored: Option<&StoredResult>) -> Option<Violation> {
    let version = stored.map_or(0, |stored| stored.version);
    let detail = match version {
        0 => Bilingual::new("登録済みの実績はありません", "no result is stored"),
        version => Bilingual::new(
            format!("登録済みのバージョンは{version}です"),
            format!("the stored version is {version}"),
        ),
    };
    read.filter(|read| *read != version)
        .map(|_| Violation::at(at, "version", detail))
}

impl StoredResult {
    /// When the result as callers see it on a day last changed: where nothing came in, that is also when it was no longer in time.
    pub(super) fn changed_at(&self, status: ValueStatus, on: NaiveDate) -> Time {
        let due_on = reporting::due_on(self.due_on.0, self.policy_year, self.fiscal_year());
        let late = due_on
            .succ_opt()
            .filter(|late| status == ValueStatus::NotReported && *late <= on);
        late.map_or(self.changed_at, |late| self.changed_at.max(Time::beginning_of(late)))
    }

    /// Fiscal year of the result.
    #[must_use]
    pub fn fiscal_year(&self) -> FiscalYear {
        self.stored.fiscal_year()
    }

    /// Whether storing `input` would change anything.
    #[must_use]
    pub fn differs(&self, input: &ResultInput) -> bool {
        // The day does not matter: a status that nobody stated makes no difference.
        let mut stored = self.stored.clone().input(self.policy_year, self.due_on, self.due_on.0);
        if input.said().is_none() && stored.said().is_none() {
            stored.value_status = input.value_status;
        }
        stored != *input
    }

    /// The result in the form in which callers write it, as of a day.
    #[must_use]
    pub fn input(self, on: NaiveDate) -> ResultInput {
        self.stored.input(self.policy_year, self.due_on, on)
    }
}
