//! Money as forms print it: 77百万円, 77,800千円, 6千2百万円, ▲927億円, －, blank.

use rust_decimal::{Decimal as Number, prelude::ToPrimitive as _};

use super::{MOST, Parse, number, plain::unspaced};
use crate::{
    domain::{kinds::BudgetStatus, quantity::quantity},
    value::Yen,
};

/// The most yen of an amount, positive or negative.
const MOST_YEN: i64 = 999_999_999_999_999;

/// A printed amount, as read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadMoney {
    /// The status of the box.
    pub status: BudgetStatus,
    /// The amount in yen; nothing unless stated.
    pub amount_yen: Option<Yen>,
    /// The unit the amount is rounded to, in yen: 1,000,000 for 百万円.
    pub precision_yen: Option<i64>,
    /// How much of the text was understood.
    pub parse: Parse,
}

impl ReadMoney {
    fn without_amount(status: BudgetStatus, parse: Parse) -> Self {
        Self {
            status,
            amount_yen: None,
            precision_yen: None,
            parse,
        }
    }
}

/// Reads an amount as printed. `unit` is the unit in the head of its table (百万円), for an amount without one.
///
/// An amount with a remark in brackets behind it is read in part: its number is the printed one. One with 約 is no amount.
#[must_use]
pub fn read(text: &str, unit: Option<&str>) -> ReadMoney {
    let unparsed = ReadMoney::without_amount(BudgetStatus::Unread, Parse::Unparsed);
    if text.chars().nth(MOST).is_some() {
        return unparsed;
    }
    let text = unspaced(text);
    if text.is_empty() {
        return ReadMoney::without_amount(BudgetStatus::Blank, Parse::Full);
    }
    if is_none(&text) {
        return ReadMoney::without_amount(BudgetStatus::None, Parse::Full);
    }
    amount(&text, unit).unwrap_or(unparsed)
}

/// A dash, with or without a unit, or words for it.
fn is_none(text: &str) -> bool {
    let is_dash = text
        .strip_prefix(['-', '―', '—', 'ー', '─', '‒'])
        .is_some_and(|rest| rest.is_empty() || multiplier(rest).is_some());
    is_dash || matches!(text, "該当なし" | "なし" | "無し" | "予算なし")
}

/// The value of a unit in yen: 1,000,000 for 百万円.
fn multiplier(unit: &str) -> Option<Number> {
    match unit.strip_suffix('円')? {
        "" => Some(Number::ONE),
        before => number::leading(before)
            .filter(|it| it.len == before.len() && !it.has_digits)
            .map(|it| it.value),
    }
}

fn amount(text: &str, unit: Option<&str>) -> Option<ReadMoney> {
    let mut rest = text;
    let mut parse = Parse::Full;
    let after_sign = rest.strip_prefix(['▲', '△', '-']);
    let negative = after_sign.is_some();
    rest = after_sign.unwrap_or(rest);
    rest = rest.strip_prefix(['¥', '\\']).unwrap_or(rest);

    let read = number::leading(rest).filter(|it| it.has_digits || !it.digits_only)?;
    rest = rest.get(read.len..)?;
    let mut scale = Number::ONE;
    match rest.strip_prefix('円') {
        Some(after) => rest = after,
        // 0 is 0 in every unit.
        None if read.digits_only && read.value.is_zero() => {}
        None if read.digits_only => scale = multiplier(&head_unit(unit?))?,
        None => {}
    }
    if !rest.is_empty() {
        let remark = rest.strip_prefix('(')?.strip_suffix(')')?;
        if remark.contains(['(', ')']) {
            return None;
        }
        parse = Parse::Partial;
    }

    let yen = whole(read.value.checked_mul(scale)?)?;
    let precision = whole(read.precision.checked_mul(scale)?)?;
    Some(ReadMoney {
        status: BudgetStatus::Stated,
        amount_yen: Some(Yen(if negative { -yen } else { yen })),
        precision_yen: Some(precision),
        parse,
    })
}

/// The unit the head of a table states: 百万円 of (単位：百万円).
fn head_unit(unit: &str) -> String {
    let unit: String = unit.chars().take(40).collect();
    let unit = unspaced(&unit);
    unit.trim_matches(['(', ')'])
        .trim_start_matches("単位")
        .trim_start_matches(':')
        .to_owned()
}

/// Whole yen within the limits of an amount.
fn whole(number: Number) -> Option<i64> {
    let yen = number.normalize();
    (yen.scale() == 0).then(|| yen.to_i64())?.filter(|yen| *yen <= MOST_YEN)
}

/// Prints an amount in the largest unit within its precision that divides it: 77百万円, 77,800千円.
#[must_use]
pub fn print(amount: Yen, precision_yen: i64) -> String {
    static UNITS: [(i64, &str); 13] = [
        (1_000_000_000_000, "兆円"),
        (100_000_000_000, "千億円"),
        (10_000_000_000, "百億円"),
        (1_000_000_000, "十億円"),
        (100_000_000, "億円"),
        (10_000_000, "千万円"),
        (1_000_000, "百万円"),
        (100_000, "十万円"),
        (10_000, "万円"),
        (1_000, "千円"),
        (100, "百円"),
        (10, "十円"),
        (1, "円"),
    ];
    let fits = |unit: i64| unit <= precision_yen && amount.0 % unit == 0;
    let (unit, name) = UNITS.into_iter().find(|(unit, _)| fits(*unit)).unwrap_or((1, "円"));
    let sign = if amount.0 < 0 { "▲" } else { "" };
    let size = Number::from(amount.0.unsigned_abs() / unit.unsigned_abs());
    format!("{sign}{}", quantity(size, Some(name)).ja)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_stated_none_blank_or_unread() {
        use BudgetStatus::{Blank, None as Nothing, Stated, Unread};
        for (text, unit, status, yen) in [
            ("77百万円", None, Stated, Some(77_000_000)),
            ("1,018 百万円", None, Stated, Some(1_018_000_000)),
            ("1,018\n百万円", None, Stated, Some(1_018_000_000)),
            ("77,800", Some("（単位：千円）"), Stated, Some(77_800_000)),
            ("▲927億円", None, Stated, Some(-92_700_000_000)),
            ("0", None, Stated, Some(0)),
            ("0円", None, Stated, Some(0)),
            ("－", None, Nothing, None),
            ("該当なし", None, Nothing, None),
            ("", None, Blank, None),
            ("　", None, Blank, None),
            ("77", None, Unread, None),
            ("1 018百万円", None, Unread, None),
            ("77²円", None, Unread, None),
            ("3分の2円", None, Unread, None),
            ("77百万円 78百万円", None, Unread, None),
            ("調整中", None, Unread, None),
        ] {
            let read = read(text, unit);
            assert_eq!((read.status, read.amount_yen.map(|yen| yen.0)), (status, yen), "{text}");
            assert_eq!(read.precision_yen.is_some(), yen.is_some(), "{text}");
        }
    }
}
