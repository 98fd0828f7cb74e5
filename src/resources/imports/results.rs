//! Tables of results: each row is merged into the stored result.

use std::collections::{HashMap, HashSet};

use chrono::TimeDelta;
use diesel::prelude::*;

use super::{
    ImportFormat, ImportOptions, perhaps, refused,
    report::{ImportEvaluation, ImportNote, ImportReport},
    results_table::{Entry, KnownIndicator, MOST_NOTES, Sheet, TableNote, read},
};
use crate::{
    auth::Permission,
    db::{
        Affected, Tx,
        schema::{goals as g, indicators as i, organizations as o, policies as p, results as r},
    },
    domain::{
        finding::{FindingKind, printed_otherwise},
        form::Severity,
    },
    error::{Error, Place, Result, Violation},
    http::{limits::MAX_BATCH, query::Years},
    resources::{
        evaluations::case::{Subject, judge},
        results::{
            StoredResult,
            bulk::{ResultEntry, broken, store},
        },
    },
    sheet::table::{Content, Tables},
    value::{Codes as _, FiscalYear, GoalCode, Id, Line, Slug, Time, language::Bilingual},
};

/// Most rows that a report warns of for one reason.
const MOST_ALIKE: usize = 50;
/// A file says to the second when it was saved.
const RESOLUTION: TimeDelta = TimeDelta::seconds(1);
/// The column of versions, and the code of the fault of a row that was made from another version than the stored one.
const VERSION: &str = "version";
/// Evaluations a report names.
const EVALUATIONS: usize = 1_000;

/// Stores the results of a file, all of them or none.
pub(super) fn import(
    tx: &mut Tx<'_>,
    format: ImportFormat,
    file: &Tables,
    options: &ImportOptions,
) -> Result<ImportReport> {
    let dry_run = options.dry_run;
    let named = named(tx, file)?;
    tx.caller
        .would_change(Some(Affected::Results(named.keys().copied().collect())));
    let mut lacking = None;
    let sheet = read(file, options.fiscal_year, |id| {
        let (known, may) = named.get(&id)?;
        if !may {
            lacking.get_or_insert_with(|| format!("{}:{}", Permission::Edit.code(), known.organization[0]));
        }
        Some(known.clone())
    });
    if let Some(scope) = lacking {
        return Err(Error::Forbidden(scope));
    }
    let mut notes: Vec<ImportNote> = sheet.notes.iter().map(ImportNote::from).collect();
    if sheet.is_refused() {
        return refused(format, dry_run, (None, None), notes);
    }
    let Merged {
        entries,
        stale,
        overwritten,
    } = merged(tx, &sheet, file.saved_at)?;
    // The rules are checked on merged results: the table may not have every column.
    let broken = broken(&entries);
    if !broken.is_empty() {
        notes.extend(broken.iter().map(|violation| at_row(&sheet, violation)));
        return refused(format, dry_run, (None, None), notes);
    }
    if !stale.is_empty() {
        if !dry_run {
            let conflict = |note: ImportNote| Violation::at("", VERSION, note.detail);
            return Err(Error::Conflict(stale.into_iter().map(conflict).collect()));
        }
        notes.extend(stale);
        return refused(format, dry_run, (None, None), notes);
    }
    notes.extend(overwritten);
    notes.extend(contradicted(&named, &sheet, &entries));
    let done = perhaps(tx, dry_run, |tx| {
        for (n, batch) in entries.chunks(MAX_BATCH).enumerate() {
            store(tx, batch).map_err(|e| placed(e, n * MAX_BATCH))?;
        }
        let mut report = ImportReport::stored(tx, format, dry_run)?;
        report.evaluations = evaluations(tx, &entries)?;
        Ok(report)
    });
    match done {
        Ok(report) => Ok(ImportReport { notes, ..report }),
        Err(Error::Invalid(broken) | Error::Conflict(broken)) if dry_run => {
            notes.extend(broken.iter().map(|violation| at_row(&sheet, violation)));
            refused(format, dry_run, (None, None), notes)
        }
        Err(e) => Err(e),
    }
}

/// The indicators whose ids stand anywhere in a table, and whether the caller may change their results.
fn named(tx: &mut Tx<'_>, file: &Tables) -> Result<HashMap<Id, (KnownIndicator, bool)>> {
    let named: HashSet<Id> = file
        .tables
        .iter()
        .flat_map(|table| &table.rows)
        .flat_map(|row| &row.cells)
        .filter_map(|cell| match &cell.content {
            Content::Text(text) => text.trim().parse().ok(),
            _ => None,
        })
        .collect();
    let named: Vec<Id> = named.into_iter().collect();
    let rows: Vec<NamedIndicator> = NamedIndicator::query().filter(i::id.eq_any(named)).load(tx.conn)?;
    let caller = tx.caller;
    let known = rows.into_iter().map(|row| {
        let may = caller.may(Permission::Edit, Some(row.organization_id));
        let known = KnownIndicator {
            name: row.name.0,
            unit: row.unit.map(|unit| unit.0),
            target_text: row.target_text.map(|text| text.0),
            goal_code: row.goal_code.to_string(),
            organization: [row.organization.to_string(), row.organization_name.0],
            policy_year: row.policy_year,
        };
        (row.id, (known, may))
    });
    Ok(known.collect())
}

