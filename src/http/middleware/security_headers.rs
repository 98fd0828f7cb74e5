//! Security headers: a browser shows a response as what it is declared to be, and runs nothing that others put into it.

use std::sync::LazyLock;

use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};

/// Policy for data, which is no page: a browser runs, loads and frames nothing of it.
static DATA: LazyLock<HeaderValue> =
    LazyLock::new(|| HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"));
/// For every response: its media type is as declared, any origin may read it, no referrer is sent.
static ALWAYS: LazyLock<[(HeaderName, HeaderValue); 3]> = LazyLock::new(|| {
    [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CROSS_ORIGIN_RESOURCE_POLICY, "cross-origin"),
    ]
    .map(|(name, value)| (name, HeaderValue::from_static(value)))
});

/// Sets the headers that protect whoever opens the response.
pub fn protect(headers: &mut HeaderMap) {
    for (name, value) in &*ALWAYS {
        headers.insert(name.clone(), value.clone());
    }
    // A page of ours says what it loads and who may frame it in a policy of its own; so does the 304 that stands for it.
    let own = headers.get(header::CONTENT_SECURITY_POLICY);
    if own.is_none_or(|policy| policy.as_bytes().ends_with(b"frame-ancestors 'none'")) {
        // For browsers that know no `frame-ancestors`. It could not name an origin.
        let nobody = HeaderValue::from_static("DENY");
        headers.insert(header::X_FRAME_OPTIONS, nobody);
    }
    if !headers.contains_key(header::CONTENT_SECURITY_POLICY) {
        headers.insert(header::CONTENT_SECURITY_POLICY, DATA.clone());
    }
}
