//! `/v1/exports`: tables in files, which come back as they went.

use std::{
    collections::BTreeMap,
    io::{Cursor, Read as _, Write as _},
};

use serde_json::{Value, json};
use ward_policy::{
    resources::imports::results_table::is_header,
    sheet::{
        RESULT_COLUMNS,
        table::{Content, Table, column_name},
        xlsx,
    },
};
use zip::write::SimpleFileOptions;

use crate::support::{Answer, Api, Call, factories, years::Years};

pub(crate) mod columns;
mod for_people;

const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

impl Api {
    async fn file(&self, path: &str) -> Answer {
        self.get(format!("/v1/exports/{path}")).await.must_be(200)
    }
}

/// The rows of a file in CSV, by the heads.
fn rows(answer: &Answer) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_reader(&answer.bytes[..]);
    let heads = reader.headers().unwrap().clone();
    let row = |record: csv::StringRecord| {
        heads
            .iter()
            .zip(&record)
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .collect()
    };
    reader.records().map(|record| row(record.unwrap())).collect()
}

/// The column of a table of results that has this code, from 1.
fn column(code: &str) -> u32 {
    let place = RESULT_COLUMNS.iter().position(|(known, _)| *known == code).unwrap();
    u32::try_from(place + 1).unwrap()
}

/// The text of a part of a workbook.
fn part(book: &Answer, name: &str) -> String {
    let mut files = zip::ZipArchive::new(Cursor::new(&book.bytes[..])).unwrap();
    std::io::read_to_string(files.by_name(name).unwrap()).unwrap()
}

/// The texts of a worksheet, row by row.
fn cells(table: &Table, column: u32) -> Vec<Option<String>> {
    let text = |content: &Content| match content {
        Content::Text(text) => text.to_string(),
        Content::Number(number) => number.digits.to_string(),
        other => format!("{other:?}"),
    };
    let rows = table.rows.iter();
    rows.map(|row| row.cell(column).map(|cell| text(&cell.content)))
        .collect()
}

/// The only table of a workbook.
fn workbook(answer: &Answer) -> Table {
    let file = xlsx::read(&answer.bytes, is_header).unwrap();
    let [table] = file.tables.try_into().unwrap();
    table
}

/// A file of results whose rows do not say which version they were made from.
fn without_versions(file: &Answer, media_type: &str) -> Vec<u8> {
    if media_type != XLSX {
        let mut rows = csv::ReaderBuilder::new()
            .has_headers(false)
            .from_reader(&file.bytes[..]);
        let mut written = csv::Writer::from_writer(Vec::new());
        for (n, row) in rows.byte_records().enumerate() {
            let row = row.unwrap();
            let last = row.len() - 1;
            let kept = |at| if n > 0 && at == last { &b""[..] } else { &row[at] };
            written.write_record((0..row.len()).map(kept)).unwrap();
        }
        return written.into_inner().unwrap();
    }
    let mut files = zip::ZipArchive::new(Cursor::new(&file.bytes[..])).unwrap();
    let mut written = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for n in 0..files.len() {
        let mut part = files.by_index(n).unwrap();
        let name = part.name().unwrap().into_owned();
        let mut text = String::new();
        part.read_to_string(&mut text).unwrap();
        if name == "xl/worksheets/sheet1.xml" {
            let last = column_name(column("version"));
            for row in 2..=text.matches("<row ").count() {
                let (start, rest) = text.split_once(&format!("<c r=\"{last}{row}\"")).unwrap();
                let (_, end) = rest.split_once("</c>").unwrap();
                text = format!("{start}{end}");
            }
        }
        written.start_file(name, SimpleFileOptions::default()).unwrap();
        written.write_all(text.as_bytes()).unwrap();
    }
    written.finish().unwrap().into_inner()
}

