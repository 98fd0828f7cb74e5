//! Imports: files that become data, with a report of what they change.

use actix_web::post;
use diesel::prelude::*;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{
    changes::{ChangeOp, ChangeType},
    evaluations::case::{Judged, Subject, judge},
    indicators::predecessors::{Predecessor, Sought, predecessors},
    policies::{
        self, Policy,
        tree::{PolicyTree, store, store::Rows},
    },
};
use crate::{
    contract,
    db::{Db, Tx},
    domain::{
        kinds::Rating,
        outcome::{Outcome, Reason},
    },
    error::{Error, Result, Violation, found},
    extract::{Answer, Upload, UploadKind, not_json},
    idempotency::Once,
    json,
    language::Bilingual,
    query,
    query::{Query, Years},
    schema::{change_log, goals, indicators},
    text_enum,
    value::{FiscalYear, GoalCode, Id, Line, Slug, hex},
};

mod overlay;

use overlay::{Left, lay_over};

/// Candidates a report names for one indicator.
const CANDIDATES: usize = 3;

/// The route of imports.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(import_file);
}

text_enum! {
    /// What a file to import is.
    pub enum ImportFormat in "import_format" {
        /// A policy with everything below it, as `/v1/policies/{organization}/{fiscal_year}/tree` gives it.
        Json = "json" ("運営方針（JSON）", "policy (JSON)"),
    }
}

impl UploadKind for ImportFormat {
    const TYPES: &'static [(&'static str, Self)] = &[("application/json", Self::Json)];
    const NAMES: &'static str = "application/json";
}

query! {
    /// How to import.
    pub struct ImportOptions {
        /// Whether to try only: everything is done as it would be, reported, and undone.
        pub dry_run: bool,
    }
}

/// What a file says.
#[derive(Debug)]
pub enum Said {
    /// A whole policy.
    Policy(Box<PolicyTree>),
}

/// What an import changed, or would change.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportReport {
    /// Whether it was a trial: nothing is stored then.
    pub dry_run: bool,
    /// What the file was read as.
    pub format: ImportFormat,
    /// The organization of the policy.
    pub organization: Slug,
    /// The fiscal year of the policy.
    pub fiscal_year: FiscalYear,
    /// How many things are new.
    #[schema(minimum = 0, maximum = 100_000)]
    pub created: usize,
    /// How many changed.
    #[schema(minimum = 0, maximum = 100_000)]
    pub changed: usize,
    /// What is new or changed, in the order in which it was stored; empty where the same was there already.
    #[schema(max_items = 100_000)]
    pub changes: Vec<ImportChange>,
    /// What is stored of the policy and not in the file: it stays. An import takes nothing away; nor does a null in place of
    /// a name, a day, a source or a text box of the policy or of a goal.
    #[schema(max_items = 100_000)]
    pub left: Vec<ImportLeft>,
    /// What each indicator's target comes to now, by the fiscal year of the policy.
    #[schema(max_items = 20_000)]
    pub evaluations: Vec<ImportEvaluation>,
    /// New indicators that may continue one of last year's. Nothing is linked: a person confirms by PATCH
    /// /v1/indicators/{id} with the candidate's `series_id`.
    #[schema(max_items = 20_000)]
    pub links: Vec<ImportLink>,
}

/// One thing that an import created or changed.
#[derive(Debug, Serialize, ToSchema)]
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
#[derive(Debug, Serialize, ToSchema)]
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
#[derive(Debug, Serialize, ToSchema)]
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
    #[schema(value_type = Option<String>, max_length = 40, example = "not_yet_due")]
    pub reason: Option<Reason>,
    /// The official rating: `A`, `B` or null.
    #[schema(value_type = Option<String>, max_length = 1, example = "A")]
    pub rating: Option<Rating>,
    /// The answer in whole sentences.
    pub explanation: Bilingual,
}

/// A new indicator, and what it may continue.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportLink {
    /// The indicator.
    pub indicator_id: Id,
    /// Its name.
    pub name: Line<500>,
    /// The likeliest of last year's indicators, the best first.
    #[schema(max_items = 3)]
    pub candidates: Vec<Predecessor>,
}

/// Imports a file.
///
/// A policy with everything below it (application/json), as its tree is read: what differs from what is stored is written,
/// what the file leaves out stays, and the report says both. Into a policy that is not there it is stored as a draft, with
/// the identifiers the file names, so that a policy moves from one installation to another as it is. The same file again
/// changes nothing. With `dry_run=true` everything is done, reported and undone. Refused whole, or stored whole: 422 names
/// every broken rule, 409 what contradicts what is stored. What is public changes with a reason (`Change-Reason`).
#[utoipa::path(tag = "imports", security(("token" = ["edit"])), params(ImportOptions), request_body(content = PolicyTree, content_type = "application/json"))]
#[post("/imports")]
async fn import_file(
    db: Db,
    Query(options): Query<ImportOptions>,
    upload: Upload<ImportFormat>,
) -> Result<Once<Answer<ImportReport>>> {
    let (format, dry_run) = (upload.kind, options.dry_run);
    let request = (format, dry_run, hex(&Sha256::digest(&upload.bytes)));
    let said = db.aside(move || read(format, &upload.bytes)).await?;
    db.once(&request, move |tx| import(tx, &said, dry_run).map(Answer))
        .await
}

