//! Exports: indicators, results, budgets and evaluations as tables in files, and sheets to fill in.
//!
//! A file is written to disk before it is sent. So it never breaks off, it has an ETag, and a slow reader keeps no
//! connection of the database waiting.

use std::{sync::mpsc, thread};

use actix_web::{HttpRequest, get};
use diesel::prelude::*;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{
    budgets::{self, Budget, BudgetFilter},
    evaluations::{EvaluationFilter, EvaluationSince, Judging, case},
    indicators::{self, Indicator, IndicatorFilter},
    results::ResultFilter,
};
use crate::{
    db::{
        Db,
        schema::{budgets as b, goals as g, indicators as i},
    },
    error::{Error, Result},
    http::{
        as_of::{AsOfParam, Since, only},
        pagination::Limited,
        query::Query,
    },
    query, text_enum,
    value::{Id, Line},
};

pub mod columns;
mod request;
mod response;
mod results;
mod rows;
pub(in crate::resources) mod tables;
mod template;

use columns::{BudgetColumns, EvaluationColumns, IndicatorColumns, ResultColumns};
use request::ExportRequest;
pub use response::Export;
use rows::Source;
use tables::{BUDGETS, EVALUATIONS, INDICATORS, RESULTS, TABLES};

/// The licence of the city's data.
pub const LICENSE: &str = "https://creativecommons.org/licenses/by/4.0/";

/// Rows read together.
const BATCH: i64 = 2000;

/// Routes under `/exports`.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(export_indicators)
        .service(export_results)
        .service(export_budgets)
        .service(export_evaluations);
}

text_enum! {
    /// The form of a file.
    pub enum ExportFormat in "export_format" {
        /// Comma-separated values (RFC 4180).
        Csv = "csv" ("CSV", "CSV"),
        /// A workbook: the table, what it is, and what its codes mean.
        Xlsx = "xlsx" ("Excelブック", "workbook"),
        /// One JSON object a line, its keys the codes of the columns, its values null where cells are empty.
        Lines = "ndjson" ("NDJSON", "NDJSON"),
    }
}

text_enum! {
    /// How heads and codes are written.
    pub enum ExportNames in "export_names" {
        /// In Japanese: 実績値, 報告済み.
        Japanese = "ja" ("日本語", "in Japanese"),
        /// As the codes of the interface: `value`, `reported`.
        Code = "code" ("コード", "as codes"),
    }
}

text_enum! {
    /// The encoding of CSV.
    pub enum ExportEncoding in "export_encoding" {
        /// UTF-8.
        Utf8 = "utf-8" ("UTF-8", "UTF-8"),
        /// Windows-31J: the `Shift_JIS` of Windows.
        Cp932 = "cp932" ("CP932（Shift_JIS）", "CP932 (Shift_JIS)"),
    }
}

query! {
    /// How to write the file.
    pub struct ExportShape {
        /// The form of the file. By default what `Accept` prefers, else CSV; of a sheet to fill in a workbook.
        pub format: Option<ExportFormat>,
        /// How heads and codes are written: in Japanese by default. NDJSON always has codes.
        pub names: Option<ExportNames>,
        /// The encoding of CSV: UTF-8 by default. 400 where the encoding lacks a character of the data, with the character.
        pub encoding: Option<ExportEncoding>,
        /// Whether CSV in UTF-8 begins with a byte order mark, by which spreadsheet programs know it: true by default.
        pub bom: Option<bool>,
    }
}

query! {
    /// Whether the table is to be filled in.
    pub struct Filling {
        /// Gives an organization its sheet to fill in: a row for each indicator of its policy of a fiscal year, with target
        /// and last year's value; empty where there is no result yet. Needs one `organization` and one `fiscal_year`, and
        /// takes no other filter. Send it to `/v1/imports/results` when it is filled in.
        pub template: bool,
    }
}

/// The title of a row's goal.
type Title = Line<300>;

/// Which moment to read, and since when something is to have changed.
type Past<S> = (AsOfParam, S);

/// A row of an export in NDJSON: an object whose keys are the codes of the columns.
#[derive(Debug, Serialize, ToSchema)]
#[schema(value_type = Object)]
pub struct ExportLine(pub Value);