#[actix_web::test]
async fn results_come_back_from_every_kind_of_file_as_they_went() {
    let years = Years::drafted().await;
    let api = &years.api;
    let known = &years.known[0];
    let path = format!("/v1/indicators/{known}/results/2024");
    let stored = api.get(&path).await.must_be(200);
    let odd = json!({
        "value": 41.50, "text": "=HYPERLINK(\"x\")", "comment": "一行目\n\"二行目\", 三", "stated_previous_text": "'-5",
        "measured_on": "2025-02-28", "declared_rating": "B", "sample_size": 0
    });
    api.patch(&path, &stored.etag(), &odd).await.must_be(200);
    let before = api.list("/v1/results?limit=1000").await;
    assert!(before.len() > 3);

    for (query, media_type) in [
        ("format=csv", "text/csv"),
        ("format=csv&bom=false&names=code", "text/csv"),
        ("format=csv&encoding=cp932", "text/csv"),
        ("format=xlsx", XLSX),
        ("format=xlsx&names=code", XLSX),
    ] {
        let file = api.file(&format!("results?{query}")).await;
        let report = api.sheet("", media_type, file.bytes.clone()).await.must_be(200).body;
        assert_eq!(
            (&report["created"], &report["changed"], &report["stored"]),
            (&json!(0), &json!(0), &json!(true)),
            "{query}: {report:#}"
        );

        // And where one was removed since, nothing comes back until the row says that it is new.
        let read = api.get(&path).await.must_be(200);
        api.delete(&path, &read.etag()).await.must_be(204);
        let refused = api.sheet("", media_type, file.bytes.clone()).await;
        refused.must_refuse(409, &[("", "version")]);
        let fresh = without_versions(&file, media_type);
        let report = api.sheet("", media_type, fresh).await.must_be(200).body;
        assert_eq!(
            (&report["created"], &report["changed"]),
            (&json!(1), &json!(0)),
            "{query}"
        );
        let mut after = api.list("/v1/results?limit=1000").await;
        let mut before = before.clone();
        for list in [&mut before, &mut after] {
            for row in list.iter_mut() {
                for key in ["id", "version", "created_at", "updated_at"] {
                    row[key].take();
                }
                // 41.50 is 41.5 in a spreadsheet.
                row["value"] = row["value"].as_f64().map_or(Value::Null, Value::from);
            }
            list.sort_by_key(|row| (row["indicator_id"].to_string(), row["fiscal_year"].to_string()));
        }
        assert_eq!(after, before, "{query}");
    }
}

#[actix_web::test]
async fn a_table_is_one_that_machines_read() {
    let api = Api::new().await;
    let goal = api.nishi_goal().await.id();
    let hostile = api.indicator(&goal, "=cmd|' /C calc'!A0").await.id();
    api.result(&hostile, 2024).await;
    let unknown = factories::with(
        factories::result(2023),
        json!({ "value": null, "value_status": "being_compiled", "observation_status": "provisional", "text": null, "declared_rating": null }),
    );
    api.create(format!("/v1/indicators/{hostile}/results/2023"), &unknown)
        .await;

    let file = api.file("results").await;
    assert_eq!(file.header("content-type"), "text/csv; charset=utf-8; header=present");
    assert_eq!(
        file.header("content-disposition"),
        "attachment; filename=\"results.csv\""
    );
    assert_eq!(
        file.header("link"),
        "<https://creativecommons.org/licenses/by/4.0/>; rel=\"license\""
    );
    let text = String::from_utf8(file.bytes.to_vec()).unwrap();
    let heads: Vec<&str> = RESULT_COLUMNS.iter().map(|(_, head)| *head).collect();
    assert_eq!(
        text.split("\r\n").next().unwrap(),
        format!("\u{feff}{}", heads.join(","))
    );
    assert!(text.ends_with("\r\n") && text.matches('\n').count() == 3);
    let row = &rows(&file)[0];
    assert_eq!(row["指標"], "'=cmd|' /C calc'!A0");
    assert_eq!((&*row["状態"], &*row["達成状況"]), ("報告済み", "達成"));
    assert_eq!(row["出典"], "大阪市 西区 2024年度運営方針");
    assert_eq!((&*rows(&file)[1]["実績値"], &*rows(&file)[1]["状態"]), ("", "集計中"));

    let bare = api.file("results?bom=false&names=code").await;
    let text = String::from_utf8(bare.bytes.to_vec()).unwrap();
    assert!(text.starts_with("organization_name,organization,policy_year,") && text.contains(",reported,"));

    let lines = api.file("results?format=ndjson").await.lines();
    let keys: Vec<&String> = lines[0].as_object().unwrap().keys().collect();
    let mut codes: Vec<&str> = RESULT_COLUMNS.iter().map(|(code, _)| *code).collect();
    codes.sort_unstable();
    let mut sorted = keys.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, codes);
    assert_eq!(
        (&lines[1]["value"], &lines[1]["value_status"]),
        (&Value::Null, &json!("being_compiled"))
    );
    assert_eq!(lines[0]["name"], "=cmd|' /C calc'!A0", "no spreadsheet reads this");
    assert_eq!(
        lines[0]["value"],
        api.get(format!("/v1/indicators/{hostile}/results/2024")).await.body["value"]
    );

    let book = api.file("results?format=xlsx").await;
    assert_eq!(book.header("content-type"), XLSX);
    let table = workbook(&book);
    assert_eq!(table.sheet.as_deref(), Some("実績"));
    assert_eq!(
        cells(&table, column("name"))[1].as_deref(),
        Some("=cmd|' /C calc'!A0"),
        "a text cell is no formula"
    );
    let names = part(&book, "xl/workbook.xml");
    assert!(names.contains("この表について") && names.contains("コード一覧"));
    assert!(!part(&book, "xl/worksheets/sheet1.xml").contains("<f>"));
}

