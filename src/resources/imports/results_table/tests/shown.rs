//! Cells of workbooks that show something else than they hold, and cells with text that is struck out or raised.

use rust_xlsxwriter::{Format, FormatScript, Workbook};

use super::{GROUPS, PERCENT, lookup, only, said};
use crate::{
    resources::imports::results_table::*,
    sheet::xlsx,
    value::{Decimal, Prose},
};

/// A workbook with one row, whose cell of this head `write` writes.
fn with_cell(indicator: &str, head: &str, write: impl Fn(&mut rust_xlsxwriter::Worksheet)) -> Sheet {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    for (column, text) in (0..).zip(["指標ID", "年度", head, "状態"]) {
        sheet.write(0, column, text).unwrap();
    }
    sheet.write(1, 0, indicator).unwrap();
    sheet.write(1, 1, 2024).unwrap();
    if head != "実績値" {
        sheet.write(1, 3, "評価対象外").unwrap();
    }
    write(sheet);
    let file = xlsx::read(&book.save_to_buffer().unwrap(), is_header).unwrap();
    read(&file, None, lookup)
}

fn formatted(indicator: &str, code: &str, number: f64) -> Sheet {
    with_cell(indicator, "実績値", |sheet| {
        let format = Format::new().set_num_format(code);
        sheet.write_with_format(1, 2, number, &format).unwrap();
    })
}

fn value(text: &str) -> Decimal {
    text.parse().unwrap()
}

#[test]
fn a_number_that_is_shown_otherwise_is_read_with_a_warning() {
    for (indicator, code, number, read, shown) in [
        (GROUPS, "#,##0,", 1_234_000.0, "1234000", "1,234"),
        (GROUPS, "0", 48.7, "48.7", "49"),
        (PERCENT, "0%", 0.485, "48.5", "49%"),
        (PERCENT, "0", 48.7, "48.7", "49"),
        (GROUPS, "0\"件\"", 5.0, "5", "5件"),
        (GROUPS, "\"約\"0", 5.0, "5", "約5"),
        (GROUPS, "0;0", -5.0, "-5", "5"),
        (GROUPS, "0;-0;\"-\"", 0.0, "0", "-"),
        (GROUPS, "0.00E+00", 123_456.0, "123456", "1.23E+05"),
        (GROUPS, "[<100]\"少数\";0", 5.0, "5", "少数"),
        (GROUPS, "# ?/?", 1.3, "1.3", "1 1/3"),
    ] {
        let sheet = formatted(indicator, code, number);
        assert_eq!(said(&sheet), [("shown_differs", "C2")], "{code}");
        assert_eq!(only(&sheet).value, Some(value(read)), "{code}");
        let detail = &sheet.notes.first().unwrap().detail;
        assert!(
            detail.ja.contains(&format!("「{shown}」")) && detail.en.contains(&format!("'{shown}'")),
            "{detail:?}"
        );
        let held = detail.ja.contains("入っている数値は");
        assert!(held, "{detail:?}");
    }
}

#[test]
fn a_number_that_is_shown_as_it_is_or_with_its_unit_is_read_in_silence() {
    for (indicator, code, number, read) in [
        (GROUPS, "#,##0", 1_234_000.0, "1234000"),
        (GROUPS, "#,##0,\"千団体\"", 1_234_000.0, "1234000"),
        (GROUPS, "0\"団体\"", 5.0, "5"),
        (GROUPS, "0.0;\"▲\"0.0", -5.5, "-5.5"),
        (GROUPS, "#,##0_);(#,##0)", -1_234.0, "-1234"),
        (PERCENT, "0.0%", 0.485, "48.5"),
        (PERCENT, "0.0\"%\"", 48.5, "48.5"),
        (PERCENT, "0\"％\"", 48.0, "48"),
    ] {
        let sheet = formatted(indicator, code, number);
        assert_eq!(said(&sheet), [], "{code}");
        assert_eq!(only(&sheet).value, Some(value(read)), "{code}");
    }
    let sheet = with_cell(GROUPS, "実績値", |sheet| {
        let format = Format::new().set_num_format("\"令和\"0\"年度\"");
        sheet.write_with_format(1, 1, 6, &format).unwrap();
        sheet.write(1, 2, 3).unwrap();
    });
    assert_eq!((said(&sheet), only(&sheet).fiscal_year.get()), (vec![], 2024));
}

