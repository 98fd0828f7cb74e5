//! The site at `/`: what its views show, in both languages, on a desk, on a phone and on paper, to those who see and to
//! those who do not.

use std::{fs, path::Path, process::Command};

use serde_json::{Value, json};

use crate::{
    Outcome,
    driver::{Browser, Screen},
    every_text_can_be_read, http, nothing_stands_out, pages_of_a4,
    process::{Place, Service},
    proxy::Proxy,
    published,
};

/// A name that would become an element, were it taken for markup.
const MARKUP: &str = "<img src=x onerror=alert(1)> を知っている人の割合";

/// Opens a view anew, and waits until it is there.
pub(crate) fn open(browser: &Browser, site: &str, view: &str) -> Outcome {
    browser.go("about:blank")?;
    browser.go(&format!("{site}/#/{view}"))?;
    is_there(browser)
}

/// Waits until the view that was asked for is there.
pub(crate) fn is_there(browser: &Browser) -> Outcome {
    let there = "return document.querySelector('main h1') !== null && !document.querySelector('main').hasAttribute('aria-busy');";
    browser
        .until(there)
        .map(drop)
        .map_err(|e| format!("{e} {:?}", browser.complaints()).into())
}

/// The text of the page's main part.
fn text(browser: &Browser) -> Outcome<String> {
    let text = browser.run("return document.querySelector('main').innerText;")?;
    Ok(text.as_str().ok_or("no text")?.to_owned())
}

/// What a selector finds, counted.
fn count(browser: &Browser, selector: &str) -> Outcome<Value> {
    browser.run(&format!(
        "return document.querySelectorAll({}).length;",
        json!(selector)
    ))
}

/// A service with two years of Nishi Ward's policy: the second one, of which there is the plan alone, has reworded its
/// first indicator. The name of the second indicator looks like markup.
fn two_years(place: &Place) -> Outcome<(Service, String)> {
    let service = published(place, &[])?;
    let token = place.token()?;
    let mut tree = http::get(service.address, "/v1/policies/nishi/2024/tree")?.body;
    let series = tree["goals"][0]["indicators"][0]["series_id"].clone();
    for (year, key) in [(2025, "fiscal_year"), (2026, "results_due_on")] {
        tree[key] = if year == 2025 { json!(2025) } else { json!("2026-06-30") };
    }
    for goal in tree["goals"].as_array_mut().ok_or("no goals")? {
        goal["id"] = Value::Null;
        goal["budgets"] = json!([{ "fiscal_year": 2025, "kind": "initial", "amount_yen": 90_000_000 }]);
        for indicator in goal["indicators"].as_array_mut().ok_or("no indicators")? {
            indicator["id"] = Value::Null;
            indicator["results"] = json!([]);
        }
    }
    tree["id"] = Value::Null;
    tree["goals"][0]["indicators"][0]["name"] = json!("活動が進められていると思う人の割合");
    tree["goals"][0]["indicators"][1]["name"] = json!(MARKUP);
    let send = |request: &str, header: (&str, &str), body: &Value| -> Outcome {
        let headers = [header, ("Content-Type", "application/json")];
        let (status, answer) = http::call(service.address, Some(&token), request, &headers, Some(body))?;
        assert_eq!(status, 201, "{request}: {}", String::from_utf8_lossy(&answer));
        Ok(())
    };
    send("PUT /v1/policies/nishi/2025/tree", ("If-None-Match", "*"), &tree)?;
    let plan = json!({ "kind": "plan", "published_on": "2025-04-10" });
    send("POST /v1/policies/nishi/2025/publications", ("If-Match", "*"), &plan)?;
    Ok((service, series.as_str().ok_or("no series")?.to_owned()))
}

/// The script of axe-core, which is no part of this repository.
pub(crate) fn axe() -> Outcome<String> {
    let found = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join(".ci/axe")).output()?;
    assert!(found.status.success(), "{}", String::from_utf8_lossy(&found.stderr));
    Ok(fs::read_to_string(String::from_utf8(found.stdout)?.trim_end())?)
}

/// What axe-core finds wrong with the page.
pub(crate) fn is_accessible(browser: &Browser, axe: &str, what: &str) -> Outcome {
    let wrong = browser.run(&format!(
        "{axe};
         return window.axe.run().then(said => said.violations.map(fault => [fault.id, fault.help, fault.nodes.map(node => node.html)]));"
    ))?;
    assert_eq!(wrong, json!([]), "{what}");
    Ok(())
}

