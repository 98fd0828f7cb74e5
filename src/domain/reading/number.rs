//! Numbers as people write them: 2,000, 81.2, 6千2百, 1億2千万, 二十四.

use rust_decimal::Decimal as Number;

/// The most digits a number may be written with.
const MOST_DIGITS: usize = 15;
/// The most decimal places: those that a stored decimal may have.
const MOST_PLACES: usize = 9;

/// A number as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Numeral {
    /// The number.
    pub(super) value: Number,
    /// The value of 1 in the last written digit: 0.1 in 81.2, 1,000,000 in 77百万.
    pub(super) precision: Number,
    /// How many bytes of the text it takes.
    pub(super) len: usize,
    /// Whether it is written with the digits 0 to 9 alone.
    pub(super) digits_only: bool,
    /// Whether it holds a digit from 0 to 9.
    pub(super) has_digits: bool,
}

/// A run of digits, of either kind, before a multiplier.
struct Digits {
    value: Number,
    places: u32,
    len: usize,
    kanji: bool,
}

/// Reads the number that a plain text begins with; `None` without a number, or if it cannot be held exactly.
pub(super) fn leading(text: &str) -> Option<Numeral> {
    let mut total = Number::ZERO;
    let mut group = Group::default();
    let mut at = 0;
    let mut last_big = Number::MAX;
    let mut precision = Number::ONE;
    let (mut digits_only, mut has_digits) = (true, false);
    while let Some(rest) = text.get(at..) {
        if let Some(read) = digits(rest) {
            let read = read.ok()?;
            if !group.takes(&read) {
                return None;
            }
            has_digits |= !read.kanji;
            digits_only &= !read.kanji;
            at += read.len;
            precision = Number::new(1, read.places);
            group.pending = Some(read);
            continue;
        }
        let Some(c) = rest.chars().next() else { break };
        if let Some(small) = small(c) {
            // After digits, a bare 千 belongs to the unit 千円. A bare 十, 百 or 千 is a number in kanji numbers alone.
            if group.pending.is_none() && has_digits && !group.started {
                break;
            }
            precision = group.multiply(small)?;
            digits_only = false;
            at += c.len_utf8();
        } else if let Some(big) = big(c) {
            let Some(sum) = group.sum() else { break };
            if big >= last_big {
                return None;
            }
            last_big = big;
            precision = precision.checked_mul(big)?;
            total = total.checked_add(sum.checked_mul(big)?)?;
            group = Group::default();
            digits_only = false;
            at += c.len_utf8();
        } else {
            break;
        }
    }
    if at == 0 {
        return None;
    }
    let sum = group.sum().unwrap_or_default();
    if last_big != Number::MAX && sum >= last_big || text.get(at..).is_some_and(makes_fraction) {
        return None;
    }
    let mut value = total.checked_add(sum)?;
    // 1.5万 has no decimal places.
    value.rescale(precision.normalize().scale());
    Some(Numeral {
        value,
        precision,
        len: at,
        digits_only,
        has_digits,
    })
}

/// A text without the sign at its beginning, and whether that makes the number behind it negative.
pub(super) fn unsigned(text: &str) -> (&str, bool) {
    match text.strip_prefix(['▲', '△', '-']) {
        Some(rest) => (rest, true),
        None => (text.strip_prefix('+').unwrap_or(text), false),
    }
}

/// The part of a number before 万, 億 or 兆: 6千2百, 3,400.
#[derive(Default)]
struct Group {
    sum: Number,
    /// The smallest multiplier so far. The first takes any number before it (77百万), each later one a single digit.
    least: Option<Number>,
    pending: Option<Digits>,
    started: bool,
    wide: bool,
}

impl Group {
    fn takes(&self, read: &Digits) -> bool {
        self.pending.is_none() && self.least.is_none_or(|least| !self.wide && read.value < least)
    }

