//! The context of a database call: its caller, and its request.

use std::{
    future::pending,
    ops::Deref,
    sync::{Arc, OnceLock},
};

use sha2::{Digest, Sha256};

use super::{consistency::Consistency, public_version::CacheTag, published::Affected, token_directory::Token};
use crate::{
    auth::Caller,
    error::{Error, Result},
};

/// The `Idempotency-Key` of a request, with a digest of the request without its body.
#[derive(Debug, Clone)]
pub struct IdempotencyKey {
    /// The key, 1 to 255 visible ASCII characters.
    pub key: String,
    digest: Sha256,
}

impl IdempotencyKey {
    /// From a key and the digest of the request without its body.
    #[must_use]
    pub const fn new(key: String, digest: Sha256) -> Self {
        Self { key, digest }
    }

    /// The digest of the whole request, with this body.
    #[must_use]
    pub fn digest(&self, body: &[u8]) -> Vec<u8> {
        self.digest.clone().chain_update(body).finalize().to_vec()
    }
}

/// A caller and its request. Whatever the caller may do, the context may do.
#[derive(Clone)]
pub struct Context {
    /// Who calls.
    pub caller: Caller,
    /// The token that the caller holds.
    pub token: Option<Arc<Token>>,
    /// The id of the request.
    pub request_id: Arc<str>,
    /// Why something changes (`Change-Reason`).
    pub reason: Option<String>,
    /// The `Idempotency-Key`, if the request has one.
    pub repeatable: Option<IdempotencyKey>,
    /// The consistency token that the caller sent, and that of the caller's own write.
    pub consistency: Arc<Consistency>,
    /// Tells whether the caller has hung up; `None` where that cannot be told.
    pub hung_up: Option<Arc<dyn Fn() -> bool + Send + Sync>>,
    /// The cache tag that the response depends on, if it is one alone.
    part: Arc<OnceLock<CacheTag>>,
    /// What the body of the request would change.
    affected: Arc<OnceLock<Affected>>,
}

impl Context {
    /// A caller without a token, for no request.
    #[must_use]
    pub fn anonymous() -> Self {
        Caller::anonymous().into()
    }

    /// The service itself.
    #[must_use]
    pub fn service() -> Self {
        Caller::service().into()
    }

    /// Fails if the caller's token has been revoked or has expired since the request came.
    pub fn must_be_valid(&self) -> Result<()> {
        match &self.token {
            Some(token) if !token.is_valid() => Err(Error::InvalidToken),
            _ => Ok(()),
        }
    }

    /// Waits until the caller's token is revoked or expires; for ever without a token.
    pub async fn token_ended(&self) {
        match &self.token {
            Some(token) => token.ended().await,
            None => pending().await,
        }
    }

    /// Declares that the response depends on one cache tag alone.
    pub fn shows(&self, part: CacheTag) {
        // A handler declares it once.
        let _ = self.part.set(part);
    }

    /// The cache tag that the response depends on, if it is one alone.
    #[must_use]
    pub fn part(&self) -> Option<CacheTag> {
        self.part.get().copied()
    }

    /// Declares what the body of the request would change, whether it can be carried out or not.
    pub fn would_change(&self, affected: Option<Affected>) {
        if let Some(affected) = affected {
            // A body is read once.
            let _ = self.affected.set(affected);
        }
    }

    /// What the body of the request would change, as far as it was read.
    #[must_use]
    pub fn affected(&self) -> Option<&Affected> {
        self.affected.get()
    }

    /// Whether the caller has hung up.
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
            affected: Arc::default(),
        }
    }
}

impl Deref for Context {
    type Target = Caller;

    fn deref(&self) -> &Caller {
        &self.caller
    }
}
