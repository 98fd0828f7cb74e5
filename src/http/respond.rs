//! Answers of handlers, with their entity tags.

use std::{collections::BTreeMap, time::SystemTime};

use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder, Responder,
    body::BoxBody,
    http::{Method, StatusCode, header},
};
use chrono::SubsecRound;
use serde::Serialize;
use utoipa::{
    IntoResponses, ToSchema,
    openapi::{Content, Header, Ref, RefOr, Response, Type, schema::ObjectBuilder},
};

use super::{etag, media_type::JSON, middleware::authentication::context};
use crate::{
    error::{Error, Result},
    value::Time,
};

/// `Cache-Control` of a public answer: clients and proxies may keep it, and must revalidate it each time.
pub(crate) const REVALIDATE: &str = "public, max-age=0, must-revalidate";
/// `Cache-Control` of an answer that may show a draft: nobody may keep it.
pub const PRIVATE: &str = "private, no-store";

/// A rendered answer: status, location and the bytes of the body.
#[derive(Debug)]
pub struct Rendered {
    /// The status.
    pub status: StatusCode,
    /// Where the new resource lives.
    pub location: Option<String>,
    /// The body, JSON.
    pub body: Vec<u8>,
}

/// A value that can be rendered as an answer.
pub trait Render: Send + 'static {
    /// Renders the answer.
    fn reply(&self) -> Result<Rendered>;
}

fn reply<T: Serialize>(status: StatusCode, location: Option<&str>, body: &T) -> Result<Rendered> {
    Ok(Rendered {
        status,
        location: location.map(str::to_owned),
        body: serde_json::to_vec(body).map_err(Error::internal)?,
    })
}

/// 200 with a body and its tag, or 304 when the caller already has it.
#[derive(Debug, Clone)]
pub struct Answer<T>(pub T);

impl<T: Serialize + Send + 'static> Render for Answer<T> {
    fn reply(&self) -> Result<Rendered> {
        reply(StatusCode::OK, None, &self.0)
    }
}

/// A stored thing that knows when it changed.
pub trait Dated {
    /// When anything that it shows last changed.
    fn changed_at(&self) -> Time;
}

/// As [`Answer`], with the moment at which a stored thing last changed. Lists and trees have none: what goes from them leaves no later
/// moment in what stays.
#[derive(Debug, Clone)]
pub struct Item<T>(pub T);

impl<T: Serialize + Dated> Responder for Item<T> {
    type Body = BoxBody;

    fn respond_to(self, req: &HttpRequest) -> HttpResponse {
        // To the second, as headers are.
        let changed = SystemTime::from(self.0.changed_at().0.trunc_subsecs(0));
        match serde_json::to_vec(&self.0) {
            Ok(body) => dated(req, HttpResponse::Ok(), JSON, body, Some(changed.into())),
            Err(e) => HttpResponse::from_error(Error::internal(e)),
        }
    }
}

/// 201 with the new resource and where it lives.
#[derive(Debug, Clone)]
pub struct Created<T> {
    /// The path of the resource.
    pub at: String,
    /// The resource.
    pub body: T,
}

impl<T: Serialize + Send + 'static> Render for Created<T> {
    fn reply(&self) -> Result<Rendered> {
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

impl<T: Serialize + Send + 'static> Render for Stored<T> {
    fn reply(&self) -> Result<Rendered> {
        match self {
            Self::Created(created) => created.reply(),
            Self::Replaced(body) => reply(StatusCode::OK, None, body),
        }
    }
}

/// Sets the caching headers of an answer, and makes it 304 if the caller has it already. Returns whether it is 304.
pub fn kept(
    req: &HttpRequest,
    response: &mut HttpResponseBuilder,
    tag: &header::EntityTag,
    changed: Option<header::HttpDate>,
) -> bool {
    // An answer to a caller with a token may show a draft; no cache keeps it.
    let keep = if context(req).is_anonymous() {
        REVALIDATE
    } else {
        PRIVATE
    };
    let known = etag::known(req, tag, changed);
    let is_known = known.is_some();
    if is_known {
        response.status(StatusCode::NOT_MODIFIED);
    }
    response.insert_header(header::ETag(known.unwrap_or_else(|| tag.clone())));
    response.insert_header((header::CACHE_CONTROL, keep));
    response.insert_header((header::VARY, "Authorization"));
    if let Some(changed) = changed {
        response.insert_header(header::LastModified(changed));
    }
    is_known
}

impl Responder for Rendered {
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

/// An answer with its tag and, to a GET, with caching headers; 304 if the caller has it already.
pub fn tagged(req: &HttpRequest, response: HttpResponseBuilder, media_type: &str, body: Vec<u8>) -> HttpResponse {
    dated(req, response, media_type, body, None)
}

fn dated(
    req: &HttpRequest,
    mut response: HttpResponseBuilder,
    media_type: &str,
    body: Vec<u8>,
    changed: Option<header::HttpDate>,
) -> HttpResponse {
    let tag = etag::of_bytes(&body);
    response.insert_header(header::ETag(tag.clone()));
    if req.method() == Method::GET && kept(req, &mut response, &tag, changed) {
        return response.finish();
    }
    response.content_type(media_type).body(body)
}

/// Types that respond as the `Rendered` they become.
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

impl Render for NoContent {
    fn reply(&self) -> Result<Rendered> {
        Ok(Rendered {
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
        .content(JSON, Content::new(Some(Ref::from_schema_name(T::name()))))
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
impl<T: ToSchema> IntoResponses for Item<T> {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let mut responses = Answer::<T>::responses();
        if let Some(RefOr::T(response)) = responses.get_mut("200") {
            let moment = Header::new(ObjectBuilder::new().schema_type(Type::String));
            response.headers.insert("Last-Modified".to_owned(), moment.into());
        }
        responses
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
    /// The problems an operation can answer with are added to all operations at once, in [`crate::server::openapi`].
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        BTreeMap::new()
    }
}
