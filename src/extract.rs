//! What handlers take and give: bodies and paths that are checked when they are read, answers that carry their tags.
//!
//! `Json` and `Path` shadow actix's: same names, so utoipa infers bodies and parameters from handler signatures.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    fmt::Display,
    future::{Future, Ready, ready},
    marker::PhantomData,
    pin::Pin,
    time::Duration,
};

use actix_web::{
    FromRequest, HttpRequest, HttpResponse, HttpResponseBuilder, Responder,
    body::BoxBody,
    dev::Payload,
    http::{Method, StatusCode, header},
    web::{self, Bytes, BytesMut},
};
use futures_util::StreamExt;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use tokio::time::timeout;
use utoipa::{
    IntoResponses, PartialSchema, ToSchema,
    openapi::{
        Content, Header, Ref, RefOr, Response, Type,
        schema::{ObjectBuilder, Schema},
    },
};

use crate::{
    auth,
    config::Limits,
    contract::{self, Rules},
    error::{Error, Result, Violation},
    etag, json,
    language::Bilingual,
    value::Id,
    workshop::Bench,
};

mod html;

pub use html::{Html, digest};

/// What clients and proxies may do with a public answer: keep it, and ask each time whether it still holds.
pub(crate) const REVALIDATE: &str = "public, max-age=0, must-revalidate";
/// The same of an answer that may show a draft.
const PRIVATE: &str = "private, no-store";

/// The media types of answers that depend on nothing but their address and `Accept`, who asks, when, and what is stored.
pub(crate) const KEPT: [&str; 2] = [JSON, html::HTML];
/// That of almost all answers.
pub(crate) const JSON: &str = "application/json";

/// A JSON body: read within limits, checked against its schema, then against its rules.
#[derive(Debug)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned + ToSchema + Rules + Send + 'static> FromRequest for Json<T> {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let body = document(req, payload, "application/json", limits(req).json, contract::read);
        Box::pin(async move { body.await.map(Self) })
    }
}

/// Keys and values that a merge patch may have: it is of one thing, and what it makes of it is checked in the middle of a write.
const MOST_OF_A_PATCH: usize = 10_000;

/// A JSON Merge Patch (RFC 7396). What it makes of the stored thing is checked like any other input.
#[derive(Debug, Clone, Serialize)]
pub struct Patch(Value);

impl Patch {
    /// The parent it names under this key, if it names one.
    #[must_use]
    pub fn parent(&self, key: &str) -> Option<Id> {
        self.0.get(key)?.as_str()?.parse().ok()
    }

    /// What `stored` becomes.
    pub fn apply<T: Serialize + DeserializeOwned + ToSchema + Rules + 'static>(self, stored: &T) -> Result<T> {
        let mut merged = serde_json::to_value(stored).map_err(Error::internal)?;
        json::merge(&mut merged, self.0);
        contract::read(merged)
    }
}

impl FromRequest for Patch {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let most = json::Most {
            values: MOST_OF_A_PATCH,
            ..limits(req).json
        };
        let document = document(req, payload, "application/merge-patch+json", most, Ok);
        Box::pin(async move { document.await.map(Self) })
    }
}

/// The schema of a merge patch of `T`: `GoalPatch` for `GoalInput`.
pub struct PatchOf<T>(PhantomData<T>);

impl<T: ToSchema> PartialSchema for PatchOf<T> {
    fn schema() -> RefOr<Schema> {
        let mut schemas = Vec::new();
        T::schemas(&mut schemas);
        contract::patch_schema(T::schema(), &schemas.into_iter().collect())
    }
}
impl<T: ToSchema> ToSchema for PatchOf<T> {
    fn name() -> Cow<'static, str> {
        T::name().replace("Input", "Patch").into()
    }
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        T::schemas(schemas);
    }
}

/// A body of one of several media types, read within limits, and nothing more.
#[derive(Debug)]
pub struct Upload<T> {
    /// What its media type says it is.
    pub kind: T,
    /// The bytes.
    pub bytes: Bytes,
    /// How large a document may be, if it is one.
    pub most: json::Most,
}

/// What the media types of an upload stand for.
pub trait UploadKind: Sized + Copy + 'static {
    /// Every media type, in lower case, and what it stands for.
    const TYPES: &'static [(&'static str, Self)];
    /// All of them in words, for whoever sent another.
    const NAMES: &'static str;
}

impl<T: UploadKind> FromRequest for Upload<T> {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let given = media_type(req);
        let kind = T::TYPES.iter().find(|(name, _)| given.eq_ignore_ascii_case(name));
        let kind = kind.map(|(_, kind)| *kind).ok_or(Error::UnsupportedMediaType(T::NAMES));
        let limits = limits(req);
        let bytes = bytes(req, payload, limits.import_bytes, kind.is_ok(), T::NAMES);
        Box::pin(async move {
            let kind = kind?;
            let bytes = bytes.await?;
            let most = limits.json;
            Ok(Self { kind, bytes, most })
        })
    }
}

