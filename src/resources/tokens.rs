//! Tokens: who may call, what for, and until when.

use std::collections::BTreeMap;

use actix_web::{
    HttpRequest, HttpResponse, Responder,
    body::BoxBody,
    delete, get,
    http::header::{CACHE_CONTROL, HeaderValue},
    post,
};
use diesel::{PgConnection, prelude::*};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{
    IntoResponses, ToSchema,
    openapi::{RefOr, Response},
};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    auth::{Permission, SERVICE, Scope, token::GeneratedToken},
    db::{
        Db, Tx, is_organization,
        schema::{organizations as o, token_uses, tokens},
    },
    error::{Error, Result, Violation, nearest},
    http::{
        extract::{Json, Path},
        pagination::{Page, Paging},
        query::{NoQuery, Query},
        respond::{Answer, Created, NoContent},
        validation::Rules,
    },
    keyset, text_enum,
    value::{Id, Line, OrganizationKey, Time, language::Bilingual},
};

pub mod me;

/// Routes under `/tokens`, and the caller's own.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.configure(me::routes)
        .service(list_tokens)
        .service(create_token)
        .service(read_token)
        .service(revoke_token);
}

text_enum! {
    /// How tokens are ordered.
    pub enum TokenSort in "token_sort" {
        /// By name.
        Name = "name" ("名称順", "name"),
        /// Most recently made first.
        CreatedAt = "-created_at" ("作成の新しい順", "latest first"),
    }
}

/// A token, as it is stored: scopes name organizations by their ids.
#[derive(HasQuery)]
#[diesel(table_name = tokens, base_query = tokens::table.left_join(token_uses::table.on(token_uses::token_id.eq(tokens::id))))]
struct StoredToken {
    id: Id,
    name: Line<100>,
    handle: String,
    scopes: Vec<String>,
    expires_at: Option<Time>,
    revoked_at: Option<Time>,
    #[diesel(select_expression = token_uses::last_used_at.nullable())]
    last_used_at: Option<Time>,
    version: i64,
    created_at: Time,
    updated_at: Time,
}

/// A token, but for its secret part: that is kept by its holder only.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Token {
    /// Identifier.
    pub id: Id,
    /// Name of the system that holds it. History knows who wrote by it, so no two tokens ever have the same.
    pub name: Line<100>,
    /// The part of the token that may be seen: `wardpolicy_{handle}_…`.
    #[schema(max_length = 40, example = "3f0a9c51d27e")]
    pub handle: String,
    /// What it allows: `admin`, or `edit`, `publish` or `read_drafts` with the present slug of an organization, or `*` for all.
    #[schema(max_items = 100, example = json!(["edit:nishi"]))]
    pub scopes: Vec<Line<80>>,
    /// From when on it is worth nothing; null where it does not expire.
    pub expires_at: Option<Time>,
    /// Since when it is worth nothing; null where it was not revoked.
    pub revoked_at: Option<Time>,
    /// When it was last used, to the minute; null where it never was.
    pub last_used_at: Option<Time>,
    /// 1 when created, one more with each change.
    #[schema(minimum = 1)]
    pub version: i64,
    /// When it was created.
    pub created_at: Time,
    /// When it last changed; uses are no changes.
    pub updated_at: Time,
}

/// Some tokens.
pub type TokenPage = Page<Token>;

/// A new token, whole. It has no `Debug`: no log may show it.
#[derive(Serialize, ToSchema)]
pub struct NewToken {
    /// The token itself, shown this once: only a hash of it is kept. Sent as `Authorization: Bearer …`.
    #[schema(
        max_length = 100,
        example = "wardpolicy_3f0a9c51d27e_0000000000000000000000000000000000000000000"
    )]
    pub token: String,
    /// What will be shown of it from now on.
    pub shown: Token,
}

/// What a caller says about a new token.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "name": "西区 運営方針システム", "scopes": ["edit:nishi", "publish:nishi"], "expires_at": "2030-03-31T23:59:59+09:00" }))]
pub struct TokenInput {
    /// Name of the system that will hold it; unlike that of any other token, revoked ones too.
    pub name: Line<100>,
    /// What it allows: `admin`, or `edit`, `publish` or `read_drafts` with an organization (slug or municipality code) or `*`:
    /// `edit:nishi`, `read_drafts:*`. It stays with an organization that is renamed.
    #[schema(min_items = 1, max_items = 100)]
    pub scopes: Vec<Line<80>>,
    /// From when on it is worth nothing, in the future; null or left out: it does not expire.
    pub expires_at: Option<Time>,
}

impl Rules for TokenInput {
    fn broken(&self) -> Vec<Violation> {
        let detail = Bilingual::new("サービス自身の名称は使えません", "is the name of the service itself");
        if self.name.0 == SERVICE {
            vec![Violation::at("/name", "reserved", detail)]
        } else {
            vec![]
        }
    }
}

