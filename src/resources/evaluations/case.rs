//! From rows to cases: everything that an evaluation looks at, read with its indicator as one row.

use std::{collections::BTreeSet, sync::Arc};

use chrono::NaiveDate;
use diesel::{
    PgConnection,
    dsl::{array, exists},
    prelude::*,
};

use super::{
    EvaluationFilter,
    changed::{self, LastRemoval},
    record::{self, OtherResults, Recorded},
    result_change::ResultChange,
};
use crate::{
    db::{
        FindById, NestedRows, RowsOf, WrittenColumns,
        schema::{goals as g, indicators as i, latest, organizations as o, policies as p, results as r},
        unnest,
    },
    domain::{
        evaluation::{Case, Evaluation, Verdict, attained, evaluate, gap, outcome::value_status, verdict},
        kinds::ValueStatus,
        reporting,
        target::Target,
    },
    error::{Error, Result},
    http::{as_of::Since, pagination::Limited, query::Years},
    narrow,
    resources::{
        indicators::{self, Indicator, IndicatorFilter},
        results::stored::{Columns, StoredColumns},
    },
    subqueries,
    value::{Date, Decimal, FiscalYear, Id, Line, Slug, Time},
};

/// Indicators read by one statement where it is not known how many are needed.
pub const BATCH: usize = 500;

subqueries! {
    /// The results of the indicator that a statement reads.
    OwnResults: "from results where results.indicator_id = indicators.id";
}

/// An indicator to evaluate, with all that its evaluations look at.
#[derive(Debug, Clone, HasQuery)]
#[diesel(table_name = i, base_query = i::table.inner_join(g::table.inner_join(p::table.inner_join(o::table))))]
pub struct Subject {
    /// The indicator.
    #[diesel(embed)]
    pub indicator: Indicator,
    /// The last day on which its results of the policy's own year are in time.
    #[diesel(select_expression = p::results_due_on)]
    pub due_on: Date,
    /// The policy of the indicator.
    #[diesel(select_expression = p::id)]
    pub policy_id: Id,
    /// The organization.
    #[diesel(select_expression = p::organization_id)]
    pub organization_id: Id,
    /// Name of the organization.
    #[diesel(select_expression = o::name)]
    pub organization_name: Line<100>,
    /// Title of the goal.
    #[diesel(select_expression = g::title)]
    pub goal_title: Line<300>,
    /// When what the indicator stands below last changed.
    #[diesel(select_expression = latest(latest(p::updated_at, g::updated_at.nullable()), o::updated_at.nullable()))]
    above_updated_at: Time,
    /// When a result or an indicator of the organization last went.
    #[diesel(select_expression = LastRemoval::VALUE, select_expression_type = LastRemoval)]
    removed_at: Option<Time>,
    /// Its results.
    #[diesel(select_expression = RowsOf::all(), select_expression_type = RowsOf<StoredColumns, OwnResults>, deserialize_as = NestedRows<StoredColumns>)]
    own: Vec<StoredColumns>,
    /// The results of the other indicators of its series.
    #[diesel(select_expression = OtherResults::VALUE, select_expression_type = OtherResults)]
    others: Vec<Recorded>,
}

impl FindById for Subject {
    const TYPE: &'static str = Indicator::TYPE;

    fn one(conn: &mut PgConnection, id: Id) -> QueryResult<Option<Self>> {
        Self::query().filter(i::id.eq(id)).first(conn).optional()
    }

    fn all(conn: &mut PgConnection, ids: &[Id]) -> QueryResult<Vec<Self>> {
        let ids = array(diesel::select(unnest(ids)));
        Self::query().filter(i::id.eq_any(ids)).load(conn)
    }

    fn id(&self) -> Id {
        self.indicator.id
    }

    fn organization(&self) -> &Slug {
        &self.indicator.organization
    }
}

impl Subject {
    /// Its result of a fiscal year.
    fn result(&self, year: FiscalYear) -> Option<&Columns> {
        let mut own = self.own.iter().map(|result| &result.columns);
        own.find(|result| result.fiscal_year() == year)
    }

    /// The fiscal years it is evaluated for: the policy's, and any with a result.
    fn years(&self) -> BTreeSet<FiscalYear> {
        let own = self.own.iter().map(|result| result.columns.fiscal_year());
        own.chain([self.indicator.policy_year]).collect()
    }

