//! Whose requests are counted together, wait in one queue and share one allowance.

use std::net::{IpAddr, Ipv6Addr};

use crate::value::Id;

/// The caller for whom a request is counted: it has one rate, one queue and one share of everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CallerKey {
    /// The holder of a valid token, from wherever the requests come.
    Token(Id),
    /// Everybody without a valid token who calls from this address. An IPv6 address stands for its network of 64 bits:
    /// a provider assigns the whole network to one customer.
    Address(IpAddr),
    /// The service itself, which works for many callers at once.
    Service,
}

impl CallerKey {
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