#[test]
fn every_view_is_for_everybody() -> Outcome {
    let place = Place::new("browser-views")?;
    let (service, series) = two_years(&place)?;
    let (site, axe) = (format!("http://{}", service.address), axe()?);
    let series = format!("series/{series}");
    let views = [
        ("overview", "", 1),
        ("policy", "policies/nishi/2024", 10),
        ("series", series.as_str(), 2),
        ("search", "search?q=%E5%8C%BA", 4),
        ("changes", "changes", 10),
        ("results", "policies/nishi/2024/results", 1),
        ("nothing", "nothing/of/it", 1),
    ];
    for screen in [Screen::Desk, Screen::Phone] {
        let browser = Browser::start(screen)?;
        for (name, view, links) in views {
            for language in ["ja", "en"] {
                let what = format!("{name} {language} {screen:?}");
                let mark = if view.contains('?') { '&' } else { '?' };
                open(&browser, &site, &format!("{view}{mark}lang={language}"))?;
                browser.run("document.querySelectorAll('details').forEach(details => { details.open = true; });")?;
                let said = browser.run(
                    "return [document.documentElement.lang, document.querySelectorAll('h1').length,
                             document.title.startsWith(document.querySelector('h1').textContent), document.cookie, localStorage.length];",
                )?;
                assert_eq!(said, json!([language, 1, true, "", 0]), "{what}");
                let shown = count(&browser, "main a, main li, main tr, main input")?;
                assert!(shown.as_u64() >= Some(links), "{what}: {shown}");
                every_text_can_be_read(&browser).map_err(|e| format!("{what}: {e}"))?;
                nothing_stands_out(&browser).map_err(|e| format!("{what}: {e}"))?;
                is_accessible(&browser, &axe, &what)?;
                browser.complained_of_nothing()?;
                browser.pictured(
                    &format!("site-{name}-{language}-{screen:?}.png").to_lowercase(),
                    json!({}),
                )?;
            }
        }
    }
    Ok(())
}

#[test]
fn the_overview_says_who_is_late_on_a_day() -> Outcome {
    let place = Place::new("browser-overview")?;
    let service = place.serve(&[])?;
    let site = format!("http://{}", service.address);
    let browser = Browser::start(Screen::Desk)?;
    open(&browser, &site, "?on=2025-08-01&lang=ja")?;
    let late = text(&browser)?;
    assert!(late.contains("32日遅れ") && late.contains("期限超過 10"), "{late}");
    // Whose data it is comes behind the table.
    browser.until("return document.querySelector('.sources dd')?.textContent.includes('西区運営方針');")?;

    // On another day nothing is late yet; the address says which.
    browser.run(
        "const day = document.querySelector('input[type=date]');
         day.value = '2025-04-01';
         day.dispatchEvent(new Event('change'));",
    )?;
    browser
        .until("return location.hash.includes('on=2025-04-01') && document.querySelector('.states .plan') !== null;")?;
    assert!(!text(&browser)?.contains("遅れ"), "{}", text(&browser)?);
    browser.back()?;
    browser.until("return document.querySelector('main').innerText.includes('32日遅れ');")?;

    // A count leads to the organizations that it counts.
    browser.click(".states a.missing")?;
    browser.until(
        "return document.querySelectorAll('.names li').length === 23 && !document.querySelector('.coverage');",
    )?;
    browser.complained_of_nothing()
}

#[test]
fn the_overview_begins_with_the_latest_year_of_which_results_are_in_or_due() -> Outcome {
    let place = Place::new("browser-year")?;
    let (service, _) = two_years(&place)?;
    let site = format!("http://{}", service.address);
    let browser = Browser::start(Screen::Desk)?;
    for (on, year) in [("2025-08-01", "FY 2024"), ("2026-08-01", "FY 2025")] {
        open(&browser, &site, &format!("?on={on}&lang=en"))?;
        let current = browser.run("return document.querySelector('.years [aria-current]').textContent;")?;
        assert_eq!(current, year, "{on}");
    }
    browser.click(".years a")?;
    browser.until("return location.hash.includes('year=2024') && document.querySelector('.years [aria-current]').textContent === 'FY 2024';")?;
    browser.complained_of_nothing()
}

