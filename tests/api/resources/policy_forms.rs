//! The official form as a page: it shows what its caller may see, and imports as what it shows.

use serde_json::{Value, json};

use super::imports::forms::{NEXT, PLAN, RESULTS, bare, ward};
use crate::support::{
    Answer, Api, Call,
    factories::{at_least, with},
    years::Years,
};

const TREE: &str = "/v1/policies/nishi/2024/tree";
const FORM: &str = "/v1/policies/nishi/2024/form";

impl Api {
    /// The answer to a page that is imported.
    async fn page(&self, query: &str, page: &str) -> Answer {
        let call = Call::new("POST", format!("/v1/imports{query}")).because("様式の取り込み");
        self.send(call.body("text/html; charset=utf-8", page.to_owned())).await
    }

    /// The page of a policy.
    async fn shown(&self, path: &str) -> String {
        text(&self.get(path).await.must_be(200))
    }
}

fn text(answer: &Answer) -> String {
    String::from_utf8(answer.bytes.to_vec()).unwrap()
}

/// A tree without what no form says: where the data comes from depends on how it came.
fn said(tree: &Value) -> Value {
    with(bare(tree.clone()), json!({ "source": null }))
}

/// Sends the page of a policy back to its service, which changes nothing, and to an empty one, which then shows the same.
async fn goes_round(api: &Api, year: i32) -> (Value, Value) {
    let (form, tree) = (
        format!("/v1/policies/nishi/{year}/form"),
        format!("/v1/policies/nishi/{year}/tree"),
    );
    let page = api.shown(&form).await;
    let (before, moment) = (api.get(&tree).await.must_be(200), api.moment());
    let report = api.page("", &page).await.must_be(200).body;
    assert_eq!(
        (&report["changes"], &report["created"], &report["changed"]),
        (&json!([]), &json!(0), &json!(0))
    );
    assert_eq!(
        (api.get(&tree).await.bytes, api.moment()),
        (before.bytes.clone(), moment)
    );

    let elsewhere = ward().await;
    elsewhere.page("", &page).await.must_be(200);
    let again = elsewhere.shown(&form).await;
    let shown = |page: &str| {
        page.lines()
            .filter(|line| !line.contains("出典"))
            .collect::<Vec<_>>()
            .join("\n")
    };
    assert_eq!(shown(&again), shown(&page));
    (before.body, elsewhere.get(&tree).await.must_be(200).body)
}

#[actix_web::test]
async fn the_page_of_a_form_is_the_form() {
    let api = ward().await;
    for (text, year) in [(PLAN, 2024), (RESULTS, 2024), (NEXT, 2025)] {
        api.form("", text).await.must_be(200);
        let (here, elsewhere) = goes_round(&api, year).await;
        assert_eq!(said(&elsewhere), said(&here), "{year}");
    }
}

#[actix_web::test]
async fn the_page_says_everything_and_no_rating_by_colour_alone() {
    let api = ward().await;
    api.form("", RESULTS).await.must_be(200);
    let answer = api.get(FORM).await.must_be(200);
    let page = text(&answer);
    let tree = api.get(TREE).await.body;
    for goal in tree["goals"].as_array().unwrap() {
        assert!(page.contains(goal["title"].as_str().unwrap()));
        for text in ["issue_recognition", "strategies"]
            .iter()
            .flat_map(|key| goal[key].as_array().unwrap())
        {
            assert!(page.contains(text.as_str().unwrap()), "{text}");
        }
        for indicator in goal["indicators"].as_array().unwrap() {
            let result = &indicator["results"][0];
            for text in [
                &indicator["name"],
                &indicator["target"]["text"],
                &result["text"],
                &result["stated_previous_text"],
            ] {
                assert!(page.contains(text.as_str().unwrap()), "{text}");
            }
        }
        for budget in goal["budgets"].as_array().unwrap() {
            assert!(page.contains(budget["text"].as_str().unwrap()));
        }
    }
    let words = page.matches("</span> 達成</strong>").count();
    let not = page.matches("</span> 未達成</strong>").count();
    assert_eq!((words, not), (8, 1));
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(answer.header("content-language"), "ja");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    let policy = answer.header("content-security-policy");
    assert!(
        policy.starts_with("default-src 'none'; style-src 'sha256-") && !policy.contains("unsafe"),
        "{policy}"
    );
    let style = page
        .split_once("<style>")
        .and_then(|(_, rest)| rest.split_once("</style>"))
        .unwrap()
        .0;
    let hash = ward_policy::http::html::digest(style);
    assert!(policy.contains(&format!("'sha256-{hash}'")), "{policy}");
    assert!(
        !page.contains("style=") && !page.contains("<script"),
        "nothing inline that the policy forbids"
    );
}