/// Reads a file.
pub fn read(format: ImportFormat, bytes: &[u8]) -> Result<Said> {
    match format {
        ImportFormat::Json => {
            let document = json::read(bytes).map_err(|e| not_json(&e))?;
            contract::read(document).map(|tree| Said::Policy(Box::new(tree)))
        }
    }
}

/// Stores what a file says, or tries only.
pub fn import(tx: &mut Tx<'_>, said: &Said, dry_run: bool) -> Result<ImportReport> {
    let Said::Policy(tree) = said;
    if dry_run {
        tx.on_trial(|tx| import_policy(tx, tree, dry_run))
    } else {
        import_policy(tx, tree, dry_run)
    }
}

fn import_policy(tx: &mut Tx<'_>, said: &PolicyTree, dry_run: bool) -> Result<ImportReport> {
    let key = (said.organization.clone(), said.fiscal_year);
    let left = if let Some(policy) = found(policies::permitted(tx, &key))? {
        let rows = Rows::load(tx, policy)?;
        let mut tree = said.clone();
        let left = lay_over(&mut tree, rows.clone().tree(tx.today));
        store::store(tx, rows, &tree)?;
        left
    } else {
        policies::permit_new(tx, &said.input())?;
        store::restore(tx, said).map_err(taken)?;
        vec![]
    };
    let policy = policies::find(tx, &key)?;
    let changes = changes(tx)?;
    let created = changes.iter().filter(|change| change.op == ChangeOp::Create);
    let new: Vec<Id> = created.clone().map(|change| change.id).collect();
    let created = created.count();
    let judged = evaluations(tx, &policy)?;
    Ok(ImportReport {
        dry_run,
        format: ImportFormat::Json,
        organization: policy.organization,
        fiscal_year: policy.fiscal_year,
        created,
        changed: changes.len() - created,
        left: left.into_iter().map(ImportLeft::from).collect(),
        links: links(tx, &judged, &new)?,
        evaluations: judged.iter().map(ImportEvaluation::of).collect(),
        changes,
    })
}

/// An identifier is of one thing, wherever that is.
fn taken(e: Error) -> Error {
    let detail = Bilingual::new(
        "ファイルの識別子（id）のいずれかは、別のものに使われています",
        "an identifier in the file is that of something else that is stored",
    );
    match e {
        Error::PreconditionFailed => Error::Conflict(vec![Violation::at("", "identity", detail)]),
        e => e,
    }
}

/// What was written since this write began, but for the revisions that follow from it.
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

/// What each indicator of a policy comes to, in the order of the form.
fn evaluations(tx: &mut Tx<'_>, policy: &Policy) -> Result<Vec<Judged>> {
    let subjects = Subject::query()
        .filter(goals::policy_id.eq(policy.id))
        .order((indicators::position, indicators::id))
        .load(tx.conn)?;
    let on = tx.today;
    let mut judged = judge(tx, subjects, &Years(vec![policy.fiscal_year]), on)?;
    judged.sort_by_key(|judged| {
        let indicator = &judged.subject.indicator;
        (indicator.goal_code.clone(), indicator.position, indicator.id)
    });
    Ok(judged)
}

/// What those of the indicators that are new, and in a series of their own, may continue.
fn links(tx: &mut Tx<'_>, judged: &[Judged], new: &[Id]) -> Result<Vec<ImportLink>> {
    let mut links = Vec::new();
    for subject in judged.iter().map(|judged| &judged.subject) {
        let indicator = &subject.indicator;
        if !new.contains(&indicator.id) {
            continue;
        }
        let target = indicator.target.clone().into();
        let sought = Sought {
            organization_id: subject.organization_id,
            fiscal_year: indicator.policy_year,
            id: Some(indicator.id),
            series_id: Some(indicator.series_id),
            name: &indicator.name.0,
            unit: indicator.unit.as_ref().map(|unit| unit.0.as_str()),
            population: indicator.population.as_ref().map(|it| it.0.as_str()),
            kind: indicator.kind,
            target: &target,
        };
        let mut candidates = predecessors(tx, &sought)?;
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
    fn of(judged: &Judged) -> Self {
        let indicator = &judged.subject.indicator;
        Self {
            indicator_id: indicator.id,
            goal_code: indicator.goal_code.clone(),
            name: indicator.name.clone(),
            outcome: judged.evaluation.outcome,
            reason: judged.evaluation.reason,
            rating: judged.evaluation.rating,
            explanation: judged.evaluation.explanation.clone(),
        }
    }
}

impl From<Left> for ImportLeft {
    fn from(left: Left) -> Self {
        Self {
            r#type: left.kind,
            goal_code: left.goal,
            indicator: left.indicator,
            fiscal_year: left.fiscal_year,
        }
    }
}