#[test]
fn invented_data_says_so_and_leads_to_what_it_shows() -> Outcome {
    let place = Place::new("browser-invented")?;
    let service = place.serve(&["--sample", "scenarios"])?;
    let site = format!("http://{}", service.address);
    let browser = Browser::start(Screen::Desk)?;
    browser.go(&format!("{site}/"))?;
    browser.until("return location.hash.includes('on=') && document.querySelector('.notice') !== null;")?;
    let scenarios = http::get(service.address, "/v1/scenarios")?.body;
    let count_of = scenarios["items"].as_array().ok_or("no scenarios")?.len();
    assert_eq!(count(&browser, ".notice details > div > ul > li")?, count_of);
    // The first view says who is late.
    assert!(count(&browser, ".states .late")?.as_u64() >= Some(1));
    // A link has words, not an address.
    let words = browser.run("return [...document.querySelectorAll('.notice li a')].map(link => link.textContent).filter(words => !words.trim() || words.includes('/'));")?;
    assert_eq!(words, json!([]));
    let views = browser.run("return [...document.querySelectorAll('.notice a')].map(link => link.getAttribute('href')).filter(to => to.startsWith('#/'));")?;
    let views = views.as_array().ok_or("no views")?;
    assert!(views.len() > 5, "{views:?}");
    for view in views {
        open(
            &browser,
            &site,
            view.as_str().ok_or("no view")?.trim_start_matches("#/"),
        )?;
        nothing_stands_out(&browser)?;
        browser.complained_of_nothing()?;
    }
    // A number of another unit is no number of days, and nothing is taken from it.
    open(
        &browser,
        &site,
        "indicators/018739c0-ea68-70bf-b98b-87f922b35642?on=2025-08-01&lang=en",
    )?;
    let before = browser
        .run("return document.querySelector('.chosen').parentElement.querySelectorAll('.figures dd')[2].innerText;")?;
    assert_eq!(before, "78\nnot comparable");
    // The head counts what the rows show, and says where the rule alone comes to something else.
    open(&browser, &site, "policies/example-digital/2024?on=2025-08-01&lang=en")?;
    let shown = browser.run(
        "const rows = [...document.querySelectorAll('.indicators .badge')].map(badge => badge.className.split(' ')[1]);
         return [...document.querySelectorAll('.tally li')].map(one => [
             Number(one.textContent.match(/\\d+$/)[0]), rows.filter(row => row === one.className).length]);",
    )?;
    let shown = shown.as_array().ok_or("no counts")?;
    assert!(
        shown.len() == 3 && shown.iter().all(|pair| pair[0] == pair[1]),
        "{shown:?}"
    );
    let said = text(&browser)?;
    assert!(
        said.contains("11 of 17 decided") && said.contains("by the rule alone: 12 of 17"),
        "{said}"
    );
    Ok(())
}

#[test]
fn a_policy_shows_its_money_its_grades_and_why() -> Outcome {
    let place = Place::new("browser-policy")?;
    let (service, _) = two_years(&place)?;
    let site = format!("http://{}", service.address);
    let browser = Browser::start(Screen::Desk)?;
    open(&browser, &site, "policies/nishi/2024?lang=en")?;
    assert!(text(&browser)?.starts_with("Nishi Ward 西区"), "{}", text(&browser)?);
    assert_eq!(count(&browser, ".budgets tr")?, 12);
    let tree = http::get(service.address, "/v1/policies/nishi/2024/tree?with=evaluation")?.body;
    let amounts = &tree["goals"][0]["budgets"];
    let wide = browser.run("return [...document.querySelectorAll('.budgets rect')].slice(0, 2).map(bar => bar.getBoundingClientRect().width);")?;
    let part =
        |of: &Value| -> Outcome<f64> { Ok(of[0].as_f64().ok_or("no number")? / of[1].as_f64().ok_or("no number")?) };
    let stated = json!([amounts[0]["amount_yen"], amounts[1]["amount_yen"]]);
    assert!((part(&wide)? - part(&stated)?).abs() < 0.01, "{wide} {stated}");

    // Each grade is a word beside a shape, and its explanation is the service's own, on demand.
    let indicators = tree["goals"].as_array().into_iter().flatten();
    let evaluations: Vec<&Value> = indicators
        .flat_map(|goal| goal["indicators"].as_array().into_iter().flatten())
        .map(|indicator| &indicator["evaluation"])
        .collect();
    let shown = browser.run(
        "return [...document.querySelectorAll('.indicators > li')].map(one => [
             one.querySelector('.badge').innerText.split('\\n')[0], one.querySelectorAll('.badge .shape > *').length > 1,
             one.querySelector('details p').textContent, one.querySelector('details').open]);",
    )?;
    let words = |outcome: &Value| match outcome.as_str() {
        Some("achieved") => "A achieved",
        Some("not_achieved") => "B not achieved",
        _ => "pending",
    };
    let expected: Vec<Value> = evaluations
        .iter()
        .map(|one| json!([words(&one["outcome"]), true, one["explanation"]["en"], false]))
        .collect();
    assert_eq!(shown, json!(expected));
    // A percentage has what it is a part of.
    assert!(
        text(&browser)?.contains("8 of 9 decided targets achieved (88.9%)"),
        "{}",
        text(&browser)?
    );
    browser.click(".indicators details summary")?;
    assert!(
        text(&browser)?.contains("102.71% = 49.3 ÷ target 48"),
        "{}",
        text(&browser)?
    );

    // An indicator alone is shown where it stands, explained.
    let second = &tree["goals"][1]["indicators"][0];
    let id = second["id"].as_str().ok_or("no id")?;
    open(&browser, &site, &format!("indicators/{id}?lang=en"))?;
    let unfolded = browser.run(
        "const open = document.querySelectorAll('.indicators details[open]');
         return [open.length, open[0].parentElement.querySelector('h3').textContent, scrollY > 0];",
    )?;
    assert_eq!(unfolded, json!([1, second["name"], true]));

    // What somebody wrote stays text.
    open(&browser, &site, "policies/nishi/2025?lang=ja")?;
    assert!(text(&browser)?.contains(MARKUP), "{}", text(&browser)?);
    assert_eq!(count(&browser, "main img")?, 0);
    browser.complained_of_nothing()
}

