//! How often one caller may ask: by token, and by address where there is none.
//!
//! What costs next to nothing is not counted: that an answer which is kept still holds (304). An address behind IPv6 is its
//! network, since whoever has one has all of it. RFC 9110 says what 429 is; `RateLimit` is as in
//! draft-ietf-httpapi-ratelimit-headers.

use std::{
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use actix_web::{
    HttpMessage,
    dev::ServiceRequest,
    http::header::{HeaderMap, HeaderName, HeaderValue},
    web,
};
use governor::{
    Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    middleware::StateInformationMiddleware,
    state::keyed::DefaultKeyedStateStore,
};

use crate::{
    error::{Error, Result},
    value::Id,
};

/// The header that says how much a caller may still ask at once.
pub const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
/// The header that says how much a caller may ever ask.
pub const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
/// For so many seconds a caller may save up what was not asked.
const SAVED: u32 = 2;
/// Those who have not asked for a while are forgotten each time so many have asked.
const SWEEP: u32 = 1 << 14;

type Limiter = RateLimiter<Who, DefaultKeyedStateStore<Who>, DefaultClock, StateInformationMiddleware>;

/// How often each may ask.
#[derive(Clone)]
pub struct Rate(Option<Arc<Rates>>);

struct Rates {
    limiter: Limiter,
    per_second: u32,
    proxies: usize,
    asked: AtomicU32,
}

/// Whose requests are counted together.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Who {
    Token(Id),
    Address(IpAddr),
}

impl Rate {
    /// So many a second, and twice as many at once; any number where that is 0. The address is that of the connection, or, behind
    /// proxies, what so many of them have appended to `X-Forwarded-For`.
    #[must_use]
    pub fn new(per_second: u32, proxies: usize) -> Self {
        let burst = per_second.checked_mul(SAVED).and_then(NonZeroU32::new);
        let quota = burst.and_then(|burst| {
            let each = Duration::from_secs(1).checked_div(per_second)?;
            Some(Quota::with_period(each)?.allow_burst(burst))
        });
        Self(quota.map(|quota| {
            Arc::new(Rates {
                limiter: RateLimiter::keyed(quota).with_middleware(),
                per_second,
                proxies,
                asked: AtomicU32::new(0),
            })
        }))
    }
}

/// Counts a request of the API, by whoever holds this token or calls from where it comes from; fails where it is one too many.
pub fn admit(req: &ServiceRequest, token: Option<Id>) -> Result<()> {
    let rates = req.app_data::<web::Data<Rate>>().and_then(|rate| rate.0.as_ref());
    // The path as it will be routed: percent-decoded.
    let Some(rates) = rates.filter(|_| req.match_info().as_str().starts_with("/v1/")) else {
        return Ok(());
    };
    let who = token.map(Who::Token).or_else(|| rates.address(req).map(Who::Address));
    let Some(who) = who else { return Ok(()) };
    let left = rates.ask(&who);
    let refused = left.wait.map(|wait| Error::TooMany(wait.as_secs() + 1));
    req.extensions_mut().insert(left);
    refused.map_or(Ok(()), Err)
}

impl Rates {
    fn ask(&self, who: &Who) -> Left {
        if self.asked.fetch_add(1, Ordering::Relaxed) % SWEEP == SWEEP - 1 {
            self.limiter.retain_recent();
        }
        let (remaining, wait) = match self.limiter.check_key(who) {
            Ok(state) => (state.remaining_burst_capacity(), None),
            Err(until) => (0, Some(until.wait_time_from(self.limiter.clock().now()))),
        };
        Left {
            name: match who {
                Who::Token(_) => "token",
                Who::Address(_) => "address",
            },
            per_second: self.per_second,
            remaining,
            wait,
        }
    }

    fn address(&self, req: &ServiceRequest) -> Option<IpAddr> {
        let forwarded = self.proxies.checked_sub(1).and_then(|beyond| {
            let lists = req.headers().get_all("x-forwarded-for");
            let addresses: Vec<_> = lists
                .filter_map(|list| list.to_str().ok())
                .flat_map(|list| list.split(','))
                .collect();
            addresses.iter().rev().nth(beyond)?.trim().parse().ok()
        });
        let address = forwarded.or_else(|| req.peer_addr().map(|peer| peer.ip()))?;
        Some(match address.to_canonical() {
            IpAddr::V6(all) => {
                let [a, b, c, d, ..] = all.segments();
                Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
            }
            v4 @ IpAddr::V4(_) => v4,
        })
    }
}

/// What a caller may still ask.
#[derive(Debug, Clone, Copy)]
pub struct Left {
    name: &'static str,
    per_second: u32,
    remaining: u32,
    wait: Option<Duration>,
}

