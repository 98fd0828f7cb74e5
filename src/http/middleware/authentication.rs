//! Authentication: the layer that finds out who calls, before it reads anything else of a request.

use std::sync::Arc;

use actix_web::{
    Error as ActixError, HttpMessage, HttpRequest,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{Method, header},
    middleware::Next,
    web,
};
use percent_encoding::percent_decode_str;
use sha2::{Digest, Sha256};
use url::form_urlencoded;

use super::rate_limit;
use crate::{
    auth::{
        CHANGE_REASON, Caller, CallerKey, IDEMPOTENCY_KEY, LONGEST_REASON, RequiredPermission, ticket::PresentedTicket,
        token::PresentedToken,
    },
    db::{
        Context, Database, IdempotencyKey, Token, TokenDirectory,
        consistency::{CONSISTENCY_TOKEN, Consistency},
    },
    error::{Error, Place, Result, Violation},
    http::{address, connection::Connection, request_id::RequestId, required_permissions::RequiredPermissions},
    value::{OrganizationKey, composed, language::Bilingual},
};

/// The operation that a ticket opens, and the parameter that carries it.
const OPENED_BY_TICKET: &str = "/v1/changes/stream";
pub(crate) const TICKET: &str = "ticket";

/// The context of this request: its caller, and all that is known of the caller.
#[must_use]
pub fn context(req: &HttpRequest) -> Context {
    req.extensions()
        .get::<Context>()
        .cloned()
        .unwrap_or_else(Context::anonymous)
}

