//! Fiscal years as people write them: 2024, 令和6年度, R6, 平成31年, 昭和63, and the bare 4 of 4決算額.

use chrono::{Datelike as _, NaiveDate};

use crate::value::{FiscalYear, language::Bilingual};

/// An era (元号): its names, the fiscal year called its first, and how many of its years were in use.
struct Era {
    name: &'static str,
    letter: char,
    first: i32,
    years: i32,
}

static REIWA: Era = Era {
    name: "令和",
    letter: 'R',
    first: 2019,
    years: FiscalYear::MAX - 2018,
};
// Fiscal 2019 began as 平成31年 and was called 令和元年 from May on: both names are in use for that year. Plans made
// before May 2019 speak of 平成32年度 and later, as far as 平成42年度.
static HEISEI: Era = Era {
    name: "平成",
    letter: 'H',
    first: 1989,
    years: 42,
};
// 昭和64年 lasted a week in January, but plans made before it speak of 昭和64年度.
static SHOWA: Era = Era {
    name: "昭和",
    letter: 'S',
    first: 1926,
    years: 64,
};
/// The eras, the latest first.
static ERAS: [&Era; 3] = [&REIWA, &HEISEI, &SHOWA];

impl Era {
    /// The rest of the text after the era's name or letter, if the text starts with either.
    fn strip<'a>(&self, text: &'a str) -> Option<&'a str> {
        text.strip_prefix(self.name)
            .or_else(|| text.strip_prefix(self.letter))
            .or_else(|| text.strip_prefix(self.letter.to_ascii_lowercase()))
            .map(str::trim_start)
    }

    /// The Gregorian year of the era's year `number`, if the era had one.
    fn gregorian(&self, number: i32) -> Option<i32> {
        (1..=self.years).contains(&number).then_some(self.first + number - 1)
    }
}

/// Reads a fiscal year as forms print it.
///
/// Gregorian (2024, 2024年度), with an era (R6, 令和6年度, 令和六年, 令和元年度 = 平成31年度), or the bare year of an era
/// (`4`, `4年度`, `元`). A bare year is read in the era that brings it nearest to the policy's fiscal year, and in the
/// earlier era if two are as near; without a policy's year it is refused. Digits may be full width.
pub fn parse(text: &str, policy_year: Option<FiscalYear>) -> Result<FiscalYear, Bilingual> {
    let plain = narrow(text);
    let plain = plain.trim();
    let year = plain
        .strip_suffix("年度")
        .or_else(|| plain.strip_suffix('年'))
        .unwrap_or(plain)
        .trim_end();

    if let Some((era, rest)) = ERAS.iter().find_map(|era| Some((era, era.strip(year)?))) {
        let number = numeral(rest).ok_or_else(|| unreadable(text))?;
        return known(era.gregorian(number).ok_or_else(|| no_such_year(text))?);
    }
    let number = numeral(year).ok_or_else(|| unreadable(text))?;
    match policy_year {
        _ if number >= 1000 => known(number),
        Some(policy_year) => nearest(number, policy_year).ok_or_else(|| no_such_year(text)),
        None => Err(Bilingual::new(
            format!(
                "「{}」だけでは元号が分かりません。令和6年度、R6、2024のように書いてください",
                quoted(text)
            ),
            format!(
                "'{}' does not say which era it is of: write 令和6年度, R6 or 2024",
                quoted(text)
            ),
        )),
    }
}

/// The name of a fiscal year: 令和6年度, 令和元年度, 平成30年度.
#[must_use]
pub fn label(year: FiscalYear) -> String {
    let (era, number) = in_its_era(year);
    match number {
        1 => format!("{}元年度", era.name),
        _ => format!("{}{number}年度", era.name),
    }
}

/// The short name of a fiscal year: R6, H30, S63.
#[must_use]
pub fn short(year: FiscalYear) -> String {
    let (era, number) = in_its_era(year);
    format!("{}{number}", era.letter)
}

/// The first day of a fiscal year, 1 April.
#[must_use]
pub fn first_day(year: FiscalYear) -> NaiveDate {
    day(year.get(), 4, 1)
}

/// The last day of a fiscal year, 31 March.
#[must_use]
pub fn last_day(year: FiscalYear) -> NaiveDate {
    day(year.get() + 1, 3, 31)
}

/// The day by which results are due unless an organization says otherwise: 30 June after the fiscal year.
#[must_use]
pub fn results_due_on(year: FiscalYear) -> NaiveDate {
    day(year.get() + 1, 6, 30)
}

