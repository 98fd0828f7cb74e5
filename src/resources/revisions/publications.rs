//! Publishing: what makes a policy public, and takes it back.

use std::collections::BTreeMap;

use actix_web::post;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::{
    IntoResponses, ToSchema,
    openapi::{RefOr, Response},
};
use utoipa_actix_web::service_config::ServiceConfig;

use super::{
    Draft, Revision, RevisionKind, add,
    diff::{RevisionDiff, compare},
    document, last, published_rows,
};
use crate::{
    auth::Permission,
    db::{
        Db, Tx,
        schema::{budgets, goals, indicators, policies as p, results, revisions, self_evaluations},
    },
    domain::target::Comparator,
    error::{Error, Result, Violation},
    http::{
        etag::Match,
        extract::{Json, Path},
        idempotency::Idempotent,
        query::Query,
        respond::{Answer, Created, Render, Rendered},
        validation::Rules,
    },
    query,
    resources::{
        policies::{self, Policy, PolicyStage},
        policy_trees::{PolicyTree, TreeIndicator, evaluated::check_read, store::Rows},
    },
    value::{Date, FiscalYear, Id, OrganizationKey, Prose, TextBox, language::Bilingual, today},
};

/// The route of publishing.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(publish_policy);
}

/// What to publish.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "kind": "plan", "reason": null, "published_on": "2024-04-01", "assumed": false }))]
pub struct PublicationInput {
    /// The plan, the results, a correction of what is public, or a withdrawal of it all.
    pub kind: RevisionKind,
    /// Why; required of a correction and of a withdrawal.
    pub reason: Option<Prose<1000>>,
    /// When it was published, not later than today; today by default.
    pub published_on: Option<Date>,
    /// Whether that day is assumed, since nobody noted it; no by default.
    pub assumed: Option<bool>,
}

impl Rules for PublicationInput {
    fn broken(&self) -> Vec<Violation> {
        let needed = matches!(self.kind, RevisionKind::Correction | RevisionKind::Withdrawal);
        let detail = Bilingual::new(
            "訂正と取下げには理由が必要です",
            "a correction or withdrawal needs a reason",
        );
        if needed && self.reason.is_none() {
            vec![Violation::at("/reason", "required", detail)]
        } else {
            vec![]
        }
    }
}

query! {
    /// Whether to publish.
    pub struct PublicationOptions {
        /// Publishes nothing: the answer (200) says which revision there would be and what would differ from the one before.
        /// What would be refused is refused, with the same errors.
        pub dry_run: bool,
    }
}

/// What a publication would make.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PublicationTrial {
    /// True: nothing was published.
    pub dry_run: bool,
    /// The number of the revision that there would be.
    #[schema(minimum = 1, maximum = 1_000_000, example = 2)]
    pub number: i32,
    /// Why it would be there.
    pub kind: RevisionKind,
    /// The reason, in words.
    pub reason: Option<Prose<1000>>,
    /// When it would be published.
    pub published_on: Date,
    /// Whether that day is assumed.
    pub assumed: bool,
    /// SHA-256 of its document, if it were published now.
    #[schema(min_length = 64, max_length = 64, pattern = "^[0-9a-f]{64}$")]
    pub sha256: String,
    /// What would differ from the revision before; null where it would be the first.
    pub diff: Option<RevisionDiff>,
}

/// What became of a publication: 201 with the revision, or 200 with the one that there would be.
#[derive(Debug, Clone)]
enum Published {
    Done(Created<Revision>),
    Tried(Box<Answer<PublicationTrial>>),
}

impl Render for Published {
    fn reply(&self) -> Result<Rendered> {
        match self {
            Self::Done(created) => created.reply(),
            Self::Tried(trial) => trial.reply(),
        }
    }
}

impl IntoResponses for Published {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let mut responses = Created::<Revision>::responses();
        responses.extend(Answer::<PublicationTrial>::responses());
        responses
    }
}

