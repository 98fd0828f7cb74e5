//! Imports: files that become data, with a report of what they change.

use super::{
    policies,
    policy_trees::{
        PolicyTree,
        store::{self, Rows},
    },
};
use crate::{
    db::{Affected, Context, Tx},
    domain::form::{self, Form, Note, Severity},
    error::{Error, Result, Violation},
    http::{
        extract::not_json,
        json::{self, Most},
        validation::{self, Known},
    },
    sheet::{self, decode::decode, table::Tables},
    text_enum,
    value::{FiscalYear, Slug, language::Bilingual},
};

mod form_merge;
mod merge;
mod operations;
mod report;
mod results;
pub mod results_table;
mod rewording;
mod source_map;

use form_merge::{MergedForm, policy_of};
use merge::{Unmentioned, merge_over};
pub use operations::routes;
pub use report::{ImportChange, ImportNote, ImportReport};

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

/// How to import.
#[derive(Debug, Clone, Copy, Default)]
pub struct ImportOptions {
    /// Whether to try only.
    pub dry_run: bool,
    /// What a new indicator is that may be a stored one in other words.
    pub rewording: Option<Rewording>,
    /// The fiscal year of the rows of a table that name none.
    pub fiscal_year: Option<FiscalYear>,
}

impl ImportOptions {
    fn rewording(&self) -> Rewording {
        self.rewording.unwrap_or(Rewording::Refuse)
    }
}

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

/// Reads a file.
pub fn read(format: ImportFormat, bytes: &[u8], most: Most, context: &Context) -> Result<ParsedFile> {
    let form = match format {
        ImportFormat::Json => {
            let document = json::read(bytes, most).map_err(|e| not_json(&e))?;
            context.would_change(Affected::of_tree(&document));
            let known = Known {
                rest_stays: true,
                ..Known::default()
            };
            return validation::read_knowing(document, &known).map(|tree| ParsedFile::Policy(Box::new(tree)));
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
                let rows = Rows::of(tx, policy.id)?;
                let mut whole = PolicyTree::clone(tree);
                let stored = rows.clone().tree(tx.today);
                let notes = rewording::settle(&mut whole, &stored, options.rewording());
                if !notes.is_empty() {
                    let about = (tree.organization.to_string().parse().ok(), Some(tree.fiscal_year));
                    return refused(ImportFormat::Json, dry_run, about, notes);
                }
                // By the addresses of the file; what is merged into it may move them.
                store::check(&rows, &whole)?;
                let left = merge_over(&mut whole, stored);
                store::store(tx, rows, &whole)?;
                left
            } else {
                store::restore(tx, tree).map_err(taken)?;
                vec![]
            };
            let policy = policies::find(tx, &key)?;
            ImportReport::written(tx, ImportFormat::Json, dry_run, &policy, left)
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
            tx.caller.would_change(Some(Affected::policy(&key)));
            let policy = policies::permitted_or_new(tx, &key)?;
            let rows = policy.map(|policy| Rows::of(tx, policy.id)).transpose()?;
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
        ImportReport::written(tx, format, dry_run, &policy, left)
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