#[test]
fn an_indicator_has_its_years_and_its_breaks() -> Outcome {
    let place = Place::new("browser-series")?;
    let (service, series) = two_years(&place)?;
    let browser = Browser::start(Screen::Desk)?;
    let site = format!("http://{}", service.address);
    open(&browser, &site, &format!("series/{series}?lang=ja"))?;
    let years = http::get(service.address, &format!("/v1/series/{series}"))?.body;
    let broken = &years["years"][1]["breaks"];
    assert_eq!(broken[0]["kind"], "reworded", "{years}");
    let sentences: Vec<&Value> = broken
        .as_array()
        .into_iter()
        .flatten()
        .map(|one| &one["sentence"]["ja"])
        .collect();
    for sentence in &sentences {
        assert!(
            text(&browser)?.contains(sentence.as_str().ok_or("no sentence")?),
            "{sentence}"
        );
    }
    assert_eq!(count(&browser, ".breaks li")?, sentences.len());
    assert_eq!(count(&browser, ".chart .broken")?, 1);
    assert_eq!(count(&browser, ".chart .aim")?, 2);
    assert_eq!(count(&browser, ".chart .value")?, 1);
    // Nothing joins what cannot be compared.
    assert_eq!(count(&browser, ".chart .join")?, 0);
    assert_eq!(count(&browser, ".years-table tbody tr")?, 2);
    assert_eq!(browser.role(".chart > svg")?, "image");
    browser.complained_of_nothing()
}

#[test]
fn keys_go_everywhere() -> Outcome {
    let place = Place::new("browser-keys")?;
    let service = place.serve(&[])?;
    let browser = Browser::start(Screen::Desk)?;
    let site = format!("http://{}", service.address);
    open(&browser, &site, "?lang=en")?;
    let focus = "return document.activeElement.textContent;";
    // Tab, then Enter: the link past what stands on every page.
    browser.press("\u{e004}")?;
    assert_eq!(browser.run(focus)?, "Skip to the content");
    assert!(
        browser
            .run("return document.activeElement.getBoundingClientRect().left;")?
            .as_f64()
            > Some(0.0)
    );
    browser.press("\u{e007}")?;
    assert_eq!(browser.run(focus)?, "How the policies are doing");
    assert_eq!(browser.run("return location.hash;")?, "#/?lang=en");
    // The next stop is seen, and a view that was chosen says its name.
    browser.press("\u{e004}")?;
    assert_ne!(
        browser.run("return getComputedStyle(document.activeElement).outlineStyle;")?,
        "none"
    );
    browser.run("document.querySelector('.coverage a').focus();")?;
    browser.press("\u{e007}")?;
    browser.until("return document.activeElement.tagName === 'H1' && document.title.startsWith('Nishi Ward');")?;
    browser.complained_of_nothing()
}

