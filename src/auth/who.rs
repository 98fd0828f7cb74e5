//! Whose requests are counted together, wait in one queue and share one allowance.

use std::net::{IpAddr, Ipv6Addr};

use actix_web::dev::ServiceRequest;

use crate::{extract::limits, value::Id};

/// The caller for whom a request is counted: it has one rate, one queue and one share of everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Who {
    /// The holder of a valid token, from wherever the requests come.
    Token(Id),
    /// Everybody without a valid token who calls from this address. An IPv6 address stands for its network of 64 bits: a
    /// provider assigns the whole network to one customer.
    Address(IpAddr),
    /// The service itself, which works for many callers at once.
    Service,
}

impl Who {
    /// Callers whose address is not known.
    pub const UNKNOWN: Self = Self::Address(IpAddr::V6(Ipv6Addr::UNSPECIFIED));

    /// The kind of caller, as the rate limit's headers and problems name it.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Token(_) => "token",
            Self::Address(_) => "address",
            Self::Service => "service",
        }
    }
}

/// The address a request comes from: that of the connection or, behind proxies, the one that the outermost of them noted.
#[must_use]
pub fn address(req: &ServiceRequest) -> Who {
    let forwarded = limits(req.request()).proxies.checked_sub(1).and_then(|beyond| {
        let lists = req.headers().get_all("x-forwarded-for");
        let addresses: Vec<_> = lists
            .filter_map(|list| list.to_str().ok())
            .flat_map(|list| list.split(','))
            .collect();
        addresses.iter().rev().nth(beyond)?.trim().parse().ok()
    });
    let address = forwarded.or_else(|| req.peer_addr().map(|peer| peer.ip()));
    address.map_or(Who::UNKNOWN, |address| Who::Address(network(address)))
}

/// What an address stands for: itself, or its network.
#[must_use]
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(all) => {
            let [a, b, c, d, ..] = all.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;
    use crate::config::Limits;
    use actix_web::{test::TestRequest, web};

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
        match address(&req.to_srv_request()) {
            Who::Address(address) => address.to_string(),
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
            // A caller that does not come through the proxies is known by the address of its connection.
            (&["nonsense"], "192.0.2.1"),
            (&[], "192.0.2.1"),
        ] {
            assert_eq!(from(2, "192.0.2.1", forwarded), address, "{forwarded:?}");
        }
    }
}
