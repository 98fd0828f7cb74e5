//! Headers that decide whether a request is carried out. None of them is ignored: an operation that does not take one
//! refuses the request.

use std::collections::HashMap;

use actix_web::{
    Error as ActixError, HttpRequest,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::Method,
    middleware::Next,
    web,
};
use utoipa::openapi::{
    Components, OpenApi, Ref, RefOr,
    path::{Operation, ParameterIn},
};

use crate::{
    auth::IDEMPOTENCY_KEY,
    error::{Error, Place, Violation},
    value::language::Bilingual,
};

/// The headers, each with the code of its refusal.
const CONDITIONS: [(&str, &str); 4] = [
    (IDEMPOTENCY_KEY, "not_repeatable"),
    ("If-Match", "not_conditional"),
    ("If-None-Match", "not_conditional"),
    ("If-Unmodified-Since", "not_conditional"),
];
/// Headers that a read always meets, since what it reads has no tag or no time of change (RFC 9110, 13.1).
const OF_WRITES: [&str; 2] = ["If-None-Match", "If-Unmodified-Since"];

/// The headers that each operation takes, as the OpenAPI document states them.
#[derive(Debug)]
pub struct Conditions(HashMap<(Method, String), Vec<String>>);

impl Conditions {
    /// The headers of every operation under `/v1/`; health probes depend on none.
    #[must_use]
    pub fn of(spec: &OpenApi) -> Self {
        let mut conditions = HashMap::new();
        for (path, item) in spec.paths.paths.iter().filter(|(path, _)| path.starts_with("/v1/")) {
            for (method, operation) in [
                (Method::GET, &item.get),
                (Method::POST, &item.post),
                (Method::PUT, &item.put),
                (Method::PATCH, &item.patch),
                (Method::DELETE, &item.delete),
            ] {
                let Some(operation) = operation else { continue };
                conditions.insert((method, path.clone()), taken(operation, spec.components.as_ref()));
            }
        }
        Self(conditions)
    }

    /// Whether the operation that a request was routed to takes a header.
    pub(super) fn takes(&self, req: &HttpRequest, header: &str) -> bool {
        let operation = (req.method().clone(), req.match_pattern().unwrap_or_default());
        self.0
            .get(&operation)
            .is_some_and(|taken| taken.iter().any(|taken| taken == header))
    }

    /// The refusal of a request that has one of these headers for an operation that does not take it.
    fn refusal(&self, req: &ServiceRequest) -> Option<Error> {
        let is_condition = |name: &str| *req.method() != Method::GET || !OF_WRITES.contains(&name);
        let mut sent = CONDITIONS
            .iter()
            .filter(|(name, _)| is_condition(name) && req.headers().contains_key(*name))
            .peekable();
        sent.peek()?;
        // The path as it will be routed: percent-decoded.
        let pattern = req.resource_map().match_pattern(req.match_info().as_str())?;
        let taken = self.0.get(&(req.method().clone(), pattern))?;
        let is_taken = |name: &str| taken.iter().any(|taken| taken == name);
        let broken: Vec<_> = sent
            .filter_map(|(name, code)| match (is_taken(name), *name) {
                (false, name) => Some(not_taken(name, code)),
                (true, IDEMPOTENCY_KEY) if req.headers().get_all(IDEMPOTENCY_KEY).count() > 1 => Some(repeated()),
                (true, _) => None,
            })
            .collect();
        (!broken.is_empty()).then_some(Error::Malformed(broken))
    }
}

/// The headers that an operation takes.
fn taken(operation: &Operation, components: Option<&Components>) -> Vec<String> {
    let shared = |to: &Ref| components?.parameters.get(to.ref_location.rsplit('/').next()?);
    let headers = operation.parameters.iter().flatten().filter_map(|parameter| {
        let parameter = match parameter {
            RefOr::Ref(to) => shared(to)?,
            given @ RefOr::T(_) => given,
        };
        match parameter {
            RefOr::T(parameter) if parameter.parameter_in == ParameterIn::Header => Some(parameter.name.clone()),
            _ => None,
        }
    });
    headers.collect()
}

fn not_taken(header: &'static str, code: &'static str) -> Violation {
    let detail = Bilingual::new(
        "この操作では使えません。付けずに送ってください",
        "is not taken by this operation, and would be ignored: send the request without it",
    );
    Violation {
        place: Place::Header(header),
        code,
        detail,
        suggestion: None,
    }
}

/// The violation of several keys in one request: all but one would be ignored.
fn repeated() -> Violation {
    Violation {
        place: Place::Header(IDEMPOTENCY_KEY),
        code: "repeated",
        detail: Bilingual::new("一度だけ指定してください", "must be given once"),
        suggestion: None,
    }
}

/// The layer: refuses a request with a condition that would be ignored.
pub async fn heed(
    req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, ActixError> {
    let conditions = req.app_data::<web::Data<Conditions>>();
    match conditions.and_then(|conditions| conditions.refusal(&req)) {
        None => next.call(req).await.map(ServiceResponse::map_into_boxed_body),
        Some(e) => Ok(req.error_response(e)),
    }
}
