//! Reads a single cell of a table of results: a number, a day, a code, or why it is none.

use chrono::NaiveDate;
use unicode_normalization::UnicodeNormalization as _;

use super::quoted;
use crate::{
    domain::{
        fiscal_year,
        kinds::ValueStatus,
        likeness,
        reading::figure::{self, NoFigure},
    },
    error::nearest,
    sheet::{
        formula,
        table::{Cell, Content, Number},
    },
    value::{Codes, Date, Decimal, FiscalYear, Id, language::Bilingual},
};

/// Why a cell is refused: a code for programs, and the sentence that follows its address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) code: &'static str,
    pub(super) detail: Bilingual,
}

impl Fault {
    pub(super) fn new(code: &'static str, ja: impl Into<String>, en: impl Into<String>) -> Self {
        Self {
            code,
            detail: Bilingual::new(ja, en),
        }
    }

    fn saying(code: &'static str, detail: Bilingual) -> Self {
        Self { code, detail }
    }
}

/// Whether a cell holds nothing that anybody sees.
pub(super) fn is_blank(cell: &Cell) -> bool {
    has_no_text(cell) && !cell.struck
}

/// Whether everything in a cell is struck out.
pub(super) fn is_struck(cell: &Cell) -> bool {
    has_no_text(cell) && cell.struck
}

fn has_no_text(cell: &Cell) -> bool {
    matches!(&cell.content, Content::Text(text) if text.trim().is_empty())
}

/// A number in `unit`, or one without a unit.
pub(super) fn number(content: &Content, unit: Option<&str>) -> Result<Decimal, Fault> {
    match content {
        Content::Number(number) if number.percent => {
            if unit.is_none_or(|unit| plain(unit) != "%") {
                return Err(Fault::new(
                    "percent",
                    "パーセント表示の数値ですが、単位は％ではありません",
                    "holds a percentage, and the unit is not %",
                ));
            }
            percent(number)
        }
        Content::Number(number) => digits(&number.digits),
        Content::Text(text) => written_number(text, unit),
        other => Err(no(other, "数値", "a number")),
    }
}

/// A count: a whole number, not negative.
pub(super) fn count(content: &Content) -> Result<i64, Fault> {
    let number = number(content, None)?.0;
    let whole = number.is_integer() && !number.is_sign_negative() || number.is_zero();
    let count = whole.then(|| i64::try_from(number).ok()).flatten();
    count.ok_or_else(|| {
        Fault::new(
            "count",
            "0以上の整数にしてください",
            "must be a whole number, 0 or more",
        )
    })
}

/// A code of a list, as such or by its label in either language.
pub(super) fn code<T: Codes>(content: &Content) -> Result<T, Fault> {
    let Content::Text(text) = content else {
        return Err(no(content, "コード", "a code"));
    };
    if let Some(code) = T::from_code(text.trim()) {
        return Ok(code);
    }
    let given = plain(text);
    let is = |known: &str| plain(known) == given;
    let found = T::ALL.iter().find(|item| {
        let label = item.label();
        is(item.code()) || is(&label.ja) || is(&label.en)
    });
    found.copied().ok_or_else(|| {
        let labels: Vec<Bilingual> = T::ALL.iter().map(|item| item.label()).collect();
        let known = T::ALL
            .iter()
            .map(|item| item.code())
            .chain(labels.iter().map(|label| label.ja.as_str()));
        let near = nearest(text.trim(), known.clone());
        let list = known.collect::<Vec<_>>().join(", ");
        let given = quoted(text);
        match near {
            Some(near) => Fault::new(
                "unknown_code",
                format!("「{given}」はありません。「{near}」ではありませんか（{list}）"),
                format!("there is no '{given}'; did you mean '{near}'? ({list})"),
            ),
            None => Fault::new(
                "unknown_code",
                format!("「{given}」はありません。次のいずれかにしてください: {list}"),
                format!("there is no '{given}'; must be one of: {list}"),
            ),
        }
    })
}

/// A text, without the apostrophe that exports put before a text which looks like a formula.
pub(super) fn text(content: &Content) -> Result<String, Fault> {
    match content {
        Content::Text(text) => Ok(formula::restored(text).trim().replace("\r\n", "\n").replace('\r', "\n")),
        Content::Number(number) => Ok(as_shown(number)),
        other => Err(no(other, "文章", "a text")),
    }
}

/// Whether a cell says one of these texts, in any width; a fault if it holds no text.
pub(super) fn same_text(content: &Content, known: &[&str], ja: &str, en: &str) -> Result<bool, Fault> {
    match content {
        Content::Text(_) | Content::Number(_) => {
            let given = text(content)?;
            Ok(!has_mark(&given) && known.iter().any(|known| plain(known) == plain(&given)))
        }
        other => Err(no(other, ja, en)),
    }
}

