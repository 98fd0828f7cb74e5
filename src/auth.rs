//! Who calls, and what they may do: tokens, scopes, and the layer that reads them before anything else is read.
//!
//! What a caller may *see* is decided in the database, by one predicate (`sees_drafts` in the migrations); here is only
//! what it is told.

use std::{
    fmt,
    future::{Ready, pending, ready},
    sync::{Arc, OnceLock},
};

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

use crate::{
    connection::Connection,
    consistency::{CONSISTENCY_TOKEN, Consistency},
    db::{Database, Part},
    error::{Error, Place, Result, Violation},
    language::Bilingual,
    rate,
    request::RequestId,
    value::Id,
};

mod directory;
mod needs;
pub mod token;
mod who;

pub use directory::{Token, TokenDirectory};
pub use needs::{Need, Needs, need};
pub use who::{Who, address, network};

/// The header that says why something public changes.
pub const CHANGE_REASON: &str = "Change-Reason";
/// The header under which a request may be repeated.
pub const IDEMPOTENCY_KEY: &str = "Idempotency-Key";
/// The name that history knows the service itself by; no token has it.
pub const SERVICE: &str = "ward-policy";
/// How the database is told of a caller who sees all drafts.
pub const EVERY_DRAFT: &str = "*";
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

    /// The verb with this name.
    #[must_use]
    pub fn named(code: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .find(|(_, known)| *known == code)
            .map(|(verb, _)| *verb)
    }

    /// The names of all.
    pub fn codes() -> impl Iterator<Item = &'static str> {
        Self::ALL.iter().map(|(_, code)| *code)
    }

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
        let organization = if place == "*" { None } else { Some(place.parse().ok()?) };
        Some(Self::On(Verb::named(verb)?, organization))
    }
}

/// In the form in which it is stored.
impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Admin => f.write_str("admin"),
            Self::On(verb, None) => write!(f, "{}:*", verb.code()),
            Self::On(verb, Some(organization)) => write!(f, "{}:{organization}", verb.code()),
        }
    }
}

/// Who makes a request.
#[derive(Debug, Clone)]
pub struct Caller {
    name: String,
    token: Option<Id>,
    who: Who,
    scopes: Arc<[Scope]>,
    request_id: Arc<str>,
    reason: Option<String>,
    repeatable: Option<Repeatable>,
    consistency: Arc<Consistency>,
    /// What the answer shows a part of, if that is all.
    part: Arc<OnceLock<Part>>,
    connection: Option<Arc<Connection>>,
    holds: Option<Arc<Token>>,
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

    /// The service itself, for what it does unasked and for whoever commands its machine.
    #[must_use]
    pub fn service() -> Self {
        Self {
            who: Who::Service,
            ..Self::new(SERVICE.to_owned(), None, vec![Scope::Admin])
        }
    }

    /// Somebody with a token of this name.
    #[must_use]
    pub fn new(name: String, token: Option<Id>, scopes: Vec<Scope>) -> Self {
        Self {
            name,
            token,
            who: token.map_or(Who::UNKNOWN, Who::Token),
            scopes: scopes.into(),
            request_id: Arc::default(),
            reason: None,
            repeatable: None,
            consistency: Arc::default(),
            part: Arc::default(),
            connection: None,
            holds: None,
        }
    }

    /// The holder of a valid token.
    fn holding(token: &Arc<Token>) -> Self {
        Self {
            scopes: Arc::clone(&token.scopes),
            holds: Some(Arc::clone(token)),
            ..Self::new(token.name.clone(), Some(token.id), Vec::new())
        }
    }

    /// Fails where the caller's token has been revoked or has expired since the request came.
    pub fn must_be_valid(&self) -> Result<()> {
        match &self.holds {
            Some(token) if !token.is_valid() => Err(Error::InvalidToken),
            _ => Ok(()),
        }
    }

