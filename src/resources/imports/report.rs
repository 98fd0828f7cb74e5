//! The report of an import: what was written, what stays, and what the targets come to.

use std::collections::HashSet;

use diesel::prelude::*;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{ImportFormat, merge::Unmentioned};
use crate::{
    db::{
        Tx,
        schema::{change_log, goals, indicators},
    },
    domain::{
        evaluation::outcome::{Outcome, Reason},
        form::{Confidence, Severity},
        kinds::Rating,
    },
    error::{Place, Result, Violation},
    http::query::Years,
    resources::{
        changes::{ChangeOp, ChangeType},
        evaluations::case::{Judged, Subject, judge},
        indicators::predecessors::{Candidates, Predecessor, Sought},
        policies::Policy,
        policy_trees::{PolicyTree, store::Rows},
    },
    value::{FiscalYear, GoalCode, Id, Line, Slug, language::Bilingual},
};

/// Changes a report names; the others are only counted.
const MOST_CHANGES: usize = 10_000;
/// Candidates a report names for one indicator.
const CANDIDATES: usize = 3;

/// What an import changed, or would change.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ImportReport {
    /// Whether it was a trial: nothing is stored then.
    pub dry_run: bool,
    /// What the file was read as.
    pub format: ImportFormat,
    /// Whether it is stored: not after a trial, and not where an error stands among the notes.
    pub stored: bool,
    /// The organization of the policy; null where the file does not tell.
    pub organization: Option<Slug>,
    /// The fiscal year of the policy; null where the file does not tell.
    pub fiscal_year: Option<FiscalYear>,
    /// How many things are new.
    #[schema(minimum = 0, maximum = 100_000)]
    pub created: usize,
    /// How many changed.
    #[schema(minimum = 0, maximum = 100_000)]
    pub changed: usize,
    /// What is new or changed, in the order in which it was stored, the first 10,000; empty where the same was there already.
    #[schema(max_items = 10_000)]
    pub changes: Vec<ImportChange>,
    /// What is stored of the policy and not in the file: it stays. An import takes nothing away; nor does a null in place of
    /// a name, a day, a source or a text box of the policy or of a goal.
    #[schema(max_items = 100_000)]
    pub left: Vec<ImportLeft>,
    /// What each indicator's target comes to now: of a policy for its fiscal year, of a table of results for the years of its
    /// rows, the first 1,000 of them.
    #[schema(max_items = 20_000)]
    pub evaluations: Vec<ImportEvaluation>,
    /// New indicators that may continue one of last year's. Nothing is linked: a person confirms by PATCH
    /// /v1/indicators/{id} with the candidate's `series_id`.
    #[schema(max_items = 20_000)]
    pub links: Vec<ImportLink>,
    /// What should be known about the file: nothing is stored while an error is among them.
    #[schema(max_items = 20_000)]
    pub notes: Vec<ImportNote>,
    /// Where in a form each field was read, and how sure that is; empty for a file that names its fields itself.
    #[schema(max_items = 100_000)]
    pub fields: Vec<ImportField>,
    /// The policy as it is after the import, or would be; null where an error stands among the notes. `revision` is null in
    /// it: the one that follows from a public change is made last.
    pub tree: Option<PolicyTree>,
}

/// Something that should be known about a file.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ImportNote {
    /// How serious it is.
    pub severity: Severity,
    /// What it is about, for programs: `result_count`, `target_unreadable` …
    #[schema(max_length = 100, example = "target_unreadable")]
    pub code: String,
    /// The worksheet of a workbook; null in other files, and where it is about the whole of one.
    #[schema(max_length = 31, example = "実績")]
    pub sheet: Option<String>,
    /// The line of the file, or the row of the table, from 1; null where it is about no line.
    #[schema(minimum = 1, maximum = 100_000_000)]
    pub line: Option<u32>,
    /// The column of that line, in characters, from 1; null where it is not known.
    #[schema(minimum = 1, maximum = 100_000_000)]
    pub column: Option<u32>,
    /// Where in the policy (JSON pointer); null where it is nowhere in it.
    #[schema(max_length = 1000, example = "/goals/0/title")]
    pub pointer: Option<String>,
    /// What is the matter.
    pub detail: Bilingual,
}

