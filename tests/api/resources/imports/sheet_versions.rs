//! Tables that were taken away, changed and sent back: what others changed meanwhile is not undone in silence.

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Workbook};
use serde_json::{Value, json};
use ward_policy::sheet::table::column_name;

use crate::support::{Answer, Api, years::Years};

const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// An exported table in CSV: its heads, and its rows.
struct Exported {
    heads: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Exported {
    async fn take(api: &Api) -> Self {
        let file = api.get("/v1/exports/results?names=code").await.must_be(200);
        let mut reader = csv::Reader::from_reader(&file.bytes[..]);
        let texts = |record: &csv::StringRecord| record.iter().map(str::to_owned).collect::<Vec<_>>();
        Self {
            heads: texts(reader.headers().unwrap()),
            rows: reader.records().map(|row| texts(&row.unwrap())).collect(),
        }
    }

    fn column(&self, code: &str) -> usize {
        self.heads.iter().position(|head| head == code).unwrap()
    }

    /// The cell of an indicator, and its place in a spreadsheet.
    fn cell(&mut self, indicator: &str, code: &str) -> (&mut String, (u64, u64)) {
        let column = self.column(code);
        let id = self.column("indicator_id");
        let row = self.rows.iter().position(|row| row[id] == indicator).unwrap();
        let place = (u64::try_from(row).unwrap() + 2, u64::try_from(column).unwrap() + 1);
        (&mut self.rows[row][column], place)
    }

    fn without(&self, code: &str) -> Self {
        let left_out = self.column(code);
        let rest = |row: &Vec<String>| {
            let cells = row.iter().enumerate().filter(|(column, _)| *column != left_out);
            cells.map(|(_, cell)| cell.clone()).collect()
        };
        Self {
            heads: rest(&self.heads),
            rows: self.rows.iter().map(rest).collect(),
        }
    }

    fn csv(&self) -> Vec<u8> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(&self.heads).unwrap();
        for row in &self.rows {
            writer.write_record(row).unwrap();
        }
        writer.into_inner().unwrap()
    }

    /// As a workbook that says that it was saved at this moment.
    fn xlsx(&self, saved_at: &str) -> Vec<u8> {
        let mut book = Workbook::new();
        let moment = ExcelDateTime::parse_from_str(saved_at).unwrap();
        book.set_properties(&DocProperties::new().set_creation_datetime(&moment));
        let sheet = book.add_worksheet();
        for (at, row) in (0..).zip(std::iter::once(&self.heads).chain(&self.rows)) {
            for (column, text) in (0..).zip(row) {
                sheet.write(at, column, text.as_str()).unwrap();
            }
        }
        book.save_to_buffer().unwrap()
    }
}

async fn patch(api: &Api, indicator: &str, year: i32, body: &Value) -> Value {
    let path = format!("/v1/indicators/{indicator}/results/{year}");
    let read = api.get(&path).await.must_be(200);
    api.patch(&path, &read.etag(), body).await.must_be(200).body
}

async fn value(api: &Api, indicator: &str, year: i32) -> Value {
    let path = format!("/v1/indicators/{indicator}/results/{year}");
    api.get(path).await.must_be(200).body["value"].clone()
}

fn notes(report: &Answer, code: &str) -> Vec<Value> {
    let notes = report.body["notes"].as_array().unwrap().iter();
    notes.filter(|note| note["code"] == code).cloned().collect()
}

