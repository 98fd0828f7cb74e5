//! XLSX, as spreadsheets and other programs write it: the digits, the formats and the kinds of its cells.
//!
//! Reads the XML itself: a number needs its digits and its format, and libraries that read XLSX give floats and no
//! formats of percentages.

use std::{collections::HashMap, sync::Arc};

use super::table::{Table, refused};
use crate::domain::form::Note;
use package::{Package, Step, unreadable};
use styles::Formats;

mod cells;
mod package;
mod strings;
mod styles;
#[cfg(test)]
mod tests;

/// The worksheet that is read where there are several.
const SHEET: &str = "実績";

/// Most worksheets, and most parts that one part refers to; a table of results has fewer.
const MOST_SHEETS: usize = 1_000;
const MOST_RELATIONS: usize = 10_000;

/// Reads a table from the bytes of an XLSX file: the worksheet 実績 if there is one, else the first that is not hidden.
///
/// The error says why the file is no table. A formula gives its value last computed; there is none where a program
/// wrote the file and left computing to the spreadsheet.
pub fn read(bytes: &[u8]) -> Result<Table, Note> {
    let mut package = Package::open(bytes)?;
    let root = relations(&mut package, "_rels/.rels", "")?;
    let part = root
        .of_kind("/officeDocument")
        .ok_or_else(|| unreadable("_rels/.rels"))?;
    let book = Book::read(&mut package, part)?;
    let (folder, file) = part.rsplit_once('/').unwrap_or(("", part));
    let relations = relations(&mut package, &joined(folder, &format!("_rels/{file}.rels")), folder)?;
    let (name, id) = book.chosen().ok_or_else(|| {
        refused(
            "no_sheet",
            (1, 1),
            "表示されているシートがありません",
            "has no worksheet that is not hidden",
        )
    })?;
    let sheet = relations.by_id.get(id).ok_or_else(|| unreadable(part))?;
    let workbook = Workbook {
        strings: match relations.of_kind("/sharedStrings") {
            Some(part) => strings::shared(&mut package, part)?,
            None => Vec::new(),
        },
        formats: match relations.of_kind("/styles") {
            Some(part) => Formats::read(&mut package, part)?,
            None => Formats::default(),
        },
        is_1904: book.is_1904,
        is_uncomputed: book.is_uncomputed,
    };
    let table = cells::read(&mut package, sheet, &workbook)?;
    Ok(Table {
        sheet: Some(name.to_owned()),
        ..table
    })
}

/// The parts of a workbook that all cells share.
struct Workbook {
    strings: Vec<Arc<str>>,
    formats: Formats,
    /// Whether days are counted from 1904 on.
    is_1904: bool,
    /// Whether the values of formulas are made up: the spreadsheet is to compute them on opening.
    is_uncomputed: bool,
}

/// The content of the workbook part.
#[derive(Default)]
struct Book {
    /// Name and relation of every worksheet that is not hidden.
    sheets: Vec<(String, String)>,
    is_1904: bool,
    is_uncomputed: bool,
}

impl Book {
    fn read(package: &mut Package<'_>, part: &str) -> Result<Self, Note> {
        let mut book = Self::default();
        let found = package.walk(part, |step| {
            let Step::Open(element) = step else { return Ok(()) };
            match element.name() {
                "workbookPr" => book.is_1904 = element.flag("date1904")?,
                "calcPr" => book.is_uncomputed = element.flag("fullCalcOnLoad")?,
                "sheet" => {
                    let state = element.attribute("state")?;
                    let (name, id) = (element.attribute("name")?, element.attribute("id")?);
                    if book.sheets.len() == MOST_SHEETS {
                        return Err(unreadable(part));
                    }
                    if let (None | Some("visible"), Some(name), Some(id)) = (state.as_deref(), name, id) {
                        book.sheets.push((name.into_owned(), id.into_owned()));
                    }
                }
                _ => {}
            }
            Ok(())
        })?;
        if found { Ok(book) } else { Err(unreadable(part)) }
    }

    fn chosen(&self) -> Option<(&str, &str)> {
        let named = self.sheets.iter().find(|(name, _)| name.trim() == SHEET);
        let (name, id) = named.or_else(|| self.sheets.first())?;
        Some((name, id))
    }
}

/// Which parts a part refers to.
#[derive(Default)]
struct Relations {
    by_id: HashMap<String, String>,
    /// Kinds and their parts. Only the end of a kind is compared: the beginnings differ between the dialects of XLSX.
    by_kind: Vec<(String, String)>,
}

impl Relations {
    fn of_kind(&self, kind: &str) -> Option<&str> {
        let found = self.by_kind.iter().find(|(known, _)| known.ends_with(kind));
        found.map(|(_, part)| part.as_str())
    }
}

fn relations(package: &mut Package<'_>, part: &str, folder: &str) -> Result<Relations, Note> {
    let mut relations = Relations::default();
    package.walk(part, |step| {
        let Step::Open(element) = step else { return Ok(()) };
        if element.name() != "Relationship" {
            return Ok(());
        }
        if relations.by_kind.len() == MOST_RELATIONS {
            return Err(unreadable(part));
        }
        let (id, kind) = (element.attribute("Id")?, element.attribute("Type")?);
        if let (Some(id), Some(kind), Some(target)) = (id, kind, element.attribute("Target")?) {
            let target = joined(folder, &target);
            relations.by_id.insert(id.into_owned(), target.clone());
            relations.by_kind.push((kind.into_owned(), target));
        }
        Ok(())
    })?;
    Ok(relations)
}

/// The name of a part that another one in `folder` refers to.
fn joined(folder: &str, target: &str) -> String {
    let absolute = target.strip_prefix('/');
    let mut names: Vec<&str> = Vec::new();
    for name in absolute
        .map_or(folder, |_| "")
        .split('/')
        .chain(absolute.unwrap_or(target).split('/'))
    {
        match name {
            "" | "." => {}
            ".." => {
                names.pop();
            }
            name => names.push(name),
        }
    }
    names.join("/")
}
