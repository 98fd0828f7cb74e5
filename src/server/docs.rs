//! The page of the documentation: Swagger UI over the contract.

use std::sync::{Arc, LazyLock};

use actix_web::{HttpRequest, HttpResponse};
use utoipa_swagger_ui::Config;

use super::page::Page;
use crate::error::Result;

/// The page.
const PAGE: &str = include_str!("docs/index.html");
/// The script that makes Swagger UI ours.
const SCRIPT: &str = include_str!("docs/docs.js");
/// The files of Swagger UI that the page needs.
const OF_SWAGGER_UI: [&str; 3] = ["swagger-ui-bundle.js", "swagger-ui.css", "favicon-32x32.png"];
/// The policy of the page: its own scripts call this service; Swagger UI sets inline styles and draws images.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                      font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

static DOCUMENTATION: LazyLock<Page> = LazyLock::new(|| {
    let config = Arc::new(Config::default());
    let found = OF_SWAGGER_UI.iter().filter_map(|name| {
        let file = utoipa_swagger_ui::serve(name, Arc::clone(&config)).ok()??;
        Some((*name, file.bytes.into_owned()))
    });
    found
        .fold(Page::new(POLICY), |page, (name, bytes)| page.with(name, bytes))
        .with_text("docs.js", SCRIPT)
        .with_text("", PAGE)
});

/// Reads the page, or a file of it.
pub(super) async fn read(req: HttpRequest) -> Result<HttpResponse> {
    DOCUMENTATION.read(&req, req.match_info().query("file"))
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
