//! A table of examples, and properties of any two documents.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn indicator(id: &str, name: &str, value: i32) -> Value {
    json!({ "id": id, "name": name, "target": { "text": format!("{value}%以上"), "value": value }, "results": [] })
}

fn document() -> Value {
    json!({
        "revision": 1, "vision": ["誇り"], "goals": [
            { "id": "g1", "code": "1-1", "title": "地域", "budgets": [{ "fiscal_year": 2024, "kind": "initial", "amount_yen": 85 }],
              "indicators": [indicator("i1", "知っている割合", 48), indicator("i2", "団体数", 3)] },
            { "id": "g2", "code": "1-2", "title": "防災", "budgets": [], "indicators": [] },
        ]
    })
}

/// The differences after a change of a document, as (pointer, place, kind).
fn after(change: impl FnOnce(&mut Value)) -> Vec<(String, String, Difference)> {
    let (from, mut to) = (document(), document());
    change(&mut to);
    between(&from, &to)
        .into_iter()
        .map(|change| {
            (
                change.pointer,
                format!("{} | {}", change.place.ja, change.place.en),
                change.what,
            )
        })
        .collect()
}

#[test]
fn differences_are_named_as_people_name_them() {
    use Difference::{Added, Changed, Removed};
    type Edit = fn(&mut Value);
    type Named = &'static [(&'static str, &'static str, Difference)];
    let table: &[(Edit, Named)] = &[
        (|to| to["revision"] = json!(2), &[]),
        (|to| to["vision"] = json!([]), &[("/vision", "目標 | vision", Changed)]),
        (
            |to| to["goals"][0]["indicators"][0]["target"]["value"] = json!(50),
            &[(
                "/goals/0/indicators/0/target",
                "経営課題1-1 › 指標「知っている割合」 › 目標値 | goal 1-1 › indicator “知っている割合” › target",
                Changed,
            )],
        ),
        (
            |to| to["goals"][0]["indicators"][0]["results"] = json!([{ "fiscal_year": 2024, "value": 57 }]),
            &[(
                "/goals/0/indicators/0/results/0",
                "経営課題1-1 › 指標「知っている割合」 › 2024年度の実績 | goal 1-1 › indicator “知っている割合” › result for FY2024",
                Added,
            )],
        ),
        (
            |to| to["goals"][0]["budgets"][0]["amount_yen"] = json!(86),
            &[(
                "/goals/0/budgets/0/amount_yen",
                "経営課題1-1 › 2024年度当初予算額 › 金額 | goal 1-1 › FY2024 initial budget › amount",
                Changed,
            )],
        ),
        (
            |to| to["goals"][0]["budgets"] = json!([]),
            &[(
                "/goals/0/budgets/0",
                "経営課題1-1 › 2024年度当初予算額 | goal 1-1 › FY2024 initial budget",
                Removed,
            )],
        ),
        (
            |to| to["goals"][0]["code"] = json!("1-9"),
            &[("/goals/0/code", "経営課題1-9 › 番号 | goal 1-9 › code", Changed)],
        ),
        (
            |to| to["goals"] = json!([to["goals"][0]]),
            &[("/goals/1", "経営課題1-2 | goal 1-2", Removed)],
        ),
        (
            |to| to["goals"][0]["indicators"].as_array_mut().unwrap().reverse(),
            &[(
                "/goals/0/indicators",
                "経営課題1-1 › 指標の順序 | goal 1-1 › order of the indicators",
                Changed,
            )],
        ),
        (
            |to| {
                let indicator = to["goals"][0]["indicators"].as_array_mut().unwrap().remove(1);
                to["goals"][1]["indicators"] = json!([indicator]);
            },
            &[(
                "/goals/1/indicators/0",
                "経営課題1-2 › 指標「団体数」 › 経営課題 | goal 1-2 › indicator “団体数” › goal",
                Changed,
            )],
        ),
    ];
    for (edit, expected) in table {
        let expected: Vec<_> = expected
            .iter()
            .map(|(pointer, place, what)| ((*pointer).to_owned(), (*place).to_owned(), *what))
            .collect();
        assert_eq!(after(edit), expected);
    }
}

#[test]
fn a_goal_that_got_another_id_is_known_by_its_code() {
    let changes = after(|to| to["goals"][1]["id"] = json!("g9"));
    assert_eq!(changes[0].0, "/goals/1/id");
    assert_eq!(changes.len(), 1);
}