/// An export in CSV.
#[derive(Debug, Serialize, ToSchema)]
#[schema(value_type = String, max_length = 1_000_000_000)]
pub struct ExportText(pub String);

/// An export as a workbook.
#[derive(Debug, Serialize, ToSchema)]
#[schema(value_type = String, format = Binary, max_length = 1_000_000_000)]
pub struct ExportBook(pub String);

/// The example of an export of a table with this schema: the head of the table, or a line of it with the values of `row`.
#[must_use]
pub fn example(table: &str, schema: &str, row: &Value) -> Option<Value> {
    let table = TABLES.iter().find(|known| known.name == table)?;
    let columns = table.columns.iter();
    if schema == ExportText::name() {
        let heads: Vec<_> = columns.map(|(_, head)| *head).collect();
        return Some(format!("{}\r\n", heads.join(",")).into());
    }
    let line = columns.map(|(code, _)| ((*code).to_owned(), row.get(code).cloned().unwrap_or_default()));
    (schema == ExportLine::name()).then(|| line.collect::<Map<_, _>>().into())
}

/// Exports indicators.
///
/// One row for each indicator, with its target, in the order in which they were created; with the filters of the list.
/// Cells are empty where nothing is known. In CSV a text that a spreadsheet would take for a formula begins with an
/// apostrophe. Every row names its source and licence.
#[utoipa::path(
    tag = "exports",
    params(IndicatorFilter, AsOfParam, Since, ExportShape, IndicatorColumns)
)]
#[get("/exports/indicators")]
async fn export_indicators(
    req: HttpRequest,
    db: Db,
    Query((filter, past, since, shape, columns)): Query<(
        IndicatorFilter,
        AsOfParam,
        Since,
        ExportShape,
        IndicatorColumns,
    )>,
) -> Result<Export> {
    let moment = past.of_any(only(&filter.organization, &filter.fiscal_year))?;
    let order = ExportRequest::new(&INDICATORS, &req, &shape, false)?.columns(columns.columns);
    order
        .fill(&db.at(moment), move |conn, writer| {
            let source = Source::read(conn)?;
            let read = |after: Option<Id>| {
                let query = indicators::changed(&filter, &since).select((Indicator::as_select(), g::title));
                let query = match after {
                    Some(id) => query.filter(i::id.gt(id)),
                    None => query,
                };
                let stretch: Vec<(Indicator, Title)> = Limited::to(BATCH, query.order(i::id)).load(conn.conn)?;
                Ok(stretch.last().map(|(row, _)| row.id).map(|last| (last, stretch)))
            };
            in_step(read, |(row, goal)| writer.row(&rows::indicator(row, goal, &source)))
        })
        .await
}

/// Exports results, or gives the sheet to fill in.
///
/// One row for each result, with its indicator, target and the previous year's value, in the order in which they were
/// created; with the filters of the list. The file can be changed and sent to `/v1/imports/results`, which refuses rows whose result
/// was changed since: `version` tells. Otherwise like `/v1/exports/indicators`.
#[utoipa::path(
    tag = "exports",
    params(ResultFilter, AsOfParam, Since, ExportShape, Filling, ResultColumns)
)]
#[get("/exports/results")]
async fn export_results(
    req: HttpRequest,
    db: Db,
    Query((filter, moment, shape, filling, columns)): Query<(
        ResultFilter,
        Past<Since>,
        ExportShape,
        Filling,
        ResultColumns,
    )>,
) -> Result<Export> {
    let (past, since) = moment;
    let moment = past.of_any(only(&filter.organization, &filter.policy_year))?;
    if filling.template {
        let (organization, year) = template::wanted(&filter, &past, &since, &columns)?;
        let order = ExportRequest::new(&RESULTS, &req, &shape, true)?.named(format!("results-{organization}-{year}"));
        return order
            .fill(&db, move |conn, writer| {
                template::write(conn, &organization, year, writer)
            })
            .await;
    }
    let order = ExportRequest::new(&RESULTS, &req, &shape, false)?.columns(columns.columns);
    order
        .fill(&db.at(moment), move |conn, writer| {
            let source = Source::read(conn)?;
            let on = conn.today;
            let read = |after| results::read(conn, &filter, &since, after);
            in_step(read, |row| writer.row(&row.cells(on, &source)))
        })
        .await
}

