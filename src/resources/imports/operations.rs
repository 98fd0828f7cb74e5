//! The operations: one for each kind of file, and the one that took all of them.
//!
//! A body has one media type in the contract, `application/octet-stream`, since that is what every generator of clients
//! can send; some know no `multipart/form-data`, some not more than one media type of a body. What a file is, its bytes
//! tell then. Whoever says the media type is believed, and a form with the file is taken too.
#![expect(deprecated, reason = "`POST /v1/imports` goes on working until its day")]

use std::sync::Arc;

use actix_web::{
    Error as ActixError,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::header::HeaderValue,
    middleware::{Next, from_fn},
    post,
};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{ImportFormat, ImportOptions, ImportReport, Rewording, import, read};
use crate::{
    db::{Db, Tx},
    error::Result,
    http::{
        deprecation,
        idempotency::Idempotent,
        media_type::{CSV, JSON, MS_EXCEL, OCTET_STREAM, XLSX},
        query::Query,
        respond::Answer,
        upload::{FileType, FileTypes, Upload},
        workshop::Bench,
    },
    query,
    resources::policy_trees::PolicyTree,
    value::{FiscalYear, hex},
};

/// The routes of imports.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(import_form)
        .service(import_policy)
        .service(import_results)
        .service(import_file);
}

query! {
    /// How to import a policy.
    pub struct PolicyImportOptions {
        /// Whether to try only: everything is done as it would be, reported, and undone.
        pub dry_run: bool,
        /// What a new indicator of a form, or one without an identifier of a policy as JSON, is that may be a stored one in other
        /// words: the file lacks that one, which stands under the same goal, with a like name and the same unit and shape of target.
        /// `refuse` by default.
        pub rewording: Option<Rewording>,
    }
}

query! {
    /// How to import a table of results.
    pub struct ResultsImportOptions {
        /// Whether to try only: everything is done as it would be, reported, and undone.
        pub dry_run: bool,
        /// The fiscal year of the rows that name none.
        pub fiscal_year: Option<FiscalYear>,
    }
}

query! {
    /// How to import any file.
    pub struct FileImportOptions {
        /// Whether to try only: everything is done as it would be, reported, and undone.
        pub dry_run: bool,
        /// As of `/v1/imports/forms` and `/v1/imports/policies`.
        pub rewording: Option<Rewording>,
        /// As of `/v1/imports/results`.
        pub fiscal_year: Option<FiscalYear>,
    }
}

impl From<PolicyImportOptions> for ImportOptions {
    fn from(PolicyImportOptions { dry_run, rewording }: PolicyImportOptions) -> Self {
        Self {
            dry_run,
            rewording,
            fiscal_year: None,
        }
    }
}

impl From<ResultsImportOptions> for ImportOptions {
    fn from(ResultsImportOptions { dry_run, fiscal_year }: ResultsImportOptions) -> Self {
        Self {
            dry_run,
            rewording: None,
            fiscal_year,
        }
    }
}

impl From<FileImportOptions> for ImportOptions {
    fn from(options: FileImportOptions) -> Self {
        let FileImportOptions {
            dry_run,
            rewording,
            fiscal_year,
        } = options;
        Self {
            dry_run,
            rewording,
            fiscal_year,
        }
    }
}

const fn file_type(
    media_type: &'static str,
    extension: &'static str,
    kind: Option<ImportFormat>,
) -> FileType<ImportFormat> {
    FileType {
        media_type,
        extension,
        kind,
    }
}

const TEXT_FORM: FileType<ImportFormat> = file_type("text/plain", "txt", Some(ImportFormat::Text));
const HTML_FORM: FileType<ImportFormat> = file_type("text/html", "html", Some(ImportFormat::Html));
const POLICY: FileType<ImportFormat> = file_type(JSON, "json", Some(ImportFormat::Json));
const CSV_TABLE: FileType<ImportFormat> = file_type(CSV, "csv", Some(ImportFormat::Csv));
const WORKBOOK: FileType<ImportFormat> = file_type(XLSX, "xlsx", Some(ImportFormat::Xlsx));
const EXCEL: FileType<ImportFormat> = file_type(MS_EXCEL, "xls", None);
const BYTES: FileType<ImportFormat> = file_type(OCTET_STREAM, "", None);

/// The official form.
#[derive(Debug)]
struct FormFiles;

