//! Requests that would be much work, or would get much in return: what is refused is named, and how it is bounded.

use std::io::{Cursor, Write as _};

use serde_json::{Value, json};
use zip::{ZipWriter, write::SimpleFileOptions};

use crate::support::{
    Answer, Api, Call,
    factories::{Nishi, policy, with},
};

const HTML: (&str, &str) = ("forms", "text/html");
const CSV: (&str, &str) = ("results", "text/csv");
const XLSX: (&str, &str) = (
    "results",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
);

/// Refused with a hundred broken rules, and so many more; in few bytes.
fn must_name_a_hundred(answer: &Answer, more: usize) {
    let errors = answer.body["errors"].as_array().unwrap();
    assert_eq!((errors.len(), &answer.body["more_errors"]), (100, &json!(more)));
    let detail = answer.text("detail");
    assert!(detail.contains(&more.to_string()), "{detail}");
    assert!(answer.bytes.len() < 100_000, "{} bytes", answer.bytes.len());
    let suggested = errors.iter().filter(|error| !error["suggestion"].is_null());
    assert!(suggested.count() <= 20);
}

#[actix_web::test]
async fn unknown_keys_are_named_in_short_and_not_all() {
    let api = Api::new().await;
    let mut body = json!({});
    for n in 0..9_900 {
        body[format!("{n}{}", "x".repeat(286))] = json!(1);
    }
    let preview = Call::new("POST", "/v1/evaluations/preview").anonymous();
    for language in ["ja", "en"] {
        let call = preview.clone().header("accept-language", language);
        let answer = api.send(call.json(&body)).await.must_be(422);
        // The keys, and those that are required.
        let more = answer.body["more_errors"].as_u64().unwrap();
        assert!((9_800..9_830).contains(&more), "{more}");
        must_name_a_hundred(&answer, usize::try_from(more).unwrap());
        let long = |error: &&Value| {
            error["pointer"]
                .as_str()
                .is_some_and(|pointer| pointer.chars().count() > 62)
        };
        assert_eq!(answer.body["errors"].as_array().unwrap().iter().find(long), None);
    }
    // What is nearly right is still helped with.
    let answer = api.send(preview.json(&json!({ "decimal": 1 }))).await.must_be(422);
    assert_eq!(answer.suggestion("/decimal").as_deref(), Some("decimals"));
}

#[actix_web::test]
async fn unknown_codes_are_not_all_named() {
    let api = Api::new().await;
    let item =
        json!({ "indicator_id": "018e9a2c-5b00-7000-8000-000000000611", "result": { "value_status": "reportde" } });
    let body = json!({ "items": vec![item; 1000] });
    let answer = api.post("/v1/results", &body).await.must_be(422);
    let more = answer.body["more_errors"].as_u64().unwrap();
    must_name_a_hundred(&answer, usize::try_from(more).unwrap());
}

#[actix_web::test]
async fn unknown_parameters_are_named_in_short_and_not_all() {
    let api = Api::new().await;
    let many: Vec<String> = (0..7_000).map(|n| format!("p{n}=1")).collect();
    let answer = api.public(&format!("/v1/goals?{}", many.join("&"))).await.must_be(400);
    must_name_a_hundred(&answer, 6_900);
    let long = format!("/v1/goals?{}=1&limt=2", "x".repeat(300));
    let answer = api.public(&long).await.must_be(400);
    let errors = answer.body["errors"].as_array().unwrap();
    assert!(
        errors
            .iter()
            .all(|error| error["parameter"].as_str().unwrap().chars().count() <= 61)
    );
    assert_eq!(answer.suggestion("limt").as_deref(), Some("limit"));
}

/// What an import says of a file, tried and for real.
async fn refused(api: &Api, (kind, media_type): (&str, &str), bytes: impl Into<Vec<u8>>) -> (Answer, Answer) {
    let bytes = bytes.into();
    let call = |query: &str| Call::new("POST", format!("/v1/imports/{kind}{query}")).body(media_type, bytes.clone());
    let tried = api.send(call("?dry_run=true")).await.must_be(200);
    (tried, api.send(call("")).await.must_be(422))
}

fn codes(tried: &Answer) -> Vec<&str> {
    let notes = tried.body["notes"].as_array().unwrap().iter();
    notes.map(|note| note["code"].as_str().unwrap()).collect()
}

#[actix_web::test]
async fn a_tag_of_many_attributes_is_refused_before_it_is_read() {
    let api = Api::new().await;
    for count in [20_000, 800_000] {
        let attributes = (0..count).map(|n| format!(" a{n}")).collect::<Vec<_>>().concat();
        let page = format!("<p>令和6年度 西区運営方針</p><p>経営課題1-(1) 防災</p><p{attributes}>x</p>");
        let (tried, stored) = refused(&api, HTML, page).await;
        assert!(codes(&tried).contains(&"too_large"), "{:?}", codes(&tried));
        let named = stored.body["errors"].to_string();
        assert!(named.contains("100"), "{named}");
    }
}

