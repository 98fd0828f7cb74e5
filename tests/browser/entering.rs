//! The site's grid of results: a token, grades while somebody types, refusals where they belong, and what others do.

use serde_json::{Value, json};

use crate::{
    Outcome,
    driver::{Browser, Screen},
    every_text_can_be_read, http, nothing_stands_out,
    process::{Place, Service},
    published,
    views::{axe, is_accessible, is_there, open},
};

const GRID: &str = "policies/nishi/2024/results?lang=ja";
const STORE: &str = ".storing button";

/// The grid, opened with a token.
fn grid(screen: Screen, service: &Service, token: &str) -> Outcome<Browser> {
    let browser = Browser::start(screen)?;
    open(&browser, &format!("http://{}", service.address), GRID)?;
    enter(&browser, token)?;
    Ok(browser)
}

fn enter(browser: &Browser, token: &str) -> Outcome {
    browser.fill(".token input", token)?;
    browser.click(".token button")?;
    browser
        .until("return document.querySelector('.grid') !== null;")
        .map(drop)
}

/// The field of a row, counted from 1.
fn field(row: usize, name: &str) -> String {
    format!(".row:nth-child({row}) [name={name}]")
}

/// Waits until the text of an element holds words.
fn says(browser: &Browser, selector: &str, words: &str) -> Outcome {
    let selector = json!(selector);
    let said = format!("return document.querySelector({selector})?.innerText");
    browser
        .until(&format!("{said}.includes({});", json!(words)))
        .map_err(|e| format!("{e}: it says {:?}", browser.run(&said)).into())
        .map(drop)
}

fn value(browser: &Browser, row: usize) -> Outcome<Value> {
    browser.run(&format!(
        "return document.querySelector('{}').value;",
        field(row, "value")
    ))
}

/// The results as they are stored, in the order of the grid.
fn stored(service: &Service, token: &str) -> Outcome<Vec<Value>> {
    let tree = http::get_by(service.address, token, "/v1/policies/nishi/2024/tree")?.body;
    let goals = tree["goals"].as_array().into_iter().flatten();
    let indicators = goals.flat_map(|goal| goal["indicators"].as_array().into_iter().flatten());
    Ok(indicators.cloned().collect())
}

/// Somebody else changes the result of an indicator.
fn change(service: &Service, token: &str, indicator: &Value, value: i32) -> Outcome {
    let id = indicator["id"].as_str().ok_or("no id")?;
    let request = format!("PATCH /v1/indicators/{id}/results/2024");
    let headers = [
        ("Content-Type", "application/merge-patch+json"),
        ("If-Match", "*"),
        ("Change-Reason", "test"),
    ];
    let body = json!({ "value": value, "value_status": "reported" });
    let (status, answer) = http::call(service.address, Some(token), &request, &headers, Some(&body))?;
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&answer));
    Ok(())
}

