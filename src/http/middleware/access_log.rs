//! The outermost layer: a request's id, its line in the access log, and its problem in the caller's language.

use std::{sync::Arc, time::Instant};

use super::{authentication::context, cors, rate_limit, security_headers};
use crate::{
    db::{Database, in_one_line},
    error::Error,
    http::{
        connection::{Beyond, Connection, InRequest},
        etag,
        media_type::PROBLEM,
        metrics::Requests,
        negotiation::{is_acceptable, language},
        problem::Problem,
        public_address,
        request_id::{REQUEST_ID, RequestId, request_id},
        trace_context::{self, TRACEPARENT, TRACESTATE, Trace},
    },
    value::language::Language,
};
use actix_web::{
    Error as ActixError, HttpMessage, HttpRequest,
    body::{self, BodySize, BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{ConnectionType, Method, header},
    middleware::Next,
    web,
};

/// The path of the liveness probe, which is answered whatever the state of the database.
pub const LIVENESS: &str = "/healthz";
/// The path of the readiness probe: whether the service takes requests.
pub const READINESS: &str = "/readyz";

/// The template of the path a request came to, like `/v1/goals/{id}`.
#[derive(Debug, Clone, Default)]
pub struct Route(Arc<str>);

impl Route {
    /// The route of a request that was routed.
    #[must_use]
    pub fn of(req: &HttpRequest) -> Self {
        Self(req.match_pattern().unwrap_or_else(|| "-".to_owned()).into())
    }
}

/// Why a request is refused before it is routed.
fn refusal(req: &ServiceRequest) -> Option<Error> {
    let beyond = req
        .conn_data::<Arc<Connection>>()
        .and_then(|connection| connection.beyond());
    // Capacity is reserved for health probes.
    if let Some(beyond) = beyond.filter(|_| ![LIVENESS, READINESS].contains(&req.path())) {
        return Some(match beyond {
            Beyond::Share => Error::TooMany {
                seconds: 1,
                whose: "address",
            },
            Beyond::All => Error::Unavailable("every connection is taken".to_owned()),
        });
    }
    if is_acceptable(req) {
        etag::check_length(req.headers()).err()
    } else {
        Some(Error::NotAcceptable)
    }
}

/// The layer that answers while the database is not ready yet: only the liveness probe works without a database.
pub async fn wait_for_database(
    req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, ActixError> {
    let is_ready = req
        .app_data::<web::Data<Database>>()
        .is_some_and(|database| database.is_ready());
    if is_ready || req.path() == LIVENESS {
        Ok(next.call(req).await?.map_into_boxed_body())
    } else {
        Ok(req.error_response(Error::Unavailable("the database is not ready yet".to_owned())))
    }
}

/// The outermost layer: gives the request an id and a place in a trace, serves HEAD as GET, writes problems, counts the
/// request and logs one line.
pub async fn observe(
    mut req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, ActixError> {
    let started = Instant::now();
    let in_request = req.conn_data().map(Connection::enter);
    let id = request_id(&req);
    let (trace, is_theirs) = Trace::of(req.headers());
    let state = if is_theirs {
        trace_context::state(req.headers())
    } else {
        None
    };
    let _under_way = req.app_data::<web::Data<Requests>>().map(|requests| requests.begin());
    let method = req.method().clone();
    let path = req.path().to_owned();
    let language = language(req.headers());
    let has_body = has_body(&req);
    let is_preflight = cors::is_preflight(&req);
    req.extensions_mut().insert(RequestId(Arc::clone(&id)));
    // Every resource must serve GET and HEAD alike (RFC 9110, 9.1); the HTTP/1 encoder drops the body.
    if method == Method::HEAD {
        req.head_mut().method = Method::GET;
    }
    let mut response = match refusal(&req) {
        None => next.call(req).await?.map_into_boxed_body(),
        Some(e) => req.error_response(e),
    };
    if let Some(problem) = problem(&response, language, &path, &id, trace) {
        response = response.map_body(|head, _| {
            head.headers
                .insert(header::CONTENT_TYPE, header::HeaderValue::from_static(PROBLEM));
            head.headers.insert(
                header::CONTENT_LANGUAGE,
                header::HeaderValue::from_static(language.tag()),
            );
            head.headers
                .insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
            BoxBody::new(serde_json::to_vec(&problem).unwrap_or_default())
        });
    }
    // For HEAD, a stream is dropped: the stream might never end, and nobody sees it.
    if method == Method::HEAD && response.response().body().size() == BodySize::Stream {
        response = response.map_body(|_, _| BoxBody::new(body::None::new()));
    }
    // A connection that still sends a refused body is closed, since nobody reads the rest of that body.
    let refused = match response.status().as_u16() {
        408 | 413 | 415 => true,
        401 | 403 => has_body,
        _ => false,
    };
    if refused || in_request.as_ref().is_some_and(InRequest::is_last) {
        response
            .response_mut()
            .head_mut()
            .set_connection_type(ConnectionType::Close);
    }
    if let Ok(value) = header::HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    if let Some(value) = trace.header() {
        response.headers_mut().insert(TRACEPARENT, value);
    }
    if let Some(value) = state {
        response.headers_mut().insert(TRACESTATE, value);
    }
    finish(&mut response, is_preflight);
    let req = response.request();
    // A cached response, whose request was not routed, brings its own route.
    let Route(route) = req.extensions().get().cloned().unwrap_or_else(|| Route::of(req));
    let bytes = match response.response().body().size() {
        BodySize::Sized(n) => Some(n),
        BodySize::None => Some(0),
        BodySize::Stream => None,
    };
    let (method, status, took) = (method.as_str(), response.status().as_u16(), started.elapsed());
    if let Some(requests) = req.app_data::<web::Data<Requests>>() {
        requests.count(&route, method, status, took, bytes);
    }
    let (ms, bytes) = (took.as_secs_f64() * 1000.0, bytes.unwrap_or(0));
    log::info!(
        target: "ward_policy::access",
        request_id = &*id,
        trace_id:% = format_args!("{:032x}", trace.id),
        span_id:% = format_args!("{:016x}", trace.span),
        method, route, status, ms = (ms * 1000.0).round() / 1000.0, bytes;
        "{id} {method} {route} {status} {ms:.1}ms {bytes}B",
    );
    Ok(match in_request {
        Some(in_request) => {
            let context = context(response.request());
            in_request.through(response, move || context.must_be_valid().is_ok())
        }
        None => response,
    })
}

/// Sets the headers that every response ends with.
fn finish(response: &mut ServiceResponse, is_preflight: bool) {
    let req = response.request().clone();
    let left = req.extensions().get::<rate_limit::RateLimitState>().copied();
    let headers = response.headers_mut();
    if let Some(left) = left {
        left.tell(headers);
    }
    security_headers::protect(headers);
    if !is_preflight {
        cors::let_read(headers);
    }
    public_address::complete_links(&req, headers);
}

/// Whether a body follows the request's head.
fn has_body(req: &ServiceRequest) -> bool {
    let length = req.headers().get(header::CONTENT_LENGTH);
    req.headers().contains_key(header::TRANSFER_ENCODING) || length.is_some_and(|length| length != "0")
}

/// The problem of an error response, whoever refused the request: a handler, an extractor or the framework.
fn problem(response: &ServiceResponse, language: Language, path: &str, id: &str, trace: Trace) -> Option<Problem> {
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return None;
    }
    let own = response.response().error().and_then(|e| e.as_error::<Error>());
    if let Some(error) = own.filter(|error| error.is_failure()) {
        log::error!(
            request_id = id,
            trace_id:% = format_args!("{:032x}", trace.id),
            span_id:% = format_args!("{:016x}", trace.span);
            "{id} {}", in_one_line(error)
        );
    }
    Some(match own {
        Some(error) => error.problem(language, path, id),
        None => Error::Framework(status.as_u16()).problem(language, path, id),
    })
}