/// The fiscal year a day lies in, if the service knows it.
#[must_use]
pub fn containing(date: NaiveDate) -> Option<FiscalYear> {
    match date.month() {
        1..=3 => FiscalYear::new(date.year() - 1),
        _ => FiscalYear::new(date.year()),
    }
}

fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).unwrap_or_else(|| unreachable!("March has 31 days and June 30"))
}

fn in_its_era(year: FiscalYear) -> (&'static Era, i32) {
    let era = ERAS.into_iter().find(|era| era.first <= year.get()).unwrap_or(&SHOWA);
    (era, year.get() - era.first + 1)
}

fn nearest(number: i32, policy_year: FiscalYear) -> Option<FiscalYear> {
    ERAS.iter()
        .filter_map(|era| FiscalYear::new(era.gregorian(number)?))
        .min_by_key(|year| ((year.get() - policy_year.get()).abs(), *year))
}

/// Full-width letters, digits and blanks as ASCII.
fn narrow(text: &str) -> String {
    const OFFSET: u32 = 0xfee0;
    text.chars()
        .map(|c| match c {
            '\u{3000}' => ' ',
            '！'..='～' => char::from_u32(u32::from(c) - OFFSET).unwrap_or(c),
            _ => c,
        })
        .collect()
}

/// 元, up to four digits, or kanji up to 九十九.
fn numeral(text: &str) -> Option<i32> {
    if text == "元" {
        return Some(1);
    }
    if (1..=4).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit()) {
        return text.parse().ok();
    }
    match text.split_once('十') {
        None => kanji_digit(text),
        Some(("", "")) => Some(10),
        Some(("", ones)) => Some(10 + kanji_digit(ones)?),
        Some((tens, "")) => Some(10 * kanji_digit(tens)?),
        Some((tens, ones)) => Some(10 * kanji_digit(tens)? + kanji_digit(ones)?),
    }
}

fn kanji_digit(text: &str) -> Option<i32> {
    (1..)
        .zip("一二三四五六七八九".chars())
        .find_map(|(digit, kanji)| text.chars().eq([kanji]).then_some(digit))
}

fn known(year: i32) -> Result<FiscalYear, Bilingual> {
    FiscalYear::new(year).ok_or_else(|| {
        Bilingual::new(
            format!("年度は{}から{}までです", FiscalYear::MIN, FiscalYear::MAX),
            format!("must be a fiscal year from {} to {}", FiscalYear::MIN, FiscalYear::MAX),
        )
    })
}

fn unreadable(text: &str) -> Bilingual {
    Bilingual::new(
        format!(
            "「{}」は年度として読めません。令和6年度、R6、2024のように書いてください",
            quoted(text)
        ),
        format!("'{}' is not a fiscal year: write 令和6年度, R6 or 2024", quoted(text)),
    )
}

fn no_such_year(text: &str) -> Bilingual {
    Bilingual::new(
        format!("「{}」という年度はありません", quoted(text)),
        format!("there is no fiscal year '{}'", quoted(text)),
    )
}

