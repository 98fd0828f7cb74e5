//! Renders a number by the tokens of a section.

use std::{fmt::Write as _, sync::Arc};

use rust_decimal::{Decimal, RoundingStrategy};

use super::Token;

/// The most digits of a fraction's denominator.
const MOST_DENOMINATOR: usize = 5;
/// Significant digits of a number in a spreadsheet.
const DIGITS: u32 = 15;
/// Signs before a number that make it negative.
const MINUS: [&str; 4] = ["-", "−", "▲", "△"];

/// A number as its digits show it.
struct Digits {
    text: String,
    /// What the digits say, without a sign; nothing where they are none.
    number: Option<Decimal>,
}

/// The text that a section shows of a number; nothing if that is just the number. `unsigned` sections show a negative number
/// without a sign of their own accord.
pub(super) fn text(tokens: &[Token], number: Decimal, unsigned: bool) -> Option<Arc<str>> {
    let is_part = |token: &Token| !matches!(token, Token::Literal(_) | Token::Percent);
    let is_digit = |token: &Token| matches!(token, Token::Digit(_) | Token::Point | Token::General | Token::Text);
    let first = tokens.iter().position(is_digit).unwrap_or(tokens.len());
    // A fixed denominator is written in literal digits.
    let last = tokens.iter().rposition(is_part).map_or(first, |last| {
        let digits = tokens
            .iter()
            .skip(last + 1)
            .take_while(|token| literal_digit(token).is_some());
        let fixed = if tokens.get(last) == Some(&Token::Slash) {
            digits.count()
        } else {
            0
        };
        last + 1 + fixed
    });
    let (before, rest) = tokens.split_at_checked(first)?;
    let (digits, behind) = rest.split_at_checked(last.saturating_sub(first))?;
    let shown = shown(digits, tokens, number.abs())?;
    let is_negative = number < Decimal::ZERO;
    let minus = if is_negative && !unsigned { "-" } else { "" };
    let words = |tokens: &[Token]| -> String { tokens.iter().filter_map(word).collect() };
    // A percent sign that scales belongs to the number.
    let marks = |tokens: &[Token]| -> String {
        tokens
            .iter()
            .filter(|it| **it != Token::Percent)
            .filter_map(word)
            .collect()
    };
    let is_number = shown.number == Some(number.abs())
        && shown.text.contains(|c: char| c.is_ascii_digit())
        && says_no_more(&format!("{minus}{}", marks(before)), &marks(behind), is_negative);
    let text = || format!("{minus}{}{}{}", words(before), shown.text, words(behind));
    (!is_number).then(|| text().trim().into())
}

/// Whether the words around digits are nothing but the sign of the number.
fn says_no_more(before: &str, behind: &str, is_negative: bool) -> bool {
    let bare = |text: &str| -> String {
        let is_mark = |c: &char| !c.is_whitespace() && !matches!(c, '¥' | '￥' | '+');
        text.chars().filter(is_mark).collect()
    };
    match (bare(before).as_str(), bare(behind).as_str()) {
        ("", "") => !is_negative,
        ("(", ")") => is_negative,
        (sign, "") => is_negative && MINUS.contains(&sign),
        _ => false,
    }
}

fn word(token: &Token) -> Option<char> {
    match token {
        Token::Literal(c) => Some(*c),
        Token::Percent => Some('%'),
        Token::Comma => Some(','),
        _ => None,
    }
}

fn literal_digit(token: &Token) -> Option<u32> {
    match token {
        Token::Literal(c) => c.to_digit(10),
        Token::Digit('0') => Some(0),
        _ => None,
    }
}

/// The digits of a number, which is not negative, by the tokens from the first digit to the last. `all` are the tokens of the
/// whole section: percent signs scale wherever they stand. Nothing if the number is beyond what can be rendered.
fn shown(tokens: &[Token], all: &[Token], number: Decimal) -> Option<Digits> {
    if tokens.is_empty() {
        return Some(Digits {
            text: String::new(),
            number: None,
        });
    }
    let percents = all.iter().filter(|token| **token == Token::Percent).count();
    let hundred = Decimal::ONE_HUNDRED;
    let scaled = (0..percents).try_fold(number, |number, _| number.checked_mul(hundred))?;
    let is_general = |token: &Token| matches!(token, Token::General | Token::Text);
    let Digits { text, number } = if tokens.iter().any(is_general) {
        Digits {
            text: tokens.iter().filter_map(|token| general(token, scaled)).collect(),
            number: Some(scaled),
        }
    } else if let Some(at) = tokens.iter().position(|token| *token == Token::Slash) {
        fraction(tokens, at, scaled)?
    } else if let Some(at) = tokens.iter().position(|token| matches!(token, Token::Exponent(_))) {
        scientific(tokens, at, scaled)?
    } else {
        decimal(tokens, scaled)?
    };
    let number = number.and_then(|number| (0..percents).try_fold(number, |number, _| number.checked_div(hundred)));
    Some(Digits { text, number })
}