/// Publishes a policy, or takes it back.
///
/// `plan` makes the plan public, `results` the results with the self-evaluation and the future policy; 409 names everything
/// that is missing from what it would publish. `If-Match` says what was reviewed: the ETag of the policy's tree (that of the tree
/// with its evaluation only as of today), or of the policy alone, as the caller read it; or `*` for whatever is there. It is required, since whatever is published others may
/// edit until it is. `correction` makes the next revision without changing what is public: for an
/// erratum that needs none (changing what is public makes one by itself). `withdrawal` hides the policy; its revisions stay.
/// `dry_run=true` shows beforehand what would differ.
#[utoipa::path(tag = "revisions", security(("token" = ["publish"])), params(PublicationOptions, Match))]
#[post("/policies/{organization}/{fiscal_year}/publications")]
async fn publish_policy(
    db: Db,
    Query(PublicationOptions { dry_run }): Query<PublicationOptions>,
    Path((organization, year)): Path<(OrganizationKey, FiscalYear)>,
    read: Match,
    Json(input, _): Json<PublicationInput>,
) -> Result<Idempotent<Published>> {
    if input.published_on.is_some_and(|day| day.0 > today()) {
        let detail = Bilingual::new("未来の日付にはできません", "must not lie in the future");
        return Err(Error::Invalid(vec![Violation::at("/published_on", "future", detail)]));
    }
    let request = (input.clone(), dry_run);
    let work = move |tx: &mut Tx<'_>| {
        policies::permit_key(tx, Permission::Publish, &organization, year)?;
        let policy = policies::find(tx, &(organization, year))?;
        let at = format!("/v1/policies/{}/{}/revisions", policy.organization, policy.fiscal_year);
        let tree = Rows::of(tx, policy.id)?.tree(tx.today);
        if read.check(&policy).is_err() {
            check_read(tx, &read, &tree, policy.id, today())?;
        }
        let body = publish(tx, &policy, &tree, &input)?;
        if dry_run {
            return trial(tx, body).map(|trial| Published::Tried(Box::new(Answer(trial))));
        }
        Ok(Published::Done(Created {
            at: format!("{at}/{}", body.number),
            body,
        }))
    };
    if dry_run {
        db.try_once(&request, work).await
    } else {
        db.once(&request, work).await
    }
}

/// What a revision would be that was made on trial.
fn trial(tx: &mut Tx<'_>, made: Revision) -> Result<PublicationTrial> {
    let before = made.number - 1;
    let diff = (before > 0).then(|| compare(tx, made.policy_id, before, made.number));
    Ok(PublicationTrial {
        dry_run: true,
        number: made.number,
        kind: made.kind,
        reason: made.reason,
        published_on: made.published_on,
        assumed: made.assumed,
        sha256: made.sha256,
        diff: diff.transpose()?,
    })
}

/// Publishes a policy that has this tree, as the kind of publication says, and makes the revision that shows it.
pub fn publish(tx: &mut Tx<'_>, policy: &Policy, tree: &PolicyTree, input: &PublicationInput) -> Result<Revision> {
    use PolicyStage::{Draft as Drafted, Plan, Results, Withdrawn};
    let (id, stage) = (policy.id, policy.stage);
    let on = tx.today;
    let missing = match (input.kind, stage) {
        (RevisionKind::Plan, Drafted | Withdrawn) => missing_from_plan(tree),
        (RevisionKind::Results, Plan) => missing_from_results(tree),
        (RevisionKind::Correction | RevisionKind::Withdrawal, Plan | Results) => vec![],
        (_, stage) => vec![out_of_turn(stage)],
    };
    if !missing.is_empty() {
        return Err(Error::Conflict(missing));
    }
    let reason = input.reason.as_ref().map(|reason| reason.0.as_str());
    if let Some(reason) = reason {
        tx.set_reason(reason)?;
    }
    let number = last(tx, id)?.map_or(1, |last| last.number + 1);
    let published_on = input.published_on.unwrap_or(Date(on));
    // A withdrawal shows the policy as the public last saw it.
    let withdrawn = published_rows(tx, id)?;
    match input.kind {
        RevisionKind::Plan => {
            let plan = (p::stage.eq(Plan), p::plan_published_on.eq(Some(published_on)));
            diesel::update(p::table.find(id)).set(plan).execute(tx.conn)?;
            show_plan(tx, id, true)?;
        }
        RevisionKind::Results => {
            let results = (p::stage.eq(Results), p::results_published_on.eq(Some(published_on)));
            diesel::update(p::table.find(id)).set(results).execute(tx.conn)?;
            show_results(tx, id, true)?;
        }
        RevisionKind::Correction => {}
        RevisionKind::Withdrawal => {
            // Leaves first: nobody sees a part of a withdrawn policy.
            diesel::update(p::table.find(id))
                .set(p::stage.eq(Withdrawn))
                .execute(tx.conn)?;
            show_results(tx, id, false)?;
            show_plan(tx, id, false)?;
        }
    }
    let shown = published_rows(tx, id)?.or(withdrawn);
    let shown = shown.ok_or_else(|| Error::internal("nothing is public of what was published"))?;
    let draft = Draft {
        kind: input.kind,
        reason,
        published_on,
        assumed: input.assumed.unwrap_or_default(),
        document: document(shown, number, on)?,
    };
    let made = add(tx, id, number, &draft)?;
    Ok(Revision::query().filter(revisions::id.eq(made)).first(tx.conn)?)
}

