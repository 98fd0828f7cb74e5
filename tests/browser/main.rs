//! What is there for people, in a real browser: the page of the form on a desk, on a phone and on paper, pages of other
//! origins, the documentation, and the site.

#![expect(
    clippy::indexing_slicing,
    reason = "a missing key of a JSON value is null, which no test expects"
)]

use std::{error::Error, time::Duration};

use serde_json::{Value, json};

use driver::{Browser, Screen};
use process::{Place, Service};

mod documentation;
mod driver;
mod entering;
#[path = "../service/http.rs"]
#[expect(dead_code, reason = "it is the tests' of the program, which need more of it")]
mod http;
mod pages;
#[path = "../service/process.rs"]
#[expect(dead_code, reason = "likewise")]
mod process;
mod proxy;
mod site;
mod views;

type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

/// Far longer than anything here takes, so that a slow machine does not fail a test.
const PATIENCE: Duration = Duration::from_secs(120);

const RESULTS: &str = include_str!("../forms/nishi-2024-results.txt");

/// A service with the sample, its results filled in and published.
fn published(place: &Place, settings: &[(&str, &str)]) -> Outcome<Service> {
    let service = place.spawn(&[], settings)?.wait()?;
    let token = place.token()?;
    let post = |path: &str, headers: &[(&str, &str)], body: &[u8]| -> Outcome {
        let headers = [headers, &[("Change-Reason", "test")]].concat();
        let (status, answer) = http::send(service.address, Some(&token), &format!("POST {path}"), &headers, body)?;
        if status >= 300 {
            return Err(format!("{path}: {status} {}", String::from_utf8_lossy(&answer)).into());
        }
        Ok(())
    };
    post(
        "/v1/imports/forms",
        &[("Content-Type", "text/plain; charset=utf-8")],
        // One rating is not declared: the page computes it.
        RESULTS.replace("49.3%：A", "49.3%").as_bytes(),
    )?;
    let results = json!({ "kind": "results", "reason": null, "published_on": null, "assumed": null }).to_string();
    post(
        "/v1/policies/nishi/2024/publications",
        &[("Content-Type", "application/json"), ("If-Match", "*")],
        results.as_bytes(),
    )?;
    Ok(service)
}

/// The page on a screen.
fn open(screen: Screen, service: &Service) -> Outcome<Browser> {
    let browser = Browser::start(screen)?;
    browser.go(&format!("http://{}/v1/policies/nishi/2024/form", service.address))?;
    Ok(browser)
}

/// Visible texts that break a rule, each with what is wrong: `check` gives that for an element, or nothing.
fn texts_that(browser: &Browser, check: &str) -> Outcome<Value> {
    browser.run(&format!(
        r#"
        const check = (element, style) => {{ {check} }};
        const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
        const wrong = [];
        for (let node = walker.nextNode(); node; node = walker.nextNode()) {{
            const element = node.parentElement;
            if (!node.textContent.trim() || element.closest("caption")) continue;
            const found = check(element, getComputedStyle(element));
            if (found) wrong.push(node.textContent.trim().slice(0, 40) + ": " + found);
        }}
        return wrong;
        "#
    ))
}

/// Every text is large enough and stands out from what is behind it (WCAG 2.2, 1.4.3: 4.5 to 1).
fn every_text_can_be_read(browser: &Browser) -> Outcome {
    let small = texts_that(
        browser,
        "return parseFloat(style.fontSize) < 12 ? style.fontSize : null;",
    )?;
    assert_eq!(small, json!([]));
    let faint = texts_that(
        browser,
        r#"
        const colour = text => text.match(/[\d.]+/g).map(Number);
        const light = text => {
            const part = value => value <= 10.31475 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4;
            const [red, green, blue] = colour(text).map(part);
            return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
        };
        let behind = element;
        while (behind && colour(getComputedStyle(behind).backgroundColor)[3] === 0) behind = behind.parentElement;
        const [dark, bright] = [style.color, behind ? getComputedStyle(behind).backgroundColor : "rgb(255, 255, 255)"]
            .map(light).sort((one, other) => one - other);
        const ratio = (bright + 0.05) / (dark + 0.05);
        return ratio < 4.5 ? ratio.toFixed(2) : null;
        "#,
    )?;
    assert_eq!(faint, json!([]));
    // Characters that a font lacks all look the same.
    let known = browser.run(
        r#"
        const drawn = text => {
            const canvas = document.createElement("canvas");
            const pen = canvas.getContext("2d");
            pen.font = "40px " + getComputedStyle(document.body).fontFamily;
            pen.fillText(text, 10, 60);
            return canvas.toDataURL();
        };
        return new Set(["", "区", "西", "針", "①", "②", "％", "\u{10fffd}"].map(drawn)).size;
        "#,
    )?;
    assert_eq!(known, 8, "no font for Japanese: .ci/setup test installs one");
    Ok(())
}

/// Nothing is wider than the window.
fn nothing_stands_out(browser: &Browser) -> Outcome {
    let wide = browser.run(
        r#"
        const page = document.scrollingElement;
        const wide = [...document.body.querySelectorAll("*")].filter(element =>
            !element.closest("caption") && element.getBoundingClientRect().right > innerWidth + 0.5);
        return [page.scrollWidth <= innerWidth, wide.map(element => element.outerHTML.slice(0, 80))];
        "#,
    )?;
    assert_eq!(wide, json!([true, []]));
    Ok(())
}