#[actix_web::test]
async fn a_row_whose_result_was_changed_since_is_refused_by_its_address() {
    let years = Years::drafted().await;
    let (api, known, drill) = (&years.api, &years.known[0], &years.drill);
    let mut table = Exported::take(api).await;
    assert_eq!(table.heads.last().map(String::as_str), Some("version"));
    *table.cell(drill, "value").0 = "21".into();
    patch(api, known, 2024, &json!({ "value": 36 })).await;

    let (_, (line, column)) = table.cell(known, "version");
    let tried = api.sheet("?dry_run=true", "text/csv", table.csv()).await.must_be(200);
    assert_eq!(
        (&tried.body["stored"], &tried.body["changed"]),
        (&json!(false), &json!(0))
    );
    let [note] = &notes(&tried, "version")[..] else {
        panic!("{}", tried.body)
    };
    assert_eq!(
        (&note["severity"], &note["line"], &note["column"]),
        (&json!("error"), &json!(line), &json!(column))
    );
    let address = format!("{}{line}: ", column_name(u32::try_from(column).unwrap()));
    let detail = &note["detail"];
    assert!(
        detail["ja"]
            .as_str()
            .unwrap()
            .starts_with(&format!("{address}版は1ですが、登録済みの版は2です"))
    );
    assert!(
        detail["en"]
            .as_str()
            .unwrap()
            .starts_with(&format!("{address}is version 1, and the stored one is 2"))
    );

    let refused = api.sheet("", "text/csv", table.csv()).await;
    refused.must_refuse(409, &[("", "version")]);
    assert!(refused.body.to_string().contains(&address), "{}", refused.body);
    assert_eq!(
        (value(api, known, 2024).await, value(api, drill, 2024).await),
        (json!(36), json!(20))
    );

    // Taken again, the table goes in.
    let mut table = Exported::take(api).await;
    *table.cell(drill, "value").0 = "21".into();
    let report = api.sheet("", "text/csv", table.csv()).await.must_be(200).body;
    assert_eq!((&report["created"], &report["changed"]), (&json!(0), &json!(1)));
    assert_eq!(
        (value(api, known, 2024).await, value(api, drill, 2024).await),
        (json!(36), json!(21))
    );
}

#[actix_web::test]
async fn a_row_that_changes_nothing_may_be_of_an_old_version() {
    let years = Years::drafted().await;
    let (api, known, drill) = (&years.api, &years.known[0], &years.drill);
    let mut table = Exported::take(api).await;
    patch(api, known, 2024, &json!({ "value": 36 })).await;
    *table.cell(known, "value").0 = "36".into();
    *table.cell(drill, "value").0 = "21".into();
    let report = api.sheet("", "text/csv", table.csv()).await.must_be(200).body;
    assert_eq!((&report["changed"], &report["notes"]), (&json!(1), &json!([])));
    // The same file once more changes nothing, although its versions are old now.
    let again = api.sheet("", "text/csv", table.csv()).await.must_be(200).body;
    assert_eq!((&again["changed"], &again["notes"]), (&json!(0), &json!([])));
}

#[actix_web::test]
async fn a_new_row_has_version_0_or_none() {
    let api = Api::new().await;
    let indicator = api.nishi_indicator().await.id();
    let row = |version: &str, value: &str| format!("指標ID,年度,実績値,版\n{indicator},2024,{value},{version}\n");
    for (version, status) in [("1", 409), ("x", 422), ("-1", 422), ("1.5", 422)] {
        let refused = api.sheet("", "text/csv", row(version, "5")).await.must_be(status);
        assert!(refused.body.to_string().contains("D2: "), "{}", refused.body);
    }
    api.sheet("", "text/csv", row("0", "5")).await.must_be(200);
    // Version 0 says that nothing is stored.
    let refused = api.sheet("", "text/csv", row("0", "6")).await;
    refused.must_refuse(409, &[("", "version")]);
    for (version, value) in [("1", "6"), ("2.0", "7"), ("", "8")] {
        let report = api.sheet("", "text/csv", row(version, value)).await.must_be(200).body;
        assert_eq!(report["changed"], 1, "{version}");
    }
}

