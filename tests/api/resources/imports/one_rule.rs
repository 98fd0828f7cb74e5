//! One reader of numbers: a cell is the same number in CSV, in a workbook, in a form and in a target, or it is none.

use rust_xlsxwriter::Workbook;
use serde_json::{Value, json};
use ward_policy::value::Decimal;

use super::forms::ward;
use crate::support::{Api, Call, factories};

const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// Cells with their unit, and the number they are; no number where it is empty. Marks of lists are left out, which a form
/// knows alone.
const CELLS: [(&str, &str, &str); 45] = [
    ("48.50", "%", "48.50"),
    ("48.5%", "%", "48.5"),
    ("５７．０％", "%", "57.0"),
    ("57パーセント", "%", "57"),
    ("8割", "%", "80"),
    ("0", "件", "0"),
    ("0件", "件", "0"),
    ("1,204人", "人", "1204"),
    ("１，２０４ 人", "人", "1204"),
    ("1204", "人", "1204"),
    ("1.5万人", "人", "15000"),
    ("3千人", "人", "3000"),
    ("3億2千万円", "円", "320000000"),
    ("77百万円", "円", "77000000"),
    ("22分30秒", "分", "22.5"),
    ("3団体", "団体", "3"),
    ("999999999999999", "件", "999999999999999"),
    ("0.123456789", "件", "0.123456789"),
    ("約40", "件", ""),
    ("40(2)5", "件", ""),
    ("51²", "件", ""),
    ("10⁵", "件", ""),
    ("51₂", "件", ""),
    ("51②", "件", ""),
    ("③", "件", ""),
    ("½", "件", ""),
    ("1½", "件", ""),
    ("2/3", "件", ""),
    ("3分の2", "分", ""),
    ("٥١", "件", ""),
    ("5१", "件", ""),
    ("12\n34", "件", ""),
    ("3　5", "件", ""),
    ("51 52", "件", ""),
    ("1 ,204", "人", ""),
    ("1.2.3", "件", ""),
    ("1,5", "件", ""),
    ("1,23,456", "件", ""),
    ("4±1", "件", ""),
    ("5人", "件", ""),
    ("22分20秒", "分", ""),
    ("1.23E+05", "件", ""),
    ("1234567890123456", "件", ""),
    ("0.0000000001", "件", ""),
    ("4x", "件", ""),
];

/// The numbers of the cells, by a table that a function makes of rows: indicator, year and cell.
async fn by_table(media_type: &str, file: impl Fn(&[(String, i32, &str)]) -> Vec<u8>) -> Vec<Option<String>> {
    let api = Api::new().await;
    let goal = api.nishi_goal().await.id();
    let mut units: Vec<(&str, String)> = Vec::new();
    let mut rows: Vec<(String, i32, &str)> = Vec::new();
    for (year, (cell, unit, _)) in (1960..).zip(CELLS) {
        if !units.iter().any(|(known, _)| *known == unit) {
            let body = factories::with(factories::indicator(&goal, unit), json!({ "unit": unit }));
            units.push((unit, api.post("/v1/indicators", &body).await.must_be(201).id()));
        }
        let (_, id) = units.iter().find(|(known, _)| *known == unit).unwrap();
        rows.push((id.clone(), year, cell));
    }
    let tried = api
        .sheet("?dry_run=true", media_type, file(&rows))
        .await
        .must_be(200)
        .body;
    let notes = tried["notes"].as_array().unwrap();
    let refused: Vec<u64> = notes
        .iter()
        .filter(|note| note["severity"] == "error")
        .map(|note| {
            assert_eq!(note["column"], 3, "{note}");
            note["line"].as_u64().unwrap()
        })
        .collect();
    let mut lines = 2..;
    let taken: Vec<_> = rows
        .iter()
        .filter(|_| !refused.contains(&lines.next().unwrap()))
        .cloned()
        .collect();
    api.sheet("", media_type, file(&taken)).await.must_be(200);
    let stored = api.list("/v1/results?limit=1000").await;
    let value = |year: i32| {
        let result = stored.iter().find(|result| result["fiscal_year"] == year)?;
        Some(result["value"].to_string())
    };
    rows.iter().map(|(_, year, _)| value(*year)).collect()
}

