//! Many results at once: all of them are stored, or none.

use std::collections::{HashMap, HashSet};

use actix_web::{HttpRequest, post};
use diesel::{PgConnection, prelude::*};
use serde::{Deserialize, Serialize, de::IgnoredAny};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{IndicatorResult, ResultInput, StoredResult, defaults, put, stored::stale};
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
        validation::{Draft, Known, Members, ReadOnly, Rules, fill_in_each, said, too_many},
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

    fn fill_in(body: &mut Members, known: &Known) -> Vec<Violation> {
        fill_in_each(body, "items", |entry| {
            let of_indicator = said(entry, "indicator_id").and_then(|id: Id| known.years.get(&id).copied());
            // Of an indicator that is not known yet, or is not there. No result is of this year.
            let unknown = FiscalYear::new(FiscalYear::MAX);
            let result = entry.get_mut("result").and_then(Value::as_object_mut);
            let missing = result.map(|result| defaults::fill_in(result, of_indicator.or(unknown)));
            let missing = missing.unwrap_or_default().into_iter();
            missing.map(|violation| violation.under("/result")).collect()
        })
    }

    fn read_only() -> Vec<String> {
        let of_result = ResultInput::read_only().into_iter();
        of_result.map(|member| format!("/items/*/result{member}")).collect()
    }
}

/// Results before the fiscal years of their indicators' policies are known.
pub type ResultEntriesDraft = Draft<ResultEntries>;

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
    Json(draft, shown): Json<ResultEntriesDraft>,
) -> Result<Idempotent<Answer<StoredResults>>> {
    let most = limits(&req).batch_items;
    if draft
        .said::<Vec<IgnoredAny>>("/items")
        .is_some_and(|items| items.len() > most)
    {
        let (code, detail) = too_many(most);
        return Err(Error::Invalid(vec![Violation::at("/items", code, detail)]));
    }
    let request = draft.clone();
    db.once(&request, move |tx| {
        let named = draft.said::<Items>("").unwrap_or_default();
        let named: Vec<Id> = named.items.iter().map(|entry| entry.indicator_id).collect();
        let years = permit(tx, &named)?;
        let body = draft.complete(&Known {
            years: years.clone(),
            ..Known::default()
        })?;
        if let Some(reason) = &body.reason {
            tx.set_reason(&reason.0)?;
        }
        store_shown(tx, &body.items, &years, &shown).map(Answer)
    })
    .await
}

/// The indicators that results are of, before all else of the results is read.
#[derive(Default, Deserialize)]
struct Items {
    items: Vec<OfIndicator>,
}

#[derive(Deserialize)]
struct OfIndicator {
    indicator_id: Id,
}

/// Stores results, each as its entry says, where the caller may.
pub fn store(tx: &mut Tx<'_>, entries: &[ResultEntry]) -> Result<StoredResults> {
    let years = permit(tx, &named(entries))?;
    store_shown(tx, entries, &years, &ReadOnly::default())
}

/// Stores results of indicators that the caller may change. What the entries say of members that the server sets must be what is
/// stored.
fn store_shown(
    tx: &mut Tx<'_>,
    entries: &[ResultEntry],
    known: &HashMap<Id, FiscalYear>,
    shown: &ReadOnly,
) -> Result<StoredResults> {
    let stored = stored(tx, entries)?;
    check(entries, known, &stored)?;
    let was = if shown.is_empty() {
        HashMap::new()
    } else {
        stored.clone()
    };
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
    if !shown.is_empty() {
        check_shown(entries, shown, |key| {
            was.get(key).or(now.get(key)).map(|row| row.clone().view(on))
        })?;
    }
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

/// The indicators of these that exist for the caller, with the fiscal years of their policies; fails if the caller may not change
/// one of them.
fn permit(tx: &mut Tx<'_>, named: &[Id]) -> Result<HashMap<Id, FiscalYear>> {
    let of = indicators::table
        .inner_join(goals::table.inner_join(policies::table))
        .select((indicators::id, policies::organization_id, policies::fiscal_year));
    let rows: Vec<(Id, Id, FiscalYear)> = match named {
        // One is compared by `=`, for which PostgreSQL keeps its plan.
        [one] => of.filter(indicators::id.eq(one)).load(tx.conn)?,
        several => of.filter(indicators::id.eq_any(several)).load(tx.conn)?,
    };
    for (_, organization, _) in &rows {
        tx.permit(Permission::Edit, "indicator", Some(*organization))?;
    }
    Ok(rows.into_iter().map(|(id, _, year)| (id, year)).collect())
}

/// Fails where an entry says something else of members that the server sets than the server shows.
fn check_shown(
    entries: &[ResultEntry],
    sent: &ReadOnly,
    shown: impl Fn(&(Id, FiscalYear)) -> Option<IndicatorResult>,
) -> Result<()> {
    let mut others = Vec::new();
    for (n, entry) in entries.iter().enumerate() {
        let row = serde_json::to_value(shown(&entry.key())).map_err(Error::internal)?;
        others.extend(sent.others_below(&format!("/items/{n}/result"), &row));
    }
    Error::refuse(others)
}

fn named(entries: &[ResultEntry]) -> Vec<Id> {
    entries.iter().map(|entry| entry.indicator_id).collect()
}

/// The stored results of the indicators in the entries.
fn stored(conn: &mut PgConnection, entries: &[ResultEntry]) -> Result<HashMap<(Id, FiscalYear), StoredResult>> {
    let rows: Vec<StoredResult> = match entries {
        [one] => (StoredResult::query().filter(results::indicator_id.eq(one.indicator_id))).load(conn)?,
        several => (StoredResult::query().filter(results::indicator_id.eq_any(named(several)))).load(conn)?,
    };
    Ok(rows
        .into_iter()
        .map(|row| ((row.indicator_id, row.fiscal_year()), row))
        .collect())
}

/// Every entry that names no indicator, or another version than the stored one.
fn check(
    entries: &[ResultEntry],
    known: &HashMap<Id, FiscalYear>,
    stored: &HashMap<(Id, FiscalYear), StoredResult>,
) -> Result<()> {
    let mut broken = Vec::new();
    for (n, entry) in entries.iter().enumerate() {
        if !known.contains_key(&entry.indicator_id) {
            let detail = Bilingual::new("指標が存在しません", "names no indicator");
            broken.push(Violation::at(format!("/items/{n}/indicator_id"), "missing", detail));
            continue;
        }
        let row = stored.get(&entry.key());
        broken.extend(stale(format!("/items/{n}/version"), entry.version, row));
    }
    Error::contradict(broken)
}
