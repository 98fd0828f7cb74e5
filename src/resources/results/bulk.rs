//! Many results at once: all of them are stored, or none.

use std::collections::{HashMap, HashSet};

use actix_web::{HttpRequest, post};
use diesel::{PgConnection, prelude::*};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{IndicatorResult, ResultInput, StoredResult, put};
use crate::{
    auth::Permission,
    db::{
        Db, Tx,
        schema::{goals, indicators, policies, results},
    },
    error::{Error, Result, Violation},
    http::{
        extract::Json,
        idempotency::Idempotent,
        limits::limits,
        query::NoQuery,
        respond::Answer,
        validation::{Rules, too_many},
    },
    value::{FiscalYear, Id, Prose, language::Bilingual, today},
};

/// The route of bulk writing.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(store_results);
}

/// A result among many, keyed by its indicator and fiscal year.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResultEntry {
    /// The indicator.
    pub indicator_id: Id,
    /// The version the caller read: it must still be the stored one, 0 meaning that there is none. Null stores whatever is there.
    #[schema(minimum = 0, maximum = 999_999_999_999_999_i64)]
    pub version: Option<i64>,
    /// The result.
    pub result: ResultInput,
}

/// Results to store together.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "items": [{ "indicator_id": "018e9a2c-5b00-7000-8000-000000000611", "version": 0, "result": {
    "fiscal_year": 2024, "value": 41.3, "value_status": "reported", "observation_status": "final", "text": "41.3%", "declared_rating": "A" } }] }))]
pub struct ResultEntries {
    /// The results; each indicator and fiscal year at most once.
    #[schema(min_items = 1, max_items = 1000)]
    pub items: Vec<ResultEntry>,
    /// Why results change that are public already; as `Change-Reason` does for one.
    pub reason: Option<Prose<1000>>,
}

/// What became of many results.
#[derive(Debug, Serialize, ToSchema)]
pub struct StoredResults {
    /// How many are new.
    #[schema(minimum = 0, maximum = 1000)]
    pub created: usize,
    /// How many changed.
    #[schema(minimum = 0, maximum = 1000)]
    pub changed: usize,
    /// How many were stored like that already, and keep their version.
    #[schema(minimum = 0, maximum = 1000)]
    pub unchanged: usize,
    /// The results, in the order in which they came.
    #[schema(max_items = 1000)]
    pub items: Vec<IndicatorResult>,
}

impl Rules for ResultEntries {
    fn broken(&self) -> Vec<Violation> {
        broken(&self.items)
    }
}

/// The rules that results break in themselves, each by its position.
#[must_use]
pub fn broken(entries: &[ResultEntry]) -> Vec<Violation> {
    let mut seen = HashSet::new();
    let mut broken = Vec::new();
    for (n, entry) in entries.iter().enumerate() {
        let at = format!("/items/{n}");
        let rules = entry.result.broken().into_iter();
        broken.extend(rules.map(|violation| violation.under(&format!("{at}/result"))));
        if !seen.insert((entry.indicator_id, entry.result.fiscal_year)) {
            let detail = Bilingual::new("同じ指標と年度が二度あります", "repeats an indicator and fiscal year");
            broken.push(Violation::at(at, "repeated", detail));
        }
    }
    broken
}

/// Stores many results, all or none.
///
/// Up to 1,000, or fewer where the service is set so, keyed by indicator and fiscal year, in one transaction. Every row that breaks a rule is reported by its
/// position; a row that repeats what is stored keeps its version.
#[utoipa::path(tag = "results", security(("token" = ["edit"])))]
#[post("/results")]
async fn store_results(
    req: HttpRequest,
    db: Db,
    _: NoQuery,
    Json(body): Json<ResultEntries>,
) -> Result<Idempotent<Answer<StoredResults>>> {
    let most = limits(&req).batch_items;
    if body.items.len() > most {
        let (code, detail) = too_many(most);
        return Err(Error::Invalid(vec![Violation::at("/items", code, detail)]));
    }
    let request = body.clone();
    db.once(&request, move |tx| {
        if let Some(reason) = &body.reason {
            tx.set_reason(&reason.0)?;
        }
        store(tx, &body.items).map(Answer)
    })
    .await
}

/// Stores results, each as its entry says, where the caller may.
pub fn store(tx: &mut Tx<'_>, entries: &[ResultEntry]) -> Result<StoredResults> {
    let indicators = permit(tx, entries)?;
    let stored = stored(tx, entries)?;
    check(entries, &indicators, &stored)?;
    let (mut created, mut changed) = (0, 0);
    let mut other = Vec::new();
    for entry in entries {
        match stored.get(&entry.key()) {
            None => created += 1,
            Some(row) if row.differs(&entry.result) => changed += 1,
            Some(_) => continue,
        }
        other.push((entry.indicator_id, &entry.result));
    }
    put(tx, &other)?;
    let mut now = self::stored(tx, entries)?;
    let on = today();
    let items = entries
        .iter()
        .filter_map(|entry| now.remove(&entry.key()))
        .map(|row| row.view(on))
        .collect();
    Ok(StoredResults {
        created,
        changed,
        unchanged: entries.len() - created - changed,
        items,
    })
}

impl ResultEntry {
    fn key(&self) -> (Id, FiscalYear) {
        (self.indicator_id, self.result.fiscal_year)
    }
}

/// The indicators in the entries that exist for the caller; fails if the caller may not change one of them.
fn permit(tx: &mut Tx<'_>, entries: &[ResultEntry]) -> Result<HashSet<Id>> {
    let rows: Vec<(Id, Id)> = indicators::table
        .inner_join(goals::table.inner_join(policies::table))
        .filter(indicators::id.eq_any(named(entries)))
        .select((indicators::id, policies::organization_id))
        .load(tx.conn)?;
    for (_, organization) in &rows {
        tx.permit(Permission::Edit, "indicator", Some(*organization))?;
    }
    Ok(rows.into_iter().map(|(id, _)| id).collect())
}

fn named(entries: &[ResultEntry]) -> Vec<Id> {
    entries.iter().map(|entry| entry.indicator_id).collect()
}

/// The stored results of the indicators in the entries.
fn stored(conn: &mut PgConnection, entries: &[ResultEntry]) -> Result<HashMap<(Id, FiscalYear), StoredResult>> {
    let rows: Vec<StoredResult> = StoredResult::query()
        .filter(results::indicator_id.eq_any(named(entries)))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|row| ((row.indicator_id, row.fiscal_year()), row))
        .collect())
}

/// Every entry that names no indicator, or another version than the stored one.
fn check(entries: &[ResultEntry], known: &HashSet<Id>, stored: &HashMap<(Id, FiscalYear), StoredResult>) -> Result<()> {
    let mut broken = Vec::new();
    for (n, entry) in entries.iter().enumerate() {
        if !known.contains(&entry.indicator_id) {
            let detail = Bilingual::new("指標が存在しません", "names no indicator");
            broken.push(Violation::at(format!("/items/{n}/indicator_id"), "missing", detail));
            continue;
        }
        let version = stored.get(&entry.key()).map_or(0, |row| row.version);
        if entry.version.is_some_and(|read| read != version) {
            let detail = Bilingual::new(
                format!("登録済みのバージョンは{version}です"),
                format!("the stored version is {version}"),
            );
            broken.push(Violation::at(format!("/items/{n}/version"), "version", detail));
        }
    }
    Error::contradict(broken)
}
