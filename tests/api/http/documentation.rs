//! The page of the documentation: loaded once, kept by browsers, small on the way.

use crate::support::{Api, Call};

/// The files that the page names.
fn files(page: &str) -> Vec<String> {
    let mut files: Vec<_> = page
        .split(['"', '\''])
        .filter(|text| text.contains("?v="))
        .map(|name| format!("/docs/{name}"))
        .collect();
    files.sort();
    files
}

#[actix_web::test]
async fn files_of_the_page_are_kept_for_good_under_the_names_that_the_page_gives_them() {
    let api = Api::new().await;
    let page = api.get("/docs/").await.must_be(200);
    assert_eq!(page.header("cache-control"), "public, max-age=0, must-revalidate");
    let again = Call::new("GET", "/docs/").header("if-none-match", page.etag());
    api.send(again).await.must_be(304);
    let files = files(std::str::from_utf8(&page.bytes).unwrap());
    assert_eq!(files.len(), 4, "{files:?}");
    for file in files {
        let answer = api.get(&file).await.must_be(200);
        assert_eq!(
            answer.header("cache-control"),
            "public, max-age=31536000, immutable",
            "{file}"
        );
        let again = Call::new("GET", &file).header("if-none-match", answer.etag());
        let again = api.send(again).await.must_be(304);
        assert_eq!(again.header("cache-control"), answer.header("cache-control"), "{file}");
        // Under another name it may change.
        let (bare, _) = file.split_once('?').unwrap();
        for other in [bare.to_owned(), format!("{bare}?v=0")] {
            let other = api.get(other).await.must_be(200);
            assert_eq!((other.etag(), other.bytes), (answer.etag(), answer.bytes.clone()));
            assert_eq!(
                other.headers.get("cache-control").unwrap(),
                "public, max-age=0, must-revalidate"
            );
        }
    }
    for none in [
        "/docs/none.js",
        "/docs/../openapi.json",
        "/docs/oauth2-redirect.html",
        "/docs/docs/",
    ] {
        api.get(none).await.must_be(404);
    }
}

#[actix_web::test]
async fn files_of_the_page_are_compressed_and_each_coding_has_its_tag() {
    let api = Api::new().await;
    let plain = api.get("/docs/swagger-ui-bundle.js").await.must_be(200);
    assert!(plain.header("content-type").starts_with("text/javascript"));
    let mut tags = vec![plain.etag()];
    for coding in ["gzip", "br", "zstd"] {
        let call = Call::new("GET", "/docs/swagger-ui-bundle.js").header("accept-encoding", coding);
        let answer = api.send(call.clone()).await.must_be(200);
        assert_eq!(answer.header("content-encoding"), coding);
        assert!(answer.header("vary").contains("Accept-Encoding"));
        assert!(answer.length < plain.length / 2, "{coding}: {}", answer.length);
        assert_eq!(answer.bytes, plain.bytes);
        api.send(call.header("if-none-match", answer.etag())).await.must_be(304);
        tags.push(answer.etag());
    }
    tags.sort();
    tags.dedup();
    assert_eq!(tags.len(), 4);
}

#[actix_web::test]
async fn the_page_loads_nothing_from_elsewhere_and_works_below_any_path() {
    let api = Api::new().await;
    let page = api.get("/docs/").await.must_be(200);
    let script = api.get("/docs/docs.js").await.must_be(200);
    for text in [&page.bytes, &script.bytes] {
        let text = std::str::from_utf8(text).unwrap();
        for absolute in ["=\"/", "http://", "https://", "\"/openapi", "{docs.js}"] {
            assert!(!text.contains(absolute), "{absolute} in {text}");
        }
    }
}
