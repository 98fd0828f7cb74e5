//! Entity tags: of the state that a caller read, and of the state that a caller means to change.
//!
//! A tag is a hash of the answer's bytes, so it holds exactly as long as nothing the caller saw has changed.

use std::{
    future::{Ready, ready},
    io::{self, Read},
};

use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    http::header::{
        EntityTag, Header, HeaderMap, HttpDate, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IfMatch, IfModifiedSince,
        IfNoneMatch,
    },
};
use serde::Serialize;
use utoipa::{
    IntoParams,
    openapi::{
        Required, Type,
        extensions::ExtensionsBuilder,
        path::{Parameter, ParameterBuilder, ParameterIn},
        schema::ObjectBuilder,
    },
};
use xxhash_rust::xxh3::{Xxh3, xxh3_128};

use super::{middleware::compression, query::SET};
use crate::{
    error::{Error, Place, Result, Violation, found},
    value::language::Bilingual,
};

/// The strong tag of an answer with this body.
#[must_use]
pub fn of_bytes(body: &[u8]) -> EntityTag {
    EntityTag::new_strong(format!("{:032x}", xxh3_128(body)))
}

/// The strong tag of a file, from its current position on, and the number of bytes.
pub fn of_file(file: &mut impl Read) -> io::Result<(EntityTag, u64)> {
    let (mut hash, mut length) = (Xxh3::new(), 0);
    let mut chunk = vec![0; 1 << 16];
    loop {
        let read = file.read(&mut chunk)?;
        let Some(part) = chunk.get(..read).filter(|part| !part.is_empty()) else {
            return Ok((EntityTag::new_strong(format!("{:032x}", hash.digest128())), length));
        };
        hash.update(part);
        length += u64::try_from(read).map_err(io::Error::other)?;
    }
}

/// The strong tag of this answer.
pub fn of<T: Serialize>(answer: &T) -> Result<EntityTag> {
    serde_json::to_vec(answer)
        .map(|body| of_bytes(&body))
        .map_err(Error::internal)
}

/// The tag in `If-None-Match` that matches this response: the plain one or its compressed variant. Without that header, the plain one
/// if the response has not changed since the moment in `If-Modified-Since` (RFC 9110, 13.1.3).
#[must_use]
pub fn known(req: &HttpRequest, tag: &EntityTag, changed: Option<HttpDate>) -> Option<EntityTag> {
    if !req.headers().contains_key(IF_NONE_MATCH) {
        let changed = changed.filter(|_| req.headers().contains_key(IF_MODIFIED_SINCE))?;
        let IfModifiedSince(since) = IfModifiedSince::parse(req).ok()?;
        return (changed <= since).then(|| tag.clone());
    }
    match IfNoneMatch::parse(req).ok()? {
        IfNoneMatch::Any => Some(tag.clone()),
        IfNoneMatch::Items(known) => {
            compression::tags(req, tag).find(|tag| known.iter().any(|known| known.weak_eq(tag)))
        }
    }
}

/// Longest condition, in characters.
const LONGEST: usize = 1000;

/// Fails where a condition is longer than the contract lets it be.
pub fn check_length(headers: &HeaderMap) -> Result<()> {
    for name in [IF_MATCH, IF_NONE_MATCH] {
        if headers.get_all(&name).any(|value| value.len() > LONGEST) {
            let detail = Bilingual::new(
                format!("{LONGEST}文字までにしてください"),
                format!("must have at most {LONGEST} characters"),
            );
            let header = if name == IF_MATCH { "If-Match" } else { "If-None-Match" };
            return Err(Error::malformed(Violation {
                place: Place::Header(header),
                code: "length",
                detail,
                suggestion: None,
            }));
        }
    }
    Ok(())
}

/// The state a caller means to change: `If-Match`, required.
#[derive(Debug, Clone)]
pub struct Match(IfMatch);

impl Match {
    /// Fails unless `stored` is the state the caller read.
    pub fn check<T: Serialize>(&self, stored: &T) -> Result<()> {
        match &self.0 {
            _ if self.names(stored)? => Ok(()),
            IfMatch::Items(tags) if tags.iter().any(|tag| tag.weak) => Err(Error::WeakTag),
            _ => Err(Error::PreconditionFailed),
        }
    }

    fn names<T: Serialize>(&self, stored: &T) -> Result<bool> {
        match &self.0 {
            IfMatch::Any => Ok(true),
            IfMatch::Items(tags) => {
                let tag = of(stored)?;
                Ok(tags.iter().any(|read| compression::plain(read).strong_eq(&tag)))
            }
        }
    }
}