/// Reads the body as JSON of this media type, and makes something of it.
fn document<T: Send + 'static>(
    req: &HttpRequest,
    payload: &mut Payload,
    wanted: &'static str,
    most: json::Most,
    read: fn(Value) -> Result<T>,
) -> impl Future<Output = Result<T>> + use<T> {
    let acceptable = media_type(req).eq_ignore_ascii_case(wanted);
    let bytes = bytes(req, payload, limits(req).body_bytes, acceptable, wanted);
    let bench = Bench::of(req);
    async move {
        let bytes = bytes.await?;
        let (bench, size) = (bench?, bytes.len());
        let work = move || read(json::read(&bytes, most).map_err(|e| not_json(&e))?);
        bench.work_on(size, work).await
    }
}

/// That a body is not JSON, and why.
pub fn not_json(e: &impl Display) -> Error {
    let detail = Bilingual::new(format!("JSONとして読み取れません: {e}"), format!("is not JSON: {e}"));
    Error::malformed(Violation::at("", "json", detail))
}

/// The limits of what one request may take.
pub(crate) fn limits(req: &HttpRequest) -> Limits {
    req.app_data::<web::Data<Limits>>()
        .map(|limits| *limits.get_ref())
        .unwrap_or_default()
}

fn media_type(req: &HttpRequest) -> &str {
    let given = req
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|v| v.to_str().ok())
        .unwrap_or_default();
    given.split(';').next().unwrap_or_default().trim()
}

/// Reads a body of at most so many bytes, as it is; nothing that is of another type, or compressed.
fn bytes(
    req: &HttpRequest,
    payload: &mut Payload,
    limit: usize,
    acceptable: bool,
    wanted: &'static str,
) -> impl Future<Output = Result<Bytes>> + use<> {
    let acceptable = acceptable && !req.headers().contains_key(header::CONTENT_ENCODING);
    let seconds = limits(req).body_seconds;
    let stated = req
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|v| v.to_str().ok()?.parse::<usize>().ok());
    let payload = payload.take();
    async move {
        if !acceptable {
            return Err(Error::UnsupportedMediaType(wanted));
        }
        if stated.is_some_and(|length| length > limit) {
            return Err(Error::TooLarge(limit));
        }
        timeout(Duration::from_secs(seconds), collect(payload, limit))
            .await
            .map_err(|_elapsed| Error::Timeout)?
    }
}

async fn collect(mut payload: Payload, limit: usize) -> Result<Bytes> {
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|e| {
            Error::malformed(Violation::at(
                "",
                "body",
                Bilingual::new("本文が途中で途切れました", format!("the body broke off: {e}")),
            ))
        })?;
        if body.len() + chunk.len() > limit {
            return Err(Error::TooLarge(limit));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// Path parameters; one that does not parse names nothing.
#[derive(Debug)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for Path<T> {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        #[expect(clippy::disallowed_types, reason = "the one place that wraps actix's own")]
        let path = web::Path::<T>::from_request(req, payload).into_inner().ok();
        let path = path.filter(|_| {
            req.match_info().iter().all(|(name, part)| match name {
                "fiscal_year" => part.len() == 4 && is_number(part),
                "number" => is_number(part),
                _ => true,
            })
        });
        ready(path.map(|p| Self(p.into_inner())).ok_or(Error::NotFound("path")))
    }
}

/// Whether a part of a path is a number in the one form it has: Rust also reads +2024 and 02024.
fn is_number(part: &str) -> bool {
    !part.starts_with('0') && part.bytes().all(|b| b.is_ascii_digit())
}

/// An answer as bytes, with what stands before them.
#[derive(Debug)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// Where the new resource lives.
    pub location: Option<String>,
    /// The body, JSON.
    pub body: Vec<u8>,
}

/// What becomes an answer.
pub trait IntoReply: Send + 'static {
    /// The answer.
    fn reply(&self) -> Result<Reply>;
}

fn reply<T: Serialize>(status: StatusCode, location: Option<&str>, body: &T) -> Result<Reply> {
    Ok(Reply {
        status,
        location: location.map(str::to_owned),
        body: serde_json::to_vec(body).map_err(Error::internal)?,
    })
}

/// 200 with a body and its tag, or 304 when the caller already has it.
#[derive(Debug, Clone)]
pub struct Answer<T>(pub T);

impl<T: Serialize + Send + 'static> IntoReply for Answer<T> {
    fn reply(&self) -> Result<Reply> {
        reply(StatusCode::OK, None, &self.0)
    }
}

