//! Results (実績) as forms print them: 57.0%：A, 4,722世帯(R3~R5合計10,488世帯):A, 集計中（令和7年9月確定予定）, －（新規）.

use super::{
    MOST, Parse, lexer,
    measure::{self, Measure},
    plain::{Plain, has_digit, one_line, unspaced},
    years,
};
use crate::{
    domain::{
        fiscal_year::label,
        kinds::{ObservationStatus, Rating, ValueStatus},
        quantity::quantity,
    },
    value::{Codes as _, Decimal, FiscalYear},
};

#[cfg(test)]
mod tests;

/// A printed result, as read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadResult {
    /// The value of the fiscal year, in the indicator's unit.
    pub value: Option<Decimal>,
    /// The sum over several fiscal years.
    pub cumulative_value: Option<Decimal>,
    /// The fiscal years the sum covers, where the text says so.
    pub cumulative_years: Option<(FiscalYear, FiscalYear)>,
    /// The unit, as printed; 割 is given as %.
    pub unit: Option<String>,
    /// The value status; nothing where the text is blank.
    pub value_status: Option<ValueStatus>,
    /// How settled the value is.
    pub observation_status: ObservationStatus,
    /// The organization's own rating.
    pub declared_rating: Option<Rating>,
    /// The text as printed, without the rating.
    pub text: Option<String>,
    /// How much of the text was understood.
    pub parse: Parse,
}

/// Words for the reason why there is no number.
const REASONS: &[(&str, ValueStatus)] = &[
    ("集計中", ValueStatus::BeingCompiled),
    ("調査中", ValueStatus::BeingCompiled),
    ("算出中", ValueStatus::BeingCompiled),
    ("未集計", ValueStatus::BeingCompiled),
    ("未確定", ValueStatus::BeingCompiled),
    ("把握困難", ValueStatus::NotMeasured),
    ("把握できず", ValueStatus::NotMeasured),
    ("測定不能", ValueStatus::NotMeasured),
    ("測定困難", ValueStatus::NotMeasured),
    ("未測定", ValueStatus::NotMeasured),
    ("調査未実施", ValueStatus::NotMeasured),
    ("未把握", ValueStatus::NotMeasured),
    ("評価対象外", ValueStatus::NotApplicable),
    ("対象外", ValueStatus::NotApplicable),
    ("該当なし", ValueStatus::NotApplicable),
    ("非公表", ValueStatus::Withheld),
    ("非公開", ValueStatus::Withheld),
    ("秘匿", ValueStatus::Withheld),
    ("廃止", ValueStatus::Discontinued),
    ("期限前", ValueStatus::NotYetDue),
    ("未報告", ValueStatus::NotReported),
];
/// The forms of a rating, at the end of a text and at its beginning.
const RATINGS_LAST: &[(&str, Rating)] = &[
    ("達成(A)", Rating::A),
    ("未達成(B)", Rating::B),
    ("A(達成)", Rating::A),
    ("B(未達成)", Rating::B),
    ("A:達成", Rating::A),
    ("B:未達成", Rating::B),
    ("(A)", Rating::A),
    ("(B)", Rating::B),
    (":A", Rating::A),
    (":B", Rating::B),
    (" A", Rating::A),
    (" B", Rating::B),
    (":達成", Rating::A),
    (":未達成", Rating::B),
];
const RATINGS_FIRST: &[(&str, Rating)] = &[
    ("(A)", Rating::A),
    ("(B)", Rating::B),
    ("A:", Rating::A),
    ("B:", Rating::B),
    ("A ", Rating::A),
    ("B ", Rating::B),
];
/// Words for a value that is provisional, final or revised.
const SETTLED: &[(&str, ObservationStatus)] = &[
    ("速報値", ObservationStatus::Provisional),
    ("速報", ObservationStatus::Provisional),
    ("暫定値", ObservationStatus::Provisional),
    ("暫定", ObservationStatus::Provisional),
    ("見込み", ObservationStatus::Provisional),
    ("見込", ObservationStatus::Provisional),
    ("訂正後", ObservationStatus::Revised),
    ("訂正値", ObservationStatus::Revised),
    ("訂正", ObservationStatus::Revised),
    ("修正後", ObservationStatus::Revised),
    ("修正値", ObservationStatus::Revised),
    ("確定値", ObservationStatus::Final),
];
/// Words before a number that add nothing to it.
const BEFORE: &[&str] = &["延べ", "のべ", "年間", "計", "実績"];

