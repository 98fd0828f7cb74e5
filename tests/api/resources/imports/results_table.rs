//! Imports of results by spreadsheet: rightly, or refused by the address of the cell.

use std::fmt::Write as _;

use rust_xlsxwriter::{Format, Workbook};
use serde_json::{Value, json};

use crate::support::{Answer, Api, Call, years::Years};

const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

impl Api {
    pub(crate) async fn sheet(&self, query: &str, media_type: &str, bytes: impl Into<Vec<u8>>) -> Answer {
        let call = Call::new("POST", format!("/v1/imports/results{query}"));
        self.send(call.body(media_type, bytes.into())).await
    }

    async fn csv(&self, query: &str, text: &str) -> Answer {
        self.sheet(query, "text/csv", text).await
    }

    async fn value(&self, indicator: &str, year: i32) -> Value {
        self.get(format!("/v1/indicators/{indicator}/results/{year}"))
            .await
            .must_be(200)
            .body
    }
}

fn places(report: &Value) -> Vec<(u64, u64, String)> {
    let notes = report["notes"].as_array().unwrap().iter();
    notes
        .filter(|note| note["severity"] == "error")
        .map(|note| {
            (
                note["line"].as_u64().unwrap(),
                note["column"].as_u64().unwrap(),
                note["detail"]["en"]
                    .as_str()
                    .unwrap()
                    .split(':')
                    .next()
                    .unwrap()
                    .to_owned(),
            )
        })
        .collect()
}