/// What a message repeats of a cell.
pub(super) fn words(content: &Content) -> String {
    text(content).unwrap_or_default()
}

/// A day: a date cell, 2025-03-31, 2025/3/31, 2025年3月31日, 令和7年3月31日 or R7.3.31.
pub(super) fn day(content: &Content) -> Result<Date, Fault> {
    match content {
        Content::Date(day) => Ok(Date(*day)),
        Content::Text(text) => day_in(text).map(Date).ok_or_else(|| {
            let given = quoted(text);
            Fault::new(
                "date",
                format!("「{given}」は日付ではありません。2025-03-31 か 令和7年3月31日 のように書いてください"),
                format!("'{given}' is no date; write 2025-03-31 or 令和7年3月31日"),
            )
        }),
        Content::Number(_) => Err(Fault::new(
            "date",
            "日付ではなく数値です。セルの表示形式を日付にしてください",
            "holds a number; format the cell as a date",
        )),
        other => Err(no(other, "日付", "a date")),
    }
}

/// A fiscal year as people write it, or as a spreadsheet writes or shows its number (2024.0, 令和6年度); a bare year of an era counts against `near`.
pub(super) fn year(content: &Content, near: Option<FiscalYear>) -> Result<FiscalYear, Fault> {
    let text = match content {
        Content::Text(text) => text.strip_suffix(".0").unwrap_or(text),
        Content::Number(number) if !number.percent => match &number.shown {
            // 令和6年度 of a cell that holds 6.
            Some(shown) if shown.parse::<f64>().is_err() && fiscal_year::parse(shown, near).is_ok() => shown,
            _ => &number.digits,
        },
        other => return Err(no(other, "年度", "a fiscal year")),
    };
    fiscal_year::parse(text, near).map_err(|detail| Fault::saying("fiscal_year", detail))
}

/// An identifier.
pub(super) fn id(content: &Content) -> Result<Id, Fault> {
    let Content::Text(text) = content else {
        return Err(no(content, "識別子", "an identifier"));
    };
    text.trim().parse().map_err(|detail| Fault::saying("id", detail))
}

/// A text without blanks, in half width and lower case: alike texts become equal.
pub(super) fn plain(text: &str) -> String {
    likeness::plain(text).to_lowercase()
}

fn digits(text: &str) -> Result<Decimal, Fault> {
    text.parse().map_err(|detail| Fault::saying("digits", detail))
}

/// 57 for 0.57 shown as 57%.
fn percent(number: &Number) -> Result<Decimal, Fault> {
    let too_many = || Fault::saying("digits", Decimal::too_many_digits());
    let stored: rust_decimal::Decimal = number.digits.parse().map_err(|_unreadable| too_many())?;
    let shown = stored
        .checked_mul(rust_decimal::Decimal::ONE_HUNDRED)
        .ok_or_else(too_many)?;
    digits(&shown.normalize().to_string())
}

/// A number as the cell shows it: 57.0% for 0.57 with one place.
fn as_shown(number: &Number) -> String {
    if let Some(shown) = &number.shown {
        return shown.trim().to_owned();
    }
    let (value, sign) = match percent(number) {
        Ok(Decimal(value)) if number.percent => (value, "%"),
        _ => match number.digits.parse() {
            Ok(value) => (value, ""),
            Err(_) => return number.digits.to_string(),
        },
    };
    let mut value = value.normalize();
    if value.scale() < number.places {
        value.rescale(number.places);
    }
    format!("{value}{sign}")
}

fn written_number(text: &str, unit: Option<&str>) -> Result<Decimal, Fault> {
    figure::read(text, unit).map_err(|why| match why {
        NoFigure::Unit => not_a_number(text, Some(unit.unwrap_or_default())),
        NoFigure::Number => not_a_number(text, None),
    })
}

