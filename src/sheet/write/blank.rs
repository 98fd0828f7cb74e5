//! A workbook without rows, as a library makes it: heads, page, filter and styles of the table, and two sheets that explain it.

use rust_xlsxwriter::{
    Color, DataValidation, DocProperties, ExcelDateTime, Format, FormatAlign, FormatBorder, Workbook, Worksheet,
    XlsxError,
};

use crate::{sheet::Column, value::language::Bilingual};

/// When every workbook was made, as it says: a fixed moment, so that equal tables make equal files.
pub(in crate::sheet) const MADE: &str = "2024-04-01T00:00:00Z";
/// The worksheets beside the table: about the table, and what its codes mean.
pub const EXPLANATIONS: [&str; 2] = ["この表について", "コード一覧"];
/// Decimal places that a number may show.
const MOST_PLACES: usize = 15;
/// Rows that offer lists of codes, in a table to fill in.
const TO_FILL: u32 = 10_000;
/// The row of the blank workbook, from 1, with a cell in each style; the table's own rows replace it.
pub(super) const STYLES: u32 = 2;
/// A4, by its number in the format.
const A4: u8 = 9;
/// Behind the heads of the table.
const PALE: Color = Color::RGB(0x00E3_EAF2);

/// What a workbook says about its table.
#[derive(Debug, Clone, Default)]
pub struct About {
    /// The name of the table.
    pub title: &'static str,
    /// Facts about the table, by head: its source, its licence.
    pub facts: Vec<(&'static str, String)>,
    /// The meanings of the codes in its columns.
    pub codes: Vec<CodeList>,
    /// How many columns, from the first, a printed page shows.
    pub printed: usize,
    /// Whether people are to fill the table in: then cells for codes offer the list of them.
    pub to_fill: bool,
}

/// The codes of a column.
#[derive(Debug, Clone)]
pub struct CodeList {
    /// The code of the column.
    pub column: &'static str,
    /// Codes with their labels.
    pub codes: Vec<(&'static str, Bilingual)>,
}

/// The numbers of styles.
pub(super) struct Styles {
    pub(super) day: String,
    pub(super) text: String,
    /// Of texts in columns that break lines.
    pub(super) broken: String,
    pub(super) amount: String,
    /// Of numbers, by decimal places.
    pub(super) numbers: Vec<String>,
    /// Of indicators' numbers, by decimal places.
    pub(super) measures: Vec<String>,
}

/// The width of a column whose texts are broken into lines, as they are longer than it is wide.
pub(super) fn breaks_at(code: &str) -> Option<u16> {
    match code {
        "explanation_ja" => Some(36),
        "name" => Some(32),
        "goal_title" | "population" | "target_text" | "text" | "result_text" | "comment" | "comparable_reason" => {
            Some(18)
        }
        "organization_name" | "organization" => Some(13),
        _ => None,
    }
}

/// The width of a column, in digits.
fn width(code: &str) -> u16 {
    match code {
        "explanation_en" => 60,
        "license" => 46,
        "source" => 36,
        "created_at" | "updated_at" => 27,
        _ if code.ends_with("_id") => 38,
        "policy_year" | "fiscal_year" | "goal_code" | "position" | "unit" | "rating" | "gap" | "declared_rating"
        | "decimals" | "version" => 8,
        _ => breaks_at(code).unwrap_or(11),
    }
}

/// How high a row is that has a text of so many lines: programs do not all find that out by themselves.
pub(super) fn height(lines: u16) -> u16 {
    const LINE: u16 = 17;
    const MOST: u16 = 400;
    lines.max(1).saturating_mul(LINE).min(MOST)
}

/// About how many lines a text has in a column, where a full-width character is as wide as two digits.
pub(super) fn lines(text: &str, width: u16) -> u16 {
    let of_line = |line: &str| {
        let digits: usize = line.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum();
        // The last place of a line may be too narrow for a character.
        digits.div_ceil(usize::from(width).saturating_sub(1).max(1)).max(1)
    };
    u16::try_from(text.split('\n').map(of_line).sum::<usize>()).unwrap_or(u16::MAX)
}

/// The workbook without the table's rows, but with one row that has a cell in each style they need.
pub(super) fn blank(columns: &[Column], named: bool, about: &About) -> Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    let made = ExcelDateTime::parse_from_str(MADE)?;
    workbook.set_properties(&DocProperties::new().set_title(about.title).set_creation_datetime(&made));
    let head = Format::new()
        .set_bold()
        .set_text_wrap()
        .set_align(FormatAlign::VerticalCenter)
        .set_background_color(PALE)
        .set_border_bottom(FormatBorder::Thin);
    let sheet = workbook.add_worksheet();
    sheet.set_name(about.title)?.set_freeze_panes(1, 0)?;
    let (mut last, mut most) = (0, 1);
    for (place, (code, label)) in (0..).zip(columns) {
        let (words, width) = (if named { *label } else { *code }, width(code));
        (last, most) = (place, most.max(lines(words, width)));
        sheet.set_column_width(place, width)?;
        sheet.write_string_with_format(0, place, words, &head)?;
    }
    sheet.set_row_height(0, height(most))?;
    let printed = u16::try_from(about.printed).map_or(last, |printed| printed.saturating_sub(1).min(last));
    sheet.autofilter(0, 0, STYLES - 1, last)?;
    sheet.set_print_area(0, 0, STYLES - 1, printed)?;
    sheet.set_repeat_rows(0, 0)?;
    on_pages(sheet, about.title);
    for (place, style) in (0..).zip(formats()) {
        sheet.write_blank(STYLES - 1, place, &style)?;
    }
    if about.to_fill {
        offer(sheet, columns, named, about)?;
    }
    explain(&mut workbook, columns, about)?;
    workbook.save_to_buffer()
}

/// Prints a sheet on A4 across, as wide as a page, with the licence at the foot.
fn on_pages(sheet: &mut Worksheet, title: &str) {
    sheet
        .set_paper_size(A4)
        .set_landscape()
        .set_print_fit_to_pages(1, 0)
        .set_print_gridlines(true)
        .set_margins(0.4, 0.4, 0.4, 0.6, 0.3, 0.3)
        .set_footer(format!("&L大阪市運営方針 {title}&C&P / &N&RCC BY 4.0"));
}

/// The formats of cells, in the order of [`Styles`].
fn formats() -> Vec<Format> {
    let top = || Format::new().set_align(FormatAlign::Top);
    let places = |whole: &'static str| {
        (0..=MOST_PLACES).map(move |places| {
            let point = if places == 0 { "" } else { "." };
            top().set_num_format(format!("{whole}{point}{}", "0".repeat(places)))
        })
    };
    let mut formats = vec![
        top().set_num_format("yyyy-mm-dd"),
        top(),
        top().set_text_wrap(),
        top().set_num_format("#,##0"),
    ];
    formats.extend(places("0").chain(places("#,##0")));
    formats
}

