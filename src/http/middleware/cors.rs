//! Pages of other origins (CORS, <https://fetch.spec.whatwg.org/#http-cors-protocol>): which requests they may make.
//!
//! Before a page's first request with a token, a JSON body or a method like PUT, its browser asks by a preflight. The
//! answer decides: what needs no token is open to pages of every origin, and what needs one to pages of the origins that
//! `WARD_POLICY_CORS_ORIGINS` names.
//!
//! Any page may read the answer to a request that was made. A browser adds no token by itself, so the page sees what
//! anybody sees who holds what the page holds. These headers are the same for every origin: what a cache keeps for one
//! is right for all.

use std::sync::LazyLock;

use actix_web::{
    Error as ActixError, HttpResponse,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Method,
        header::{self, HeaderMap, HeaderName, HeaderValue},
    },
    middleware::Next,
};

use super::rate_limit::{RATE_LIMIT, RATE_LIMIT_POLICY};
use crate::{
    auth::{CHANGE_REASON, IDEMPOTENCY_KEY, RequiredPermission},
    db::consistency::CONSISTENCY_TOKEN,
    error::{Error, Place, Result, Violation},
    http::{
        origins::origins,
        request_id::REQUEST_ID,
        required_permissions::RequiredPermissions,
        trace_context::{TRACEPARENT, TRACESTATE},
    },
    value::language::Bilingual,
};

/// The headers that a page may send.
static SENT: LazyLock<HeaderValue> = LazyLock::new(|| {
    listed(&[
        header::ACCEPT.as_str(),
        header::ACCEPT_LANGUAGE.as_str(),
        header::AUTHORIZATION.as_str(),
        header::CONTENT_TYPE.as_str(),
        header::IF_MATCH.as_str(),
        header::IF_NONE_MATCH.as_str(),
        CHANGE_REASON,
        IDEMPOTENCY_KEY,
        "Last-Event-ID",
        CONSISTENCY_TOKEN.as_str(),
        REQUEST_ID.as_str(),
        TRACEPARENT.as_str(),
        TRACESTATE.as_str(),
    ])
});

/// The headers that a page may read, beside those that every page may.
static READ: LazyLock<HeaderValue> = LazyLock::new(|| {
    listed(&[
        header::ETAG.as_str(),
        header::LINK.as_str(),
        header::LOCATION.as_str(),
        header::RETRY_AFTER.as_str(),
        header::CONTENT_DISPOSITION.as_str(),
        RATE_LIMIT.as_str(),
        RATE_LIMIT_POLICY.as_str(),
        "deprecation",
        "sunset",
        "idempotency-replayed",
        CONSISTENCY_TOKEN.as_str(),
        REQUEST_ID.as_str(),
        TRACEPARENT.as_str(),
        TRACESTATE.as_str(),
    ])
});

/// How many seconds a browser keeps the answer to a preflight.
const KEPT: &str = "3600";

fn listed(names: &[&str]) -> HeaderValue {
    HeaderValue::try_from(names.join(", ").to_ascii_lowercase()).unwrap_or(HeaderValue::from_static("*"))
}

/// Whether a browser asks on behalf of a page.
#[must_use]
pub fn is_preflight(req: &ServiceRequest) -> bool {
    let has = |name| req.headers().contains_key(name);
    *req.method() == Method::OPTIONS && has(header::ORIGIN) && has(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// Lets pages of every origin read an answer.
pub fn let_read(headers: &mut HeaderMap) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, READ.clone());
}

/// The layer: answers preflights.
pub async fn answer_preflights(
    req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, ActixError> {
    if !is_preflight(&req) {
        return next.call(req).await.map(ServiceResponse::map_into_boxed_body);
    }
    let mut response = match permission(&req) {
        Ok(granted) => {
            let mut response = HttpResponse::NoContent().finish();
            for (name, value) in granted {
                response.headers_mut().insert(name, value);
            }
            req.into_response(response)
        }
        Err(e) => req.error_response(e),
    };
    let vary = HeaderValue::from_static("Origin, Access-Control-Request-Method");
    response.headers_mut().insert(header::VARY, vary);
    Ok(response)
}

/// The headers that let a page make the request it asks about.
///
/// They name the one method that was asked about: browsers keep what they are told about an address, and would not ask
/// about its other methods. Of POST they would not ask all the same, once the headers are granted for a GET. So where
/// the page may not POST, they keep nothing.
///
/// A request that no operation takes is granted to everybody: its 404 or 405 tells the page more than its browser
/// would.
fn permission(req: &ServiceRequest) -> Result<[(HeaderName, HeaderValue); 4]> {
    let headers = req.headers();
    let origin = headers.get(header::ORIGIN).cloned();
    let (Some(origin), Some(asked)) = (origin, headers.get(header::ACCESS_CONTROL_REQUEST_METHOD)) else {
        return Err(Error::internal("no preflight"));
    };
    // A browser takes `*` in the answer for every method.
    let method = Method::from_bytes(asked.as_bytes())
        .ok()
        .filter(|method| method.as_str() != "*");
    let method = method.ok_or_else(no_method)?;
    let is_trusted = origins(req.request()).has(&origin);
    let may = |method: &Method| {
        // HEAD is served as GET.
        let method = if *method == Method::HEAD { &Method::GET } else { method };
        is_trusted || RequiredPermissions::of_request(req, method) == RequiredPermission::Nothing
    };
    if !may(&method) {
        return Err(Error::ForeignOrigin(
            String::from_utf8_lossy(origin.as_bytes()).into_owned(),
        ));
    }
    let kept = if may(&Method::POST) { KEPT } else { "0" };
    let to = if is_trusted {
        origin
    } else {
        HeaderValue::from_static("*")
    };
    Ok([
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, to),
        (header::ACCESS_CONTROL_ALLOW_METHODS, asked.clone()),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, SENT.clone()),
        (header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(kept)),
    ])
}

fn no_method() -> Error {
    Error::malformed(Violation {
        place: Place::Header("Access-Control-Request-Method"),
        code: "format",
        detail: Bilingual::new("HTTPのメソッドにしてください", "must be a method of HTTP"),
        suggestion: None,
    })
}