#[actix_web::test]
async fn the_page_keeps_its_tag_while_nothing_it_shows_changes() {
    let api = ward().await;
    api.form("", PLAN).await.must_be(200);
    api.publish("nishi/2024", "plan").await.must_be(201);
    let call = || Call::new("GET", FORM).anonymous();
    let read = api.send(call()).await.must_be(200);
    assert_eq!(read.header("cache-control"), "public, max-age=0, must-revalidate");
    assert!(read.header("vary").contains("Authorization"));
    let again = api.send(call().header("if-none-match", read.etag())).await.must_be(304);
    assert!(again.bytes.is_empty());
    assert_eq!(api.get(FORM).await.header("cache-control"), "private, no-store");
    // What is not published changes what its editors see, and nothing else.
    api.form("", RESULTS).await.must_be(200);
    api.send(call().header("if-none-match", read.etag())).await.must_be(304);
    api.patch("/v1/policies/nishi/2024", "*", &json!({ "head_title": "区長" }))
        .await
        .must_be(200);
    let changed = api.send(call().header("if-none-match", read.etag())).await.must_be(200);
    assert!(text(&changed).contains("区長"));
}

#[actix_web::test]
async fn what_is_not_published_is_not_on_the_public_page() {
    let api = ward().await;
    api.form("", RESULTS).await.must_be(200);
    let public = || Call::new("GET", FORM).anonymous();
    api.send(public()).await.must_be(404);
    api.publish("nishi/2024", "plan").await.must_be(201);
    let page = text(&api.send(public()).await.must_be(200));
    for hidden in [
        "84.96%",
        "47.1%",
        "未達成</strong>",
        "子育て環境の指標は目標に届かなかった",
    ] {
        assert!(!page.contains(hidden), "{hidden}");
    }
    assert!(page.contains("48%以上") && page.contains("公表済み（第1版）"));
    let drafted = api.shown(FORM).await;
    assert!(drafted.contains("84.96%") && drafted.contains("公表していない内容を含みます"));

    // What the public page does not show is not gone when it is imported.
    let (before, moment) = (api.get(TREE).await.bytes, api.moment());
    let report = api.page("", &page).await.must_be(200).body;
    assert_eq!(report["changes"], json!([]));
    assert_eq!((api.get(TREE).await.bytes, api.moment()), (before, moment));

    api.patch("/v1/policies/nishi/2024", "*", &json!({ "head_title": "新しい職" }))
        .await
        .must_be(200);
    let past = text(
        &api.send(Call::new("GET", format!("{FORM}?as_of=revision:1")).anonymous())
            .await
            .must_be(200),
    );
    assert_eq!(past, page.replace("\"tree\"", "\"tree?as_of=revision:1\""));
    let moment = "2099-01-01T00:00:00%2B09:00";
    api.get(format!("{FORM}?as_of={moment}"))
        .await
        .must_refuse(400, &[("as_of", "future")]);
    let now = api.list("/v1/changes?limit=1000").await.last().unwrap()["at"].clone();
    let then = format!("{FORM}?as_of={}", now.as_str().unwrap().replace('+', "%2B"));
    let shown = api.shown(&then).await;
    let link = shown
        .split_once("\"tree?as_of=")
        .and_then(|(_, rest)| rest.split_once('"'))
        .unwrap()
        .0;
    api.get(format!("{TREE}?as_of={link}")).await.must_be(200);
}

