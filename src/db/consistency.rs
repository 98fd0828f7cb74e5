//! Consistency tokens: after a write, a caller reads no older state on a replica or another instance.
//!
//! The response to a write holds a position in PostgreSQL's write-ahead log (an LSN) that covers the write. A request with that
//! token is read from a replica that has replayed the position, or from the primary.

use std::{
    fmt,
    str::FromStr,
    sync::atomic::{AtomicU64, Ordering},
};

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use diesel::{PgConnection, QueryResult, RunQueryDsl, data_types::PgLsn};

use crate::{
    error::{Error, Place, Result, Violation},
    value::language::Bilingual,
};

/// The header, in responses to writes and in requests.
pub const CONSISTENCY_TOKEN: HeaderName = HeaderName::from_static("x-consistency-token");
/// The header's name in problems.
const NAME: &str = "X-Consistency-Token";

/// A position in the write-ahead log, in bytes from its beginning; written like `16/B374D848`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lsn(pub u64);

impl From<PgLsn> for Lsn {
    fn from(PgLsn(at): PgLsn) -> Self {
        Self(at)
    }
}

impl fmt::Display for Lsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:X}/{:X}", self.0 >> 32, self.0 & 0xFFFF_FFFF)
    }
}

impl FromStr for Lsn {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (high, low) = text.split_once('/').ok_or(())?;
        let half = |digits: &str| {
            let sane = (1..=8).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_hexdigit());
            if sane {
                u32::from_str_radix(digits, 16).ok()
            } else {
                None
            }
        };
        let (high, low) = half(high).zip(half(low)).ok_or(())?;
        Ok(Self(u64::from(high) << 32 | u64::from(low)))
    }
}

diesel::define_sql_function! {
    /// The end of the primary's log, perhaps not yet on disk.
    fn pg_current_wal_insert_lsn() -> diesel::sql_types::PgLsn;
}

/// A position that covers everything committed so far.
pub fn reached(conn: &mut PgConnection) -> QueryResult<Lsn> {
    let at: PgLsn = diesel::select(pg_current_wal_insert_lsn()).get_result(conn)?;
    Ok(at.into())
}

/// The token that a request brought, and that of its own write.
#[derive(Debug, Default)]
pub struct Consistency {
    wanted: Lsn,
    /// 0 if nothing was written.
    written: AtomicU64,
}

impl Consistency {
    /// Reads the token of a request.
    pub fn of(headers: &HeaderMap) -> Result<Self> {
        let Some(value) = headers.get(CONSISTENCY_TOKEN) else {
            return Ok(Self::default());
        };
        let wanted = value.to_str().ok().and_then(|text| text.parse().ok());
        let wanted = wanted.ok_or_else(|| {
            Error::malformed(Violation {
                place: Place::Header(NAME),
                code: "format",
                detail: Bilingual::new(
                    "書き込みの応答にあった 16/B374D848 の形の値にしてください",
                    "must be as the answer to a write gave it, like 16/B374D848",
                ),
                suggestion: None,
            })
        })?;
        Ok(Self {
            wanted,
            written: AtomicU64::new(0),
        })
    }

    /// The position that must be covered.
    #[must_use]
    pub const fn wanted(&self) -> Lsn {
        self.wanted
    }

    /// Notes a write that this position covers.
    pub fn wrote(&self, at: Lsn) {
        self.written.fetch_max(at.0, Ordering::AcqRel);
    }

    /// The header for the response, if something was written.
    #[must_use]
    pub fn header(&self) -> Option<HeaderValue> {
        let at = Lsn(self.written.load(Ordering::Acquire));
        (at > Lsn(0)).then(|| HeaderValue::from_str(&at.to_string()).ok())?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_written_and_read_as_postgresql_does() {
        for (text, at) in [
            ("0/0", 0),
            ("0/16B3748", 0x016B_3748),
            ("16/B374D848", 0x16_B374_D848),
            ("FFFFFFFF/FFFFFFFF", u64::MAX),
        ] {
            assert_eq!(text.parse(), Ok(Lsn(at)), "{text}");
            assert_eq!(Lsn(at).to_string(), text);
        }
        assert_eq!("0/16b3748".parse(), Ok(Lsn(0x016B_3748)));
        for text in [
            "",
            "/",
            "0/",
            "/0",
            "0",
            "0/0/0",
            "+1/0",
            "0/ 1",
            "0/1G",
            "100000000/0",
            "-1/0",
        ] {
            assert_eq!(text.parse::<Lsn>(), Err(()), "{text}");
        }
        assert!(Lsn(0x1_0000_0000) > Lsn(0xFFFF_FFFF));
    }
}