/// Counts a request for its caller, authenticates the caller and checks its permission, before any body is read.
pub async fn authenticate(
    req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, ActixError> {
    match authorize(&req).await {
        Ok(context) => {
            let consistency = Arc::clone(&context.consistency);
            req.extensions_mut().insert(context);
            let mut response = next.call(req).await?.map_into_boxed_body();
            if let Some(at) = consistency.header() {
                response.headers_mut().insert(CONSISTENCY_TOKEN, at);
            }
            Ok(response)
        }
        Err(e) => Ok(req.error_response(e)),
    }
}

async fn authorize(req: &ServiceRequest) -> Result<Context> {
    let need = RequiredPermissions::of_request(req, req.method());
    let authorization = req.headers().get(header::AUTHORIZATION);
    // The path as it will be routed: percent-decoded.
    let takes_ticket = *req.method() == Method::GET && req.match_info().as_str() == OPENED_BY_TICKET;
    let ticket = takes_ticket.then(|| ticket(req.query_string())).flatten();
    let mut context = match (authorization, ticket) {
        (None, Some(ticket)) => holder_of_ticket(req, &ticket).await?,
        // Health probes are answered whoever asks.
        (Some(value), _) if req.path().starts_with("/v1/") || need != RequiredPermission::Nothing => {
            holder(req, value).await?
        }
        _ => {
            let caller = address::caller(req);
            rate_limit::admit(req, caller)?;
            Caller::anonymous().counted_for(caller).into()
        }
    };
    context.must_satisfy(need).map_err(|e| match e {
        Error::Forbidden(scope) => Error::Forbidden(of_path(req, &scope)),
        e => e,
    })?;
    let connection = req.conn_data::<Arc<Connection>>().cloned();
    context.hung_up =
        connection.map(|connection| -> Arc<dyn Fn() -> bool + Send + Sync> { Arc::new(move || connection.is_left()) });
    context.request_id = req
        .extensions()
        .get::<RequestId>()
        .map(|id| Arc::clone(&id.0))
        .unwrap_or_default();
    if *req.method() == Method::GET {
        context.consistency = Arc::new(Consistency::of(req.headers())?);
    } else {
        context.reason = reason(req)?;
        context.repeatable = repeatable(req)?;
    }
    Ok(context)
}

/// A scope of any organization, as one of the organization that the path names, if it names one.
fn of_path(req: &ServiceRequest, scope: &str) -> String {
    const ORGANIZATION: &str = "{organization}";
    let path = req.match_info().as_str();
    let pattern = req.resource_map().match_pattern(path).unwrap_or_default();
    let mut parts = pattern.split('/').zip(path.split('/'));
    let named = parts.find(|(of_pattern, _)| *of_pattern == ORGANIZATION);
    let named = named.and_then(|(_, name)| name.parse::<OrganizationKey>().ok());
    named.map_or_else(|| scope.to_owned(), |name| scope.replace(ORGANIZATION, name.as_str()))
}

/// The context of the presented token's holder.
async fn holder(req: &ServiceRequest, authorization: &header::HeaderValue) -> Result<Context> {
    let presented = authorization.to_str().ok().and_then(PresentedToken::read);
    holder_of(req, presented, TokenDirectory::find).await
}

/// The context of the caller to whom a ticket was given, which is good no more after this.
async fn holder_of_ticket(req: &ServiceRequest, ticket: &str) -> Result<Context> {
    let presented = PresentedTicket::read(ticket);
    let hash = presented
        .as_ref()
        .map(|presented| presented.hash.clone())
        .unwrap_or_default();
    let found = holder_of(req, presented, TokenDirectory::find_by_ticket).await;
    let context = found.map_err(|e| match e {
        Error::InvalidToken => Error::InvalidTicket,
        e => e,
    })?;
    if database(req)?.of(context.clone()).take_ticket(hash).await? {
        Ok(context)
    } else {
        Err(Error::InvalidTicket)
    }
}

/// The context of the holder of the token that `find` finds by what was presented. A request without a valid token
/// counts for its address.
async fn holder_of<P>(
    req: &ServiceRequest,
    presented: Option<P>,
    find: fn(&TokenDirectory, &P) -> Option<Arc<Token>>,
) -> Result<Context> {
    let database = database(req)?;
    let find = || {
        let presented = presented.as_ref();
        presented.and_then(|presented| find(database.tokens(), presented))
    };
    rate_limit::admit(
        req,
        find().map_or_else(|| address::caller(req), |token| CallerKey::Token(token.id)),
    )?;
    database.tokens_known().await?;
    let mut token = find();
    if token.is_none() && presented.is_some() {
        // The token may have been made a moment ago, through another instance or by command.
        database.look_for_tokens().await;
        token = find();
    }
    let token = token.ok_or(Error::InvalidToken)?;
    token.use_now();
    let caller = Caller::new(token.name.clone(), Some(token.id), Arc::clone(&token.scopes));
    let mut context = Context::from(caller);
    context.token = Some(token);
    Ok(context)
}

fn database(req: &ServiceRequest) -> Result<&Database> {
    req.app_data::<web::Data<Database>>()
        .map(web::Data::get_ref)
        .ok_or_else(|| Error::internal("no database configured"))
}

/// The ticket in a query.
fn ticket(query: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs
        .find(|(name, _)| name == TICKET)
        .map(|(_, ticket)| ticket.into_owned())
}

/// The reason for a change: percent-encoded UTF-8, since a header holds nothing else safely.
fn reason(req: &ServiceRequest) -> Result<Option<String>> {
    let Some(value) = req.headers().get(CHANGE_REASON) else {
        return Ok(None);
    };
    let text = percent_decode_str(value.to_str().unwrap_or("%00"))
        .decode_utf8()
        .unwrap_or_default();
    let text = composed(text.trim());
    let sane = !text.is_empty() && text.chars().count() <= LONGEST_REASON && !text.chars().any(char::is_control);
    if sane {
        return Ok(Some(text.into_owned()));
    }
    let detail = Bilingual::new(
        format!("UTF-8をパーセント符号化した1文字から{LONGEST_REASON}文字までの理由にしてください"),
        format!("must be a reason of 1 to {LONGEST_REASON} characters, UTF-8 percent-encoded"),
    );
    Err(malformed(CHANGE_REASON, detail))
}

fn repeatable(req: &ServiceRequest) -> Result<Option<IdempotencyKey>> {
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
    Ok(Some(IdempotencyKey::new(key.to_owned(), digest)))
}

fn malformed(header: &'static str, detail: Bilingual) -> Error {
    Error::malformed(Violation {
        place: Place::Header(header),
        code: "format",
        detail,
        suggestion: None,
    })
}