#[test]
fn results_are_graded_while_they_are_typed_and_stored_at_once() -> Outcome {
    let place = Place::new("browser-grid")?;
    let service = published(&place, &[])?;
    let token = place.token()?;
    let browser = grid(Screen::Desk, &service, &token)?;
    assert_eq!(value(&browser, 1)?, "49.3");
    let before = http::get_by(service.address, &token, "/v1/changes/head")?.body["seq"].clone();

    // A grade, before anything is stored; digits of any width are digits.
    browser.fill(&field(1, "value"), "４７．９")?;
    says(&browser, ".row:nth-child(1) .grade", "B 未達成")?;
    says(&browser, ".row:nth-child(1) .grade", "47.9%")?;
    browser.fill(&field(2, "value"), "四十")?;
    says(&browser, ".row:nth-child(2) .value .fault", "数値")?;
    says(&browser, STORE, "2件")?;
    let head =
        || -> Outcome<Value> { Ok(http::get_by(service.address, &token, "/v1/changes/head")?.body["seq"].clone()) };
    assert_eq!(head()?, before);

    // What is refused is told at its field, and nothing is stored.
    browser.fill("[name=reason]", "転記の誤り")?;
    browser.click(STORE)?;
    says(&browser, ".row:nth-child(2) .value .fault", "数値")?;
    browser.until(&format!(
        "return document.activeElement === document.querySelector('{}');",
        field(2, "value")
    ))?;
    assert_eq!(head()?, before);
    // The reason is not blamed for a row, and nothing once the row is right.
    says(&browser, ".storing p", "上の行")?;
    assert_eq!(
        browser.run("return document.querySelector('[name=reason]').ariaInvalid;")?,
        "false"
    );
    browser.fill(&field(2, "value"), "42")?;
    assert_eq!(
        browser.run("return document.querySelector('.storing p').textContent;")?,
        ""
    );
    browser.fill("[name=reason]", "")?;
    browser.click(STORE)?;
    says(&browser, ".storing p", "理由")?;
    assert_eq!(head()?, before);

    // One call stores both, for one reason; what the grid does not show stays.
    let kept = stored(&service, &token)?[0]["results"][0]["stated_previous_value"].clone();
    browser.fill("[name=reason]", "転記の誤り")?;
    browser.click(STORE)?;
    says(&browser, ".storing p", "保存しました")?;
    let told = browser.run("return document.querySelector('.storing .said').textContent;")?;
    assert!(!told.to_string().contains("公表"), "{told}");
    let now = stored(&service, &token)?;
    assert_eq!(
        (&now[0]["results"][0]["value"], &now[1]["results"][0]["value"]),
        (&json!(47.9), &json!(42))
    );
    assert_eq!(now[0]["results"][0]["stated_previous_value"], kept);
    let audit = http::get_by(service.address, &token, "/v1/audit?type=result&limit=2")?.body;
    assert_eq!(
        audit["items"][0]["request_id"], audit["items"][1]["request_id"],
        "{audit}"
    );
    assert_eq!(audit["items"][0]["reason"], "転記の誤り", "{audit}");
    says(&browser, STORE, "0件")?;
    browser.pictured("site-grid.png", json!({}))?;
    minds_refusals_alone(&browser)
}

#[test]
fn what_is_stored_and_not_public_yet_says_so() -> Outcome {
    let place = Place::new("browser-grid-plan")?;
    let service = place.serve(&[])?;
    let browser = grid(Screen::Desk, &service, &place.token()?)?;
    browser.fill(&field(1, "value"), "49")?;
    browser.click(STORE)?;
    says(&browser, ".storing p", "登録 1")?;
    says(&browser, ".storing p", "まだ公表されていません")?;
    minds_refusals_alone(&browser)
}

#[test]
fn the_grid_says_what_its_fields_mean_and_what_does_not_fit() -> Outcome {
    let place = Place::new("browser-grid-words")?;
    let service = published(&place, &[])?;
    let token = place.token()?;
    let browser = Browser::start(Screen::Desk)?;
    open(&browser, &format!("http://{}", service.address), GRID)?;
    // Whose results they are is public.
    says(&browser, "h1", "西区 令和6年度")?;
    enter(&browser, &token)?;
    browser.click(".grid summary")?;
    says(&browser, ".grid .facts", "集計中、非公表など")?;
    let silent = browser.run(
        "return [...document.querySelectorAll('.row label')].filter(label => !label.title).map(label => label.className);",
    )?;
    assert_eq!(silent, json!([]));

    // What is stored and does not fit is told in its row, and in no other.
    browser.fill(&field(3, "value"), "-2")?;
    browser.fill("[name=reason]", "転記の誤り")?;
    browser.click(STORE)?;
    says(&browser, ".row:nth-child(3) .findings", "負の-2団体")?;
    assert_eq!(
        browser.run("return document.querySelector('.row:nth-child(1) .findings').childElementCount;")?,
        0
    );
    is_accessible(&browser, &axe()?, "with words")?;

    // What a field holds is printed whole.
    let long = "長い記載".repeat(40);
    browser.fill(&field(1, "text"), &long)?;
    let printed = browser.run("dispatchEvent(new Event('beforeprint')); return document.querySelector('.row:nth-child(1) .text').dataset.holds;")?;
    assert_eq!(printed, long);
    browser.run("dispatchEvent(new Event('afterprint'));")?;
    minds_refusals_alone(&browser)
}

