//! Results: what an indicator came to in a fiscal year.

use actix_web::{delete, get, patch, put};
use diesel::{PgConnection, prelude::*};
use serde_json::json;
use utoipa_actix_web::service_config::ServiceConfig;

use super::indicators as parent;
use crate::{
    auth::Permission,
    db::{
        Db, Read, RevisionOf, Tx, Workload, find_by_id,
        schema::{goals as g, indicators as i, policies as p, results},
    },
    error::{Error, Result},
    http::{
        as_of::{AsOfParam, Since, only},
        conditional_writes::ConditionalWrite,
        etag::{Condition, Match, check_absent},
        extract::{Json, Patch, PatchOf, Path},
        idempotency::Idempotent,
        pagination::{Page, Paging},
        query::{AnyOf, Query},
        respond::{Answer, Created, Item, NoContent, Stored},
    },
    keyset, text_enum,
    value::{FiscalYear, Id, Time, today},
};

pub mod bulk;
mod columns;
pub mod defaults;
pub mod filter;
pub mod stored;

use filter::matching;

pub use columns::{IndicatorResult, ResultInput, put, update};
pub use filter::{ResultFilter, lean};
pub use stored::StoredResult;

/// Routes under `/results` and `/indicators/{id}/results`.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list_results)
        .service(list_indicator_results)
        .service(read_result)
        .service(replace_result)
        .service(patch_result)
        .service(remove_result)
        .configure(bulk::routes);
}

text_enum! {
    /// How results are ordered.
    pub enum ResultSort in "result_sort" {
        /// Latest fiscal year first.
        Latest = "-fiscal_year" ("年度の新しい順", "latest fiscal year first"),
        /// Earliest fiscal year first.
        Earliest = "fiscal_year" ("年度の古い順", "earliest fiscal year first"),
        /// Most recently changed first.
        UpdatedAt = "-updated_at" ("更新の新しい順", "latest change first"),
    }
}

/// Some results.
pub type IndicatorResultPage = Page<IndicatorResult>;

/// A merge patch of a result.
pub type ResultPatch = PatchOf<ResultInput>;

/// Lists results, across everything.
///
/// `policy_year` is the fiscal year of the policy, `fiscal_year` that of the result itself. Latest first.
#[utoipa::path(tag = "results", params(ResultFilter, AsOfParam, Since, Paging<ResultSort>))]
#[get("/results")]
async fn list_results(
    db: Db,
    Query((filter, past, since, paging)): Query<(ResultFilter, AsOfParam, Since, Paging<ResultSort>)>,
) -> Result<IndicatorResultPage> {
    let moment = past.of_any(only(&filter.organization, &filter.policy_year))?;
    db.at(moment)
        .page(&paging)
        .depends_on(&filter.organization.0)
        .read(move |conn| list(conn, &filter, &since, &paging))
        .await
}

/// Lists the results of an indicator.
///
/// Most indicators have one, for the fiscal year of their policy.
#[utoipa::path(tag = "results", params(AsOfParam, Paging<ResultSort>))]
#[get("/indicators/{id}/results")]
async fn list_indicator_results(
    db: Db,
    Path(id): Path<Id>,
    Query((past, paging)): Query<(AsOfParam, Paging<ResultSort>)>,
) -> Result<IndicatorResultPage> {
    let moment = past.of(RevisionOf::Row("indicator", id));
    db.at(moment)
        .read(move |conn| {
            find_by_id::<parent::Indicator>(conn.conn, id)?;
            let filter = ResultFilter {
                indicator: AnyOf(vec![id]),
                ..ResultFilter::default()
            };
            list(conn, &filter, &Since::default(), &paging)
        })
        .await
}

/// Reads the result of an indicator in a fiscal year.
///
/// 404 where nothing was recorded; what that means on a given day says the indicator's evaluation.
#[utoipa::path(tag = "results", params(AsOfParam))]
#[get("/indicators/{id}/results/{fiscal_year}")]
async fn read_result(
    db: Db,
    Path(key): Path<(Id, FiscalYear)>,
    Query(past): Query<AsOfParam>,
) -> Result<Item<IndicatorResult>> {
    let moment = past.of(RevisionOf::Row("indicator", key.0));
    let db = db.at(moment).workload(Workload::Point);
    let result = db.read(move |conn| Ok(find(conn, key)?.view(conn.today))).await?;
    db.depends_on_slug(&result.organization);
    Ok(Item(result))
}