    /// Multiplies the digits before 十, 百 or 千, and returns the new value of 1 in the last digit.
    fn multiply(&mut self, by: Number) -> Option<Number> {
        let (value, places) = self
            .pending
            .take()
            .map_or((Number::ONE, 0), |digits| (digits.value, digits.places));
        if self
            .least
            .is_some_and(|least| by >= least || value >= Number::TEN || places > 0)
        {
            return None;
        }
        self.wide = value >= Number::TEN || places > 0;
        self.least = Some(by);
        self.started = true;
        self.sum = self.sum.checked_add(value.checked_mul(by)?)?;
        Number::new(1, places).checked_mul(by)
    }

    fn sum(&self) -> Option<Number> {
        match (&self.pending, self.started) {
            (None, false) => None,
            (None, true) => Some(self.sum),
            (Some(digits), _) => self.sum.checked_add(digits.value),
        }
    }
}

fn small(c: char) -> Option<Number> {
    match c {
        '十' => Some(Number::TEN),
        '百' => Some(Number::ONE_HUNDRED),
        '千' => Some(Number::ONE_THOUSAND),
        _ => None,
    }
}

fn big(c: char) -> Option<Number> {
    match c {
        '万' => Some(Number::new(10_000, 0)),
        '億' => Some(Number::new(100_000_000, 0)),
        '兆' => Some(Number::new(1_000_000_000_000, 0)),
        _ => None,
    }
}

/// Whether the number before this text is a part of a fraction: 2/3, 3分の2.
fn makes_fraction(rest: &str) -> bool {
    let divisor = rest.strip_prefix('/').or_else(|| rest.strip_prefix("分の"));
    divisor.is_some_and(|divisor| divisor.starts_with(|c: char| c.is_ascii_digit() || is_kanji(c)))
}

/// Whether a character is a digit or a multiplier in kanji.
pub(super) fn is_kanji(c: char) -> bool {
    kanji_digit(c).is_some() || small(c).is_some() || big(c).is_some()
}

/// The value of a kanji digit.
pub(super) fn kanji_digit(c: char) -> Option<u32> {
    (0..)
        .zip("〇一二三四五六七八九".chars())
        .find_map(|(digit, kanji)| (kanji == c).then_some(digit))
}

/// Digits that are no number: 1,00, 1.2.3, too many.
struct NoNumber;

/// Digits at the start of a text.
fn digits(text: &str) -> Option<Result<Digits, NoNumber>> {
    let first = text.chars().next()?;
    if first.is_ascii_digit() {
        return Some(arabic(text).ok_or(NoNumber));
    }
    kanji_digit(first)?;
    let mut value = String::new();
    let mut len = 0;
    for c in text.chars() {
        let Some(digit) = kanji_digit(c) else { break };
        value.extend(char::from_digit(digit, 10));
        len += c.len_utf8();
    }
    Some(held(&value, len, true).ok_or(NoNumber))
}

fn arabic(text: &str) -> Option<Digits> {
    let end = |text: &str| text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let mut len = end(text);
    let mut whole = text.get(..len)?.to_owned();
    let grouped = whole.len() <= 3;
    while let Some(rest) = text.get(len..).and_then(|rest| rest.strip_prefix(',')) {
        let group = end(rest);
        if group == 0 {
            break;
        }
        if !grouped || group != 3 {
            return None;
        }
        whole.push_str(rest.get(..3)?);
        len += 4;
        if whole.len() > MOST_DIGITS {
            return None;
        }
    }
    if let Some(rest) = text.get(len..).and_then(|rest| rest.strip_prefix('.')) {
        let places = end(rest);
        if places == 0 || places > MOST_PLACES || rest.get(places..)?.starts_with('.') {
            return None;
        }
        whole.push('.');
        whole.push_str(rest.get(..places)?);
        len += 1 + places;
    }
    held(&whole, len, false)
}

fn held(digits: &str, len: usize, kanji: bool) -> Option<Digits> {
    let value: crate::value::Decimal = digits.parse().ok()?;
    Some(Digits {
        value: value.0,
        places: value.0.scale(),
        len,
        kanji,
    })
}
