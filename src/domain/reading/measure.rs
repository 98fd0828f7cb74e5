//! Numbers with their units, as people write them: 48%, 3団体, 8割, 22分30秒.

use rust_decimal::Decimal as Number;

use super::number;
use crate::{domain::quantity::quantity, value::Decimal};

/// Words that follow a unit and are no part of it.
const AFTER: &[&str] = &[
    "以上", "以下", "以内", "未満", "超", "増", "減", "向上", "上昇", "低", "維持", "程度", "達成", "上回", "下回",
    "改善", "合計", "累計", "実施", "確保", "削減", "縮減", "短縮", "拡大", "策定", "開催", "設置", "作成", "越",
];
/// Multipliers in kanji: no unit begins with one.
const POWERS: [char; 6] = ['十', '百', '千', '万', '億', '兆'];
/// The most characters of a unit.
const MOST: usize = 10;
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
            seconds: None,
        }
    }

    /// The number with its unit.
    pub(super) fn printed(&self) -> String {
        quantity(self.value.0, self.unit.as_deref()).ja
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

/// Reads the number and the unit that a plain text without blanks begins with.
pub(super) fn leading(text: &str) -> Option<Measure> {
    let numeral = number::leading(text)?;
    let rest = text.get(numeral.len..)?;
    let unit = rest.get(..unit(rest))?;
    // 1,020億千 is no number, and 千 no unit; 6年度 is a year.
    if unit.starts_with(POWERS) || unit.starts_with("年度") {
        return None;
    }
    let mut measure = Measure {
        value: held(numeral.value)?,
        unit: Some(unit.to_owned()).filter(|unit| !unit.is_empty()),
        len: numeral.len + unit.len(),
        has_digits: numeral.has_digits,
        seconds: None,
    };
    if unit == "割" {
        measure.value = held(numeral.value.checked_mul(Number::TEN)?.normalize())?;
        measure.unit = Some("%".to_owned());
    }
    if let Some((_, length)) = TIMES.into_iter().find(|(name, _)| *name == unit) {
        let (mut seconds, mut shortest) = (numeral.value.checked_mul(length.into())?, length);
        while let Some((more, length)) = text.get(measure.len..).and_then(part_of_time) {
            if length >= shortest {
                break;
            }
            seconds = seconds.checked_add(more.value.checked_mul(length.into())?)?;
            shortest = length;
            measure.len += more.len;
        }
        if shortest < length {
            // 22分20秒 is no finite number of minutes: it becomes a number of seconds.
            let (unit, value) = [length, shortest].into_iter().find_map(|length| {
                let (unit, _) = TIMES.into_iter().find(|(_, of)| *of == length)?;
                divided(seconds, length).map(|value| (unit, value))
            })?;
            measure.value = value;
            measure.unit = Some(unit.to_owned());
        }
        measure.seconds = Some(seconds);
    }
    Some(measure)
}

/// Reads the number with its unit that a plain text begins with, and the sign directly before it.
pub(super) fn signed(text: &str) -> Option<Measure> {
    let (unsigned, is_negative) = number::unsigned(text);
    let mut measure = leading(unsigned)?;
    measure.len += text.len() - unsigned.len();
    if is_negative {
        measure.value = negated(measure.value);
        measure.seconds = measure.seconds.map(|seconds| -seconds);
    }
    Some(measure)
}

/// A number with the other sign; 0 has none.
pub(super) fn negated(number: Decimal) -> Decimal {
    if number == Decimal::ZERO {
        number
    } else {
        Decimal(-number.0)
    }
}

/// A number with a unit of time.
fn part_of_time(text: &str) -> Option<(number::Numeral, i64)> {
    let mut numeral = number::leading(text).filter(|numeral| numeral.has_digits)?;
    let rest = text.get(numeral.len..)?;
    let (name, length) = TIMES.into_iter().find(|(name, _)| rest.starts_with(name))?;
    numeral.len += name.len();
    Some((numeral, length))
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

/// How many bytes of a text are a unit.
fn unit(text: &str) -> usize {
    let mut end = 0;
    for c in text.chars().take(MOST + 1) {
        let Some(rest) = text.get(end..) else { break };
        let place = rest.starts_with('か') && ["か所", "か月", "か国", "か年"].iter().any(|it| rest.starts_with(it));
        let is_unit = c.is_alphabetic() && !('ぁ'..='ゖ').contains(&c) || matches!(c, '%' | '/' | '㎡' | '℃' | 'ー');
        if !(is_unit || place) || AFTER.iter().any(|word| rest.starts_with(word)) {
            return end;
        }
        end += c.len_utf8();
    }
    // No unit is longer.
    if text.chars().take(MOST + 1).count() > MOST
        && end > 0
        && text.get(..end).is_some_and(|it| it.chars().count() > MOST)
    {
        0
    } else {
        end
    }
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
