//! Who calls, and what they may do: tokens, scopes, and the layer that reads them before anything else is read.
//!
//! What a caller may *see* is decided in the database, by one predicate (`sees_drafts` in the migrations); here is only
//! what it is told.

use std::{collections::HashMap, future::Ready, future::ready, sync::Arc};

use actix_web::{
    Error as ActixError, FromRequest, HttpMessage, HttpRequest,
    body::{BoxBody, MessageBody},
    dev::{Payload, ServiceRequest, ServiceResponse},
    http::{Method, header},
    middleware::Next,
    web,
};
use percent_encoding::percent_decode_str;
use sha2::{Digest, Sha256};
use utoipa::openapi::OpenApi;

use crate::{
    db::Database,
    error::{Error, Place, Result, Violation},
    language::Bilingual,
    request::RequestId,
    value::Id,
};

pub mod token;

/// The header that says why something public changes.
pub const CHANGE_REASON: &str = "Change-Reason";
/// The header under which a request may be repeated.
pub const IDEMPOTENCY_KEY: &str = "Idempotency-Key";
/// Most characters of a reason.
pub const LONGEST_REASON: usize = 1000;

/// What a token allows to do in an organization. Whoever may edit or publish sees the drafts too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Write drafts, and correct what is public.
    Edit,
    /// Publish and withdraw.
    Publish,
    /// See drafts.
    ReadDrafts,
}

impl Verb {
    const ALL: [(Self, &'static str); 3] = [
        (Self::Edit, "edit"),
        (Self::Publish, "publish"),
        (Self::ReadDrafts, "read_drafts"),
    ];

    /// Its name in scopes.
    #[must_use]
    pub fn code(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(verb, _)| *verb == self)
            .map_or("", |(_, code)| code)
    }
}

/// One permission of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Everything, and the tokens themselves.
    Admin,
    /// Something, in one organization or in all.
    On(Verb, Option<Id>),
}

impl Scope {
    /// Reads it from the form in which it is stored: `admin`, `edit:*`, `edit:` with an organization's id.
    #[must_use]
    pub fn parse(stored: &str) -> Option<Self> {
        if stored == "admin" {
            return Some(Self::Admin);
        }
        let (verb, place) = stored.split_once(':')?;
        let (verb, _) = Verb::ALL.iter().find(|(_, code)| *code == verb)?;
        let organization = if place == "*" { None } else { Some(place.parse().ok()?) };
        Some(Self::On(*verb, organization))
    }
}

/// Who makes a request.
#[derive(Debug, Clone)]
pub struct Caller {
    name: String,
    token: Option<Id>,
    scopes: Arc<[Scope]>,
    request_id: String,
    reason: Option<String>,
    repeatable: Option<Repeatable>,
}

/// A request its caller may repeat: under which key, and the digest of all of it that is not the body.
#[derive(Debug, Clone)]
pub struct Repeatable {
    /// The key, 1 to 255 visible ASCII characters.
    pub key: String,
    digest: Sha256,
}

impl Repeatable {
    /// The digest of the whole request.
    #[must_use]
    pub fn digest(&self, body: &[u8]) -> Vec<u8> {
        self.digest.clone().chain_update(body).finalize().to_vec()
    }
}

impl Caller {
    /// Somebody without a token.
    #[must_use]
    pub fn anonymous() -> Self {
        Self::new(String::new(), None, Vec::new())
    }

    /// The service itself, for what it does unasked.
    #[must_use]
    pub fn service() -> Self {
        Self::new("ward-policy".to_owned(), None, vec![Scope::Admin])
    }

    /// Somebody with a token of this name.
    #[must_use]
    pub fn new(name: String, token: Option<Id>, scopes: Vec<Scope>) -> Self {
        Self {
            name,
            token,
            scopes: scopes.into(),
            request_id: String::new(),
            reason: None,
            repeatable: None,
        }
    }

    /// The name that history knows the caller by; empty for somebody without a token.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The token.
    #[must_use]
    pub const fn token(&self) -> Option<Id> {
        self.token
    }