/// Ratings are words, and look different in more than colour.
fn ratings_are_words_and_shapes(browser: &Browser) -> Outcome {
    let ratings = browser.run(
        r#"
        return [...document.querySelectorAll(".rating")].map(rating => {
            const style = getComputedStyle(rating);
            return [rating.innerText, style.borderTopStyle, parseFloat(style.borderTopWidth) > 1, style.borderRadius !== "0px"];
        });
        "#,
    )?;
    let ratings = ratings.as_array().ok_or("no ratings")?;
    assert_eq!(ratings.len(), 9);
    for rating in ratings {
        let shape = match rating[0].as_str() {
            Some("A 達成") => json!(["solid", true, true]),
            Some("B 未達成") => json!(["dashed", true, false]),
            text => return Err(format!("{text:?} is no rating").into()),
        };
        assert_eq!(json!([rating[1], rating[2], rating[3]]), shape, "{rating}");
    }
    Ok(())
}

/// What a reader of screens goes by: headings, and cells with their heads.
fn everything_has_its_head(browser: &Browser) -> Outcome {
    let levels = browser.run(
        r#"return [...document.querySelectorAll("h1, h2, h3, h4, h5, h6")].map(head => Number(head.tagName[1]));"#,
    )?;
    let levels: Vec<i64> = levels
        .as_array()
        .ok_or("no headings")?
        .iter()
        .filter_map(Value::as_i64)
        .collect();
    assert_eq!(levels.first(), Some(&1));
    assert_eq!(levels.iter().filter(|level| **level == 1).count(), 1);
    assert!(
        levels
            .iter()
            .zip(levels.iter().skip(1))
            .all(|(one, next)| next - one <= 1),
        "{levels:?}"
    );
    let bare = browser.run(
        r#"
        const named = [...document.querySelectorAll("table")].every(table => table.caption && table.caption.textContent);
        const cells = [...document.querySelectorAll("td")].filter(cell => {
            const heads = cell.headers ? cell.headers.split(" ").map(id => document.getElementById(id))
                : [cell.parentElement.querySelector("th")];
            return !heads.every(head => head && head.tagName === "TH" && head.scope === "row" && head.offsetHeight > 0);
        });
        return [document.documentElement.lang, named, cells.map(cell => cell.outerHTML.slice(0, 80))];
        "#,
    )?;
    assert_eq!(bare, json!(["ja", true, []]));
    for (selector, role) in [
        ("table", "table"),
        ("tr", "row"),
        (".results th", "rowheader"),
        ("td", "cell"),
        ("ol", "list"),
        ("h3", "heading"),
    ] {
        assert_eq!(browser.role(selector)?, role, "{selector}");
    }
    Ok(())
}

#[test]
fn the_form_is_readable_on_a_desk_and_on_a_phone() -> Outcome {
    let place = Place::new("browser-screen")?;
    let service = published(&place, &[])?;
    for screen in [Screen::Desk, Screen::Phone] {
        let browser = open(screen, &service)?;
        assert_eq!(browser.run("return document.title;")?, "令和6年度 西区運営方針");
        let styled = "return getComputedStyle(document.querySelector('table')).borderCollapse;";
        assert_eq!(browser.run(styled)?, "collapse");
        let width = browser.run("return innerWidth;")?;
        assert_eq!(width == 360, screen == Screen::Phone, "{width}");
        every_text_can_be_read(&browser)?;
        nothing_stands_out(&browser)?;
        ratings_are_words_and_shapes(&browser)?;
        everything_has_its_head(&browser)?;
        // A picture of nothing but one colour takes a few thousand bytes.
        let picture = browser.picture(screen)?;
        assert!(
            picture.starts_with(b"\x89PNG") && picture.len() > 50_000,
            "{}",
            picture.len()
        );
        if screen == Screen::Desk {
            // The picture in README.md: a goal with its indicators, a rating and a result that is being compiled.
            browser.picture_of(".goal:nth-of-type(2)", "form.png")?;
        }
        browser.complained_of_nothing()?;
    }
    Ok(())
}

#[test]
fn the_form_is_a_few_pages_of_a4() -> Outcome {
    let place = Place::new("browser-paper")?;
    let service = published(&place, &[])?;
    let browser = open(Screen::Desk, &service)?;
    let pages = pages_of_a4(&browser.paper("form.pdf")?);
    assert!((2..=6).contains(&pages), "{pages} pages");
    browser.complained_of_nothing()
}

/// How many pages a PDF has, all of A4.
fn pages_of_a4(paper: &[u8]) -> usize {
    let text = String::from_utf8_lossy(paper);
    assert!(text.starts_with("%PDF-"));
    let boxes: Vec<Vec<f64>> = text
        .split("/MediaBox [")
        .skip(1)
        .filter_map(|rest| rest.split_once(']'))
        .map(|(sizes, _)| sizes.split_whitespace().filter_map(|size| size.parse().ok()).collect())
        .collect();
    let is_a4 = |sizes: &Vec<f64>| match sizes[..] {
        [_, _, width, height] => (width - 595.3).abs() < 1.0 && (height - 841.9).abs() < 1.0,
        _ => false,
    };
    assert!(!boxes.is_empty() && boxes.iter().all(is_a4), "{boxes:?}");
    let pages = text.split("/Type /Page").skip(1);
    pages.filter(|rest| !rest.starts_with('s')).count()
}
