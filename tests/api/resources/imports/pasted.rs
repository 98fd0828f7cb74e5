//! Forms as they come out of other programs: pasted from spreadsheets, written by hand as pages.

use serde_json::json;

use super::forms::{PLAN, ward};
use crate::support::Call;

/// A form as a spreadsheet gives it to the clipboard: cells with several lines in quotes.
const PASTED: &str = "令和6年度 西区運営方針\n(所属長 : 三村 浩也)\n目標\t・まち\n使命\t\"・\"\"誇り\"\"\"\n\
    経営課題1-(1) 防災\n課題認識\t\"・a\n・\"\"b\"\"\"\n主な戦略\t・訓練\n\
    アウトカム指標\t\"・備えの割合：50%以上\n・訓練の参加率：30%以上\"\n\
    アウトカム指標の達成状況\t6年度実績と達成状況\t\"※Ａ：達成　Ｂ：未達成\n・51%：A\n・28%：B\"\t前年度実績\t\"・49%\n・25%\"\n";

#[actix_web::test]
async fn a_form_pasted_from_a_spreadsheet_is_what_its_cells_show() {
    let api = ward().await;
    let report = api.form("", PASTED).await.must_be(200).body;
    assert_eq!(report["notes"], json!([]));
    let tree = &report["tree"];
    assert_eq!(tree["mission"], json!(["\"誇り\""]));
    let goal = &tree["goals"][0];
    assert_eq!(goal["issue_recognition"], json!(["a", "\"b\""]));
    let results: Vec<_> = (0..2).map(|n| &goal["indicators"][n]["results"][0]).collect();
    let read = results.iter().map(|it| {
        (
            it["value"].to_string(),
            it["declared_rating"].clone(),
            it["stated_previous_text"].clone(),
        )
    });
    assert_eq!(
        read.collect::<Vec<_>>(),
        [
            ("51".to_owned(), json!("A"), json!("49%")),
            ("28".to_owned(), json!("B"), json!("25%"))
        ]
    );
    let line = |pointer: &str| {
        let fields = report["fields"].as_array().unwrap();
        fields.iter().find(|field| field["pointer"] == pointer).unwrap()["line"].clone()
    };
    assert_eq!(line("/goals/0/strategies"), 8);
}

#[actix_web::test]
async fn the_legend_of_ratings_is_no_result_wherever_it_stands() {
    let api = ward().await;
    for results in [
        "\t・51%：A ・28%：B\t※Ａ：達成　Ｂ：未達成",
        "\t※A：達成 B：未達成 ・51%：A ・28%：B",
        "\t・51%：A ・28%：B（Ａ：達成、Ｂ：未達成）",
        "\n※Ａ：達成　Ｂ：未達成\n・51%：A\n・28%：B",
        "\t\"※Ａ：達成\n　Ｂ：未達成\n・51%：A\n・28%：B\"",
    ] {
        let (before, _) = PASTED.split_once("\t\"※Ａ").unwrap();
        let text = format!("{before}{results}\n");
        let report = api.form("?dry_run=true", text).await.must_be(200).body;
        assert_eq!(report["notes"], json!([]), "{results}");
        let indicators = &report["tree"]["goals"][0]["indicators"];
        let values = (0..2).map(|n| indicators[n]["results"][0]["value"].to_string());
        assert_eq!(values.collect::<Vec<_>>(), ["51", "28"], "{results}");
    }
}

#[actix_web::test]
async fn signs_that_a_page_writes_as_text_stay_text() {
    let api = ward().await;
    let page = "<h1>令和6年度 西区運営方針</h1><table><tr><th>目標<td><b>太字</b>と&lt;b&gt;、&lt;br&gt;&amp;lt;\
        <tr><th>使命<td><ul><li>&lt;ul&gt;&lt;li&gt;一</ul></table>\
        <h2>経営課題1-(1) 防災</h2><table><tr><th>課題認識<td>&lt;/td&gt;の欄<tr><th>主な戦略<td>訓練\
        <tr><th>アウトカム指標<td>&lt;i&gt;の割合：50%以上</table>";
    let call = Call::new("POST", "/v1/imports?dry_run=true").body("text/html; charset=utf-8", page);
    let tree = api.send(call).await.must_be(200).body["tree"].clone();
    assert_eq!(
        (&tree["vision"], &tree["mission"]),
        (&json!(["太字と<b>、<br>&lt;"]), &json!(["<ul><li>一"]))
    );
    let goal = &tree["goals"][0];
    assert_eq!(
        (&goal["issue_recognition"], &goal["indicators"][0]["name"]),
        (&json!(["</td>の欄"]), &json!("<i>の割合"))
    );
}

#[actix_web::test]
async fn a_refused_form_is_reported_under_the_policy_it_names() {
    let api = ward().await;
    let (head, goals) = PASTED.split_once("\t\"※Ａ").unwrap();
    let mismatched = format!("{head}\t・51%：A\n");
    assert!(goals.contains("28%"));
    let nowhere = PLAN.replace("西区運営方針", "東区運営方針");
    let unnamed = mismatched.replace("西区運営方針", "運営方針");
    let undated = mismatched.replace("令和6年度 西区", "西区");
    for (text, organization, year) in [
        (mismatched.as_str(), json!("nishi"), json!(2024)),
        (nowhere.as_str(), json!(null), json!(2024)),
        (unnamed.as_str(), json!(null), json!(2024)),
        (undated.as_str(), json!("nishi"), json!(null)),
        ("様式ではない。", json!(null), json!(null)),
    ] {
        let report = api.form("?dry_run=true", text).await.must_be(200).body;
        assert_eq!(
            (&report["stored"], &report["organization"], &report["fiscal_year"]),
            (&json!(false), &organization, &year),
            "{report:#}"
        );
    }
}