    /// Takes a change of a result back, in whichever series and organization it was.
    pub(super) fn undo(&mut self, change: &ResultChange) {
        let is_own = change.indicator == Some(self.indicator.id);
        let is_of_series =
            change.series == Some(self.indicator.series_id) && change.organization_id == Some(self.organization_id);
        let (Some(indicator), Some(policy_year), true) = (change.indicator, change.policy_year, is_of_series) else {
            return;
        };
        if is_own {
            self.own
                .retain(|result| Some(result.columns.fiscal_year()) != change.year);
            self.own.extend(change.before.iter().cloned());
        } else {
            (self.others).retain(|result| (result.indicator, Some(result.fiscal_year)) != (indicator, change.year));
            (self.others).extend(
                change
                    .before
                    .iter()
                    .map(|before| recorded(before, indicator, policy_year)),
            );
        }
    }

    /// The record of its series.
    fn record(&self) -> Vec<Recorded> {
        let indicator = &self.indicator;
        let own = (self.own.iter()).map(|result| recorded(result, indicator.id, indicator.policy_year));
        own.chain(self.others.iter().copied()).collect()
    }
}

/// A result in the record of its series.
fn recorded(result: &StoredColumns, indicator: Id, policy_year: FiscalYear) -> Recorded {
    Recorded {
        indicator,
        policy_year,
        fiscal_year: result.columns.fiscal_year(),
        value: result.columns.facts().value,
        updated_at: result.updated_at,
    }
}

/// An indicator in a fiscal year, with everything that its evaluation looks at.
#[derive(Debug)]
pub struct Judged {
    /// The indicator.
    pub subject: Arc<Subject>,
    /// Its target.
    pub target: Target,
    /// The fiscal year.
    pub fiscal_year: FiscalYear,
    /// Its result, if there is one.
    pub result: Option<Columns>,
    /// Last year's own result, through the series.
    pub recorded_previous: Option<Decimal>,
    /// The result of the fiscal year the target refers to, through the series.
    recorded_reference: Option<Decimal>,
    /// When what the evaluation looks at last changed: the indicator with its target, what it stands below, and every result of
    /// its series. What is gone since, and may have counted, is a change too.
    pub updated_at: Time,
    /// The day of the evaluation.
    on: NaiveDate,
}

impl Judged {
    fn new(subject: &Arc<Subject>, record: &[Recorded], fiscal_year: FiscalYear, on: NaiveDate) -> Self {
        let indicator = &subject.indicator;
        let target = Target::from(indicator.target.clone());
        let reference = target.reference.fiscal_year;
        let last = indicator.updated_at.max(subject.above_updated_at);
        Self {
            fiscal_year,
            result: subject.result(fiscal_year).cloned(),
            recorded_previous: record::before(record, indicator.id, fiscal_year),
            recorded_reference: reference.and_then(|year| record::value(record, indicator.id, year)),
            updated_at: last.max(record::updated_at(record).max(subject.removed_at).unwrap_or(last)),
            subject: Arc::clone(subject),
            target,
            on,
        }
    }

    fn case(&self) -> Case<'_> {
        let indicator = &self.subject.indicator;
        Case {
            fiscal_year: self.fiscal_year,
            target: &self.target,
            unit: indicator.unit.as_ref().map(|unit| unit.0.as_str()),
            decimals: u32::try_from(indicator.decimals).ok(),
            direction: indicator.direction,
            result: self.result.as_ref().map(Columns::facts),
            recorded_previous: self.recorded_previous,
            recorded_reference: self.recorded_reference,
            comparable_with_previous: indicator.comparable_with_previous,
            comparable_reason: indicator.comparable_reason.as_ref().map(|reason| reason.0.as_str()),
            due_on: self.due_on(),
            on: self.on,
        }
    }

    /// The last day on which the result is in time.
    #[must_use]
    pub fn due_on(&self) -> NaiveDate {
        let subject = &self.subject;
        reporting::due_on(subject.due_on.0, subject.indicator.policy_year, self.fiscal_year)
    }

    /// The evaluation of the indicator.
    #[must_use]
    pub fn evaluation(&self) -> Evaluation {
        evaluate(&self.case())
    }

    /// The status of the result's value.
    #[must_use]
    pub fn value_status(&self) -> ValueStatus {
        let case = self.case();
        value_status(case.result.as_ref(), case.due_on, case.on)
    }

    /// The gap of its evaluation.
    #[must_use]
    pub fn gap(&self) -> Option<Decimal> {
        gap(&self.case())
    }

    /// The attainment of its evaluation.
    #[must_use]
    pub fn attainment(&self) -> Option<Decimal> {
        attained(&self.case())
    }

    /// The evaluation in short.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        verdict(&self.case())
    }

    /// The day on which the verdict may turn, and the verdicts on it and on the day after: on any day it is one of these two.
    #[must_use]
    pub fn verdicts(&self) -> (NaiveDate, Verdict, Verdict) {
        let case = self.case();
        let on = |on| verdict(&Case { on, ..case });
        let last = case.turns_after();
        (last, on(last), on(last.succ_opt().unwrap_or(NaiveDate::MAX)))
    }
}

