//! Whole files, and what people do not see in them.

use rust_xlsxwriter::{ExcelDateTime, Format, Workbook};

use super::{GROUPS, PERCENT, csv_file, lookup, only, said};
use crate::{
    resources::imports::results_table::*,
    sheet::{
        table::{Content, Merged},
        xlsx,
    },
    value::Date,
};

#[test]
fn a_filled_in_workbook_is_read() {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    let percent = Format::new().set_num_format("0.0%");
    let day = Format::new().set_num_format("[$-411]ggge\"年\"m\"月\"d\"日\"");
    sheet.write(0, 0, "令和6年度の実績").unwrap();
    for (column, head) in (0_u16..).zip(["指標ID", "年度", "指標", "単位", "実績値", "測定日", "達成状況", "備考"])
    {
        sheet.write(2, column, head).unwrap();
    }
    for (row, id, name, unit) in [
        (3, PERCENT, "満足している区民の割合", "%"),
        (5, GROUPS, "支援した団体の数", "団体"),
    ] {
        sheet.write(row, 0, id).unwrap();
        sheet.write(row, 1, 2024).unwrap();
        sheet.write(row, 2, name).unwrap();
        sheet.write(row, 3, unit).unwrap();
    }
    sheet.write_with_format(3, 4, 0.57, &percent).unwrap();
    let date = ExcelDateTime::from_ymd(2025, 3, 31).unwrap();
    sheet.write_with_format(3, 5, &date, &day).unwrap();
    sheet.write(3, 6, "Ｂ").unwrap();
    sheet.write(3, 7, "'-1").unwrap();
    sheet.write_with_format(5, 4, &date, &day).unwrap();
    let file = xlsx::read(&book.save_to_buffer().unwrap(), is_header).unwrap();
    let sheet = read(&file, None, lookup);
    assert_eq!(said(&sheet), [("date", "E6")]);
    let result = &sheet.entries.first().unwrap().result;
    assert_eq!(result.value, Some("57".parse().unwrap()));
    assert_eq!(result.measured_on, Some(Date("2025-03-31".parse().unwrap())));
    assert_eq!(result.comment.as_ref().unwrap().0, "-1");
}

#[test]
fn what_people_do_not_see_is_read_with_a_warning() {
    let mut file = csv_file(&format!("指標ID,年度,実績値\n{GROUPS},2024,3\n"));
    let table = file.tables.first_mut().unwrap();
    table.hidden_columns = vec![(2, 3), (9, 9)];
    let merged = |first, last| Merged { first, last };
    table.merged = vec![merged((1, 1), (1, 3)), merged((2, 1), (3, 1))];
    let row = table.rows.last_mut().unwrap();
    row.hidden = true;
    row.cells.last_mut().unwrap().formula = true;
    let sheet = read(&file, None, lookup);
    assert_eq!(only(&sheet).value, Some("3".parse().unwrap()));
    assert_eq!(
        said(&sheet),
        [
            ("hidden_column", "B1"),
            ("hidden_column", "C1"),
            ("hidden_row", "A2"),
            ("merged_cells", "A2"),
            ("formula", "C2"),
        ]
    );
    let table = file.tables.first_mut().unwrap();
    table.rows.last_mut().unwrap().cells.last_mut().unwrap().content = Content::Uncomputed;
    assert!(read(&file, None, lookup).is_refused());
}