/// Lists tokens.
///
/// Those that expired or were revoked too: history refers to them. By name, unless another order is asked for.
#[utoipa::path(tag = "tokens", security(("token" = ["admin"])), params(Paging<TokenSort>))]
#[get("/tokens")]
async fn list_tokens(db: Db, Query(paging): Query<Paging<TokenSort>>) -> Result<TokenPage> {
    db.read(move |conn| list(conn, &paging)).await
}

/// Makes a token.
///
/// The answer shows it once; nobody can find it out later. 409 when the name is taken, by a revoked token too. Takes no
/// `Idempotency-Key` (400): the answer would have to be kept, and with it the token.
#[utoipa::path(tag = "tokens", security(("token" = ["admin"])))]
#[post("/tokens")]
async fn create_token(db: Db, _: NoQuery, Json(input, _): Json<TokenInput>) -> Result<Once> {
    if input.expires_at.is_some_and(|end| end <= Time::now()) {
        let detail = Bilingual::new("未来の日時にしてください", "must lie in the future");
        return Err(Error::Invalid(vec![Violation::at("/expires_at", "past", detail)]));
    }
    db.write(move |tx| create(tx, &input).map(Once)).await
}

/// Reads a token.
///
/// Its secret part is not kept, and so not shown.
#[utoipa::path(tag = "tokens", security(("token" = ["admin"])))]
#[get("/tokens/{id}")]
async fn read_token(db: Db, _: NoQuery, Path(id): Path<Id>) -> Result<Answer<Token>> {
    db.read(move |conn| find(conn, id).map(Answer)).await
}

/// Revokes a token.
///
/// It is worth nothing from this moment on, and for good; it stays in the list, since history refers to it. Revoking it again
/// changes nothing. Takes no `If-Match`: whatever it was, it must not be used any more.
#[utoipa::path(tag = "tokens", security(("token" = ["admin"])))]
#[delete("/tokens/{id}")]
async fn revoke_token(db: Db, _: NoQuery, Path(id): Path<Id>) -> Result<NoContent> {
    db.write(move |tx| {
        find(tx, id)?;
        revoke(tx, id).map(|()| NoContent)
    })
    .await
}

/// An answer that is given once, and that nobody keeps.
struct Once(Created<NewToken>);

impl Responder for Once {
    type Body = BoxBody;