/// Evaluates indicators for those of their fiscal years that are asked for.
#[must_use]
pub fn judge(subjects: Vec<Subject>, years: &Years, on: NaiveDate) -> Vec<Judged> {
    let mut judged = Vec::new();
    for subject in subjects.into_iter().map(Arc::new) {
        let record = subject.record();
        let of = subject.years().into_iter().filter(|year| years.hold(*year));
        judged.extend(of.map(|year| Judged::new(&subject, &record, year, on)));
    }
    judged
}

/// Which evaluations to go through, and how.
#[derive(Clone, Copy)]
pub struct Walk {
    /// The evaluation after which to begin.
    pub after: Option<(FiscalYear, Id)>,
    /// How many indicators one statement reads.
    pub batch: usize,
}

impl Walk {
    /// Through all of them.
    pub const ALL: Self = Self {
        after: None,
        batch: BATCH,
    };
}

/// Hands over evaluation after evaluation that changed since a moment, by indicator and fiscal year, until `take` has had
/// enough.
pub fn each(
    conn: &mut PgConnection,
    filter: &EvaluationFilter,
    since: &Since,
    on: NaiveDate,
    Walk { mut after, batch }: Walk,
    mut take: impl FnMut(Judged) -> Result<bool>,
) -> Result<()> {
    let wanted = filter.indicators();
    let changed = since
        .updated_since
        .map(|time| changed::series(conn, time))
        .transpose()?;
    let most = i64::try_from(batch).map_err(Error::internal)?;
    loop {
        let mut query = indicators::matching(&wanted);
        // Every indicator has an evaluation for its policy's year. PostgreSQL keeps no plan of a statement that asks for it nevertheless.
        let is_of_own_year = matches!((filter.policy_year.some(), filter.fiscal_year.some()), (Some([policy]), Some([year])) if policy == year);
        if let Some(years) = filter.fiscal_year.some().filter(|_| !is_of_own_year) {
            let reported = r::table.filter(r::indicator_id.eq(i::id)).select(r::id);
            query = match years {
                [year] => {
                    let reported = reported.filter(r::fiscal_year.eq(year));
                    query.filter(p::fiscal_year.eq(year).or(exists(reported)))
                }
                several => {
                    let reported = reported.filter(r::fiscal_year.eq_any(several));
                    query.filter(p::fiscal_year.eq_any(several).or(exists(reported)))
                }
            };
        }
        narrow!(query, i::id, filter.indicator);
        if let Some(series) = &changed {
            query = query.filter(i::series_id.eq_any(series));
        }
        if let Some((_, id)) = after {
            query = query.filter(i::id.ge(id));
        }
        let query = query.select(WrittenColumns::<Subject>::all()).order(i::id);
        let subjects: Vec<Subject> = Limited::to(most, query).load(conn)?;
        let last_batch = subjects.len() < batch;
        for judged in judge(subjects, &filter.fiscal_year, on) {
            let place = (judged.fiscal_year, judged.subject.indicator.id);
            if after.is_some_and(|(year, id)| (place.1, place.0) <= (id, year)) {
                continue;
            }
            after = Some(place);
            let is_new = since.updated_since.is_none_or(|since| judged.updated_at >= since);
            if is_new && filter.admits(&judged) && !take(judged)? {
                return Ok(());
            }
        }
        if last_batch {
            return Ok(());
        }
    }
}

impl EvaluationFilter {
    fn indicators(&self) -> IndicatorFilter {
        IndicatorFilter {
            organization: self.organization.clone(),
            fiscal_year: self.policy_year.clone(),
            goal: self.goal.clone(),
            kind: self.kind.clone(),
            unit: self.unit.clone(),
            series: self.series.clone(),
            q: self.q.clone(),
        }
    }

    /// Whether it asks for something that is computed: many indicators may be evaluated for the few that are shown.
    #[must_use]
    pub fn is_computed(&self) -> bool {
        self.outcome.some().is_some() || self.rating.some().is_some()
    }

    fn admits(&self, judged: &Judged) -> bool {
        !self.is_computed() || self.admits_verdict(judged.verdict())
    }

    /// Whether evaluations with this verdict are asked for.
    pub(super) fn admits_verdict(&self, verdict: Verdict) -> bool {
        let outcome = self.outcome.some();
        let rating = self.rating.some();
        outcome.is_none_or(|outcomes| outcomes.contains(&verdict.outcome))
            && rating.is_none_or(|ratings| verdict.rating.is_some_and(|rating| ratings.contains(&rating)))
    }
}
