//! Imports: files that become data, with a report of what they change.

use std::sync::Arc;

use actix_web::post;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{
    policies,
    policy_trees::{
        PolicyTree,
        store::{self, Rows},
    },
};
use crate::{
    db::{Db, Tx},
    domain::form::{self, Form, Note, Severity},
    error::{Error, Result, Violation},
    http::{
        extract::{Upload, UploadKind, not_json},
        idempotency::Idempotent,
        json::{self, Most},
        media_type::XLSX,
        query::Query,
        respond::Answer,
        validation,
        workshop::Bench,
    },
    query,
    sheet::{self, decode::decode, table::Tables},
    text_enum,
    value::{FiscalYear, Slug, hex, language::Bilingual},
};

mod form_merge;
mod merge;
mod report;
mod results;
pub mod results_table;
mod rewording;
mod source_map;

use form_merge::{MergedForm, policy_of};
use merge::{Unmentioned, merge_over};
pub use report::{ImportChange, ImportNote, ImportReport};

/// The route of imports.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(import_file);
}

text_enum! {
    /// What a file to import is.
    pub enum ImportFormat in "import_format" {
        /// A policy with everything below it, as `/v1/policies/{organization}/{fiscal_year}/tree` gives it.
        Json = "json" ("運営方針（JSON）", "policy (JSON)"),
        /// The official form (【共通様式】) as text, with tabs between the cells of its tables.
        Text = "text" ("様式（テキスト）", "form (text)"),
        /// The official form as HTML.
        Html = "html" ("様式（HTML）", "form (HTML)"),
        /// Results as a table in CSV, as `/v1/exports/results` gives it: one row for each indicator and fiscal year.
        Csv = "csv" ("実績（CSV）", "results (CSV)"),
        /// The same as an Excel workbook.
        Xlsx = "xlsx" ("実績（Excel）", "results (Excel)"),
    }
}

impl UploadKind for ImportFormat {
    const TYPES: &'static [(&'static str, Self)] = &[
        ("application/json", Self::Json),
        ("text/plain", Self::Text),
        ("text/html", Self::Html),
        ("text/csv", Self::Csv),
        (XLSX, Self::Xlsx),
    ];
    const NAMES: &'static str = "application/json, text/plain, text/html, text/csv, application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
}

text_enum! {
    /// What a new indicator is that may be a stored one in other words.
    pub enum Rewording in "rewording" {
        /// Nobody knows: the import is refused, and says which.
        Refuse = "refuse" ("取り込まない", "refuse"),
        /// The stored one in other words: it keeps its identity and its history, and is renamed.
        Rename = "rename" ("同じ指標の表現の変更", "the same, renamed"),
        /// A new one beside the stored one.
        Add = "add" ("新しい指標", "a new one"),
    }
}

query! {
    /// How to import.
    pub struct ImportOptions {
        /// Whether to try only: everything is done as it would be, reported, and undone.
        pub dry_run: bool,
        /// What a new indicator of a form, or one without an identifier of a policy as JSON, is that may be a stored one in other
        /// words: the file lacks that one, which stands under the same goal, with a like name and the same unit and shape of target.
        /// `refuse` by default.
        pub rewording: Option<Rewording>,
        /// The fiscal year of the rows of a table of results that name none.
        pub fiscal_year: Option<FiscalYear>,
    }
}

impl ImportOptions {
    fn rewording(&self) -> Rewording {
        self.rewording.unwrap_or(Rewording::Refuse)
    }
}

