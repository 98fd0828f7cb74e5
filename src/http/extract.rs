//! Extractors of handlers: bodies and paths, checked when they are read.
//!
//! `Json` and `Path` shadow actix's: same names, so utoipa infers bodies and parameters from handler signatures.

use std::{
    borrow::Cow,
    fmt::Display,
    future::{Future, Ready, ready},
    marker::PhantomData,
    pin::Pin,
    time::Duration,
};

use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    http::header,
    web::{self, Bytes, BytesMut},
};
use futures_util::StreamExt;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use tokio::time::timeout;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, schema::Schema},
};

use super::{
    etag::check_absent,
    json,
    limits::limits,
    media_type::{JSON, MERGE_PATCH},
    middleware::authentication::context,
    validation::{self, Known, ReadOnly, Rules},
    workshop::Bench,
};
use crate::{
    db::Affected,
    error::{Error, Result, Violation},
    value::{Id, language::Bilingual},
};

/// A JSON body: read within limits, checked against its schema and its rules, and completed. Beside it stands what it says of
/// members that the server sets.
#[derive(Debug)]
pub struct Json<T>(pub T, pub ReadOnly);

impl<T: DeserializeOwned + ToSchema + Rules + Send + 'static> FromRequest for Json<T> {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (known, context) = (Known::from_path(req.match_info()), context(req));
        let read = move |document| {
            context.would_change(Affected::of_results(&document).or_else(|| Affected::of_new(&document)));
            validation::read_body(document, &known).map(|(body, shown)| Self(body, shown))
        };
        Box::pin(document(req, payload, JSON, limits(req).json, read))
    }
}

/// Most keys and values of a merge patch: it changes one resource, and its result is checked inside a write.
const MOST_OF_A_PATCH: usize = 10_000;

/// A JSON Merge Patch (RFC 7396). The patched resource is checked like any other input.
#[derive(Debug, Clone, Serialize)]
pub struct Patch(Value);

impl Patch {
    /// The parent that the patch names under this key, if it names one.
    #[must_use]
    pub fn parent(&self, key: &str) -> Option<Id> {
        self.0.get(key)?.as_str()?.parse().ok()
    }

    /// Takes out what the patch says of members that the server sets.
    pub fn read_only<T: ToSchema + Rules + 'static>(&mut self) -> ReadOnly {
        validation::read_only::<T>(&mut self.0)
    }

    /// Applies the patch to `stored`.
    pub fn apply<T: Serialize + DeserializeOwned + ToSchema + Rules + 'static>(self, stored: &T) -> Result<T> {
        let mut merged = serde_json::to_value(stored).map_err(Error::internal)?;
        json::merge(&mut merged, self.0);
        validation::read(merged)
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
        let document = document(req, payload, MERGE_PATCH, most, Ok);
        Box::pin(async move { document.await.map(Self) })
    }
}

/// The schema of a merge patch of `T`: `GoalPatch` for `GoalInput`.
pub struct PatchOf<T>(PhantomData<T>);

impl<T: ToSchema> PartialSchema for PatchOf<T> {
    fn schema() -> RefOr<Schema> {
        let mut schemas = Vec::new();
        T::schemas(&mut schemas);
        validation::patch_schema(T::schema(), &schemas.into_iter().collect())
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

/// Reads the body as JSON of this media type, and turns it into a value with `read`.
fn document<T: Send + 'static, R: FnOnce(Value) -> Result<T> + Send + 'static>(
    req: &HttpRequest,
    payload: &mut Payload,
    wanted: &'static str,
    most: json::Most,
    read: R,
) -> impl Future<Output = Result<T>> + use<T, R> {
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

/// The error for a body that is not JSON, and why it is not.
pub fn not_json(e: &impl Display) -> Error {
    let detail = Bilingual::new(format!("JSONとして読み取れません: {e}"), format!("is not JSON: {e}"));
    Error::malformed(Violation::at("", "json", detail))
}

/// The media type of a body, without its parameters.
pub(super) fn media_type(req: &HttpRequest) -> &str {
    let given = req
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|v| v.to_str().ok())
        .unwrap_or_default();
    given.split(';').next().unwrap_or_default().trim()
}

/// Reads a body of at most so many bytes, unchanged; refuses another media type, and a compressed body.
pub(super) fn bytes(
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

/// Path parameters. A parameter that does not parse gives 404.
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

/// Fails unless a caller may create something under this id of its own: a UUID of version 7 under which nothing was
/// found.
pub fn check_new<T>(id: Id, stored: Result<T>) -> Result<()> {
    check_absent(stored)?;
    if id.0.get_version_num() != 7 {
        let detail = Bilingual::new(
            "新しい識別子はUUIDv7にしてください",
            "a new identifier must be a UUID of version 7",
        );
        return Err(Error::Invalid(vec![Violation::at("", "uuid_version", detail)]));
    }
    Ok(())
}

/// Whether a part of a path is a number in the one form it has: Rust also reads +2024 and 02024.
fn is_number(part: &str) -> bool {
    !part.starts_with('0') && part.bytes().all(|b| b.is_ascii_digit())
}
