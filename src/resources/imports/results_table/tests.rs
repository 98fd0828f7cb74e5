//! Examples of tables of results: what is read, and what is refused by which address.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use crate::{
    domain::kinds::{ObservationStatus, Rating},
    sheet::{
        csv,
        table::{Cell, Content, Number, Row},
    },
    value::{Date, Line, Prose},
};
use chrono::NaiveDate;

mod files;
mod random;
mod shown;
mod workbooks;

const PERCENT: &str = "018e9a2c-5b00-7000-8000-000000000611";
const GROUPS: &str = "018e9a2c-5b00-7000-8000-000000000612";
const BARE: &str = "018e9a2c-5b00-7000-8000-000000000613";

fn lookup(id: Id) -> Option<KnownIndicator> {
    let (name, unit) = match id.to_string().as_str() {
        PERCENT => ("満足している区民の割合", Some("%")),
        GROUPS => ("支援した団体の数", Some("団体")),
        BARE => ("満足度", None),
        _ => return None,
    };
    Some(KnownIndicator {
        name: name.to_owned(),
        unit: unit.map(str::to_owned),
        target_text: Some("40%以上".to_owned()),
        goal_code: "3-1".to_owned(),
        organization: ["nishi".to_owned(), "西区".to_owned()],
        policy_year: FiscalYear::new(2024)?,
    })
}

fn read_csv(text: &str) -> Sheet {
    read(&csv_file(text), None, lookup)
}

fn csv_file(text: &str) -> Tables {
    csv::read(text.as_bytes(), is_key).unwrap().into()
}

/// The notes of a sheet: the code and the address its detail begins with.
fn said(sheet: &Sheet) -> Vec<(&str, &str)> {
    sheet
        .notes
        .iter()
        .map(|note| (note.code, note.detail.en.split_once(':').map_or("", |(at, _)| at)))
        .collect()
}

fn only(sheet: &Sheet) -> &ResultInput {
    assert_eq!(
        (sheet.entries.len(), sheet.is_refused()),
        (1, false),
        "{:?}",
        sheet.notes
    );
    &sheet.entries.first().unwrap().result
}

/// A table of one row, with one cell besides those it needs.
fn with(indicator: &str, code: &str, content: Content) -> Sheet {
    let text = |column, text: &str| Cell {
        column,
        formula: false,
        content: Content::Text(text.into()),
        struck: false,
    };
    let head = Row {
        number: 1,
        hidden: false,
        cells: vec![text(1, "指標ID"), text(2, "年度"), text(3, code), text(4, "状態")],
    };
    let valued = ["value", "実績値", "累計値"].contains(&code);
    let status = (!valued).then_some("評価対象外");
    let mut cells = vec![text(1, indicator), text(2, "令和6年度")];
    cells.push(Cell {
        column: 3,
        formula: false,
        content,
        struck: false,
    });
    cells.extend(status.map(|status| text(4, status)));
    let row = Row {
        number: 2,
        hidden: false,
        cells,
    };
    let table = Table {
        rows: vec![head, row],
        ..Table::default()
    };
    read(&table.into(), None, lookup)
}