#[actix_web::test]
async fn a_table_in_csv_updates_results_and_reports_what_they_mean() {
    let years = Years::drafted().await;
    let api = &years.api;
    let [known, pleased] = [&years.known[0], &years.pleased[0]];
    let text = format!(
        "指標ID,年度,実績値,状態,達成状況,実績（原文）\r\n{known},令和6年度,４１.50,,Ａ,41.5%\r\n{pleased},2024,,集計中,,\r\n"
    );
    let tried = api.csv("?dry_run=true", &text).await.must_be(200).body;
    assert_eq!(
        (&tried["created"], &tried["changed"], &tried["stored"]),
        (&json!(0), &json!(2), &json!(false))
    );
    assert_eq!(api.value(known, 2024).await["value"], 35, "nothing is stored yet");

    let report = api.csv("", &text).await.must_be(200).body;
    assert_eq!(
        (&report["changed"], &report["stored"], &report["format"]),
        (&json!(2), &json!(true), &json!("csv"))
    );
    let outcomes: Vec<_> = report["evaluations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["outcome"].clone())
        .collect();
    assert_eq!(outcomes, ["achieved", "pending"]);
    let stored = api.value(known, 2024).await;
    assert_eq!(
        (
            stored["value"].to_string(),
            &stored["declared_rating"],
            &stored["text"],
            &stored["sample_size"]
        ),
        ("41.50".to_owned(), &json!("A"), &json!("41.5%"), &json!(1200)),
        "what has no column stays"
    );
    let compiled = api.value(pleased, 2024).await;
    assert_eq!(
        (&compiled["value"], &compiled["value_status"]),
        (&Value::Null, &json!("being_compiled"))
    );
    let again = api.csv("", &text).await.must_be(200).body;
    assert_eq!(
        (&again["created"], &again["changed"], &again["changes"]),
        (&json!(0), &json!(0), &json!([]))
    );
}

#[actix_web::test]
async fn a_value_that_its_printed_text_contradicts_is_stored_with_a_warning() {
    let years = Years::drafted().await;
    let api = &years.api;
    let [known, pleased] = [&years.known[0], &years.pleased[0]];
    let text = format!("指標ID,年度,実績値,実績（原文）\n{pleased},2024,82,82%\n{known},2024,60.5,11%\n");
    for query in ["?dry_run=true", ""] {
        let report = api.csv(query, &text).await.must_be(200).body;
        let notes: Vec<_> = report["notes"].as_array().unwrap().iter().collect();
        let [only] = notes.as_slice() else { panic!("{report}") };
        assert_eq!(
            (&only["severity"], &only["code"], &only["line"]),
            (&json!("warning"), &json!("text_differs"), &json!(3))
        );
        let detail = "令和6年度の実績60.5%は、実績（原文）にある11%と異なる。";
        assert_eq!(only["detail"]["ja"], detail);
    }
    assert_eq!(api.value(known, 2024).await["value"].to_string(), "60.5");
    // A table without the text is held against the stored one.
    let report = api.csv("", &format!("指標ID,年度,実績値\n{known},2024,12\n")).await;
    assert_eq!(report.must_be(200).body["notes"][0]["code"], "text_differs");
}

#[actix_web::test]
async fn nought_is_a_number_and_an_empty_cell_is_none() {
    let years = Years::drafted().await;
    let api = &years.api;
    let [known, pleased] = [&years.known[0], &years.pleased[0]];
    api.csv("", &format!("指標ID,年度,実績値\n{known},2024,0\n"))
        .await
        .must_be(200);
    assert_eq!(api.value(known, 2024).await["value"], 0);
    let moment = api.moment();
    let text = format!("指標ID,年度,実績値\n{known},2024,5\n{pleased},2024,\n");
    let tried = api.csv("?dry_run=true", &text).await.must_be(200).body;
    assert_eq!(places(&tried), [(3, 3, "C3".to_owned())]);
    let refused = api.csv("", &text).await;
    assert_eq!(refused.status, 422);
    assert!(
        refused.body["errors"][0]["detail"].as_str().unwrap().contains("C3"),
        "{}",
        refused.body
    );
    assert_eq!(api.moment(), moment, "all of it or nothing");
}

#[actix_web::test]
async fn what_a_workbook_makes_of_data_is_read_rightly_or_refused() {
    let years = Years::drafted().await;
    let api = &years.api;
    let [known, pleased] = [&years.known[0], &years.pleased[0]];
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    for (column, head) in (0..).zip(["指標ID", "年度", "実績値", "測定日"]) {
        sheet.write(0, column, head).unwrap();
    }
    let percent = Format::new().set_num_format("0.0%");
    let day = Format::new().set_num_format("yyyy/m/d");
    sheet.write(1, 0, known.as_str()).unwrap();
    sheet.write(1, 1, 2024).unwrap();
    sheet.write_with_format(1, 2, 0.415, &percent).unwrap();
    sheet.write_with_format(1, 3, 45747, &day).unwrap();
    let bytes = book.save_to_buffer().unwrap();
    let report = api.sheet("", XLSX, bytes).await.must_be(200).body;
    assert_eq!(report["format"], "xlsx");
    let stored = api.value(known, 2024).await;
    assert_eq!(
        (stored["value"].to_string(), &stored["measured_on"]),
        ("41.5".to_owned(), &json!("2025-03-31"))
    );

    let sheet = book.worksheet_from_index(0).unwrap();
    sheet.write(2, 0, pleased.as_str()).unwrap();
    sheet.write(2, 1, 2024).unwrap();
    sheet.write_with_format(2, 2, 45747, &day).unwrap();
    let bytes = book.save_to_buffer().unwrap();
    let tried = api.sheet("?dry_run=true", XLSX, bytes).await.must_be(200).body;
    assert_eq!(
        places(&tried),
        [(3, 3, "C3".to_owned())],
        "a day is no value: {}",
        tried["notes"]
    );
}

#[actix_web::test]
async fn what_a_workbook_shows_otherwise_or_strikes_out_is_said() {
    let years = Years::drafted().await;
    let api = &years.api;
    let mut book = Workbook::new();
    let sheet = book.add_worksheet().set_name("実績").unwrap();
    for (column, head) in (0..).zip(["指標ID", "年度", "実績値"]) {
        sheet.write(0, column, head).unwrap();
    }
    for (row, id) in (1..).zip([&years.known[0], &years.pleased[0]]) {
        sheet.write(row, 0, id.as_str()).unwrap();
        sheet.write(row, 1, 2024).unwrap();
    }
    let thousands = Format::new().set_num_format("#,##0,");
    sheet.write_with_format(1, 2, 1_234_000, &thousands).unwrap();
    let (struck, plain) = (Format::new().set_font_strikethrough(), Format::new());
    sheet
        .write_rich_string(2, 2, &[(&struck, "48"), (&plain, "51")])
        .unwrap();
    let report = api
        .sheet("", XLSX, book.save_to_buffer().unwrap())
        .await
        .must_be(200)
        .body;
    let notes = report["notes"].as_array().unwrap().iter();
    let notes: Vec<_> = notes
        .map(|note| {
            (
                note["code"].as_str().unwrap(),
                note["sheet"].as_str().unwrap(),
                note["detail"]["ja"].as_str().unwrap(),
            )
        })
        .collect();
    let [shown, left_out] = notes[..] else {
        panic!("{report:#}")
    };
    let detail = "C2: 「1,234」と表示されていますが、入っている数値は1234000です。1234000として読みました";
    assert_eq!(shown, ("shown_differs", "実績", detail));
    assert_eq!(
        left_out,
        ("struck_out", "実績", "C3: 取り消し線の付いた「48」を除いて読みました")
    );
    assert_eq!(api.value(&years.known[0], 2024).await["value"], 1_234_000);
    assert_eq!(api.value(&years.pleased[0], 2024).await["value"], 51);

    // A cell with nothing else in it erases nothing.
    let sheet = book.worksheet_from_index(0).unwrap();
    sheet.write_with_format(2, 2, 51, &struck).unwrap();
    let tried = api
        .sheet("?dry_run=true", XLSX, book.save_to_buffer().unwrap())
        .await
        .must_be(200)
        .body;
    assert_eq!(places(&tried), [(3, 3, "C3".to_owned())]);
}

#[actix_web::test]
async fn what_is_no_table_or_names_what_is_not_there_is_refused() {
    let years = Years::drafted().await;
    let api = &years.api;
    for (media_type, bytes) in [
        ("text/csv", b"a,b\n1,2\n".to_vec()),
        ("text/csv", b"\xff\xff\xff".to_vec()),
        (XLSX, b"PK\x03\x04 no workbook".to_vec()),
        (XLSX, vec![0; 1000]),
    ] {
        let tried = api
            .sheet("?dry_run=true", media_type, bytes.clone())
            .await
            .must_be(200)
            .body;
        assert!(
            !places(&tried).is_empty() || tried["notes"][0]["severity"] == "error",
            "{}",
            tried["notes"]
        );
        assert_eq!(api.sheet("", media_type, bytes).await.status, 422);
    }
    let unknown = crate::support::factories::new_id();
    let tried = api
        .csv("?dry_run=true", &format!("指標ID,年度,実績値\n{unknown},2024,1\n"))
        .await
        .must_be(200)
        .body;
    assert_eq!(places(&tried)[0].0, 2);
}

#[actix_web::test]
async fn who_may_not_edit_an_organization_stores_no_results_of_it() {
    let years = Years::drafted().await;
    let api = &years.api;
    let other = api.token("別の所属", &["edit:nishi"]).await;
    let known = &years.known[0];
    let text = format!("指標ID,年度,実績値\n{known},2024,50\n");
    let call = |token: &str| {
        Call::new("POST", "/v1/imports/results")
            .by(token)
            .body("text/csv", text.clone())
    };
    api.send(call(&other)).await.must_be(200);
    api.bureau("keikaku").await;
    let bureau = api.token("計画", &["edit:keikaku"]).await;
    let refused = api.send(call(&bureau)).await;
    // To others the draft is not there.
    refused.must_refuse(422, &[("", "import")]);
    assert_eq!(api.value(known, 2024).await["value"], 50);
}

#[actix_web::test]
async fn a_status_alone_is_over_what_is_stored_and_refused_where_nothing_is() {
    let api = Api::new().await;
    let indicator = api.nishi_indicator().await.id();
    let text = format!("指標ID,年度,状態\n{indicator},2024,報告済み\n");
    let report = api.csv("?dry_run=true", &text).await.must_be(200).body;
    assert_eq!(
        (&report["stored"], &report["notes"][0]["line"]),
        (&json!(false), &json!(2))
    );
    let refused = api.csv("", &text).await.must_be(422);
    assert!(refused.text("detail").starts_with("2行"), "{}", refused.body);

    api.result(&indicator, 2024).await;
    let report = api.csv("", &text).await.must_be(200).body;
    assert_eq!((&report["created"], &report["changed"]), (&json!(0), &json!(0)));
}

#[actix_web::test]
async fn what_is_wrong_far_down_is_said_of_its_row() {
    let api = Api::new().await;
    let goal = api.nishi_goal().await.id();
    let mut text = "指標ID,年度,状態\n".to_owned();
    for n in 0..12 {
        let id = api.indicator(&goal, &format!("指標{n}")).await.id();
        for year in 1950..2050 {
            let status = if (n, year) == (11, 2000) {
                "報告済み"
            } else {
                "集計中"
            };
            writeln!(text, "{id},{year},{status}").unwrap();
        }
    }
    let report = api.csv("?dry_run=true", &text).await.must_be(200).body;
    let lines: Vec<_> = report["notes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|note| note["line"].clone())
        .collect();
    assert_eq!(lines, [json!(1152)]);
}