#[test]
fn the_grid_is_for_everybody() -> Outcome {
    let place = Place::new("browser-grid-all")?;
    let service = published(&place, &[])?;
    let (token, axe) = (place.token()?, axe()?);
    for screen in [Screen::Desk, Screen::Phone] {
        let browser = grid(screen, &service, &token)?;
        browser.fill(&field(1, "value"), "四十")?;
        says(&browser, ".row:nth-child(1) .value .fault", "数値")?;
        is_accessible(&browser, &axe, &format!("{screen:?}"))?;
        every_text_can_be_read(&browser)?;
        nothing_stands_out(&browser)?;
        // A fault is told with its field.
        let told = browser.run(&format!(
            "const field = document.querySelector('{}');
             return [field.getAttribute('aria-invalid'), document.getElementById(field.getAttribute('aria-describedby')).textContent];",
            field(1, "value")
        ))?;
        assert_eq!(told, json!(["true", "数値にしてください"]), "{screen:?}");
        browser.pictured(&format!("site-grid-{screen:?}.png").to_lowercase(), json!({}))?;
    }
    Ok(())
}

#[test]
fn nobody_is_overwritten_unseen() -> Outcome {
    let place = Place::new("browser-conflict")?;
    let service = published(&place, &[])?;
    let token = place.token()?;
    let browser = grid(Screen::Desk, &service, &token)?;
    let results = stored(&service, &token)?;

    // Where nobody types, what others store is shown by itself.
    change(&service, &token, &results[0], 60)?;
    browser.until(&format!(
        "return document.querySelector('{}').value === '60';",
        field(1, "value")
    ))?;

    // Where somebody types, it is told; what was typed stays, and may be stored knowingly.
    browser.fill(&field(1, "value"), "61")?;
    change(&service, &token, &results[0], 62)?;
    says(
        &browser,
        ".row:nth-child(1) > div > .fault",
        "ほかの人が先に変更しました（保存されている値: 62%）",
    )?;
    assert_eq!(value(&browser, 1)?, "61");
    // Nor is it lost by looking elsewhere.
    browser.click("header nav a")?;
    browser.until("return document.querySelector('.coverage') !== null;")?;
    browser.back()?;
    says(&browser, STORE, "1件")?;
    assert_eq!(value(&browser, 1)?, "61");
    browser.fill("[name=reason]", "確認済み")?;
    browser.click(STORE)?;
    says(&browser, ".storing p", "保存しました")?;
    assert_eq!(stored(&service, &token)?[0]["results"][0]["value"], 61);

    // The service refuses what the grid has not heard of yet, and names the row.
    browser.run(
        "const plain = window.fetch;
         window.fetch = (...asked) => {
             if (!window.isHeld) return plain(...asked);
             window.wasHeld = true;
             return new Promise(() => {});
         };",
    )?;
    browser.fill(&field(1, "value"), "63")?;
    says(&browser, ".row:nth-child(1) .grade", "63")?;
    browser.run("window.isHeld = true;")?;
    change(&service, &token, &results[0], 64)?;
    browser.until("return window.wasHeld;")?;
    browser.run("window.isHeld = false;")?;
    browser.fill("[name=reason]", "確認済み")?;
    browser.click(STORE)?;
    says(&browser, ".row:nth-child(1) > div > .fault", "64%")?;
    assert_eq!(stored(&service, &token)?[0]["results"][0]["value"], 64);
    assert_eq!(value(&browser, 1)?, "63");
    browser.click(".row:nth-child(1) > div > .fault button")?;
    assert_eq!(value(&browser, 1)?, "64");
    says(&browser, STORE, "0件")?;
    minds_refusals_alone(&browser)
}

