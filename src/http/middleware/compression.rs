//! Content codings: responses to reads are compressed for callers that accept a coding (RFC 9110, 8.4 and 12.5.3).
//!
//! Each coding of a response has a tag of its own: the plain tag and the name of the coding.

use std::{
    error::Error as StdError,
    io::{self, Write},
    pin::Pin,
    task::{Context, Poll},
};

use actix_web::{
    Error as ActixError, HttpRequest,
    body::{BodySize, BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Method, StatusCode,
        header::{self, EntityTag, HeaderMap, HeaderName, HeaderValue, VARY},
    },
    middleware::Next,
    web::{self, Bytes},
};
use brotli::CompressorWriter;
use flate2::{Compression, write::GzEncoder};
use parking_lot::Mutex;
use zstd::stream::write::Encoder as ZstdEncoder;

use crate::{error::Error, http::negotiation::weight};

/// A way to compress a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// RFC 8878. The quickest coding, with output as short as brotli's.
    Zstd,
    /// RFC 7932.
    Brotli,
    /// RFC 1952.
    Gzip,
}

/// A hash of the bytes sent, coding included (RFC 9530). A response that has one is sent as it is, to be checked.
pub const REPR_DIGEST: HeaderName = HeaderName::from_static("repr-digest");

/// Shortest body that is compressed, in bytes: a shorter one would gain hardly anything.
const SHORTEST: u64 = 1024;
/// A body of so many bytes or more is compressed on a blocking thread, where no other request waits for it.
const LONG: usize = 1 << 16;
/// How far back an encoder looks, as a power of 2. More would take more memory for as long as the caller reads.
const WINDOW: u32 = 18;
/// The effort of each coding: raised as long as more time makes much of a difference.
const ZSTD_LEVEL: i32 = 3;
const BROTLI_LEVEL: u32 = 4;
const GZIP_LEVEL: u32 = 4;
/// Bytes that brotli takes in at a time.
const BUFFER: usize = 4096;

impl Coding {
    /// Every coding, in the order of our preference.
    const ALL: [Self; 3] = [Self::Zstd, Self::Brotli, Self::Gzip];

    /// The coding that the caller prefers, if it prefers any to none.
    #[must_use]
    pub fn wanted(headers: &HeaderMap) -> Option<Self> {
        if !headers.contains_key(header::ACCEPT_ENCODING) {
            return None;
        }
        let liked = |names: &[&str]| weight(headers, &header::ACCEPT_ENCODING, names);
        let mut best = (liked(&["identity"]), None);
        for coding in Self::ALL {
            let liked = liked(&[coding.name(), "*"]);
            if liked > best.0 {
                best = (liked, Some(coding));
            }
        }
        best.1
    }

    /// The name of the coding (IANA's registry of content codings).
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Zstd => "zstd",
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }

    /// The tag in this coding of a response whose plain tag this is.
    fn tag(self, plain: &EntityTag) -> EntityTag {
        EntityTag::new(plain.weak, format!("{}-{}", plain.tag(), self.name()))
    }

    fn encoder(self) -> io::Result<Encoder> {
        let out = Vec::new();
        Ok(match self {
            Self::Zstd => {
                let mut encoder = ZstdEncoder::new(out, ZSTD_LEVEL)?;
                encoder.window_log(WINDOW)?;
                Encoder::Zstd(encoder)
            }
            Self::Brotli => Encoder::Brotli(Box::new(CompressorWriter::new(out, BUFFER, BROTLI_LEVEL, WINDOW))),
            Self::Gzip => Encoder::Gzip(GzEncoder::new(out, Compression::new(GZIP_LEVEL))),
        })
    }

    fn compress(self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut encoder = self.encoder()?;
        encoder.write(bytes)?;
        encoder.finish()
    }
}

/// A body that never changes. It is compressed in each coding once. A handler puts it into the extensions of the response.
pub struct Kept {
    plain: Bytes,
    coded: [(Coding, Mutex<Option<Bytes>>); Coding::ALL.len()],
}

impl Kept {
    /// A body, not compressed yet.
    #[must_use]
    pub fn new(plain: Bytes) -> Self {
        Self {
            plain,
            coded: Coding::ALL.map(|coding| (coding, Mutex::default())),
        }
    }