/// A field of a form, and where it was read.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ImportField {
    /// Where in `tree` (JSON pointer).
    #[schema(max_length = 1000, example = "/goals/0/title")]
    pub pointer: String,
    /// The line of the file it begins on, from 1.
    #[schema(minimum = 1, maximum = 100_000_000)]
    pub line: u32,
    /// How sure the reading is.
    pub confidence: Confidence,
}

/// One thing that an import created or changed.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ImportChange {
    /// What was done.
    pub op: ChangeOp,
    /// To what.
    pub r#type: ChangeType,
    /// Identifier of the thing; what a trial created has another one when it is really stored, unless the file names it.
    pub id: Id,
    /// What people call the thing, as in the feed of changes.
    #[schema(value_type = Object)]
    pub key: Value,
    /// The columns that changed, of a thing that was there before.
    #[schema(max_items = 100, max_length = 100, example = json!(["name"]))]
    pub fields: Vec<String>,
}

/// One thing that is stored and not in the file.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ImportLeft {
    /// What it is.
    pub r#type: ChangeType,
    /// Code of its goal.
    pub goal_code: GoalCode,
    /// Name of the indicator; null for a goal or a budget.
    pub indicator: Option<Line<500>>,
    /// Fiscal year of the budget or the result; null for a goal or an indicator.
    pub fiscal_year: Option<FiscalYear>,
}

/// What an indicator's target comes to.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ImportEvaluation {
    /// The indicator.
    pub indicator_id: Id,
    /// Code of its goal.
    pub goal_code: GoalCode,
    /// Its name.
    pub name: Line<500>,
    /// What became of the target.
    pub outcome: Outcome,
    /// Why, where the outcome does not say it; one of the code list `reason`.
    pub reason: Option<Reason>,
    /// The official rating: `A`, `B` or null.
    pub rating: Option<Rating>,
    /// The answer in whole sentences.
    pub explanation: Bilingual,
}

/// A new indicator, and what it may continue.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ImportLink {
    /// The indicator.
    pub indicator_id: Id,
    /// Its name.
    pub name: Line<500>,
    /// The likeliest of last year's indicators, the best first.
    #[schema(max_items = 3)]
    pub candidates: Vec<Predecessor>,
}

impl ImportReport {
    /// The report on a file that was not stored: the notes say why.
    pub(super) fn refused(format: ImportFormat, dry_run: bool, notes: Vec<ImportNote>) -> Self {
        Self {
            dry_run,
            format,
            stored: false,
            organization: None,
            fiscal_year: None,
            created: 0,
            changed: 0,
            changes: vec![],
            left: vec![],
            evaluations: vec![],
            links: vec![],
            notes,
            fields: vec![],
            tree: None,
        }
    }

    /// The report on what was written since this write began.
    pub(super) fn stored(tx: &mut Tx<'_>, format: ImportFormat, dry_run: bool) -> Result<Self> {
        let mut changes = changes(tx)?;
        let created = changes.iter().filter(|change| change.op == ChangeOp::Create).count();
        let all = changes.len();
        changes.truncate(MOST_CHANGES);
        Ok(Self {
            stored: !dry_run,
            created,
            changed: all - created,
            changes,
            ..Self::refused(format, dry_run, vec![])
        })
    }

    /// The report on a policy that was written.
    pub(super) fn written(
        tx: &mut Tx<'_>,
        format: ImportFormat,
        dry_run: bool,
        policy: &Policy,
        left: Vec<Unmentioned>,
    ) -> Result<Self> {
        let report = Self::stored(tx, format, dry_run)?;
        let created = report.changes.iter().filter(|change| change.op == ChangeOp::Create);
        let new: Vec<Id> = created.map(|change| change.id).collect();
        let judged = evaluations(tx, policy)?;
        let today = tx.today;
        Ok(Self {
            organization: Some(policy.organization.clone()),
            fiscal_year: Some(policy.fiscal_year),
            left: left.into_iter().map(ImportLeft::from).collect(),
            links: links(tx, &judged, &new)?,
            evaluations: judged.iter().map(ImportEvaluation::of).collect(),
            tree: Some(PolicyTree {
                revision: None,
                ..Rows::of(tx, policy.id)?.tree(today)
            }),
            ..report
        })
    }
}

