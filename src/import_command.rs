//! `ward-policy import`: files that become data, for whoever commands the machine.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use clap::Args;
use diesel::PgConnection;
use serde_json::Value;

use crate::{
    auth::Caller,
    command::{self, Failure, in_words},
    config::Config,
    db,
    resources::imports::{self, ImportFormat, ImportReport},
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
    /// Why something changes that is public already.
    #[arg(long)]
    reason: Option<String>,
    /// Print the reports as JSON, one a line.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(command: &ImportCommand) -> Result<(), Failure> {
    let limit = Config::from_env()?.limits.import_bytes;
    command::run(|conn| {
        let mut lines = Vec::new();
        for file in &command.files {
            let report = bytes(file, limit)
                .and_then(|bytes| import(conn, command, &bytes))
                .map_err(|e| format!("{}: {e}", file.display()))?;
            if command.json {
                lines.push(serde_json::to_string(&report)?);
            } else {
                lines.push(format!("{}: {}", file.display(), summary(&report)));
                lines.extend(report.changes.iter().map(change));
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

fn import(conn: &mut PgConnection, command: &ImportCommand, bytes: &[u8]) -> Result<ImportReport, Failure> {
    let said = imports::read(ImportFormat::Json, bytes).map_err(|e| in_words(&e))?;
    db::write(conn, &Caller::service(), |tx| {
        if let Some(reason) = &command.reason {
            tx.because(reason)?;
        }
        imports::import(tx, &said, command.dry_run)
    })
    .map_err(|e| in_words(&e).into())
}

/// A report in one line.
fn summary(report: &ImportReport) -> String {
    let did = if report.dry_run { "would be" } else { "were" };
    format!(
        "{}/{}: {} things {did} created, {} changed; {} that the file lacks stay",
        report.organization,
        report.fiscal_year,
        report.created,
        report.changed,
        report.left.len()
    )
}

/// A change in one line: what was done, to what, and what people call it.
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
