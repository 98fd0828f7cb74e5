//! Fiscal years within texts: 令和3年度末, R3, 4年度, R3～R5.

use crate::{domain::fiscal_year, value::FiscalYear};

/// The most characters a year takes.
const MOST: usize = 12;

/// The fiscal year a plain text begins with, and how many bytes it takes, 年度 and 末 included.
///
/// A year has an era, or four digits, or 年度 behind it: a bare 4年度 is read against the policy's year.
pub(super) fn leading(text: &str, policy_year: FiscalYear) -> Option<(FiscalYear, usize)> {
    let number = text
        .trim_start_matches("令和")
        .trim_start_matches("平成")
        .trim_start_matches("昭和");
    let number = match number.strip_prefix(['R', 'H', 'S', 'r', 'h', 's']) {
        Some(rest) if number.len() == text.len() => rest,
        _ => number,
    };
    let digits = number
        .char_indices()
        .take(MOST)
        .find(|(_, c)| !(c.is_ascii_digit() || "元一二三四五六七八九十".contains(*c)))
        .map_or(number.len(), |(at, _)| at);
    let era = text.len() - number.len();
    let named = text.get(..era + digits)?;
    let rest = text.get(era + digits..)?;
    let word = ["年度", "年"].into_iter().find(|word| rest.starts_with(word));
    let bare = era == 0;
    let four = digits == 4 && number.as_bytes().first().is_some_and(u8::is_ascii_digit);
    if digits == 0 || (bare && !(word == Some("年度") || (four && word.is_some()))) {
        return None;
    }
    let year = fiscal_year::parse(named, Some(policy_year)).ok()?;
    let mut len = era + digits + word.map_or(0, str::len);
    if text.get(len..)?.starts_with('末') {
        len += '末'.len_utf8();
    }
    Some((year, len))
}

/// The first and last fiscal year of a range that a plain text begins with: R3~R5, 令和3~5年度, 令和3年度から令和5年度まで.
pub(super) fn leading_range(text: &str, policy_year: FiscalYear) -> Option<(FiscalYear, FiscalYear, usize)> {
    // 3~5年度 has its 年度 at the end alone.
    let (first, len) = leading(text, policy_year).or_else(|| bare(text, policy_year))?;
    let rest = text.get(len..)?;
    let after = ["から", "~", "-", "―", "ー"]
        .into_iter()
        .find_map(|sign| rest.strip_prefix(sign))?;
    let (last, more) = leading(after, first).or_else(|| bare(after, first))?;
    let mut end = text.len() - after.len() + more;
    for word in ["まで", "の"] {
        if text.get(end..)?.starts_with(word) {
            end += word.len();
        }
    }
    Some((first, last, end)).filter(|_| first < last)
}

/// One or two digits alone, as they stand at either end of a range.
fn bare(text: &str, near: FiscalYear) -> Option<(FiscalYear, usize)> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let year = text.get(..digits).filter(|_| (1..=2).contains(&digits))?;
    Some((fiscal_year::parse(year, Some(near)).ok()?, digits))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fixtures::year;

    #[test]
    fn a_year_is_read_where_a_text_begins_with_one() {
        for (text, expected) in [
            ("令和3年度末より", Some((2021, 16))),
            ("R4:1,020件", Some((2022, 2))),
            ("4年度実績", Some((2022, 7))),
            ("2023年度", Some((2023, 10))),
            ("平成32年度", Some((2020, 14))),
            ("令和元年度", Some((2019, 15))),
            ("48%以上", None),
            ("4件", None),
            ("2023件", None),
            ("R", None),
            ("", None),
        ] {
            let read = leading(text, year(2024)).map(|(year, len)| (year.get(), len));
            assert_eq!(read, expected, "{text}");
        }
    }

    #[test]
    fn a_range_is_read_from_its_ends() {
        for (text, expected) in [
            ("R3~R5合計", Some((2021, 2023))),
            ("令和3~5年度", Some((2021, 2023))),
            ("令和3年度から令和5年度までの累計", Some((2021, 2023))),
            ("3~5年度", Some((2021, 2023))),
            ("令和5年度~令和3年度", None),
            ("2,000件~2,400件", None),
            ("R3", None),
        ] {
            let read = leading_range(text, year(2024)).map(|(first, last, _)| (first.get(), last.get()));
            assert_eq!(read, expected, "{text}");
        }
    }
}