impl ImportNote {
    /// A broken rule as an error, at the line of the nearest field that is known.
    pub(super) fn of(violation: &Violation, fields: &[ImportField]) -> Self {
        let pointer = match &violation.place {
            Place::Body(pointer) => Some(pointer.clone()),
            Place::Parameter(_) | Place::Header(_) => None,
        };
        let within = |field: &&ImportField| {
            pointer
                .as_ref()
                .is_some_and(|pointer| pointer.starts_with(&field.pointer))
        };
        let nearest = fields.iter().filter(within).max_by_key(|field| field.pointer.len());
        Self {
            severity: Severity::Error,
            code: violation.code.to_owned(),
            sheet: None,
            line: nearest.map(|field| field.line),
            column: None,
            pointer: pointer.filter(|pointer| !pointer.is_empty()),
            detail: violation.detail.clone(),
        }
    }
}

/// What was written since this write began, without the revisions that follow from it.
fn changes(tx: &mut Tx<'_>) -> Result<Vec<ImportChange>> {
    let rows: Vec<(ChangeOp, ChangeType, Id, Value, Vec<String>)> = change_log::table
        .filter(change_log::seq.gt(tx.before))
        .filter(change_log::type_.ne(ChangeType::Revision))
        .order(change_log::seq)
        .select((
            change_log::op,
            change_log::type_,
            change_log::row_id,
            change_log::key,
            change_log::fields,
        ))
        .load(tx.conn)?;
    let changes = rows.into_iter().map(|(op, r#type, id, key, fields)| ImportChange {
        op,
        r#type,
        id,
        key,
        fields,
    });
    Ok(changes.collect())
}

/// The evaluations of a policy's indicators, in the order of the form.
fn evaluations(tx: &mut Tx<'_>, policy: &Policy) -> Result<Vec<Judged>> {
    let subjects = Subject::query()
        .filter(goals::policy_id.eq(policy.id))
        .order((indicators::position, indicators::id))
        .load(tx.conn)?;
    let on = tx.today;
    let mut judged = judge(subjects, &Years(vec![policy.fiscal_year]), on);
    judged.sort_by_key(|judged| {
        let indicator = &judged.subject.indicator;
        (indicator.goal_code.clone(), indicator.position, indicator.id)
    });
    Ok(judged)
}

/// What the new indicators may continue, if they are in a series of their own.
fn links(tx: &mut Tx<'_>, judged: &[Judged], new: &[Id]) -> Result<Vec<ImportLink>> {
    let new: HashSet<Id> = new.iter().copied().collect();
    let mut subjects = judged
        .iter()
        .map(|judged| &judged.subject)
        .filter(|subject| new.contains(&subject.indicator.id))
        .peekable();
    // All indicators are of one policy.
    let Some(first) = subjects.peek() else {
        return Ok(vec![]);
    };
    let known = Candidates::load(tx, first.organization_id, first.indicator.policy_year)?;
    let traits = known.traits();
    let mut links = Vec::new();
    for subject in subjects {
        let indicator = &subject.indicator;
        let target = indicator.target.clone().into();
        let sought = Sought {
            id: Some(indicator.id),
            series_id: Some(indicator.series_id),
            name: &indicator.name.0,
            unit: indicator.unit.as_ref().map(|unit| unit.0.as_str()),
            population: indicator.population.as_ref().map(|it| it.0.as_str()),
            kind: indicator.kind,
            target: &target,
        };
        let mut candidates = known.of(&traits, &sought);
        if candidates.is_empty() || candidates.iter().any(|candidate| candidate.linked) {
            continue;
        }
        candidates.truncate(CANDIDATES);
        links.push(ImportLink {
            indicator_id: indicator.id,
            name: indicator.name.clone(),
            candidates,
        });
    }
    Ok(links)
}

impl ImportEvaluation {
    pub(super) fn of(judged: &Judged) -> Self {
        let (indicator, evaluation) = (&judged.subject.indicator, judged.evaluation());
        Self {
            indicator_id: indicator.id,
            goal_code: indicator.goal_code.clone(),
            name: indicator.name.clone(),
            outcome: evaluation.outcome,
            reason: evaluation.reason,
            rating: evaluation.rating,
            explanation: evaluation.explanation,
        }
    }
}

impl From<Unmentioned> for ImportLeft {
    fn from(left: Unmentioned) -> Self {
        Self {
            r#type: left.kind,
            goal_code: left.goal,
            indicator: left.indicator,
            fiscal_year: left.fiscal_year,
        }
    }
}
