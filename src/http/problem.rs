//! How callers see a failure: one table of kinds ([`KINDS`]) and one body ([`Problem`], RFC 9457).
//!
//! [`crate::http::middleware::access_log`] writes the body: it knows the caller's language and the request's id.

use actix_web::{HttpResponse, ResponseError, http::StatusCode};
use serde::Serialize;
use utoipa::ToSchema;

use super::media_type::MERGE_PATCH;
use crate::{
    error::{Error, Place, Violation, shortened},
    value::language::{Bilingual, Language},
};

mod messages;

/// Most broken rules that one problem names. The problem says how many more there are.
const MOST_NAMED: usize = 100;

/// One broken rule, as the caller sees it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ViolationView {
    /// JSON pointer (RFC 6901) into the body; null when the rule is not about the body.
    #[schema(max_length = 1000, example = "/target/value")]
    pub pointer: Option<String>,
    /// Query parameter; null when the rule is not about one.
    #[schema(max_length = 1000)]
    pub parameter: Option<String>,
    /// Request header; null when the rule is not about one.
    #[schema(max_length = 100)]
    pub header: Option<String>,
    /// The rule, for programs.
    #[schema(max_length = 100, example = "required")]
    pub code: String,
    /// The rule, for people, in the language asked for.
    #[schema(max_length = 4000, example = "「48%以上」の値が必要です")]
    pub detail: String,
    /// The nearest right name or value; null when none is near.
    #[schema(max_length = 1000)]
    pub suggestion: Option<String>,
}

/// Problem details (RFC 9457), the body of every answer that is not a success.
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// The kind of problem, from a closed list.
    #[serde(rename = "type")]
    #[schema(max_length = 100, example = "/problems/invalid")]
    pub kind: String,
    /// The kind in words.
    #[schema(max_length = 200, example = "入力内容に誤りがあります")]
    pub title: String,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599, example = 422)]
    pub status: u16,
    /// This occurrence in words.
    #[schema(max_length = 4000)]
    pub detail: String,
    /// The path of the request.
    #[schema(max_length = 8000, example = "/v1/goals")]
    pub instance: String,
    /// The id under which the service logged the request.
    #[schema(max_length = 64, example = "01912d68783e7a0385c7bf2cf6a1b1f3")]
    pub request_id: String,
    /// Every broken rule, or the first 100 of them; empty when the problem is of another kind.
    #[schema(max_items = 100)]
    pub errors: Vec<ViolationView>,
    /// How many more broken rules there are than `errors` names; at 10,000 in all nobody looks for more.
    #[schema(minimum = 0, maximum = 1_000_000, example = 0)]
    pub more_errors: usize,
}

