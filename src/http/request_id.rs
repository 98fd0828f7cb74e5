//! The id of a request: the caller's own, or a new one.

use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use actix_web::{dev::ServiceRequest, http::header};
use uuid::{Builder, Uuid};

/// The header that carries the id of a request, in and out.
pub(crate) const REQUEST_ID: header::HeaderName = header::HeaderName::from_static("x-request-id");

/// The id of a request, stored in the request's extensions.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(pub(crate) Arc<str>);

/// The caller's id if it is well-formed, so that a request can be followed across systems; else a new id.
pub(crate) fn request_id(req: &ServiceRequest) -> Arc<str> {
    req.headers()
        .get(REQUEST_ID)
        .and_then(|v| v.to_str().ok())
        .filter(|id| {
            (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
        })
        .map_or_else(|| (&*new_id().simple().encode_lower(&mut [0; 32])).into(), Arc::from)
}

/// A new id: a UUID of version 7. It is no secret, so no request waits for the system's randomness.
fn new_id() -> Uuid {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut random = [0; 10];
    fastrand::fill(&mut random);
    Builder::from_unix_timestamp_millis(u64::try_from(since.as_millis()).unwrap_or_default(), &random).into_uuid()
}
