//! The documentation in a real browser: how it loads, and trying an operation out.

use serde_json::json;

use crate::{
    Outcome,
    driver::{Browser, Screen},
    http,
    process::{Place, Service},
    proxy::Proxy,
};

/// What was loaded for the page: name, bytes on the way, bytes of the body as it came and as it is.
const LOADED: &str = "
    return performance.getEntriesByType('resource').map(loaded =>
        [loaded.name.split('/').at(-1).split('?')[0], loaded.transferSize, loaded.encodedBodySize, loaded.decodedBodySize]);
";

#[test]
fn the_documentation_loads_small_and_once() -> Outcome {
    let place = Place::new("browser-docs")?;
    let service = place.serve(&[])?;
    let browser = Browser::start(Screen::Desk)?;
    let page = format!("http://{}/docs/", service.address);
    let shown = "return document.querySelectorAll('.opblock-tag').length > 10;";
    browser.go(&page)?;
    browser
        .until(shown)
        .map_err(|e| format!("{e} {:?}", browser.complaints()))?;
    let bytes = |what: &serde_json::Value, n: usize| what[n].as_u64().ok_or("no bytes");
    let first = browser.run(LOADED)?;
    let first = first.as_array().ok_or("nothing was loaded")?;
    let name = |loaded: &serde_json::Value| loaded[0].as_str().unwrap_or_default().to_owned();
    let mut names: Vec<String> = first.iter().map(name).collect();
    names.sort();
    names.dedup();
    for needed in ["docs.js", "openapi.json", "swagger-ui-bundle.js", "swagger-ui.css"] {
        assert!(names.iter().any(|name| name == needed), "{needed} in {names:?}");
    }
    // Nothing is loaded twice.
    let contracts = first.iter().filter(|loaded| name(loaded) == "openapi.json");
    let ways: Vec<u64> = contracts.map(|loaded| bytes(loaded, 1)).collect::<Result<_, _>>()?;
    assert_eq!(ways.iter().filter(|bytes| **bytes > 0).count(), 1, "{ways:?}");
    for loaded in first.iter().filter(|loaded| loaded[3].as_u64() > Some(10_000)) {
        assert!(bytes(loaded, 2)? * 2 < bytes(loaded, 3)?, "{loaded} is not compressed");
    }
    browser.complained_of_nothing()?;

    // The next time, files come from the browser, and the contract is only asked for.
    browser.go("about:blank")?;
    browser.go(&page)?;
    browser
        .until(shown)
        .map_err(|e| format!("again {e} {:?}", browser.complaints()))?;
    let again = browser.run(LOADED)?;
    for loaded in again.as_array().ok_or("nothing was loaded")? {
        let on_the_way = bytes(loaded, 1)?;
        match name(loaded).as_str() {
            "openapi.json" => assert!(on_the_way < 2000, "{loaded}"),
            _ => assert_eq!(on_the_way, 0, "{loaded}"),
        }
    }
    browser.complained_of_nothing()?;
    browser.pictured("docs.png", json!({}))?;
    Ok(())
}

#[test]
fn an_operation_is_tried_out_with_a_token_and_a_reason_in_japanese() -> Outcome {
    let place = Place::new("browser-try")?;
    let service = place.serve(&[])?;
    let token = place.token()?;
    rename_the_ward(&format!("http://{}", service.address), &token)?;
    is_renamed(&service, &token)
}

#[test]
fn it_is_tried_out_below_a_path_that_a_proxy_cuts_off() -> Outcome {
    let place = Place::new("browser-try-proxy")?;
    let service = place.spawn(&[], &[("WARD_POLICY_PROXIES", "1")])?.wait()?;
    let (proxy, token) = (Proxy::start(service.address)?, place.token()?);
    rename_the_ward(&proxy.url(), &token)?;
    is_renamed(&service, &token)
}

fn is_renamed(service: &Service, token: &str) -> Outcome {
    let audit = http::get_by(service.address, token, "/v1/audit?limit=1")?;
    assert_eq!(audit.body["items"][0]["reason"], "名称の訂正（100%）", "{}", audit.body);
    let name = http::get(service.address, "/v1/organizations/nishi")?;
    assert_eq!(name.body["name"], "西区役所");
    Ok(())
}

/// Tries out a change of the ward's name on the page of the documentation.
fn rename_the_ward(service: &str, token: &str) -> Outcome {
    let browser = Browser::start(Screen::Desk)?;
    browser.go(&format!("{service}/docs"))?;
    browser.until("return document.querySelector('.btn.authorize') !== null;")?;
    browser.click(".btn.authorize")?;
    browser.until("return document.querySelector('.auth-container input') !== null;")?;
    browser.pictured("docs-token.png", json!({}))?;
    browser.fill(".auth-container input", token)?;
    browser.click(".auth-container .authorize")?;
    browser.until("return document.querySelector('.auth-container .authorize') === null || document.querySelector('.auth-container h6') !== null;")?;
    browser.click(".btn-done")?;

    let block = "#operations-organizations-patch_organization";
    browser.click("#operations-tag-organizations")?;
    browser.until(&format!("return document.querySelector('{block}') !== null;"))?;
    browser.click(&format!("{block} .opblock-summary-control"))?;
    browser.until(&format!(
        "return document.querySelector('{block} .try-out__btn') !== null;"
    ))?;
    browser.click(&format!("{block} .try-out__btn"))?;
    for (name, value) in [
        ("organization", "nishi"),
        ("If-Match", "*"),
        ("Change-Reason", "名称の訂正（100%）"),
    ] {
        browser.fill(&format!("{block} tr[data-param-name='{name}'] input"), value)?;
    }
    browser.fill(&format!("{block} .body-param textarea"), r#"{"name": "西区役所"}"#)?;
    browser.click(&format!("{block} .execute"))?;
    let status = format!("{block} .live-responses-table .response .response-col_status");
    browser.until(&format!("return document.querySelector('{status}') !== null;"))?;
    browser.picture_of(&format!("{block} .responses-inner > div"), "docs-tried.png")?;
    let answer = browser.run(&format!(
        "return document.querySelector('{block} .live-responses-table').innerText;"
    ))?;
    let shown = browser.run(&format!(
        "return document.querySelector('{status}').textContent.trim();"
    ))?;
    assert!(shown.as_str().is_some_and(|shown| shown.starts_with("200")), "{answer}");
    browser.complained_of_nothing()
}
