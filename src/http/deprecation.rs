//! Operations that will go: the answers of their handlers say so, and until when they stay (RFC 9745, RFC 8594).

use actix_web::{
    Error as ActixError,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::header::{HeaderName, HeaderValue},
    middleware::Next,
};

/// Since when an operation is deprecated.
pub const DEPRECATION: HeaderName = HeaderName::from_static("deprecation");
/// When it stops.
pub const SUNSET: HeaderName = HeaderName::from_static("sunset");
/// `POST /v1/imports` is deprecated since 30 November 2026.
const SINCE: HeaderValue = HeaderValue::from_static("@1795996800");
/// Twelve months later.
const UNTIL: HeaderValue = HeaderValue::from_static("Tue, 30 Nov 2027 00:00:00 GMT");

/// The layer of a deprecated operation: its answers say so.
pub async fn announce<B: MessageBody>(req: ServiceRequest, next: Next<B>) -> Result<ServiceResponse<B>, ActixError> {
    let mut response = next.call(req).await?;
    let headers = response.headers_mut();
    headers.insert(DEPRECATION, SINCE);
    headers.insert(SUNSET, UNTIL);
    Ok(response)
}
