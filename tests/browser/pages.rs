//! Pages of other origins: the example page of the documentation, where it may write, and a page that may not.

use serde_json::{Value, json};

use crate::{
    Outcome,
    driver::{Browser, Screen},
    http,
    process::{Place, Service},
    proxy::Proxy,
    published,
    site::Site,
};

/// The result that is edited: a public one.
const RESULT: &str = "/v1/policies/nishi/2024/tree";

/// A result as the service has it.
struct Stored<'a> {
    service: &'a Service,
    token: &'a str,
    path: String,
}

impl<'a> Stored<'a> {
    /// The result of an indicator.
    fn of(service: &'a Service, token: &'a str, indicator: &str) -> Self {
        let path = format!("/v1/indicators/{indicator}/results/2024");
        Self { service, token, path }
    }

    fn value(&self) -> Outcome<Value> {
        let answer = http::get_by(self.service.address, self.token, &self.path)?;
        assert_eq!(answer.status, 200);
        Ok(answer.body["value"].clone())
    }

    /// Somebody else changes it.
    fn change(&self, value: i32) -> Outcome {
        let change = json!({ "value": value, "value_status": "reported" }).to_string();
        let headers = [
            ("Content-Type", "application/merge-patch+json"),
            ("If-Match", "*"),
            ("Change-Reason", "test"),
        ];
        let request = format!("PATCH {}", self.path);
        let (status, body) = http::send(
            self.service.address,
            Some(self.token),
            &request,
            &headers,
            change.as_bytes(),
        )?;
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
        Ok(())
    }
}

/// What the page says below its forms.
const SAID: &str = "return document.querySelector('#status').textContent;";
/// Notes the method and the status of every request from now on.
const WATCH: &str = "
    const plain = window.fetch;
    window.seen = [];
    window.fetch = async (address, options) => {
        const answer = await plain(address, options);
        window.seen.push((options?.method ?? 'GET') + ' ' + answer.status);
        return answer;
    };
";

fn says(browser: &Browser, words: &str) -> Outcome {
    browser
        .until(&format!(
            "return document.querySelector('#status').textContent.includes({});",
            json!(words)
        ))
        .map_err(|e| format!("{e}: it says {:?}", browser.run(SAID)).into())
        .map(drop)
}

fn saw(browser: &Browser, request: &str) -> Outcome {
    browser
        .until(&format!("return window.seen.includes({});", json!(request)))
        .map(drop)
}

/// Stores what is in the form.
fn store(browser: &Browser, value: &str, reason: &str) -> Outcome {
    browser.fill("[name=value]", value)?;
    browser.fill("[name=reason]", reason)?;
    browser.click("#edit button")
}

/// The fault that is shown at a field.
fn fault(browser: &Browser, place: &str) -> Outcome<String> {
    let shown = format!(
        "const field = document.querySelector('[data-place=\"{place}\"]');
         const words = document.querySelector('[data-of=\"{place}\"]').textContent;
         return field.getAttribute('aria-invalid') === 'true' && words;"
    );
    let words = browser.until(&shown)?;
    Ok(words.as_str().ok_or("no words")?.to_owned())
}

