//! Numbers with their units, as people write them: 48%, 3団体, 8割, 9割5分, 22分30秒.

use rust_decimal::Decimal as Number;

use super::{
    lexer::lex,
    plain::Plain,
    token::{Kind, Token},
};
use crate::value::Decimal;

/// Multipliers in kanji: no unit begins with one.
const POWERS: [char; 6] = ['十', '百', '千', '万', '億', '兆'];
/// Units that numbers are grouped by: 5分台.
const RANGED: [&str; 10] = ["秒", "分", "時間", "割", "点", "歳", "人", "件", "円", "ポイント"];
/// Units of time, in seconds, the largest first.
const TIMES: [(&str, i64); 3] = [("時間", 3600), ("分", 60), ("秒", 1)];

/// A number with its unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Measure {
    /// The number.
    pub(super) value: Decimal,
    /// Its unit; 割 is given as %.
    pub(super) unit: Option<String>,
    /// How many bytes of the text they take.
    pub(super) len: usize,
    /// Whether the number is written with digits.
    pub(super) has_digits: bool,
    /// Whether the number is a multiple of its digits: 5万, 5割.
    is_multiplied: bool,
    /// The length in seconds, if the unit is one of time.
    seconds: Option<Number>,
}

impl Measure {
    /// Zero, without a unit.
    pub(super) fn zero() -> Self {
        Self {
            value: Decimal::ZERO,
            unit: None,
            len: 0,
            has_digits: true,
            is_multiplied: false,
            seconds: None,
        }
    }

    /// Whether this is a multiple of something else.
    pub(super) fn is_multiple(&self) -> bool {
        self.unit.as_deref().is_some_and(|unit| unit.ends_with('倍'))
    }

    /// Whether a number before this one may share its multiplier: 4 and 5万 may be 40,000 and 50,000.
    pub(super) fn may_multiply(&self, before: &Self) -> bool {
        let is_smaller = || {
            before
                .value
                .0
                .checked_mul(Number::TEN)
                .is_some_and(|it| it <= self.value.0)
        };
        self.is_multiplied && before.unit.is_none() && before.value != Decimal::ZERO && is_smaller()
    }

    /// The decimal places of the number.
    pub(super) fn decimals(&self) -> u32 {
        self.value.0.scale()
    }

    /// The number converted to this unit, if that is exact. A number without a unit counts as one in this unit.
    pub(super) fn in_unit(&self, unit: Option<&str>) -> Option<Decimal> {
        let (Some(own), Some(unit)) = (self.unit.as_deref(), unit) else {
            return Some(self.value);
        };
        let unit = super::plain::plain(unit);
        let percent = |unit: &str| matches!(unit, "%" | "パーセント");
        if own == unit || (percent(own) && percent(&unit)) {
            return Some(self.value);
        }
        let (_, length) = TIMES.into_iter().find(|(name, _)| *name == unit)?;
        divided(self.seconds?, length)
    }
}

/// Reads the number with its unit that tokens begin with, and tells how many tokens they are.
pub(super) fn of(tokens: &[&Token<'_>]) -> Option<(Measure, usize)> {
    let (&first, rest) = tokens.split_first()?;
    let Kind::Number(numeral) = first.kind else { return None };
    let Some(unit) = rest.first().filter(|token| token.kind == Kind::Unit) else {
        let measure = Measure {
            value: held(numeral.value)?,
            unit: None,
            len: first.at.end,
            has_digits: numeral.has_digits,
            is_multiplied: !numeral.digits_only,
            seconds: None,
        };
        return Some((measure, 1));
    };
    // 1,020億千 is no number, and 千 no unit; 6年度 is a year, and 5分台 more than one number.
    let is_range = unit.text.strip_suffix('台').is_some_and(|unit| RANGED.contains(&unit));
    if unit.text.starts_with(POWERS) || unit.text.starts_with("年度") || is_range {
        return None;
    }
    let mut measure = Measure {
        value: held(numeral.value)?,
        unit: Some(unit.text.to_owned()),
        len: unit.at.end,
        has_digits: numeral.has_digits,
        is_multiplied: !numeral.digits_only || unit.text == "割",
        seconds: None,
    };
    let parts = parts(rest.get(1..).unwrap_or_default());
    match unit.text {
        "割" => {
            let mut tenths = numeral.value.checked_mul(Number::TEN)?;
            let mut used = 2;
            // 9割5分 is 95%, and no time.
            if let Some((more, "分", end)) = parts.first().filter(|(more, _, _)| *more < Number::TEN) {
                (tenths, used, measure.len) = (tenths.checked_add(*more)?, 4, *end);
            }
            measure.value = held(tenths.normalize())?;
            measure.unit = Some("%".to_owned());
            Some((measure, used))
        }
        "%ポイント" | "%pt" | "pt" => {
            measure.unit = Some("ポイント".to_owned());
            Some((measure, 2))
        }
        _ => measure.with_parts_of_time(numeral.value, &parts),
    }
}

/// The numbers with their units that stand directly behind a first one, and where each ends.
fn parts<'a>(tokens: &[&Token<'a>]) -> Vec<(Number, &'a str, usize)> {
    let parts = tokens.chunks_exact(2).map_while(|pair| match pair {
        [number, unit] if !number.after_blank && unit.kind == Kind::Unit => match number.kind {
            Kind::Number(numeral) if numeral.has_digits => Some((numeral.value, unit.text, unit.at.end)),
            _ => None,
        },
        _ => None,
    });
    parts.collect()
}