impl FileTypes for FormFiles {
    type Kind = ImportFormat;
    const TYPES: &'static [FileType<ImportFormat>] = &[
        TEXT_FORM,
        HTML_FORM,
        file_type("text/html", "htm", HTML_FORM.kind),
        BYTES,
    ];
    const NAMES: &'static str = "text/plain, text/html, application/octet-stream, multipart/form-data";

    /// HTML begins with a tag, a comment or its type, behind whatever marks the order of bytes.
    fn recognize(bytes: &[u8]) -> ImportFormat {
        let marks = [0xef, 0xbb, 0xbf, 0xff, 0xfe, 0];
        let mut visible = bytes.iter().filter(|b| !b.is_ascii_whitespace() && !marks.contains(*b));
        if visible.next() == Some(&b'<') {
            ImportFormat::Html
        } else {
            ImportFormat::Text
        }
    }
}

/// A policy as JSON.
#[derive(Debug)]
struct PolicyFiles;

impl FileTypes for PolicyFiles {
    type Kind = ImportFormat;
    const TYPES: &'static [FileType<ImportFormat>] = &[POLICY, BYTES];
    const NAMES: &'static str = "application/json, application/octet-stream, multipart/form-data";

    fn recognize(_: &[u8]) -> ImportFormat {
        ImportFormat::Json
    }
}

/// Tables of results.
#[derive(Debug)]
struct ResultsFiles;

impl FileTypes for ResultsFiles {
    type Kind = ImportFormat;
    const TYPES: &'static [FileType<ImportFormat>] = &[CSV_TABLE, WORKBOOK, EXCEL, BYTES];
    const NAMES: &'static str = "text/csv, application/vnd.openxmlformats-officedocument.spreadsheetml.sheet, application/octet-stream, multipart/form-data";

    /// A workbook is a ZIP archive. An old one is none; that it is old, its reader says.
    fn recognize(bytes: &[u8]) -> ImportFormat {
        let workbooks: [&[u8]; 2] = [b"PK\x03\x04", &[0xd0, 0xcf, 0x11, 0xe0]];
        if workbooks.iter().any(|begin| bytes.starts_with(begin)) {
            ImportFormat::Xlsx
        } else {
            ImportFormat::Csv
        }
    }
}

/// All of these files, told apart by their media types.
#[derive(Debug)]
struct AnyFiles;

impl FileTypes for AnyFiles {
    type Kind = ImportFormat;
    const TYPES: &'static [FileType<ImportFormat>] = &[POLICY, TEXT_FORM, HTML_FORM, CSV_TABLE, WORKBOOK, EXCEL];
    const NAMES: &'static str = "application/json, text/plain, text/html, text/csv, application/vnd.openxmlformats-officedocument.spreadsheetml.sheet, multipart/form-data";

    fn recognize(bytes: &[u8]) -> ImportFormat {
        ResultsFiles::recognize(bytes)
    }
}

/// The official form (【共通様式】) as text, with tabs between the cells of its tables, or as HTML: at most 16 MiB.
#[derive(Debug, ToSchema)]
#[schema(value_type = String, format = Binary)]
struct FormFile(#[expect(dead_code, reason = "it is read as bytes; this is its schema")] String);

/// Results as a table, a row for each indicator and fiscal year, with the columns of `/v1/exports/results` (any of them, in
/// any order); as CSV (UTF-8, UTF-16 or Shift JIS) or as an Excel workbook, of which every worksheet with these heads is read
/// that is not hidden. A row with a `version` (版) that is not the stored one is refused if it would change anything. At most
/// 16 MiB.
#[derive(Debug, ToSchema)]
#[schema(value_type = String, format = Binary)]
struct ResultsFile(#[expect(dead_code, reason = "it is read as bytes; this is its schema")] String);

/// Imports a form.
///
/// The official form (【共通様式】) as text or HTML, in UTF-8, UTF-16 or Shift JIS. What differs from what is stored is written,
/// what the form leaves out stays, and the report says both, with the line each field was read from, what should be looked
/// at, and what each target comes to. A policy that is not there is stored as a draft. The same form again changes nothing.
/// With `dry_run=true` everything is done, reported and undone, and errors are part of the report. Otherwise a form is
/// refused whole, or stored whole: 422 names every error and broken rule. What is public changes with a reason
/// (`Change-Reason`).
///
/// The body is the form: `text/plain`, `text/html`, or `application/octet-stream`, which is HTML if it begins with `<`. Or
/// it is `multipart/form-data` with the form as its only field, `file`, of one of these types, or with a name that ends in
/// `.txt`, `.html` or `.htm`.
#[utoipa::path(
    tag = "imports",
    security(("token" = ["edit"])),
    params(PolicyImportOptions),
    request_body(content = FormFile, content_type = "application/octet-stream")
)]
#[post("/imports/forms")]
async fn import_form(
    db: Db,
    Query(options): Query<PolicyImportOptions>,
    bench: Bench,
    upload: Upload<FormFiles>,
) -> Result<Idempotent<Answer<ImportReport>>> {
    receive(&db, options.into(), bench, upload).await
}

