//! From rows to cases: the data for evaluations, fetched for many indicators at a time.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use chrono::NaiveDate;
use diesel::{PgConnection, dsl::exists, prelude::*};

use super::{
    EvaluationFilter,
    changed::{self, Removals},
};
use crate::{
    db::schema::{goals as g, indicators as i, latest, organizations as o, policies as p, results as r},
    domain::{
        evaluation::{Case, Evaluation, Verdict, attained, evaluate, gap, outcome::value_status, verdict},
        kinds::ValueStatus,
        reporting,
        target::Target,
    },
    error::{Error, Result},
    http::{as_of::Since, query::Years},
    narrow,
    resources::{
        indicators::{self, Indicator, IndicatorFilter},
        results::stored::Columns,
    },
    value::{Date, Decimal, FiscalYear, Id, Line, Time},
};

/// Indicators evaluated together: three queries a batch, however many there are.
pub const BATCH: usize = 500;

/// An indicator to evaluate.
#[derive(Debug, HasQuery)]
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
    /// its series. From [`each`], what is gone since counts too.
    pub updated_at: Time,
    /// The day of the evaluation.
    on: NaiveDate,
}

impl Judged {
    fn new(
        subject: &Arc<Subject>,
        fiscal_year: FiscalYear,
        result: Option<Columns>,
        records: &Records,
        on: NaiveDate,
    ) -> Self {
        let target = Target::from(subject.indicator.target.clone());
        let reference = target.reference.fiscal_year;
        Self {
            fiscal_year,
            result,
            recorded_previous: records.before(subject.whose(), fiscal_year),
            recorded_reference: reference.and_then(|year| records.value(subject.whose(), year)),
            updated_at: (subject.indicator.updated_at)
                .max(subject.above_updated_at)
                .max(records.updated_at(subject.whose()).unwrap_or(subject.above_updated_at)),
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

/// The result of any indicator of a series in a year.
struct Record {
    indicator: Id,
    policy_year: FiscalYear,
    fiscal_year: FiscalYear,
    value: Option<Decimal>,
    updated_at: Time,
}

/// A record as stored, without its policy.
#[derive(HasQuery)]
#[diesel(table_name = r, base_query = r::table.inner_join(i::table))]
struct StoredCase {
    indicator_id: Id,
    #[diesel(select_expression = i::series_id)]
    series: Id,
    policy_id: Id,
    fiscal_year: FiscalYear,
    value: Option<Decimal>,
    /// When the result last changed, or its indicator.
    #[diesel(select_expression = latest(r::updated_at, i::updated_at.nullable()))]
    updated_at: Time,
}

/// Whose record is searched.
#[derive(Debug, Clone, Copy)]
pub struct Whose {
    /// The indicator.
    pub indicator: Id,
    /// The series of the indicator.
    pub series: Id,
    /// Its organization: results of others never count.
    pub organization: Id,
}

impl Subject {
    fn whose(&self) -> Whose {
        Whose {
            indicator: self.indicator.id,
            series: self.indicator.series_id,
            organization: self.organization_id,
        }
    }
}

/// Records by series and organization: no organization's record counts for another.
pub struct Records(HashMap<(Id, Id), Vec<Record>>);

impl Records {
    /// The records of some series, in some years or in all.
    pub fn of(conn: &mut PgConnection, series: HashSet<Id>, years: Option<HashSet<FiscalYear>>) -> Result<Self> {
        let mut query = StoredCase::query().filter(i::series_id.eq_any(series)).into_boxed();
        if let Some(years) = years {
            query = query.filter(r::fiscal_year.eq_any(years));
        }
        let rows: Vec<StoredCase> = query.load(conn)?;
        // Many results are of few policies, and a join would look a policy up for each result.
        let policies: HashSet<Id> = rows.iter().map(|row| row.policy_id).collect();
        let policies = p::table.filter(p::id.eq_any(policies));
        let policies: Vec<(Id, (Id, FiscalYear, Time))> = policies
            .select((p::id, (p::organization_id, p::fiscal_year, p::updated_at)))
            .load(conn)?;
        let policies: HashMap<_, _> = policies.into_iter().collect();
        let mut records: HashMap<_, Vec<Record>> = HashMap::new();
        for row in rows {
            // Whoever may not see the policy sees no result of it.
            let Some(&(organization, policy_year, updated_at)) = policies.get(&row.policy_id) else {
                continue;
            };
            records.entry((row.series, organization)).or_default().push(Record {
                indicator: row.indicator_id,
                policy_year,
                fiscal_year: row.fiscal_year,
                value: row.value,
                updated_at: updated_at.max(row.updated_at),
            });
        }
        Ok(Self(records))
    }

    /// The value of a series in the year before this one.
    #[must_use]
    pub fn before(&self, whose: Whose, year: FiscalYear) -> Option<Decimal> {
        self.value(whose, year.previous()?)
    }

    /// When anything of a series last changed, in the organization's own record.
    fn updated_at(&self, whose: Whose) -> Option<Time> {
        let all = self.0.get(&(whose.series, whose.organization))?;
        all.iter().map(|row| row.updated_at).max()
    }

    /// The value of a series in a year, in the organization's own record: the indicator's own result, else the result
    /// in the policy of that year, else the only result there is. Choosing among several would be a guess.
    fn value(&self, whose: Whose, year: FiscalYear) -> Option<Decimal> {
        let all = self.0.get(&(whose.series, whose.organization))?;
        let rows = || {
            all.iter()
                .filter(move |row| row.fiscal_year == year && row.value.is_some())
        };
        let only = |rows: Vec<&Record>| match rows[..] {
            [row] => row.value,
            _ => None,
        };
        only(rows().filter(|row| row.indicator == whose.indicator).collect())
            .or_else(|| only(rows().filter(|row| row.policy_year == year).collect()))
            .or_else(|| only(rows().collect()))
    }
}

/// What is needed to evaluate indicators for the fiscal years asked for: the policy's year, and any year with a result.
pub fn judge(conn: &mut PgConnection, subjects: Vec<Subject>, years: &Years, on: NaiveDate) -> Result<Vec<Judged>> {
    let series = subjects.iter().map(|subject| subject.indicator.series_id).collect();
    let records = Records::of(conn, series, None)?;
    let ids: Vec<Id> = subjects.iter().map(|subject| subject.indicator.id).collect();
    let own = r::table.filter(r::indicator_id.eq_any(ids));
    let own: Vec<(Id, Columns)> = own.select((r::indicator_id, Columns::as_select())).load(conn)?;
    let mut results: HashMap<Id, BTreeMap<FiscalYear, Columns>> = HashMap::new();
    for (indicator, result) in own {
        results
            .entry(indicator)
            .or_default()
            .insert(result.fiscal_year(), result);
    }
    let mut judged = Vec::new();
    for subject in subjects.into_iter().map(Arc::new) {
        // An indicator may occur more than once, so its results stay in the map.
        let own = results.get(&subject.indicator.id);
        let mut of: BTreeSet<FiscalYear> = own.into_iter().flat_map(BTreeMap::keys).copied().collect();
        of.insert(subject.indicator.policy_year);
        for year in of.into_iter().filter(|year| years.hold(*year)) {
            let result = own.and_then(|own| own.get(&year)).cloned();
            judged.push(Judged::new(&subject, year, result, &records, on));
        }
    }
    Ok(judged)
}

/// Hands over evaluation after evaluation that changed since a moment, by indicator and fiscal year, until `take` has had
/// enough.
pub fn each(
    conn: &mut PgConnection,
    filter: &EvaluationFilter,
    since: &Since,
    on: NaiveDate,
    mut after: Option<(FiscalYear, Id)>,
    mut take: impl FnMut(Judged) -> Result<bool>,
) -> Result<()> {
    let wanted = filter.indicators();
    let changed = since
        .updated_since
        .map(|time| changed::series(conn, time))
        .transpose()?;
    let mut removals = Removals::default();
    let batch = i64::try_from(BATCH).map_err(Error::internal)?;
    loop {
        let mut query = indicators::matching(&wanted);
        if let Some(years) = filter.fiscal_year.some() {
            let reported = r::table
                .filter(r::indicator_id.eq(i::id))
                .filter(r::fiscal_year.eq_any(years));
            query = query.filter(p::fiscal_year.eq_any(years).or(exists(reported)));
        }
        narrow!(query, i::id, filter.indicator);
        if let Some(series) = &changed {
            query = query.filter(i::series_id.eq_any(series));
        }
        if let Some((_, id)) = after {
            query = query.filter(i::id.ge(id));
        }
        let subjects: Vec<Subject> = query
            .select(Subject::as_select())
            .order(i::id)
            .limit(batch)
            .load(conn)?;
        let last_batch = subjects.len() < BATCH;
        if subjects.is_empty() {
            return Ok(());
        }
        for mut judged in judge(conn, subjects, &filter.fiscal_year, on)? {
            let place = (judged.fiscal_year, judged.subject.indicator.id);
            if after.is_some_and(|(year, id)| (place.1, place.0) <= (id, year)) {
                continue;
            }
            after = Some(place);
            let removed = removals.last(conn, judged.subject.organization_id)?;
            judged.updated_at = removed.map_or(judged.updated_at, |removed| judged.updated_at.max(removed));
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

    fn admits(&self, judged: &Judged) -> bool {
        (self.outcome.some().is_none() && self.rating.some().is_none()) || self.admits_verdict(judged.verdict())
    }

    /// Whether evaluations with this verdict are asked for.
    pub(super) fn admits_verdict(&self, verdict: Verdict) -> bool {
        let outcome = self.outcome.some();
        let rating = self.rating.some();
        outcome.is_none_or(|outcomes| outcomes.contains(&verdict.outcome))
            && rating.is_none_or(|ratings| verdict.rating.is_some_and(|rating| ratings.contains(&rating)))
    }
}
