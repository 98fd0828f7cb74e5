//! The site: for those who prefer HTML, kept by browsers, and with nothing but its own files.

use crate::support::{Answer, Api, Call};

/// What browsers send for a page.
const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

async fn page(api: &Api) -> Answer {
    api.send(Call::new("GET", "/").header("accept", BROWSER))
        .await
        .must_be(200)
}

/// The files that a text names, with their versions.
fn files(text: &[u8]) -> Vec<String> {
    let text = std::str::from_utf8(text).unwrap();
    let named = text.split('"').filter(|part| part.contains("?v="));
    named
        .map(|name| format!("/site/{}", name.trim_start_matches("./").trim_start_matches("site/")))
        .collect()
}

#[actix_web::test]
async fn those_who_prefer_html_get_the_site_and_others_the_documentation() {
    let api = Api::new().await;
    let html = page(&api).await;
    assert_eq!(html.header("content-type"), "text/html; charset=utf-8");
    assert!(html.header("vary").contains("Accept,"), "{}", html.header("vary"));
    for accept in [
        None,
        Some("*/*"),
        Some("application/json"),
        Some("text/html;q=0.5, application/json"),
    ] {
        let call = Call::new("GET", "/");
        let call = accept.map_or(call.clone(), |accept| call.header("accept", accept));
        let answer = api.send(call).await.must_be(307);
        assert_eq!(
            (answer.header("location"), answer.header("vary")),
            ("/docs/", "Accept, Authorization"),
            "{accept:?}"
        );
    }
    // What a browser keeps of the page it asks for with the tag.
    let again = Call::new("GET", "/")
        .header("accept", BROWSER)
        .header("if-none-match", html.etag());
    let again = api.send(again).await.must_be(304);
    for name in ["content-security-policy", "vary", "cache-control"] {
        assert_eq!(
            again.header(name).replace("Accept-Encoding, ", ""),
            html.header(name).replace("Accept-Encoding, ", ""),
            "{name}"
        );
    }
}

#[actix_web::test]
async fn every_file_of_the_site_is_named_with_its_version_and_kept_for_good() {
    let api = Api::new().await;
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("site");
    let there = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut named = files(&page(&api).await.bytes);
    for name in there {
        let plain = api.get(format!("/site/{name}")).await.must_be(200);
        assert_eq!(
            plain.header("cache-control"),
            "public, max-age=0, must-revalidate",
            "{name}"
        );
        let text = String::from_utf8(plain.bytes.to_vec()).unwrap();
        assert!(!text.contains(".js\""), "{name} names a file without its version");
        named.extend(files(&plain.bytes));
    }
    named.sort();
    named.dedup();
    // All but the page itself.
    assert_eq!(named.len(), 12, "{named:?}");
    for file in named {
        let answer = api.get(&file).await.must_be(200);
        assert_eq!(
            answer.header("cache-control"),
            "public, max-age=31536000, immutable",
            "{file}"
        );
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }
    for none in ["/site/", "/site/none.js", "/site/../Cargo.toml", "/site/site/site.js"] {
        api.get(none).await.must_be(404);
    }
}

#[actix_web::test]
async fn the_site_has_nothing_inline_and_loads_nothing_from_elsewhere() {
    let api = Api::new().await;
    let page = page(&api).await;
    assert_eq!(
        page.header("content-security-policy"),
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    let mut texts = vec![page.bytes.clone()];
    for file in files(&page.bytes) {
        texts.push(api.get(&file).await.must_be(200).bytes);
    }
    for text in texts {
        let text = String::from_utf8(text.to_vec())
            .unwrap()
            .replace("http://www.w3.org/2000/svg", "");
        for absolute in ["=\"/", "\"/v1", "http://", "https://", "<style", "<script>"] {
            assert!(!text.contains(absolute), "{absolute} in {text}");
        }
    }
}