impl Styles {
    /// The styles of the cells in a row, in the order of [`formats`].
    fn of(row: &str) -> Option<Self> {
        let mut styles = row
            .split(" s=\"")
            .skip(1)
            .filter_map(|rest| rest.split_once('"'))
            .map(|(style, _)| style.to_owned());
        let styles = Self {
            day: styles.next()?,
            text: styles.next()?,
            broken: styles.next()?,
            amount: styles.next()?,
            numbers: styles.by_ref().take(MOST_PLACES + 1).collect(),
            measures: styles.collect(),
        };
        (styles.measures.len() == MOST_PLACES + 1).then_some(styles)
    }
}

/// The XML of a table before its rows, the styles, and the XML after the rows.
pub(super) fn taken_apart(table: &str) -> Option<(String, Styles, &str)> {
    let (before, rest) = table.split_once(&format!("<row r=\"{STYLES}\""))?;
    let (row, end) = rest.split_once("</row>")?;
    // The extent of the table is not known yet; the file need not state it.
    let (first, rest) = before.split_once("<dimension ")?;
    let (_, rest) = rest.split_once("/>")?;
    Some((format!("{first}{rest}"), Styles::of(row)?, end))
}

/// Lets cells for codes offer the list of them.
fn offer(sheet: &mut Worksheet, columns: &[Column], named: bool, about: &About) -> Result<(), XlsxError> {
    for list in &about.codes {
        let place = columns.iter().position(|(code, _)| *code == list.column);
        let Some(place) = place.and_then(|place| u16::try_from(place).ok()) else {
            continue;
        };
        let choices: Vec<&str> = list
            .codes
            .iter()
            .map(|(code, label)| if named { &label.ja } else { *code })
            .collect();
        let choice = DataValidation::new().allow_list_strings(&choices)?;
        sheet.add_data_validation(1, place, TO_FILL, place, &choice)?;
    }
    Ok(())
}

/// Adds the sheets about the table and the meanings of its codes.
fn explain(workbook: &mut Workbook, columns: &[Column], about: &About) -> Result<(), XlsxError> {
    let bold = Format::new().set_bold();
    let [facts, codes] = EXPLANATIONS;
    let sheet = workbook.add_worksheet().set_name(facts)?;
    sheet.set_column_width(0, 24)?.set_column_width(1, 100)?;
    on_pages(sheet, facts);
    for (row, (head, words)) in (0..).zip(&about.facts) {
        sheet.write_string_with_format(row, 0, *head, &bold)?;
        sheet.write_string(row, 1, words)?;
    }
    let sheet = workbook.add_worksheet().set_name(codes)?;
    sheet.set_column_width(0, 24)?.set_column_width(1, 24)?;
    sheet.set_column_width(2, 32)?.set_column_width(3, 40)?;
    on_pages(sheet, codes);
    for (place, head) in (0..).zip(["列", "コード", "日本語", "English"]) {
        sheet.write_string_with_format(0, place, head, &bold)?;
    }
    let head = |column| columns.iter().find(|(code, _)| *code == column);
    let lines = about.codes.iter().flat_map(|list| {
        let codes = list
            .codes
            .iter()
            .filter_map(|(code, label)| Some((head(list.column)?.1, *code, label)));
        codes.collect::<Vec<_>>()
    });
    for (row, (head, code, label)) in (1..).zip(lines) {
        for (place, text) in (0..).zip([head, code, &label.ja, &label.en]) {
            sheet.write_string(row, place, text)?;
        }
    }
    Ok(())
}