/// 201 with the new resource and where it lives.
#[derive(Debug)]
pub struct Created<T> {
    /// Its path.
    pub at: String,
    /// Itself.
    pub body: T,
}

impl<T: Serialize + Send + 'static> IntoReply for Created<T> {
    fn reply(&self) -> Result<Reply> {
        reply(StatusCode::CREATED, Some(&self.at), &self.body)
    }
}

/// What a PUT did: created or replaced.
#[derive(Debug)]
pub enum Stored<T> {
    /// 201.
    Created(Created<T>),
    /// 200.
    Replaced(T),
}

impl<T: Serialize + Send + 'static> IntoReply for Stored<T> {
    fn reply(&self) -> Result<Reply> {
        match self {
            Self::Created(created) => created.reply(),
            Self::Replaced(body) => reply(StatusCode::OK, None, body),
        }
    }
}

/// Says what caches may do with an answer, and makes it a 304 where the caller has it already: whether that is so.
pub fn kept(req: &HttpRequest, response: &mut HttpResponseBuilder, tag: &header::EntityTag) -> bool {
    // What a caller with a token sees may be a draft; no cache keeps it.
    let keep = if auth::caller(req).is_anonymous() {
        REVALIDATE
    } else {
        PRIVATE
    };
    let known = etag::known(req, tag);
    let is_known = known.is_some();
    if is_known {
        response.status(StatusCode::NOT_MODIFIED);
    }
    response.insert_header(header::ETag(known.unwrap_or_else(|| tag.clone())));
    response.insert_header((header::CACHE_CONTROL, keep));
    response.insert_header((header::VARY, "Authorization"));
    is_known
}

impl Responder for Reply {
    type Body = BoxBody;

    fn respond_to(self, req: &HttpRequest) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        if self.status == StatusCode::NO_CONTENT {
            return response.finish();
        }
        if let Some(at) = &self.location {
            response.insert_header((header::LOCATION, at.as_str()));
        }
        tagged(req, response, JSON, self.body)
    }
}

/// An answer with its tag and, to a GET, what caches may do with it; 304 where the caller has it already.
pub fn tagged(req: &HttpRequest, mut response: HttpResponseBuilder, media_type: &str, body: Vec<u8>) -> HttpResponse {
    let tag = etag::of_bytes(&body);
    response.insert_header(header::ETag(tag.clone()));
    if req.method() == Method::GET && kept(req, &mut response, &tag) {
        return response.finish();
    }
    response.content_type(media_type).body(body)
}

/// Types that answer as the reply they become.
macro_rules! responds {
    ($($name:ident),+) => { $(
        impl<T: Serialize + Send + 'static> Responder for $name<T> {
            type Body = BoxBody;

            fn respond_to(self, req: &HttpRequest) -> HttpResponse {
                match self.reply() {
                    Ok(reply) => reply.respond_to(req),
                    Err(e) => HttpResponse::from_error(e),
                }
            }
        }
    )+ };
}
responds!(Answer, Created, Stored);

/// 204.
#[derive(Debug)]
pub struct NoContent;

impl IntoReply for NoContent {
    fn reply(&self) -> Result<Reply> {
        Ok(Reply {
            status: StatusCode::NO_CONTENT,
            location: None,
            body: vec![],
        })
    }
}

impl Responder for NoContent {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        HttpResponse::NoContent().finish()
    }
}

fn documented<T: ToSchema>(status: &str, words: &str, location: bool) -> (String, RefOr<Response>) {
    let text = || Header::new(ObjectBuilder::new().schema_type(Type::String).max_length(Some(1000)));
    let mut response = Response::builder()
        .description(words)
        .content("application/json", Content::new(Some(Ref::from_schema_name(T::name()))))
        .header("ETag", text());
    if location {
        response = response.header("Location", text());
    }
    (status.to_owned(), response.build().into())
}

fn empty(status: &str, words: &str) -> (String, RefOr<Response>) {
    (status.to_owned(), Response::builder().description(words).build().into())
}

impl<T: ToSchema> IntoResponses for Answer<T> {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        BTreeMap::from([documented::<T>("200", "What was asked for.", false)])
    }
}
impl<T: ToSchema> IntoResponses for Created<T> {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        BTreeMap::from([documented::<T>("201", "Created.", true)])
    }
}
impl<T: ToSchema> IntoResponses for Stored<T> {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        BTreeMap::from([
            documented::<T>("200", "Replaced.", false),
            documented::<T>("201", "Created.", true),
        ])
    }
}
impl IntoResponses for NoContent {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        BTreeMap::from([empty("204", "Gone.")])
    }
}
impl IntoResponses for Error {
    /// The problems an operation can answer with are added to all operations at once, in [`crate::openapi`].
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        BTreeMap::new()
    }
}
