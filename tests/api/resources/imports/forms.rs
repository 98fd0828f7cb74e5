//! Imports of the official form: what it says comes in, with its place, and what is uncertain is said.

use serde_json::{Value, json};

use crate::support::{Answer, Api, Call, factories};

const TREE: &str = "/v1/policies/nishi/2024/tree";
pub(crate) const PLAN: &str = include_str!("../../../../src/cli/sample/nishi-2024.txt");
pub(crate) const RESULTS: &str = include_str!("../../../forms/nishi-2024-results.txt");
pub(crate) const NEXT: &str = include_str!("../../../forms/nishi-2025.txt");

impl Api {
    /// The answer to a form as text.
    pub(crate) async fn form(&self, query: &str, text: impl Into<Vec<u8>>) -> Answer {
        let call = Call::new("POST", format!("/v1/imports/forms{query}"));
        self.send(
            call.because("様式の取り込み")
                .body("text/plain; charset=utf-8", text.into()),
        )
        .await
    }
}

/// A service that knows the ward and nothing else.
pub(crate) async fn ward() -> Api {
    let api = Api::new().await;
    api.organization().await;
    api
}

/// A tree without what one installation alone gives it.
pub(crate) fn bare(mut tree: Value) -> Value {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(members) => {
                members.retain(|key, _| key != "id" && key != "series_id");
                members.values_mut().for_each(strip);
            }
            Value::Array(items) => items.iter_mut().for_each(strip),
            _ => {}
        }
    }
    strip(&mut tree);
    tree
}

/// Codes of the notes, with their severity.
fn notes(report: &Value) -> Vec<(String, String)> {
    let notes = report["notes"].as_array().unwrap().iter();
    notes
        .map(|note| {
            (
                note["severity"].as_str().unwrap().to_owned(),
                note["code"].as_str().unwrap().to_owned(),
            )
        })
        .collect()
}

fn indicator<'a>(tree: &'a Value, part: &str) -> &'a Value {
    let goals = tree["goals"].as_array().unwrap();
    let mut all = goals.iter().flat_map(|goal| goal["indicators"].as_array().unwrap());
    all.find(|it| it["name"].as_str().unwrap().contains(part)).unwrap()
}

#[actix_web::test]
async fn the_real_form_becomes_the_sample_data() {
    let api = ward().await;
    let report = api.form("", PLAN).await.must_be(200).body;
    let expected: Value = serde_json::from_str(include_str!("../../../forms/nishi-2024.json")).unwrap();
    let stored = bare(api.get(TREE).await.must_be(200).body);
    for (key, value) in expected.as_object().unwrap() {
        if key != "goals" {
            assert_eq!(&stored[key], value, "{key}");
        }
    }
    let (goals, stored) = (
        expected["goals"].as_array().unwrap(),
        stored["goals"].as_array().unwrap(),
    );
    assert_eq!(goals.len(), stored.len());
    for (expected, stored) in goals.iter().zip(stored) {
        for key in ["code", "title", "issue_recognition", "strategies", "budgets"] {
            assert_eq!(stored[key], expected[key], "{key}");
        }
        let pairs = expected["indicators"]
            .as_array()
            .unwrap()
            .iter()
            .zip(stored["indicators"].as_array().unwrap());
        for (expected, stored) in pairs {
            for (key, value) in expected.as_object().unwrap() {
                assert_eq!(&stored[key], value, "{key} of {}", expected["name"]);
            }
        }
    }
    assert_eq!(notes(&report), [("warning".to_owned(), "slip_corrected".to_owned())]);
    assert_eq!(report["evaluations"].as_array().unwrap().len(), 10);
    // The policy, its self-evaluation, 4 goals, 12 budgets, 10 indicators.
    assert_eq!((&report["created"], &report["changed"]), (&json!(28), &json!(0)));
}

#[actix_web::test]
async fn every_field_says_its_line_and_how_sure_it_is() {
    let api = ward().await;
    let report = api.form("?dry_run=true", PLAN).await.must_be(200).body;
    let fields = report["fields"].as_array().unwrap();
    let lines: Vec<&str> = PLAN.lines().collect();
    for field in fields {
        let pointer = field["pointer"].as_str().unwrap();
        let value = report["tree"]
            .pointer(pointer)
            .unwrap_or_else(|| panic!("{pointer} names nothing"));
        let line = lines[usize::try_from(field["line"].as_u64().unwrap()).unwrap() - 1];
        if let Some(name) = value["name"].as_str() {
            assert!(line.contains(name), "{pointer}: {line}");
        }
        if let Some(text) = value["text"].as_str() {
            assert!(line.contains(text), "{pointer}: {line}");
        }
    }
    let pointers: Vec<_> = fields.iter().map(|field| field["pointer"].as_str().unwrap()).collect();
    for pointer in [
        "/organization",
        "/vision",
        "/goals/3/indicators/2",
        "/goals/0/budgets/2",
        "/self_evaluation",
    ] {
        assert!(pointers.contains(&pointer), "{pointer}");
    }
    api.get(TREE).await.must_be(404);
}

