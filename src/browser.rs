//! What browsers are told of every answer: it is what it says it is, it belongs into no other page, and it loads nothing.

use actix_web::http::header::{
    CONTENT_SECURITY_POLICY, HeaderMap, HeaderValue, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};

/// Of data: nothing, should a browser ever take it for a page.
const DATA: &str = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// Of the documentation: what this service itself has, and the pictures within its style sheets.
const DOCUMENTATION: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                             connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Adds these headers to the answer to a request for this path; what an answer says itself of what it may load stays.
///
/// `Strict-Transport-Security` is not among them: it is for whoever ends TLS to say.
pub fn protect(path: &str, headers: &mut HeaderMap) {
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    if !headers.contains_key(CONTENT_SECURITY_POLICY) {
        let policy = if path.starts_with("/docs/") {
            DOCUMENTATION
        } else {
            DATA
        };
        headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    }
}