#[actix_web::test]
async fn without_a_version_a_workbook_warns_of_what_was_changed_after_it_was_saved() {
    let years = Years::drafted().await;
    let (api, known, drill) = (&years.api, &years.known[0], &years.drill);
    let mut table = Exported::take(api).await;
    *table.cell(known, "value").0 = "37".into();
    let (_, (line, column)) = table.cell(known, "indicator_id");
    let address = format!("{}{line}: ", column_name(u32::try_from(column).unwrap()));
    let bare = table.without("version");

    let tried = api
        .sheet("?dry_run=true", XLSX, bare.xlsx("2024-05-01T00:00:00Z"))
        .await
        .must_be(200);
    let [note] = &notes(&tried, "changed_since")[..] else {
        panic!("{}", tried.body)
    };
    assert_eq!(
        (&note["severity"], &note["line"], &note["sheet"]),
        (&json!("warning"), &json!(line), &json!("Sheet1"))
    );
    assert!(note["detail"]["ja"].as_str().unwrap().starts_with(&address));
    // Neither where the file is younger, nor where nobody knows: an exported workbook has no time, nor has CSV.
    for (media_type, bytes) in [
        (XLSX, bare.xlsx("2099-05-01T00:00:00Z")),
        (XLSX, bare.xlsx("2024-04-01T00:00:00Z")),
        ("text/csv", bare.csv()),
    ] {
        let tried = api.sheet("?dry_run=true", media_type, bytes).await.must_be(200);
        assert_eq!(
            (&tried.body["changed"], notes(&tried, "changed_since")),
            (&json!(1), vec![])
        );
    }
    // An empty version is none.
    table.cell(known, "version").0.clear();
    let tried = api
        .sheet("", XLSX, table.xlsx("2024-05-01T00:00:00Z"))
        .await
        .must_be(200);
    assert_eq!(notes(&tried, "changed_since").len(), 1);
    assert_eq!(
        (value(api, known, 2024).await, value(api, drill, 2024).await),
        (json!(37), json!(20))
    );
}

#[actix_web::test]
async fn a_sheet_to_fill_in_says_which_versions_stand_in_it() {
    let years = Years::drafted().await;
    let (api, drill) = (&years.api, &years.drill);
    patch(api, &years.known[0], 2024, &json!({ "value": 36 })).await;
    let read = api
        .get(format!("/v1/indicators/{drill}/results/2024"))
        .await
        .must_be(200);
    api.delete(format!("/v1/indicators/{drill}/results/2024"), &read.etag())
        .await
        .must_be(204);
    let path = "/v1/exports/results?template=true&organization=nishi&fiscal_year=2024&format=csv&names=code";
    let file = api.get(path).await.must_be(200);
    let mut reader = csv::Reader::from_reader(&file.bytes[..]);
    let versions: Vec<(String, String)> = reader
        .records()
        .map(|row| row.unwrap())
        .map(|row| (row[row.len() - 2].to_owned(), row[row.len() - 1].to_owned()))
        .collect();
    let of = |id: &str| versions.iter().find(|(known, _)| known == id).unwrap().1.as_str();
    assert_eq!((of(&years.known[0]), of(&years.pleased[0]), of(drill)), ("2", "1", "0"));
}

#[actix_web::test]
async fn worksheets_are_read_together_and_named() {
    let years = Years::drafted().await;
    let (api, known, drill) = (&years.api, &years.known[0], &years.drill);
    let book = |second: &str| {
        let mut book = Workbook::new();
        for (name, id, value) in [("上期", known.as_str(), 36), ("下期", second, 21)] {
            let sheet = book.add_worksheet().set_name(name).unwrap();
            for (column, text) in (0..).zip(["指標ID", "年度", "実績値"]) {
                sheet.write(0, column, text).unwrap();
            }
            sheet.write(1, 0, id).unwrap();
            sheet.write(1, 1, 2024).unwrap();
            sheet.write(1, 2, value).unwrap();
        }
        book.save_to_buffer().unwrap()
    };
    let tried = api.sheet("?dry_run=true", XLSX, book(known)).await.must_be(200);
    let [note] = &notes(&tried, "repeated_result")[..] else {
        panic!("{}", tried.body)
    };
    assert_eq!((&note["sheet"], &note["line"]), (&json!("下期"), &json!(2)));
    let refused = api.sheet("", XLSX, book(known)).await.must_be(422);
    assert!(
        refused
            .body
            .to_string()
            .contains("下期!A2: 上期!A2 と同じ指標・年度です"),
        "{}",
        refused.body
    );

    let report = api.sheet("", XLSX, book(drill)).await.must_be(200).body;
    assert_eq!(report["changed"], 2, "{report:#}");
    assert_eq!(
        (value(api, known, 2024).await, value(api, drill, 2024).await),
        (json!(36), json!(21))
    );
}