/// An indicator that a file names.
#[derive(HasQuery)]
#[diesel(table_name = i, base_query = i::table.inner_join(g::table.inner_join(p::table.inner_join(o::table))))]
struct NamedIndicator {
    id: Id,
    name: Line<500>,
    unit: Option<Line<20>>,
    target_text: Option<Line<500>>,
    #[diesel(select_expression = g::code)]
    goal_code: GoalCode,
    #[diesel(select_expression = p::organization_id)]
    organization_id: Id,
    #[diesel(select_expression = o::slug)]
    organization: Slug,
    #[diesel(select_expression = o::name)]
    organization_name: Line<100>,
    #[diesel(select_expression = p::fiscal_year)]
    policy_year: FiscalYear,
}

/// The rows of a file over what is stored.
struct Merged {
    /// The results to store: values without a column stay as they are.
    entries: Vec<ResultEntry>,
    /// An error for each of the first rows that would change another version than the one they were made from.
    stale: Vec<ImportNote>,
    /// A warning for each of the first rows without a version that change what was written after the file was saved.
    overwritten: Vec<ImportNote>,
}

fn merged(tx: &mut Tx<'_>, sheet: &Sheet, saved_at: Option<Time>) -> Result<Merged> {
    let named: HashSet<Id> = sheet.entries.iter().map(|entry| entry.indicator_id).collect();
    let named: Vec<Id> = named.into_iter().collect();
    let rows: Vec<StoredResult> = StoredResult::query()
        .filter(r::indicator_id.eq_any(named))
        .load(tx.conn)?;
    let today = tx.today;
    let stored: HashMap<(Id, FiscalYear), StoredResult> = rows
        .into_iter()
        .map(|row| ((row.indicator_id, row.fiscal_year()), row))
        .collect();
    let mut merged = Merged {
        entries: Vec::with_capacity(sheet.entries.len()),
        stale: Vec::new(),
        overwritten: Vec::new(),
    };
    for entry in &sheet.entries {
        let stored = stored.get(&(entry.indicator_id, entry.fiscal_year));
        let result = match stored {
            Some(stored) => sheet.over(entry, &stored.clone().input(today)),
            None => entry.result.clone(),
        };
        // A row that changes nothing may be as old as it likes.
        if stored.is_none_or(|stored| stored.differs(&result)) {
            let version = stored.map_or(0, |stored| stored.version);
            let later = stored.map(|stored| stored.updated_at);
            let later = later.filter(|at| saved_at.is_some_and(|it| it.0 + RESOLUTION <= at.0));
            match (entry.version, later) {
                (Some(read), _) if read != version && merged.stale.len() < MOST_NOTES => {
                    merged.stale.push(stale(sheet, entry, read, version));
                }
                (None, Some(later)) if merged.overwritten.len() < MOST_ALIKE => {
                    merged.overwritten.push(overwritten(sheet, entry, later));
                }
                _ => {}
            }
        }
        merged.entries.push(ResultEntry {
            indicator_id: entry.indicator_id,
            // Looked at above.
            version: None,
            result,
        });
    }
    Ok(merged)
}

fn stale(sheet: &Sheet, entry: &Entry, read: i64, stored: i64) -> ImportNote {
    let (at, cell) = sheet.place(entry, VERSION);
    let detail = if stored == 0 {
        Bilingual::new(
            format!("{cell}: 版は{read}ですが、登録済みの実績がありません。新しく登録するときは空欄か0にしてください"),
            format!("{cell}: is version {read}, and no result is stored; to add one, leave the cell empty or write 0"),
        )
    } else {
        Bilingual::new(
            format!(
                "{cell}: 版は{read}ですが、登録済みの版は{stored}です。表を取り出した後に変更されています。取り出し直してください"
            ),
            format!(
                "{cell}: is version {read}, and the stored one is {stored}: it was changed after the table was taken; take it again"
            ),
        )
    };
    sheet_note(sheet, entry, Severity::Error, VERSION, at, detail)
}

fn overwritten(sheet: &Sheet, entry: &Entry, later: Time) -> ImportNote {
    let (at, cell) = sheet.place(entry, "indicator_id");
    let detail = Bilingual::new(
        format!(
            "{cell}: ファイルの保存より後（{later}）に変更された実績を書き換えます。「版」の列があれば確かめられます"
        ),
        format!(
            "{cell}: changes a result that was changed at {later}, after the file was saved; a column 版 (version) would tell"
        ),
    );
    sheet_note(sheet, entry, Severity::Warning, "changed_since", at, detail)
}

