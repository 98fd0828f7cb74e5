//! `/v1/codelists`: every code with its labels.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::Api;

/// Every closed list of text codes in the contract.
fn enums(part: &Value, found: &mut BTreeSet<Vec<String>>) {
    match part {
        Value::Object(entries) => {
            if let Some(codes) = entries.get("enum").and_then(Value::as_array) {
                found.insert(codes.iter().map(|code| code.as_str().unwrap().to_owned()).collect());
            }
            entries.values().for_each(|value| enums(value, found));
        }
        Value::Array(items) => items.iter().for_each(|item| enums(item, found)),
        _ => {}
    }
}

#[actix_web::test]
async fn every_enum_of_the_contract_is_listed_with_labels_in_both_languages() {
    let api = Api::new().await;
    let lists = api.list("/v1/codelists").await;
    let mut listed = BTreeSet::new();
    for list in &lists {
        let codes = list["codes"].as_array().unwrap();
        for (code, order) in codes.iter().zip(1..) {
            assert_eq!(code["order"], order);
            for text in [
                &code["label"]["ja"],
                &code["label"]["en"],
                &code["meaning"],
                &list["meaning"],
            ] {
                assert!(!text.as_str().unwrap().is_empty(), "{list}");
            }
        }
        listed.insert(
            codes
                .iter()
                .map(|code| code["code"].as_str().unwrap().to_owned())
                .collect::<Vec<_>>(),
        );
    }
    let mut published = BTreeSet::new();
    enums(
        &serde_json::to_value(ward_policy::server::app::spec()).unwrap(),
        &mut published,
    );
    let missing: Vec<_> = published.difference(&listed).collect();
    assert!(missing.is_empty(), "not in the code lists: {missing:?}");
    let names: BTreeSet<_> = lists.iter().map(|list| list["name"].to_string()).collect();
    assert_eq!(names.len(), lists.len(), "a name is taken twice");
}