impl Left {
    /// Tells the caller.
    pub fn tell(&self, headers: &mut HeaderMap) {
        let Self {
            name,
            per_second,
            remaining,
            ..
        } = self;
        let most = per_second * SAVED;
        let full = (most - remaining).div_ceil(*per_second);
        for (header, value) in [
            (RATE_LIMIT_POLICY, format!("\"{name}\";q={most};w={SAVED}")),
            (RATE_LIMIT, format!("\"{name}\";r={remaining};t={full}")),
        ] {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(header, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;
    use actix_web::test::TestRequest;

    fn ask(rate: &Rate, from: &str, forwarded: &[&str], token: Option<Id>) -> (bool, Option<Left>) {
        ask_at("/v1/goals", rate, from, forwarded, token)
    }

    fn ask_at(path: &str, rate: &Rate, from: &str, forwarded: &[&str], token: Option<Id>) -> (bool, Option<Left>) {
        let mut req = TestRequest::with_uri(path)
            .app_data(web::Data::new(rate.clone()))
            .peer_addr((from.parse::<IpAddr>().unwrap(), 1).into());
        for list in forwarded {
            req = req.append_header(("X-Forwarded-For", *list));
        }
        let req = req.to_srv_request();
        let admitted = admit(&req, token).is_ok();
        let left = req.extensions().get::<Left>().copied();
        (admitted, left)
    }

    /// How many of ten are admitted.
    fn of_ten(rate: &Rate, from: &str, forwarded: &[&str], token: Option<Id>) -> usize {
        (0..10).filter(|_| ask(rate, from, forwarded, token).0).count()
    }

    #[test]
    fn each_address_and_each_token_has_its_own_allowance() {
        // It takes a second until there is one more.
        let rate = Rate::new(1, 0);
        assert_eq!(of_ten(&rate, "192.0.2.1", &[], None), 2);
        assert_eq!(of_ten(&rate, "192.0.2.2", &["192.0.2.77"], None), 2);
        assert_eq!(of_ten(&rate, "::ffff:192.0.2.2", &[], None), 0);
        assert_eq!(of_ten(&rate, "2001:db8::1", &[], None), 2);
        assert_eq!(of_ten(&rate, "2001:db8::ffff:0:1", &[], None), 0);
        assert_eq!(of_ten(&rate, "2001:db8:0:1::1", &[], None), 2);
        let token = Some(Id::generate());
        assert_eq!(of_ten(&rate, "192.0.2.1", &[], token), 2);
        assert_eq!(of_ten(&rate, "192.0.2.9", &[], token), 0);
        assert_eq!(of_ten(&Rate::new(0, 0), "192.0.2.1", &[], None), 10);
    }

    #[test]
    fn every_way_to_write_a_path_counts_and_health_does_not() {
        let rate = Rate::new(1, 0);
        let ask = |path| ask_at(path, &rate, "192.0.2.1", &[], None).0;
        assert_eq!(["/healthz"; 9].map(ask), [true; 9]);
        let ways = ["/v1/goals", "/%761/goals", "/v%31/goals", "/v1/goals"];
        assert_eq!(ways.map(ask), [true, true, false, false]);
    }

    #[test]
    fn behind_proxies_the_address_is_what_they_say_and_not_what_callers_say() {
        let rate = Rate::new(1, 2);
        let mine = ["203.0.113.1, 198.51.100.7", "192.0.2.50"];
        assert_eq!(of_ten(&rate, "192.0.2.1", &mine, None), 2);
        assert_eq!(
            of_ten(&rate, "192.0.2.1", &["203.0.113.2, 198.51.100.7, 192.0.2.50"], None),
            0
        );
        assert_eq!(of_ten(&rate, "192.0.2.1", &["198.51.100.8, 192.0.2.50"], None), 2);
        // Who comes around them is known by its own address.
        assert_eq!(of_ten(&rate, "192.0.2.9", &["nonsense"], None), 2);
        assert_eq!(of_ten(&rate, "192.0.2.9", &[], None), 0);
    }

    #[test]
    fn a_caller_is_told_what_is_left() {
        let rate = Rate::new(10, 0);
        let told = |left: Left| {
            let mut headers = HeaderMap::new();
            left.tell(&mut headers);
            [RATE_LIMIT_POLICY, RATE_LIMIT].map(|name| headers.get(name).unwrap().to_str().unwrap().to_owned())
        };
        let (admitted, left) = ask(&rate, "192.0.2.1", &[], None);
        assert!(admitted);
        assert_eq!(told(left.unwrap()), ["\"address\";q=20;w=2", "\"address\";r=19;t=1"]);
        of_ten(&rate, "192.0.2.1", &[], None);
        of_ten(&rate, "192.0.2.1", &[], None);
        let (admitted, left) = ask(&rate, "192.0.2.1", &[], None);
        assert!(!admitted && left.unwrap().wait.is_some());
        assert_eq!(told(left.unwrap()), ["\"address\";q=20;w=2", "\"address\";r=0;t=2"]);
    }
}