    /// The body as it is.
    #[must_use]
    pub fn plain(&self) -> Bytes {
        self.plain.clone()
    }

    #[expect(clippy::disallowed_methods, reason = "a long body is compressed, without a database")]
    async fn coded(&'static self, coding: Coding) -> Result<Bytes, ActixError> {
        web::block(move || {
            let place = self.coded.iter().find(|(of, _)| *of == coding);
            let mut kept = place.map(|(_, kept)| kept.lock());
            if let Some(bytes) = kept.as_deref().and_then(Option::as_ref) {
                return Ok(bytes.clone());
            }
            let bytes = Bytes::from(coding.compress(&self.plain)?);
            if let Some(kept) = kept.as_deref_mut() {
                *kept = Some(bytes.clone());
            }
            Ok::<_, io::Error>(bytes)
        })
        .await?
        .map_err(Into::into)
    }
}

/// The plain tag, as it was before any coding.
#[must_use]
pub fn plain(tag: &EntityTag) -> EntityTag {
    let cut = |coding: Coding| tag.tag().strip_suffix(coding.name())?.strip_suffix('-');
    let plain = Coding::ALL.into_iter().find_map(cut).unwrap_or(tag.tag());
    EntityTag::new(tag.weak, plain.to_owned())
}

/// The tags that a response with this plain tag may have for this caller: in the coding it wants, and plain.
pub fn tags(req: &HttpRequest, plain: &EntityTag) -> impl Iterator<Item = EntityTag> {
    let coded = Coding::wanted(req.headers()).map(|coding| coding.tag(plain));
    coded.into_iter().chain([plain.clone()])
}

/// Whether compression can gain anything: true of text, except event streams, whose readers wait for each event.
fn is_text(headers: &HeaderMap) -> bool {
    let media_type = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
    let essence = media_type.unwrap_or_default().split(';').next().unwrap_or_default();
    match essence.split_once('/') {
        Some(("text", subtype)) => subtype != "event-stream",
        Some(("application", subtype)) => subtype.ends_with("json") || subtype == "javascript",
        _ => essence == "image/svg+xml",
    }
}

/// The layer: compresses responses to reads, in the coding that the caller prefers.
pub async fn compress(
    req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, ActixError> {
    let is_read = *req.method() == Method::GET;
    let wanted = Coding::wanted(req.headers());
    let response = next.call(req).await?.map_into_boxed_body();
    let is_new = response.status() == StatusCode::OK && is_text(response.headers());
    let may_be_coded = is_read && (is_new || response.status() == StatusCode::NOT_MODIFIED);
    let is_as_it_is = [REPR_DIGEST, header::CONTENT_ENCODING]
        .iter()
        .any(|name| response.headers().contains_key(name));
    if !may_be_coded || is_as_it_is {
        return Ok(response);
    }
    let (req, response) = response.into_parts();
    let (mut head, mut body) = response.into_parts();
    vary(head.headers_mut())?;
    if let Some(coding) = wanted.filter(|_| is_new && is_long(body.size())) {
        let kept = head.extensions().get::<&'static Kept>().copied();
        body = match kept {
            Some(kept) => BoxBody::new(kept.coded(coding).await?),
            None => coded(body, coding).await?,
        };
        mark(head.headers_mut(), coding)?;
    }
    Ok(ServiceResponse::new(req, head.set_body(body)))
}

/// Whether the body is long enough to gain from compression.
fn is_long(size: BodySize) -> bool {
    match size {
        BodySize::None => false,
        BodySize::Sized(length) => length >= SHORTEST,
        BodySize::Stream => true,
    }
}

/// The body in this coding.
#[expect(clippy::disallowed_methods, reason = "a long body is compressed, without a database")]
async fn coded(body: BoxBody, coding: Coding) -> Result<BoxBody, ActixError> {
    let coded = match body.try_into_bytes() {
        Ok(bytes) if bytes.len() < LONG => coding.compress(&bytes),
        Ok(bytes) => web::block(move || coding.compress(&bytes)).await?,
        Err(rest) => {
            let encoder = Some(coding.encoder()?);
            return Ok(BoxBody::new(Coded { rest, encoder }));
        }
    };
    Ok(BoxBody::new(coded?))
}

/// Says that the response varies with `Accept-Encoding`.
fn vary(headers: &mut HeaderMap) -> Result<(), ActixError> {
    let before = headers.get(VARY).and_then(|v| v.to_str().ok());
    let vary = before.map_or("Accept-Encoding".to_owned(), |before| {
        format!("Accept-Encoding, {before}")
    });
    let vary = HeaderValue::from_str(&vary).map_err(Error::internal)?;
    headers.insert(VARY, vary);
    Ok(())
}

/// Names the coding in the head, and in the tag.
fn mark(headers: &mut HeaderMap, coding: Coding) -> Result<(), ActixError> {
    headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding.name()));
    let tag = headers
        .get(header::ETAG)
        .and_then(|tag| tag.to_str().ok()?.parse().ok());
    if let Some(tag) = tag {
        let tag = coding.tag(&tag).to_string();
        headers.insert(header::ETAG, HeaderValue::from_str(&tag).map_err(Error::internal)?);
    }
    Ok(())
}

