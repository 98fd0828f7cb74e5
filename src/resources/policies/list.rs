//! The policies that there are.

use actix_web::get;
use diesel::{PgConnection, prelude::*};
use serde_json::json;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{Policy, PolicyPage};
use crate::{
    db::{
        Db,
        schema::{latest, organizations as o, policies, policy_text, self_evaluations as e},
    },
    error::Result,
    http::{
        as_of::{AsOfParam, Since, only},
        pagination::Paging,
        query::{AnyOf, Query, SearchText, Years},
    },
    keyset, narrow, query, text_enum,
    value::{OrganizationKey, Time},
};

/// The route of the list.
pub(super) fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list_policies);
}

text_enum! {
    /// How policies are ordered.
    pub enum PolicySort in "policy_sort" {
        /// Latest fiscal year first.
        Latest = "-fiscal_year" ("年度の新しい順", "latest fiscal year first"),
        /// Earliest fiscal year first.
        Earliest = "fiscal_year" ("年度の古い順", "earliest fiscal year first"),
        /// Most recently changed first.
        UpdatedAt = "-updated_at" ("更新の新しい順", "latest change first"),
    }
}

query! {
    /// Which policies to list.
    pub struct PolicyFilter {
        /// Only policies of these organizations, by slug or municipality code.
        pub organization: AnyOf<OrganizationKey>,
        /// Only policies of these fiscal years.
        pub fiscal_year: Years,
        /// Only policies that hold each of these words in the organization's name, the head's, or a text box, as in the list of
        /// indicators.
        pub q: Option<SearchText>,
    }
}

/// Lists policies.
///
/// Without what is below them; `/tree` has it all in one answer. Latest fiscal year first.
#[utoipa::path(tag = "policies", params(PolicyFilter, AsOfParam, Since, Paging<PolicySort>))]
#[get("/policies")]
async fn list_policies(
    db: Db,
    Query((filter, past, since, paging)): Query<(PolicyFilter, AsOfParam, Since, Paging<PolicySort>)>,
) -> Result<PolicyPage> {
    let moment = past.of_any(only(&filter.organization, &filter.fiscal_year))?;
    db.at(moment)
        .page(&paging)
        .searching(filter.q.as_ref())
        .depends_on(&filter.organization.0)
        .read(move |conn| list(conn, &filter, &since, &paging))
        .await
}

fn list(
    conn: &mut PgConnection,
    filter: &PolicyFilter,
    since: &Since,
    paging: &Paging<PolicySort>,
) -> Result<PolicyPage> {
    let matching = || {
        let mut query = policies::table.inner_join(o::table).left_join(e::table).into_boxed();
        narrow!(query, organization in filter.organization);
        narrow!(query, policies::fiscal_year, filter.fiscal_year);
        narrow!(query, words of text(), in filter.q);
        if let Some(time) = since.updated_since {
            query = query.filter(latest(policies::updated_at, e::updated_at.nullable()).ge(time));
        }
        query
    };
    let total = paging.total(conn, |conn| Ok(matching().count().get_result(conn)?))?;
    let query = matching().select(Policy::as_select());
    let rows = match paging.sort {
        PolicySort::Latest => keyset!(query, paging, policies::id, desc policies::fiscal_year, i32),
        PolicySort::Earliest => keyset!(query, paging, policies::id, asc policies::fiscal_year, i32),
        PolicySort::UpdatedAt => {
            keyset!(query, paging, policies::id, desc latest(policies::updated_at, e::updated_at.nullable()), Time)
        }
    };
    let rows: Vec<Policy> = paging.load(conn, rows)?;
    paging.cut(rows, total, |row| match paging.sort {
        PolicySort::Latest | PolicySort::Earliest => (json!(row.fiscal_year), row.id),
        PolicySort::UpdatedAt => (json!(row.updated_at), row.id),
    })
}

/// What is searched of a policy, as far as it is seen.
#[diesel::dsl::auto_type(no_type_alias)]
fn text() -> _ {
    policy_text(
        o::name,
        policies::head_name,
        policies::vision,
        policies::mission,
        policies::basic_approach,
        e::self_evaluation.nullable(),
        e::future_policy.nullable(),
    )
}