fn number(digits: &str, percent: bool) -> Content {
    Content::Number(Number {
        digits: digits.into(),
        percent,
        places: 0,
        shown: None,
    })
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

#[test]
fn a_whole_row_is_read() {
    let sheet = read_csv(&format!(
        "令和6年度 西区,,\n\nＩｎｄｉｃａｔｏｒ_id, 年　度 ,指標,単位,実績値,累計値,分子,分母,標本数,状態,確定区分,実績（原文）,達成状況,前年度実績値（記載）,前年度実績（記載原文）,測定日,備考\n\
         {PERCENT},R6,満足している区民の 割合,％,５７．０％ ,, 684,\"1,200\",\"1,200\",報告済み,速報値,\"57.0%\n：A\",Ａ,55.1,55.1％,令和7年3月31日,'=1+1\n"
    ));
    let result = only(&sheet);
    assert_eq!(sheet.notes, []);
    let expected = ResultInput {
        value: Some("57".parse().unwrap()),
        numerator: Some("684".parse().unwrap()),
        denominator: Some("1200".parse().unwrap()),
        sample_size: Some(1200),
        value_status: ValueStatus::Reported,
        observation_status: ObservationStatus::Provisional,
        text: Some(Prose("57.0%\n：A".into())),
        comment: Some(Prose("=1+1".into())),
        measured_on: Some(Date(day("2025-03-31"))),
        declared_rating: Some(Rating::A),
        stated_previous_value: Some("55.1".parse().unwrap()),
        stated_previous_text: Some(Line("55.1％".into())),
        ..ResultInput::nothing_yet(FiscalYear::new(2024).unwrap())
    };
    assert_eq!(*result, expected);
    let entry = sheet.entries.first().unwrap();
    assert_eq!((entry.row, entry.indicator_id.to_string().as_str()), (4, PERCENT));
}

#[test]
fn numbers_are_read_as_people_write_them() {
    for (indicator, content, expected) in [
        (PERCENT, Content::Text("57.0%".into()), "57"),
        (PERCENT, Content::Text("　５７．０　％ ".into()), "57"),
        (PERCENT, number("57", false), "57"),
        (PERCENT, number("0.57", true), "57"),
        (PERCENT, number("0.8496", true), "84.96"),
        (PERCENT, number("1", true), "100"),
        (PERCENT, number("0", true), "0"),
        (GROUPS, Content::Text("3団体".into()), "3"),
        (GROUPS, Content::Text("２，４１５ 団体".into()), "2415"),
        (GROUPS, Content::Text("0".into()), "0"),
        (GROUPS, Content::Text("-3".into()), "-3"),
        (GROUPS, Content::Text("−3".into()), "-3"),
        (GROUPS, Content::Text("▲1,234.5".into()), "-1234.5"),
        (GROUPS, Content::Text("△３団体".into()), "-3"),
        (GROUPS, Content::Text("+4.3".into()), "4.3"),
        (BARE, Content::Text("4.20".into()), "4.2"),
        (BARE, number("1E-3", false), "0.001"),
        (BARE, number("999999999999999", false), "999999999999999"),
    ] {
        for code in ["value", "累計値", "stated_previous_value"] {
            let sheet = with(indicator, code, content.clone());
            let result = only(&sheet);
            let read = result
                .value
                .or(result.cumulative_value)
                .or(result.stated_previous_value);
            assert_eq!(read, Some(expected.parse().unwrap()), "{content:?}");
        }
    }
}

#[test]
fn what_is_no_number_is_refused_by_its_cell() {
    for (indicator, content, code) in [
        (GROUPS, number("0.57", true), "percent"),
        (BARE, number("0.57", true), "percent"),
        (GROUPS, Content::Text("57%".into()), "unit"),
        (BARE, Content::Text("3団体".into()), "unit"),
        (GROUPS, Content::Text("3件".into()), "unit"),
        (GROUPS, Content::Date(day("2025-03-01")), "date"),
        (GROUPS, Content::Text("3月1日".into()), "date"),
        (GROUPS, Content::Text("1-Mar".into()), "date"),
        (GROUPS, Content::Text("Mar-01".into()), "date"),
        (GROUPS, Content::Text("2025/3/1".into()), "date"),
        (GROUPS, Content::Text("3/1".into()), "date"),
        (GROUPS, Content::Time, "time"),
        (GROUPS, Content::Boolean(true), "boolean"),
        (GROUPS, Content::Error("#N/A".into()), "error_value"),
        (GROUPS, Content::Uncomputed, "formula"),
        (GROUPS, Content::Text("集計中".into()), "status_as_value"),
        (GROUPS, Content::Text("－".into()), "number"),
        (GROUPS, Content::Text("1,5".into()), "number"),
        (GROUPS, Content::Text("1,23,456".into()), "number"),
        (GROUPS, Content::Text(",123".into()), "number"),
        (GROUPS, Content::Text("1.".into()), "number"),
        (GROUPS, Content::Text(".5".into()), "number"),
        (GROUPS, Content::Text("3-1".into()), "number"),
        (GROUPS, Content::Text("=1+1".into()), "number"),
        (GROUPS, Content::Text("約3".into()), "number"),
        (GROUPS, Content::Text("--3".into()), "number"),
        (GROUPS, Content::Text("'3".into()), "number"),
        (GROUPS, Content::Text("1e3".into()), "exponent"),
        (GROUPS, Content::Text("1.23E+05".into()), "exponent"),
        (GROUPS, Content::Text("51²".into()), "number"),
        (GROUPS, Content::Text("12\n34".into()), "number"),
        (GROUPS, Content::Text("3　5".into()), "number"),
        (GROUPS, Content::Text("- 3".into()), "number"),
        (GROUPS, Content::Text("2/3団体".into()), "number"),
        (GROUPS, Content::Text("③".into()), "number"),
        (GROUPS, Content::Text("10⁵".into()), "number"),
        (GROUPS, Content::Text("51 52".into()), "number"),
        (GROUPS, number("1234567890123456", false), "digits"),
        (GROUPS, number("0.0000000001", false), "digits"),
        (GROUPS, number("1E+400", false), "digits"),
        (PERCENT, number("1E+27", true), "digits"),
        (GROUPS, Content::Text("9".repeat(5000).into()), "digits"),
    ] {
        let sheet = with(indicator, "実績値", content.clone());
        assert_eq!(said(&sheet), [(code, "C2")], "{content:?}");
        assert!(sheet.is_refused() && sheet.entries.is_empty());
    }
}

#[test]
fn days_are_read_as_people_write_them() {
    for text in [
        "2025-03-31",
        "2025/3/31",
        "2025.3.31",
        "２０２５年３月３１日",
        "令和7年3月31日",
        "令和七年3月31日",
        "R7.3.31",
        "2025-3-31 ",
    ] {
        let sheet = with(GROUPS, "測定日", Content::Text(text.into()));
        assert_eq!(only(&sheet).measured_on, Some(Date(day("2025-03-31"))), "{text}");
    }
    for (text, expected) in [
        ("平成31年4月30日", "2019-04-30"),
        ("令和元年5月1日", "2019-05-01"),
        ("H30.4.1", "2018-04-01"),
    ] {
        let sheet = with(GROUPS, "測定日", Content::Text(text.into()));
        assert_eq!(only(&sheet).measured_on, Some(Date(day(expected))), "{text}");
    }
    let sheet = with(GROUPS, "測定日", Content::Date(day("2025-03-31")));
    assert_eq!(only(&sheet).measured_on, Some(Date(day("2025-03-31"))));
    for content in [
        Content::Text("2025-02-29".into()),
        Content::Text("3/31".into()),
        Content::Text("25/3/31".into()),
        Content::Text("7.3.31".into()),
        Content::Text("2025-03-31T00:00".into()),
        Content::Text("3月末".into()),
        Content::Text("2025-03-3¹".into()),
        Content::Text("R7.3.③".into()),
        number("45747", false),
    ] {
        assert_eq!(
            said(&with(GROUPS, "測定日", content.clone())),
            [("date", "C2")],
            "{content:?}"
        );
    }
    assert_eq!(said(&with(GROUPS, "測定日", Content::Time)), [("time", "C2")]);
    assert_eq!(
        said(&with(GROUPS, "測定日", Content::Text("1850-01-01".into()))),
        [("date", "C2")]
    );
}

#[test]
fn codes_are_read_by_code_and_label() {
    for text in [
        "being_compiled",
        "集計中",
        " 集計中　",
        "Being compiled",
        "ＢＥＩＮＧ_ＣＯＭＰＩＬＥＤ",
    ] {
        let sheet = read_csv(&format!("指標ID,年度,状態\n{GROUPS},2024,{text}\n"));
        let result = only(&sheet);
        assert_eq!(
            (result.value_status, result.observation_status, result.value),
            (ValueStatus::BeingCompiled, ObservationStatus::Provisional, None)
        );
    }
    for (text, rating) in [
        ("A", Rating::A),
        ("Ｂ", Rating::B),
        ("b", Rating::B),
        ("達成", Rating::A),
        ("未達成", Rating::B),
    ] {
        assert_eq!(
            only(&with(GROUPS, "達成状況", Content::Text(text.into()))).declared_rating,
            Some(rating)
        );
    }
    let sheet = read_csv(&format!("指標ID,年度,状態\n{GROUPS},2024,集計中です\n"));
    assert_eq!(said(&sheet), [("unknown_code", "C2")]);
    assert!(
        sheet
            .notes
            .first()
            .unwrap()
            .detail
            .ja
            .contains("「集計中」ではありませんか")
    );
    assert_eq!(
        said(&with(GROUPS, "達成状況", Content::Text("C".into()))),
        [("unknown_code", "C2")]
    );
    assert_eq!(said(&with(GROUPS, "達成状況", number("1", false))), [("number", "C2")]);
}

#[test]
fn an_empty_value_needs_a_reason_and_a_reason_no_value() {
    let head = "指標ID,年度,実績値,累計値,状態,実績（原文）";
    for (row, notes) in [
        ("2024,,,,", vec![("value_required", "C2")]),
        ("2024,　,,,57%", vec![("value_required", "C2")]),
        ("2024,,,報告済み,", vec![("value_status", "C2")]),
        ("2024,3,,集計中,", vec![("value_status", "E2")]),
        ("2024,,,文章のみ,", vec![("value_status", "F2")]),
        ("2024,0,,,", vec![]),
        ("2024,,7,,", vec![]),
        ("2024,,,集計中,", vec![]),
        ("2024,,,文章のみ,行った", vec![]),
    ] {
        let sheet = read_csv(&format!("{head}\n{GROUPS},{row}\n"));
        assert_eq!(said(&sheet), notes, "{row}");
        assert_eq!(sheet.entries.is_empty(), sheet.is_refused());
    }
}

#[test]
fn years_are_read_as_people_write_them() {
    for (content, year) in [
        (Content::Text("令和6年度".into()), 2024),
        (Content::Text("R6".into()), 2024),
        (Content::Text(" ２０２４ ".into()), 2024),
        (Content::Text("2024.0".into()), 2024),
        (number("2024", false), 2024),
        (number("6", false), 2024),
        (Content::Text("".into()), 2025),
    ] {
        let mut file = csv_file(&format!("指標ID,年度,実績値\n{GROUPS},x,3\n"));
        let table = file.tables.first_mut().unwrap();
        table.rows.get_mut(1).unwrap().cells.get_mut(1).unwrap().content = content.clone();
        let sheet = read(&file, FiscalYear::new(2025), lookup);
        assert_eq!(only(&sheet).fiscal_year.get(), year, "{content:?}");
    }
    for (text, code) in [
        ("6", "fiscal_year"),
        ("1900", "fiscal_year"),
        ("2024.5", "fiscal_year"),
        ("", "required"),
    ] {
        assert_eq!(
            said(&read_csv(&format!("指標ID,年度,実績値\n{GROUPS},{text},3\n"))),
            [(code, "B2")]
        );
    }
}

#[test]
fn heads_are_found_in_any_order_or_refused_by_name() {
    let sheet = read_csv(&format!("値の表\n\n\n実績値,fiscal_year,指標ＩＤ,\n3,2024,{GROUPS},\n"));
    assert_eq!(only(&sheet).value, Some("3".parse().unwrap()));
    for (text, notes) in [
        ("", vec![("no_header", "")]),
        ("年度,実績値\n2024,3\n", vec![("no_header", "")]),
        ("指標ID,年度,実績値,valeu\n", vec![("unknown_column", "D1")]),
        ("指標ID,年度,実績値,value\n", vec![("repeated_column", "D1")]),
        ("指標ID,備考\n", vec![("missing_column", ""), ("missing_column", "")]),
        (
            "指標ID,年度,実績値\nx,2024,3,memo\n",
            vec![("id", "A2"), ("no_head", "D2")],
        ),
    ] {
        assert_eq!(said(&read_csv(text)), notes, "{text}");
    }
    let sheet = read_csv("指標ID,年度,実績\n");
    let unknown = sheet.notes.iter().find(|note| note.code == "unknown_column").unwrap();
    assert!(unknown.detail.ja.contains("「実績値」ではありませんか"));
    assert_eq!(
        said(&read_csv(&format!("{}指標ID,年度,実績値\n", "x\n".repeat(20)))),
        [("no_header", "")]
    );
}

#[test]
fn everything_wrong_is_said_at_once() {
    let other = PERCENT.replace("611", "699");
    let sheet = read_csv(&format!(
        "指標ID,年度,実績値,分母,標本数,備考\n{GROUPS},x,y,0,1.5,\u{200b}\n{other},2024,3,,,\n,2024,3,,,\n{GROUPS},2024,1,,,\n{GROUPS},R6,2,,,\n ,,,　,,\n"
    ));
    assert_eq!(
        said(&sheet),
        [
            ("fiscal_year", "B2"),
            ("number", "C2"),
            ("count", "E2"),
            ("control_character", "F2"),
            ("unknown_indicator", "A3"),
            ("required", "A4"),
            ("repeated_result", "A6"),
        ]
    );
    assert_eq!(sheet.entries.len(), 1);
    let long = read_csv(&format!(
        "指標ID,年度,実績値,備考\n{GROUPS},2024,3,{}\n",
        "あ".repeat(4001)
    ));
    assert_eq!(said(&long), [("too_long", "D2")]);
    let zero = read_csv(&format!("指標ID,年度,実績値,分母\n{GROUPS},2024,3,0\n"));
    assert_eq!(said(&zero), [("positive", "D2")]);
    let many = read_csv(&format!("指標ID,年度,実績値\n{}", "x,y,z\n".repeat(1000)));
    assert_eq!(many.notes.len(), MOST_NOTES);
}

#[test]
fn what_only_looks_wrong_is_a_warning() {
    let sheet = read_csv(&format!(
        "指標ID,年度,指標,単位,実績値\n{PERCENT},2024,支援した団体の数,団体,0.57\n"
    ));
    assert_eq!(
        said(&sheet),
        [("name_differs", "C2"), ("unit_differs", "D2"), ("small_percent", "E2")]
    );
    assert_eq!(only(&sheet).value, Some("0.57".parse().unwrap()));
    let shown = Content::Number(Number {
        digits: "0.57".into(),
        percent: true,
        places: 1,
        shown: None,
    });
    let sheet = with(PERCENT, "実績（原文）", shown);
    assert_eq!(said(&sheet), [("number_as_text", "C2")]);
    assert_eq!(only(&sheet).text, Some(Prose("57.0%".into())));
    assert_eq!(
        said(&with(PERCENT, "備考", Content::Date(day("2025-03-01")))),
        [("date", "C2")]
    );
}

#[test]
fn columns_a_table_does_not_have_change_nothing() {
    let stored = only(&read_csv(&format!(
        "指標ID,年度,累計値,状態,備考,確定区分\n{GROUPS},2024,3,,前,訂正値\n"
    )))
    .clone();
    let sheet = read_csv(&format!("指標ID,年度,実績値,実績（原文）\n{GROUPS},2024,4,\n"));
    let merged = sheet.over(sheet.entries.first().unwrap(), &stored);
    assert_eq!(merged.value, Some("4".parse().unwrap()));
    assert_eq!(
        (merged.cumulative_value, merged.comment.clone()),
        (stored.cumulative_value, stored.comment.clone())
    );
    assert_eq!(merged.observation_status, ObservationStatus::Revised);
    let none = read_csv(&format!("指標ID,年度,状態\n{GROUPS},2024,非公表\n"));
    let merged = none.over(none.entries.first().unwrap(), &stored);
    assert_eq!(
        (merged.cumulative_value, merged.value_status),
        (None, ValueStatus::Withheld)
    );
    assert!(crate::http::validation::Rules::broken(&merged).is_empty());
}