/// Exports budgets.
///
/// One row for each figure, in the order in which they were created; with the filters of the list. An amount that is not
/// stated is an empty cell, with the reason in `status`. Otherwise like `/v1/exports/indicators`.
#[utoipa::path(tag = "exports", params(BudgetFilter, AsOfParam, Since, ExportShape, BudgetColumns))]
#[get("/exports/budgets")]
async fn export_budgets(
    req: HttpRequest,
    db: Db,
    Query((filter, past, since, shape, columns)): Query<(BudgetFilter, AsOfParam, Since, ExportShape, BudgetColumns)>,
) -> Result<Export> {
    let moment = past.of_any(only(&filter.organization, &filter.policy_year))?;
    let order = ExportRequest::new(&BUDGETS, &req, &shape, false)?.columns(columns.columns);
    order
        .fill(&db.at(moment), move |conn, writer| {
            let source = Source::read(conn)?;
            let read = |after: Option<Id>| {
                let query = budgets::matching(&filter, &since).select((Budget::as_select(), g::title));
                let query = match after {
                    Some(id) => query.filter(b::id.gt(id)),
                    None => query,
                };
                let stretch: Vec<(Budget, Title)> = Limited::to(BATCH, query.order(b::id)).load(conn.conn)?;
                Ok(stretch.last().map(|(row, _)| row.id).map(|last| (last, stretch)))
            };
            in_step(read, |(row, goal)| writer.row(&rows::budget(row, goal, &source)))
        })
        .await
}

/// Exports evaluations.
///
/// One row for each indicator and fiscal year, by the order of the indicators' creation; with the filters of the list.
/// Otherwise like `/v1/exports/indicators`.
#[utoipa::path(
    tag = "exports",
    params(
        EvaluationFilter,
        Judging,
        AsOfParam,
        EvaluationSince,
        ExportShape,
        EvaluationColumns
    )
)]
#[get("/exports/evaluations")]
async fn export_evaluations(
    req: HttpRequest,
    db: Db,
    Query((filter, judging, moment, shape, columns)): Query<(
        EvaluationFilter,
        Judging,
        Past<EvaluationSince>,
        ExportShape,
        EvaluationColumns,
    )>,
) -> Result<Export> {
    let (past, since) = moment;
    let moment = past.of_any(only(&filter.organization, &filter.policy_year))?;
    let order = ExportRequest::new(&EVALUATIONS, &req, &shape, false)?.columns(columns.columns);
    order
        .fill(&db.at(moment), move |conn, writer| {
            let source = Source::read(conn)?;
            let on = judging.on.or(conn.today);
            case::each(conn, &filter, &since.into(), on, case::Walk::ALL, |judged| {
                writer.row(&rows::evaluation(judged.row(on), &source))?;
                Ok(true)
            })
        })
        .await
}

/// Reads rows batch after batch, each after the last row of the one before, until there is none. One batch is written
/// while the next is read.
fn in_step<T: Send>(
    mut read: impl FnMut(Option<Id>) -> Result<Option<(Id, Vec<T>)>>,
    mut write: impl FnMut(T) -> Result<()> + Send,
) -> Result<()> {
    let (sender, receiver) = mpsc::sync_channel::<Vec<T>>(1);
    // The sender is dropped when the reading ends, whichever way, so that the writer waits no longer.
    thread::scope(move |scope| {
        let writing = scope.spawn(move || receiver.into_iter().flatten().try_for_each(&mut write));
        let mut after = None;
        while let Some((last, stretch)) = read(after)? {
            after = Some(last);
            // Sending fails when the writer has ended; its result says why.
            if sender.send(stretch).is_err() {
                break;
            }
        }
        drop(sender);
        writing
            .join()
            .map_err(|_panic| Error::internal("a writer has panicked"))?
    })
}