/// A cell of CSV or of a form that was pasted from a spreadsheet.
fn quoted(cell: &str) -> String {
    if cell.contains(['\n', ',']) {
        format!("\"{cell}\"")
    } else {
        cell.to_owned()
    }
}

fn csv(rows: &[(String, i32, &str)]) -> Vec<u8> {
    let rows = rows
        .iter()
        .map(|(id, year, cell)| format!("{id},{year},{}\n", quoted(cell)));
    format!("指標ID,年度,実績値\n{}", rows.collect::<String>()).into_bytes()
}

fn workbook(rows: &[(String, i32, &str)]) -> Vec<u8> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    for (column, head) in (0..).zip(["指標ID", "年度", "実績値"]) {
        sheet.write(0, column, head).unwrap();
    }
    for (at, (id, year, cell)) in (1..).zip(rows) {
        sheet.write(at, 0, id.as_str()).unwrap();
        sheet.write(at, 1, *year).unwrap();
        sheet.write(at, 2, *cell).unwrap();
    }
    book.save_to_buffer().unwrap()
}

fn number(value: &Value) -> Option<String> {
    (!value.is_null()).then(|| value.to_string())
}

/// The number that a form has where the cell stands as the result of an indicator in this unit.
async fn by_form(api: &Api, cell: &str, unit: &str) -> Option<String> {
    let cell = if cell.contains('\n') {
        quoted(cell)
    } else {
        cell.to_owned()
    };
    let text = format!(
        "令和6年度 西区運営方針\n(所属長 : 三村 浩也)\n目標\t・まち\n経営課題1-(1) 防災\n課題認識\t・a\n主な戦略\t・訓練\n\
         アウトカム指標\t・備え：100{unit}以上\n\
         アウトカム指標の達成状況\t6年度実績と達成状況\t{cell}\t前年度実績\t-\n"
    );
    let report = api.form("?dry_run=true", text).await.must_be(200).body;
    let indicator = &report["tree"]["goals"][0]["indicators"][0];
    assert!(report["tree"].is_null() || indicator["unit"] == unit, "{report:#}");
    number(&indicator["results"][0]["value"])
}

/// The number that a target has which is the cell and 以上.
async fn by_target(api: &Api, cell: &str, unit: &str) -> Option<String> {
    let body = json!({ "text": format!("{cell}以上"), "fiscal_year": 2024 });
    let asked = Call::new("POST", "/v1/targets/parse").anonymous().json(&body);
    let read = api.send(asked).await.must_be(200).body;
    let is_whole = read["parse"] == "full" && read["name"].is_null();
    let is_of_unit = read["unit"].is_null() || read["unit"] == unit;
    number(&read["target"]["value"]).filter(|_| is_whole && is_of_unit)
}

#[actix_web::test]
async fn a_cell_is_the_same_number_wherever_it_stands_or_none() {
    let csv = by_table("text/csv", csv).await;
    let xlsx = by_table(XLSX, workbook).await;
    let api = ward().await;
    let mut everywhere = 0;
    for ((cell, unit, expected), (csv, xlsx)) in CELLS.iter().zip(csv.iter().zip(&xlsx)) {
        let expected = Some(*expected).filter(|it| !it.is_empty()).map(str::to_owned);
        assert_eq!((csv, xlsx), (&expected, &expected), "{cell} in tables");
        let (form, target) = (by_form(&api, cell, unit).await, by_target(&api, cell, unit).await);
        let same = |read: &Option<String>| {
            let parse = |it: &str| it.parse::<Decimal>().unwrap();
            read.as_deref().map(parse) == expected.as_deref().map(parse) || read.is_none()
        };
        assert!(same(&form), "{cell} in a form: {form:?}");
        assert!(same(&target), "{cell} in a target: {target:?}");
        everywhere += usize::from(form.is_some() && target.is_some());
    }
    assert!(everywhere >= 14, "read everywhere: {everywhere}");
}
