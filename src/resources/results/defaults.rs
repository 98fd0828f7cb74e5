//! What a result leaves out: its year, and what there is of its value.

use crate::{
    domain::{
        kinds::{ObservationStatus, ValueStatus},
        reading::result::{self, ReadResult},
    },
    error::Violation,
    http::validation::{Members, leave_to, required, said},
    value::{Decimal, FiscalYear, language::Bilingual},
};

/// Fills in everything of a result that follows from the rest of it, and its year.
pub fn fill_in(result: &mut Members, year: Option<FiscalYear>) -> Vec<Violation> {
    leave_to(result, "fiscal_year", || year);
    leave_to(result, "observation_status", || Some(ObservationStatus::Final));
    let mut missing = Vec::new();
    if !result.contains_key("fiscal_year") {
        missing.push(required("/fiscal_year".to_owned()));
    }
    if !result.contains_key("value_status") {
        match value_status(result, year) {
            Ok(status) => leave_to(result, "value_status", || Some(status)),
            Err(violation) => missing.push(violation),
        }
    }
    missing
}

/// What there is of a value: the value itself, else what the text says for why there is none. A text with a number is no reason.
fn value_status(result: &Members, year: Option<FiscalYear>) -> Result<ValueStatus, Violation> {
    let number = |name| said::<Decimal>(result, name);
    if number("value").or_else(|| number("cumulative_value")).is_some() {
        return Ok(ValueStatus::Reported);
    }
    let text: Option<String> = said(result, "text");
    let year = said(result, "fiscal_year").or(year);
    let Some((text, year)) = text.zip(year) else {
        return Ok(ValueStatus::NotYetDue);
    };
    let read = result::read(&text, None, year);
    match read.value_status {
        Some(ValueStatus::Reported) => Err(unstated(&read)),
        Some(ValueStatus::TextOnly) if has_number(&text) => Err(unstated(&read)),
        Some(status) => Ok(status),
        None => Ok(ValueStatus::NotYetDue),
    }
}

fn has_number(text: &str) -> bool {
    text.contains(char::is_numeric)
}

fn unstated(read: &ReadResult) -> Violation {
    let detail = Bilingual::new(
        "文言（text）に数値があります。value に指定してください。値がない場合は、理由を value_status に指定してください",
        "is required: the text has a number; where there is no value, value_status says why",
    );
    Violation::at("/value", "required", detail).suggesting(read.value.map(|value| value.to_string()))
}
