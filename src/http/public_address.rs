//! The public address of the service, which begins every link that leaves it.
//!
//! It is what `WARD_POLICY_PUBLIC_URL` says. Without that setting it is the address under which the caller reached the
//! service: by `Host` or, behind proxies, by what the outermost proxy says in `X-Forwarded-Proto`, `-Host` and
//! `-Prefix`. Where it is not known whether callers speak TLS, links are relative, which is right either way.

use actix_web::{
    HttpRequest,
    http::{
        header::{HOST, HeaderMap, HeaderName, HeaderValue, LINK, LOCATION},
        uri::Authority,
    },
    web,
};
use url::Url;

use super::{address::forwarded, limits::limits};

/// The address that `WARD_POLICY_PUBLIC_URL` gives the service, without a slash at its end.
#[derive(Debug, Clone)]
pub struct PublicUrl(String);

impl PublicUrl {
    /// Reads the setting. The error says how an address is written.
    pub fn read(text: &str) -> Result<Self, &'static str> {
        const WRONG: &str = "it must be an address such as https://www.example.jp/policies";
        let url = Url::parse(text.trim()).ok().ok_or(WRONG)?;
        let is_address = ["http", "https"].contains(&url.scheme())
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        let prefix = url.path().trim_end_matches('/');
        if !is_address || !(prefix.is_empty() || is_prefix(prefix)) {
            return Err(WRONG);
        }
        Ok(Self(format!("{}{prefix}", url.origin().ascii_serialization())))
    }
}

/// The address that paths of the service stand behind, without a slash at its end: `https://www.example.jp/policies`.
/// Without scheme and host where they are not known; then it may be empty.
#[must_use]
pub fn base(req: &HttpRequest) -> String {
    if let Some(PublicUrl(known)) = set(req) {
        return known.clone();
    }
    let prefix = prefix(req);
    let host = || req.headers().get(HOST)?.to_str().ok();
    let named = forwarded(req, "x-forwarded-host").and_then(authority);
    let authority = named
        .or_else(|| authority(host()?))
        .or_else(|| req.uri().authority().cloned());
    match (scheme(req), authority) {
        (Some(scheme), Some(authority)) => format!("{scheme}://{authority}{prefix}"),
        _ => prefix.to_owned(),
    }
}

/// The scheme that callers use, if it is known: the service itself speaks no TLS, but a proxy before it may.
fn scheme(req: &HttpRequest) -> Option<&str> {
    if limits(req).proxies > 0 {
        return forwarded(req, "x-forwarded-proto").filter(|scheme| ["http", "https"].contains(scheme));
    }
    // A proxy that is not counted is not believed; but there is one.
    let says = |name: &str, what: &str| {
        let mut values = req.headers().get_all(name).filter_map(|value| value.to_str().ok());
        values.any(|value| value.to_ascii_lowercase().contains(what))
    };
    (!says("x-forwarded-proto", "https") && !says("forwarded", "proto=")).then_some("http")
}

/// The address of the service as the document of its interface states it: the setting, or else the path that proxies put
/// before those of the service. `/` where there is neither.
#[must_use]
pub fn server(req: &HttpRequest) -> &str {
    match (set(req), prefix(req)) {
        (Some(PublicUrl(known)), _) => known,
        (None, "") => "/",
        (None, prefix) => prefix,
    }
}

/// Makes the links in the head of an answer absolute.
pub fn complete_links(req: &HttpRequest, headers: &mut HeaderMap) {
    complete(headers, &LOCATION, |path| {
        let is_ours = path.starts_with('/') && !path.starts_with("//");
        if is_ours { base(req) + path } else { path.to_owned() }
    });
    complete(headers, &LINK, |links| links.replace("</", &format!("<{}/", base(req))));
}

/// Replaces every value of a header.
fn complete(headers: &mut HeaderMap, name: &HeaderName, whole: impl Fn(&str) -> String) {
    let values = headers.get_all(name).filter_map(|value| value.to_str().ok());
    let whole: Vec<_> = values
        .filter_map(|value| HeaderValue::try_from(whole(value)).ok())
        .collect();
    if whole.is_empty() {
        return;
    }
    headers.remove(name);
    for value in whole {
        headers.append(name.clone(), value);
    }
}

fn set(req: &HttpRequest) -> Option<&PublicUrl> {
    req.app_data::<web::Data<PublicUrl>>().map(web::Data::get_ref)
}

/// The path that the outermost proxy has cut off those of its requests; empty without one.
#[must_use]
pub fn prefix(req: &HttpRequest) -> &str {
    let said = forwarded(req, "x-forwarded-prefix").map(|prefix| prefix.trim_end_matches('/'));
    said.filter(|prefix| is_prefix(prefix)).unwrap_or_default()
}

/// Whether this is a path, and nothing that could be read as a host or as more than a path.
fn is_prefix(path: &str) -> bool {
    let is_plain = |part: &str| {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte);
        ![".", "..", ""].contains(&part) && part.bytes().all(is_plain)
    };
    path.strip_prefix('/').is_some_and(|path| path.split('/').all(is_plain))
}