#[test]
fn a_page_of_a_trusted_origin_edits_a_result_and_sees_what_others_do() -> Outcome {
    let place = Place::new("browser-page")?;
    let site = Site::start()?;
    let service = published(&place, &[("WARD_POLICY_CORS_ORIGINS", &site.origin())])?;
    let token = place.token()?;
    let browser = Browser::start(Screen::Desk)?;
    browser.go(&format!("{}/edit-a-result.html", site.origin()))?;
    browser.run(WATCH)?;
    browser.fill("[name=service]", &format!("http://{}", service.address))?;
    browser.fill("[name=policy]", "nishi/2024")?;
    browser.fill("[name=token]", &token)?;
    browser.click("#open button")?;
    browser.until("return document.querySelector('[name=value]').value !== '';")?;
    let indicator = browser.run("return document.querySelector('[name=indicator]').value;")?;
    let stored = Stored::of(&service, &token, indicator.as_str().ok_or("no indicator")?);
    assert_eq!(
        browser.run("return Number(document.querySelector('[name=value]').value);")?,
        stored.value()?
    );

    // Read again, it has not changed.
    saw(&browser, "POST 201")?;
    browser.run("document.querySelector('[name=indicator]').dispatchEvent(new Event('change'));")?;
    saw(&browser, "GET 304")?;

    // Stored under its tag, for a reason in Japanese.
    store(&browser, "41.5", "転記の誤り")?;
    says(&browser, "保存しました")?;
    assert_eq!(stored.value()?, json!(41.5));
    let audit = http::get_by(service.address, &token, "/v1/audit?limit=1")?;
    assert_eq!(audit.body["items"][0]["reason"], "転記の誤り", "{}", audit.body);

    // Each fault is at its field.
    store(&browser, "四十", "訂正")?;
    assert!(
        fault(&browser, "/value")?.ends_with("にしてください"),
        "{:?}",
        browser.run(SAID)
    );
    store(&browser, "42", "")?;
    assert!(
        fault(&browser, "Change-Reason")?.contains("理由"),
        "{:?}",
        browser.run(SAID)
    );
    assert_eq!(stored.value()?, json!(41.5));
    browser.pictured("edit-a-result.png", json!({}))?;

    // Somebody else was faster: nothing is lost on either side.
    browser.fill("[name=value]", "43")?;
    stored.change(50)?;
    store(&browser, "43", "訂正")?;
    saw(&browser, "PATCH 412")?;
    says(&browser, "ほかの人が先に 50 に変更しました")?;
    assert_eq!(
        browser.run("return document.querySelector('[name=value]').value;")?,
        "43"
    );
    assert_eq!(stored.value()?, json!(50));
    browser.click("#edit button")?;
    says(&browser, "保存しました")?;
    assert_eq!(stored.value()?, json!(43));

    // What others store is shown by itself.
    stored.change(60)?;
    browser.until("return document.querySelector('[name=value]').value === '60';")?;
    says(&browser, "ほかの人の変更を表示しました")?;

    // The browser minds refused requests alone: nothing that the policy of the page forbids was tried.
    let complaints = browser.complaints()?;
    let refusals = complaints
        .iter()
        .all(|said| said.contains("the server responded with a status of 4"));
    assert!(refusals, "{complaints:#?}");
    Ok(())
}

/// What became of a request of the page: its status, or the error of the browser.
fn tried(browser: &Browser, service: &Service, path: &str, options: &Value) -> Outcome<Value> {
    browser.run(&format!(
        "return fetch('http://{}{path}', {options}).then(
             async answer => [answer.status, answer.headers.get('ETag') !== null, (await answer.text()).length > 0],
             error => error.name);",
        service.address
    ))
}

#[test]
fn a_page_of_another_origin_reads_and_computes_and_writes_nothing() -> Outcome {
    let place = Place::new("browser-other")?;
    let (trusted, other) = (Site::start()?, Site::start()?);
    let service = published(&place, &[("WARD_POLICY_CORS_ORIGINS", &trusted.origin())])?;
    let token = place.token()?;
    let head =
        || -> Outcome<Value> { Ok(http::get_by(service.address, &token, "/v1/changes/head")?.body["seq"].clone()) };
    let before = head()?;
    let browser = Browser::start(Screen::Desk)?;
    browser.go(&format!("{}/", other.origin()))?;
    let bearer = format!("Bearer {token}");
    let with_token = |method: &str, body: Value| {
        let headers = json!({
            "Authorization": bearer, "Content-Type": "application/json", "If-Match": "*", "Change-Reason": "test",
            "Idempotency-Key": "a"
        });
        match (method, body) {
            (_, Value::Null) => json!({ "method": method, "headers": headers }),
            (_, body) => json!({ "method": method, "headers": headers, "body": body.to_string() }),
        }
    };
    let read = json!([200, true, true]);
    assert_eq!(tried(&browser, &service, "/v1/evaluations?limit=1", &json!({}))?, read);
    assert_eq!(
        tried(
            &browser,
            &service,
            RESULT,
            &json!({ "headers": { "Authorization": bearer } })
        )?,
        read
    );
    // An address where it could write too: its browser must not take the one for the other.
    let authorized = json!({ "headers": { "Authorization": bearer } });
    assert_eq!(tried(&browser, &service, "/v1/organizations", &authorized)?, read);
    assert_eq!(tried(&browser, &service, "/v1/changes/tickets", &authorized)?[0], 405);
    let json_alone = |body: Value| json!({ "method": "POST", "headers": { "Content-Type": "application/json" }, "body": body.to_string() });
    let target = json!({ "text": "48%以上", "fiscal_year": 2024 });
    assert_eq!(
        tried(&browser, &service, "/v1/targets/parse", &json_alone(target))?[0],
        200
    );
    // Its mistakes are told.
    assert_eq!(
        tried(
            &browser,
            &service,
            "/v1/evaluations/preview",
            &json_alone(json!({ "x": 1 }))
        )?,
        json!([422, false, true])
    );
    assert_eq!(
        tried(&browser, &service, "/v1/none", &with_token("PUT", json!({})))?[0],
        404
    );
    browser.complaints()?;
    for (method, path) in [
        ("POST", "/v1/organizations"),
        ("POST", "/v1/changes/tickets"),
        ("PUT", "/v1/organizations/port"),
        ("PATCH", "/v1/organizations/nishi"),
        ("DELETE", "/v1/organizations/kita"),
    ] {
        let body = if method == "DELETE" {
            Value::Null
        } else {
            http::bureau("port")
        };
        assert_eq!(
            tried(&browser, &service, path, &with_token(method, body))?,
            "TypeError",
            "{method} {path}"
        );
        let alone = json!({ "method": method, "headers": { "Authorization": bearer } });
        assert_eq!(tried(&browser, &service, path, &alone)?, "TypeError", "{method} {path}");
        assert!(
            browser.complaints()?.concat().contains("blocked by CORS policy"),
            "{method} {path}"
        );
    }
    assert_eq!(head()?, before);
    Ok(())
}

