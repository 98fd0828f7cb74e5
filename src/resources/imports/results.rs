//! Tables of results: each row is merged into the stored result.

use std::collections::{HashMap, HashSet};

use diesel::prelude::*;

use super::{
    ImportFormat, ImportOptions, perhaps, refused,
    report::{ImportEvaluation, ImportNote, ImportReport},
    results_table::{KnownIndicator, Sheet, read},
};
use crate::{
    auth::Permission,
    db::{
        Tx,
        schema::{goals as g, indicators as i, policies as p, results as r},
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
            ResultInput, StoredResult,
            bulk::{ResultEntry, broken, store},
        },
    },
    sheet::table::{Content, Table},
    value::{Codes as _, FiscalYear, Id, Line},
};

/// Most rows that a report warns of for one reason.
const MOST_ALIKE: usize = 50;
/// Evaluations a report names.
const EVALUATIONS: usize = 1_000;

/// Stores the results of a table, all of them or none.
pub(super) fn import(
    tx: &mut Tx<'_>,
    format: ImportFormat,
    table: &Table,
    options: &ImportOptions,
) -> Result<ImportReport> {
    let dry_run = options.dry_run;
    let named = named(tx, table)?;
    let mut may_all = true;
    let sheet = read(table, options.fiscal_year, |id| {
        let (known, may) = named.get(&id)?;
        may_all &= may;
        Some(known.clone())
    });
    if !may_all {
        return Err(Error::Forbidden);
    }
    let mut notes: Vec<ImportNote> = sheet.notes.iter().map(ImportNote::from).collect();
    if sheet.is_refused() {
        return refused(format, dry_run, (None, None), notes);
    }
    let entries = entries(tx, &sheet)?;
    // The rules are checked on merged results: the table may not have every column.
    let broken = broken(&entries);
    if !broken.is_empty() {
        notes.extend(broken.iter().map(|violation| at_row(&sheet, violation)));
        return refused(format, dry_run, (None, None), notes);
    }
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
fn named(tx: &mut Tx<'_>, table: &Table) -> Result<HashMap<Id, (KnownIndicator, bool)>> {
    let named: HashSet<Id> = table
        .rows
        .iter()
        .flat_map(|row| &row.cells)
        .filter_map(|cell| match &cell.content {
            Content::Text(text) => text.trim().parse().ok(),
            _ => None,
        })
        .collect();
    let named: Vec<Id> = named.into_iter().collect();
    let rows: Vec<(Id, Line<500>, Option<Line<20>>, Id)> = i::table
        .inner_join(g::table.inner_join(p::table))
        .filter(i::id.eq_any(named))
        .select((i::id, i::name, i::unit, p::organization_id))
        .load(tx.conn)?;
    let caller = tx.caller;
    let known = rows.into_iter().map(|(id, name, unit, organization)| {
        let known = KnownIndicator {
            name: name.0,
            unit: unit.map(|unit| unit.0),
        };
        (id, (known, caller.may(Permission::Edit, Some(organization))))
    });
    Ok(known.collect())
}

/// The results to store: values without a column stay as they are.
fn entries(tx: &mut Tx<'_>, sheet: &Sheet) -> Result<Vec<ResultEntry>> {
    let named: HashSet<Id> = sheet.entries.iter().map(|entry| entry.indicator_id).collect();
    let named: Vec<Id> = named.into_iter().collect();
    let rows: Vec<StoredResult> = StoredResult::query()
        .filter(r::indicator_id.eq_any(named))
        .load(tx.conn)?;
    let today = tx.today;
    let stored: HashMap<(Id, FiscalYear), ResultInput> = rows
        .into_iter()
        .map(|row| ((row.indicator_id, row.fiscal_year()), row.input(today)))
        .collect();
    let entries = sheet.entries.iter().map(|entry| ResultEntry {
        indicator_id: entry.indicator_id,
        version: None,
        result: match stored.get(&(entry.indicator_id, entry.fiscal_year)) {
            Some(stored) => sheet.over(entry, stored),
            None => entry.result.clone(),
        },
    });
    Ok(entries.collect())
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
    let judged = judge(tx, subjects, &Years(years.into_iter().collect()), on)?;
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
    ImportNote {
        line: row.map(|entry| entry.row),
        ..ImportNote::of(violation, &[])
    }
}