/// Why a text is no number. If it begins with a number, `unit` is the unit it should be in, empty for none.
fn not_a_number(text: &str, unit: Option<&str>) -> Fault {
    let (given, written) = (quoted(text), plain(text));
    if is_exponential(&written) {
        return Fault::new(
            "exponent",
            format!("「{given}」は指数表記です。桁を省かずに書いてください"),
            format!("'{given}' is in scientific notation; write all of its digits"),
        );
    }
    if let (true, Err(fault)) = (written.bytes().all(|b| b.is_ascii_digit()), digits(&written)) {
        return fault;
    }
    if is_date(&written) {
        return Fault::new(
            "date",
            format!("日付（{given}）が入っています。数値にしてください"),
            format!("holds a date ({given}), not a number"),
        );
    }
    if let Ok(status) = code::<ValueStatus>(&Content::Text(text.into())) {
        let ja = status.label().ja;
        return Fault::new(
            "status_as_value",
            format!("値がないときは空欄にし、状態の列に「{ja}」と書いてください"),
            format!("leave the value empty and state '{status}' in the column value_status"),
        );
    }
    match unit {
        Some(unit) if !unit.is_empty() => Fault::new(
            "unit",
            format!("「{given}」の単位が違います（ここの単位: {unit}）"),
            format!("'{given}' is in another unit; the unit here is {unit}"),
        ),
        Some(_) => Fault::new(
            "unit",
            format!("「{given}」に単位があります。ここは数値だけにしてください"),
            format!("'{given}' has a unit; this is a number without one"),
        ),
        None => Fault::new(
            "number",
            format!("「{given}」は数値ではありません"),
            format!("'{given}' is no number"),
        ),
    }
}

/// Whether a spreadsheet has shortened a number: 1.23E+05.
fn is_exponential(written: &str) -> bool {
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    written.split_once('e').is_some_and(|(mantissa, exponent)| {
        is_digits(&mantissa.trim_start_matches('-').replace('.', ""))
            && is_digits(exponent.trim_start_matches(['+', '-']))
    })
}

/// Whether a spreadsheet made a date of the text: 2025/3/1, 3月1日, 1-mar, mar-01.
fn is_date(written: &str) -> bool {
    const MONTHS: [&str; 12] = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ];
    let short = |text: &str| (1..=4).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    let month_and_day = written.strip_suffix('日').and_then(|rest| rest.split_once('月'));
    let slashed = written.split_once('/');
    let english = written.split_once('-').is_some_and(|(one, other)| {
        MONTHS.contains(&one) && short(other)
            || short(one) && MONTHS.contains(&other.split_once('-').map_or(other, |(month, _)| month))
    });
    written_day(written).is_some()
        || english
        || month_and_day
            .or(slashed)
            .is_some_and(|(one, other)| short(one) && short(other))
}

/// The day in a text.
fn day_in(text: &str) -> Option<NaiveDate> {
    if has_mark(text) {
        None
    } else {
        written_day(&plain(text))
    }
}

/// Whether a text holds a superscript or a circled number, which [`plain`] would make a digit.
fn has_mark(text: &str) -> bool {
    let is_digit = |c: char| c.is_ascii_digit() || ('０'..='９').contains(&c);
    text.contains(|c: char| !is_digit(c) && c.nfkc().any(is_digit))
}

fn written_day(written: &str) -> Option<NaiveDate> {
    let written = written.strip_suffix('日').unwrap_or(written);
    let mut parts = written.splitn(3, ['-', '/', '.', '年', '月']);
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let short = |text: &str| (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    if !short(month) || !short(day) {
        return None;
    }
    let (month, day) = (month.parse().ok()?, day.parse().ok()?);
    // Japan's eras have the same years for days as for fiscal years, but for the months in which one follows another.
    let year = match year.strip_prefix("平成").or_else(|| year.strip_prefix('h')) {
        _ if year.bytes().all(|b| b.is_ascii_digit()) && year.len() != 4 => return None,
        Some("31") if month < 5 => 2019,
        _ => fiscal_year::parse(year, None).ok()?.get(),
    };
    NaiveDate::from_ymd_opt(year, month, day)
}

/// The fault of a cell that holds something else than it should.
fn no(content: &Content, ja: &str, en: &str) -> Fault {
    let (code, is_ja, is_en) = match content {
        Content::Date(day) => ("date", format!("日付（{day}）"), format!("a date ({day})")),
        Content::Time => (
            "time",
            "時刻か、暦にない日付".to_owned(),
            "a time, or a day that no calendar has".to_owned(),
        ),
        Content::Boolean(it) => ("boolean", it.to_string().to_uppercase(), it.to_string().to_uppercase()),
        Content::Error(it) => (
            "error_value",
            format!("エラー（{}）", quoted(it)),
            format!("an error ({})", quoted(it)),
        ),
        Content::Uncomputed => (
            "formula",
            "計算されていない数式".to_owned(),
            "a formula that was never computed".to_owned(),
        ),
        Content::Number(_) => ("number", "数値".to_owned(), "a number".to_owned()),
        Content::Text(_) => ("text", "文章".to_owned(), "a text".to_owned()),
    };
    Fault::new(
        code,
        format!("{is_ja}が入っています。{ja}にしてください"),
        format!("holds {is_en}, not {en}"),
    )
}
