//! For whom, and for which request, the database is asked.

use std::{
    future::pending,
    ops::Deref,
    sync::{Arc, OnceLock},
};

use sha2::{Digest, Sha256};

use super::{consistency::Consistency, public_version::CacheTag, token_directory::Token};
use crate::{
    auth::Caller,
    error::{Error, Result},
};

/// A request its caller may repeat: under which key, and the digest of all of it that is not the body.
#[derive(Debug, Clone)]
pub struct IdempotencyKey {
    /// The key, 1 to 255 visible ASCII characters.
    pub key: String,
    digest: Sha256,
}

impl IdempotencyKey {
    /// A request under a key, by the digest of what stands before its body.
    #[must_use]
    pub const fn new(key: String, digest: Sha256) -> Self {
        Self { key, digest }
    }

    /// The digest of the whole request.
    #[must_use]
    pub fn digest(&self, body: &[u8]) -> Vec<u8> {
        self.digest.clone().chain_update(body).finalize().to_vec()
    }
}

/// A caller, and the request that is carried out for it. It may do what its caller may.
#[derive(Clone)]
pub struct Context {
    /// Who calls.
    pub caller: Caller,
    /// The token that the caller holds.
    pub token: Option<Arc<Token>>,
    /// The id of the request.
    pub request_id: Arc<str>,
    /// Why something changes.
    pub reason: Option<String>,
    /// The key under which the request may be repeated.
    pub repeatable: Option<IdempotencyKey>,
    /// The least the caller wants to read, and how far the caller's write has come.
    pub consistency: Arc<Consistency>,
    /// Tells whether the caller has hung up; nothing where that cannot be told.
    pub hung_up: Option<Arc<dyn Fn() -> bool + Send + Sync>>,
    /// What the answer shows a part of, if that is all.
    part: Arc<OnceLock<CacheTag>>,
}

impl Context {
    /// Somebody without a token, for no request.
    #[must_use]
    pub fn anonymous() -> Self {
        Caller::anonymous().into()
    }

    /// The service itself.
    #[must_use]
    pub fn service() -> Self {
        Caller::service().into()
    }

    /// Fails where the caller's token has been revoked or has expired since the request came.
    pub fn must_be_valid(&self) -> Result<()> {
        match &self.token {
            Some(token) if !token.is_valid() => Err(Error::InvalidToken),
            _ => Ok(()),
        }
    }

    /// Waits until the caller's token is revoked or expires; for ever where there is none.
    pub async fn token_ended(&self) {
        match &self.token {
            Some(token) => token.ended().await,
            None => pending().await,
        }
    }

    /// Notes that all the answer shows is a part of what the public sees.
    pub fn shows(&self, part: CacheTag) {
        // Nobody says two things of one answer.
        let _ = self.part.set(part);
    }

    /// The part that is all the answer shows, if there is one.
    #[must_use]
    pub fn part(&self) -> Option<CacheTag> {
        self.part.get().copied()
    }

    /// Whether the caller has hung up, and nobody is there to answer.
    #[must_use]
    pub fn has_left(&self) -> bool {
        self.hung_up.as_ref().is_some_and(|hung_up| hung_up())
    }
}

impl From<Caller> for Context {
    fn from(caller: Caller) -> Self {
        Self {
            caller,
            token: None,
            request_id: Arc::default(),
            reason: None,
            repeatable: None,
            consistency: Arc::default(),
            hung_up: None,
            part: Arc::default(),
        }
    }
}

impl Deref for Context {
    type Target = Caller;

    fn deref(&self) -> &Caller {
        &self.caller
    }
}