/// A workbook with one worksheet of these rows.
fn workbook(rows: &str) -> Vec<u8> {
    let office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let relation = |kind: &str, target: &str| {
        format!(r#"<Relationships><Relationship Id="r1" Type="{office}/{kind}" Target="{target}"/></Relationships>"#)
    };
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in [
        ("_rels/.rels", relation("officeDocument", "book.xml")),
        ("_rels/book.xml.rels", relation("worksheet", "a.xml")),
        (
            "book.xml",
            format!(r#"<workbook xmlns:r="{office}"><sheets><sheet name="a" r:id="r1"/></sheets></workbook>"#),
        ),
        ("a.xml", format!("<worksheet><sheetData>{rows}</sheetData></worksheet>")),
    ] {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[actix_web::test]
async fn a_small_workbook_of_many_empty_cells_is_refused() {
    let api = Api::new().await;
    let book = workbook(&format!("<row>{}</row>", "<c/>".repeat(9_000_000)));
    assert!(book.len() < 64 << 10, "{} bytes", book.len());
    let (tried, stored) = refused(&api, XLSX, book).await;
    assert_eq!(codes(&tried), ["too_many_cells"]);
    assert!(stored.body["errors"].to_string().contains("4400000"));
}

#[actix_web::test]
async fn a_text_that_many_cells_share_counts_for_each() {
    let api = Api::new().await;
    let row = format!(
        "<row><c t='inlineStr'><is><t>{}</t></is></c></row>",
        "x".repeat(1 << 20)
    );
    let table = |rows: usize| {
        let head = "<row><c t='inlineStr'><is><t>指標ID</t></is></c></row>";
        workbook(&format!("{head}{}", row.repeat(rows)))
    };
    let (tried, _) = refused(&api, XLSX, table(60)).await;
    let read = codes(&tried).iter().filter(|code| **code == "id").count();
    assert_eq!(read, 60, "60 MiB are read");
    let (tried, _) = refused(&api, XLSX, table(65)).await;
    assert_eq!(codes(&tried), ["too_large"], "64 MiB is the most when unpacked");
    // Of what is no table only the beginning is looked at.
    let (tried, _) = refused(&api, XLSX, workbook(&row.repeat(65))).await;
    assert_eq!(codes(&tried), ["no_header"]);
}

#[actix_web::test]
async fn a_line_of_many_cells_is_refused() {
    let api = Api::new().await;
    let (tried, _) = refused(&api, CSV, "a,".repeat(2_000_000)).await;
    assert_eq!(codes(&tried), ["too_many_columns"]);
}

#[actix_web::test]
async fn a_policy_has_so_many_indicators_and_no_more() {
    let api = Api::new().await;
    api.organization().await;
    let indicator = |name: String| {
        json!({
            "kind": "outcome", "name": name, "unit": "%", "decimals": 0, "direction": "higher_is_better", "results": [],
            "target": { "text": null, "comparator": "undecided", "reference": { "kind": "none" }, "period": { "kind": "single_year" } }
        })
    };
    let tree = |goals: usize| {
        let goals = (0..goals).map(|n| {
            let indicators: Vec<Value> = (0..200).map(|m| indicator(format!("指標{m}"))).collect();
            json!({ "code": format!("1-{}", n + 1), "title": "防災", "budgets": [], "indicators": indicators })
        });
        with(policy("nishi", 2024), json!({ "goals": goals.collect::<Vec<_>>() }))
    };
    let path = "/v1/policies/nishi/2024/tree";
    let put = |goals| Call::new("PUT", path).header("if-none-match", "*").json(&tree(goals));
    api.send(put(6)).await.must_refuse(422, &[("/goals", "too_many")]);
    api.send(put(5)).await.must_be(201);
    assert_eq!(api.list("/v1/indicators?limit=1000").await.len(), 1000);
}

#[actix_web::test]
async fn a_patch_is_of_one_thing() {
    let api = Api::new().await;
    let nishi = Nishi::of(&api).await;
    let patch = |values: usize| {
        Call::new("PATCH", format!("/v1/goals/{}", nishi.goal.id()))
            .header("if-match", "*")
            .json(&json!({ "strategies": vec!["a"; values] }))
    };
    api.send(patch(20_000)).await.must_refuse(400, &[("", "json")]);
    api.send(patch(3)).await.must_be(200);
}
