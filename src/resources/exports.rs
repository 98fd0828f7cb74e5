//! Exports: indicators, results, budgets and evaluations as tables in files, and sheets to fill in.
//!
//! A file is written to disk before it is sent: it never breaks off, it has a tag, and while somebody reads it slowly no
//! connection of the database waits.

use actix_web::{HttpRequest, get};
use diesel::prelude::*;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{
    budgets::{self, Budget, BudgetFilter},
    evaluations::{EvaluationFilter, Judging, case},
    indicators::{self, Indicator, IndicatorFilter},
    policies,
    results::{self, ResultFilter},
};
use crate::{
    db::{Db, Read},
    error::{Error, Result, Violation},
    language::Bilingual,
    page,
    past::{AsOf, Past, Since, only},
    query,
    query::{AnyOf, Query, Years},
    request,
    resources::changes::snapshot::NDJSON,
    schema::{budgets as b, goal_code_order, goals as g, indicators as i, results as r},
    sheet::write::{About, Cell, Encoding, Form, Writer},
    text_enum,
    value::{FiscalYear, Id, OrganizationKey},
};

mod reply;
mod rows;
pub(in crate::resources) mod tables;

pub use reply::Export;
use rows::{Source, judged_results};
use tables::{BUDGETS, EVALUATIONS, INDICATORS, RESULTS, Table};

/// The media type of CSV.
pub const CSV: &str = "text/csv";
/// The media type of a workbook.
pub const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
/// The licence of the city's data.
pub const LICENSE: &str = "https://creativecommons.org/licenses/by/4.0/";

/// Rows read together.
const BATCH: usize = 500;

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
        /// Whether CSV in UTF-8 begins with a byte order mark, by which some spreadsheet programs know it.
        pub bom: bool,
    }
}

query! {
    /// Whether the table is to be filled in.
    pub struct Filling {
        /// Gives an organization its sheet to fill in: a row for each indicator of its policy of a fiscal year, with target
        /// and last year's value; empty where there is no result yet. Needs one `organization` and one `fiscal_year`, and
        /// takes no other filter. Send it to `/v1/imports` when it is filled in.
        pub template: bool,
    }
}

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

/// Exports indicators.
///
/// One row for each indicator, with its target, in the order in which they were created; with the filters of the list.
/// Cells are empty where nothing is known. In CSV a text that a spreadsheet would take for a formula begins with an
/// apostrophe. Every row names its source and licence.
#[utoipa::path(tag = "exports", params(IndicatorFilter, Past, Since, ExportShape))]
#[get("/exports/indicators")]
async fn export_indicators(
    req: HttpRequest,
    db: Db,
    Query((filter, past, since, shape)): Query<(IndicatorFilter, Past, Since, ExportShape)>,
) -> Result<Export> {
    let moment = past.of_any(only(&filter.organization, &filter.fiscal_year))?;
    let order = Order::new(&INDICATORS, &req, &shape, false)?;
    order
        .fill(&db.at(moment), move |conn, writer| {
            let source = Source::read(conn)?;
            stretches(|after: Option<Id>| {
                let query = indicators::changed(&filter, &since).select(Indicator::as_select());
                let query = match after {
                    Some(id) => query.filter(i::id.gt(id)),
                    None => query,
                };
                let stretch: Vec<Indicator> = query.order(i::id).limit(page::MAX_LIMIT).load(conn.conn)?;
                let last = stretch.last().map(|row| row.id);
                for row in stretch {
                    writer.row(&rows::indicator(row, &source))?;
                }
                Ok(last)
            })
        })
        .await
}

/// Exports results, or gives the sheet to fill in.
///
/// One row for each result, with its indicator, target and the previous year's value, in the order in which they were
/// created; with the filters of the list. The file can be changed and sent to `/v1/imports`. Otherwise like
/// `/v1/exports/indicators`.
#[utoipa::path(tag = "exports", params(ResultFilter, Past, Since, ExportShape, Filling))]
#[get("/exports/results")]
async fn export_results(
    req: HttpRequest,
    db: Db,
    Query((filter, past, since, shape, filling)): Query<(ResultFilter, Past, Since, ExportShape, Filling)>,
) -> Result<Export> {
    let moment = past.of_any(only(&filter.organization, &filter.policy_year))?;
    if filling.template {
        let (organization, year) = wanted(&filter, &past, &since)?;
        let order = Order::new(&RESULTS, &req, &shape, true)?.named(format!("results-{organization}-{year}"));
        return order
            .fill(&db, move |conn, writer| template(conn, &organization, year, writer))
            .await;
    }
    let order = Order::new(&RESULTS, &req, &shape, false)?;
    order
        .fill(&db.at(moment), move |conn, writer| {
            let source = Source::read(conn)?;
            let on = conn.today;
            stretches(|after: Option<Id>| {
                let query = results::matching(&filter, &since).select(results::Row::as_select());
                let query = match after {
                    Some(id) => query.filter(r::id.gt(id)),
                    None => query,
                };
                let stretch: Vec<results::Row> = query
                    .order(r::id)
                    .limit(i64::try_from(BATCH).map_err(Error::internal)?)
                    .load(conn.conn)?;
                let last = stretch.last().map(|row| row.id);
                for judged in judged_results(conn, &stretch, on)? {
                    writer.row(&rows::result(&judged, on, &source))?;
                }
                Ok(last)
            })
        })
        .await
}