#[actix_web::test]
async fn cp932_has_what_it_has_a_place_for_and_names_the_rest() {
    let api = Api::new().await;
    let goal = api.nishi_goal().await.id();
    let twins = api.indicator(&goal, "〜5−6歳—の¥割合‖").await.id();
    let foreign = api.indicator(&goal, "笑顔😀の割合").await.id();
    for indicator in [&twins, &foreign] {
        api.result(indicator, 2024).await;
    }
    let path = format!("results?encoding=cp932&names=code&indicator={twins}");
    let file = api.file(&path).await;
    let (text, _, broken) = encoding_rs::SHIFT_JIS.decode(&file.bytes);
    assert!(!broken && text.contains("～5－6歳―の￥割合∥"), "{text}");

    let path = format!("/v1/exports/results?encoding=cp932&names=code&indicator={foreign}");
    let refused = api.get(&path).await;
    refused.must_refuse(400, &[("encoding", "encoding")]);
    let detail = refused.body["errors"][0]["detail"].to_string();
    let letter = column_name(column("name"));
    assert!(detail.contains(&format!("{letter}2: 😀 (U+1F600)")), "{detail}");
}

#[actix_web::test]
async fn the_tables_hold_what_the_lists_hold() {
    let years = Years::drafted().await;
    let api = &years.api;
    for (table, list, id, key, query) in [
        ("indicators", "indicators", "指標ID", "id", ""),
        (
            "indicators",
            "indicators",
            "指標ID",
            "id",
            "fiscal_year=2024&kind=outcome",
        ),
        ("budgets", "budgets", "予算ID", "id", ""),
        ("budgets", "budgets", "予算ID", "id", "policy_year=2024&kind=initial"),
        ("results", "results", "指標ID", "indicator_id", "fiscal_year=2024"),
        ("evaluations", "evaluations", "指標ID", "indicator_id", ""),
        (
            "evaluations",
            "evaluations",
            "指標ID",
            "indicator_id",
            "outcome=achieved",
        ),
        (
            "evaluations",
            "evaluations",
            "指標ID",
            "indicator_id",
            "q=%E3%81%82%E3%82%8A%E3%81%88%E3%81%AA%E3%81%84",
        ),
    ] {
        let file = api.file(&format!("{table}?{query}")).await;
        let mut exported: Vec<String> = rows(&file).iter().map(|row| row[id].clone()).collect();
        let listed = api.list(format!("/v1/{list}?limit=1000&{query}")).await;
        let mut listed: Vec<String> = listed.iter().map(|row| row[key].as_str().unwrap().to_owned()).collect();
        exported.sort();
        listed.sort();
        assert_eq!(exported, listed, "{table}?{query}");
    }
    let lines = api.file("evaluations?format=ndjson").await.lines();
    let listed = api.list("/v1/evaluations?limit=1000").await;
    for (line, row) in lines.iter().zip(&listed) {
        // A column has one language.
        let row = row.as_object().unwrap().iter().filter(|(key, _)| *key != "explanation");
        for (key, value) in row {
            assert_eq!(&line[key], value, "{key}");
        }
    }
    api.get("/v1/exports/budgets?policy_yaer=2024")
        .await
        .must_refuse(400, &[("policy_yaer", "unknown_parameter")]);
    let empty = api
        .file("budgets?updated_since=2100-01-01T00:00:00Z&format=ndjson")
        .await;
    assert!(empty.bytes.is_empty());
}