/// As much of a text as a message repeats.
fn quoted(text: &str) -> String {
    text.trim().chars().take(20).collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may panic")]

    use proptest::prelude::*;

    use super::*;
    use crate::domain::fixtures::{date, year};

    #[test]
    fn a_fiscal_year_is_read_as_forms_print_it() {
        for (text, expected) in [
            ("2024", 2024),
            ("2024年度", 2024),
            (" ２０２４年度　", 2024),
            ("R6", 2024),
            ("r6", 2024),
            ("Ｒ６", 2024),
            ("R06", 2024),
            ("R6年度", 2024),
            ("令和6", 2024),
            ("令和6年", 2024),
            ("令和6年度", 2024),
            ("令和６年度", 2024),
            ("令和 ６ 年度", 2024),
            ("令和六年度", 2024),
            ("令和十年度", 2028),
            ("令和十二年度", 2030),
            ("令和二十年度", 2038),
            ("令和元年度", 2019),
            ("R元", 2019),
            ("R1", 2019),
            ("平成31年度", 2019),
            ("平成31年", 2019),
            ("平成三十一年", 2019),
            ("H31", 2019),
            ("H30", 2018),
            ("平成元年度", 1989),
            ("昭和64年度", 1989),
            ("S63", 1988),
            ("昭和63年", 1988),
            ("昭和六十三年度", 1988),
            ("昭和25年度", 1950),
            ("2100", 2100),
        ] {
            assert_eq!(parse(text, None), Ok(year(expected)), "{text}");
            assert_eq!(
                parse(text, Some(year(2000))),
                Ok(year(expected)),
                "{text} whatever the policy's year"
            );
        }
    }

    #[test]
    fn a_bare_year_is_read_against_the_policy_it_stands_in() {
        for (text, policy, expected) in [
            ("4", 2024, 2022),
            ("4年度", 2024, 2022),
            ("４年度", 2024, 2022),
            ("四年度", 2024, 2022),
            ("元", 2024, 2019),
            ("元年度", 2020, 2019),
            ("元年度", 1990, 1989),
            ("31", 2019, 2019),
            ("31", 2020, 2019),
            ("30", 2020, 2018),
            ("30", 2018, 2018),
            ("2", 2018, 2020),
            ("28", 2017, 2016),
            ("63", 1989, 1988),
            ("64", 1989, 1989),
            ("21", 2024, 2009), // 平成21 and 令和21 are both 15 years away: forms look back further than ahead
            ("11", 2024, 2029),
        ] {
            assert_eq!(
                parse(text, Some(year(policy))),
                Ok(year(expected)),
                "{text} in the policy of {policy}"
            );
        }
    }

    #[test]
    fn what_is_no_fiscal_year_is_refused_in_both_languages() {
        for text in [
            "",
            " ",
            "年度",
            "令和",
            "令和年度",
            "令和0年度",
            "R0",
            "令和83",
            "平成43年度",
            "平成0",
            "昭和65年度",
            "昭和70",
            "昭和24年度",
            "大正15年度",
            "明治元年",
            "1949",
            "2101",
            "0000",
            "20240",
            "-4",
            "4.5",
            "令和百年度",
            "令和十十年",
            "令和六七年",
            "R-6",
            "FY2024",
            "6令和",
            "4決算額",
            "令和6年度分",
        ] {
            let refused = parse(text, None).unwrap_err();
            assert!(!refused.ja.is_empty() && !refused.en.is_empty(), "{text}");
        }
        for text in ["0", "83", "100", "999", "x"] {
            parse(text, Some(year(2024))).unwrap_err();
        }
    }

    #[test]
    fn an_era_year_that_never_was_is_named_in_the_refusal() {
        assert!(parse("平成43年度", None).unwrap_err().ja.contains("平成43年度"));
    }

    #[test]
    fn a_bare_year_without_a_policy_is_refused() {
        for text in ["4", "4年度", "元", "六", "31"] {
            assert!(parse(text, None).unwrap_err().ja.contains("元号"), "{text}");
        }
    }

    #[test]
    fn a_fiscal_year_has_a_label_and_a_short_name() {
        for (gregorian, long, brief) in [
            (2024, "令和6年度", "R6"),
            (2020, "令和2年度", "R2"),
            (2019, "令和元年度", "R1"),
            (2018, "平成30年度", "H30"),
            (1989, "平成元年度", "H1"),
            (1988, "昭和63年度", "S63"),
            (1950, "昭和25年度", "S25"),
        ] {
            assert_eq!(label(year(gregorian)), long);
            assert_eq!(short(year(gregorian)), brief);
        }
    }

    #[test]
    fn a_fiscal_year_ends_in_march_and_its_results_are_due_by_the_end_of_june() {
        assert_eq!(last_day(year(2024)), date("2025-03-31"));
        assert_eq!(results_due_on(year(2024)), date("2025-06-30"));
    }

    #[test]
    fn a_day_lies_in_the_fiscal_year_that_began_the_april_before() {
        assert_eq!(containing(date("2025-03-31")), Some(year(2024)));
        assert_eq!(containing(date("2025-04-01")), Some(year(2025)));
        assert_eq!(containing(date("1950-03-31")), None);
        assert_eq!(containing(date("2101-04-01")), None);
    }

    proptest! {
        #[test]
        fn every_name_of_a_fiscal_year_reads_back(gregorian in FiscalYear::MIN..=FiscalYear::MAX, policy in FiscalYear::MIN..=FiscalYear::MAX) {
            let it = year(gregorian);
            for name in [label(it), short(it), it.to_string()] {
                prop_assert_eq!(parse(&name, None), Ok(it));
                prop_assert_eq!(parse(&name, Some(year(policy))), Ok(it));
            }
        }

        #[test]
        fn a_fiscal_year_contains_its_own_last_day(gregorian in FiscalYear::MIN..=FiscalYear::MAX) {
            prop_assert_eq!(containing(last_day(year(gregorian))), Some(year(gregorian)));
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in "\\PC{0,12}", policy in FiscalYear::MIN..=FiscalYear::MAX) {
            let _ = parse(&text, Some(year(policy)));
        }
    }
}