/// Lets the rows of the plan follow their policy.
fn show_plan(tx: &mut Tx<'_>, policy: Id, public: bool) -> Result<()> {
    diesel::update(goals::table.filter(goals::policy_id.eq(policy)))
        .set(goals::public.eq(public))
        .execute(tx.conn)?;
    diesel::update(budgets::table.filter(budgets::policy_id.eq(policy)))
        .set(budgets::public.eq(public))
        .execute(tx.conn)?;
    diesel::update(indicators::table.filter(indicators::policy_id.eq(policy)))
        .set(indicators::public.eq(public))
        .execute(tx.conn)?;
    Ok(())
}

/// Lets the self-evaluation and the results follow their policy.
fn show_results(tx: &mut Tx<'_>, policy: Id, public: bool) -> Result<()> {
    diesel::update(self_evaluations::table.filter(self_evaluations::policy_id.eq(policy)))
        .set(self_evaluations::public.eq(public))
        .execute(tx.conn)?;
    diesel::update(results::table.filter(results::policy_id.eq(policy)))
        .set(results::public.eq(public))
        .execute(tx.conn)?;
    Ok(())
}

fn out_of_turn(stage: PolicyStage) -> Violation {
    let (ja, en) = match stage {
        PolicyStage::Draft | PolicyStage::Withdrawn => ("計画が公表されていません", "the plan is not published"),
        PolicyStage::Plan => ("計画はすでに公表されています", "the plan is published already"),
        PolicyStage::Results => ("実績はすでに公表されています", "the results are published already"),
    };
    Violation::at("/kind", "stage", Bilingual::new(ja, en))
}

/// What a plan lacks, by the pointers of the tree.
fn missing_from_plan(tree: &PolicyTree) -> Vec<Violation> {
    let mut missing = Vec::new();
    let empty = |texts: &Option<TextBox>| texts.as_ref().is_none_or(|texts| texts.0.is_empty());
    if tree.head_name.is_none() {
        missing.push(lacking(
            "/head_name",
            "所属長の氏名がありません",
            "has no name of its head",
        ));
    }
    if empty(&tree.vision) {
        missing.push(lacking("/vision", "目標がありません", "states no vision"));
    }
    if empty(&tree.mission) {
        missing.push(lacking("/mission", "使命がありません", "states no mission"));
    }
    if tree.goals.is_empty() {
        missing.push(lacking("/goals", "経営課題がありません", "has no goal"));
    }
    for (n, goal) in tree.goals.iter().enumerate() {
        if goal.indicators.is_empty() {
            missing.push(lacking(
                format!("/goals/{n}/indicators"),
                "指標がありません",
                "has no indicator",
            ));
        }
        for (m, indicator) in goal.indicators.iter().enumerate() {
            // 未定 may be published if the form says so.
            if indicator.target.comparator == Comparator::Undecided && indicator.target.text.is_none() {
                let at = format!("/goals/{n}/indicators/{m}/target");
                missing.push(lacking(at, "目標値がありません", "has no target"));
            }
        }
    }
    missing
}

/// What the results lack.
fn missing_from_results(tree: &PolicyTree) -> Vec<Violation> {
    let mut missing = Vec::new();
    let empty = |texts: &Option<TextBox>| texts.as_ref().is_none_or(|texts| texts.0.is_empty());
    if empty(&tree.self_evaluation) {
        missing.push(lacking(
            "/self_evaluation",
            "自己評価がありません",
            "has no self-evaluation",
        ));
    }
    if empty(&tree.future_policy) {
        missing.push(lacking(
            "/future_policy",
            "今後の方針がありません",
            "has no future policy",
        ));
    }
    for (n, goal) in tree.goals.iter().enumerate() {
        for (m, indicator) in goal.indicators.iter().enumerate() {
            if !is_answered(indicator, tree.fiscal_year) {
                let at = format!("/goals/{n}/indicators/{m}/results");
                missing.push(lacking(
                    at,
                    "この年度の実績も、値がない理由もありません",
                    "has neither a result for the fiscal year nor a reason for having none",
                ));
            }
        }
    }
    missing
}

fn is_answered(indicator: &TreeIndicator, year: FiscalYear) -> bool {
    indicator
        .results
        .iter()
        .any(|result| result.fiscal_year == year && result.is_stated())
}

fn lacking(at: impl Into<String>, ja: &str, en: &str) -> Violation {
    Violation::at(at, "missing", Bilingual::new(ja, en))
}
