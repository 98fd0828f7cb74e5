//! Exports as people read them: names, and workbooks to work with and to print.

use std::io::Cursor;

use serde_json::json;
use ward_policy::sheet::{RESULT_COLUMNS, table::column_name};

use super::{XLSX, column, part};
use crate::support::{Api, factories};

#[actix_web::test]
async fn names_stand_beside_codes() {
    let api = Api::new().await;
    let goal = api.nishi_goal().await;
    let indicator = api.indicator(&goal.id(), "参加者数").await.id();
    api.result(&indicator, 2024).await;
    let budget = json!({ "goal_id": goal.id(), "fiscal_year": 2024, "kind": "initial", "text": "85百万円" });
    api.post("/v1/budgets", &budget).await.must_be(201);
    let organization = api.get("/v1/organizations/nishi").await.body;
    for table in ["indicators", "results", "budgets", "evaluations"] {
        let lines = api.file(&format!("{table}?format=ndjson")).await.lines();
        let [line] = &lines[..] else {
            panic!("{table}: {lines:?}")
        };
        assert_eq!(line["organization"], organization["slug"], "{table}");
        assert_eq!(line["organization_name"], organization["name"], "{table}");
        assert_eq!(line["organization_name_en"], organization["name_en"], "{table}");
        assert_eq!(
            (&line["goal_code"], &line["goal_title"]),
            (&goal.body["code"], &goal.body["title"]),
            "{table}"
        );
    }
}

#[actix_web::test]
async fn a_workbook_is_made_to_be_read_and_printed() {
    let api = Api::new().await;
    let goal = api.nishi_goal().await.id();
    let one_place = factories::with(
        factories::indicator(&goal, "世帯数"),
        json!({ "unit": "世帯", "decimals": 1 }),
    );
    let indicator = api.post("/v1/indicators", &one_place).await.must_be(201).id();
    let values = [(2024, 12_480.0, "#,##0.0"), (2025, 12_480.25, "#,##0.00")];
    for (year, value, _) in values {
        let result = factories::with(factories::result(year), json!({ "value": value, "text": null }));
        api.create(format!("/v1/indicators/{indicator}/results/{year}"), &result)
            .await;
    }
    let file = api.file("results?format=xlsx").await;
    let (sheet, book) = (part(&file, "xl/worksheets/sheet1.xml"), part(&file, "xl/workbook.xml"));

    for element in [
        "state=\"frozen\"",
        "orientation=\"landscape\"",
        "fitToWidth=\"1\"",
        "fitToHeight=\"0\"",
    ] {
        let is_default = element == "fitToWidth=\"1\"" && !sheet.contains("fitToWidth");
        assert!(is_default || sheet.contains(element), "{element}");
    }
    let last = column_name(column("version"));
    assert!(
        sheet.contains(&format!("<autoFilter ref=\"A1:{last}3\"")),
        "the head and every row"
    );
    let printed = column_name(column("comment"));
    for area in [
        format!("'実績'!$A$1:${last}$3<"),
        format!("'実績'!$A$1:${printed}$3<"),
        "'実績'!$1:$1<".to_owned(),
    ] {
        assert!(book.replace("実績!", "'実績'!").contains(&area), "{area} in {book}");
    }
    assert!(
        RESULT_COLUMNS[..RESULT_COLUMNS.len() - 2]
            .iter()
            .all(|(code, _)| !code.ends_with("_id"))
    );

    // A number shows as many places as the indicator is stated with, or more if it has more.
    let styles = part(&file, "xl/styles.xml");
    let formats: Vec<&str> = styles.split("<cellXfs").nth(1).unwrap().split("<xf ").skip(1).collect();
    for (row, (_, _, expected)) in (2..).zip(values) {
        let cell = format!("<c r=\"{}{row}\" s=\"", column_name(column("value")));
        let style = sheet.split(&cell).nth(1).unwrap().split('"').next().unwrap();
        let format: &str = formats[style.parse::<usize>().unwrap()];
        let id = format.split("numFmtId=\"").nth(1).unwrap().split('"').next().unwrap();
        let code = match id {
            "3" => "#,##0",
            "4" => "#,##0.00",
            id => {
                let own = styles.split(&format!("numFmtId=\"{id}\" formatCode=\"")).nth(1);
                own.unwrap().split('"').next().unwrap()
            }
        };
        assert_eq!(code, expected);
    }
    let report = api.sheet("", XLSX, file.bytes.clone()).await.must_be(200).body;
    assert_eq!(report["notes"], json!([]), "what is held is what is seen");

    // LibreOffice opens no workbook with a part of zip64.
    let mut files = zip::ZipArchive::new(Cursor::new(&file.bytes[..])).unwrap();
    let table = files.by_name("xl/worksheets/sheet1.xml").unwrap();
    assert!(table.extra_data().as_deref().is_none_or(<[u8]>::is_empty));

    // Asked-for columns are all printed; and a table without rows has a head to filter by.
    let some = api
        .file("results?format=xlsx&columns=value,indicator_id&fiscal_year=1999")
        .await;
    assert!(part(&some, "xl/worksheets/sheet1.xml").contains("<autoFilter ref=\"A1:B1\""));
    let book = part(&some, "xl/workbook.xml");
    assert_eq!(book.matches("$A$1:$B$1<").count(), 2, "{book}");
}
