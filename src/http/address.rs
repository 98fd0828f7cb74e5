//! The address under which a caller reached the service, and the address the caller comes from.
//!
//! Anybody can write anything into `Forwarded` and `X-Forwarded-…`. These headers count only behind proxies, as
//! `WARD_POLICY_PROXIES` says. Of several values, the one that the outermost proxy added counts.

use actix_web::{
    HttpRequest,
    dev::ServiceRequest,
    http::{
        header::{HOST, HeaderMap},
        uri::Authority,
    },
};

use super::limits::limits;
use crate::auth::{CallerKey, network};

/// Scheme and authority, as in `https://example.jp`.
#[must_use]
pub fn reached(req: &HttpRequest) -> String {
    let beyond = limits(req).proxies.checked_sub(1);
    let forwarded = |name| beyond.and_then(|beyond| said(req.headers(), name, beyond));
    let scheme = forwarded("x-forwarded-proto").filter(|scheme| ["http", "https"].contains(scheme));
    let host = req.headers().get(HOST).and_then(|host| host.to_str().ok());
    let named = forwarded("x-forwarded-host").and_then(authority);
    let authority = named
        .or_else(|| authority(host?))
        .or_else(|| req.uri().authority().cloned());
    let authority = authority.map_or_else(|| req.app_config().host().to_owned(), |known| known.to_string());
    format!("{}://{authority}", scheme.unwrap_or("http"))
}

/// What the outermost of `beyond + 1` proxies wrote into this header. A proxy that sets the header, instead of
/// appending to it, leaves fewer values: then the first value is its own.
fn said<'a>(headers: &'a HeaderMap, name: &str, beyond: usize) -> Option<&'a str> {
    let values: Vec<&str> = headers
        .get_all(name)
        .filter_map(|values| values.to_str().ok())
        .flat_map(|values| values.split(','))
        .map(str::trim)
        .collect();
    values.iter().rev().nth(beyond).or_else(|| values.first()).copied()
}

/// A host with an optional port, and nothing else.
fn authority(text: &str) -> Option<Authority> {
    let authority: Authority = text.parse().ok()?;
    (!authority.host().is_empty() && !text.contains('@')).then_some(authority)
}

/// The address a request comes from: the connection's peer or, behind proxies, what the outermost proxy noted.
#[must_use]
pub fn caller(req: &ServiceRequest) -> CallerKey {
    let forwarded = limits(req.request()).proxies.checked_sub(1).and_then(|beyond| {
        let lists = req.headers().get_all("x-forwarded-for");
        let addresses: Vec<_> = lists
            .filter_map(|list| list.to_str().ok())
            .flat_map(|list| list.split(','))
            .collect();
        addresses.iter().rev().nth(beyond)?.trim().parse().ok()
    });
    let address = forwarded.or_else(|| req.peer_addr().map(|peer| peer.ip()));
    address.map_or(CallerKey::UNKNOWN, |address| CallerKey::Address(network(address)))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
    use std::net::IpAddr;

    use actix_web::{test::TestRequest, web};

    use super::*;
    use crate::http::limits::Limits;

    fn reached_behind(proxies: usize, headers: &[(&'static str, &str)]) -> String {
        let limits = Limits {
            proxies,
            ..Limits::default()
        };
        let mut req = TestRequest::get().app_data(web::Data::new(limits));
        for (name, value) in headers {
            req = req.append_header((*name, *value));
        }
        reached(&req.to_http_request())
    }

    #[test]
    fn without_proxies_nobody_else_says_where_the_service_is() {
        for claim in [
            ("x-forwarded-host", "evil.example"),
            ("x-forwarded-proto", "https"),
            ("forwarded", "host=evil.example;proto=https"),
        ] {
            let address = reached_behind(0, &[("host", "ward.example:8080"), claim]);
            assert_eq!(address, "http://ward.example:8080", "{claim:?}");
        }
        assert_eq!(reached_behind(0, &[("host", "a/b@c")]), "http://localhost:8080");
    }

    #[test]
    fn behind_proxies_the_address_is_what_the_outermost_says() {
        let host = ("host", "inner.example");
        let one = [
            host,
            ("x-forwarded-host", "ward.example"),
            ("x-forwarded-proto", "https"),
        ];
        assert_eq!(reached_behind(1, &one), "https://ward.example");
        assert_eq!(reached_behind(2, &one), "https://ward.example");
        let added = [
            host,
            ("x-forwarded-host", "evil.example, ward.example, inner.example"),
            ("x-forwarded-proto", "ftp, https, http"),
        ];
        assert_eq!(reached_behind(2, &added), "https://ward.example");
        assert_eq!(
            reached_behind(1, &[host, ("forwarded", "host=evil.example")]),
            "http://inner.example"
        );
        assert_eq!(
            reached_behind(1, &[host, ("x-forwarded-host", "no host")]),
            "http://inner.example"
        );
    }

    fn from(proxies: usize, peer: &str, forwarded: &[&str]) -> String {
        let limits = Limits {
            proxies,
            ..Limits::default()
        };
        let mut req = TestRequest::default()
            .app_data(web::Data::new(limits))
            .peer_addr((peer.parse::<IpAddr>().unwrap(), 1).into());
        for list in forwarded {
            req = req.append_header(("X-Forwarded-For", *list));
        }
        match caller(&req.to_srv_request()) {
            CallerKey::Address(address) => address.to_string(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn an_address_is_that_of_the_connection_whatever_callers_say() {
        for (peer, forwarded, address) in [
            ("192.0.2.1", &[][..], "192.0.2.1"),
            ("192.0.2.2", &["192.0.2.77"], "192.0.2.2"),
            ("::ffff:192.0.2.2", &[], "192.0.2.2"),
            ("2001:db8::1", &[], "2001:db8::"),
            ("2001:db8::ffff:0:1", &[], "2001:db8::"),
            ("2001:db8:0:1::1", &[], "2001:db8:0:1::"),
        ] {
            assert_eq!(from(0, peer, forwarded), address);
        }
    }

    #[test]
    fn behind_proxies_the_address_is_what_they_say_and_not_what_callers_say() {
        for (forwarded, address) in [
            (&["203.0.113.1, 198.51.100.7", "192.0.2.50"][..], "198.51.100.7"),
            (&["203.0.113.2, 198.51.100.7, 192.0.2.50"], "198.51.100.7"),
            (&["198.51.100.8, 192.0.2.50"], "198.51.100.8"),
            // A caller that bypasses the proxies is known by the address of its connection.
            (&["nonsense"], "192.0.2.1"),
            (&[], "192.0.2.1"),
        ] {
            assert_eq!(from(2, "192.0.2.1", forwarded), address, "{forwarded:?}");
        }
    }
}
