//! The site: what the service knows, for people. It is made with the public interface alone; its files are in `site/`.

use std::sync::LazyLock;

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{HeaderValue, LOCATION, VARY},
};

use super::page::Page;
use crate::{error::Result, http::negotiation};

/// The policy of the site: its own files, which call this service, and nothing inline.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// The page that loads the others.
const INDEX: &str = "index.html";

macro_rules! texts {
    ($page:expr, $($name:literal),+ $(,)?) => {
        $page$(.with_text($name, include_str!(concat!("../../site/", $name))))+
    };
}

/// The files, each behind those that it names.
static SITE: LazyLock<Page> = LazyLock::new(|| {
    texts!(
        Page::new(POLICY),
        "icon.svg",
        "site.css",
        "words.js",
        "api.js",
        "dom.js",
        "overview.js",
        "policy.js",
        "series.js",
        "search.js",
        "changes.js",
        "results.js",
        "site.js",
        "index.html",
    )
});

/// Reads the site where the caller prefers HTML, as browsers do. Others are led to the documentation.
pub(super) async fn read(req: HttpRequest) -> Result<HttpResponse> {
    const CHOICE: HeaderValue = HeaderValue::from_static("Accept, Authorization");
    if !negotiation::prefers(&req, "text/html") {
        return Ok(HttpResponse::TemporaryRedirect()
            .insert_header((LOCATION, "/docs/"))
            .insert_header((VARY, CHOICE))
            .finish());
    }
    let mut response = SITE.read(&req, INDEX)?;
    response.headers_mut().insert(VARY, CHOICE);
    Ok(response)
}

/// Reads a file of the site.
pub(super) async fn file(req: HttpRequest) -> Result<HttpResponse> {
    SITE.read(&req, req.match_info().query("file"))
}