/// An encoder, and the output it has not handed over yet.
enum Encoder {
    Zstd(ZstdEncoder<'static, Vec<u8>>),
    Brotli(Box<CompressorWriter<Vec<u8>>>),
    Gzip(GzEncoder<Vec<u8>>),
}

impl Encoder {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Zstd(encoder) => encoder.write_all(bytes),
            Self::Brotli(encoder) => encoder.write_all(bytes),
            Self::Gzip(encoder) => encoder.write_all(bytes),
        }
    }

    /// The output that can be sent by now.
    fn take(&mut self) -> Vec<u8> {
        std::mem::take(match self {
            Self::Zstd(encoder) => encoder.get_mut(),
            Self::Brotli(encoder) => encoder.get_mut(),
            Self::Gzip(encoder) => encoder.get_mut(),
        })
    }

    fn finish(self) -> io::Result<Vec<u8>> {
        match self {
            Self::Zstd(encoder) => encoder.finish(),
            Self::Brotli(encoder) => Ok(encoder.into_inner()),
            Self::Gzip(encoder) => encoder.finish(),
        }
    }
}

/// The rest of a body, compressed chunk by chunk.
struct Coded {
    rest: BoxBody,
    /// None once the encoder has finished.
    encoder: Option<Encoder>,
}

impl MessageBody for Coded {
    type Error = Box<dyn StdError>;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        while let Some(mut encoder) = self.encoder.take() {
            let given = match Pin::new(&mut self.rest).poll_next(cx) {
                Poll::Pending => {
                    self.encoder = Some(encoder);
                    return Poll::Pending;
                }
                Poll::Ready(Some(Err(e))) => return Poll::Ready(Some(Err(e))),
                Poll::Ready(Some(Ok(chunk))) => {
                    encoder.write(&chunk)?;
                    let given = encoder.take();
                    self.encoder = Some(encoder);
                    given
                }
                Poll::Ready(None) => encoder.finish()?,
            };
            if !given.is_empty() {
                return Poll::Ready(Some(Ok(given.into())));
            }
        }
        Poll::Ready(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caller_says_which_coding_it_likes_best() {
        use Coding::{Brotli, Gzip, Zstd};
        for (accepted, coding) in [
            ("gzip, deflate, br, zstd", Some(Zstd)),
            ("gzip, deflate, br", Some(Brotli)),
            ("GZIP", Some(Gzip)),
            ("zstd;q=0.5, gzip;q=0.8", Some(Gzip)),
            ("zstd;q=0, *;q=0.1", Some(Brotli)),
            ("*", Some(Zstd)),
            ("identity;q=0.5, gzip;q=0.4", None),
            ("identity, gzip", None),
            ("identity;q=0", None),
            ("deflate, compress, snappy", None),
            ("gzip;q=0", None),
            ("*;q=0", None),
            ("", None),
            (",;=", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(accepted));
            assert_eq!(Coding::wanted(&headers), coding, "{accepted}");
        }
        assert_eq!(Coding::wanted(&HeaderMap::new()), None);
    }

    #[test]
    fn a_tag_can_be_told_from_what_it_was_before_its_coding() {
        let tag = EntityTag::new_strong("0123-4567".to_owned());
        for coding in Coding::ALL {
            assert_ne!(coding.tag(&tag), tag);
            assert_eq!(plain(&coding.tag(&tag)), tag);
        }
        assert_eq!(plain(&tag), tag);
    }
}
