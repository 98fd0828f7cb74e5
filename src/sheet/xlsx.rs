//! XLSX, as spreadsheets and other programs write it: the digits, the formats and the kinds of its cells.
//!
//! Reads the XML itself: a number needs its digits and its format, and libraries that read XLSX give floats and no
//! formats of percentages.

use std::collections::HashMap;

use super::{
    table::{Builder, Row, Tables, refused},
    write::MADE,
};
use crate::{domain::form::Note, value::Time};
use cells::Worksheet;
use package::{Package, Step, unreadable};
use strings::CellText;
use styles::Styles;

mod cells;
mod number_format;
mod package;
mod strings;
mod styles;
#[cfg(test)]
mod tests;

/// Most worksheets, and most parts that one part refers to; a table of results has fewer.
const MOST_SHEETS: usize = 1_000;
const MOST_RELATIONS: usize = 10_000;
/// Most characters of a worksheet's name.
const MOST_NAME: usize = 31;

/// Reads the tables from the bytes of an XLSX file: all worksheets that are not hidden and that have the heads, which
/// `has_heads` knows, in one of their first rows.
///
/// The error says why the file is no workbook. A formula gives its value last computed; there is none where a program
/// wrote the file and left computing to the spreadsheet.
pub fn read(bytes: &[u8], has_heads: impl Fn(&Row) -> bool) -> Result<Tables, Note> {
    let mut package = Package::open(bytes)?;
    let root = relations(&mut package, "_rels/.rels", "")?;
    let part = root
        .of_kind("/officeDocument")
        .ok_or_else(|| unreadable("_rels/.rels"))?;
    let book = Book::read(&mut package, part)?;
    let (folder, file) = part.rsplit_once('/').unwrap_or(("", part));
    let relations = relations(&mut package, &joined(folder, &format!("_rels/{file}.rels")), folder)?;
    if book.sheets.is_empty() {
        return Err(refused(
            "no_sheet",
            (1, 1),
            "表示されているシートがありません",
            "has no worksheet that is not hidden",
        ));
    }
    let workbook = Workbook {
        strings: match relations.of_kind("/sharedStrings") {
            Some(part) => strings::shared(&mut package, part)?,
            None => Vec::new(),
        },
        styles: match relations.of_kind("/styles") {
            Some(part) => Styles::read(&mut package, part)?,
            None => Styles::default(),
        },
        is_1904: book.is_1904,
        is_uncomputed: book.is_uncomputed,
    };
    let mut read = Tables {
        saved_at: match root.of_kind("/core-properties") {
            Some(part) => saved_at(&mut package, part)?,
            None => None,
        },
        hidden: book.hidden,
        ..Tables::default()
    };
    let mut builder = Builder::default();
    for (name, id) in &book.sheets {
        let sheet = relations.by_id.get(id).ok_or_else(|| unreadable(part))?;
        if !relations.is_worksheet(sheet) {
            // A chart.
            continue;
        }
        match cells::read(&mut package, (name, sheet), &workbook, &mut builder, &has_heads)? {
            Worksheet::Table(table) => read.tables.push(table),
            Worksheet::Other => read.unread.push(name.clone()),
            Worksheet::Empty => {}
        }
    }
    Ok(read)
}

/// When a workbook was last saved. A workbook as this service made it does not say.
fn saved_at(package: &mut Package<'_>, part: &str) -> Result<Option<Time>, Note> {
    let (mut inside, mut moment) = (false, String::new());
    package.walk(part, |step| {
        match step {
            Step::Open(element) => inside = element.name() == "modified",
            Step::Text(text) if inside => moment.push_str(text),
            Step::Text(_) => {}
            Step::Close(_) => inside = false,
        }
        Ok(())
    })?;
    let moment = moment.trim();
    Ok(Time::read(moment).filter(|_| moment != MADE))
}

/// The parts of a workbook that all cells share.
struct Workbook {
    strings: Vec<CellText>,
    styles: Styles,
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
    /// The names of the others.
    hidden: Vec<String>,
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
                    if book.sheets.len() + book.hidden.len() == MOST_SHEETS {
                        return Err(unreadable(part));
                    }
                    let name = name.unwrap_or_default().chars().take(MOST_NAME).collect();
                    match (state.as_deref(), id) {
                        (None | Some("visible"), Some(id)) => book.sheets.push((name, id.into_owned())),
                        (None | Some("visible"), None) => {}
                        _ => book.hidden.push(name),
                    }
                }
                _ => {}
            }
            Ok(())
        })?;
        if found { Ok(book) } else { Err(unreadable(part)) }
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

    fn is_worksheet(&self, part: &str) -> bool {
        let mut of_part = self.by_kind.iter().filter(|(_, known)| known == part);
        of_part.any(|(kind, _)| kind.ends_with("/worksheet"))
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
