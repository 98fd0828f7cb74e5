//! Content negotiation: the media types, codings and languages a caller prefers, by its headers (RFC 9110, 12).

use actix_web::{
    HttpRequest,
    dev::ServiceRequest,
    http::header::{self, HeaderMap, HeaderName},
};

use super::media_type::{CSV, EVENT_STREAM, JSON_LD, NDJSON, XLSX};
use crate::value::language::Language;

/// Whether the caller accepts JSON, or another media type that the path serves. The documentation's pages negotiate for
/// themselves.
pub(crate) fn is_acceptable(req: &ServiceRequest) -> bool {
    let own: &[&str] = match req.path() {
        "/v1/changes/stream" => &[EVENT_STREAM],
        "/v1/snapshot" | "/v1/audit" => &[NDJSON],
        "/v1/catalog" => &[JSON_LD],
        path if path.starts_with("/v1/exports/") => &[CSV, XLSX, NDJSON],
        _ => &[],
    };
    let accepts = |within: &[&str]| weight(req.headers(), &header::ACCEPT, within) > 0.0;
    if is_page(req.path()) {
        return accepts(HTML);
    }
    !req.path().starts_with("/v1/") || accepts(JSON) || own.iter().any(|own| accepts(&[own]))
}

/// Whether a path of the API serves a page for people.
fn is_page(path: &str) -> bool {
    let mut parts = path
        .strip_prefix("/v1/policies/")
        .into_iter()
        .flat_map(|at| at.split('/'));
    parts.nth(2) == Some("form") && parts.next().is_none()
}

/// The media ranges that include HTML, the most specific first.
const HTML: &[&str] = &["text/html", "text/*", "*/*"];

/// Whether the caller prefers this media type to JSON.
#[must_use]
pub fn prefers(req: &HttpRequest, media_type: &str) -> bool {
    let weight = |within: &[&str]| weight(req.headers(), &header::ACCEPT, within);
    weight(&[media_type]) > weight(JSON) && req.headers().contains_key(header::ACCEPT)
}

/// The media ranges that include JSON, the most specific first.
const JSON: &[&str] = &["application/json", "application/*", "*/*"];

/// The caller's weight (RFC 9110, 12.4.2) for these ranges: that of the first of them that the header names.
#[must_use]
pub fn weight(headers: &HeaderMap, name: &HeaderName, within: &[&str]) -> f32 {
    let ranges = ranges(headers, name);
    let stated = |range: &&str| ranges.iter().find(|(named, _)| named == range).map(|(_, q)| *q);
    match within.iter().find_map(stated) {
        Some(q) => q,
        // A header that names nothing accepts anything.
        None if ranges.is_empty() => 1.0,
        None => 0.0,
    }
}

/// The ranges that a header names, in lower case, with their weights; without those whose weight cannot be read.
fn ranges(headers: &HeaderMap, name: &HeaderName) -> Vec<(String, f32)> {
    let values = headers.get_all(name).filter_map(|value| value.to_str().ok());
    values
        .flat_map(|ranges| ranges.split(','))
        .filter(|range| !range.trim().is_empty())
        .filter_map(|range| {
            let mut parts = range.split(';').map(str::trim);
            let range = parts.next()?.to_ascii_lowercase();
            let q = parts.find_map(|part| part.strip_prefix("q="));
            Some((range, q.map_or(Ok(1.0), str::parse).ok()?))
        })
        .collect()
}

/// The language that a caller prefers; Japanese if it prefers neither.
#[must_use]
pub fn language(headers: &HeaderMap) -> Language {
    let ranges = ranges(headers, &header::ACCEPT_LANGUAGE);
    let weight = |language: Language| {
        let named = ranges
            .iter()
            .filter(|(range, _)| range.split('-').next() == Some(language.tag()));
        named.map(|(_, q)| *q).fold(0.0, f32::max)
    };
    if weight(Language::English) > weight(Language::Japanese) {
        Language::English
    } else {
        Language::Japanese
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::{
        Language::{English, Japanese},
        language, *,
    };

    #[test]
    fn the_preferred_language_wins() {
        for (header, expected) in [
            ("", Japanese),
            ("en", English),
            ("en-GB,en;q=0.9", English),
            ("ja,en;q=0.8", Japanese),
            ("ja;q=0.5, en;q=0.8", English),
            ("fr", Japanese),
            ("en;q=0", Japanese),
            ("en;q=x", Japanese),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, HeaderValue::from_static(header));
            assert_eq!(language(&headers), expected, "{header}");
        }
    }
}