impl Measure {
    /// The measure with the smaller units of time behind it: 1時間30分.
    fn with_parts_of_time(mut self, first: Number, parts: &[(Number, &str, usize)]) -> Option<(Self, usize)> {
        let mut used = 2;
        let unit = self.unit.as_deref();
        let Some((_, length)) = TIMES.into_iter().find(|(name, _)| Some(*name) == unit) else {
            return Some((self, used));
        };
        let (mut seconds, mut shortest) = (first.checked_mul(length.into())?, length);
        for (more, unit, end) in parts {
            let Some((_, length)) = TIMES
                .into_iter()
                .find(|(name, length)| name == unit && *length < shortest)
            else {
                break;
            };
            seconds = seconds.checked_add(more.checked_mul(length.into())?)?;
            (shortest, used, self.len) = (length, used + 2, *end);
        }
        if shortest < length {
            // 22分20秒 is no finite number of minutes: it becomes a number of seconds.
            let (unit, value) = [length, shortest].into_iter().find_map(|length| {
                let (unit, _) = TIMES.into_iter().find(|(_, of)| *of == length)?;
                divided(seconds, length).map(|value| (unit, value))
            })?;
            self.value = value;
            self.unit = Some(unit.to_owned());
        }
        self.seconds = Some(seconds);
        Some((self, used))
    }
}

/// Reads the number with its unit that a plain text begins with, and the sign directly before it.
pub(super) fn signed(text: &str) -> Option<Measure> {
    let plain = Plain::of(text);
    let tokens = lex(&plain, None);
    let tokens: Vec<&Token<'_>> = tokens.iter().collect();
    let sign = tokens.first().and_then(|token| match token.kind {
        Kind::Sign(is_negative) => Some(is_negative),
        Kind::Dash if token.is("-") => Some(true),
        _ => None,
    });
    let unsigned = tokens.get(usize::from(sign.is_some())..)?;
    let (mut measure, _) = of(unsigned)?;
    if sign.is_some() && unsigned.first()?.after_blank {
        return None;
    }
    if sign == Some(true) {
        measure.value = negated(measure.value);
        measure.seconds = measure.seconds.map(|seconds| -seconds);
    }
    Some(measure)
}

/// Reads the number with its unit that a plain text begins with.
pub(super) fn leading(text: &str) -> Option<Measure> {
    signed(text).filter(|_| text.starts_with(|c| c != '+' && c != '-' && c != '▲' && c != '△'))
}

/// A number with the other sign; 0 has none.
pub(super) fn negated(number: Decimal) -> Decimal {
    if number == Decimal::ZERO {
        number
    } else {
        Decimal(-number.0)
    }
}

fn divided(seconds: Number, length: i64) -> Option<Decimal> {
    let length = Number::from(length);
    let value = seconds.checked_div(length)?;
    (value.checked_mul(length)? == seconds).then(|| held(value.normalize()))?
}

/// A number that can be stored.
pub(super) fn held(number: Number) -> Option<Decimal> {
    number.to_string().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fixtures::number;

    #[test]
    fn a_number_is_read_with_its_unit() {
        for (text, value, unit, rest) in [
            ("48%以上", "48", Some("%"), "以上"),
            ("81.20%", "81.20", Some("%"), ""),
            ("3団体以上", "3", Some("団体"), "以上"),
            ("10,000世帯以上", "10000", Some("世帯"), "以上"),
            ("8割以上", "80", Some("%"), "以上"),
            ("9割5分以上", "95", Some("%"), "以上"),
            ("1.5割", "15", Some("%"), ""),
            ("3‰未満", "3", Some("‰"), "未満"),
            ("3つ以上", "3", Some("つ"), "以上"),
            ("4%ポイント増加", "4", Some("ポイント"), "増加"),
            ("3億2千万円以上", "320000000", Some("円"), "以上"),
            ("30時間未満", "30", Some("時間"), "未満"),
            ("22分30秒", "22.5", Some("分"), ""),
            ("22分20秒", "1340", Some("秒"), ""),
            ("1時間30分以内", "1.5", Some("時間"), "以内"),
            ("5か所を", "5", Some("か所"), "を"),
            ("4ポイント増加", "4", Some("ポイント"), "増加"),
            ("1.5倍以上", "1.5", Some("倍"), "以上"),
            ("3回実施", "3", Some("回"), "実施"),
            ("0人を維持", "0", Some("人"), "を維持"),
            ("57.0", "57.0", None, ""),
            ("3千人", "3000", Some("人"), ""),
        ] {
            let read = leading(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(
                (read.value, read.unit.as_deref(), text.get(read.len..)),
                (number(value), unit, Some(rest)),
                "{text}"
            );
        }
    }

    #[test]
    fn a_time_is_said_in_another_unit_only_where_that_is_exact() {
        let time = leading("22分30秒").unwrap_or_else(|| panic!("a time"));
        for (unit, expected) in [
            (None, Some("22.5")),
            (Some("分"), Some("22.5")),
            (Some("秒"), Some("1350")),
            (Some("時間"), Some("0.375")),
            (Some("件"), None),
        ] {
            assert_eq!(time.in_unit(unit), expected.map(number), "{unit:?}");
        }
        let time = leading("22分20秒").unwrap_or_else(|| panic!("a time"));
        assert_eq!(time.in_unit(Some("分")), None);
    }
}
