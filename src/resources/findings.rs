//! Findings: what does not fit together, each with both values, both sources, and a sentence.

use actix_web::get;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::evaluations::Judging;
use crate::{
    db::{Db, Workload},
    domain::finding::{FindingKind, FindingValue},
    error::Result,
    http::{
        as_of::{AsOfParam, only},
        pagination::{Page, Paging},
        query::{AnyOf, Query, Years},
    },
    query, text_enum,
    value::{FiscalYear, Id, Line, OrganizationKey, Slug, language::Bilingual},
};

mod budgets;
mod gather;
mod indicators;
mod place;

/// Routes under `/findings`.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list_findings);
}

text_enum! {
    /// How findings are ordered.
    pub enum FindingSort in "finding_sort" {
        /// Those about indicators in the order of the indicators' creation, by kind; then those about budgets.
        Subject = "subject" ("対象の登録順", "order of the creation of what they are about"),
    }
}

query! {
    /// Which findings to list.
    pub struct FindingFilter {
        /// Only findings about these organizations, by slug or municipality code.
        pub organization: AnyOf<OrganizationKey>,
        /// Only findings about policies of these fiscal years; an indicator that was dropped is a finding about the policy that
        /// goes on without it.
        pub fiscal_year: Years,
        /// Only findings of these kinds.
        pub kind: AnyOf<FindingKind>,
        /// Only findings about these indicators.
        pub indicator: AnyOf<Id>,
        /// Only findings about indicators of these series.
        pub series: AnyOf<Id>,
    }
}

/// Something that does not fit.
#[derive(Debug, Serialize, ToSchema)]
pub struct Finding {
    /// What does not fit.
    pub kind: FindingKind,
    /// Slug of the organization.
    pub organization: Slug,
    /// Fiscal year of the policy it is about.
    pub fiscal_year: FiscalYear,
    /// The name of the indicator, or the title of the goal.
    pub name: Line<500>,
    /// The indicator; null where it is about a budget. That of the year before where it was dropped.
    pub indicator_id: Option<Id>,
    /// Its series.
    pub series_id: Option<Id>,
    /// What was found.
    pub found: FindingSide,
    /// What it does not fit.
    pub against: FindingSide,
    /// The same as a sentence.
    pub sentence: Bilingual,
}

/// One of the two values, and where it is from.
#[derive(Debug, Serialize, ToSchema)]
pub struct FindingSide {
    /// The value.
    pub value: FindingValue,
    /// Where it is from.
    pub source: FindingSource,
}

/// Where a value is from.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FindingSource {
    /// Fiscal year of the policy.
    pub policy_year: FiscalYear,
    /// The policy.
    pub policy_id: Id,
    /// The policy's latest revision: what the public sees of it; null where it was never published.
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub revision: Option<i32>,
    /// The goal; null where a policy goes on without an indicator.
    pub goal_id: Option<Id>,
    /// The indicator.
    pub indicator_id: Option<Id>,
    /// The budget figure.
    pub budget_id: Option<Id>,
    /// Where to read it.
    #[schema(max_length = 200, example = "/v1/policies/nishi/2024")]
    pub href: String,
}

/// Some findings.
pub type FindingPage = Page<Finding>;

/// Lists what does not fit together.
///
/// Printed against recorded, declared against computed, this year's words and targets against last year's, and values to be
/// checked. A finding is shown, never repaired, and says nothing about who is right. Years are compared where a series links
/// them, in the policies of one organization; budgets where goals share the series of an indicator and no other goal does.
#[utoipa::path(tag = "series", params(FindingFilter, Judging, AsOfParam, Paging<FindingSort>))]
#[get("/findings")]
async fn list_findings(
    db: Db,
    Query((filter, judging, past, paging)): Query<(FindingFilter, Judging, AsOfParam, Paging<FindingSort>)>,
) -> Result<FindingPage> {
    let moment = past.of_any(only(&filter.organization, &filter.fiscal_year))?;
    db.at(moment)
        .workload(Workload::Scan)
        .read(move |conn| {
            let on = judging.on.or(conn.today);
            gather::list(conn, &filter, on, &paging)
        })
        .await
}

impl FindingFilter {
    /// Whether findings of a kind are asked for.
    fn asks_for(&self, kind: FindingKind) -> bool {
        self.kind.some().is_none_or(|kinds| kinds.contains(&kind))
    }
}