#[actix_web::test]
async fn more_rows_than_are_read_together_are_all_there() {
    let api = Api::new().await;
    let goal = api.nishi_goal().await.id();
    let mut expected = Vec::new();
    for n in 0..11 {
        let id = api.indicator(&goal, &format!("指標{n}")).await.id();
        let entries: Vec<Value> = (1950..2050)
            .map(|year| json!({ "indicator_id": id, "result": factories::result(year) }))
            .collect();
        expected.extend((1950..2050).map(|year| format!("{id} {year}")));
        api.post("/v1/results", &json!({ "items": entries })).await.must_be(200);
    }
    let file = api.file("results").await;
    let mut exported: Vec<String> = rows(&file)
        .iter()
        .map(|row| format!("{} {}", row["指標ID"], row["年度"]))
        .collect();
    exported.sort();
    expected.sort();
    assert_eq!(exported, expected);
}

#[actix_web::test]
async fn a_sheet_to_fill_in_comes_back_filled_in() {
    let api = Api::new().await;
    api.organization().await;
    let policy = api.policy("nishi", 2024).await.id();
    let (second, first) = (api.goal(&policy, "2-1").await.id(), api.goal(&policy, "1-1").await.id());
    let late = api.indicator(&second, "後の指標").await.id();
    let done = api.indicator(&first, "済みの指標").await.id();
    let early = factories::with(factories::indicator(&first, "先の指標"), json!({ "position": 2 }));
    let early = api.post("/v1/indicators", &early).await.must_be(201).id();
    api.result(&done, 2024).await;
    api.create(
        format!("/v1/indicators/{early}/results/2023"),
        &factories::with(factories::result(2023), json!({ "value": 38.9 })),
    )
    .await;

    let path = "results?template=true&organization=nishi&fiscal_year=R6";
    let book = api.file(path).await;
    assert_eq!(
        book.header("content-disposition"),
        "attachment; filename=\"results-nishi-2024.xlsx\""
    );
    let table = workbook(&book);
    let ids: Vec<_> = cells(&table, column("indicator_id"))
        .into_iter()
        .skip(1)
        .flatten()
        .collect();
    assert_eq!(ids, [&*done, &*early, &*late], "in the order of the form");
    assert_eq!(
        cells(&table, column("previous_value"))[2].as_deref(),
        Some("38.9"),
        "the value of the year before"
    );
    let values = cells(&table, column("value"));
    assert_eq!(values[2..], [None, None], "nothing is known yet");
    assert!(values[1].is_some(), "what is stored is not to be typed again");
    let sheet = part(&book, "xl/worksheets/sheet1.xml");
    assert_eq!(sheet.matches("<dataValidation ").count(), 3);

    let untouched = api.sheet("", XLSX, book.bytes.clone()).await;
    assert_eq!(untouched.status, 422, "an empty cell without a status is an error");
    let said = untouched.body.to_string();
    let place = column_name(column("value"));
    assert!(
        [3, 4].iter().all(|row| said.contains(&format!(" {place}{row}: "))) && !said.contains(&format!(" {place}2: ")),
        "{said}"
    );

    let file = api.file(&format!("{path}&format=csv")).await;
    let mut reader = csv::Reader::from_reader(&file.bytes[..]);
    let mut filled = csv::Writer::from_writer(Vec::new());
    filled.write_record(reader.headers().unwrap()).unwrap();
    for record in reader.records() {
        let mut fields: Vec<String> = record.unwrap().iter().map(str::to_owned).collect();
        let at = |code| usize::try_from(column(code)).unwrap() - 1;
        match &fields[at("indicator_id")] {
            id if *id == early => fields[at("value")] = "0".into(),
            id if *id == late => fields[at("value_status")] = "集計中".into(),
            _ => {}
        }
        filled.write_record(&fields).unwrap();
    }
    let report = api
        .sheet("", "text/csv", filled.into_inner().unwrap())
        .await
        .must_be(200)
        .body;
    assert_eq!(
        (&report["created"], &report["changed"]),
        (&json!(2), &json!(0)),
        "{report:#}"
    );
    let zero = api.get(format!("/v1/indicators/{early}/results/2024")).await.body;
    assert_eq!((&zero["value"], &zero["value_status"]), (&json!(0), &json!("reported")));
    let none = api.get(format!("/v1/indicators/{late}/results/2024")).await.body;
    assert_eq!(
        (&none["value"], &none["value_status"]),
        (&Value::Null, &json!("being_compiled"))
    );

    for query in [
        "",
        "&organization=nishi",
        "&organization=nishi&fiscal_year=2024,2025",
        "&organization=nishi&fiscal_year=2024&kind=outcome",
    ] {
        api.get(format!("/v1/exports/results?template=true{query}"))
            .await
            .must_refuse(400, &[("template", "template")]);
    }
    api.get(format!("/v1/exports/{path}&format=ndjson"))
        .await
        .must_refuse(400, &[("format", "format")]);
    api.get("/v1/exports/results?template=true&organization=kita&fiscal_year=2024")
        .await
        .must_be(404);
}

