//! Results as their export shows them: only the columns that a row needs are read.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use chrono::NaiveDate;
use diesel::prelude::*;

use super::{
    BATCH, LICENSE, Title,
    rows::{Source, cells},
};
use crate::{
    db::{
        Read,
        schema::{goals as g, indicators as i, organizations as o, policies as p, results as r},
    },
    error::{Error, Result},
    http::{as_of::Since, pagination::Limited},
    resources::{
        evaluations::{
            case::Judged,
            record::{self, OtherResults, OwnPrevious, Recorded},
        },
        results::{self, ResultFilter, stored::Columns},
    },
    sheet::write::Cell,
    value::{Date, Decimal, FiscalYear, GoalCode, Id, Line, Slug},
};

/// A result, or an indicator that has none yet.
pub(super) struct ResultRow {
    policy: Arc<Policy>,
    goal: Arc<(GoalCode, Title)>,
    of: Arc<ResultSubject>,
    fiscal_year: FiscalYear,
    stored: Option<Columns>,
    recorded_previous: Option<Decimal>,
    /// The version of the stored result; 0 where there is none.
    version: i64,
}

/// The policy that a result stands in.
#[derive(HasQuery)]
#[diesel(table_name = p, base_query = p::table.inner_join(o::table))]
struct Policy {
    id: Id,
    #[diesel(select_expression = o::slug)]
    organization: Slug,
    fiscal_year: FiscalYear,
    results_due_on: Date,
}

/// The indicator of a result.
#[derive(Queryable, Selectable)]
#[diesel(table_name = i)]
struct ResultSubject {
    #[diesel(column_name = id)]
    indicator: Id,
    #[diesel(column_name = goal_id)]
    goal: Id,
    name: Line<500>,
    unit: Option<Line<20>>,
    decimals: i32,
    target_text: Option<Line<500>>,
}

/// A result as stored, with the policy and indicator to look up.
#[derive(Queryable, Selectable)]
#[diesel(table_name = r)]
struct ExportedResult {
    id: Id,
    policy_id: Id,
    indicator_id: Id,
    version: i64,
    /// The value of its indicator in the year before.
    #[diesel(select_expression = OwnPrevious::VALUE, select_expression_type = OwnPrevious)]
    own_previous: Option<Decimal>,
    #[diesel(embed)]
    columns: Columns,
}

/// The next rows after one, with the id of the last; none if there are no more.
pub(super) fn read(
    conn: &mut Read<'_>,
    filter: &ResultFilter,
    since: &Since,
    after: Option<Id>,
) -> Result<Option<(Id, Vec<ResultRow>)>> {
    let query = results::lean(filter, since).select(ExportedResult::as_select());
    let query = match after {
        Some(id) => query.filter(r::id.gt(id)),
        None => query,
    };
    let stretch: Vec<ExportedResult> = Limited::to(BATCH, query.order(r::id)).load(conn.conn)?;
    let Some(last) = stretch.last().map(|row| row.id) else {
        return Ok(None);
    };
    // Many results are of few indicators, goals and policies, looked up once each.
    let indicators: HashSet<Id> = stretch.iter().map(|row| row.indicator_id).collect();
    let indicators: Vec<(ResultSubject, Vec<Recorded>)> = i::table
        .inner_join(p::table.on(p::id.eq(i::policy_id)))
        .filter(i::id.eq_any(indicators))
        .select((ResultSubject::as_select(), OtherResults::VALUE))
        .load(conn.conn)?;
    let indicators: HashMap<Id, (Arc<_>, _)> = (indicators.into_iter())
        .map(|(of, others)| (of.indicator, (of.into(), others)))
        .collect();
    let goals: HashSet<Id> = indicators.values().map(|(of, _)| of.goal).collect();
    let goals = g::table
        .filter(g::id.eq_any(goals))
        .select((g::id, (g::code, g::title)));
    let goals: Vec<(Id, (GoalCode, Title))> = goals.load(conn.conn)?;
    let goals: HashMap<Id, Arc<_>> = goals.into_iter().map(|(id, goal)| (id, goal.into())).collect();
    let policies: HashSet<Id> = stretch.iter().map(|row| row.policy_id).collect();
    let policies: Vec<Policy> = Policy::query().filter(p::id.eq_any(policies)).load(conn.conn)?;
    let policies: HashMap<Id, Arc<Policy>> = policies.into_iter().map(|policy| (policy.id, policy.into())).collect();
    let row = |row: ExportedResult| {
        let of = indicators.get(&row.indicator_id);
        let goal = of.and_then(|(of, _)| goals.get(&of.goal));
        let (Some(policy), Some((of, others)), Some(goal)) = (policies.get(&row.policy_id), of, goal) else {
            return Err(Error::internal("a result without its policy, indicator or goal"));
        };
        let others = || record::before(others, of.indicator, row.columns.fiscal_year());
        Ok(ResultRow {
            policy: Arc::clone(policy),
            goal: Arc::clone(goal),
            of: Arc::clone(of),
            fiscal_year: row.columns.fiscal_year(),
            recorded_previous: row.own_previous.or_else(others),
            stored: Some(row.columns),
            version: row.version,
        })
    };
    let rows = stretch.into_iter().map(row).collect::<Result<_>>()?;
    Ok(Some((last, rows)))
}

impl ResultRow {
    /// The row of an indicator in a fiscal year, whose stored result has this version.
    pub(super) fn of(judged: &Judged, version: i64) -> Self {
        let (subject, indicator) = (&judged.subject, &judged.subject.indicator);
        Self {
            policy: Arc::new(Policy {
                id: subject.policy_id,
                organization: indicator.organization.clone(),
                fiscal_year: indicator.policy_year,
                results_due_on: subject.due_on,
            }),
            goal: Arc::new((indicator.goal_code.clone(), subject.goal_title.clone())),
            of: Arc::new(ResultSubject {
                indicator: indicator.id,
                goal: indicator.goal_id,
                name: indicator.name.clone(),
                unit: indicator.unit.clone(),
                decimals: indicator.decimals,
                target_text: judged.target.text.clone(),
            }),
            fiscal_year: judged.fiscal_year,
            stored: judged.result.clone(),
            recorded_previous: judged.recorded_previous,
            version,
        }
    }

    /// Its cells, in the order of [`super::tables::RESULTS`], as of a day.
    pub(super) fn cells(self, on: NaiveDate, source: &Source) -> Vec<Cell> {
        let Self { of, policy, goal, .. } = self;
        let origin = source.of(&policy.organization, policy.fiscal_year);
        let measure = |value| Cell::measure(value, of.decimals);
        let mut cells = cells![
            origin.name,
            policy.organization.clone(),
            policy.fiscal_year,
            goal.0.clone(),
            goal.1.clone(),
            of.name.clone(),
            of.unit.clone(),
            of.target_text.clone(),
            self.fiscal_year,
            measure(self.recorded_previous),
        ];
        match self
            .stored
            .map(|stored| stored.input(policy.fiscal_year, policy.results_due_on, on))
        {
            None => cells.extend(vec![Cell::Empty; 13]),
            Some(result) => cells.extend(cells![
                measure(result.value),
                measure(result.cumulative_value),
                result.value_status,
                result.text,
                result.declared_rating,
                result.comment,
                result.numerator,
                result.denominator,
                result.sample_size,
                result.observation_status,
                measure(result.stated_previous_value),
                result.stated_previous_text,
                result.measured_on,
            ]),
        }
        cells.extend(cells![
            of.decimals,
            origin.name_en,
            origin.source,
            LICENSE.to_owned(),
            of.indicator,
            self.version,
        ]);
        cells
    }
}
