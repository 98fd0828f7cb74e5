//! What callers write and see of a result, and how it gets into the database.

use chrono::NaiveDate;
use diesel::{prelude::*, upsert::excluded};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{StoredResult, defaults};
use crate::{
    db::{Tx, schema::results},
    domain::{
        evaluation::Facts,
        kinds::{ObservationStatus, Rating, ValueStatus},
    },
    error::{Result, Violation},
    http::{
        respond::Dated,
        validation::{Known, Members, Rules, set_by_server},
    },
    value::{Date, Decimal, FiscalYear, Id, Line, Prose, Slug, Time, language::Bilingual},
};

/// Declares the columns that callers write, once: makes the body, the answer, and whatever else names every column. The
/// attributes in `body` and `answer` are for one of the two alone.
macro_rules! columns {
    ($(#[$about:meta])* pub struct ResultInput {
        body { $(#[$year:meta])+ } pub fiscal_year: FiscalYear,
        $($(#[$both:meta])* $(body { $(#[$body:meta])+ } answer { $(#[$answer:meta])+ })? pub $column:ident: $type:ty,)+
    }) => {
        $(#[$about])*
        pub struct ResultInput {
            $(#[$year])+ pub fiscal_year: FiscalYear,
            $($(#[$both])* $($(#[$body])+)? pub $column: $type,)+
        }

        /// What an indicator came to in a fiscal year (実績). A value that is not known is null, and `value_status` says why.
        #[derive(Debug, Clone, Serialize, ToSchema)]
        pub struct IndicatorResult {
            /// Identifier.
            pub id: Id,
            /// The indicator.
            pub indicator_id: Id,
            /// The goal of the indicator.
            pub goal_id: Id,
            /// Slug of the organization.
            pub organization: Slug,
            /// Fiscal year of the policy.
            pub policy_year: FiscalYear,
            /// Fiscal year of the result itself.
            pub fiscal_year: FiscalYear,
            $($(#[$both])* $($(#[$answer])+)? pub $column: $type,)+
            /// 1 when created, one more with each change.
            #[schema(minimum = 1)]
            pub version: i64,
            /// When it was created.
            pub created_at: Time,
            /// When it last changed.
            pub updated_at: Time,
            #[serde(skip)]
            changed_at: Time,
        }

        impl Dated for IndicatorResult {
            fn changed_at(&self) -> Time {
                self.changed_at
            }
        }

        impl StoredResult {
            /// The result as callers see it on a day.
            #[must_use]
            pub fn view(self, on: NaiveDate) -> IndicatorResult {
                let input = self.stored.clone().input(self.policy_year, self.due_on, on);
                IndicatorResult {
                    changed_at: self.changed_at(input.value_status, on),
                    id: self.id,
                    indicator_id: self.indicator_id,
                    goal_id: self.goal_id,
                    organization: self.organization,
                    policy_year: self.policy_year,
                    fiscal_year: input.fiscal_year,
                    $($column: input.$column,)+
                    version: self.version,
                    created_at: self.created_at,
                    updated_at: self.updated_at,
                }
            }
        }

        impl From<IndicatorResult> for ResultInput {
            fn from(shown: IndicatorResult) -> Self {
                Self { fiscal_year: shown.fiscal_year, $($column: shown.$column,)+ }
            }
        }

        impl ResultInput {
            /// A result that says nothing yet.
            #[must_use]
            pub fn nothing_yet(fiscal_year: FiscalYear) -> Self {
                Self { fiscal_year, $($column: Default::default(),)+ }
            }
        }

        /// Each column as the statement would have inserted it.
        macro_rules! taken_over {
            () => { ($(results::$column.eq(excluded(results::$column)),)+) };
        }
    };
}

columns! {
    /// What a caller says about a result.
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema, Insertable, AsChangeset, Queryable, Selectable)]
    #[diesel(table_name = results, treat_none_as_null = true)]
    #[serde(deny_unknown_fields)]
    #[schema(example = json!({
        "fiscal_year": 2024, "value": 41.3, "cumulative_value": null, "numerator": null, "denominator": null, "sample_size": 1200,
        "value_status": "reported", "observation_status": "final", "text": "41.3%", "comment": null, "measured_on": null,
        "declared_rating": "A", "stated_previous_value": 38.9, "stated_previous_text": "38.9%"
    }))]
    pub struct ResultInput {
        body {
            /// Fiscal year of the result. Left out, it is that of the path, else that of the indicator's policy.
            #[schema(required = false)]
        }
        pub fiscal_year: FiscalYear,

        body {
            /// The value, in the indicator's unit; 0 is a value.
        }
        answer {
            /// The value, in the indicator's unit; 0 is a value, null is not.
            #[schema(example = 57.0)]
        }
        pub value: Option<Decimal>,

        body {
            /// The sum since the target's period began.
        }
        answer {
            /// The sum since the target's period began; null unless the target is cumulative.
        }
        pub cumulative_value: Option<Decimal>,

        /// Numerator of a ratio.
        pub numerator: Option<Decimal>,

        /// Denominator of a ratio, more than 0.
        pub denominator: Option<Decimal>,

        /// How many were asked or counted.
        #[schema(minimum = 0, maximum = 999_999_999_999_999_i64)]
        pub sample_size: Option<i64>,

        body {
            /// `reported` with a value; without one the reason, or `not_yet_due` or `not_reported` alike where there is none:
            /// which of the two it is then follows from the date. Left out, it follows from the value, else from the text.
            #[schema(required = false)]
            #[diesel(skip_insertion, skip_update, deserialize_as = Option<ValueStatus>)]
        }
        answer {
            /// What there is of the value, as of today.
        }
        pub value_status: ValueStatus,

        body {
            /// How final the value is; `final` if left out.
            #[schema(required = false)]
        }
        answer {
            /// How final the value is.
        }
        pub observation_status: ObservationStatus,

        body {
            /// The result as printed; required when it is text only.
        }
        answer {
            /// The result as printed.
        }
        pub text: Option<Prose<2000>>,

        /// A remark.
        pub comment: Option<Prose<4000>>,

        /// When it was measured.
        pub measured_on: Option<Date>,

        body {
            /// The organization's own rating: `A`, `B` or null.
        }
        answer {
            /// The organization's own rating: `A` (達成), `B` (未達成) or null.
        }
        pub declared_rating: Option<Rating>,

        /// The previous year's result as printed beside this one.
        pub stated_previous_value: Option<Decimal>,

        /// The same, word for word.
        pub stated_previous_text: Option<Line<500>>,
    }
}

impl Rules for ResultInput {
    fn broken(&self) -> Vec<Violation> {
        let valued = self.value.is_some() || self.cumulative_value.is_some();
        let reported = self.value_status == ValueStatus::Reported;
        let mut broken = Vec::new();
        let mut refuse = |holds: bool, pointer: &str, code, ja: &str, en: &str| {
            if !holds {
                broken.push(Violation::at(pointer, code, Bilingual::new(ja, en)));
            }
        };
        refuse(
            valued || !reported,
            "/value",
            "value_status",
            "reportedには値が必要です。値がなければ理由を value_status に指定してください",
            "is required when reported; where there is no value, value_status says why",
        );
        refuse(
            !valued || reported,
            "/value_status",
            "value_status",
            "値がある実績は reported にしてください",
            "must be reported where there is a value",
        );
        refuse(
            self.value_status != ValueStatus::TextOnly || self.text.is_some(),
            "/text",
            "value_status",
            "文章のみの実績には文章が必要です",
            "is required when the result is text only",
        );
        refuse(
            self.denominator.is_none_or(|denominator| denominator > Decimal::ZERO),
            "/denominator",
            "positive",
            "正の数にしてください",
            "must be positive",
        );
        broken
    }

    /// A PUT does not move things, a PATCH may.
    fn contradictions(&self, path: &Known) -> Vec<Violation> {
        let is_another = path.fiscal_year.is_some_and(|year| year != self.fiscal_year);
        let detail = Bilingual::new("パスの年度と一致しません", "must be the fiscal year of the path");
        let violation = is_another.then(|| Violation::at("/fiscal_year", "path_mismatch", detail));
        violation.into_iter().collect()
    }

    fn fill_in(body: &mut Members, known: &Known) -> Vec<Violation> {
        defaults::fill_in(body, known.fiscal_year)
    }

    fn read_only() -> Vec<String> {
        set_by_server::<IndicatorResult, Self>()
    }
}

impl ResultInput {
    /// The part of a result that an evaluation looks at.
    #[must_use]
    pub fn facts(&self) -> Facts {
        Facts {
            value: self.value,
            cumulative_value: self.cumulative_value,
            value_status: self.said(),
            observation_status: self.observation_status,
            declared_rating: self.declared_rating,
            stated_previous_value: self.stated_previous_value,
        }
    }

    /// Whether there is a value, or a reason for having none.
    #[must_use]
    pub fn is_stated(&self) -> bool {
        self.value_status == ValueStatus::Reported || self.said().is_some()
    }

    /// The status that was stated, if it does not follow from value and date.
    pub(super) fn said(&self) -> Option<ValueStatus> {
        use ValueStatus::{NotReported, NotYetDue, Reported};
        (!matches!(self.value_status, Reported | NotYetDue | NotReported)).then_some(self.value_status)
    }
}

/// Most results in one statement: PostgreSQL takes 65,535 parameters, which is 65 for each.
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
            .set(taken_over!())
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