#[actix_web::test]
async fn what_does_not_fit_together_is_refused_and_what_is_known_is_not_sent_again() {
    let years = Years::drafted().await;
    let api = &years.api;
    for (query, at, code) in [
        ("format=pdf", "format", "unknown_code"),
        ("format=xlsx&encoding=cp932", "encoding", "format"),
        ("format=xlsx&bom=true", "bom", "format"),
        ("encoding=cp932&bom=true", "bom", "format"),
        ("format=ndjson&names=ja", "names", "format"),
        ("template=true", "template", "unknown_parameter"),
    ] {
        api.get(format!("/v1/exports/budgets?{query}"))
            .await
            .must_refuse(400, &[(at, code)]);
    }
    for (accept, media_type) in [
        ("*/*", "text/csv; charset=utf-8; header=present"),
        (XLSX, XLSX),
        ("application/x-ndjson, text/csv;q=0.5", "application/x-ndjson"),
    ] {
        let call = Call::new("GET", "/v1/exports/budgets").header("accept", accept);
        assert_eq!(api.send(call).await.must_be(200).header("content-type"), media_type);
    }
    let call = Call::new("GET", "/v1/exports/budgets").header("accept", "application/pdf");
    api.send(call).await.must_be(406);

    for format in ["csv", "xlsx", "ndjson"] {
        let path = format!("/v1/exports/evaluations?format={format}");
        let first = api.get(&path).await.must_be(200);
        let known = Call::new("GET", &path).header("if-none-match", first.etag());
        assert!(api.send(known).await.must_be(304).bytes.is_empty());
        let head = api.send(Call::new("HEAD", &path)).await.must_be(200);
        assert_eq!(head.header("etag"), first.header("etag"));
    }
    let anonymous = api
        .send(Call::new("GET", "/v1/exports/evaluations").anonymous())
        .await
        .must_be(200);
    assert!(rows(&anonymous).is_empty(), "drafts are nobody's business");
    assert_eq!(anonymous.header("cache-control"), "public, max-age=0, must-revalidate");
}
