//! `ward-policy import`: files that become data, for whoever commands the machine.

use std::{
    ffi::OsStr,
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use clap::Args;
use diesel::PgConnection;
use serde_json::Value;

use super::{
    config::Config,
    database::{self, Failure, in_words, write},
};
use crate::{
    db::{self, Context},
    http::json::Most,
    resources::{
        HOOKS,
        imports::{self, ImportFormat, ImportNote, ImportOptions, ImportReport, Rewording},
    },
    value::{Codes as _, Slug, composed},
};

/// What to import, and how.
#[derive(Debug, Args)]
pub struct ImportCommand {
    /// Files to import, each of them whole or not at all, one after the other.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Only try: report what would change, and store nothing.
    #[arg(long)]
    dry_run: bool,
    /// What an indicator of a form is that is nearly called like a stored one: refuse (the default), rename or add.
    #[arg(long, value_parser = rewording)]
    rewording: Option<Rewording>,
    /// Why something changes that is public already.
    #[arg(long)]
    reason: Option<String>,
    /// Print the reports as JSON, one a line.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(config: &Config, command: &ImportCommand) -> Result<(), Failure> {
    let limit = config.callers.import_bytes;
    database::run(config, |conn| {
        let mut lines = Vec::new();
        for file in &command.files {
            let report = bytes(file, limit)
                .and_then(|bytes| import(conn, command, format(file, &bytes), &bytes))
                .map_err(|e| format!("{}: {e}", file.display()))?;
            if command.json {
                lines.push(serde_json::to_string(&report)?);
            } else {
                lines.push(format!("{}: {}", file.display(), summary(&report)));
                lines.extend(report.changes.iter().map(change));
                lines.extend(report.notes.iter().map(note));
            }
        }
        Ok(lines)
    })
}

fn bytes(file: &Path, limit: usize) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let most = u64::try_from(limit)?.saturating_add(1);
    File::open(file)?.take(most).read_to_end(&mut bytes)?;
    if bytes.len() > limit {
        return Err(format!("is longer than {limit} bytes (WARD_POLICY_IMPORT_BYTES)").into());
    }
    Ok(bytes)
}

/// The format of a file: by its name, else by how it begins.
fn format(file: &Path, bytes: &[u8]) -> ImportFormat {
    let extension = file
        .extension()
        .and_then(OsStr::to_str)
        .unwrap_or_default()
        .to_ascii_lowercase();
    match (extension.as_str(), bytes.trim_ascii_start().first()) {
        ("json", _) | ("", Some(b'{')) => ImportFormat::Json,
        ("csv", _) => ImportFormat::Csv,
        ("xlsx", _) => ImportFormat::Xlsx,
        ("html" | "htm", _) | ("", Some(b'<')) => ImportFormat::Html,
        _ => ImportFormat::Text,
    }
}

fn rewording(code: &str) -> Result<Rewording, String> {
    Rewording::from_code(code).ok_or_else(|| "refuse, rename or add".to_owned())
}

fn import(
    conn: &mut PgConnection,
    command: &ImportCommand,
    format: ImportFormat,
    bytes: &[u8],
) -> Result<ImportReport, Failure> {
    let said = imports::read(format, bytes, Most::default(), &Context::service()).map_err(|e| in_words(&e))?;
    let options = ImportOptions {
        dry_run: command.dry_run,
        rewording: command.rewording,
        fiscal_year: None,
    };
    let work = |tx: &mut db::Tx<'_>| {
        if let Some(reason) = &command.reason {
            tx.set_reason(&composed(reason))?;
        }
        imports::import(tx, &said, &options)
    };
    let done = if command.dry_run {
        db::try_out(conn, HOOKS, &Context::service(), work)
    } else {
        write(conn, work)
    };
    done.map_err(|e| in_words(&e).into())
}

/// A report in one line.
fn summary(report: &ImportReport) -> String {
    let did = if report.dry_run { "would be" } else { "were" };
    format!(
        "{}/{}: {} things {did} created, {} changed; {} that the file lacks stay",
        report.organization.as_ref().map_or("?", Slug::as_str),
        report
            .fiscal_year
            .map_or_else(|| "?".to_owned(), |year| year.to_string()),
        report.created,
        report.changed,
        report.left.len()
    )
}

/// A note in one line: how serious it is, where it stands, and what it says.
fn note(note: &ImportNote) -> String {
    let place = match (note.line, note.column) {
        (Some(line), Some(column)) => format!("{line}:{column} "),
        (Some(line), None) => format!("{line} "),
        _ => String::new(),
    };
    format!("  {}: {place}{} ({})", note.severity, note.detail.en, note.code)
}

/// A change in one line: the operation, the type of the item, and the item's name.
fn change(change: &imports::ImportChange) -> String {
    let names = change.key.as_object().into_iter().flat_map(|key| key.values());
    let names: Vec<String> = names
        .map(|name| name.as_str().map_or_else(|| Value::to_string(name), str::to_owned))
        .collect();
    let fields = change.fields.join(", ");
    format!("  {} {} {}  {fields}", change.op, change.r#type, names.join(" "))
        .trim_end()
        .to_owned()
}