/// Exports budgets.
///
/// One row for each figure, in the order in which they were created; with the filters of the list. An amount that is not
/// stated is an empty cell, with the reason in `status`. Otherwise like `/v1/exports/indicators`.
#[utoipa::path(tag = "exports", params(BudgetFilter, Past, Since, ExportShape))]
#[get("/exports/budgets")]
async fn export_budgets(
    req: HttpRequest,
    db: Db,
    Query((filter, past, since, shape)): Query<(BudgetFilter, Past, Since, ExportShape)>,
) -> Result<Export> {
    let moment = past.of_any(only(&filter.organization, &filter.policy_year))?;
    let order = Order::new(&BUDGETS, &req, &shape, false)?;
    order
        .fill(&db.at(moment), move |conn, writer| {
            let source = Source::read(conn)?;
            stretches(|after: Option<Id>| {
                let query = budgets::matching(&filter, &since).select(Budget::as_select());
                let query = match after {
                    Some(id) => query.filter(b::id.gt(id)),
                    None => query,
                };
                let stretch: Vec<Budget> = query.order(b::id).limit(page::MAX_LIMIT).load(conn.conn)?;
                let last = stretch.last().map(|row| row.id);
                for row in stretch {
                    writer.row(&rows::budget(row, &source))?;
                }
                Ok(last)
            })
        })
        .await
}

/// Exports evaluations.
///
/// One row for each indicator and fiscal year, by the order of the indicators' creation; with the filters of the list.
/// Otherwise like `/v1/exports/indicators`.
#[utoipa::path(tag = "exports", params(EvaluationFilter, Judging, Past, ExportShape))]
#[get("/exports/evaluations")]
async fn export_evaluations(
    req: HttpRequest,
    db: Db,
    Query((filter, judging, past, shape)): Query<(EvaluationFilter, Judging, Past, ExportShape)>,
) -> Result<Export> {
    let moment = past.of_any(only(&filter.organization, &filter.policy_year))?;
    let order = Order::new(&EVALUATIONS, &req, &shape, false)?;
    order
        .fill(&db.at(moment), move |conn, writer| {
            let source = Source::read(conn)?;
            let on = judging.on.or(conn.today);
            case::each(conn, &filter, on, None, |judged| {
                writer.row(&rows::evaluation(judged.row(on), &source))?;
                Ok(true)
            })
        })
        .await
}

/// Reads stretch after stretch, each after the last row of the one before, until there is none.
fn stretches(mut read: impl FnMut(Option<Id>) -> Result<Option<Id>>) -> Result<()> {
    let mut after = None;
    loop {
        match read(after)? {
            Some(last) => after = Some(last),
            None => return Ok(()),
        }
    }
}

/// Whose sheet is to be filled in, and of which fiscal year.
fn wanted(filter: &ResultFilter, past: &Past, since: &Since) -> Result<(OrganizationKey, FiscalYear)> {
    let nothing_else = filter.policy_year.some().is_none()
        && filter.kind.some().is_none()
        && filter.goal.some().is_none()
        && filter.indicator.some().is_none()
        && since.updated_since.is_none()
        && past.as_of == AsOf::Now;
    match (&filter.organization.0[..], &filter.fiscal_year.0[..]) {
        ([organization], [year]) if nothing_else => Ok((organization.clone(), *year)),
        _ => Err(Error::malformed(Violation::of(
            "template",
            "template",
            Bilingual::new(
                "organization と fiscal_year を一つずつ指定してください。ほかの条件は指定できません",
                "needs one organization and one fiscal_year, and takes no other filter",
            ),
        ))),
    }
}

