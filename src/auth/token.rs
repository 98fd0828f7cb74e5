//! Tokens: how they look, and how they are made.
//!
//! `wardpolicy_<handle>_<secret>`: the handle finds the token and may be shown; the secret is 256 random bits, stored
//! only as their SHA-256.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

use crate::{
    error::{Error, Result},
    value::hex,
};

/// Every token begins with this, so that people and scanners for leaked secrets recognize one.
pub const PREFIX: &str = "wardpolicy_";

/// A new token with its secret; shown once and stored nowhere.
pub struct GeneratedToken {
    /// The whole token, for its holder.
    pub token: String,
    /// The part of the token that may be shown.
    pub handle: String,
    /// The SHA-256 of the secret, which is stored.
    pub hash: Vec<u8>,
}

impl GeneratedToken {
    /// Makes a new token.
    pub fn generate() -> Result<Self> {
        let (mut handle, mut secret) = ([0; 6], [0; 32]);
        getrandom::fill(&mut handle).map_err(Error::internal)?;
        getrandom::fill(&mut secret).map_err(Error::internal)?;
        let handle = hex(&handle);
        let secret = BASE64_URL_SAFE_NO_PAD.encode(secret);
        Ok(Self {
            token: format!("{PREFIX}{handle}_{secret}"),
            hash: hash(&secret),
            handle,
        })
    }
}

fn hash(secret: &str) -> Vec<u8> {
    Sha256::digest(secret.as_bytes()).to_vec()
}

/// A token as a caller presents it. It has no `Debug`: no log may show it.
pub struct PresentedToken {
    pub(crate) handle: String,
    pub(crate) hash: Vec<u8>,
}

impl PresentedToken {
    /// Reads the value of `Authorization`: `Bearer wardpolicy_…`.
    #[must_use]
    pub fn read(authorization: &str) -> Option<Self> {
        let (scheme, token) = authorization.trim().split_once(' ')?;
        let (handle, secret) = token.trim().strip_prefix(PREFIX)?.split_once('_')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| Self {
            handle: handle.to_owned(),
            hash: hash(secret),
        })
    }
}
