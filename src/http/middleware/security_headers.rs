//! Security headers: a browser shows a response as what it is declared to be, and runs nothing that others put into it.

use std::sync::LazyLock;

use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};

/// Policy for data, which is no page: a browser runs, loads and frames nothing of it.
static DATA: LazyLock<HeaderValue> =
    LazyLock::new(|| HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"));
/// Policy for the documentation: its own scripts call this service; Swagger UI sets inline styles and draws images.
static DOCUMENTATION: LazyLock<HeaderValue> = LazyLock::new(|| {
    HeaderValue::from_static(
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                             font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    )
});

/// For every response: its media type is as declared, any origin may read it, nobody frames it, no referrer is sent.
static ALWAYS: LazyLock<[(HeaderName, HeaderValue); 4]> = LazyLock::new(|| {
    [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CROSS_ORIGIN_RESOURCE_POLICY, "cross-origin"),
    ]
    .map(|(name, value)| (name, HeaderValue::from_static(value)))
});

/// Sets the headers that protect whoever opens the response at this path.
pub fn protect(path: &str, headers: &mut HeaderMap) {
    for (name, value) in &*ALWAYS {
        headers.insert(name.clone(), value.clone());
    }
    // An HTML page of ours names its own style sheet by hash, in a policy of its own.
    if headers.contains_key(header::CONTENT_SECURITY_POLICY) {
        return;
    }
    let media_type = headers.get(header::CONTENT_TYPE).map_or(&[][..], HeaderValue::as_bytes);
    let is_documentation = media_type.starts_with(b"text/html") && path.starts_with("/docs");
    let policy = if is_documentation { &DOCUMENTATION } else { &DATA };
    headers.insert(header::CONTENT_SECURITY_POLICY, (**policy).clone());
}