/// The official form (【共通様式】) as text, with tabs between the cells of its tables, or as HTML.
#[derive(Debug, ToSchema)]
#[schema(value_type = String, min_length = 1, max_length = 8_388_608, example = "令和6年度 西区運営方針")]
pub struct FormText(#[expect(dead_code, reason = "it is read as bytes; this is its schema")] String);

/// Results as a table, a row for each indicator and fiscal year, with the columns of `/v1/exports/results` (any of them, in
/// any order); as CSV (UTF-8, UTF-16 or Shift JIS) or as an Excel workbook, of which every worksheet with these heads is read
/// that is not hidden. A row with a `version` (版) that is not the stored one is refused if it would change anything.
#[derive(Debug, ToSchema)]
#[schema(value_type = String, min_length = 1, max_length = 16_777_216, example = "指標ID,年度,実績値")]
pub struct ResultsFile(#[expect(dead_code, reason = "it is read as bytes; this is its schema")] String);

/// A file, as read.
#[derive(Debug)]
pub enum ParsedFile {
    /// A whole policy.
    Policy(Box<PolicyTree>),
    /// A form.
    Form(ImportFormat, Box<Form>),
    /// Tables of results.
    Results(ImportFormat, Tables),
    /// A file that is not in the format it is said to be in, and why.
    Nothing(ImportFormat, Note),
}

/// Imports a file.
///
/// The official form (【共通様式】) as text or HTML, in UTF-8 or Shift JIS; a policy with everything below it as JSON, as its
/// tree is read; or results as a table, CSV or Excel, as `/v1/exports/results` gives them to fill in. What differs from what is stored is written, what the file leaves out stays, and the report says both,
/// with the line each field of a form was read from, what should be looked at, and what each target comes to. A policy that
/// is not there is stored as a draft; that of a tree under the identifiers it has, so that it moves from one installation to
/// another as it is. The same file again changes nothing. With `dry_run=true` everything is done, reported and undone, and
/// errors are part of the report. Otherwise a file is refused whole, or stored whole: 422 names every error and broken
/// rule, 409 what contradicts what is stored, as rows of a table do that were made from another version than the stored one. What is public changes with a reason (`Change-Reason`).
#[utoipa::path(
    tag = "imports",
    security(("token" = ["edit"])),
    params(ImportOptions),
    request_body(content((PolicyTree = "application/json"), (FormText = "text/plain"), (FormText = "text/html"), (ResultsFile = "text/csv"), (ResultsFile = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")))
)]
#[post("/imports")]
async fn import_file(
    db: Db,
    Query(options): Query<ImportOptions>,
    bench: Bench,
    upload: Upload<ImportFormat>,
) -> Result<Idempotent<Answer<ImportReport>>> {
    let format = upload.kind;
    let how = (options.dry_run, options.rewording, options.fiscal_year);
    let request = (format, how, hex(&Sha256::digest(&upload.bytes)));
    let said = bench
        .work(move || read(format, &upload.bytes, upload.most).map(Arc::new))
        .await?;
    let is_trial = options.dry_run;
    let work = move |tx: &mut Tx<'_>| import(tx, &said, &options).map(Answer);
    if is_trial {
        db.try_once(&request, work).await
    } else {
        db.once(&request, work).await
    }
}

/// Reads a file.
pub fn read(format: ImportFormat, bytes: &[u8], most: Most) -> Result<ParsedFile> {
    let form = match format {
        ImportFormat::Json => {
            let document = json::read(bytes, most).map_err(|e| not_json(&e))?;
            return validation::read(document).map(|tree| ParsedFile::Policy(Box::new(tree)));
        }
        ImportFormat::Csv => {
            let table = sheet::csv::read(bytes, results_table::is_key);
            return Ok(tables(format, table.map(Tables::from)));
        }
        ImportFormat::Xlsx => return Ok(tables(format, sheet::xlsx::read(bytes, results_table::is_header))),
        ImportFormat::Text => form::read_text(&decode(bytes).map_err(unreadable)?),
        ImportFormat::Html => form::read_html(&decode(bytes).map_err(unreadable)?),
    };
    Ok(ParsedFile::Form(format, Box::new(form)))
}

fn tables(format: ImportFormat, tables: std::result::Result<Tables, Note>) -> ParsedFile {
    match tables {
        Ok(tables) => ParsedFile::Results(format, tables),
        Err(note) => ParsedFile::Nothing(format, note),
    }
}

/// The error for a file that is not in the format it is said to be in.
fn unreadable(note: Note) -> Error {
    Error::malformed(Violation::at("", "encoding", note.detail))
}

/// Stores what a file says, or only tries to.
pub fn import(tx: &mut Tx<'_>, said: &ParsedFile, options: &ImportOptions) -> Result<ImportReport> {
    let dry_run = options.dry_run;
    match said {
        ParsedFile::Nothing(format, note) => refused(*format, dry_run, (None, None), vec![note.into()]),
        ParsedFile::Results(format, tables) => results::import(tx, *format, tables, options),
        ParsedFile::Policy(tree) => perhaps(tx, dry_run, |tx| {
            let key = (tree.organization.clone(), tree.fiscal_year);
            let left = if let Some(policy) = policies::permitted_or_new(tx, &key)? {
                let rows = Rows::load(tx, policy)?;
                let mut whole = PolicyTree::clone(tree);
                let stored = rows.clone().tree(tx.today);
                let notes = rewording::settle(&mut whole, &stored, options.rewording());
                if !notes.is_empty() {
                    let about = (tree.organization.to_string().parse().ok(), Some(tree.fiscal_year));
                    return refused(ImportFormat::Json, dry_run, about, notes);
                }
                let left = merge_over(&mut whole, stored);
                store::store(tx, rows, &whole)?;
                left
            } else {
                store::restore(tx, tree).map_err(taken)?;
                vec![]
            };
            let policy = policies::find(tx, &key)?;
            ImportReport::written(tx, ImportFormat::Json, dry_run, policy, left)
        }),
        ParsedFile::Form(format, form) => import_form(tx, *format, form, options),
    }
}

fn import_form(tx: &mut Tx<'_>, format: ImportFormat, form: &Form, options: &ImportOptions) -> Result<ImportReport> {
    let dry_run = options.dry_run;
    let about = policy_of(tx, form)?;
    let laid = match about.clone() {
        (Some(organization), Some(fiscal_year)) => {
            let key = (organization.into(), fiscal_year);
            let policy = policies::permitted_or_new(tx, &key)?;
            let rows = policy.map(|policy| Rows::load(tx, policy)).transpose()?;
            MergedForm::over(
                form,
                key,
                rows.map(|rows| (rows.clone().tree(tx.today), rows)),
                options.rewording(),
            )
        }
        _ => Err(form_merge::notes_of(form)),
    };
    let mut laid = match laid {
        Ok(laid) => laid,
        Err(notes) => return refused(format, dry_run, about, notes),
    };
    let done = perhaps(tx, dry_run, |tx| {
        let key = (laid.tree.organization.clone(), laid.tree.fiscal_year);
        if let Some(rows) = laid.rows.take() {
            store::store(tx, rows, &laid.tree)?;
        } else {
            store::create(tx, &laid.tree)?;
        }
        let policy = policies::find(tx, &key)?;
        let left = std::mem::take(&mut laid.left);
        ImportReport::written(tx, format, dry_run, policy, left)
    });
    match done {
        Ok(mut report) => {
            report.fields = report.tree.as_ref().map(|tree| laid.fields(tree)).unwrap_or_default();
            report.notes = laid.notes;
            Ok(report)
        }
        Err(Error::Invalid(broken) | Error::Conflict(broken)) if dry_run => {
            let fields = laid.fields(&laid.tree);
            let mut notes = laid.notes;
            notes.extend(broken.iter().map(|violation| ImportNote::of(violation, &fields)));
            refused(format, dry_run, about, notes)
        }
        Err(e) => Err(e),
    }
}

/// The organization and the fiscal year that a file is about, as far as it tells.
type About = (Option<Slug>, Option<FiscalYear>);

/// A refused file: for a trial the report, else an error with every broken rule.
fn refused(format: ImportFormat, dry_run: bool, about: About, notes: Vec<ImportNote>) -> Result<ImportReport> {
    if dry_run {
        let (organization, fiscal_year) = about;
        return Ok(ImportReport {
            organization,
            fiscal_year,
            ..ImportReport::refused(format, dry_run, notes)
        });
    }
    let errors = notes.into_iter().filter(|note| note.severity == Severity::Error);
    Err(Error::Invalid(errors.map(ImportNote::into_violation).collect()))
}

fn perhaps<T>(tx: &mut Tx<'_>, dry_run: bool, work: impl FnOnce(&mut Tx<'_>) -> Result<T>) -> Result<T> {
    if dry_run { tx.on_trial(work) } else { work(tx) }
}

/// An identifier that is taken is a conflict (409), not a failed precondition.
fn taken(e: Error) -> Error {
    let detail = Bilingual::new(
        "ファイルの識別子（id）のいずれかは、別のものに使われています",
        "an identifier in the file is that of something else that is stored",
    );
    match e {
        Error::PreconditionFailed => Error::Conflict(vec![Violation::at("", "identity", detail)]),
        e => e,
    }
}