#[actix_web::test]
async fn what_is_not_read_whole_is_kept_and_neither_judged_nor_added_up() {
    let api = ward().await;
    let form = RESULTS
        .replacen("4決算額\t77百万円", "4決算見込額\t77百万円", 1)
        .replacen("5予算額\t92百万円", "5予算額\t調整中", 1)
        .replacen("6予算額\t85百万円", "6予算額\t85", 1)
        .replacen("回答者の割合：40%以上", "回答者の割合：約40%以上", 1);
    let report = api.form("", form).await.must_be(200).body;
    let note = |code: &str| {
        let notes = report["notes"].as_array().unwrap().iter();
        notes
            .filter(|note| note["code"] == code)
            .map(|note| note["detail"]["ja"].to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(note("budget_unreadable").len(), 2);
    assert!(
        note("target_unreadable")[0].contains("「40%以上」"),
        "{:?}",
        note("target_unreadable")
    );

    let tree = api.get(TREE).await.must_be(200).body;
    let budgets: Vec<_> = tree["goals"][0]["budgets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|budget| json!([budget["kind"], budget["status"], budget["amount_yen"], budget["text"]]))
        .collect();
    assert_eq!(
        budgets,
        [
            json!(["expected", "stated", 77_000_000, "77百万円"]),
            json!(["initial", "unread", null, "調整中"]),
            json!(["initial", "unread", null, "85"]),
        ]
    );
    let sums = api.list("/v1/budgets/summary?fiscal_year=2024").await;
    assert_eq!(sums[0]["sum"]["complete"], json!(false));
    assert_eq!(sums[0]["sum"]["missing"][0]["status"], json!("unread"));

    let known = indicator(&tree, "地域活動協議会を知っている");
    let target = &known["target"];
    assert_eq!(
        (
            &target["comparator"],
            &target["value"],
            &target["text"],
            &known["direction"]
        ),
        (&json!("unread"), &Value::Null, &json!("約40%以上"), &json!("unknown"))
    );
    let id = known["id"].as_str().unwrap();
    let evaluation = api
        .get(format!("/v1/indicators/{id}/evaluation"))
        .await
        .must_be(200)
        .body["evaluation"]
        .clone();
    assert_eq!(
        (
            &evaluation["outcome"],
            &evaluation["reason"],
            &evaluation["computed_rating"]
        ),
        (&json!("not_evaluable"), &json!("target_unread"), &Value::Null),
        "{evaluation}"
    );
    let findings = api.list("/v1/findings?kind=target_unread").await;
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0]["found"]["value"]["text"], json!("約40%以上"));
}

#[actix_web::test]
async fn a_target_that_refers_to_a_year_has_the_unit_of_its_result() {
    let api = ward().await;
    let form = RESULTS.replacen("回答者の割合：40%以上", "回答者の割合：前年度より増加させる", 1);
    assert_ne!(form, RESULTS);
    api.form("", form).await.must_be(200);
    let tree = api.get(TREE).await.must_be(200).body;
    let known = indicator(&tree, "地域活動協議会を知っている");
    assert_eq!(
        (&known["target"]["comparator"], &known["unit"], &known["decimals"]),
        (&json!("increase"), &json!("%"), &json!(1))
    );
}

#[actix_web::test]
async fn the_same_form_again_changes_nothing() {
    let api = ward().await;
    for text in [PLAN, RESULTS] {
        api.form("", text).await.must_be(200);
        let (tree, moment) = (api.get(TREE).await.bytes, api.moment());
        let again = api.form("", text).await.must_be(200).body;
        assert_eq!((&again["changes"], &again["left"]), (&json!([]), &json!([])));
        assert_eq!((api.get(TREE).await.bytes, api.moment()), (tree, moment));
    }
}

#[actix_web::test]
async fn a_form_with_results_adds_them_and_touches_nothing_else() {
    let api = ward().await;
    api.form("", PLAN).await.must_be(200);
    let planned = api.get(TREE).await.body;
    let report = api.form("", RESULTS).await.must_be(200).body;
    let created: Vec<_> = report["changes"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|change| change["op"] == "create")
        .map(|change| change["type"].as_str().unwrap())
        .collect();
    assert_eq!(created, ["result"; 10]);
    let changed: Vec<_> = report["changes"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|change| change["op"] == "update")
        .collect();
    assert_eq!(changed.len(), 1, "{changed:?}");
    assert_eq!(changed[0]["type"], "self_evaluation");
    let now = api.get(TREE).await.body;
    assert_eq!(
        now["source"], planned["source"],
        "where the plan comes from is not forgotten"
    );
    let outcomes: Vec<_> = report["evaluations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["outcome"].clone())
        .collect();
    assert!(outcomes.contains(&json!("achieved")) && outcomes.contains(&json!("not_achieved")));
    assert!(
        outcomes.contains(&json!("pending")),
        "one is being compiled: {outcomes:?}"
    );
    assert!(!now["self_evaluation"].as_array().unwrap().is_empty());
}

#[actix_web::test]
async fn what_people_know_beyond_the_form_survives_it() {
    let api = ward().await;
    api.form("", PLAN).await.must_be(200);
    let tree = api.get(TREE).await.body;
    let path = format!(
        "/v1/indicators/{}",
        indicator(&tree, "コンビニ")["id"].as_str().unwrap()
    );
    let read = api.get(&path).await;
    let known = json!({ "population": "証明書の交付件数", "decimals": 1, "comparable_with_previous": true });
    api.patch(&path, &read.etag(), &known).await.must_be(200);
    let report = api.form("", PLAN).await.must_be(200).body;
    assert_eq!(report["changes"], json!([]));
    assert_eq!(api.get(&path).await.body["population"], "証明書の交付件数");
}

#[actix_web::test]
async fn a_second_year_is_proposed_what_it_continues() {
    let api = ward().await;
    api.form("", RESULTS).await.must_be(200);
    let report = api.form("", NEXT).await.must_be(200).body;
    assert_eq!(report["fiscal_year"], 2025);
    let proposed: Vec<_> = report["links"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|link| link["candidates"][0]["confident"] == true)
        .map(|link| (link["name"].clone(), link["candidates"][0]["name"].clone()))
        .collect();
    let same = "区役所窓口が適切な対応をしていると感じる区民アンケート回答者の割合";
    assert!(proposed.contains(&(json!(same), json!(same))), "{proposed:?}");
    let series = |tree: &Value| indicator(tree, "区役所窓口")["series_id"].clone();
    let (this, next) = (
        api.get(TREE).await.body,
        api.get("/v1/policies/nishi/2025/tree").await.body,
    );
    assert_ne!(series(&this), series(&next), "nobody has confirmed it");
    let previous = &indicator(&next, "区役所窓口")["results"][0];
    assert_eq!(
        (
            &previous["stated_previous_text"],
            &previous["stated_previous_value"],
            &previous["value"]
        ),
        (&json!("81.4%"), &json!(81.4), &Value::Null)
    );

    // A person confirms; then the years are one series, and what does not fit is found.
    for link in report["links"].as_array().unwrap() {
        let best = &link["candidates"][0];
        if best["confident"] == true {
            let path = format!("/v1/indicators/{}", link["indicator_id"].as_str().unwrap());
            let change = json!({ "series_id": best["series_id"] });
            api.patch(&path, "*", &change).await.must_be(200);
        }
    }
    let series = series(&api.get(TREE).await.body);
    let years = api
        .get(format!("/v1/series/{}", series.as_str().unwrap()))
        .await
        .must_be(200)
        .body;
    let years: Vec<_> = years["years"]
        .as_array()
        .unwrap()
        .iter()
        .map(|year| year["fiscal_year"].clone())
        .collect();
    assert_eq!(years, [2024, 2025]);
    let findings = api.list("/v1/findings?fiscal_year=2025&limit=1000").await;
    let kinds: Vec<_> = findings
        .iter()
        .map(|finding| finding["kind"].as_str().unwrap())
        .collect();
    for kind in [
        "previous_value_differs",
        "target_lowered",
        "target_already_met",
        "budget_differs",
    ] {
        assert!(kinds.contains(&kind), "{kind}: {kinds:?}");
    }

    // A year later the results of 2025 come in as a table: what was achieved in 2024 is missed.
    let now = indicator(&next, "区役所窓口")["id"].as_str().unwrap().to_owned();
    let table = format!("指標ID,年度,実績値,達成状況\n{now},令和7年度,70.5,B\n");
    let stored = api.sheet("", "text/csv", table).await.must_be(200).body;
    assert_eq!(stored["evaluations"][0]["outcome"], "not_achieved");
    let turned = api.list("/v1/transitions?from=A&to=B").await;
    let [turned] = turned.as_slice() else {
        panic!("{turned:#?}")
    };
    assert_eq!(
        (&turned["series_id"], &turned["from"]["value"], &turned["to"]["value"]),
        (&series, &json!(81.2), &json!(70.5))
    );
    let coverage = api
        .get("/v1/coverage?fiscal_year=2025&on=2026-07-10")
        .await
        .must_be(200)
        .body;
    let nishi = coverage["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|item| item["organization"] == "nishi");
    assert_eq!(
        (&nishi.unwrap()["state"], &nishi.unwrap()["indicators"]["results_in"]),
        (&json!("draft"), &json!(1))
    );
}

#[actix_web::test]
async fn other_shapes_of_the_form_come_in_too() {
    let api = ward().await;
    for (slug, name, code) in [("konohana", "此花区", Some("271047"))] {
        let ward = factories::with(
            factories::ward(),
            json!({ "slug": slug, "name": name, "municipality_code": code }),
        );
        api.post("/v1/organizations", &ward).await.must_be(201);
    }
    let report = api
        .form("", include_str!("../../../forms/konohana-2023.txt"))
        .await
        .must_be(200)
        .body;
    assert_eq!(
        (&report["organization"], &report["fiscal_year"]),
        (&json!("konohana"), &json!(2023))
    );
    let results: Vec<_> = report["tree"]["goals"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|goal| goal["indicators"].as_array().unwrap())
        .flat_map(|it| it["results"].as_array().unwrap())
        .collect();
    let cumulative = results
        .iter()
        .find(|result| result["cumulative_value"] == 10488)
        .unwrap();
    assert_eq!(
        (&cumulative["value"], &cumulative["declared_rating"]),
        (&json!(4722), &json!("A"))
    );

    let html = include_str!("../../../forms/example-2024.html");
    let call = Call::new("POST", "/v1/imports/forms?dry_run=true").body("text/html", html);
    let report = api.send(call).await.must_be(200).body;
    assert!(notes(&report).iter().all(|(severity, _)| severity == "warning") || report["tree"].is_null());
}

#[actix_web::test]
async fn what_is_no_whole_form_is_refused_and_stores_nothing() {
    let api = ward().await;
    for (text, code) in [
        ("これは様式ではありません。", "not_a_form"),
        (include_str!("../../../forms/two-forms.txt"), "two_forms"),
        (include_str!("../../../forms/truncated.txt"), "truncated"),
        (include_str!("../../../forms/count-mismatch.txt"), "result_count"),
    ] {
        let moment = api.moment();
        let tried = api.form("?dry_run=true", text).await.must_be(200).body;
        assert_eq!((&tried["stored"], &tried["tree"]), (&json!(false), &Value::Null));
        assert!(
            notes(&tried).contains(&("error".to_owned(), code.to_owned())),
            "{code}: {}",
            tried["notes"]
        );
        let refused = api.form("", text).await;
        assert_eq!(refused.status, 422, "{code}");
        assert!(!refused.faults().is_empty());
        assert_eq!(api.moment(), moment);
    }
    let elsewhere = PLAN.replace("西区運営方針", "東区運営方針");
    let tried = api.form("?dry_run=true", elsewhere).await.must_be(200).body;
    assert_eq!(notes(&tried).last().unwrap().1, "organization_unknown");
}

#[actix_web::test]
async fn a_form_may_be_in_shift_jis_but_not_in_anything() {
    let api = ward().await;
    let (bytes, _, lost) = encoding_rs::SHIFT_JIS.encode(PLAN);
    assert!(!lost);
    let report = api.form("?dry_run=true", bytes.into_owned()).await.must_be(200).body;
    assert_eq!(report["organization"], "nishi");
    api.form("?dry_run=true", vec![b'x', 0xff, 0xff, 0xff])
        .await
        .must_refuse(400, &[("", "encoding")]);
}

#[actix_web::test]
async fn noise_is_answered_and_too_much_of_it_is_not_read() {
    let api = ward().await;
    let noise = "経営課題1-(1) 予算 ・指標：40%以上\t<ul>".repeat(60_000);
    let tried = api.form("?dry_run=true", noise).await.must_be(200).body;
    assert_eq!(tried["stored"], false);
    assert!(notes(&tried).iter().any(|(severity, _)| severity == "error"));
    let huge = vec![b'a'; 20 << 20];
    assert_eq!(api.form("", huge).await.status, 413);
}
