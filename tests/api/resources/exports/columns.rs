//! Exports with the columns that somebody asks for.

use serde_json::json;

use super::{cells, workbook};
use crate::support::{Api, years::Years};

const TABLES: [(&str, &str); 4] = [
    ("indicators", "name,goal_code,target_value"),
    ("results", "value,name,fiscal_year"),
    ("budgets", "amount_yen,kind,goal_code"),
    ("evaluations", "organization_name,name,explanation_ja,gap"),
];

#[actix_web::test]
async fn a_file_has_the_columns_that_are_asked_for_in_their_order() {
    let years = Years::published().await;
    for (table, columns) in TABLES {
        let whole = years.api.file(&format!("{table}?format=ndjson")).await.lines();
        let lines = years
            .api
            .file(&format!("{table}?format=ndjson&columns={columns}"))
            .await;
        let text = String::from_utf8(lines.bytes.to_vec()).unwrap();
        let first = text.lines().next().unwrap();
        let at: Vec<_> = columns
            .split(',')
            .map(|code| first.find(&format!("\"{code}\":")).unwrap())
            .collect();
        assert!(at.is_sorted(), "{first}");
        for (some, all) in lines.lines().iter().zip(&whole) {
            let some = some.as_object().unwrap();
            assert_eq!(some.len(), columns.split(',').count());
            assert!(some.iter().all(|(key, value)| all[key] == *value), "{some:?}");
        }
        let csv = years
            .api
            .file(&format!("{table}?names=code&bom=false&columns={columns}"))
            .await;
        let text = String::from_utf8(csv.bytes.to_vec()).unwrap();
        assert_eq!(text.lines().next(), Some(columns));
        assert_eq!(text.lines().count(), whole.len() + 1);
    }
}

#[actix_web::test]
async fn a_workbook_explains_the_codes_of_its_columns_and_keeps_its_licence() {
    let years = Years::published().await;
    let file = years
        .api
        .file("results?format=xlsx&columns=indicator_id,value_status,fiscal_year,value")
        .await;
    let table = workbook(&file);
    assert_eq!(cells(&table, 2)[0].as_deref(), Some("状態"));
    assert_eq!(cells(&table, 4).len(), 7);
    let mut book = zip::ZipArchive::new(std::io::Cursor::new(&file.bytes)).unwrap();
    let mut texts = String::new();
    std::io::Read::read_to_string(&mut book.by_name("xl/sharedStrings.xml").unwrap(), &mut texts).unwrap();
    assert!(texts.contains("ライセンス") && texts.contains("報告済み"));
    assert!(!texts.contains("確定区分"), "the codes of a column that is not there");
    assert!(file.header("link").contains("rel=\"license\""));
}

#[actix_web::test]
async fn a_column_that_is_not_there_is_refused_with_the_nearest() {
    let api = Api::new().await;
    for (query, code) in [
        ("valeu", "unknown_code"),
        ("", "unknown_code"),
        ("value,value", "repeated"),
    ] {
        let refused = api.get(format!("/v1/exports/evaluations?columns={query}")).await;
        refused.must_refuse(400, &[("columns", code)]);
        if query == "valeu" {
            assert_eq!(refused.suggestion("columns").as_deref(), Some("value"));
        }
    }
    // Of another table.
    api.get("/v1/exports/budgets?columns=outcome")
        .await
        .must_refuse(400, &[("columns", "unknown_code")]);
    // A sheet to fill in has all that an import needs.
    api.get("/v1/exports/results?template=true&organization=nishi&fiscal_year=2024&columns=name")
        .await
        .must_refuse(400, &[("template", "template")]);
}

#[actix_web::test]
async fn the_rows_of_evaluations_say_what_the_list_says() {
    let years = Years::published().await;
    let list = years.api.list("/v1/evaluations?limit=1000").await;
    let lines = years.api.file("evaluations?format=ndjson").await.lines();
    assert_eq!(list.len(), lines.len());
    for (row, line) in list.iter().zip(&lines) {
        for (key, value) in row.as_object().unwrap() {
            match key.as_str() {
                "explanation" => {
                    assert_eq!(
                        (&value["ja"], &value["en"]),
                        (&line["explanation_ja"], &line["explanation_en"])
                    );
                }
                key => assert_eq!(*value, line[key], "{key}"),
            }
        }
    }
    let since = list
        .iter()
        .map(|row| row["updated_at"].as_str().unwrap())
        .max()
        .unwrap();
    let since = since.replace('+', "%2B");
    let some = years
        .api
        .list(format!("/v1/evaluations?updated_since={since}&limit=1000"))
        .await;
    let lines = years
        .api
        .file(&format!("evaluations?format=ndjson&updated_since={since}"))
        .await
        .lines();
    assert_eq!((some.len(), json!(some.len() < list.len())), (lines.len(), json!(true)));
}
