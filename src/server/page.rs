//! A page for people, compiled in with the files that it loads.
//!
//! A text names each file with a hash of its bytes, so that browsers keep the file for good and load it anew when it
//! changes.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, EntityTag, HeaderValue},
};

use crate::{
    error::{Error, Result},
    http::{etag, middleware::compression::Kept, respond::kept},
};

/// `Cache-Control` of a file under the address that names its bytes.
const FOR_GOOD: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// A page and its files.
pub(super) struct Page {
    policy: HeaderValue,
    files: Vec<File>,
}

struct File {
    name: &'static str,
    body: Kept,
    tag: EntityTag,
}

impl File {
    /// The query under which the file never changes.
    fn version(&self) -> String {
        format!("v={}", self.tag.tag())
    }

    fn media_type(&self) -> &'static str {
        match self.name.rsplit('.').next() {
            Some("css") => "text/css; charset=utf-8",
            Some("js") => "text/javascript; charset=utf-8",
            Some("png") => "image/png",
            Some("svg") => "image/svg+xml",
            _ => "text/html; charset=utf-8",
        }
    }
}

impl Page {
    /// A page without files so far, and its `Content-Security-Policy`.
    pub(super) fn new(policy: &'static str) -> Self {
        Self {
            policy: HeaderValue::from_static(policy),
            files: Vec::new(),
        }
    }

    /// Adds a file.
    pub(super) fn with(mut self, name: &'static str, bytes: Vec<u8>) -> Self {
        self.files.push(File {
            name,
            tag: etag::of_bytes(&bytes),
            body: Kept::new(bytes.into()),
        });
        self
    }

    /// Adds a text. The files before it that it names in double quotes, alone or behind a path, get their versions.
    pub(super) fn with_text(self, name: &'static str, text: &str) -> Self {
        let text = self.files.iter().fold(text.to_owned(), |text, file| {
            let versioned = format!("{}?{}\"", file.name, file.version());
            ['"', '/'].iter().fold(text, |text, before| {
                text.replace(&format!("{before}{}\"", file.name), &format!("{before}{versioned}"))
            })
        });
        self.with(name, text.into())
    }

    /// Reads a file.
    pub(super) fn read(&'static self, req: &HttpRequest, name: &str) -> Result<HttpResponse> {
        let file = self.files.iter().find(|file| file.name == name);
        let file = file.ok_or(Error::NotFound("path"))?;
        let mut response = HttpResponse::Ok();
        response.insert_header((CONTENT_SECURITY_POLICY, self.policy.clone()));
        let is_known = kept(req, &mut response, &file.tag, None);
        if req.query_string() == file.version() {
            response.insert_header((CACHE_CONTROL, FOR_GOOD));
        }
        if is_known {
            return Ok(response.finish());
        }
        let mut response = response.content_type(file.media_type()).body(file.body.plain());
        response.extensions_mut().insert(&file.body);
        Ok(response)
    }
}
