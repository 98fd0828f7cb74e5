//! Every code the service uses, with its labels, in the order in which people list them.

use actix_web::get;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{
    audit, budgets, changes, evaluations,
    exports::{self, tables::Table},
    findings, goals, imports, indicators, organizations, policies, policy_trees, results, revisions, series, tokens,
    transitions,
};
use crate::{
    domain::{
        difference,
        evaluation::{self, comparison, outcome, previous},
        execution, finding, form, kinds, likeness, reading, reporting, succession, target,
    },
    error::Result,
    http::{pagination::GroupSort, query::NoQuery, respond::Answer},
    value::{Codes, language::Bilingual},
};

/// Routes under `/codelists`.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list_codelists);
}

/// One code.
#[derive(Debug, Serialize, ToSchema)]
pub struct Code {
    /// The code.
    #[schema(max_length = 40, example = "gte")]
    pub code: String,
    /// The code for people.
    pub label: Bilingual,
    /// What it says.
    #[schema(max_length = 1000)]
    pub meaning: String,
    /// Its place in the list, from 1.
    #[schema(minimum = 1, maximum = 1000)]
    pub order: usize,
}

/// A closed list of codes.
#[derive(Debug, Serialize, ToSchema)]
pub struct Codelist {
    /// What the list is called.
    #[schema(max_length = 40, example = "comparator")]
    pub name: String,
    /// What it is for.
    #[schema(max_length = 1000)]
    pub meaning: String,
    /// Its codes, in order.
    #[schema(max_items = 100)]
    pub codes: Vec<Code>,
}

/// Every closed list of codes.
#[derive(Debug, Serialize, ToSchema)]
pub struct Codelists {
    /// The lists, by name.
    #[schema(max_items = 100)]
    pub items: Vec<Codelist>,
}

/// Lists every code list.
///
/// Every enum of the contract, with a label in both languages, its meaning, and the order in which people list it.
#[utoipa::path(tag = "codelists")]
#[get("/codelists")]
async fn list_codelists(_: NoQuery) -> Result<Answer<Codelists>> {
    let mut items = vec![
        list::<organizations::OrganizationKind>(),
        list::<organizations::OrganizationSort>(),
        list::<policies::PolicySort>(),
        list::<policies::PolicyStage>(),
        list::<revisions::RevisionKind>(),
        list::<revisions::RevisionSort>(),
        list::<revisions::diff::PatchOp>(),
        list::<difference::Difference>(),
        list::<goals::GoalSort>(),
        list::<budgets::BudgetSort>(),
        list::<budgets::summary::BudgetGroup>(),
        list::<budgets::vintages::VintageSort>(),
        list::<GroupSort>(),
        list::<indicators::IndicatorSort>(),
        list::<results::ResultSort>(),
        list::<tokens::TokenSort>(),
        list::<audit::AuditSort>(),
        list::<audit::ListFormat>(),
        list::<exports::ExportFormat>(),
        list::<exports::ExportNames>(),
        list::<exports::ExportEncoding>(),
        list::<evaluations::EvaluationSort>(),
        list::<evaluations::EvaluationGroup>(),
        list::<changes::ChangeType>(),
        list::<changes::ChangeOp>(),
        list::<kinds::BudgetKind>(),
        list::<kinds::BudgetStatus>(),
        list::<kinds::IndicatorKind>(),
        list::<kinds::Direction>(),
        list::<kinds::ValueStatus>(),
        list::<kinds::ObservationStatus>(),
        list::<kinds::Rating>(),
        list::<reading::Parse>(),
        list::<target::Comparator>(),
        list::<target::ReferenceKind>(),
        list::<target::PeriodKind>(),
        list::<outcome::Outcome>(),
        list::<outcome::Reason>(),
        list::<evaluation::ComparedField>(),
        list::<evaluation::ReferenceSource>(),
        list::<comparison::AttainmentReason>(),
        list::<previous::ChangeDirection>(),
        list::<previous::ChangeReason>(),
        list::<succession::BreakKind>(),
        list::<likeness::LikenessReason>(),
        list::<reporting::Reporting>(),
        list::<execution::ExecutionReason>(),
        list::<finding::FindingKind>(),
        list::<finding::FindingField>(),
        list::<findings::FindingSort>(),
        list::<imports::ImportFormat>(),
        list::<imports::Rewording>(),
        list::<form::Confidence>(),
        list::<form::Severity>(),
        list::<transitions::TransitionSort>(),
        list::<series::list::SeriesSort>(),
        list::<policy_trees::evaluated::TreeAddition>(),
    ];
    items.extend(exports::tables::TABLES.into_iter().map(columns));
    items.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(Answer(Codelists { items }))
}

/// The columns of a table that is exported.
fn columns(table: &Table) -> Codelist {
    let codes = table.columns.iter().zip(1..).map(|((code, head), order)| Code {
        code: (*code).to_owned(),
        label: Bilingual::new(*head, code.replace('_', " ")),
        meaning: format!("A column of the export of {}.", table.english),
        order,
    });
    Codelist {
        name: format!("{}_column", table.name),
        meaning: format!("The columns of the export of {} ({}).", table.english, table.title),
        codes: codes.collect(),
    }
}

fn list<T: Codes>() -> Codelist {
    let codes = T::ALL.iter().zip(1..).map(|(code, order)| Code {
        code: code.code().to_owned(),
        label: code.label(),
        meaning: code.meaning().to_owned(),
        order,
    });
    Codelist {
        name: T::NAME.to_owned(),
        meaning: T::MEANING.to_owned(),
        codes: codes.collect(),
    }
}