#[actix_web::test]
async fn what_is_not_there_or_not_wanted_is_refused_as_everywhere() {
    let api = ward().await;
    api.form("", PLAN).await.must_be(200);
    api.get("/v1/policies/nishi/2030/form").await.must_be(404);
    api.get("/v1/policies/nowhere/2024/form").await.must_be(404);
    api.get(format!("{FORM}?as_of=revision:9")).await.must_be(404);
    api.get(format!("{FORM}?as_of=yesterday"))
        .await
        .must_refuse(400, &[("as_of", "as_of")]);
    api.get(format!("{FORM}?format=pdf"))
        .await
        .must_refuse(400, &[("format", "unknown_parameter")]);
    for (accept, status) in [
        ("text/html", 200),
        ("text/*;q=0.1", 200),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", 200),
        ("application/json", 406),
        ("text/html;q=0, */*", 406),
    ] {
        let call = |path: &str| Call::new("GET", path).header("accept", accept);
        assert_eq!(api.send(call(FORM)).await.status, status, "{accept}");
    }
    api.send(Call::new("GET", TREE).header("accept", "text/html"))
        .await
        .must_be(406);
}

/// Texts that look like something else: markup, labels, headings, amounts, ratings, lists, blanks of all widths.
const HOSTILE: [&str; 12] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror='alert(1)'>&amp;&lt;",
    "</span></li></td></tr></table>",
    "自己評価",
    "経営課題9-(9) 別の課題",
    "令和5年度 東区運営方針策定",
    "6年度予算額 99百万円",
    "・①（１）番号で始まる",
    "全角\u{3000}と  二つの 空白",
    "名前：値：A",
    "「閉じない括弧：（",
    "※中助・共助。",
];

#[actix_web::test]
async fn any_text_is_shown_as_text_and_comes_back_as_it_was() {
    let api = ward().await;
    api.form("", RESULTS).await.must_be(200);
    let mut tree = api.get(TREE).await.body;
    for (n, goal) in tree["goals"].as_array_mut().unwrap().iter_mut().enumerate() {
        goal["title"] = json!(format!("{}。", HOSTILE[n]));
        goal["issue_recognition"] = json!(HOSTILE);
        goal["strategies"] = json!([format!("一行目\n\t二行目\n\n{}", HOSTILE[n])]);
        for (m, indicator) in goal["indicators"].as_array_mut().unwrap().iter_mut().enumerate() {
            indicator["name"] = json!(format!("{}{}", HOSTILE[(n * 3 + m) % 12], "の割合".repeat(m)));
            indicator["results"][0]["text"] = json!(format!("{}\n二行目", HOSTILE[(n + m) % 12]));
            indicator["results"][0]["stated_previous_text"] = json!(HOSTILE[m]);
        }
    }
    tree["goals"][0]["code"] = json!("1-1-2");
    tree["goals"][0]["id"] = Value::Null;
    for budget in tree["goals"][0]["budgets"].as_array_mut().unwrap() {
        budget["id"] = Value::Null;
    }
    tree["vision"] = json!(HOSTILE);
    tree["self_evaluation"] = json!(HOSTILE);
    tree["head_name"] = json!(HOSTILE[1]);
    tree["head_title"] = json!(HOSTILE[0]);
    let put = api.put(TREE, &api.get(TREE).await.etag(), &tree).await.must_be(200);
    let (here, _) = goes_round(&api, 2024).await;
    assert_eq!(here, put.body);
    let page = api.shown(FORM).await;
    assert!(!page.contains("<script") && !page.contains("<img") && !page.contains("&lt;script&gt;"));
    assert!(page.contains("&#60;script&#62;alert(1)"), "{page}");
}

#[actix_web::test]
async fn an_organization_with_any_name_is_named_by_its_page() {
    let api = ward().await;
    api.form("", PLAN).await.must_be(200);
    let read = api.get("/v1/organizations/nishi").await;
    let name = "令和5年度 <b>東区</b>運営方針、という名の「局」";
    api.patch("/v1/organizations/nishi", &read.etag(), &json!({ "name": name }))
        .await
        .must_be(200);
    let page = api.shown(FORM).await;
    let report = api.page("", &page).await.must_be(200).body;
    assert_eq!(
        (&report["organization"], &report["changes"]),
        (&json!("nishi"), &json!([]))
    );
}

