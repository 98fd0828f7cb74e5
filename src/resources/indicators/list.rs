//! The indicators that there are.

use actix_web::get;
use diesel::{PgConnection, prelude::*};
use serde_json::json;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{Indicator, IndicatorPage};
use crate::{
    db::{
        Db,
        schema::{
            goals as g, indicators, organizations as o, policies as p, search_candidates, search_folded, search_grams,
            strpos,
        },
    },
    domain::kinds::IndicatorKind,
    error::Result,
    http::{
        as_of::{AsOfParam, Since, only},
        pagination::Paging,
        query::{AnyOf, Query, SearchText, Years},
    },
    keyset, narrow, query, text_enum,
    value::{Id, OrganizationKey, Time},
};

/// The route of the list.
pub(super) fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list_indicators);
}

text_enum! {
    /// How indicators are ordered.
    pub enum IndicatorSort in "indicator_sort" {
        /// In the order in which they were created.
        Id = "id" ("登録順", "order of creation"),
        /// By name.
        Name = "name" ("名称順", "name"),
        /// Most recently changed first.
        UpdatedAt = "-updated_at" ("更新の新しい順", "latest change first"),
    }
}

query! {
    /// Which indicators to list.
    pub struct IndicatorFilter {
        /// Only indicators of these organizations, by slug or municipality code.
        pub organization: AnyOf<OrganizationKey>,
        /// Only indicators of policies of these fiscal years.
        pub fiscal_year: Years,
        /// Only indicators of these goals.
        pub goal: AnyOf<Id>,
        /// Only indicators of these kinds.
        pub kind: AnyOf<IndicatorKind>,
        /// Only indicators in these units, as printed.
        pub unit: AnyOf<SearchText>,
        /// Only indicators of these series.
        pub series: AnyOf<Id>,
        /// Only indicators whose name holds each of these words; full and half width, capitals and small letters, ～ and 〜, － and
        /// other dashes are one.
        pub q: Option<SearchText>,
    }
}

/// Lists indicators.
///
/// `fiscal_year` is that of the policy. `q` finds any part of a name, Japanese included; of several words, separated by blanks of any
/// width, each.
#[utoipa::path(tag = "indicators", params(IndicatorFilter, AsOfParam, Since, Paging<IndicatorSort>))]
#[get("/indicators")]
async fn list_indicators(
    db: Db,
    Query((filter, past, since, paging)): Query<(IndicatorFilter, AsOfParam, Since, Paging<IndicatorSort>)>,
) -> Result<IndicatorPage> {
    let moment = past.of_any(only(&filter.organization, &filter.fiscal_year))?;
    db.at(moment)
        .page(&paging)
        .depends_on(&filter.organization.0)
        .read(move |conn| list(conn, &filter, &since, &paging))
        .await
}

#[diesel::dsl::auto_type]
fn joined() -> _ {
    indicators::table.inner_join(g::table.inner_join(p::table.inner_join(o::table)))
}

/// Indicators as a boxed query, before anything is selected.
type Boxed<'a> = diesel::helper_types::IntoBoxed<'a, joined, diesel::pg::Pg>;

/// The indicators a filter asks for, not yet selected or ordered.
#[must_use]
pub fn matching(filter: &IndicatorFilter) -> Boxed<'_> {
    let mut query = joined().into_boxed();
    narrow!(query, organization in filter.organization);
    narrow!(query, p::fiscal_year, filter.fiscal_year);
    narrow!(query, indicators::goal_id, filter.goal);
    narrow!(query, indicators::kind, filter.kind);
    if let Some(units) = filter.unit.some() {
        query = query.filter(indicators::unit.eq_any(units.iter().map(|unit| unit.0.as_str())));
    }
    narrow!(query, indicators::series_id, filter.series);
    if let Some(SearchText(text)) = &filter.q {
        for word in text.split_whitespace() {
            query = query
                .filter(search_grams(indicators::name).contains(search_candidates(word)))
                .filter(strpos(search_folded(indicators::name), search_folded(word)).gt(0));
        }
    }
    query
}

/// The indicators a filter asks for that changed since a moment.
#[must_use]
pub fn changed<'a>(filter: &'a IndicatorFilter, since: &Since) -> Boxed<'a> {
    match since.updated_since {
        Some(time) => matching(filter).filter(indicators::updated_at.ge(time)),
        None => matching(filter),
    }
}

fn list(
    conn: &mut PgConnection,
    filter: &IndicatorFilter,
    since: &Since,
    paging: &Paging<IndicatorSort>,
) -> Result<IndicatorPage> {
    let total = paging.total(conn, |conn| Ok(changed(filter, since).count().get_result(conn)?))?;
    let query = changed(filter, since).select(Indicator::as_select());
    let rows = match paging.sort {
        IndicatorSort::Id => keyset!(query, paging, indicators::id),
        IndicatorSort::Name => keyset!(query, paging, indicators::id, asc indicators::name, String),
        IndicatorSort::UpdatedAt => keyset!(query, paging, indicators::id, desc indicators::updated_at, Time),
    };
    let rows: Vec<Indicator> = paging.load(conn, rows)?;
    paging.cut(rows, total, |row| match paging.sort {
        IndicatorSort::Id => (json!(row.id), row.id),
        IndicatorSort::Name => (json!(row.name), row.id),
        IndicatorSort::UpdatedAt => (json!(row.updated_at), row.id),
    })
}