    fn respond_to(self, req: &HttpRequest) -> HttpResponse {
        let mut response = self.0.respond_to(req);
        response
            .headers_mut()
            .insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

impl IntoResponses for Once {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        Created::<NewToken>::responses()
    }
}

fn list(conn: &mut PgConnection, paging: &Paging<TokenSort>) -> Result<TokenPage> {
    let total = paging.total(conn, |conn| Ok(tokens::table.count().get_result(conn)?))?;
    let query = StoredToken::query().into_boxed();
    let rows = match paging.sort {
        TokenSort::Name => keyset!(query, paging, tokens::id, asc tokens::name, String),
        TokenSort::CreatedAt => keyset!(query, paging, tokens::id, desc tokens::created_at, Time),
    };
    let rows: Vec<StoredToken> = paging.load(conn, rows)?;
    let page = paging.cut(shown(conn, rows)?, total, |row: &Token| match paging.sort {
        TokenSort::Name => (json!(row.name), row.id),
        TokenSort::CreatedAt => (json!(row.created_at), row.id),
    })?;
    Ok(page)
}

/// Every token there is, by name.
pub fn all(conn: &mut PgConnection) -> Result<Vec<Token>> {
    let rows = StoredToken::query().order(tokens::name).load(conn)?;
    shown(conn, rows)
}

/// Whether there was ever a token.
pub fn any(conn: &mut PgConnection) -> Result<bool> {
    let first: Option<Id> = tokens::table.select(tokens::id).first(conn).optional()?;
    Ok(first.is_some())
}

/// The token with this name.
pub fn named(conn: &mut PgConnection, name: &str) -> Result<Id> {
    tokens::table
        .filter(tokens::name.eq(name))
        .select(tokens::id)
        .first(conn)
        .optional()?
        .ok_or(Error::NotFound("token"))
}

fn find(conn: &mut PgConnection, id: Id) -> Result<Token> {
    let rows: Vec<StoredToken> = StoredToken::query().filter(tokens::id.eq(id)).load(conn)?;
    shown(conn, rows)?.pop().ok_or(Error::NotFound("token"))
}

/// Tokens as they are shown: with the present slugs of organizations.
fn shown(conn: &mut PgConnection, rows: Vec<StoredToken>) -> Result<Vec<Token>> {
    let slugs: BTreeMap<Id, String> = o::table.select((o::id, o::slug)).load(conn)?.into_iter().collect();
    let show = |stored: &String| match Scope::parse(stored) {
        // A removed organization is shown by its id: its scope can be told from others, and allows nothing.
        Some(Scope::On(permission, Some(place))) if slugs.contains_key(&place) => {
            let slug = slugs.get(&place).map_or("", String::as_str);
            Line(format!("{}:{slug}", permission.code()))
        }
        _ => Line(stored.clone()),
    };
    let tokens = rows.into_iter().map(|row| Token {
        id: row.id,
        name: row.name,
        handle: row.handle,
        scopes: row.scopes.iter().map(show).collect(),
        expires_at: row.expires_at,
        revoked_at: row.revoked_at,
        last_used_at: row.last_used_at,
        version: row.version,
        created_at: row.created_at,
        updated_at: row.updated_at,
    });
    Ok(tokens.collect())
}

/// Makes a token.
pub fn create(tx: &mut Tx<'_>, input: &TokenInput) -> Result<Created<NewToken>> {
    let (id, secret, scopes) = (Id::generate(), GeneratedToken::generate()?, stored(tx, &input.scopes)?);
    tx.tokens_changed = true;
    diesel::insert_into(tokens::table)
        .values((
            tokens::id.eq(id),
            tokens::name.eq(&input.name),
            tokens::handle.eq(&secret.handle),
            tokens::hash.eq(&secret.hash),
            tokens::scopes.eq(scopes),
            tokens::expires_at.eq(input.expires_at),
        ))
        .execute(tx.conn)?;
    Ok(Created {
        at: format!("/v1/tokens/{id}"),
        body: NewToken {
            token: secret.token,
            shown: find(tx, id)?,
        },
    })
}

/// Revokes a token, unless it is revoked already.
pub fn revoke(tx: &mut Tx<'_>, id: Id) -> Result<()> {
    diesel::update(tokens::table.find(id).filter(tokens::revoked_at.is_null()))
        .set(tokens::revoked_at.eq(Some(Time::now())))
        .execute(tx.conn)?;
    tx.tokens_changed = true;
    Ok(())
}

/// Scopes as they are stored, each once; fails with everything that is no scope or names no organization.
fn stored(conn: &mut PgConnection, scopes: &[Line<80>]) -> Result<Vec<String>> {
    let (mut kept, mut broken) = (Vec::new(), Vec::new());
    for (n, Line(text)) in scopes.iter().enumerate() {
        match scope(conn, text)? {
            Ok(scope) if kept.contains(&scope) => {}
            Ok(scope) => kept.push(scope),
            Err((code, detail, suggestion)) => {
                broken.push(Violation::at(format!("/scopes/{n}"), code, detail).suggesting(suggestion));
            }
        }
    }
    Error::refuse(broken)?;
    Ok(kept.iter().map(Scope::to_string).collect())
}

/// Why a text is no scope: the code, the sentence, and what was probably meant.
type NoScope = (&'static str, Bilingual, Option<String>);

fn scope(conn: &mut PgConnection, text: &str) -> Result<Result<Scope, NoScope>> {
    if text == "admin" {
        return Ok(Ok(Scope::Admin));
    }
    let (permission, place) = text.split_once(':').unwrap_or((text, "*"));
    let Some(known) = Permission::named(permission).filter(|_| text.contains(':')) else {
        let likely = Permission::codes()
            .map(|code| format!("{code}:{place}"))
            .chain(["admin".to_owned()]);
        let likely: Vec<String> = likely.collect();
        let detail = Bilingual::new(
            "admin か、edit・publish・read_drafts のいずれかと所属（edit:nishi、すべての所属は edit:*）にしてください",
            "must be admin, or edit, publish or read_drafts with an organization (edit:nishi; edit:* for all)",
        );
        let suggestion = nearest(text, likely.iter().map(String::as_str));
        return Ok(Err(("scope", detail, suggestion)));
    };
    if place == "*" {
        return Ok(Ok(Scope::On(known, None)));
    }
    if let Ok(key) = place.parse::<OrganizationKey>() {
        let id = o::table
            .filter(is_organization(key.as_str()))
            .select(o::id)
            .first(conn)
            .optional()?;
        if let Some(id) = id {
            return Ok(Ok(Scope::On(known, Some(id))));
        }
    }
    let slugs: Vec<String> = o::table.select(o::slug).load(conn)?;
    let suggestion = nearest(place, slugs.iter().map(String::as_str)).map(|slug| format!("{permission}:{slug}"));
    let detail = Bilingual::new("所属が存在しません", "names no organization");
    Ok(Err(("missing", detail, suggestion)))
}