/// Replaces the result of an indicator in a fiscal year, or creates it.
///
/// With `If-Match` it replaces what was read; with `If-None-Match: *` it creates and nothing else. The body must be about the
/// fiscal year of the path; a PATCH moves.
#[utoipa::path(tag = "results", security(("token" = ["edit"])), params(Condition))]
#[put("/indicators/{id}/results/{fiscal_year}")]
async fn replace_result(
    row: ConditionalWrite<(Id, FiscalYear), Condition>,
    body: Json<ResultInput>,
) -> Result<Idempotent<Stored<IndicatorResult>>> {
    row.replace_or_create(body, permitted, change, |tx, key, input| {
        parent::permit(tx, key.0)?;
        check_absent(find(tx, *key))?;
        put(tx, &[(key.0, input)])?;
        Ok(Created {
            at: format!("/v1/indicators/{}/results/{}", key.0, key.1),
            body: find(tx, *key)?.view(today()),
        })
    })
    .await
}

/// Changes parts of the result of an indicator in a fiscal year.
///
/// A JSON Merge Patch. A value that comes in needs `value_status` to say `reported`; another `fiscal_year` moves the result.
#[utoipa::path(tag = "results", security(("token" = ["edit"])), params(Match), request_body(content = ResultPatch, content_type = "application/merge-patch+json"))]
#[patch("/indicators/{id}/results/{fiscal_year}")]
async fn patch_result(
    row: ConditionalWrite<(Id, FiscalYear), Match>,
    patch: Patch,
) -> Result<Idempotent<Answer<IndicatorResult>>> {
    row.patch(patch, permitted, change).await
}

/// Removes the result of an indicator in a fiscal year.
///
/// To say why there is no value, change `value_status` instead.
#[utoipa::path(tag = "results", security(("token" = ["edit"])), params(Match))]
#[delete("/indicators/{id}/results/{fiscal_year}")]
async fn remove_result(row: ConditionalWrite<(Id, FiscalYear), Match>) -> Result<Idempotent<NoContent>> {
    row.remove(permitted, |tx, stored| {
        diesel::delete(results::table.find(stored.id)).execute(tx.conn)?;
        Ok(())
    })
    .await
}

fn list(
    conn: &mut Read<'_>,
    filter: &ResultFilter,
    since: &Since,
    paging: &Paging<ResultSort>,
) -> Result<IndicatorResultPage> {
    let total = paging.total(conn, |conn| Ok(matching(filter, since).count().get_result(conn)?))?;
    let query = matching(filter, since).select(StoredResult::as_select());
    let rows = match paging.sort {
        ResultSort::Latest => keyset!(query, paging, results::id, desc results::fiscal_year, i32),
        ResultSort::Earliest => keyset!(query, paging, results::id, asc results::fiscal_year, i32),
        ResultSort::UpdatedAt => keyset!(query, paging, results::id, desc results::updated_at, Time),
    };
    let rows: Vec<StoredResult> = paging.load(conn.conn, rows)?;
    let on = conn.today;
    let items = rows.into_iter().map(|row| row.view(on)).collect();
    paging.cut(items, total, |row: &IndicatorResult| match paging.sort {
        ResultSort::Latest | ResultSort::Earliest => (json!(row.fiscal_year), row.id),
        ResultSort::UpdatedAt => (json!(row.updated_at), row.id),
    })
}

/// The result of an indicator in a fiscal year.
fn find(conn: &mut PgConnection, (indicator, year): (Id, FiscalYear)) -> Result<StoredResult> {
    StoredResult::query()
        .filter(results::indicator_id.eq(indicator))
        .filter(results::fiscal_year.eq(year))
        .first(conn)
        .optional()?
        .ok_or(Error::NotFound("result"))
}

/// The result of an indicator in a fiscal year, if the caller may change it.
fn permitted(tx: &mut Tx<'_>, key: &(Id, FiscalYear)) -> Result<IndicatorResult> {
    let found = results::table
        .inner_join(i::table.inner_join(g::table.inner_join(p::table)))
        .filter(results::indicator_id.eq(key.0))
        .filter(results::fiscal_year.eq(key.1))
        .select(p::organization_id)
        .first(tx.conn)
        .optional()?;
    tx.permit(Permission::Edit, "result", found)?;
    Ok(find(tx, *key)?.view(today()))
}

fn change(tx: &mut Tx<'_>, stored: &IndicatorResult, input: &ResultInput) -> Result<IndicatorResult> {
    update(tx, stored.id, input)?;
    Ok(find(tx, (stored.indicator_id, input.fiscal_year))?.view(today()))
}
