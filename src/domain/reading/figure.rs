//! Figures: texts that are one number, with its unit or without one.

use super::{
    measure::{self, held, negated},
    number,
    plain::unspaced,
};
use crate::{domain::likeness::same_unit, value::Decimal};

/// Why a text is no figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoFigure {
    /// It is not one number: it has no number, or more than one, or something else beside it.
    Number,
    /// It is a number in another unit, or one with a unit where none belongs.
    Unit,
}

/// Reads a text that is one number in `unit`, or one without a unit.
///
/// Nothing is joined over blanks or line breaks. Superscripts, circled numbers, fractions and digits of other scripts are no
/// digits; ▲, △, − and - are signs directly before the first digit. A number in another unit is taken only if it converts
/// exactly (22分30秒 is 22.5分).
pub fn read(text: &str, unit: Option<&str>) -> Result<Decimal, NoFigure> {
    let text = unspaced(text);
    let (unsigned, is_negative) = number::unsigned(&text);
    let numeral = number::leading(unsigned).filter(|numeral| numeral.has_digits);
    let numeral = numeral.ok_or(NoFigure::Number)?;
    let behind = unsigned.get(numeral.len..).unwrap_or_default();
    if behind.is_empty() || unit.is_some() && same_unit(Some(behind), unit) {
        let value = held(numeral.value).ok_or(NoFigure::Number)?;
        return Ok(if is_negative { negated(value) } else { value });
    }
    let measure = measure::signed(&text).filter(|measure| measure.len == text.len());
    let measure = measure.ok_or(NoFigure::Number)?;
    unit.and_then(|_| measure.in_unit(unit)).ok_or(NoFigure::Unit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fixtures::number;

    #[test]
    fn a_text_is_one_number_in_its_unit_or_no_figure() {
        for (text, unit, value) in [
            ("48.50", None, "48.50"),
            ("1,204人", Some("人"), "1204"),
            ("１，２０４ 人", Some("人"), "1204"),
            ("▲4", Some("件"), "-4"),
            ("−4.0％", Some("%"), "-4.0"),
            ("+4", None, "4"),
            ("-0", None, "0"),
            ("8割", Some("%"), "80"),
            ("57パーセント", Some("%"), "57"),
            ("1.5万人", Some("人"), "15000"),
            ("3億2千万円", Some("円"), "320000000"),
            ("22分30秒", Some("分"), "22.5"),
            ("5m²", Some("㎡"), "5"),
            ("1 ,204", None, ""),
            ("12\n34", None, ""),
            ("3　5", None, ""),
            ("51 52", None, ""),
            ("- 4", None, ""),
            ("▲ 4", None, ""),
            ("51²", None, ""),
            ("10⁵", None, ""),
            ("51②", None, ""),
            ("③", None, ""),
            ("½", None, ""),
            ("1½", None, ""),
            ("2/3", None, ""),
            ("3分の2", Some("分"), ""),
            ("٥١", None, ""),
            ("5१", None, ""),
            ("1.2.3", None, ""),
            ("1,5", None, ""),
            ("4±1", None, ""),
            ("約40", None, ""),
            ("40以上", None, ""),
            ("十", None, ""),
            ("", None, ""),
        ] {
            let read = read(text, unit).ok();
            let expected = Some(value).filter(|value| !value.is_empty()).map(number);
            assert_eq!(read, expected, "{text} {unit:?}");
            assert_eq!(read.map(|it| it.0.scale()), expected.map(|it| it.0.scale()), "{text}");
        }
        for (text, unit) in [
            ("5件", Some("人")),
            ("5人", None),
            ("22分20秒", Some("分")),
            ("5m²", Some("m3")),
        ] {
            assert!(read(text, unit).is_err(), "{text} {unit:?}");
        }
        assert_eq!(read("5件", Some("人")), Err(NoFigure::Unit));
        assert_eq!(read("5人", None), Err(NoFigure::Unit));
    }
}
