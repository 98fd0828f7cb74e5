//! The series that there are.

use std::collections::HashMap;

use actix_web::get;
use diesel::{PgConnection, dsl::count, prelude::*};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    db::{
        Db, Workload,
        schema::{goals as g, indicators as i, organizations as o, policies as p, results as r},
    },
    error::Result,
    http::{
        as_of::{AsOfParam, only},
        pagination::{Page, Paging},
        query::Query,
    },
    resources::indicators::{IndicatorFilter, matching},
    text_enum,
    value::{FiscalYear, Id, Line, Slug},
};

/// The route of the list.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list_series);
}

text_enum! {
    /// How series are ordered.
    pub enum SeriesSort in "series_sort" {
        /// In the order in which they began to be recorded.
        Series = "series" ("登録順", "order of creation"),
    }
}

/// A series, in short.
#[derive(Debug, Serialize, ToSchema)]
pub struct SeriesEntry {
    /// The series; its years are at `/v1/series/{series_id}`.
    pub series_id: Id,
    /// Its name in the latest policy.
    #[schema(example = "地域活動協議会を知っている区民アンケート回答者の割合")]
    pub name: Line<500>,
    /// Its unit in the latest policy.
    #[schema(example = "%")]
    pub unit: Option<Line<20>>,
    /// Slug of the organization of the latest policy.
    pub organization: Slug,
    /// Name of that organization.
    #[schema(example = "西区")]
    pub organization_name: Line<100>,
    /// The first fiscal year that it says something of.
    pub first_year: FiscalYear,
    /// The last one.
    pub last_year: FiscalYear,
    /// How many indicators are in it.
    #[schema(minimum = 1, maximum = 1_000_000, example = 3)]
    pub indicators: usize,
}

/// Some series.
pub type SeriesEntryPage = Page<SeriesEntry>;

/// Lists series.
///
/// Every series that has an indicator for which the filters ask, with its name, its unit and its organization in the latest
/// policy, and the fiscal years of its policies and results; `fiscal_year` is that of the policy.
#[utoipa::path(tag = "series", params(IndicatorFilter, AsOfParam, Paging<SeriesSort>))]
#[get("/series")]
async fn list_series(
    db: Db,
    Query((filter, past, paging)): Query<(IndicatorFilter, AsOfParam, Paging<SeriesSort>)>,
) -> Result<SeriesEntryPage> {
    let moment = past.of_any(only(&filter.organization, &filter.fiscal_year))?;
    // A series may belong to several organizations: what is shown depends on all of them.
    db.at(moment)
        .workload(if paging.include_total {
            Workload::Scan
        } else {
            Workload::Query
        })
        .read(move |conn| list(conn, &filter, &paging))
        .await
}

/// An indicator of a series.
#[derive(HasQuery)]
#[diesel(table_name = i, base_query = i::table.inner_join(g::table.inner_join(p::table.inner_join(o::table))))]
struct Member {
    id: Id,
    series_id: Id,
    name: Line<500>,
    unit: Option<Line<20>>,
    #[diesel(select_expression = o::slug)]
    organization: Slug,
    #[diesel(select_expression = o::name)]
    organization_name: Line<100>,
    #[diesel(select_expression = p::fiscal_year)]
    policy_year: FiscalYear,
}

fn list(conn: &mut PgConnection, filter: &IndicatorFilter, paging: &Paging<SeriesSort>) -> Result<SeriesEntryPage> {
    let total = paging.total(conn, |conn| {
        let all = matching(filter).select(count(i::series_id).aggregate_distinct());
        Ok(all.first(conn)?)
    })?;
    let query = matching(filter).select(i::series_id).distinct();
    let query = match paging.sort {
        SeriesSort::Series => query.order(i::series_id.asc()),
    };
    let query = match paging.after::<Id>()? {
        Some((_, id)) => query.filter(i::series_id.gt(id)),
        None => query,
    };
    let series: Vec<Id> = paging.load(conn, query)?;
    let page = paging.cut(series, total, |id| (json!(id), *id))?;
    let mut entries = entries(conn, &page.items)?;
    let items = page.items.iter().filter_map(|id| entries.remove(id)).collect();
    Ok(Page {
        items,
        next_cursor: page.next_cursor,
        total: page.total,
    })
}

/// What there is to say of these series, in two queries.
fn entries(conn: &mut PgConnection, series: &[Id]) -> Result<HashMap<Id, SeriesEntry>> {
    let members: Vec<Member> = Member::query()
        .filter(i::series_id.eq_any(series))
        .order((p::fiscal_year, i::id))
        .load(conn)?;
    let ids: Vec<Id> = members.iter().map(|member| member.id).collect();
    let results: Vec<(Id, FiscalYear)> = r::table
        .filter(r::indicator_id.eq_any(ids))
        .select((r::indicator_id, r::fiscal_year))
        .load(conn)?;
    let mut years: HashMap<Id, Vec<FiscalYear>> = HashMap::new();
    for (indicator, year) in results {
        years.entry(indicator).or_default().push(year);
    }
    let mut entries: HashMap<Id, SeriesEntry> = HashMap::new();
    // Later policies come later, and have the last word.
    for member in members {
        let own = years.remove(&member.id).unwrap_or_default();
        let first = own.iter().copied().fold(member.policy_year, FiscalYear::min);
        let last = own.iter().copied().fold(member.policy_year, FiscalYear::max);
        let before = entries.remove(&member.series_id);
        let before = before.map(|it| (it.first_year, it.last_year, it.indicators));
        let (first_year, last_year, indicators) = before.unwrap_or((first, last, 0));
        let entry = SeriesEntry {
            series_id: member.series_id,
            name: member.name,
            unit: member.unit,
            organization: member.organization,
            organization_name: member.organization_name,
            first_year: first_year.min(first),
            last_year: last_year.max(last),
            indicators: indicators + 1,
        };
        entries.insert(entry.series_id, entry);
    }
    Ok(entries)
}