#[test]
fn every_view_prints_on_a4() -> Outcome {
    let place = Place::new("browser-prints")?;
    let (service, series) = two_years(&place)?;
    let site = format!("http://{}", service.address);
    let browser = Browser::start(Screen::Desk)?;
    for (name, view, most) in [
        ("overview", "?lang=ja", 2),
        ("policy", "policies/nishi/2024?lang=ja", 9),
        ("series", &format!("series/{series}?lang=ja"), 2),
        ("changes", "changes?lang=ja", 20),
    ] {
        open(&browser, &site, view)?;
        let pages = pages_of_a4(&browser.paper(&format!("site-{name}.pdf"))?);
        assert!((1..=most).contains(&pages), "{name}: {pages} pages");
        // What was unfolded for the paper is folded again.
        assert_eq!(count(&browser, "main .indicators details[open]")?, 0, "{name}");
    }
    browser.complained_of_nothing()
}

#[test]
fn the_first_view_takes_few_requests_and_the_next_one_fewer_bytes() -> Outcome {
    let place = Place::new("browser-few")?;
    let service = place.serve(&[])?;
    let site = format!("http://{}", service.address);
    let browser = Browser::start(Screen::Desk)?;
    let loaded =
        "return performance.getEntriesByType('resource').map(one => [new URL(one.name).pathname, one.transferSize]);";
    let read = || -> Outcome<Vec<(String, u64)>> {
        open(&browser, &site, "?lang=ja")?;
        browser.until("return document.querySelector('.sources dd') !== null;")?;
        let loaded = browser.run(loaded)?;
        let one = |one: &Value| Some((one[0].as_str()?.to_owned(), one[1].as_u64()?));
        Ok(loaded.as_array().into_iter().flatten().filter_map(one).collect())
    };
    let first = read()?;
    let bytes = |loaded: &[(String, u64)]| loaded.iter().map(|(_, bytes)| bytes).sum::<u64>();
    assert!(first.len() <= 13, "{first:#?}");
    assert!(bytes(&first) < 48_000, "{first:#?}");
    let again = read()?;
    assert!(
        again
            .iter()
            .all(|(path, bytes)| *bytes == 0 || path.starts_with("/v1/")),
        "{again:#?}"
    );
    assert!(bytes(&again) < 4_000, "{again:#?}");
    Ok(())
}

#[test]
fn changes_are_seen_as_they_happen_below_a_path_too() -> Outcome {
    let place = Place::new("browser-live")?;
    let service = place.spawn(&[], &[("WARD_POLICY_PROXIES", "1")])?.wait()?;
    let (proxy, token) = (Proxy::start(service.address)?, place.token()?);
    let browser = Browser::start(Screen::Desk)?;
    open(&browser, &proxy.url(), "changes?lang=en")?;
    browser.until("return document.querySelector('main').innerText.includes('● Live');")?;
    let headers = [
        ("Content-Type", "application/merge-patch+json"),
        ("If-Match", "*"),
        ("Change-Reason", "renamed"),
    ];
    let name = json!({ "name": "西区役所" });
    let (status, _) = http::call(
        service.address,
        Some(&token),
        "PATCH /v1/organizations/nishi",
        &headers,
        Some(&name),
    )?;
    assert_eq!(status, 200);
    browser.until("return [...document.querySelectorAll('.changes .fresh')].some(one => one.innerText.includes('organization changed 1'));")?;
    browser.until("return document.querySelector('#status').textContent.endsWith(' new changes');")?;
    // Links go on below the path.
    browser.click("header nav a")?;
    browser.until("return document.querySelector('.coverage a')?.textContent.includes('西区役所');")?;
    let address = browser.run("return location.href;")?;
    assert_eq!(address, format!("{}/#/?lang=en", proxy.url()));
    browser.complained_of_nothing()
}

#[test]
fn the_site_stays_small_and_says_nothing_inline() -> Outcome {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("site");
    let mut lines = 0;
    for file in fs::read_dir(folder)? {
        let path = file?.path();
        let text = fs::read_to_string(&path)?;
        lines += text.lines().count();
        for unsafe_way in [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "style=",
            "Storage",
            "cookie",
        ] {
            assert!(!text.contains(unsafe_way), "{unsafe_way} in {}", path.display());
        }
    }
    assert!(lines < 1500, "{lines} lines");
    Ok(())
}