/// Imports a policy.
///
/// A policy with everything below it as JSON, as its tree is read. What differs from what is stored is written, what the file leaves out stays, and the report
/// says both, and what each target comes to. A policy that is not there is stored as a draft, under the identifiers that the tree has, so that it moves from one
/// installation to another as it is. The same file again changes nothing. With `dry_run=true` everything is done, reported and undone, and errors are part of the
/// report. Otherwise a file is refused whole, or stored whole: 422 names every broken rule, 409 what contradicts what is stored. What is public changes with a
/// reason (`Change-Reason`).
///
/// The body is the JSON, as `application/json` or `application/octet-stream`; or `multipart/form-data` with the file as its only
/// field, `file`.
#[utoipa::path(tag = "imports", security(("token" = ["edit"])), params(PolicyImportOptions), request_body = PolicyTree)]
#[post("/imports/policies")]
async fn import_policy(
    db: Db,
    Query(options): Query<PolicyImportOptions>,
    bench: Bench,
    upload: Upload<PolicyFiles>,
) -> Result<Idempotent<Answer<ImportReport>>> {
    receive(&db, options.into(), bench, upload).await
}

/// Imports results.
///
/// Results as a table, CSV or Excel, as `/v1/exports/results` gives them to fill in. What differs from what is stored is
/// written, what the table leaves out stays, and the report says what changed, what should be looked at, and what each
/// target comes to. The same table again changes nothing. With `dry_run=true` everything is done, reported and undone, and
/// errors are part of the report. Otherwise a table is refused whole, or stored whole: 422 names every error by the address
/// of its cell, 409 the rows that were made from another version than the stored one. What is public changes with a reason
/// (`Change-Reason`).
///
/// The body is the table: `text/csv`, `application/vnd.openxmlformats-officedocument.spreadsheetml.sheet`, or
/// `application/octet-stream` or `application/vnd.ms-excel`, where the first bytes say whether it is a workbook. Or it is
/// `multipart/form-data` with the table as its only field, `file`, of one of these types, or with a name that ends in `.csv`
/// or `.xlsx`.
#[utoipa::path(
    tag = "imports",
    security(("token" = ["edit"])),
    params(ResultsImportOptions),
    request_body(content = ResultsFile, content_type = "application/octet-stream")
)]
#[post("/imports/results")]
async fn import_results(
    db: Db,
    Query(options): Query<ResultsImportOptions>,
    bench: Bench,
    upload: Upload<ResultsFiles>,
) -> Result<Idempotent<Answer<ImportReport>>> {
    receive(&db, options.into(), bench, upload).await
}

/// Imports any file.
///
/// Deprecated, until 30 November 2027: use `/v1/imports/forms`, `/v1/imports/policies` or `/v1/imports/results`. Besides a
/// policy as JSON, this takes the files of all three, told apart by their media types. Its answers have the headers
/// `Deprecation` and `Sunset`.
#[utoipa::path(tag = "imports", security(("token" = ["edit"])), params(FileImportOptions), request_body = PolicyTree)]
#[deprecated]
#[post("/imports", wrap = "from_fn(announce)")]
async fn import_file(
    db: Db,
    Query(options): Query<FileImportOptions>,
    bench: Bench,
    upload: Upload<AnyFiles>,
) -> Result<Idempotent<Answer<ImportReport>>> {
    receive(&db, options.into(), bench, upload).await
}

/// Since when `POST /v1/imports` is deprecated (30 November 2026), and until when it stays.
const DEPRECATED: [HeaderValue; 2] = [
    HeaderValue::from_static("@1795996800"),
    HeaderValue::from_static("Tue, 30 Nov 2027 00:00:00 GMT"),
];

async fn announce<B: MessageBody>(req: ServiceRequest, next: Next<B>) -> Result<ServiceResponse<B>, ActixError> {
    deprecation::announce(req, next, DEPRECATED).await
}

/// Reads and imports a file. The same file is the same request however it was sent.
async fn receive<T: FileTypes<Kind = ImportFormat>>(
    db: &Db,
    options: ImportOptions,
    bench: Bench,
    upload: Upload<T>,
) -> Result<Idempotent<Answer<ImportReport>>> {
    let context = db.context().clone();
    let read = move || {
        let (format, bytes) = upload.file()?;
        let said = read(format, bytes, upload.most, &context)?;
        Ok((format, hex(&Sha256::digest(bytes)), Arc::new(said)))
    };
    let (format, digest, said) = bench.work(read).await?;
    let ImportOptions {
        dry_run,
        rewording,
        fiscal_year,
    } = options;
    let request = (format, (dry_run, rewording, fiscal_year), digest);
    let work = move |tx: &mut Tx<'_>| import(tx, &said, &options).map(Answer);
    if dry_run {
        db.try_once(&request, work).await
    } else {
        db.once(&request, work).await
    }
}