    /// The id of the request.
    #[must_use]
    pub fn request_id(&self) -> &str {
        &self.request_id
    }

    /// Why something changes.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// The key under which the request may be repeated.
    #[must_use]
    pub const fn repeatable(&self) -> Option<&Repeatable> {
        self.repeatable.as_ref()
    }

    /// Whether this is nobody in particular.
    #[must_use]
    pub fn is_anonymous(&self) -> bool {
        self.name.is_empty()
    }

    /// Whether everything is allowed.
    #[must_use]
    pub fn is_admin(&self) -> bool {
        self.scopes.contains(&Scope::Admin)
    }

    /// Whether something is allowed in an organization; in all of them where none is given.
    #[must_use]
    pub fn may(&self, verb: Verb, organization: Option<Id>) -> bool {
        self.scopes.iter().any(|scope| match scope {
            Scope::Admin => true,
            Scope::On(allowed, place) => *allowed == verb && (place.is_none() || *place == organization),
        })
    }

    /// Whether something is allowed anywhere at all.
    fn may_somewhere(&self, need: Need) -> bool {
        self.scopes.iter().any(|scope| match (scope, need) {
            (Scope::Admin, _) => true,
            (Scope::On(allowed, _), Need::Scope(verb)) => *allowed == verb,
            (Scope::On(..), _) => false,
        })
    }

    /// Whether the caller sees the drafts of an organization.
    #[must_use]
    pub fn sees_drafts(&self, organization: Id) -> bool {
        self.scopes.iter().any(|scope| match scope {
            Scope::Admin => true,
            Scope::On(_, place) => place.is_none_or(|place| place == organization),
        })
    }

    /// The organizations whose drafts the caller sees, as the database is told: their ids, or `*`.
    #[must_use]
    pub fn drafts(&self) -> String {
        let every = |scope: &Scope| matches!(scope, Scope::Admin | Scope::On(_, None));
        if self.scopes.iter().any(every) {
            return "*".to_owned();
        }
        let places = self.scopes.iter().filter_map(|scope| match scope {
            Scope::On(_, Some(organization)) => Some(organization.to_string()),
            Scope::On(_, None) | Scope::Admin => None,
        });
        places.collect::<Vec<_>>().join(",")
    }
}

impl FromRequest for Caller {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(caller(req)))
    }
}

/// Who makes this request.
#[must_use]
pub fn caller(req: &HttpRequest) -> Caller {
    req.extensions()
        .get::<Caller>()
        .cloned()
        .unwrap_or_else(Caller::anonymous)
}

/// What an operation needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// No token.
    Nothing,
    /// A token that allows this somewhere; where exactly, the operation finds out.
    Scope(Verb),
    /// A token that allows everything.
    Admin,
}

/// What each operation needs, read from the document, where its handler states it.
#[derive(Debug)]
pub struct Needs(HashMap<(Method, String), Need>);

impl Needs {
    /// Of every operation. One that changes something and states nothing needs everything: fail closed.
    #[must_use]
    pub fn of(spec: &OpenApi) -> Self {
        let mut needs = HashMap::new();
        for (path, item) in &spec.paths.paths {
            for (method, operation) in [
                (Method::GET, &item.get),
                (Method::POST, &item.post),
                (Method::PUT, &item.put),
                (Method::PATCH, &item.patch),
                (Method::DELETE, &item.delete),
            ] {
                let Some(operation) = operation else { continue };
                let stated = serde_json::to_value(&operation.security).unwrap_or_default();
                let open = stated
                    .as_array()
                    .is_some_and(|ways| ways.iter().any(|way| way == &serde_json::json!({})));
                let scope = stated
                    .pointer("/0/token/0")
                    .and_then(serde_json::Value::as_str)
                    .unwrap_or_default();
                let verb = Verb::ALL.iter().find(|(_, code)| *code == scope);
                let need = match verb {
                    _ if open => Need::Nothing,
                    Some((verb, _)) => Need::Scope(*verb),
                    None => Need::Admin,
                };
                needs.insert((method, path.clone()), need);
            }
        }
        Self(needs)
    }

