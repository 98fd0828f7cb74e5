//! What browsers may do with an answer: show what it is, and nothing that somebody else has put into it.

use std::sync::LazyLock;

use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};

/// Data is no page: nothing in it is run or loaded, and nobody frames it.
static DATA: LazyLock<HeaderValue> =
    LazyLock::new(|| HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"));
/// The documentation asks this service, by its own scripts; Swagger UI sets styles and draws images within itself.
static DOCUMENTATION: LazyLock<HeaderValue> = LazyLock::new(|| {
    HeaderValue::from_static(
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                             font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    )
});

/// For every answer: it is what it says, whoever may read it may be of another origin, and no address is told on.
static ALWAYS: LazyLock<[(HeaderName, HeaderValue); 4]> = LazyLock::new(|| {
    [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CROSS_ORIGIN_RESOURCE_POLICY, "cross-origin"),
    ]
    .map(|(name, value)| (name, HeaderValue::from_static(value)))
});

/// Sets the headers that protect who opens the answer at this path.
pub fn protect(path: &str, headers: &mut HeaderMap) {
    for (name, value) in &*ALWAYS {
        headers.insert(name.clone(), value.clone());
    }
    // A page of ours says by a hash which styles are its own.
    if headers.contains_key(header::CONTENT_SECURITY_POLICY) {
        return;
    }
    let media_type = headers.get(header::CONTENT_TYPE).map_or(&[][..], HeaderValue::as_bytes);
    let is_documentation = media_type.starts_with(b"text/html") && path.starts_with("/docs");
    let policy = if is_documentation { &DOCUMENTATION } else { &DATA };
    headers.insert(header::CONTENT_SECURITY_POLICY, (**policy).clone());
}
