//! What can go wrong with a request, and what the caller sees for it.
//!
//! One enum, one table ([`KINDS`]), one body ([`Problem`], RFC 9457). The body is written by
//! [`crate::request`], which knows the caller's language and the request's id.

use std::borrow::Cow;

use actix_web::{HttpResponse, ResponseError, http::StatusCode};
use diesel::result::{DatabaseErrorKind as Kind, Error as DieselError};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    auth::CHANGE_REASON,
    language::{Bilingual, Language},
    value::Time,
    work,
};

mod constraints;
mod words;

use constraints::CONSTRAINTS;

/// Result of anything that ends in a response.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A request that did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no token.
    #[error("not authenticated")]
    Unauthenticated,
    /// There is a token that is worth nothing.
    #[error("not a valid token")]
    InvalidToken,
    /// The token does not allow this.
    #[error("forbidden")]
    Forbidden,
    /// The place in the history is one of a history that is no more.
    #[error("gone")]
    Gone,
    /// The path names nothing, in the named kind of thing.
    #[error("no such {0}")]
    NotFound(&'static str),
    /// The path exists, the method does not; these do.
    #[error("method not allowed")]
    MethodNotAllowed(String),
    /// The request could not be read.
    #[error("malformed request: {0:?}")]
    Malformed(Vec<Violation>),
    /// The request was read and breaks rules of its own.
    #[error("invalid request: {0:?}")]
    Invalid(Vec<Violation>),
    /// The request contradicts what is stored.
    #[error("conflict: {0:?}")]
    Conflict(Vec<Violation>),
    /// Someone changed the thing since the caller read it, or it exists where it should not.
    #[error("precondition failed")]
    PreconditionFailed,
    /// The caller must say which state it changes.
    #[error("precondition required")]
    PreconditionRequired,
    /// The caller accepts nothing the service can answer with.
    #[error("not acceptable")]
    NotAcceptable,
    /// The body is not of the media type this operation takes.
    #[error("unsupported media type, {0} is")]
    UnsupportedMediaType(&'static str),
    /// The body is longer than this many bytes.
    #[error("body too large, at most {0} bytes")]
    TooLarge(usize),
    /// The body did not arrive in time.
    #[error("body too slow")]
    Timeout,
    /// The caller asks too often, or holds too much at once.
    #[error("the {whose} asks too often")]
    TooMany {
        /// After so many seconds it may ask again.
        seconds: u64,
        /// Whose requests are too many: those of a `token`, or of an `address`.
        whose: &'static str,
    },
    /// The service or its database is busy or away; the same request may succeed later.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// The disk has no room for the file that the answer would be, or cannot be written.
    #[error("no room on disk for a file")]
    NoRoom,
    /// The database undid the work, for a reason of its own; the same request may succeed at once.
    #[error("undone: {0}")]
    Undone(String),
    /// The database did not say whether it has committed the work.
    #[error("outcome unknown: {0}")]
    OutcomeUnknown(String),
    /// The moment that is asked for may still change; so far all is settled.
    #[error("not settled yet: only until {0:?}")]
    Unsettled(Time),
    /// The framework refused the request before any of our code saw it.
    #[error("refused by the framework: {0}")]
    Framework(StatusCode),
    /// Our fault.
    #[error("internal error: {0}")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Where in a request a rule is broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In the body, at this JSON pointer (RFC 6901).
    Body(String),
    /// In this query parameter.
    Parameter(String),
    /// In this request header.
    Header(&'static str),
}

/// One broken rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Where.
    pub place: Place,
    /// Which rule, for programs.
    pub code: &'static str,
    /// Which rule, for people.
    pub detail: Bilingual,
    /// The nearest right name or value, if there is one.
    pub suggestion: Option<String>,
}

impl Violation {
    /// A broken rule of the body.
    pub fn at(pointer: impl Into<String>, code: &'static str, detail: Bilingual) -> Self {
        Self {
            place: Place::Body(pointer.into()),
            code,
            detail,
            suggestion: None,
        }
    }

    /// A broken rule of a query parameter.
    pub fn of(parameter: impl Into<String>, code: &'static str, detail: Bilingual) -> Self {
        Self {
            place: Place::Parameter(parameter.into()),
            code,
            detail,
            suggestion: None,
        }
    }

    /// The same, with what was probably meant.
    #[must_use]
    pub fn suggesting(mut self, suggestion: Option<String>) -> Self {
        self.suggestion = suggestion;
        self
    }

    /// The same rule of a body that is a part, found at `prefix`, of the whole.
    #[must_use]
    pub fn under(mut self, prefix: &str) -> Self {
        if let Place::Body(pointer) = &mut self.place {
            pointer.insert_str(0, prefix);
        }
        self
    }
}

/// Most broken rules that are looked for in one request: it is not read on for more.
pub const MOST_VIOLATIONS: usize = 10_000;
/// Most broken rules that one problem names. It says how many more there are.
pub const MOST_NAMED: usize = 100;
/// Of so many the nearest right name is looked for: nobody mistypes more, and each is compared with every name there is.
pub const MOST_SUGGESTIONS: usize = 20;
/// Nothing of more bytes than this is a mistyped name; comparing takes time by the length of both.
const LONGEST_NAME: usize = 100;
/// So many characters of a name that a caller made up are repeated.
const REPEATED: usize = 60;

/// The name nearest to a mistyped one, if any is near.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    if name.len() > LONGEST_NAME {
        return None;
    }
    let name = name.to_lowercase();
    known
        .into_iter()
        .map(|k| {
            work::spend(name.len() * k.len());
            (strsim::normalized_damerau_levenshtein(&name, k), k)
        })
        .filter(|(similarity, _)| *similarity >= 0.5)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, k)| k.to_owned())
}

