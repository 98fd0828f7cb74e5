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
    let call = Call::new("POST", "/v1/imports/forms?dry_run=true").body("text/html; charset=utf-8", page);
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

#[actix_web::test]
async fn results_that_only_blanks_separate_come_in_or_are_refused_by_line() {
    let api = ward().await;
    let form = |results: &str| {
        format!(
            "令和6年度 西区運営方針\n経営課題1-(1) 防災\nアウトカム指標\t満足度：48%以上 利用件数：980件以上 参加者数：1,200人以上\n\
             アウトカム指標の達成状況\t6年度実績と達成状況\t{results}\t前年度実績\t47.1% 900件 1,100人\n"
        )
    };
    let refused = api.form("", form("48.5%：B 980件：A")).await;
    assert_eq!(refused.status, 422);
    let detail = refused.body.to_string();
    assert!(detail.contains("4行") && detail.contains("「・」"), "{detail}");

    let report = api
        .form("", form("48.5%：B 980件：A 1,204人：A"))
        .await
        .must_be(200)
        .body;
    assert_eq!(report["notes"], json!([]));
    let indicators = report["tree"]["goals"][0]["indicators"].as_array().unwrap().iter();
    let read = indicators.map(|it| {
        let result = &it["results"][0];
        json!([
            it["name"],
            it["unit"],
            it["target"]["value"],
            result["value"],
            result["declared_rating"],
            result["stated_previous_value"]
        ])
    });
    assert_eq!(
        read.collect::<Vec<_>>(),
        [
            json!(["満足度", "%", 48, 48.5, "B", 47.1]),
            json!(["利用件数", "件", 980, 980, "A", 900]),
            json!(["参加者数", "人", 1200, 1204, "A", 1100]),
        ]
    );
}

#[actix_web::test]
async fn what_a_page_strikes_out_or_has_around_the_form_is_named_and_not_stored() {
    let api = ward().await;
    let page = "<nav>ホーム</nav>\n<h1>令和6年度 西区運営方針</h1>\n<table><tr><th>使命<td>安全<s>安心</s></table>\n\
        <table><tr><th>経営課題<th>指標<th>目標値<th>6年度実績\n<tr><td rowspan=2>経営課題1-(1) 防災<td>備え<td>50%以上<td><del>48</del>51%\n\
        <tr><td>訓練<td>30件以上<td>29<sup>2</sup>件</table>\n<h3>自己評価</h3><p>良い。</p>\n<p>電話：06-6532-9625</p>";
    let call = Call::new("POST", "/v1/imports/forms")
        .because("様式の取り込み")
        .body("text/html; charset=utf-8", page);
    let report = api.send(call).await.must_be(200).body;
    let notes: Vec<_> = report["notes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|note| (note["code"].clone(), note["line"].clone()))
        .collect();
    let expected = [
        ("page_furniture", 1),
        ("struck_out", 3),
        ("struck_out", 5),
        ("result_unreadable", 6),
        ("page_furniture", 8),
    ];
    assert_eq!(notes, expected.map(|(code, line)| (json!(code), json!(line))));
    let tree = &report["tree"];
    assert_eq!(
        (&tree["mission"], &tree["self_evaluation"]),
        (&json!(["安全"]), &json!(["良い。"]))
    );
    let results: Vec<_> = (0..2)
        .map(|n| tree["goals"][0]["indicators"][n]["results"][0].clone())
        .collect();
    assert_eq!(
        (&results[0]["value"], &results[1]["value"], &results[1]["text"]),
        (&json!(51), &json!(null), &json!("29²件"))
    );
}
