//! Fiscal years within texts: 令和3年度, R3, 4年度, 令和7年3月31日, R3～R5.

use super::token::{Kind, Token, Year};
use crate::{domain::fiscal_year, value::FiscalYear};

/// The most characters a year takes.
const MOST: usize = 12;
const DIGITS: &str = "元一二三四五六七八九十";

/// The year or the date that a text in one width begins with, as a token, and how many bytes it takes.
///
/// A year has an era, or four digits, or 年度 behind it. A bare 4年度 is read against the policy's year, and is odd without it.
pub(super) fn leading(text: &str, policy_year: Option<FiscalYear>) -> Option<(Kind, usize)> {
    let era = ["令和", "平成", "昭和", "R", "H", "S", "r", "h", "s"]
        .into_iter()
        .find(|era| text.starts_with(era))
        .map_or(0, str::len);
    let number = text.get(era..)?;
    let digits = number
        .char_indices()
        .take(MOST)
        .find(|(_, c)| !(c.is_ascii_digit() || DIGITS.contains(*c)))
        .map_or(number.len(), |(at, _)| at);
    let named = text.get(..era + digits)?;
    let rest = text.get(named.len()..)?;
    let word = ["年度", "年"].into_iter().find(|word| rest.starts_with(word));
    let is_four = digits == 4 && number.starts_with(|c: char| c.is_ascii_digit());
    if digits == 0 || era == 0 && !(word == Some("年度") || is_four) {
        return None;
    }
    if let Some((month, day, len)) = date(rest) {
        let end = fiscal_year::parse(named, policy_year)
            .ok()
            .filter(|_| month == 3 && day == 31);
        return Some((Kind::Date(end.and_then(FiscalYear::previous)), named.len() + len));
    }
    // S50% and R6.5 are something else, and so is a number of four digits.
    if word.is_none()
        && (era == 0 || rest.starts_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | ',' | '%')))
    {
        return None;
    }
    let len = named.len() + word.map_or(0, str::len);
    let year = fiscal_year::parse(named, policy_year).ok();
    let kind = year.map_or(Kind::Odd, |year| {
        Kind::Year(Year {
            year,
            is_calendar: word == Some("年"),
        })
    });
    Some((kind, len))
}

/// The month, the day and the length of what stands behind a year: 年3月31日, 年3月末, .3.31, .3末, /3/31. A month alone has no day.
fn date(text: &str) -> Option<(u32, u32, usize)> {
    let number = |text: &str| -> Option<(u32, usize)> {
        let len = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        Some((text.get(..len).filter(|digits| digits.len() <= 2)?.parse().ok()?, len))
    };
    for (before, between, after) in [("年", "月", "日"), (".", ".", ""), ("/", "/", "")] {
        let Some(start) = text.strip_prefix(before) else {
            continue;
        };
        let Some((month, len)) = number(start) else { continue };
        let behind = start.get(len..).unwrap_or_default();
        let taken = |rest: &str| text.len() - rest.len();
        let ends = ["月末日", "月末", "末日", "末"];
        if let Some(rest) = ends.into_iter().find_map(|word| behind.strip_prefix(word)) {
            return Some((month, 31, taken(rest)));
        }
        let Some(rest) = behind.strip_prefix(between) else {
            continue;
        };
        if let Some((day, len)) = number(rest)
            && let Some(rest) = rest.get(len..).and_then(|rest| rest.strip_prefix(after))
        {
            return Some((month, day, taken(rest)));
        }
        if between == "月" {
            return Some((month, 0, taken(rest)));
        }
    }
    None
}

/// The first and last fiscal year of a range that tokens begin with, and how many of them it takes: R3~R5, 令和3~5年度,
/// 令和3年度から令和5年度まで.
pub(super) fn range(tokens: &[&Token<'_>], policy_year: FiscalYear) -> Option<(FiscalYear, FiscalYear, usize)> {
    let (first, mut used) = end(tokens, policy_year)?;
    let between = tokens.get(used)?;
    if !(matches!(between.kind, Kind::Tilde | Kind::Dash) || between.is("から") || between.is("ー")) {
        return None;
    }
    used += 1;
    let behind = tokens.get(used..)?;
    let (last, more) = end(behind, first)?;
    used += more;
    // 3~5年度 has its 年度 at the end alone, R3~5 its era at the beginning: 3~R5 and 3~5 are no years.
    let is_bare =
        |token: Option<&&Token<'_>>| token.is_some_and(|token| token.text.starts_with(|c: char| c.is_ascii_digit()));
    let is_number = |token: Option<&&Token<'_>>| token.is_some_and(|token| matches!(token.kind, Kind::Number(_)));
    let is_joined = matches!(between.kind, Kind::Tilde | Kind::Dash);
    let blank = behind
        .first()
        .is_some_and(|token| token.after_blank && is_number(Some(token)));
    if blank
        || is_number(behind.first()) && !is_joined
        || is_number(tokens.first()) && (is_number(behind.first()) || !is_bare(behind.first()))
    {
        return None;
    }
    for word in ["まで", "の"] {
        used += usize::from(tokens.get(used).is_some_and(|token| token.is(word)));
    }
    Some((first, last, used)).filter(|_| first < last)
}

/// One end of a range: a fiscal year, or one or two digits alone (3~5年度).
fn end(tokens: &[&Token<'_>], near: FiscalYear) -> Option<(FiscalYear, usize)> {
    let token = tokens.first()?;
    match token.kind {
        Kind::Year(year) if !year.is_calendar => Some((year.year, 1)),
        Kind::Number(_) if token.text.len() <= 2 && token.text.bytes().all(|b| b.is_ascii_digit()) => {
            Some((fiscal_year::parse(token.text, Some(near)).ok()?, 1))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fixtures::year;

    #[test]
    fn a_year_is_read_where_a_text_begins_with_one() {
        for (text, expected) in [
            ("令和3年度末より", Some((2021, false, 13))),
            ("R4:1,020件", Some((2022, false, 2))),
            ("4年度実績", Some((2022, false, 7))),
            ("2023年度", Some((2023, false, 10))),
            ("平成32年度", Some((2020, false, 14))),
            ("令和元年度", Some((2019, false, 15))),
            ("令和5年より", Some((2023, true, 10))),
            ("2025年", Some((2025, true, 7))),
            ("48%以上", None),
            ("4件", None),
            ("4年", None),
            ("2023件", None),
            ("S50%", None),
            ("R6.5", None),
            ("R", None),
            ("", None),
        ] {
            let read = leading(text, Some(year(2024))).and_then(|(kind, len)| match kind {
                Kind::Year(of) => Some((of.year.get(), of.is_calendar, len)),
                _ => None,
            });
            assert_eq!(read, expected, "{text}");
        }
    }

    #[test]
    fn a_date_is_no_year_and_may_end_one() {
        for (text, ends, len) in [
            ("令和7年3月31日", Some(2024), "令和7年3月31日".len()),
            ("2025年3月末まで", Some(2024), "2025年3月末".len()),
            ("R7.3.31", Some(2024), 7),
            ("R7.3末", Some(2024), "R7.3末".len()),
            ("R7/3月末", Some(2024), "R7/3月末".len()),
            ("R7.9末", None, "R7.9末".len()),
            ("R7/4/1", None, 6),
            ("令和7年4月1日時点", None, "令和7年4月1日".len()),
            ("令和7年3月", None, "令和7年3月".len()),
        ] {
            let read = leading(text, Some(year(2024)));
            assert_eq!(read, Some((Kind::Date(ends.map(year)), len)), "{text}");
        }
    }
}
