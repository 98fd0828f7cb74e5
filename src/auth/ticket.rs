//! Tickets: what opens one stream, once, for callers that cannot send a token, as `EventSource` of browsers cannot.
//!
//! `wardticket_<handle>_<secret, end and seal>`: the handle is that of the token that the ticket stands for, the secret is
//! 256 random bits, stored only as their SHA-256. The seal shows that the ticket was made for this token, and until when
//! it is good. So a ticket that was made up, or is past its end, is refused without a look into the database.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::Utc;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::error::{Error, Result};

/// Every ticket begins with this.
pub const PREFIX: &str = "wardticket_";
/// Bytes of a secret.
const SECRET: usize = 32;
/// Bytes of the end, in seconds since 1970.
const END: usize = 6;
/// Bytes of a seal.
const SEAL: usize = 16;
/// Seconds after which a ticket is past its end. The database, by whose clock it expires, is asked before that; here clocks may
/// differ.
const LIFETIME: i64 = 120;

/// A new ticket with its secret; shown once and stored nowhere.
pub struct GeneratedTicket {
    /// The whole ticket, for the caller.
    pub ticket: String,
    /// The SHA-256 of the secret, which is stored.
    pub hash: Vec<u8>,
}

impl GeneratedTicket {
    /// Makes a ticket for the token with this handle and this hash.
    pub fn generate(handle: &str, token: &[u8]) -> Result<Self> {
        let mut secret = [0; SECRET];
        getrandom::fill(&mut secret).map_err(Error::internal)?;
        let end = bytes_of(Utc::now().timestamp() + LIFETIME);
        let rest = BASE64_URL_SAFE_NO_PAD.encode([&secret[..], &end, &seal(token, &secret, end)].concat());
        Ok(Self {
            ticket: format!("{PREFIX}{handle}_{rest}"),
            hash: Sha256::digest(secret).to_vec(),
        })
    }
}

/// A ticket as a caller presents it. It has no `Debug`: no log may show it.
pub struct PresentedTicket {
    pub(crate) handle: String,
    /// The SHA-256 of the secret.
    pub(crate) hash: Vec<u8>,
    secret: [u8; SECRET],
    end: [u8; END],
    seal: [u8; SEAL],
}

impl PresentedTicket {
    /// Reads a ticket.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let (handle, rest) = text.strip_prefix(PREFIX)?.split_once('_')?;
        let rest = BASE64_URL_SAFE_NO_PAD.decode(rest).ok()?;
        let (secret, rest) = rest.split_at_checked(SECRET)?;
        let (end, seal) = rest.split_at_checked(END)?;
        Some(Self {
            handle: handle.to_owned(),
            hash: Sha256::digest(secret).to_vec(),
            secret: secret.try_into().ok()?,
            end: end.try_into().ok()?,
            seal: seal.try_into().ok()?,
        })
    }

    /// Whether the ticket was made for the token with this hash, and is not past its end.
    #[must_use]
    pub fn is_for(&self, token: &[u8]) -> bool {
        let is_sealed: bool = self.seal.ct_eq(&seal(token, &self.secret, self.end)).into();
        is_sealed && self.end > bytes_of(Utc::now().timestamp())
    }
}

/// The last bytes of a moment, the highest first: they compare as moments do.
fn bytes_of(moment: i64) -> [u8; END] {
    let [_, _, end @ ..] = moment.to_be_bytes();
    end
}

/// What nobody can make who does not know the hash of the token. All parts have a fixed length.
fn seal(token: &[u8], secret: &[u8; SECRET], end: [u8; END]) -> [u8; SEAL] {
    let digest = Sha256::new()
        .chain_update(b"ward-policy ticket")
        .chain_update(token)
        .chain_update(secret)
        .chain_update(end)
        .finalize();
    let mut seal = [0; SEAL];
    for (to, from) in seal.iter_mut().zip(digest) {
        *to = from;
    }
    seal
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    #[test]
    fn a_ticket_is_known_by_the_token_that_it_was_made_for() {
        let (token, other) = ([7; 32], [8; 32]);
        let made = GeneratedTicket::generate("0123456789ab", &token).unwrap();
        let presented = PresentedTicket::read(&made.ticket).unwrap();
        assert_eq!(
            (presented.handle.as_str(), &presented.hash),
            ("0123456789ab", &made.hash)
        );
        assert!(presented.is_for(&token) && !presented.is_for(&other));
        let again = GeneratedTicket::generate("0123456789ab", &token).unwrap();
        assert_ne!(again.ticket, made.ticket);
    }

    #[test]
    fn a_ticket_is_good_until_its_end() {
        let token = [7; 32];
        let now = Utc::now().timestamp();
        for (end, is_good) in [(now - 1, false), (now + 60, true)] {
            let (secret, end) = ([1; SECRET], bytes_of(end));
            let presented = PresentedTicket {
                handle: "0123456789ab".to_owned(),
                hash: Vec::new(),
                secret,
                end,
                seal: seal(&token, &secret, end),
            };
            assert_eq!(presented.is_for(&token), is_good);
        }
    }

    #[test]
    fn what_was_altered_is_no_ticket() {
        let token = [7; 32];
        let made = GeneratedTicket::generate("0123456789ab", &token).unwrap().ticket;
        let begin = PREFIX.len() + 13;
        for at in begin..made.len() {
            let other = |(n, c): (usize, char)| match (n == at, c) {
                (false, c) => c,
                (true, 'A') => 'B',
                (true, _) => 'A',
            };
            let altered: String = made.char_indices().map(other).collect();
            let is_good = PresentedTicket::read(&altered).is_some_and(|ticket| ticket.is_for(&token));
            assert!(!is_good, "{altered}");
        }
        let rest = &made[begin..];
        for wrong in [
            "",
            "wardticket_",
            "wardticket_0123456789ab_",
            "wardticket_0123456789ab",
            &made[..made.len() - 1],
            &format!("{made}A"),
            rest,
            &made.replace("wardticket", "wardpolicy"),
            &made.to_uppercase(),
        ] {
            assert!(
                PresentedTicket::read(wrong).is_none_or(|ticket| !ticket.is_for(&token)),
                "{wrong}"
            );
        }
    }
}
