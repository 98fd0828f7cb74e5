//! Finished answers to the public, kept until something that the public sees has changed.
//!
//! An answer is given again only while nothing that it shows has changed since it was asked for: where all it shows is what
//! one organization has, changes of what others have do not matter. It is given to whoever asks the same (address, `Accept`
//! and coding) without a token, on the same day, since what is due depends on that.

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
    http::{address, etag, html::PAGE, media_type::JSON, respond},
    value::today,
};

/// What is kept answers, as bytes, within bounds.
#[derive(Clone)]
pub struct Cache {
    answers: Option<Arc<Answers>>,
    /// Answers that were given again.
    pub hits: Counter,
    /// Those that had to be made, though they are of a kind that may be kept.
    pub misses: Counter,
}

/// Answers by address, `Accept` and coding.
type Answers = sync::Cache<Box<[u8]>, Arc<Kept>, InBytes>;

/// An answer, and when it holds.
struct Kept {
    state: PublicVersion,
    /// All that it shows, if that is a part of what the public sees.
    part: Option<CacheTag>,
    day: NaiveDate,
    /// Before any coding.
    tag: header::EntityTag,
    headers: Vec<(header::HeaderName, header::HeaderValue)>,
    /// Nothing where all that is known is its tag: who asked had it already.
    body: Option<Bytes>,
    route: Route,
}

/// Weighs what is kept in bytes.
#[derive(Clone)]
struct InBytes;

/// The media types of answers that depend on nothing but their address and `Accept`, who asks, when, and what is stored.
const KEPT: [&str; 2] = [JSON, PAGE];
/// What an answer takes beside its body and its address, about.
const OVERHEAD: usize = 1024;
/// The part of the room that one answer may take.
const LARGEST: u64 = 8;
/// An answer of usual size, to guess how many there will be.
const USUAL: usize = 8192;

fn weight(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

impl Weighter<Box<[u8]>, Arc<Kept>> for InBytes {
    fn weight(&self, key: &Box<[u8]>, kept: &Arc<Kept>) -> u64 {
        weight(key.len() + kept.body.as_ref().map_or(0, Bytes::len) + OVERHEAD)
    }
}

impl Cache {
    /// One of at most so many bytes; none at all where there is no room.
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

/// What callers follow: it is asked anew each time.
const IN_STEP: &str = "/v1/changes";
/// What describes the interface, and changes with the service alone.
const DOCUMENT: &str = "/openapi.json";

/// The layer: gives an answer again while it holds, and keeps those that may be given again.
pub async fn remember(
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
    if let Some(response) = kept.and_then(|kept| kept.again(&req)) {
        if response.status() != StatusCode::NOT_MODIFIED
            && let Err(e) = rate_limit::admit(&req, address::caller(&req))
        {
            return Ok(req.error_response(e));
        }
        cache.hits.inc();
        return Ok(req.into_response(response));
    }
    let response = next.call(req).await?.map_into_boxed_body();
    let Some(tag) = tag_for_everybody(&response) else {
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
        let kept = Kept {
            state,
            part,
            day,
            tag,
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

/// Where the answer to a request is kept, if there is such a place; and the state of things at this moment.
fn place(req: &ServiceRequest) -> Option<(Arc<Answers>, PublicVersion, Box<[u8]>)> {
    let answers = req.app_data::<web::Data<Cache>>()?.answers.clone()?;
    let has = |name| req.headers().contains_key(name);
    // Who has a token of consistency may know of more than was heard here.
    let anybody = *req.method() == Method::GET && !has(header::AUTHORIZATION) && !has(CONSISTENCY_TOKEN);
    let may_be_kept = req.path() == DOCUMENT || req.path().starts_with("/v1/") && !req.path().starts_with(IN_STEP);
    // Where these mean nothing they are refused, and not ignored.
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
    if let Some(coding) = Coding::wanted(req.headers()) {
        key.push(b'\r');
        key.extend_from_slice(coding.name().as_bytes());
    }
    Some((answers, state, key.into_boxed_slice()))
}

/// The plain tag of an answer that depends on nothing but the address, `Accept`, the coding, the day and what is public.
fn tag_for_everybody(response: &ServiceResponse<BoxBody>) -> Option<header::EntityTag> {
    let has = |name, value: &str| response.headers().get(name).is_some_and(|given| given == value);
    let everybodys = has(header::CACHE_CONTROL, respond::REVALIDATE)
        && match response.status() {
            StatusCode::OK => KEPT.iter().any(|media_type| has(header::CONTENT_TYPE, media_type)),
            status => status == StatusCode::NOT_MODIFIED,
        };
    let tag = response.headers().get(header::ETAG).filter(|_| everybodys)?;
    tag.to_str().ok()?.parse().ok().map(|tag| compression::plain(&tag))
}

impl Kept {
    /// The answer once more, as this caller needs it.
    fn again(&self, req: &ServiceRequest) -> Option<HttpResponse> {
        let known = etag::known(req.request(), &self.tag);
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
            let kept = Kept {
                state: PublicVersion::default(),
                part: None,
                day: today(),
                tag: header::EntityTag::new_strong("a".to_owned()),
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
