//! The route table: one line per resource.

use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, schema::Schema},
};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::http::problem::Problem;

pub use after_write::HOOKS;

mod after_write;
pub mod audit;
pub mod budgets;
pub mod catalog;
pub mod changes;
pub mod codelists;
pub mod coverage;
pub mod evaluations;
pub mod exports;
pub mod findings;
pub mod goals;
pub mod health;
pub mod imports;
pub mod indicators;
mod narrow;
pub mod organizations;
pub mod policies;
pub mod policy_forms;
pub mod policy_trees;
pub mod results;
pub mod revisions;
pub mod scenarios;
pub mod series;
pub mod targets;
pub mod tokens;
pub mod transitions;

/// Every resource of version 1.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    // Routes are tried in this order: the resources asked for most come first.
    cfg.configure(indicators::routes)
        .configure(results::routes)
        .configure(evaluations::routes)
        .configure(organizations::routes)
        .configure(policies::routes)
        .configure(policy_trees::routes)
        .configure(policy_forms::routes)
        .configure(goals::routes)
        .configure(budgets::routes)
        .configure(revisions::routes)
        .configure(series::routes)
        .configure(coverage::routes)
        .configure(findings::routes)
        .configure(transitions::routes)
        .configure(exports::routes)
        .configure(catalog::routes)
        .configure(imports::routes)
        .configure(targets::routes)
        .configure(tokens::routes)
        .configure(audit::routes)
        .configure(changes::routes)
        .configure(codelists::routes)
        .configure(scenarios::routes);
}

/// Schemas of answers, which utoipa does not collect from responders.
pub fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
    add::<Problem>(schemas);
    add::<health::Health>(schemas);
    add::<health::Readiness>(schemas);
    add::<organizations::OrganizationPage>(schemas);
    add::<policies::PolicyPage>(schemas);
    add::<policy_trees::PolicyTree>(schemas);
    add::<policy_forms::FormPage>(schemas);
    add::<goals::GoalPage>(schemas);
    add::<budgets::BudgetPage>(schemas);
    add::<budgets::summary::BudgetSummaries>(schemas);
    add::<indicators::IndicatorPage>(schemas);
    add::<results::IndicatorResultPage>(schemas);
    add::<results::bulk::StoredResults>(schemas);
    add::<evaluations::EvaluationRowPage>(schemas);
    add::<evaluations::PolicyEvaluation>(schemas);
    add::<evaluations::summary::EvaluationSummaries>(schemas);
    add::<series::Series>(schemas);
    add::<series::list::SeriesEntryPage>(schemas);
    add::<targets::ParsedTarget>(schemas);
    add::<coverage::CoverageReport>(schemas);
    add::<catalog::Catalog>(schemas);
    add::<exports::ExportLine>(schemas);
    add::<exports::ExportText>(schemas);
    add::<exports::ExportBook>(schemas);
    add::<imports::ImportReport>(schemas);
    add::<transitions::TransitionPage>(schemas);
    add::<findings::FindingPage>(schemas);
    add::<indicators::predecessors::Predecessors>(schemas);
    add::<budgets::vintages::BudgetVintagePage>(schemas);
    add::<revisions::RevisionPage>(schemas);
    add::<revisions::publications::PublicationTrial>(schemas);
    add::<tokens::TokenPage>(schemas);
    add::<tokens::NewToken>(schemas);
    add::<tokens::me::Me>(schemas);
    add::<audit::AuditEntryPage>(schemas);
    add::<changes::ChangePage>(schemas);
    add::<changes::head::ChangeHead>(schemas);
    add::<changes::snapshot::SnapshotLine>(schemas);
    add::<changes::tickets::StreamTicket>(schemas);
    add::<revisions::diff::RevisionDiff>(schemas);
    add::<codelists::Codelists>(schemas);
    add::<scenarios::Scenarios>(schemas);
}

fn add<T: ToSchema>(schemas: &mut Vec<(String, RefOr<Schema>)>) {
    schemas.push((T::name().into_owned(), <T as PartialSchema>::schema()));
    T::schemas(schemas);
}