/// A host with an optional port, and nothing else.
fn authority(text: &str) -> Option<Authority> {
    let authority: Authority = text.parse().ok()?;
    (!authority.host().is_empty() && !text.contains('@')).then_some(authority)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
    use actix_web::test::TestRequest;

    use super::*;
    use crate::http::limits::Limits;

    fn request(proxies: usize, headers: &[(&'static str, &str)]) -> TestRequest {
        let limits = Limits {
            proxies,
            ..Limits::default()
        };
        let req = TestRequest::get().app_data(web::Data::new(limits));
        headers
            .iter()
            .fold(req, |req, (name, value)| req.append_header((*name, *value)))
    }

    fn base_behind(proxies: usize, headers: &[(&'static str, &str)]) -> String {
        base(&request(proxies, headers).to_http_request())
    }

    #[test]
    fn without_proxies_nobody_else_says_where_the_service_is() {
        for claim in [
            ("x-forwarded-host", "evil.example"),
            ("x-forwarded-proto", "http"),
            ("x-forwarded-prefix", "/evil"),
            ("forwarded", "host=evil.example"),
        ] {
            let address = base_behind(0, &[("host", "ward.example:8080"), claim]);
            assert_eq!(address, "http://ward.example:8080", "{claim:?}");
        }
        assert_eq!(base_behind(0, &[("host", "a/b@c")]), "");
    }

    #[test]
    fn links_are_relative_where_it_is_not_known_whether_callers_speak_tls() {
        let host = ("host", "ward.example");
        for said in [
            ("x-forwarded-proto", "HTTPS"),
            ("forwarded", "for=192.0.2.1;Proto=https"),
        ] {
            assert_eq!(base_behind(0, &[host, said]), "", "{said:?}");
        }
        let prefix = ("x-forwarded-prefix", "/policies");
        assert_eq!(base_behind(1, &[host, prefix]), "/policies");
        // Whoever passes `X-Forwarded-Proto` on without knowing `Forwarded`, passes on what anybody wrote there.
        assert_eq!(base_behind(1, &[host, ("forwarded", "proto=https")]), "");
        assert_eq!(base_behind(1, &[host, ("x-forwarded-proto", "ftp")]), "");
        let mut headers = HeaderMap::new();
        let link = "</v1/goals?cursor=a>; rel=\"next\"";
        headers.insert(LINK, HeaderValue::from_static(link));
        complete_links(&request(1, &[host, prefix]).to_http_request(), &mut headers);
        assert_eq!(
            headers.get(&LINK).unwrap(),
            "</policies/v1/goals?cursor=a>; rel=\"next\""
        );
    }

    #[test]
    fn behind_proxies_the_address_is_what_the_outermost_says() {
        let host = ("host", "inner.example");
        let proto = ("x-forwarded-proto", "http");
        let one = [
            host,
            ("x-forwarded-host", "ward.example"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-prefix", "/policies/"),
        ];
        assert_eq!(base_behind(1, &one), "https://ward.example/policies");
        assert_eq!(base_behind(2, &one), "https://ward.example/policies");
        let added = [
            host,
            ("x-forwarded-host", "evil.example, ward.example, inner.example"),
            ("x-forwarded-proto", "ftp, https, http"),
            ("x-forwarded-prefix", "/evil, /policies, /"),
        ];
        assert_eq!(base_behind(2, &added), "https://ward.example/policies");
        for claim in [
            ("forwarded", "host=evil.example"),
            ("x-forwarded-host", "no host"),
            ("x-forwarded-prefix", "//evil.example"),
            ("x-forwarded-prefix", "evil"),
            ("x-forwarded-prefix", "/../evil"),
            ("x-forwarded-prefix", "/a?b"),
            ("x-forwarded-prefix", "/a>;rel=x"),
        ] {
            assert_eq!(
                base_behind(1, &[host, proto, claim]),
                "http://inner.example",
                "{claim:?}"
            );
        }
    }

    #[test]
    fn the_setting_goes_before_everything_else() {
        let claims = [
            ("host", "inner.example"),
            ("x-forwarded-host", "other.example"),
            ("x-forwarded-prefix", "/other"),
        ];
        let url = PublicUrl::read(" https://Ward.example:443/policies/ ").unwrap();
        let req = request(1, &claims).app_data(web::Data::new(url)).to_http_request();
        assert_eq!(base(&req), "https://ward.example/policies");
        assert_eq!(server(&req), "https://ward.example/policies");
        for wrong in [
            "",
            "ward.example",
            "//ward.example",
            "ftp://ward.example",
            "https://ward.example/?a",
            "https://ward.example/#a",
            "https://me@ward.example",
            "https://ward.example//a",
            "https://ward.example/a;b",
        ] {
            assert!(PublicUrl::read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn links_to_the_service_become_absolute_and_no_others() {
        let req = request(0, &[("host", "ward.example")]).to_http_request();
        for (name, given, whole) in [
            (LOCATION, "/v1/goals/1?a=/b", "http://ward.example/v1/goals/1?a=/b"),
            (LOCATION, "//other.example/a", "//other.example/a"),
            (LOCATION, "https://other.example/a", "https://other.example/a"),
            (
                LINK,
                "</v1/goals?cursor=a>; rel=\"next\", </docs/>; rel=\"help\"",
                "<http://ward.example/v1/goals?cursor=a>; rel=\"next\", <http://ward.example/docs/>; rel=\"help\"",
            ),
            (
                LINK,
                "<https://other.example/>; rel=\"help\"",
                "<https://other.example/>; rel=\"help\"",
            ),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(name.clone(), HeaderValue::from_static(given));
            complete_links(&req, &mut headers);
            assert_eq!(headers.get(&name).unwrap(), whole);
        }
    }

    #[test]
    fn the_document_states_a_path_that_proxies_cut_off() {
        assert_eq!(server(&request(0, &[("host", "a.example")]).to_http_request()), "/");
        let prefix = [("host", "a.example"), ("x-forwarded-prefix", "/policies")];
        assert_eq!(server(&request(1, &prefix).to_http_request()), "/policies");
        assert_eq!(server(&request(0, &prefix).to_http_request()), "/");
    }
}
