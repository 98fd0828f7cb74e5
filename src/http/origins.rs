//! Origins whose pages are trusted: they may write with a token, and may frame the page of the form.

use std::sync::Arc;

use actix_web::{HttpRequest, http::header::HeaderValue, web};
use url::Url;

/// The origins that `WARD_POLICY_CORS_ORIGINS` names, as browsers write them (RFC 6454, 6.2).
#[derive(Debug, Clone, Default)]
pub struct Origins(Arc<[String]>);

impl Origins {
    /// Reads a list, separated by commas. The error says how an origin is written.
    pub fn read(list: &str) -> Result<Self, String> {
        let named = list.split(',').map(str::trim).filter(|named| !named.is_empty());
        named.map(origin).collect::<Result<_, _>>().map(Self)
    }

    /// Whether this is one of them.
    #[must_use]
    pub fn has(&self, origin: &HeaderValue) -> bool {
        self.0.iter().any(|known| known.as_bytes() == origin.as_bytes())
    }

    /// The sources of `frame-ancestors` in a content security policy: these origins, or nobody.
    #[must_use]
    pub fn ancestors(&self) -> String {
        if self.0.is_empty() {
            "'none'".to_owned()
        } else {
            self.0.join(" ")
        }
    }
}

/// The origins of the service that got the request.
#[must_use]
pub fn origins(req: &HttpRequest) -> Origins {
    let origins = req.app_data::<web::Data<Origins>>();
    origins.map(|origins| origins.get_ref().clone()).unwrap_or_default()
}

/// An origin as browsers write it: in lower case, its host in ASCII, without the usual port.
fn origin(named: &str) -> Result<String, String> {
    let wrong = |why: &str| {
        Err(format!(
            "{named}: {why}; an origin is scheme, host and port, as in https://www.example.jp"
        ))
    };
    if named.contains('*') {
        return wrong("each origin must be named");
    }
    let Ok(url) = Url::parse(named) else {
        return wrong("it is no origin");
    };
    if !["http", "https"].contains(&url.scheme()) {
        return wrong("its scheme must be http or https");
    }
    let is_bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    if !is_bare || !url.username().is_empty() || url.password().is_some() {
        return wrong("nothing may stand before or after its host and port");
    }
    Ok(url.origin().ascii_serialization())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    #[test]
    fn origins_are_known_as_browsers_write_them() {
        let given = "https://www.city.example.jp, HTTP://LOCALHOST:5173/ ,https://例え.jp:443,http://[::1]:80";
        let origins = Origins::read(given).unwrap();
        for (origin, is_known) in [
            ("https://www.city.example.jp", true),
            ("http://localhost:5173", true),
            ("https://xn--r8jz45g.jp", true),
            ("http://[::1]", true),
            ("http://www.city.example.jp", false),
            ("https://www.city.example.jp:8443", false),
            ("https://city.example.jp", false),
            ("https://www.city.example.jp.evil.example", false),
            ("http://localhost", false),
            ("null", false),
            ("", false),
        ] {
            assert_eq!(origins.has(&HeaderValue::from_static(origin)), is_known, "{origin}");
        }
        assert!(
            origins
                .ancestors()
                .starts_with("https://www.city.example.jp http://localhost:5173 ")
        );
    }

    #[test]
    fn without_a_list_nobody_is_trusted() {
        for none in ["", " ", ","] {
            let origins = Origins::read(none).unwrap();
            assert!(!origins.has(&HeaderValue::from_static("https://a.example")), "{none:?}");
            assert_eq!(origins.ancestors(), "'none'");
        }
    }

    #[test]
    fn what_is_no_origin_is_refused_with_a_reason() {
        for (list, why) in [
            ("*", "must be named"),
            ("https://*.example.jp", "must be named"),
            ("www.example.jp", "no origin"),
            ("localhost:5173", "scheme"),
            ("null", "no origin"),
            ("https://", "no origin"),
            ("ftp://example.jp", "scheme"),
            ("file:///page.html", "scheme"),
            ("https://example.jp/pages", "nothing may stand"),
            ("https://example.jp?a", "nothing may stand"),
            ("https://example.jp#a", "nothing may stand"),
            ("https://me@example.jp", "nothing may stand"),
            ("https://example.jp https://example.com", "no origin"),
            (
                "https://good.example,https://example.jp/pages",
                "https://example.jp/pages",
            ),
        ] {
            let refused = Origins::read(list).unwrap_err();
            assert!(
                refused.contains(why) && refused.lines().count() == 1,
                "{list}: {refused}"
            );
        }
    }
}