#[test]
fn a_column_of_a_spreadsheet_is_pasted_and_keys_go_up_and_down() -> Outcome {
    let place = Place::new("browser-paste")?;
    let service = published(&place, &[])?;
    let browser = grid(Screen::Desk, &service, &place.token()?)?;
    browser.run(&format!(
        "const clipboard = new DataTransfer();
         clipboard.setData('text', '50\\r\\n1,041\\r\\n');
         const field = document.querySelector('{}');
         field.focus();
         field.dispatchEvent(new ClipboardEvent('paste', {{ clipboardData: clipboard, bubbles: true, cancelable: true }}));",
        field(1, "value")
    ))?;
    assert_eq!(
        (value(&browser, 1)?, value(&browser, 2)?),
        (json!("50"), json!("1,041"))
    );
    says(&browser, ".row:nth-child(2) .grade", "1,041")?;
    // Down, twice: the same field of the third row.
    browser.press("\u{e015}\u{e015}")?;
    browser.until(&format!(
        "return document.activeElement === document.querySelector('{}');",
        field(3, "value")
    ))?;
    browser.complained_of_nothing()
}

#[test]
fn a_token_is_kept_in_memory_alone() -> Outcome {
    let place = Place::new("browser-token")?;
    let service = place.serve(&[])?;
    let token = place.token()?;
    let browser = Browser::start(Screen::Desk)?;
    let site = format!("http://{}", service.address);
    open(&browser, &site, GRID)?;
    browser.fill(".token input", "wardpolicy_000000000000_wrong")?;
    browser.click(".token button")?;
    says(&browser, "#token-fault", "このトークンは使えません")?;
    enter(&browser, &token)?;
    let kept =
        "return [document.cookie, localStorage.length, sessionStorage.length, location.href.includes('wardpolicy_')];";
    assert_eq!(browser.run(kept)?, json!(["", 0, 0, false]));
    // Another view and back: it is still there. Loaded anew, it is not.
    browser.click("header nav a")?;
    browser.until("return document.querySelector('.coverage') !== null;")?;
    browser.back()?;
    browser.until("return document.querySelector('.grid') !== null;")?;
    browser.run("location.reload();")?;
    browser.until("return document.querySelector('.token') !== null;")?;
    is_there(&browser)?;
    // It is forgotten on demand.
    enter(&browser, &token)?;
    browser.click(".day .plain")?;
    browser.until("return document.querySelector('.token') !== null && document.querySelector('.grid') === null;")?;

    // A token for another organization enters nothing here.
    let scopes = json!({ "name": "kita", "scopes": ["edit:kita"] });
    let (status, made) = http::call(
        service.address,
        Some(&token),
        "POST /v1/tokens",
        &[("Content-Type", "application/json")],
        Some(&scopes),
    )?;
    assert_eq!(status, 201);
    let made: Value = serde_json::from_slice(&made)?;
    browser.fill(".token input", made["token"].as_str().ok_or("no token")?)?;
    browser.click(".token button")?;
    browser.until(
        "return document.querySelector('main').innerText.includes('このトークンでは西区の実績を変更できません');",
    )?;
    assert_eq!(browser.run("return document.querySelector('.grid');")?, Value::Null);
    minds_refusals_alone(&browser)
}

/// The browser's console holds refused requests alone: nothing that the policy of the site forbids was tried.
fn minds_refusals_alone(browser: &Browser) -> Outcome {
    let complaints = browser.complaints()?;
    let is_refusal = |said: &String| said.contains("the server responded with a status of 4");
    assert!(complaints.iter().all(is_refusal), "{complaints:#?}");
    Ok(())
}
