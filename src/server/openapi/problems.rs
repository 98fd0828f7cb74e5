//! The problems operations can answer with, each with an example, so that no handler repeats them.

use actix_web::{ResponseError, http::StatusCode};
use utoipa::{
    ToSchema,
    openapi::{
        Components, Content, Ref, RefOr, Response,
        path::{Operation, ParameterIn},
    },
};

use super::headers;
use crate::{
    auth::RequiredPermission,
    error::{Error, Violation, nearest},
    http::{
        media_type::{JSON, MERGE_PATCH, PROBLEM},
        problem::Problem,
        required_permissions::need,
    },
    value::language::{Bilingual, Language},
};

/// Every problem: its name in the document, when it occurs, and what it looks like.
fn all() -> [(&'static str, &'static str, Error); 18] {
    [
        (
            "Malformed",
            "The request could not be read, or has an unknown parameter.",
            misspelt(),
        ),
        (
            "Unauthenticated",
            "There is no token, or one that is unknown, wrong, expired or revoked.",
            Error::Unauthenticated,
        ),
        (
            "Forbidden",
            "The token does not allow this: `errors` names the scope that it lacks.",
            Error::Forbidden("edit:kita".to_owned()),
        ),
        (
            "Gone",
            "The cursor belongs to a history that is no more, as after the database was restored.",
            Error::Gone,
        ),
        (
            "NotFound",
            "The path names nothing, or `as_of` no revision.",
            Error::NotFound("policy"),
        ),
        (
            "NotAcceptable",
            "The caller does not accept what the operation answers with.",
            Error::NotAcceptable,
        ),
        ("Timeout", "The body did not arrive in time.", Error::Timeout),
        ("Conflict", "The request contradicts what is stored.", taken()),
        (
            "PreconditionFailed",
            "The resource has changed since it was read, or exists already.",
            Error::PreconditionFailed,
        ),
        ("TooLarge", "The body is too large.", Error::TooLarge(4 << 20)),
        ("NotJson", "The body is not JSON.", Error::UnsupportedMediaType(JSON)),
        (
            "NotMergePatch",
            "The body is not a JSON Merge Patch.",
            Error::UnsupportedMediaType(MERGE_PATCH),
        ),
        ("Invalid", "The body breaks rules; `errors` lists them all.", required()),
        (
            "PreconditionRequired",
            "The request must say which state it changes.",
            Error::PreconditionRequired { creates: true },
        ),
        (
            "TooManyRequests",
            "The token, or the address without one, has asked too often.",
            Error::TooMany {
                seconds: 1,
                whose: "token",
            },
        ),
        (
            "Internal",
            "A failure of the service, logged under the request id.",
            Error::internal(""),
        ),
        (
            "Unavailable",
            "The service or its database is busy or away; try again later.",
            Error::Unavailable(String::new()),
        ),
        (
            "OutcomeUnknown",
            "The database did not say whether it has done the write: repeat it under the same `Idempotency-Key`, or read what it was about.",
            Error::OutcomeUnknown(String::new()),
        ),
    ]
}

/// Puts every problem into the document once.
pub(super) fn describe(components: &mut Components) {
    for (name, words, error) in all() {
        let mut content = Content::new(Some(Ref::from_schema_name(Problem::name())));
        let problem = error.problem(Language::Japanese, "/v1/goals", "01912d68783e7a0385c7bf2cf6a1b1f3");
        content.example = serde_json::to_value(problem).ok();
        let mut response = Response::builder().description(words).content(PROBLEM, content).build();
        headers::of_problem(name, &mut response);
        components.responses.insert(name.to_owned(), response.into());
    }
}

/// Refers an operation to the problems its shape allows.
pub(super) fn add(path: &str, method: &str, operation: &mut Operation) {
    let named = operation
        .parameters
        .iter()
        .flatten()
        .any(|p| matches!(p, RefOr::T(p) if p.parameter_in == ParameterIn::Path || p.name == "as_of"));
    let body = operation.request_body.is_some();
    let conditional = operation
        .parameters
        .iter()
        .flatten()
        .any(|p| matches!(p, RefOr::T(p) if p.name == "If-Match"));
    let versioned = path.starts_with("/v1");
    for (name, _, error) in all() {
        let applies = match error.status_code() {
            StatusCode::FORBIDDEN => need(operation) != RequiredPermission::Nothing,
            StatusCode::NOT_FOUND => named || path == "/v1/changes/head",
            StatusCode::GONE => matches!(path, "/v1/changes" | "/v1/changes/stream"),
            StatusCode::CONFLICT => {
                body && !path.ends_with("/preview")
                    || method == "delete" && (path.ends_with("/{organization}") || path.ends_with("/{fiscal_year}"))
            }
            StatusCode::PRECONDITION_FAILED | StatusCode::PRECONDITION_REQUIRED => conditional,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => body && (name == "NotMergePatch") == (method == "patch"),
            StatusCode::REQUEST_TIMEOUT | StatusCode::PAYLOAD_TOO_LARGE => body,
            StatusCode::UNPROCESSABLE_ENTITY => body || method == "delete",
            StatusCode::GATEWAY_TIMEOUT => {
                versioned && method != "get" && !path.ends_with("/preview") && !path.ends_with("/parse")
            }
            StatusCode::SERVICE_UNAVAILABLE => path != "/healthz",
            _ => versioned,
        };
        if applies {
            let status = error.status_code().as_str().to_owned();
            operation
                .responses
                .responses
                .insert(status, Ref::from_response_name(name).into());
        }
    }
}

fn misspelt() -> Error {
    let name = "fiscal_yaer";
    let detail = Bilingual::new(
        format!("「{name}」というパラメーターはありません"),
        format!("there is no parameter named {name}"),
    );
    Error::malformed(Violation::of(name, "unknown_parameter", detail).suggesting(nearest(name, ["fiscal_year"])))
}

fn taken() -> Error {
    let detail = Bilingual::new(
        "この運営方針にこの番号の経営課題はすでにあります",
        "the policy already has a goal with this code",
    );
    Error::Conflict(vec![Violation::at("/code", "constraint", detail)])
}

fn required() -> Error {
    Error::Invalid(vec![Violation::at(
        "/target",
        "required",
        Bilingual::new("必須です", "is required"),
    )])
}