/// Reads a result as printed in the policy of a fiscal year; `unit` is the indicator's.
///
/// The text may hold a number with its unit, the sum of a cumulative target in brackets, the reason why there is no
/// number, and the rating: `A`, `B`. A number in another unit is taken only if it converts exactly to the indicator's
/// (22分30秒 is 22.5分). ○ and × are no ratings.
#[must_use]
pub fn read(text: &str, unit: Option<&str>, year: FiscalYear) -> ReadResult {
    let mut read = ReadResult {
        value: None,
        cumulative_value: None,
        cumulative_years: None,
        unit: None,
        value_status: None,
        observation_status: ObservationStatus::Final,
        declared_rating: None,
        text: None,
        parse: Parse::Full,
    };
    let line = one_line(text);
    if line.is_empty() {
        return read;
    }
    if text.chars().nth(MOST).is_some() {
        read.value_status = Some(ValueStatus::TextOnly);
        read.parse = Parse::Unparsed;
        read.text = Some(line);
        return read;
    }
    let plain = Plain::of(&line);
    let (range, rating) = rated(&plain.text);
    read.declared_rating = rating;
    read.text = Some(plain.printed(range.clone()))
        .filter(|text| !text.is_empty())
        .map(str::to_owned);
    let body = unspaced(plain.text.get(range).unwrap_or_default());
    if !body.is_empty() {
        value(&mut read, &body, unit, year);
    }
    read
}

/// Takes a result and a rating that the form marks as such, as printed; either may be empty.
#[must_use]
pub fn exact(text: &str, rating: &str, unit: Option<&str>, year: FiscalYear) -> ReadResult {
    let mut read = read(text, unit, year);
    read.text = (!text.is_empty()).then(|| text.to_owned());
    if read.text.is_some() {
        read.value_status = read.value_status.or(Some(ValueStatus::TextOnly));
    }
    read.declared_rating = Rating::from_code(rating);
    read
}

/// The range of a text without its rating, and the rating.
fn rated(text: &str) -> (std::ops::Range<usize>, Option<Rating>) {
    let end = text.trim_end().len();
    let start = end - text.get(..end).unwrap_or_default().trim_start().len();
    let body = text.get(start..end).unwrap_or_default();
    if let Some(rating) = Rating::from_code(body) {
        return (start..start, Some(rating));
    }
    if let Some((word, rating)) = RATINGS_LAST.iter().find(|(word, _)| body.ends_with(word)) {
        let rest = body.get(..body.len() - word.len()).unwrap_or_default();
        let rest = rest.trim_end().trim_end_matches([':', '/']).trim_end();
        return (start..start + rest.len(), Some(*rating));
    }
    if let Some((word, rating)) = RATINGS_FIRST.iter().find(|(word, _)| body.starts_with(word)) {
        return (start + word.len()..end, Some(*rating));
    }
    (start..end, None)
}

fn value(read: &mut ReadResult, body: &str, unit: Option<&str>, year: FiscalYear) {
    let (body, remarks) = apart(without_mark(body));
    let body = unspaced(&body);
    let mut body = body.as_str();
    let mut understood = true;
    for remark in &remarks {
        understood &= remarked(read, remark, unit, year);
    }
    for (word, status) in SETTLED {
        if let Some(rest) = body.strip_prefix(word).or_else(|| body.strip_suffix(word)) {
            read.observation_status = *status;
            body = rest;
        }
    }
    if body.is_empty() || is_dash(body) {
        let why = read
            .text
            .as_deref()
            .and_then(|text| REASONS.iter().find(|(word, _)| text.contains(word)));
        // A number in brackets alone may be the result, or a remark on it.
        let is_figure = why.is_none() && body.is_empty() && remarks.iter().any(|remark| has_digit(remark));
        (read.value_status, read.parse) = match why {
            Some((_, status)) => (Some(*status), Parse::Full),
            None if is_figure => (Some(ValueStatus::TextOnly), Parse::Partial),
            None => (Some(ValueStatus::NotApplicable), Parse::Full),
        };
        return;
    }
    let start = BEFORE.iter().find_map(|word| body.strip_prefix(word)).unwrap_or(body);
    let measure = measure::signed(start).filter(|measure| measure.has_digits);
    let rest = measure
        .as_ref()
        .and_then(|measure| start.get(measure.len..))
        .unwrap_or(body);
    let taken = measure
        .as_ref()
        .and_then(|measure| measure.in_unit(unit))
        .filter(|_| rest.is_empty());
    if let Some(number) = taken {
        read.value = Some(number);
        read.unit = measure.and_then(|measure| measure.unit);
        read.value_status = Some(ValueStatus::Reported);
        read.parse = if understood { Parse::Full } else { Parse::Partial };
        return;
    }
    if measure.is_none()
        && let Some((_, status)) = REASONS.iter().find(|(word, _)| body.contains(word))
    {
        read.value_status = Some(*status);
        read.parse = if read.cumulative_value.is_some() {
            Parse::Partial
        } else {
            Parse::Full
        };
        return;
    }
    read.cumulative_value = None;
    read.cumulative_years = None;
    read.value_status = Some(ValueStatus::TextOnly);
    let is_number = measure.is_some() || has_digit(body);
    read.parse = match (is_number, measure.is_some()) {
        // The result of an indicator without a unit may be words; an indicator with a unit needs a number.
        (false, _) if unit.is_none() => Parse::Full,
        (true, true) => Parse::Partial,
        _ => Parse::Unparsed,
    };
}