#[actix_web::test]
async fn what_nobody_printed_is_printed_and_what_nobody_knows_is_not() {
    let years = Years::drafted().await;
    let api = &years.api;
    let mut tree = api.get(TREE).await.body;
    let goal = &mut tree["goals"][1];
    goal["indicators"][0]["target"] = with(at_least(&json!(80)), json!({ "text": null }));
    goal["indicators"][0]["results"][0] = with(
        goal["indicators"][0]["results"][0].clone(),
        json!({ "text": null, "value": 1082, "stated_previous_value": 0, "stated_previous_text": null }),
    );
    goal["indicators"][1]["kind"] = json!("output");
    goal["indicators"][1]["results"] = json!([]);
    goal["issue_recognition"] = Value::Null;
    let budget = |year: i32, kind: &str, changes: Value| {
        let budget = json!({ "id": null, "fiscal_year": year, "kind": kind, "status": "stated", "amount_yen": 1_500_000,
            "precision_yen": 1_000, "text": null });
        with(budget, changes)
    };
    goal["budgets"] = json!([
        budget(2018, "actual", json!({})),
        budget(
            2023,
            "initial",
            json!({ "status": "blank", "amount_yen": null, "precision_yen": null })
        ),
        budget(
            2023,
            "revised",
            json!({ "status": "none", "amount_yen": null, "precision_yen": null })
        ),
        budget(2024, "initial", json!({ "amount_yen": 0 })),
    ]);
    api.put(TREE, &api.get(TREE).await.etag(), &tree).await.must_be(200);
    let page = api.shown(FORM).await;
    for printed in [
        "平成30年度決算額",
        "5補正後予算額",
        "80%以上",
        "1,082",
        ">0%<",
        "アウトプット指標の達成状況",
    ] {
        assert!(page.contains(printed), "{printed}");
    }
    let (here, elsewhere) = goes_round(api, 2024).await;
    let of = |tree: &Value, pointer: &str| tree.pointer(pointer).unwrap().clone();
    for pointer in [
        "/goals/1/indicators/0/results/0/value",
        "/goals/1/indicators/0/results/0/stated_previous_value",
        "/goals/1/indicators/0/target/value",
        "/goals/1/indicators/1/kind",
        "/goals/1/indicators/1/results",
        "/goals/1/issue_recognition",
        "/mission",
    ] {
        assert_eq!(of(&elsewhere, pointer), of(&here, pointer), "{pointer}");
    }
    let amounts = |tree: &Value| {
        let budgets = of(tree, "/goals/1/budgets").as_array().unwrap().clone();
        budgets
            .iter()
            .map(|it| {
                json!([
                    it["fiscal_year"],
                    it["kind"],
                    it["status"],
                    it["amount_yen"],
                    it["precision_yen"]
                ])
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(amounts(&elsewhere), amounts(&here));
}

#[actix_web::test]
async fn what_the_form_does_not_print_is_added_and_said_to_be() {
    let years = Years::drafted().await;
    let api = &years.api;
    let path = format!("/v1/indicators/{}/results/2025", years.known[1]);
    let nothing = json!({ "stated_previous_value": null, "stated_previous_text": null });
    api.patch(&path, "*", &nothing).await.must_be(200);
    let computed = "B 未達成</strong><span class=\"source\" data-not-form>（計算）</span>";
    let drafted = api.shown(FORM).await;
    assert!(
        !drafted.contains("（計算）") && !drafted.contains("（記録）"),
        "{drafted}"
    );
    for year in [2024, 2025] {
        years.publish(year).await;
    }
    let last = api.shown(FORM).await;
    assert_eq!(last.matches(computed).count(), 1, "{last}");
    assert!(last.contains("達成状況は所属の申告によります") && !last.contains("（記録）"));
    let this = api.shown("/v1/policies/nishi/2025/form").await;
    assert!(this.contains("35%<span class=\"source\">（記録）</span>"), "{this}");
    assert!(
        this.contains("81%") && !this.contains("82%"),
        "what is printed is shown"
    );
    for page in [last, this] {
        let report = api.page("", &page).await.must_be(200).body;
        for change in report["changes"].as_array().unwrap() {
            assert_eq!(change["fields"], json!(["position"]), "both had the first one");
        }
    }
}
