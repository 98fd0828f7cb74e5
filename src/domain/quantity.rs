//! Numbers and their units: exact arithmetic within the digits of the contract, and numbers as people read them.

use rust_decimal::{Decimal as Number, RoundingStrategy};

use crate::value::{Decimal, language::Bilingual};

/// The places a ratio is rounded to.
const RATIO_PLACES: u32 = 4;

/// A computed number, if it is within the contract (15 significant digits, 9 decimal places).
pub(super) fn carried(number: Number) -> Option<Decimal> {
    if number.is_zero() {
        return Some(Decimal(number.abs())); // there is no -0 among people
    }
    Decimal::new(number)
}

/// Rounds as people do (四捨五入): half away from zero.
pub(super) fn rounded(number: Number, places: u32) -> Number {
    number.round_dp_with_strategy(places, RoundingStrategy::MidpointAwayFromZero)
}

/// One number as a part of another, rounded to four places; nothing when dividing by zero.
pub(super) fn ratio(part: Number, whole: Number) -> Option<Decimal> {
    let ratio = part.checked_div(whole)?;
    carried(rounded(ratio, RATIO_PLACES).normalize())
}

/// Whether a unit is percent, so that differences are percentage points.
pub(super) fn is_percent(unit: Option<&str>) -> bool {
    matches!(unit, Some("%" | "％" | "パーセント" | "ポイント"))
}

/// The unit of a difference between two numbers of a unit.
pub(super) fn unit_of_difference(unit: Option<&str>) -> Option<&str> {
    if is_percent(unit) { Some("ポイント") } else { unit }
}

/// A number with its unit: 10,488世帯, 81.0%.
pub(super) fn quantity(number: Number, unit: Option<&str>) -> Bilingual {
    let digits = grouped(number);
    let ja = [&digits, unit.unwrap_or_default()].concat();
    let (space, unit) = match unit {
        None => ("", ""),
        Some("%" | "％" | "パーセント") => ("", "%"),
        Some("ポイント") if digits == "1" => (" ", "percentage point"),
        Some("ポイント") => (" ", "percentage points"),
        Some(unit) => (" ", unit),
    };
    Bilingual::new(ja, [&digits, space, unit].concat())
}

/// The size of a difference between two numbers of a unit.
pub(super) fn difference(number: Number, unit: Option<&str>) -> Bilingual {
    quantity(number.abs(), unit_of_difference(unit))
}

/// A number with its decimals as stored and a comma every three digits.
fn grouped(number: Number) -> String {
    let mut digits = number.abs().to_string();
    let whole = digits.find('.').unwrap_or(digits.len());
    for place in (3..whole).step_by(3) {
        digits.insert(whole - place, ',');
    }
    if number.is_sign_negative() && !number.is_zero() {
        digits.insert(0, '-');
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fixtures::number;

    #[test]
    fn numbers_keep_their_decimals_and_get_commas() {
        for (stored, expected) in [
            ("0", "0"),
            ("-0", "0"),
            ("0.0", "0.0"),
            ("81.0", "81.0"),
            ("999", "999"),
            ("1000", "1,000"),
            ("10488", "10,488"),
            ("-1234567.50", "-1,234,567.50"),
            ("999999999999999", "999,999,999,999,999"),
        ] {
            assert_eq!(grouped(number(stored).0), expected);
        }
    }

    #[test]
    fn a_number_is_read_with_its_unit() {
        for (unit, ja, en) in [
            (Some("世帯"), "10,488世帯", "10,488 世帯"),
            (Some("%"), "10,488%", "10,488%"),
            (Some("％"), "10,488％", "10,488%"),
            (Some("ポイント"), "10,488ポイント", "10,488 percentage points"),
            (None, "10,488", "10,488"),
        ] {
            assert_eq!(quantity(number("10488").0, unit), Bilingual::new(ja, en));
        }
    }

    #[test]
    fn percents_differ_by_percentage_points() {
        for percent in ["%", "％", "パーセント", "ポイント"] {
            assert_eq!(unit_of_difference(Some(percent)), Some("ポイント"));
        }
        assert_eq!(unit_of_difference(Some("件")), Some("件"));
        assert_eq!(unit_of_difference(None), None);
    }

    #[test]
    fn a_ratio_has_four_places_at_most() {
        for (part, whole, expected) in [
            ("2", "3", Some("0.6667")),
            ("1", "1", Some("1")),
            ("0", "5", Some("0")),
            ("1.00005", "1", Some("1.0001")),
            ("-1.00005", "1", Some("-1.0001")),
            ("5", "0", None),
            ("999999999999999", "0.000000001", None),
        ] {
            assert_eq!(
                ratio(number(part).0, number(whole).0),
                expected.map(number),
                "{part} / {whole}"
            );
        }
    }

    #[test]
    fn a_number_the_contract_cannot_carry_is_not_carried() {
        let most = number("999999999999999").0;
        assert_eq!(carried(most), Some(Decimal(most)));
        assert_eq!(carried(most + most), None);
        assert_eq!(carried(most - number("0.1").0), None);
    }
}