/// A later version of the service gives more members than the one that made a document.
#[test]
fn a_member_that_is_null_says_no_more_than_one_that_is_missing() {
    assert_eq!(after(|to| to["source"] = Value::Null), []);
    assert_eq!(
        after(|to| to["goals"][0]["indicators"][0]["target"]["upper"] = Value::Null),
        []
    );
    assert_eq!(
        after(|to| to["goals"][0]["indicators"][0]["target"]["upper"] = json!(1)).len(),
        1
    );
    let (list, empty, text) = (json!({ "a": [1, null] }), json!({}), json!({ "a": "null" }));
    assert!(same(&json!({ "a": null }), &empty) && same(&empty, &json!({ "a": null })));
    for other in [json!({ "a": [1] }), json!({ "a": [null, 1] }), empty, text] {
        assert!(!same(&list, &other) && !same(&other, &list), "{other}");
    }
}

/// Documents that share goals, indicators, budgets and results often, and differ often.
fn documents() -> impl Strategy<Value = Value> {
    let result = (2022..2025_i32, 0..3_i32);
    let results = proptest::collection::btree_map(2022..2025_i32, result, 0..3);
    let indicators = proptest::collection::btree_map(0..6_u8, (0..3_i32, results), 0..5);
    let budgets = proptest::collection::btree_map(2022..2025_i32, 0..3_i32, 0..3);
    let goal = (0..2_i32, budgets, indicators, any::<bool>());
    let goals = proptest::collection::btree_map(0..4_u8, goal, 0..4);
    (goals, proptest::collection::vec("[あい]", 0..3), 1..9_i32).prop_map(|(goals, vision, revision)| {
        let mut taken = Vec::new();
        let goals: Vec<Value> = goals
            .into_iter()
            .map(|(n, (title, budgets, indicators, turned))| {
                let mut indicators: Vec<Value> = indicators
                    .into_iter()
                    .filter(|(m, _)| !taken.contains(m))
                    .map(|(m, (value, results))| {
                        let mut indicator = indicator(&format!("i{m}"), &format!("指標{m}"), value);
                        indicator["results"] = results
                            .into_iter()
                            .map(|(year, (_, value))| json!({ "fiscal_year": year, "value": value }))
                            .collect();
                        indicator
                    })
                    .collect();
                taken.extend(indicators.iter().filter_map(|i| i["id"].as_str()?[1..].parse::<u8>().ok()));
                if turned {
                    indicators.reverse();
                }
                let budgets: Vec<Value> = budgets
                    .into_iter()
                    .map(|(year, amount)| json!({ "fiscal_year": year, "kind": "initial", "amount_yen": amount }))
                    .collect();
                json!({ "id": format!("g{n}"), "code": format!("1-{n}"), "title": title, "budgets": budgets, "indicators": indicators })
            })
            .collect();
        json!({ "revision": revision, "vision": vision, "goals": goals })
    })
}

proptest! {
    #[test]
    fn nothing_differs_only_if_nothing_differs(from in documents(), mut to in documents()) {
        prop_assert_eq!(between(&from, &from), vec![]);
        let changes = between(&from, &to);
        to["revision"] = from["revision"].clone();
        prop_assert_eq!(changes.is_empty(), from == to);
    }

    #[test]
    fn a_change_shows_what_stands_where_it_points(from in documents(), to in documents()) {
        for change in between(&from, &to) {
            let now = to.pointer(&change.pointer);
            match change.what {
                Difference::Added => prop_assert_eq!(now, Some(&change.after)),
                Difference::Removed => prop_assert_eq!(from.pointer(&change.pointer), Some(&change.before)),
                // A moved indicator shows both goals; a changed order shows the names.
                Difference::Changed if change.place.ja.ends_with("経営課題") => {
                    prop_assert!(now.is_some());
                    prop_assert!(change.before["id"].is_string() && change.after["id"].is_string());
                }
                Difference::Changed if change.place.ja.ends_with("指標の順序") => prop_assert!(now.unwrap().is_array()),
                Difference::Changed => prop_assert_eq!(now, Some(&change.after)),
            }
            prop_assert_ne!(change.before, change.after);
        }
    }

    #[test]
    fn the_patch_makes_of_one_document_the_other(mut from in documents(), to in documents()) {
        let patch = json_patch::diff(&from, &to);
        json_patch::patch(&mut from, &patch).unwrap();
        prop_assert_eq!(from, to);
    }
}
