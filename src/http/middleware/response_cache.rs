//! Response cache: responses to anonymous reads, kept until public data they show has changed.
//!
//! A cached response is served only while nothing that it shows has changed since it was requested. If it shows one
//! organization's data only, changes of other organizations do not matter. It is served to requests without a token
//! that have the same address, `Accept` and coding, on the same day, since what is due depends on the day.

use std::sync::Arc;

use actix_web::{
    Error as ActixError, HttpMessage, HttpResponse,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Method, StatusCode,
        header::{self, TryIntoHeaderValue},
    },
    middleware::Next,
    web::{self, Bytes},
};
use chrono::NaiveDate;
use prometheus_client::metrics::counter::Counter;
use quick_cache::{Weighter, sync};

use super::{
    access_log::Route,
    compression::{self, Coding},
    rate_limit,
};
use crate::{
    auth::IDEMPOTENCY_KEY,
    db::{CacheTag, Context, Database, PublicVersion, consistency::CONSISTENCY_TOKEN},
    http::{address, etag, html::PAGE, media_type::JSON, public_address, respond},
    value::today,
};

/// Cached responses, bounded in bytes.
#[derive(Clone)]
pub struct Cache {
    answers: Option<Arc<Answers>>,
    /// Responses served from the cache.
    pub hits: Counter,
    /// Responses of a cacheable kind that had to be made.
    pub misses: Counter,
}

/// Cached responses by address, `Accept` and coding.
type Answers = sync::Cache<Box<[u8]>, Arc<CachedResponse>, InBytes>;

/// A cached response, and when it holds.
struct CachedResponse {
    state: PublicVersion,
    /// The cache tag of all that the response shows, if one tag covers it.
    part: Option<CacheTag>,
    day: NaiveDate,
    /// The plain tag, as it was before any coding.
    tag: header::EntityTag,
    /// When what it shows last changed, if that is known.
    changed: Option<header::HttpDate>,
    headers: Vec<(header::HeaderName, header::HeaderValue)>,
    /// `None` if only the tag is known, because the first request was answered 304.
    body: Option<Bytes>,
    route: Route,
}

/// Weighs cached responses in bytes.
#[derive(Clone)]
struct InBytes;

/// The media types of responses that may be cached: these depend on address, `Accept`, caller, time and data alone.
const CACHEABLE: [&str; 2] = [JSON, PAGE];
/// About how many bytes a cached response takes beside its body and its address.
const OVERHEAD: usize = 1024;
/// The largest share of the cache that one response may take, as a divisor.
const LARGEST: u64 = 8;
/// The usual size of a response, to estimate how many fit.
const USUAL: usize = 8192;

fn weight(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

impl Weighter<Box<[u8]>, Arc<CachedResponse>> for InBytes {
    fn weight(&self, key: &Box<[u8]>, kept: &Arc<CachedResponse>) -> u64 {
        weight(key.len() + kept.body.as_ref().map_or(0, Bytes::len) + OVERHEAD)
    }
}

impl Cache {
    /// A cache of at most so many bytes; 0 bytes means no cache.
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        let cache = || sync::Cache::with_weighter(bytes / USUAL + 1, weight(bytes), InBytes);
        Self {
            answers: (bytes > 0).then(|| Arc::new(cache())),
            hits: Counter::default(),
            misses: Counter::default(),
        }
    }
}

/// The change feed, which callers follow: never cached.
const NEVER_CACHED: &str = "/v1/changes";
/// The OpenAPI document, which changes with the service alone.
const DOCUMENT: &str = "/openapi.json";
/// The catalogue, whose body names the address that it was asked at.
const CATALOG: &str = "/v1/catalog";

