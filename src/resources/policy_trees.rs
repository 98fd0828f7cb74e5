//! A policy with everything below it, in one body: read by one statement, replaced in one transaction.

use actix_web::{get, put};
use chrono::NaiveDate;
use diesel::PgConnection;
use utoipa_actix_web::service_config::ServiceConfig;

use super::policies::{check_path, find, permit_new, permitted};
use crate::{
    db::{Db, RevisionOf, Tx, Workload},
    error::Result,
    http::{
        as_of::AsOfParam,
        etag::{Condition, check_absent},
        extract::{Json, Path},
        idempotency::Idempotent,
        query::Query,
        respond::{Answer, Created, Stored},
    },
    value::{FiscalYear, OrganizationKey, today},
};

use evaluated::{TreeAddition, TreeAdditions, check_read, evaluated};
pub use result::TreeResult;
use store::{Rows, create, store};
pub use tree::{PolicyTree, TreeBudget, TreeGoal, TreeIndicator};

mod defaults;
pub mod evaluated;
mod result;
pub mod store;
mod tree;

/// The tree's routes.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(read_policy_tree).service(replace_policy_tree);
}

/// Reads a policy with everything below it.
///
/// With `with=evaluation`, one call draws a page. Its ETag changes with anything in it, with the evaluation also with the
/// day it is judged by. What was read can be changed and sent back by PUT; members that only an evaluation has are not looked
/// at then.
#[utoipa::path(tag = "policies", params(TreeAdditions, AsOfParam))]
#[get("/policies/{organization}/{fiscal_year}/tree")]
async fn read_policy_tree(
    db: Db,
    Path(key): Path<(OrganizationKey, FiscalYear)>,
    Query((additions, past)): Query<(TreeAdditions, AsOfParam)>,
) -> Result<Answer<PolicyTree>> {
    additions.check()?;
    let moment = past.of(RevisionOf::Policy(key.0.clone(), key.1));
    db.at(moment)
        .depends_on([&key.0])
        .workload(match additions.with {
            None => Workload::Point,
            Some(TreeAddition::Evaluation) => Workload::Query,
        })
        .read(move |conn| {
            let on = additions.on.or(conn.today);
            let rows = Rows::find(conn, &key)?;
            read(conn, rows, &additions, on).map(Answer)
        })
        .await
}

/// Replaces a policy with everything below it, or creates it all.
///
/// One transaction, which touches only what differs and removes what the body leaves out. Goals keep their ids by their
/// codes, budgets by fiscal year and kind, indicators by their ids, else by their names within the goal. A body that
/// repeats what is stored changes no version.
///
/// With the parameters of the GET, the answer is what that GET gives, and `If-Match` takes its ETag; without, `If-Match` takes the
/// ETag of the plain tree, or of the one with its evaluation as of today. A result that has a `version` and would change something
/// is refused (409, `version`) unless that is the stored version.
#[utoipa::path(tag = "policies", security(("token" = ["edit"])), params(TreeAdditions, Condition))]
#[put("/policies/{organization}/{fiscal_year}/tree")]
async fn replace_policy_tree(
    db: Db,
    Query(additions): Query<TreeAdditions>,
    Path(key): Path<(OrganizationKey, FiscalYear)>,
    condition: Condition,
    Json(tree, _): Json<PolicyTree>,
) -> Result<Idempotent<Stored<PolicyTree>>> {
    additions.check()?;
    let on = additions.on.or(today());
    let request = tree.clone();
    db.once(&request, move |tx| match condition {
        Condition::Replace(read) => {
            let policy = permitted(tx, &key)?;
            check_path(tx, &key, &tree.input())?;
            let id = policy.id;
            let rows = Rows::of(tx, id)?;
            check_read(tx, &read, &rows.clone().tree(on), id, on)?;
            store(tx, rows, &tree)?;
            reload(tx, &key, &additions).map(Stored::Replaced)
        }
        Condition::Create => {
            permit_new(tx, &tree.organization)?;
            check_path(tx, &key, &tree.input())?;
            check_absent(find(tx, &key))?;
            create(tx, &tree)?;
            let body = reload(tx, &key, &additions)?;
            let at = format!("/v1/policies/{}/{}/tree", body.organization, body.fiscal_year);
            Ok(Stored::Created(Created { at, body }))
        }
    })
    .await
}

/// The tree as it is read after the write: with the number of the revision that it makes.
fn reload(tx: &mut Tx<'_>, key: &(OrganizationKey, FiscalYear), additions: &TreeAdditions) -> Result<PolicyTree> {
    tx.run_hooks()?;
    let rows = Rows::find(tx, key)?;
    read(tx, rows, additions, additions.on.or(today()))
}

/// The tree of a policy with what it is to have beside, as of a day.
fn read(conn: &mut PgConnection, rows: Rows, additions: &TreeAdditions, on: NaiveDate) -> Result<PolicyTree> {
    let (id, tree) = (rows.policy().id, rows.tree(on));
    match additions.with {
        Some(TreeAddition::Evaluation) => evaluated(conn, tree, id, on),
        None => Ok(tree),
    }
}
