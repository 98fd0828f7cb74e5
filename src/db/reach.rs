//! Connecting to a database, and why that fails: it is not there yet, or its address cannot be right.

use std::ffi::CString;

use diesel::{Connection, ConnectionError, PgConnection};
use pq_sys::PGPing;

/// A failed attempt to connect.
#[derive(Debug)]
pub(super) enum Unreached {
    /// Nobody answers there, or a server that is still starting: a later attempt may succeed.
    NotYet(ConnectionError),
    /// The address cannot be right: it is none, its host does not exist, or a server answers there and refuses.
    Never(ConnectionError),
}

/// How often a server must refuse before the refusal is believed. A server without a free connection refuses too, and so does one
/// that became ready between two attempts.
const REFUSALS: u32 = 3;
/// The pause between two attempts at a server that refuses.
const PAUSE: std::time::Duration = std::time::Duration::from_millis(300);

/// Connects.
pub(super) fn connect(url: &str) -> Result<PgConnection, Unreached> {
    let mut refusals = 0;
    loop {
        let error = match PgConnection::establish(url) {
            Ok(conn) => return Ok(conn),
            Err(error) => error,
        };
        match ping(url) {
            PGPing::PQPING_OK if refusals + 1 < REFUSALS => {
                refusals += 1;
                std::thread::sleep(PAUSE);
            }
            PGPing::PQPING_OK | PGPing::PQPING_NO_ATTEMPT => return Err(Unreached::Never(error)),
            PGPing::PQPING_NO_RESPONSE if is_unknown_host(&error) => return Err(Unreached::Never(error)),
            PGPing::PQPING_NO_RESPONSE | PGPing::PQPING_REJECT => return Err(Unreached::NotYet(error)),
        }
    }
}

/// Asks libpq whether a server takes connections. Diesel reports a failure in the server's language only, without its code.
#[expect(unsafe_code, reason = "libpq's own question, which diesel has no words for")]
fn ping(url: &str) -> PGPing {
    let Ok(url) = CString::new(url) else {
        return PGPing::PQPING_NO_ATTEMPT;
    };
    // SAFETY: libpq reads a text that ends with a zero, and keeps nothing of it.
    unsafe { pq_sys::PQping(url.as_ptr()) }
}

/// Whether every host of the address is unknown. A name that could not be looked up for now may be known later.
///
/// The words are libpq's and the resolver's, not the server's. Both speak English here: this program sets no locale.
fn is_unknown_host(error: &ConnectionError) -> bool {
    let words = error.to_string();
    let mut attempts = words.lines().filter(|line| !line.starts_with('\t')).peekable();
    attempts.peek().is_some()
        && attempts.all(|line| line.starts_with("could not translate host name") && !line.contains("Temporary failure"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_unknown_if_no_attempt_found_any() {
        let unknown = "could not translate host name \"db\" to address: Name or service not known\n";
        let for_now = "could not translate host name \"db\" to address: Temporary failure in name resolution\n";
        let refused = "connection to server at \"db2\" (10.0.0.2), port 5432 failed: Connection refused\n\
                       \tIs the server running on that host and accepting TCP/IP connections?\n";
        for (words, is_unknown) in [
            (unknown.to_owned(), true),
            (unknown.repeat(2), true),
            (for_now.to_owned(), false),
            (refused.to_owned(), false),
            (format!("{unknown}{refused}"), false),
            (format!("{refused}{unknown}"), false),
            (String::new(), false),
        ] {
            let error = ConnectionError::BadConnection(words.clone());
            assert_eq!(is_unknown_host(&error), is_unknown, "{words}");
        }
    }
}