    fn get(&self, req: &ServiceRequest) -> Need {
        let pattern = req.match_pattern().unwrap_or_default();
        // What is no operation answers 404 or 405 to anybody.
        self.0
            .get(&(req.method().clone(), pattern))
            .copied()
            .unwrap_or(Need::Nothing)
    }
}

/// Finds out who calls, before any body is read.
pub async fn identify(
    req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, ActixError> {
    match recognize(&req).await {
        Ok(caller) => {
            req.extensions_mut().insert(caller);
            Ok(next.call(req).await?.map_into_boxed_body())
        }
        // Not as an error of the framework, which the layers around this one would not see.
        Err(e) => Ok(req.error_response(e)),
    }
}

async fn recognize(req: &ServiceRequest) -> Result<Caller> {
    let need = req
        .app_data::<web::Data<Needs>>()
        .map_or(Need::Admin, |needs| needs.get(req));
    let mut caller = match req.headers().get(header::AUTHORIZATION) {
        None => Caller::anonymous(),
        Some(value) => {
            let given = token::Given::read(value).ok_or(Error::Unauthenticated)?;
            let database = req
                .app_data::<web::Data<Database>>()
                .ok_or_else(|| Error::internal("no database configured"))?;
            token::find(database, given).await?
        }
    };
    if need != Need::Nothing && caller.is_anonymous() {
        return Err(Error::Unauthenticated);
    }
    if need != Need::Nothing && !caller.may_somewhere(need) {
        return Err(Error::Forbidden);
    }
    caller.request_id = req
        .extensions()
        .get::<RequestId>()
        .map(|id| id.0.clone())
        .unwrap_or_default();
    if *req.method() != Method::GET {
        caller.reason = reason(req)?;
        caller.repeatable = repeatable(req)?;
    }
    Ok(caller)
}

/// Why something changes: percent-encoded UTF-8, since a header holds nothing else safely.
fn reason(req: &ServiceRequest) -> Result<Option<String>> {
    let Some(value) = req.headers().get(CHANGE_REASON) else {
        return Ok(None);
    };
    let text = percent_decode_str(value.to_str().unwrap_or("%00"))
        .decode_utf8()
        .unwrap_or_default();
    let text = text.trim();
    let sane = !text.is_empty() && text.chars().count() <= LONGEST_REASON && !text.chars().any(char::is_control);
    if sane {
        return Ok(Some(text.to_owned()));
    }
    let detail = Bilingual::new(
        format!("UTF-8をパーセント符号化した1文字から{LONGEST_REASON}文字までの理由にしてください"),
        format!("must be a reason of 1 to {LONGEST_REASON} characters, UTF-8 percent-encoded"),
    );
    Err(malformed(CHANGE_REASON, detail))
}

fn repeatable(req: &ServiceRequest) -> Result<Option<Repeatable>> {
    let Some(value) = req.headers().get(IDEMPOTENCY_KEY) else {
        return Ok(None);
    };
    let key = value.to_str().unwrap_or_default();
    if !(1..=255).contains(&key.len()) || !key.bytes().all(|b| b.is_ascii_graphic()) {
        let detail = Bilingual::new(
            "空白を含まない1文字から255文字までのASCII文字にしてください",
            "must be 1 to 255 visible ASCII characters",
        );
        return Err(malformed(IDEMPOTENCY_KEY, detail));
    }
    let mut digest = Sha256::new();
    let part = |name| {
        req.headers()
            .get(name)
            .map(header::HeaderValue::as_bytes)
            .unwrap_or_default()
    };
    for part in [
        req.method().as_str().as_bytes(),
        req.uri().to_string().as_bytes(),
        part("if-match"),
        part("if-none-match"),
        part("change-reason"),
    ] {
        digest.update(part);
        digest.update([0]);
    }
    Ok(Some(Repeatable {
        key: key.to_owned(),
        digest,
    }))
}

fn malformed(header: &'static str, detail: Bilingual) -> Error {
    Error::malformed(Violation {
        place: Place::Header(header),
        code: "format",
        detail,
        suggestion: None,
    })
}