    /// Waits until the caller's token is revoked or expires; for ever where there is none.
    pub async fn token_ended(&self) {
        match &self.holds {
            Some(token) => token.ended().await,
            None => pending().await,
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

    /// Whom the requests of the caller are counted for, and whose queue they wait in.
    #[must_use]
    pub const fn who(&self) -> Who {
        self.who
    }

    /// The same caller, whose requests are counted for this one.
    #[must_use]
    pub fn counted_for(self, who: Who) -> Self {
        Self { who, ..self }
    }

    /// The id of the request.
    #[must_use]
    pub const fn request_id(&self) -> &Arc<str> {
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

    /// The least the caller wants to read, and how far the caller's write has come.
    #[must_use]
    pub const fn consistency(&self) -> &Arc<Consistency> {
        &self.consistency
    }

    /// Notes that all the answer shows is a part of what the public sees.
    pub fn shows(&self, part: Part) {
        // Nobody says two things of one answer.
        let _ = self.part.set(part);
    }

    /// The part that is all the answer shows, if there is one.
    #[must_use]
    pub fn part(&self) -> Option<Part> {
        self.part.get().copied()
    }

    /// Whether the caller has hung up, and nobody is there to answer.
    #[must_use]
    pub fn has_left(&self) -> bool {
        self.connection.as_ref().is_some_and(|connection| connection.is_left())
    }

    /// The same, who calls on this connection.
    #[must_use]
    pub fn on(self, connection: Option<Arc<Connection>>) -> Self {
        Self { connection, ..self }
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

    /// Fails unless the caller may do anywhere at all what an operation needs.
    fn must_satisfy(&self, need: Need) -> Result<()> {
        let enough = |scope: &Scope| match (scope, need) {
            (Scope::Admin, _) => true,
            (Scope::On(allowed, _), Need::Scope(verb)) => *allowed == verb,
            (Scope::On(..), _) => false,
        };
        match need {
            Need::Nothing => Ok(()),
            _ if self.is_anonymous() => Err(Error::Unauthenticated),
            _ if self.scopes.iter().any(enough) => Ok(()),
            _ => Err(Error::Forbidden),
        }
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
            return EVERY_DRAFT.to_owned();
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

/// Fails unless the caller may call the operation that the request has come to. The layer has asked already, by the path
/// before it was routed; this is asked of the route itself, so that no other way to write a path leads around the layer.
pub fn admit(req: &HttpRequest, caller: &Caller) -> Result<()> {
    let needs = req.app_data::<web::Data<Needs>>();
    let need = needs.map_or(Need::Admin, |needs| needs.get(req.method(), req.match_pattern()));
    caller.must_satisfy(need)
}

/// Counts a request for its caller, then finds out who that is and whether it may do this, before any body is read.
pub async fn identify(
    req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, ActixError> {
    match recognize(&req).await {
        Ok(caller) => {
            let consistency = Arc::clone(caller.consistency());
            req.extensions_mut().insert(caller);
            let mut response = next.call(req).await?.map_into_boxed_body();
            if let Some(at) = consistency.header() {
                response.headers_mut().insert(CONSISTENCY_TOKEN, at);
            }
            Ok(response)
        }
        Err(e) => Ok(req.error_response(e)),
    }
}

async fn recognize(req: &ServiceRequest) -> Result<Caller> {
    // The path as it will be routed: percent-decoded.
    let pattern = req.resource_map().match_pattern(req.match_info().as_str());
    let needs = req.app_data::<web::Data<Needs>>();
    let need = needs.map_or(Need::Admin, |needs| needs.get(req.method(), pattern));
    let mut caller = match req.headers().get(header::AUTHORIZATION) {
        // Whether the service is well does not depend on who asks.
        Some(value) if req.path().starts_with("/v1/") || need != Need::Nothing => holder(req, value).await?,
        _ => {
            let who = address(req);
            rate::admit(req, who)?;
            Caller::anonymous().counted_for(who)
        }
    };
    caller.must_satisfy(need)?;
    caller = caller.on(req.conn_data::<Arc<Connection>>().cloned());
    caller.request_id = req
        .extensions()
        .get::<RequestId>()
        .map(|id| Arc::clone(&id.0))
        .unwrap_or_default();
    if *req.method() == Method::GET {
        caller.consistency = Arc::new(Consistency::of(req.headers())?);
    } else {
        caller.reason = reason(req)?;
        caller.repeatable = repeatable(req)?;
    }
    Ok(caller)
}

/// Who holds the token that a request presents. A request without a valid token counts for the address it comes from.
async fn holder(req: &ServiceRequest, authorization: &header::HeaderValue) -> Result<Caller> {
    let database = req
        .app_data::<web::Data<Database>>()
        .ok_or_else(|| Error::internal("no database configured"))?;
    let presented = token::Presented::read(authorization);
    let find = || {
        presented
            .as_ref()
            .and_then(|presented| database.tokens().find(presented))
    };
    rate::admit(req, find().map_or_else(|| address(req), |token| Who::Token(token.id)))?;
    database.tokens_known().await?;
    let mut token = find();
    if token.is_none() && presented.is_some() {
        // It may have been made a moment ago, through another instance or by command.
        database.look_for_tokens().await;
        token = find();
    }
    let token = token.ok_or(Error::InvalidToken)?;
    token.use_now();
    Ok(Caller::holding(&token))
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