/// A text without the mark of a list's item at its beginning: 3. 980件.
fn without_mark(text: &str) -> &str {
    match text.split_once(". ") {
        Some((mark, item))
            if (1..=2).contains(&mark.len()) && mark.bytes().all(|b| b.is_ascii_digit()) && !mark.starts_with('0') =>
        {
            item
        }
        _ => text,
    }
}

/// A text without its remarks in brackets, with blanks in their places, and the remarks.
fn apart(text: &str) -> (String, Vec<&str>) {
    let (mut body, mut remarks, mut rest) = (String::with_capacity(text.len()), Vec::new(), text);
    while let Some((before, after)) = rest.split_once('(') {
        let Some((remark, after)) = after.split_once(')') else {
            break;
        };
        body.push_str(before);
        body.push(' ');
        remarks.push(remark);
        rest = after;
    }
    body.push_str(rest);
    (body, remarks)
}

/// Reads a remark: the sum over several years, or the observation status. Returns whether the remark was understood.
fn remarked(read: &mut ReadResult, remark: &str, unit: Option<&str>, year: FiscalYear) -> bool {
    if let Some((_, status)) = SETTLED.iter().find(|(word, _)| *word == remark) {
        read.observation_status = *status;
        return true;
    }
    let (years, rest) = match leading_range(remark, year) {
        Some((from, to, len)) => (Some((from, to)), remark.get(len..).unwrap_or_default()),
        None => (None, remark),
    };
    let sum = ["合計", "累計", "計"]
        .into_iter()
        .find_map(|word| rest.strip_prefix(word));
    let sum = sum.map(|rest| rest.trim_start_matches(':'));
    let number = sum
        .and_then(|text| measure::leading(text).filter(|it: &Measure| it.len == text.len() && it.has_digits))
        .and_then(|measure| measure.in_unit(unit));
    let Some(number) = number.filter(|_| read.cumulative_value.is_none()) else {
        // The reason why there is no number is read with the text.
        return false;
    };
    read.cumulative_value = Some(number);
    read.cumulative_years = years;
    true
}

/// The first and last fiscal year of a range that a plain text begins with, and how many bytes it takes.
fn leading_range(text: &str, policy_year: FiscalYear) -> Option<(FiscalYear, FiscalYear, usize)> {
    let plain = Plain::of(text);
    let tokens = lexer::lex(&plain, Some(policy_year));
    let tokens: Vec<_> = tokens.iter().collect();
    let (first, last, used) = years::range(&tokens, policy_year)?;
    let end = tokens.get(used - 1)?.at.end;
    Some((first, last, end))
}

fn is_dash(text: &str) -> bool {
    matches!(text, "-" | "―" | "—" | "ー" | "─" | "‒")
}

/// Prints a result the way forms do; reading the text gives this result again.
#[must_use]
pub fn print(read: &ReadResult, unit: Option<&str>) -> String {
    let said = |value: Option<Decimal>| value.map(|it| quantity(it.0, unit).ja);
    let mut text = match (said(read.value), read.value_status) {
        (Some(value), _) => value,
        (None, Some(ValueStatus::NotApplicable)) => "－".to_owned(),
        (None, Some(ValueStatus::TextOnly)) => read.text.clone().unwrap_or_default(),
        (None, Some(status)) => REASONS
            .iter()
            .find(|(_, reason)| *reason == status)
            .map_or_else(String::new, |(word, _)| (*word).to_owned()),
        (None, None) => String::new(),
    };
    if let Some(sum) = said(read.cumulative_value) {
        let years = read.cumulative_years;
        let years = years.map_or_else(String::new, |(from, to)| format!("{}～{}", label(from), label(to)));
        text = format!("{text}（{years}合計{sum}）");
    }
    match read.observation_status {
        ObservationStatus::Provisional => text.push_str("（速報値）"),
        ObservationStatus::Revised => text.push_str("（訂正後）"),
        ObservationStatus::Final => {}
    }
    if let Some(rating) = read.declared_rating {
        text = format!("{text}：{rating}");
    }
    text
}
