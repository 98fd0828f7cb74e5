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
/// The layer of a deprecated operation: its answers say since when it is, and until when it stays.
pub async fn announce<B: MessageBody>(
    req: ServiceRequest,
    next: Next<B>,
    [since, until]: [HeaderValue; 2],
) -> Result<ServiceResponse<B>, ActixError> {
    let mut response = next.call(req).await?;
    let headers = response.headers_mut();
    headers.insert(DEPRECATION, since);
    headers.insert(SUNSET, until);
    Ok(response)
}
