//! The page of the documentation: Swagger UI over the contract.
//!
//! The page names each file with a hash of its bytes, so that browsers keep the file for good and load it anew when it
//! changes.

use std::sync::{Arc, LazyLock};

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, EntityTag, HeaderValue},
};
use utoipa_swagger_ui::Config;

use crate::{
    error::{Error, Result},
    http::{etag, middleware::compression::Kept, respond::kept},
};

/// The page. It names its files by `?v={name}`.
const PAGE: &str = include_str!("docs/index.html");
/// The script that makes Swagger UI ours.
const SCRIPT: &str = include_str!("docs/docs.js");
/// The files of Swagger UI that the page needs.
const OF_SWAGGER_UI: [&str; 3] = ["swagger-ui-bundle.js", "swagger-ui.css", "favicon-32x32.png"];
/// The policy of the page: its own scripts call this service; Swagger UI sets inline styles and draws images.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; \
     connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);
/// `Cache-Control` of a file under the address that names its bytes.
const FOR_GOOD: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// A file of the page.
struct File {
    name: &'static str,
    media_type: String,
    body: Kept,
    tag: EntityTag,
}

impl File {
    fn new(name: &'static str, media_type: impl Into<String>, body: Vec<u8>) -> Self {
        Self {
            name,
            media_type: media_type.into(),
            tag: etag::of_bytes(&body),
            body: Kept::new(body.into()),
        }
    }

    /// The query under which the file never changes.
    fn version(&self) -> String {
        format!("v={}", self.tag.tag())
    }
}

static FILES: LazyLock<Vec<File>> = LazyLock::new(|| {
    let config = Arc::new(Config::default());
    let found = OF_SWAGGER_UI.map(|name| {
        let file = utoipa_swagger_ui::serve(name, Arc::clone(&config)).ok()??;
        Some(File::new(name, file.content_type, file.bytes.into_owned()))
    });
    let mut files: Vec<File> = found.into_iter().flatten().collect();
    files.push(File::new("docs.js", "text/javascript; charset=utf-8", SCRIPT.into()));
    let page = files.iter().fold(PAGE.to_owned(), |page, file| {
        page.replace(&format!("v={{{}}}", file.name), &file.version())
    });
    files.push(File::new("", "text/html; charset=utf-8", page.into()));
    files
});

/// Reads the page, or a file of it.
pub(super) async fn read(req: HttpRequest) -> Result<HttpResponse> {
    let name = req.match_info().query("file");
    let file = FILES.iter().find(|file| file.name == name);
    let file = file.ok_or(Error::NotFound("path"))?;
    let mut response = HttpResponse::Ok();
    response.insert_header((CONTENT_SECURITY_POLICY, POLICY));
    let is_known = kept(&req, &mut response, &file.tag, None);
    if req.query_string() == file.version() {
        response.insert_header((CACHE_CONTROL, FOR_GOOD));
    }
    if is_known {
        return Ok(response.finish());
    }
    let mut response = response.content_type(file.media_type.as_str()).body(file.body.plain());
    response.extensions_mut().insert(&file.body);
    Ok(response)
}

#[cfg(test)]
mod tests {
    use actix_web::{
        App,
        body::MessageBody,
        middleware::from_fn,
        test::{TestRequest, call_service, init_service},
        web,
    };

    use super::*;
    use crate::http::middleware::compression::compress;

    #[actix_web::test]
    async fn a_file_is_compressed_once_in_each_coding() {
        let app = App::new()
            .service(web::resource("/docs/{file:.*}").to(read))
            .wrap(from_fn(compress));
        let app = init_service(app).await;
        let read = async |coding: &str| {
            let req = TestRequest::with_uri("/docs/swagger-ui-bundle.js").insert_header(("accept-encoding", coding));
            let response = call_service(&app, req.to_request()).await;
            let body = response.into_body().try_into_bytes().ok();
            body.map(|bytes| (bytes.as_ptr(), bytes.len()))
        };
        let mut sizes = std::collections::HashSet::new();
        for coding in ["zstd", "br", "gzip", "identity"] {
            let first = read(coding).await;
            assert_eq!(first, read(coding).await, "{coding}");
            sizes.extend(first.map(|(_, length)| length));
        }
        assert_eq!(sizes.len(), 4);
    }
}