/// Identifier and titles of every kind of problem, by status.
#[rustfmt::skip]
pub const KINDS: &[(StatusCode, &str, &str, &str)] = &[
    (StatusCode::BAD_REQUEST, "malformed", "リクエストを読み取れません", "Malformed request"),
    (StatusCode::UNAUTHORIZED, "unauthenticated", "認証が必要です", "Authentication required"),
    (StatusCode::FORBIDDEN, "forbidden", "権限がありません", "Forbidden"),
    (StatusCode::GONE, "gone", "すでにありません", "Gone"),
    (StatusCode::NOT_FOUND, "not-found", "見つかりません", "Not found"),
    (StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "このメソッドは使えません", "Method not allowed"),
    (StatusCode::NOT_ACCEPTABLE, "not-acceptable", "この形式では回答できません", "Not acceptable"),
    (StatusCode::REQUEST_TIMEOUT, "timeout", "リクエストが時間内に届きませんでした", "Request timeout"),
    (StatusCode::CONFLICT, "conflict", "登録済みの内容と矛盾します", "Conflict"),
    (StatusCode::PRECONDITION_FAILED, "precondition-failed", "前提条件が成り立ちません", "Precondition failed"),
    (StatusCode::PAYLOAD_TOO_LARGE, "too-large", "本文が大きすぎます", "Body too large"),
    (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", "この形式の本文は受け付けません", "Unsupported media type"),
    (StatusCode::UNPROCESSABLE_ENTITY, "invalid", "入力内容に誤りがあります", "Invalid request"),
    (StatusCode::PRECONDITION_REQUIRED, "precondition-required", "前提条件が必要です", "Precondition required"),
    (StatusCode::TOO_MANY_REQUESTS, "too-many-requests", "リクエストが多すぎます", "Too many requests"),
    (StatusCode::INTERNAL_SERVER_ERROR, "internal", "内部エラー", "Internal error"),
    (StatusCode::SERVICE_UNAVAILABLE, "unavailable", "ただいま利用できません", "Unavailable"),
    (StatusCode::GATEWAY_TIMEOUT, "outcome-unknown", "書き込みの結果を確認できません", "Outcome unknown"),
];

impl Error {
    /// The body for this error.
    #[must_use]
    pub fn problem(&self, language: Language, instance: &str, request_id: &str) -> Problem {
        let (status, violations, detail) = (self.status_code(), self.violations(), self.words());
        let (_, kind, ja, en) = KINDS.iter().find(|(s, ..)| *s == status).unwrap_or(&(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "内部エラー",
            "Internal error",
        ));
        Problem {
            kind: format!("/problems/{kind}"),
            title: Bilingual::new(*ja, *en).get(language).to_owned(),
            status: status.as_u16(),
            detail: clip(detail.get(language), 4000),
            instance: clip(instance, 8000),
            request_id: request_id.to_owned(),
            errors: violations.iter().take(MOST_NAMED).map(|v| v.view(language)).collect(),
            more_errors: violations.len().saturating_sub(MOST_NAMED),
        }
    }
}

/// Cuts a caller's text to the length that a problem repeats.
fn clip(text: &str, characters: usize) -> String {
    text.chars().take(characters).collect()
}

impl Violation {
    fn view(&self, language: Language) -> ViolationView {
        let (mut pointer, mut parameter, mut header) = (None, None, None);
        match &self.place {
            Place::Body(p) => pointer = Some(clip(p, 1000)),
            Place::Parameter(p) => parameter = Some(shortened(p).into_owned()),
            Place::Header(h) => header = Some((*h).to_owned()),
        }
        ViolationView {
            pointer,
            parameter,
            header,
            code: self.code.to_owned(),
            detail: clip(self.detail.get(language), 4000),
            suggestion: self.suggestion.clone(),
        }
    }
}

impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Unauthenticated | Self::InvalidToken | Self::InvalidTicket => StatusCode::UNAUTHORIZED,
            Self::Forbidden | Self::ForeignOrigin(_) => StatusCode::FORBIDDEN,
            Self::Gone => StatusCode::GONE,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::Malformed(_) => StatusCode::BAD_REQUEST,
            Self::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
            Self::PreconditionRequired => StatusCode::PRECONDITION_REQUIRED,
            Self::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
            Self::UnsupportedMediaType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Timeout => StatusCode::REQUEST_TIMEOUT,
            Self::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::NoRoom | Self::Unavailable(_) | Self::Undone(_) | Self::Unsettled(_) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::OutcomeUnknown(_) => StatusCode::GATEWAY_TIMEOUT,
            Self::Framework(status) => StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Status and headers; the outermost layer writes the body, since it knows the request.
    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        match self {
            Self::Unavailable(_) | Self::Undone(_) | Self::Unsettled(_) | Self::OutcomeUnknown(_) => {
                response.insert_header(("retry-after", "1"));
            }
            Self::NoRoom => {
                response.insert_header(("retry-after", "5"));
            }
            Self::TooMany { seconds, .. } => {
                response.insert_header(("retry-after", seconds.to_string()));
            }
            Self::Unauthenticated => {
                response.insert_header(("www-authenticate", "Bearer realm=\"ward-policy\""));
            }
            Self::InvalidToken | Self::InvalidTicket => {
                let challenge = "Bearer realm=\"ward-policy\", error=\"invalid_token\"";
                response.insert_header(("www-authenticate", challenge));
            }
            Self::MethodNotAllowed(allow) => {
                response.insert_header(("allow", allow.as_str()));
            }
            Self::UnsupportedMediaType(takes @ MERGE_PATCH) => {
                response.insert_header(("accept-patch", *takes));
            }
            _ => {}
        }
        response.finish()
    }
}