/// As much of a name that a caller made up as is repeated.
#[must_use]
pub fn shortened(name: &str) -> Cow<'_, str> {
    match name.char_indices().nth(REPEATED) {
        Some((end, _)) => format!("{}…", name.get(..end).unwrap_or_default()).into(),
        None => name.into(),
    }
}

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

/// What there is, if anything: not to be found is an answer here, and any other failure stays one.
pub fn found<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Ok(it) => Ok(Some(it)),
        Err(Error::NotFound(_)) => Ok(None),
        Err(e) => Err(e),
    }
}

/// Names of the constraints that have a sentence; a test compares them with the database's.
pub fn known_constraints() -> impl Iterator<Item = &'static str> {
    CONSTRAINTS.iter().map(|(name, ..)| *name)
}

impl Error {
    /// Whether it is no fault of the caller's: what it was about may have happened or not.
    #[must_use]
    pub fn is_failure(&self) -> bool {
        self.status().is_server_error()
    }

    /// Wraps a failure that is not the caller's.
    pub fn internal(e: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(e.into())
    }

    /// What a body names is not there: as the foreign key of this name would say it.
    #[must_use]
    pub fn about(self, constraint: &str) -> Self {
        let named = CONSTRAINTS.iter().find(|(name, ..)| *name == constraint);
        match (self, named) {
            (Self::NotFound(_), Some((_, pointer, ja, en))) => {
                Self::Conflict(vec![Violation::at(*pointer, "constraint", Bilingual::new(*ja, *en))])
            }
            (e, _) => e,
        }
    }

    /// The body could not be read, for this reason.
    #[must_use]
    pub fn malformed(violation: Violation) -> Self {
        Self::Malformed(vec![violation])
    }

    /// Fails with all violations at once, or not at all.
    pub fn refuse(violations: Vec<Violation>) -> Result<()> {
        if violations.is_empty() {
            Ok(())
        } else {
            Err(Self::Invalid(violations))
        }
    }

    /// Fails with all contradictions to what is stored at once, or not at all.
    pub fn contradict(violations: Vec<Violation>) -> Result<()> {
        if violations.is_empty() {
            Ok(())
        } else {
            Err(Self::Conflict(violations))
        }
    }

    /// The body for this error.
    #[must_use]
    pub fn problem(&self, language: Language, instance: &str, request_id: &str) -> Problem {
        let (status, violations, detail) = (self.status(), self.violations(), self.words());
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

/// As much of what a caller sent as a problem repeats.
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

impl From<DieselError> for Error {
    /// Never by the server's words, which are in its own language: constraints by their names, and
    /// whatever diesel cannot name (deadlock, timeout, shutdown, read-only) as a thing that passes.
    fn from(e: DieselError) -> Self {
        let DieselError::DatabaseError(kind, info) = &e else {
            return match e {
                DieselError::NotFound => Self::NotFound("resource"),
                DieselError::BrokenTransactionManager => Self::Unavailable(e.to_string()),
                e => Self::internal(e),
            };
        };
        let name = info.constraint_name().unwrap_or_default();
        // Only a caller who creates under an id of its own can meet one that is there.
        if *kind == Kind::UniqueViolation && name.ends_with("_pkey") {
            return Self::PreconditionFailed;
        }
        match name {
            "change_log_actor_stated" => return Self::Unauthenticated,
            "change_log_reason_stated" => return Self::Invalid(vec![reason_required()]),
            _ => {}
        }
        let named = CONSTRAINTS.iter().find(|(known, ..)| *known == name);
        match (kind, named) {
            (_, Some((_, pointer, ja, en))) => {
                Self::Conflict(vec![Violation::at(*pointer, "constraint", Bilingual::new(*ja, *en))])
            }
            (
                Kind::UniqueViolation | Kind::ForeignKeyViolation | Kind::CheckViolation | Kind::NotNullViolation,
                None,
            ) => Self::internal(e),
            (Kind::SerializationFailure | Kind::Unknown, None) => Self::Undone(e.to_string()),
            _ => Self::Unavailable(e.to_string()),
        }
    }
}

fn reason_required() -> Violation {
    Violation {
        place: Place::Header(CHANGE_REASON),
        code: "required",
        detail: Bilingual::new(
            "公表済みの内容の変更には理由が必要です",
            "what is public changes only for a reason",
        ),
        suggestion: None,
    }
}

impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        self.status()
    }

    /// Status and headers; the body is written where the request is known.
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
            Self::InvalidToken => {
                let challenge = "Bearer realm=\"ward-policy\", error=\"invalid_token\"";
                response.insert_header(("www-authenticate", challenge));
            }
            Self::MethodNotAllowed(allow) => {
                response.insert_header(("allow", allow.as_str()));
            }
            Self::UnsupportedMediaType(takes @ "application/merge-patch+json") => {
                response.insert_header(("accept-patch", *takes));
            }
            _ => {}
        }
        response.finish()
    }
}