#[test]
fn a_text_column_takes_what_is_shown() {
    let sheet = with_cell(GROUPS, "実績（原文）", |sheet| {
        let format = Format::new().set_num_format("0\"団体\"");
        sheet.write_with_format(1, 2, 5, &format).unwrap();
    });
    assert_eq!(said(&sheet), [("number_as_text", "C2")]);
    assert_eq!(only(&sheet).text, Some(Prose("5団体".into())));
}

#[test]
fn what_is_struck_out_is_left_out_and_said() {
    let (struck, plain) = (Format::new().set_font_strikethrough(), Format::new());
    let sheet = with_cell(GROUPS, "実績値", |sheet| {
        sheet
            .write_rich_string(1, 2, &[(&struck, "48"), (&plain, "51")])
            .unwrap();
    });
    assert_eq!(said(&sheet), [("struck_out", "C2")]);
    assert_eq!(only(&sheet).value, Some(value("51")));
    let detail = &sheet.notes.first().unwrap().detail;
    assert!(detail.ja.contains("「48」") && detail.en.contains("'48'"), "{detail:?}");

    // Whatever the cell's own font makes of the parts without one.
    let sheet = with_cell(GROUPS, "備考", |sheet| {
        sheet
            .write_rich_string(1, 2, &[(&plain, "前"), (&struck, "の案"), (&plain, "後")])
            .unwrap();
    });
    assert_eq!(only(&sheet).comment, Some(Prose("前後".into())));
    assert_eq!(said(&sheet), [("struck_out", "C2")]);
}

#[test]
fn a_cell_with_nothing_but_struck_text_is_neither_read_nor_taken_for_empty() {
    let struck = Format::new().set_font_strikethrough();
    for head in ["実績値", "備考", "実績（原文）", "達成状況", "経営課題番号"] {
        let number = with_cell(GROUPS, head, |sheet| {
            sheet.write_with_format(1, 2, 48, &struck).unwrap();
        });
        let text = with_cell(GROUPS, head, |sheet| {
            sheet.write_with_format(1, 2, "A", &struck).unwrap();
        });
        for sheet in [number, text] {
            assert_eq!(
                (said(&sheet), sheet.is_refused()),
                (vec![("struck_out", "C2")], true),
                "{head}"
            );
        }
    }
    // A row that is struck out as a whole is no empty row.
    let row = with_cell(GROUPS, "実績値", |sheet| {
        for column in 0..3 {
            sheet.write_with_format(1, column, GROUPS, &struck).unwrap();
        }
    });
    assert_eq!(
        said(&row),
        [("struck_out", "A2"), ("struck_out", "B2"), ("struck_out", "C2")]
    );
    // An empty cell may have any font.
    let empty = with_cell(GROUPS, "備考", |sheet| {
        sheet.write_blank(1, 2, &struck).unwrap();
    });
    assert_eq!(said(&empty), []);
}

#[test]
fn what_is_raised_never_becomes_a_digit() {
    let raised = Format::new().set_font_script(FormatScript::Superscript);
    let lowered = Format::new().set_font_script(FormatScript::Subscript);
    let plain = Format::new();
    let rich = |head, parts: &[(&Format, &str)]| {
        with_cell(GROUPS, head, |sheet| {
            sheet.write_rich_string(1, 2, parts).unwrap();
        })
    };
    for parts in [
        [(&plain, "51"), (&raised, "2")],
        [(&plain, "10"), (&raised, "5")],
        [(&plain, "51"), (&lowered, "2")],
        [(&raised, "5"), (&plain, "1")],
        [(&plain, "51"), (&raised, "※1")],
    ] {
        assert_eq!(said(&rich("実績値", &parts)), [("number", "C2")], "{parts:?}");
    }
    let sheet = with_cell(GROUPS, "実績値", |sheet| {
        sheet.write_with_format(1, 2, 51, &raised).unwrap();
    });
    assert_eq!(said(&sheet), [("number", "C2")]);
    let sheet = rich(
        "備考",
        &[(&plain, "5m"), (&raised, "2"), (&plain, "のCO"), (&lowered, "2")],
    );
    assert_eq!(only(&sheet).comment, Some(Prose("5m²のCO₂".into())));
    assert_eq!(said(&sheet), []);
}