fn general(token: &Token, number: Decimal) -> Option<String> {
    match token {
        Token::General | Token::Text => Some(number.normalize().to_string()),
        Token::Literal(c) => Some(c.to_string()),
        _ => None,
    }
}

/// 1,234.50 by #,##0.00; scaled by 1,000 for each comma behind the last digit.
fn decimal(tokens: &[Token], number: Decimal) -> Option<Digits> {
    let point = tokens
        .iter()
        .position(|token| *token == Token::Point)
        .unwrap_or(tokens.len());
    let (whole, rest) = tokens.split_at_checked(point)?;
    let is_digit = |token: &Token| matches!(token, Token::Digit(_));
    let end = whole.iter().rposition(is_digit).unwrap_or(0);
    let is_comma = |(at, token): &(usize, &Token)| **token == Token::Comma && *at < end;
    let grouped = whole.iter().enumerate().any(|it| is_comma(&it));
    let commas = |tokens: &[Token]| tokens.iter().filter(|token| **token == Token::Comma).count();
    let scaling = commas(whole.get(end..)?) + commas(rest);
    let places = rest.iter().filter(|token| is_digit(token)).count();
    let scaled = (0..scaling).try_fold(number, |number, _| number.checked_div(Decimal::ONE_THOUSAND))?;
    let places = u32::try_from(places.min(28)).ok()?;
    let mut rounded = scaled.round_dp_with_strategy(places, RoundingStrategy::MidpointAwayFromZero);
    rounded.rescale(places);
    let written = rounded.to_string();
    let (digits, fraction) = written.split_once('.').unwrap_or((&written, ""));

    let mut text = integer(whole, digits.trim_start_matches('0'), grouped);
    let least = rest.iter().filter(|token| is_digit(token)).enumerate();
    let least = least
        .filter(|(_, token)| **token == Token::Digit('0'))
        .map(|(n, _)| n + 1)
        .last();
    let kept = fraction.trim_end_matches('0').len().max(least.unwrap_or(0));
    let mut digits = fraction.chars().enumerate();
    for token in rest {
        match token {
            Token::Point => text.push('.'),
            Token::Digit(kind) => match digits.next() {
                Some((at, digit)) if at < kept => text.push(digit),
                _ if *kind == '?' => text.push(' '),
                _ => {}
            },
            Token::Literal(c) => text.push(*c),
            Token::Percent => text.push('%'),
            _ => {}
        }
    }
    // Text among the digits keeps them apart.
    let is_apart = tokens
        .iter()
        .any(|token| matches!(token, Token::Literal(_) | Token::Percent));
    Some(Digits {
        text,
        number: (!is_apart).then_some(rounded),
    })
}

/// The whole part of a number: its digits from the right below the placeholders, what is left before the first of them.
fn integer(tokens: &[Token], digits: &str, grouped: bool) -> String {
    let placeholders = tokens.iter().filter(|token| matches!(token, Token::Digit(_))).count();
    if placeholders == 0 {
        return digits.to_owned();
    }
    let mut left = placeholders;
    let mut digits = digits.chars().peekable();
    let mut count = digits.clone().count();
    let mut text = String::new();
    let mut begun = false;
    for token in tokens {
        match token {
            Token::Digit(kind) => {
                let surplus = if begun { 0 } else { count.saturating_sub(placeholders) };
                begun = true;
                for _ in 0..surplus {
                    text.extend(digits.next());
                    count -= 1;
                    separate(&mut text, count, grouped);
                }
                let before = text.len();
                if count >= left {
                    text.extend(digits.next());
                    count -= 1;
                } else if *kind != '#' {
                    text.push(if *kind == '0' { '0' } else { ' ' });
                }
                left -= 1;
                if text.len() > before && !text.ends_with(' ') {
                    separate(&mut text, left, grouped);
                }
            }
            Token::Literal(c) => text.push(*c),
            Token::Percent => text.push('%'),
            _ => {}
        }
    }
    text
}

/// Puts a thousands separator behind a digit that `left` digits follow.
fn separate(text: &mut String, left: usize, grouped: bool) {
    if grouped && left > 0 && left.is_multiple_of(3) {
        text.push(',');
    }
}

