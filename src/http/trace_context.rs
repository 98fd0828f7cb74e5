//! W3C Trace Context: a request keeps the trace it comes with, and is a new span of that trace.

use std::fmt;

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};

/// The header that names the trace of a request, in and out.
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
/// The header in which vendors describe the trace, passed on as it came.
pub const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// Longest `tracestate` that is kept, in bytes.
const LONGEST_STATE: usize = 512;
/// Most vendors that a `tracestate` may name.
const MOST_MEMBERS: usize = 32;

/// The place of a request in a trace; neither id is zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trace {
    /// The id of the trace, which the request shares with its caller.
    pub id: u128,
    /// The id of the request's own span.
    pub span: u64,
    sampled: bool,
}

impl Trace {
    /// A new span in the caller's trace, if the caller names one; else in a new trace. Also whether the trace is the
    /// caller's.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> (Self, bool) {
        let mut given = headers.get_all(TRACEPARENT);
        let named = match (given.next(), given.next()) {
            (Some(one), None) => one.to_str().ok().and_then(parse),
            _ => None,
        };
        let (id, sampled) = named.unwrap_or_else(|| (fastrand::u128(1..), false));
        let span = fastrand::u64(1..);
        (Self { id, span, sampled }, named.is_some())
    }

    /// The `traceparent` header of the response.
    #[must_use]
    pub fn header(&self) -> Option<HeaderValue> {
        HeaderValue::try_from(self.to_string()).ok()
    }
}

/// The form of the `traceparent` header.
impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, span, sampled } = self;
        write!(f, "00-{id:032x}-{span:016x}-{:02x}", u8::from(*sampled))
    }
}

/// The trace that a `traceparent` names, and whether it is sampled. Later versions may append further fields.
fn parse(value: &str) -> Option<(u128, bool)> {
    let mut parts = value.split('-');
    let version = hex(parts.next()?, 2)?;
    let id = hex(parts.next()?, 32)?;
    let parent = hex(parts.next()?, 16)?;
    let flags = hex(parts.next()?, 2)?;
    let is_known = version != 0xff && (version != 0 || parts.next().is_none());
    (is_known && id != 0 && parent != 0).then_some((id, flags & 1 == 1))
}

/// A number in exactly so many lower-case digits.
fn hex(digits: &str, length: usize) -> Option<u128> {
    let is_hex = |digit: u8| digit.is_ascii_digit() || (b'a'..=b'f').contains(&digit);
    (digits.len() == length && digits.bytes().all(is_hex))
        .then(|| u128::from_str_radix(digits, 16).ok())
        .flatten()
}

/// The `tracestate` of a request, if it is well-formed.
#[must_use]
pub fn state(headers: &HeaderMap) -> Option<HeaderValue> {
    let mut given = headers.get_all(TRACESTATE);
    let (Some(one), None) = (given.next(), given.next()) else {
        return None;
    };
    let text = one.to_str().ok()?;
    let mut members = text.split(',').map(str::trim).filter(|member| !member.is_empty());
    let is_sound = text.len() <= LONGEST_STATE
        && text.split(',').count() <= MOST_MEMBERS
        && members.clone().next().is_some()
        && members.all(|member| member.split_once('=').is_some_and(|(key, value)| is_member(key, value)));
    is_sound.then(|| one.clone())
}

fn is_member(key: &str, value: &str) -> bool {
    let in_key = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-*/@".contains(&b);
    let in_value = |b: u8| (b' '..=b'~').contains(&b) && b != b'=';
    (1..=256).contains(&key.len())
        && key.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && key.bytes().all(in_key)
        && (1..=256).contains(&value.len())
        && value.bytes().all(in_value)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn a_good_one_is_read_and_a_bad_one_is_none() {
        assert_eq!(parse(GOOD), Some((0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c, true)));
        assert_eq!(
            parse(&GOOD.replace("-01", "-02")).map(|(_, sampled)| sampled),
            Some(false)
        );
        assert!(parse(&GOOD.replace("00-", "cc-")).is_some());
        assert!(parse(&format!("{}-later", GOOD.replace("00-", "cc-"))).is_some());
        for bad in [
            "",
            "00",
            &GOOD.replace("00-", "ff-"),
            &format!("{GOOD}-more"),
            &GOOD.to_uppercase(),
            &GOOD.replace("0af7651916cd43dd8448eb211c80319c", &"0".repeat(32)),
            &GOOD.replace("b7ad6b7169203331", &"0".repeat(16)),
            &GOOD.replace("b7ad6b7169203331", "+7ad6b7169203331"),
            &GOOD.replace("-b7ad", "-b7a"),
            &GOOD.replace("-01", "-1"),
            &format!(" {GOOD}"),
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_state_is_kept_as_it_is_or_not_at_all() {
        let kept = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(TRACESTATE, HeaderValue::from_static(value));
            state(&headers).is_some()
        };
        for good in [
            "rojo=00f067aa0ba902b7",
            "congo=t61rcWkgMzE , fw529a3039@dt=FfK;x:1",
            "a=1,,b=2",
        ] {
            assert!(kept(good), "{good}");
        }
        for bad in ["", ",", "rojo", "Rojo=1", "rojo=", "=1", "a=1=2", "a=\t"] {
            assert!(!kept(bad), "{bad}");
        }
    }
}