impl FromRequest for Match {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(match Condition::of(req) {
            Ok(Condition::Replace(tags)) => Ok(tags),
            Ok(Condition::Create) | Err(Error::PreconditionRequired { .. }) => {
                Err(Error::PreconditionRequired { creates: false })
            }
            Err(e) => Err(e),
        })
    }
}

/// What a PUT means: to replace the state it read (`If-Match`), or to create and nothing else (`If-None-Match: *`).
#[derive(Debug, Clone)]
pub enum Condition {
    /// Replace.
    Replace(Match),
    /// Create.
    Create,
}

impl Condition {
    fn of(req: &HttpRequest) -> Result<Self> {
        if req.headers().contains_key(IF_MATCH) {
            if req.headers().contains_key(IF_NONE_MATCH) {
                let detail = Bilingual::new(
                    "If-Match と If-None-Match は同時に使えません",
                    "is not taken together with If-Match: a PUT replaces what was read, or creates",
                );
                return Err(Error::malformed(Violation::in_header("If-None-Match", "both", detail)));
            }
            return match IfMatch::parse(req) {
                Ok(IfMatch::Items(tags)) if tags.len() != parts(req) => Err(no_tag(req)),
                Ok(tags) => Ok(Self::Replace(Match(tags))),
                Err(_) => Err(no_tag(req)),
            };
        }
        if req.headers().contains_key(IF_NONE_MATCH) {
            if let Ok(IfNoneMatch::Any) = IfNoneMatch::parse(req) {
                return Ok(Self::Create);
            }
            let detail = Bilingual::new(
                "書き込みでは * だけを指定できます（新しく作るとき）。置き換えるときは、ETagを If-Match に付けてください",
                "must be *, which creates; to replace, send the ETag as If-Match",
            );
            return Err(Error::malformed(Violation::in_header(
                "If-None-Match",
                "format",
                detail,
            )));
        }
        Err(Error::PreconditionRequired { creates: true })
    }
}

/// How many tags `If-Match` means to have. The framework skips what is no tag.
fn parts(req: &HttpRequest) -> usize {
    let values = req.headers().get_all(IF_MATCH).filter_map(|value| value.to_str().ok());
    let parts = values.flat_map(|value| value.split(','));
    parts.filter(|part| !part.trim().is_empty()).count().max(1)
}

/// The error for an `If-Match` that is no list of tags. A tag without its quotes is told with them.
fn no_tag(req: &HttpRequest) -> Error {
    let detail = Bilingual::new(
        "GETの応答のETagヘッダーの値を、二重引用符も含めてそのまま付けてください（例 \"5d41402abc4b2a76\"）。いくつかあれば \"…\", \"…\" とコンマで区切り、今の状態を問わないときは * とします",
        "must be the value of the ETag header of GET with its double quotes, like \"5d41402abc4b2a76\"; several are separated by commas; \
         * stands for whatever is there",
    );
    let given = req.headers().get(IF_MATCH).and_then(|value| value.to_str().ok());
    let bare = given.map(|given| given.trim_matches(['"', ' ']));
    let is_tag = |tag: &&str| !tag.is_empty() && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let quoted = bare.filter(is_tag).map(|tag| format!("\"{tag}\""));
    Error::malformed(Violation::in_header("If-Match", "format", detail).suggesting(quoted))
}

impl FromRequest for Condition {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(req))
    }
}

impl IntoParams for Match {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![header(
            "",
            "If-Match",
            "The ETag that was read; `*` for whatever is there. Required: 428 without, 412 when it no longer holds.",
        )]
    }
}

impl IntoParams for Condition {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![
            header(
                "Put",
                "If-Match",
                "To replace: the ETag that was read, or `*`. 412 when it no longer holds; 428 without either header.",
            ),
            header(
                "Put",
                "If-None-Match",
                "To create and nothing else: `*`. 412 when it exists already.",
            ),
        ]
    }
}

/// Fails if what a PUT would create was found.
pub fn check_absent<T>(stored: Result<T>) -> Result<()> {
    match found(stored)? {
        Some(_) => Err(Error::PreconditionFailed),
        None => Ok(()),
    }
}

fn header(set: &str, name: &str, words: &str) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(words))
        .schema(Some(
            ObjectBuilder::new().schema_type(Type::String).max_length(Some(LONGEST)),
        ))
        .extensions(Some(ExtensionsBuilder::new().add(SET, set).build()))
        .build()
}