/// 1.23E+05 by 0.00E+00; with several digits before the point the exponent is a multiple of their count.
fn scientific(tokens: &[Token], at: usize, number: Decimal) -> Option<Digits> {
    let (mantissa, exponent) = tokens.split_at_checked(at)?;
    let point = mantissa
        .iter()
        .position(|token| *token == Token::Point)
        .unwrap_or(mantissa.len());
    let count = |tokens: &[Token]| tokens.iter().filter(|token| matches!(token, Token::Digit(_))).count();
    let group = i64::try_from(count(mantissa.get(..point)?).max(1)).ok()?;
    let number = number.normalize();
    // The place of the first digit: 5 of 123456, -3 of 0.001.
    let digits = i64::try_from(number.mantissa().to_string().len()).ok()?;
    let first = digits - 1 - i64::from(number.scale());
    let mut power = first.div_euclid(group) * group;
    let places = u32::try_from(count(mantissa.get(point..)?).min(28)).ok()?;
    let mut shown =
        times_ten_to(number, -power)?.round_dp_with_strategy(places, RoundingStrategy::MidpointAwayFromZero);
    if shown >= times_ten_to(Decimal::ONE, group)? {
        shown = times_ten_to(shown, -group)?;
        power += group;
    }
    let Digits { mut text, .. } = decimal(mantissa, shown)?;
    let sign = match exponent.first() {
        _ if power < 0 => "-",
        Some(Token::Exponent(true)) => "+",
        _ => "",
    };
    let width = count(exponent);
    write!(text, "E{sign}{:0width$}", power.abs()).ok()?;
    Some(Digits {
        text,
        number: times_ten_to(shown, power),
    })
}

fn times_ten_to(number: Decimal, power: i64) -> Option<Decimal> {
    let ten = Decimal::TEN;
    let steps = 0..power.unsigned_abs();
    if power < 0 {
        steps.into_iter().try_fold(number, |number, _| number.checked_div(ten))
    } else {
        steps.into_iter().try_fold(number, |number, _| number.checked_mul(ten))
    }
}

/// 1 1/2 by # ?/?; by # ?/8 in eighths.
fn fraction(tokens: &[Token], bar: usize, number: Decimal) -> Option<Digits> {
    let (above, below) = tokens.split_at_checked(bar)?;
    let is_digit = |token: &Token| matches!(token, Token::Digit(_));
    let above = above
        .split(|token| !is_digit(token))
        .filter(|run| !run.is_empty())
        .count();
    let below = below.get(1..)?;
    let literal: String = below
        .iter()
        .map_while(literal_digit)
        .map(|digit| digit.to_string())
        .collect();
    let fixed = literal.parse::<u32>().ok().filter(|fixed| *fixed > 0);
    let (mut whole, part) = if above > 1 {
        (number.trunc(), number.fract())
    } else {
        (Decimal::ZERO, number)
    };
    let (mut numerator, denominator) = if let Some(fixed) = fixed {
        let fixed = Decimal::from(fixed);
        let numerator = part.checked_mul(fixed)?;
        (
            numerator.round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero),
            fixed,
        )
    } else {
        let digits = below.iter().take_while(|token| is_digit(token)).count();
        let most = 10_i64.checked_pow(u32::try_from(digits.clamp(1, MOST_DENOMINATOR)).ok()?)? - 1;
        nearest(part, Decimal::from(most))?
    };
    if above > 1 && numerator == denominator {
        (whole, numerator) = (whole + Decimal::ONE, Decimal::ZERO);
    }
    let text = match (whole.is_zero(), numerator.is_zero()) {
        (_, true) => whole.to_string(),
        (true, false) => format!("{numerator}/{denominator}"),
        (false, false) => format!("{whole} {numerator}/{denominator}"),
    };
    let shown = whole.checked_add(numerator.checked_div(denominator)?)?;
    let kept = |number: Decimal| number.round_sf_with_strategy(DIGITS, RoundingStrategy::MidpointAwayFromZero);
    let is_exact = kept(shown).map(|it| it.normalize()) == kept(number).map(|it| it.normalize());
    Some(Digits {
        text,
        number: is_exact.then_some(number),
    })
}

/// The fraction near a number, by continued fractions, whose denominator is at most this one.
fn nearest(number: Decimal, most: Decimal) -> Option<(Decimal, Decimal)> {
    let (zero, one) = (Decimal::ZERO, Decimal::ONE);
    let (mut before, mut last) = ((zero, one), (one, zero));
    let mut rest = number;
    loop {
        let whole = rest.trunc();
        let next = |a: Decimal, b: Decimal| whole.checked_mul(a)?.checked_add(b);
        let denominator = next(last.1, before.1)?;
        if denominator > most {
            return Some(last);
        }
        (before, last) = (last, (next(last.0, before.0)?, denominator));
        match one.checked_div(rest - whole) {
            Some(inverse) => rest = inverse,
            None => return Some(last),
        }
    }
}
