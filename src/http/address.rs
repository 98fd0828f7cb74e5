//! The address a caller comes from, and what proxies in front of the service say about requests.
//!
//! Anybody can write anything into `Forwarded` and `X-Forwarded-…`. These headers count only behind proxies, as
//! `WARD_POLICY_PROXIES` says. Of several values, the one that the outermost proxy added counts.

use actix_web::{HttpRequest, dev::ServiceRequest, http::header::HeaderMap};

use super::limits::limits;
use crate::auth::{CallerKey, network};

/// What the outermost proxy says in this header; nothing where there is no proxy.
pub(super) fn forwarded<'a>(req: &'a HttpRequest, name: &str) -> Option<&'a str> {
    let beyond = limits(req).proxies.checked_sub(1)?;
    said(req.headers(), name, beyond)
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