/// Writes a row for each indicator of a policy, in the order of the form.
fn template(conn: &mut Read<'_>, organization: &OrganizationKey, year: FiscalYear, writer: &mut Writer) -> Result<()> {
    let source = Source::read(conn)?;
    let on = conn.today;
    let policy = policies::find(conn, &(organization.clone(), year))?;
    let filter = EvaluationFilter {
        organization: AnyOf(vec![organization.clone()]),
        policy_year: Years(vec![policy.fiscal_year]),
        fiscal_year: Years(vec![policy.fiscal_year]),
        ..EvaluationFilter::default()
    };
    let mut all = Vec::new();
    case::each(conn, &filter, on, None, |judged| {
        all.push(judged);
        Ok(true)
    })?;
    let goals: Vec<Id> = g::table
        .filter(g::policy_id.eq(policy.id))
        .order((goal_code_order(g::code), g::id))
        .select(g::id)
        .load(conn.conn)?;
    all.sort_by_cached_key(|judged| {
        let indicator = &judged.subject.indicator;
        let goal = goals.iter().position(|goal| *goal == indicator.goal_id);
        (goal, indicator.position, indicator.id)
    });
    all.iter()
        .try_for_each(|judged| writer.row(&rows::result(judged, on, &source)))
}

/// A file that was asked for.
struct Order {
    table: &'static Table,
    form: Form,
    named: bool,
    to_fill: bool,
    name: String,
}

impl Order {
    fn new(table: &'static Table, req: &HttpRequest, shape: &ExportShape, to_fill: bool) -> Result<Self> {
        let preferred = || {
            let by_accept = [
                (XLSX, ExportFormat::Xlsx),
                (NDJSON, ExportFormat::Lines),
                (CSV, ExportFormat::Csv),
            ];
            let mut preferred = by_accept
                .into_iter()
                .filter(|(media_type, _)| request::prefers(req, media_type));
            preferred.next().map(|(_, format)| format)
        };
        let default = if to_fill { ExportFormat::Xlsx } else { ExportFormat::Csv };
        let format = shape.format.or_else(preferred).unwrap_or(default);
        let mut broken = Vec::new();
        let mut belongs = |given: bool, name, ja, en| {
            if given {
                broken.push(Violation::of(name, "format", Bilingual::new(ja, en)));
            }
        };
        let is_csv = format == ExportFormat::Csv;
        belongs(
            shape.encoding.is_some() && !is_csv,
            "encoding",
            "CSVのときだけ指定できます",
            "belongs to CSV",
        );
        let cp932 = shape.encoding == Some(ExportEncoding::Cp932);
        belongs(
            shape.bom && (!is_csv || cp932),
            "bom",
            "UTF-8のCSVのときだけ指定できます",
            "belongs to CSV in UTF-8",
        );
        let is_lines = format == ExportFormat::Lines;
        belongs(
            is_lines && shape.names == Some(ExportNames::Japanese),
            "names",
            "NDJSONの見出しは常にコードです",
            "NDJSON always has codes",
        );
        belongs(
            is_lines && to_fill,
            "format",
            "記入用の表はCSVかXLSXです",
            "a sheet to fill in is CSV or XLSX",
        );
        if !broken.is_empty() {
            return Err(Error::Malformed(broken));
        }
        let form = match format {
            ExportFormat::Csv if cp932 => Form::Csv(Encoding::Cp932),
            ExportFormat::Csv => Form::Csv(Encoding::Utf8 { bom: shape.bom }),
            ExportFormat::Xlsx => Form::Xlsx,
            ExportFormat::Lines => Form::Lines,
        };
        Ok(Self {
            table,
            form,
            named: !is_lines && shape.names != Some(ExportNames::Code),
            to_fill,
            name: table.name.to_owned(),
        })
    }

    /// The same under another name.
    fn named(self, name: String) -> Self {
        Self { name, ..self }
    }

    /// Writes the file: `rows` gives its rows, all of which see one state of the database.
    async fn fill(
        self,
        db: &Db,
        rows: impl FnOnce(&mut Read<'_>, &mut Writer) -> Result<()> + Send + 'static,
    ) -> Result<Export> {
        let (table, form, named, to_fill) = (self.table, self.form.clone(), self.named, self.to_fill);
        let write = move |conn: &mut Read<'_>| {
            let about = About {
                title: table.title,
                facts: table.facts(to_fill),
                codes: (table.codes)(),
                to_fill,
            };
            let mut writer = Writer::new(&form, table.columns, named, about)?;
            rows(conn, &mut writer)?;
            Export::tagged(writer.finish()?)
        };
        let (file, tag, length) = db.gather(write).await?;
        Ok(Export {
            file,
            tag,
            length,
            form: self.form,
            name: self.name,
        })
    }
}

/// The last two cells of every row.
fn origin(source: String) -> [Cell; 2] {
    [Cell::Text(source), Cell::Text(LICENSE.to_owned())]
}
