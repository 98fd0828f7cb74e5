//! Workbooks of several worksheets, and rows that say of which goal and organization they are.

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Workbook, Worksheet};

use super::{GROUPS, PERCENT, lookup, read_csv, said};
use crate::{resources::imports::results_table::*, sheet::xlsx, value::Time};

fn table<'b>(book: &'b mut Workbook, name: &str, rows: &[(&str, i32, &str)]) -> &'b mut Worksheet {
    let sheet = book.add_worksheet().set_name(name).unwrap();
    for (column, head) in (0..).zip(["指標ID", "年度", "実績値"]) {
        sheet.write(0, column, head).unwrap();
    }
    for (row, (id, year, value)) in (1..).zip(rows) {
        sheet.write(row, 0, *id).unwrap();
        sheet.write(row, 1, *year).unwrap();
        sheet.write(row, 2, *value).unwrap();
    }
    sheet
}

fn read_book(book: &mut Workbook) -> Sheet {
    read(
        &xlsx::read(&book.save_to_buffer().unwrap(), is_header).unwrap(),
        None,
        lookup,
    )
}

#[test]
fn every_worksheet_with_the_heads_is_read_and_others_are_named() {
    let mut book = Workbook::new();
    let memo = book.add_worksheet().set_name("メモ").unwrap();
    memo.write(0, 0, "担当者の覚え書き").unwrap();
    // As wide and long as it likes.
    memo.write(3, 200, "x").unwrap();
    for row in 0..100 {
        memo.write(row, 70, "x").unwrap();
    }
    table(&mut book, "上期", &[(GROUPS, 2024, "3")]);
    book.add_worksheet().set_name("空").unwrap();
    table(&mut book, "作業用", &[(GROUPS, 2024, "9")]).set_hidden(true);
    table(&mut book, "奥", &[(GROUPS, 2024, "9")]).set_very_hidden(true);
    let second = table(&mut book, "下期", &[(PERCENT, 2024, "57"), (PERCENT, 2025, "y")]);
    second.write(2, 3, "欄外").unwrap();
    let sheet = read_book(&mut book);
    let read: Vec<_> = sheet.entries.iter().map(|entry| (entry.table, entry.row)).collect();
    assert_eq!(read, [(0, 2), (1, 2)]);
    assert_eq!(
        said(&sheet),
        [
            ("number", "下期!C3"),
            ("no_head", "下期!D3"),
            ("sheet_unread", ""),
            ("hidden_sheet", ""),
            ("hidden_sheet", ""),
        ]
    );
    let sheets: Vec<_> = sheet.notes.iter().filter_map(|note| note.sheet.as_deref()).collect();
    assert_eq!(sheets, ["下期", "下期", "メモ", "作業用", "奥"]);
    for note in &sheet.notes {
        let name = note.sheet.as_deref().unwrap();
        assert!(
            note.detail.ja.contains(name) && note.detail.en.contains(name),
            "{note:?}"
        );
    }
}

#[test]
fn a_row_that_stands_in_two_worksheets_is_refused() {
    let mut book = Workbook::new();
    table(&mut book, "実績", &[(PERCENT, 2024, "57"), (GROUPS, 2024, "3")]);
    table(&mut book, "実績 (2)", &[(GROUPS, 2024, "3")]);
    let sheet = read_book(&mut book);
    assert_eq!(said(&sheet), [("repeated_result", "実績 (2)!A2")]);
    assert!(sheet.notes.first().unwrap().detail.ja.contains("実績!A3"));
}

#[test]
fn the_limits_hold_for_all_worksheets_together() {
    let rows: Vec<(&str, i32, &str)> = vec![(GROUPS, 2024, "x"); 150];
    let mut book = Workbook::new();
    for name in ["a", "b", "c"] {
        table(&mut book, name, &rows);
    }
    assert_eq!(read_book(&mut book).notes.len(), MOST_NOTES);
    let wide = table(&mut book, "d", &[]);
    wide.write(1, 64, "x").unwrap();
    let refused = xlsx::read(&book.save_to_buffer().unwrap(), is_header).unwrap_err();
    assert_eq!(refused.code, "too_many_columns");
    assert!(refused.detail.ja.starts_with("d!BM2"), "{refused:?}");
}

#[test]
fn a_workbook_without_the_heads_is_no_table() {
    let mut book = Workbook::new();
    book.add_worksheet().write(0, 0, "値").unwrap();
    assert_eq!(said(&read_book(&mut book)), [("no_header", "")]);
}

#[test]
fn a_workbook_says_when_it_was_saved() {
    let saved = |moment: &str| {
        let mut book = Workbook::new();
        let moment = ExcelDateTime::parse_from_str(moment).unwrap();
        book.set_properties(&DocProperties::new().set_creation_datetime(&moment));
        table(&mut book, "実績", &[]);
        xlsx::read(&book.save_to_buffer().unwrap(), is_header).unwrap().saved_at
    };
    assert_eq!(saved("2026-11-30T01:02:03Z"), Time::read("2026-11-30T01:02:03Z"));
    assert_eq!(saved("2024-04-01T00:00:00Z"), None, "as exports say it");
}

#[test]
fn a_row_of_another_goal_organization_or_policy_is_refused() {
    let row = |code: &str, organization: &str, year: &str| {
        read_csv(&format!(
            "指標ID,年度,経営課題番号,所属,運営方針の年度,実績値\n{GROUPS},2024,{code},{organization},{year},3\n"
        ))
    };
    for (code, organization, year) in [
        ("3-1", "nishi", "2024"),
        ("３－１", "西区", "令和6年度"),
        ("", "ＮＩＳＨＩ", ""),
        ("", "", "2024.0"),
    ] {
        assert_eq!(said(&row(code, organization, year)), [], "{code} {organization} {year}");
    }
    for (code, organization, year, fault) in [
        ("3月1日", "", "", ("goal_code_differs", "C2")),
        ("2024/3/1", "", "", ("goal_code_differs", "C2")),
        ("1-Mar", "", "", ("goal_code_differs", "C2")),
        ("3-2", "", "", ("goal_code_differs", "C2")),
        ("3-1-1", "", "", ("goal_code_differs", "C2")),
        ("3-¹", "", "", ("goal_code_differs", "C2")),
        ("", "kita", "", ("organization_differs", "D2")),
        ("", "24", "", ("organization_differs", "D2")),
        ("", "", "2025", ("policy_year_differs", "E2")),
        ("", "", "昔", ("fiscal_year", "E2")),
    ] {
        let sheet = row(code, organization, year);
        assert_eq!(
            (said(&sheet), sheet.is_refused()),
            (vec![fault], true),
            "{code} {organization} {year}"
        );
    }
    let mut book = Workbook::new();
    let sheet = table(&mut book, "実績", &[(GROUPS, 2024, "3")]);
    sheet.write(0, 3, "経営課題番号").unwrap();
    let day = rust_xlsxwriter::Format::new().set_num_format("m\"月\"d\"日\"");
    sheet.write_with_format(1, 3, 45_352, &day).unwrap();
    let sheet = read_book(&mut book);
    assert_eq!(said(&sheet), [("date", "D2")]);
    assert!(sheet.notes.first().unwrap().detail.ja.contains("2024-03-01"));
}

#[test]
fn a_target_that_the_table_changes_is_not_taken() {
    let sheet = read_csv(&format!(
        "指標ID,年度,目標,実績値\n{GROUPS},2024,40％以上,3\n{GROUPS},2025,50%以上,3\n"
    ));
    assert_eq!(
        (said(&sheet), sheet.is_refused()),
        (vec![("target_differs", "C3")], false)
    );
}