/// The layer: serves cached responses while they hold, and stores those that may be cached.
pub async fn cache_responses(
    req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, ActixError> {
    let (cache, database) = (
        req.app_data::<web::Data<Cache>>(),
        req.app_data::<web::Data<Database>>(),
    );
    let (Some(cache), Some(database), Some((answers, state, key))) = (cache.cloned(), database.cloned(), place(&req))
    else {
        return next.call(req).await.map(ServiceResponse::map_into_boxed_body);
    };
    let day = today();
    let kept = answers
        .get(&key)
        .filter(|kept| database.is_still(kept.state, kept.part) && kept.day == day);
    if let Some(response) = kept.and_then(|kept| kept.to_response(&req)) {
        if response.status() != StatusCode::NOT_MODIFIED
            && let Err(e) = rate_limit::admit(&req, address::caller(&req))
        {
            return Ok(req.error_response(e));
        }
        cache.hits.inc();
        return Ok(req.into_response(response));
    }
    let response = next.call(req).await?.map_into_boxed_body();
    let Some(tag) = public_tag(&response) else {
        return Ok(response);
    };
    cache.misses.inc();
    let (req, response) = response.into_parts();
    let (head, body) = response.into_parts();
    let (bytes, body) = match body.try_into_bytes() {
        Ok(bytes) => (Some(bytes.clone()), BoxBody::new(bytes)),
        Err(body) => (None, body),
    };
    let bytes = bytes.filter(|bytes| weight(bytes.len()) < answers.capacity() / LARGEST);
    let unchanged = head.status() == StatusCode::NOT_MODIFIED;
    if unchanged || bytes.is_some() {
        let part = req.extensions().get::<Context>().and_then(Context::part);
        let kept = CachedResponse {
            state,
            part,
            day,
            tag,
            changed: last_modified(head.headers()),
            headers: head
                .headers()
                .iter()
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
            body: bytes.filter(|_| !unchanged),
            route: Route::of(&req),
        };
        answers.insert(key, Arc::new(kept));
    }
    Ok(ServiceResponse::new(req, head.set_body(body)))
}

/// The key of a request in the cache, if its response may be cached, and the version of public data at this moment.
fn place(req: &ServiceRequest) -> Option<(Arc<Answers>, PublicVersion, Box<[u8]>)> {
    let answers = req.app_data::<web::Data<Cache>>()?.answers.clone()?;
    let has = |name| req.headers().contains_key(name);
    // A caller with a consistency token may know of changes that this instance has not heard of.
    let anybody = *req.method() == Method::GET && !has(header::AUTHORIZATION) && !has(CONSISTENCY_TOKEN);
    let may_be_kept = req.path() == DOCUMENT || req.path().starts_with("/v1/") && !req.path().starts_with(NEVER_CACHED);
    // Where these headers mean nothing, the request is refused; a cached response would ignore them.
    let has_condition = has(header::IF_MATCH) || req.headers().contains_key(IDEMPOTENCY_KEY);
    if !anybody || !may_be_kept || has_condition {
        return None;
    }
    let state = req.app_data::<web::Data<Database>>()?.public_state()?;
    let mut key = req.uri().path_and_query()?.as_str().as_bytes().to_vec();
    for accept in req.headers().get_all(header::ACCEPT) {
        key.push(b'\n');
        key.extend_from_slice(accept.as_bytes());
    }
    if req.path() == DOCUMENT {
        // It names the address of the service.
        key.push(b'\0');
        key.extend_from_slice(public_address::prefix(req.request()).as_bytes());
    }
    if req.path() == CATALOG {
        key.push(b'\0');
        key.extend_from_slice(public_address::base(req.request()).as_bytes());
    }
    if let Some(coding) = Coding::wanted(req.headers()) {
        key.push(b'\r');
        key.extend_from_slice(coding.name().as_bytes());
    }
    Some((answers, state, key.into_boxed_slice()))
}

/// The plain tag of a response that depends on nothing but the address, `Accept`, the coding, the day and public data.
fn public_tag(response: &ServiceResponse<BoxBody>) -> Option<header::EntityTag> {
    let has = |name, value: &str| response.headers().get(name).is_some_and(|given| given == value);
    let is_public = has(header::CACHE_CONTROL, respond::REVALIDATE)
        && match response.status() {
            StatusCode::OK => CACHEABLE.iter().any(|media_type| has(header::CONTENT_TYPE, media_type)),
            status => status == StatusCode::NOT_MODIFIED,
        };
    let tag = response.headers().get(header::ETAG).filter(|_| is_public)?;
    tag.to_str().ok()?.parse().ok().map(|tag| compression::plain(&tag))
}

fn last_modified(headers: &header::HeaderMap) -> Option<header::HttpDate> {
    headers.get(header::LAST_MODIFIED)?.to_str().ok()?.parse().ok()
}

impl CachedResponse {
    /// The cached response, as this caller needs it: 304, or with its body.
    fn to_response(&self, req: &ServiceRequest) -> Option<HttpResponse> {
        let known = etag::known(req.request(), &self.tag, self.changed);
        let body = self.body.as_ref();
        let mut response = match &known {
            Some(_) => HttpResponse::NotModified().finish(),
            None => HttpResponse::Ok().body(body?.clone()),
        };
        for (name, value) in &self.headers {
            if known.is_none() || ![header::CONTENT_TYPE, header::CONTENT_ENCODING].contains(name) {
                response.headers_mut().insert(name.clone(), value.clone());
            }
        }
        if let Some(tag) = known.and_then(|tag| tag.try_into_value().ok()) {
            response.headers_mut().insert(header::ETAG, tag);
        }
        req.extensions_mut().insert(self.route.clone());
        Some(response)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_stays_within_its_room() {
        let room = 1 << 20;
        let Some(answers) = Cache::new(room).answers else {
            panic!("no cache")
        };
        for n in 0..1000_u32 {
            let kept = CachedResponse {
                state: PublicVersion::default(),
                part: None,
                day: today(),
                tag: header::EntityTag::new_strong("a".to_owned()),
                changed: None,
                headers: vec![],
                body: Some(Bytes::from(vec![0; 10_000])),
                route: Route::default(),
            };
            answers.insert(n.to_le_bytes().into(), Arc::new(kept));
        }
        assert!(answers.weight() <= weight(room), "{}", answers.weight());
        assert!(answers.len() > 50, "{}", answers.len());
    }
}