#[test]
fn pages_of_trusted_origins_frame_the_form() -> Outcome {
    let place = Place::new("browser-frame")?;
    let (trusted, other) = (Site::start()?, Site::start()?);
    let service = published(&place, &[("WARD_POLICY_CORS_ORIGINS", &trusted.origin())])?;
    let browser = Browser::start(Screen::Desk)?;
    for (site, is_shown) in [(&trusted, true), (&other, false)] {
        browser.go(&format!("{}/", site.origin()))?;
        browser.run(&format!(
            "const frame = document.createElement('iframe');
             const loaded = new Promise(done => frame.onload = done);
             frame.src = 'http://{}/v1/policies/nishi/2024/form';
             document.body.append(frame);
             return loaded.then(() => true);",
            service.address
        ))?;
        browser.enter_frame()?;
        let title = browser.run("return document.title;")?;
        assert_eq!(
            title == "令和6年度 西区運営方針",
            is_shown,
            "{title} in {}",
            site.origin()
        );
    }
    Ok(())
}

#[test]
fn pages_work_below_a_path_that_a_proxy_cuts_off() -> Outcome {
    let place = Place::new("browser-proxy")?;
    let site = Site::start()?;
    let origin = site.origin();
    let settings = [
        ("WARD_POLICY_CORS_ORIGINS", origin.as_str()),
        ("WARD_POLICY_PROXIES", "1"),
    ];
    let service = published(&place, &settings)?;
    let (proxy, token) = (Proxy::start(service.address)?, place.token()?);
    let browser = Browser::start(Screen::Desk)?;
    // The form, by a year as people write it: the service leads on below the path.
    browser.go(&format!("{}/v1/policies/nishi/R6/form", proxy.url()))?;
    assert_eq!(browser.run("return document.title;")?, "令和6年度 西区運営方針");
    let address = browser.run("return location.href;")?;
    assert_eq!(address, format!("{}/v1/policies/nishi/2024/form", proxy.url()));
    let styled = "return getComputedStyle(document.querySelector('table')).borderCollapse;";
    assert_eq!(browser.run(styled)?, "collapse");

    browser.go(&format!("{origin}/edit-a-result.html"))?;
    browser.fill("[name=service]", &proxy.url())?;
    browser.fill("[name=policy]", "nishi/2024")?;
    browser.fill("[name=token]", &token)?;
    browser.click("#open button")?;
    browser.until("return document.querySelector('[name=value]').value !== '';")?;
    let indicator = browser.run("return document.querySelector('[name=indicator]').value;")?;
    let stored = Stored::of(&service, &token, indicator.as_str().ok_or("no indicator")?);
    store(&browser, "41.5", "転記の誤り")?;
    says(&browser, "保存しました")?;
    assert_eq!(stored.value()?, json!(41.5));
    stored.change(60)?;
    browser.until("return document.querySelector('[name=value]').value === '60';")?;

    // A link to the next page leads on below the path.
    let list = format!("{}/v1/organizations?limit=1", proxy.url());
    let next = browser.run(&format!(
        "return fetch({}).then(answer => answer.headers.get('Link'));",
        json!(list)
    ))?;
    let next = next.as_str().unwrap_or_default();
    assert!(
        next.starts_with(&format!("<{}/v1/organizations?", proxy.url())),
        "{next}"
    );
    browser.complained_of_nothing()
}
