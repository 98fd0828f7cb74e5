//! Rate limit of one caller: by token or, without a token, by address.
//!
//! A request is counted before anything is looked up for it. Conditional requests that the cache answers with 304 are
//! free. RFC 9110 defines 429; `RateLimit` is as in draft-ietf-httpapi-ratelimit-headers.

use std::{
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
    auth::CallerKey,
    error::{Error, Result},
};

/// The header that says how many requests a caller may still make at once.
pub const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
/// The header that says what the rate limit is.
pub const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
/// Seconds for which a caller may save up unused requests.
const SAVED: u32 = 2;
/// Requests between two sweeps, which forget callers that have made none for a while.
const SWEEP: u32 = 1 << 14;

type Limiter = RateLimiter<CallerKey, DefaultKeyedStateStore<CallerKey>, DefaultClock, StateInformationMiddleware>;

/// The rate limit of each caller.
#[derive(Clone)]
pub struct Rate(Option<Arc<Rates>>);

struct Rates {
    limiter: Limiter,
    per_second: u32,
    asked: AtomicU32,
}

impl Rate {
    /// So many requests a second, and twice as many at once; 0 means no limit.
    #[must_use]
    pub fn new(per_second: u32) -> Self {
        let burst = per_second.checked_mul(SAVED).and_then(NonZeroU32::new);
        let quota = burst.and_then(|burst| {
            let each = Duration::from_secs(1).checked_div(per_second)?;
            Some(Quota::with_period(each)?.allow_burst(burst))
        });
        Self(quota.map(|quota| {
            Arc::new(Rates {
                limiter: RateLimiter::keyed(quota).with_middleware(),
                per_second,
                asked: AtomicU32::new(0),
            })
        }))
    }
}

/// What whoever watches the service asks for, however often.
const UNCOUNTED: [&str; 2] = ["/healthz", "/readyz"];

/// Counts a request for its caller; fails if the caller is over its limit.
pub fn admit(req: &ServiceRequest, caller: CallerKey) -> Result<()> {
    let rates = req.app_data::<web::Data<Rate>>().and_then(|rate| rate.0.as_ref());
    // The path as it will be routed: percent-decoded.
    let Some(rates) = rates.filter(|_| !UNCOUNTED.contains(&req.match_info().as_str())) else {
        return Ok(());
    };
    let left = rates.ask(caller);
    let refused = left.wait.map(|wait| Error::TooMany {
        seconds: wait.as_secs() + 1,
        whose: caller.kind(),
    });
    req.extensions_mut().insert(left);
    refused.map_or(Ok(()), Err)
}

impl Rates {
    fn ask(&self, caller: CallerKey) -> RateLimitState {
        if self.asked.fetch_add(1, Ordering::Relaxed) % SWEEP == SWEEP - 1 {
            self.limiter.retain_recent();
        }
        let (remaining, wait) = match self.limiter.check_key(&caller) {
            Ok(state) => (state.remaining_burst_capacity(), None),
            Err(until) => (0, Some(until.wait_time_from(self.limiter.clock().now()))),
        };
        RateLimitState {
            name: caller.kind(),
            per_second: self.per_second,
            remaining,
            wait,
        }
    }
}

/// The rate-limit state of a caller: how many requests it has left.
#[derive(Debug, Clone, Copy)]
pub struct RateLimitState {
    name: &'static str,
    per_second: u32,
    remaining: u32,
    wait: Option<Duration>,
}

impl RateLimitState {
    /// Writes the state into the headers of a response.
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
    use crate::value::Id;
    use actix_web::test::TestRequest;

    const SOMEBODY: CallerKey = CallerKey::UNKNOWN;

    fn ask(rate: &Rate, caller: CallerKey) -> (bool, Option<RateLimitState>) {
        ask_at("/v1/goals", rate, caller)
    }

    fn ask_at(path: &str, rate: &Rate, caller: CallerKey) -> (bool, Option<RateLimitState>) {
        let req = TestRequest::with_uri(path).app_data(web::Data::new(rate.clone()));
        let req = req.to_srv_request();
        let admitted = admit(&req, caller).is_ok();
        let left = req.extensions().get::<RateLimitState>().copied();
        (admitted, left)
    }

    /// How many of ten requests are admitted.
    fn of_ten(rate: &Rate, caller: CallerKey) -> usize {
        (0..10).filter(|_| ask(rate, caller).0).count()
    }

    #[test]
    fn each_address_and_each_token_has_its_own_allowance() {
        // One more request is allowed only after a second.
        let rate = Rate::new(1);
        let [one, other] = ["192.0.2.1", "192.0.2.2"].map(|address| CallerKey::Address(address.parse().unwrap()));
        let token = CallerKey::Token(Id::generate());
        for caller in [one, other, token] {
            assert_eq!(of_ten(&rate, caller), 2);
            assert_eq!(of_ten(&rate, caller), 0);
        }
        assert_eq!(of_ten(&Rate::new(0), one), 10);
    }

    #[test]
    fn every_way_to_write_a_path_counts_and_health_does_not() {
        let rate = Rate::new(1);
        let ask = |path| ask_at(path, &rate, SOMEBODY).0;
        for watched in UNCOUNTED {
            assert_eq!([watched; 9].map(ask), [true; 9]);
        }
        let ways = ["/v1/goals", "/%761/goals", "/v%31/goals", "/v1/goals"];
        assert_eq!(ways.map(ask), [true, true, false, false]);
        let rate = Rate::new(1);
        let others = ["/docs/", "/docs/swagger-ui.css", "/openapi.json", "/favicon.ico"];
        assert_eq!(
            others.map(|path| ask_at(path, &rate, SOMEBODY).0),
            [true, true, false, false]
        );
    }

    #[test]
    fn a_caller_is_told_what_is_left() {
        let rate = Rate::new(10);
        let told = |left: RateLimitState| {
            let mut headers = HeaderMap::new();
            left.tell(&mut headers);
            [RATE_LIMIT_POLICY, RATE_LIMIT].map(|name| headers.get(name).unwrap().to_str().unwrap().to_owned())
        };
        let (admitted, left) = ask(&rate, SOMEBODY);
        assert!(admitted);
        assert_eq!(told(left.unwrap()), ["\"address\";q=20;w=2", "\"address\";r=19;t=1"]);
        of_ten(&rate, SOMEBODY);
        of_ten(&rate, SOMEBODY);
        let (admitted, left) = ask(&rate, SOMEBODY);
        assert!(!admitted && left.unwrap().wait.is_some());
        assert_eq!(told(left.unwrap()), ["\"address\";q=20;w=2", "\"address\";r=0;t=2"]);
    }
}