fn sheet_note(
    sheet: &Sheet,
    entry: &Entry,
    severity: Severity,
    code: &'static str,
    (line, column): (u32, u32),
    detail: Bilingual,
) -> ImportNote {
    ImportNote::from(&TableNote {
        severity,
        code,
        sheet: sheet.names.name(entry.table),
        line,
        column,
        detail,
    })
}

impl From<&TableNote> for ImportNote {
    fn from(note: &TableNote) -> Self {
        Self {
            severity: note.severity,
            code: note.code.to_owned(),
            sheet: note.sheet.as_deref().map(str::to_owned),
            line: Some(note.line),
            column: Some(note.column),
            pointer: None,
            detail: note.detail.clone(),
        }
    }
}

/// A warning for each of the first rows whose value is not the number in its text, as it will be stored.
fn contradicted<'a>(
    named: &'a HashMap<Id, (KnownIndicator, bool)>,
    sheet: &'a Sheet,
    entries: &'a [ResultEntry],
) -> impl Iterator<Item = ImportNote> + 'a {
    let notes = sheet.entries.iter().zip(entries).filter_map(|(row, entry)| {
        let result = &entry.result;
        let (value, text) = (result.value?, result.text.as_ref()?);
        let unit = named.get(&entry.indicator_id)?.0.unit.as_deref();
        let (_, detail) = printed_otherwise(value, result.cumulative_value, &text.0, unit, result.fiscal_year)?;
        Some(ImportNote {
            severity: Severity::Warning,
            code: FindingKind::TextDiffers.code().to_owned(),
            sheet: sheet.names.name(row.table).as_deref().map(str::to_owned),
            line: Some(row.row),
            column: None,
            pointer: None,
            detail,
        })
    });
    notes.take(MOST_ALIKE)
}

/// The evaluations of the targets, in the order of the table.
fn evaluations(tx: &mut Tx<'_>, entries: &[ResultEntry]) -> Result<Vec<ImportEvaluation>> {
    let first = entries.get(..EVALUATIONS).unwrap_or(entries);
    let wanted: Vec<(Id, FiscalYear)> = first
        .iter()
        .map(|entry| (entry.indicator_id, entry.result.fiscal_year))
        .collect();
    let ids: Vec<Id> = wanted.iter().map(|(id, _)| *id).collect();
    let years: HashSet<FiscalYear> = wanted.iter().map(|(_, year)| *year).collect();
    let subjects = Subject::query().filter(i::id.eq_any(ids)).load(tx.conn)?;
    let on = tx.today;
    let judged = judge(subjects, &Years(years.into_iter().collect()), on);
    let mut by_place: HashMap<(Id, FiscalYear), ImportEvaluation> = judged
        .iter()
        .map(|judged| {
            let key = (judged.subject.indicator.id, judged.fiscal_year);
            (key, ImportEvaluation::of(judged))
        })
        .collect();
    Ok(wanted.iter().filter_map(|key| by_place.remove(key)).collect())
}

/// An error of a batch, its places counted from the beginning of the table.
fn placed(e: Error, before: usize) -> Error {
    let moved = |broken: Vec<Violation>| broken.into_iter().map(|violation| moved(violation, before)).collect();
    match e {
        Error::Invalid(broken) => Error::Invalid(moved(broken)),
        Error::Conflict(broken) => Error::Conflict(moved(broken)),
        e => e,
    }
}

fn moved(violation: Violation, before: usize) -> Violation {
    let place = match &violation.place {
        Place::Body(pointer) => item(pointer).map(|(n, rest)| Place::Body(format!("/items/{}{rest}", n + before))),
        Place::Parameter(_) | Place::Header(_) => None,
    };
    match place {
        Some(place) => Violation { place, ..violation },
        None => violation,
    }
}

/// The number of the item that a pointer leads into, and where in it.
fn item(pointer: &str) -> Option<(usize, &str)> {
    let rest = pointer.strip_prefix("/items/")?;
    let (n, rest) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    Some((n.parse().ok()?, rest))
}

/// A broken rule as an error, at its row.
fn at_row(sheet: &Sheet, violation: &Violation) -> ImportNote {
    let row = match &violation.place {
        Place::Body(pointer) => item(pointer).and_then(|(n, _)| sheet.entries.get(n)),
        Place::Parameter(_) | Place::Header(_) => None,
    };
    let name = row.and_then(|entry| sheet.names.name(entry.table));
    ImportNote {
        sheet: name.as_deref().map(str::to_owned),
        line: row.map(|entry| entry.row),
        ..ImportNote::of(violation, &[])
    }
}
