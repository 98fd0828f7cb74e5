//! Examples of XLSX files: some as a library writes them, some as no library would.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{Cursor, Write as _};

use proptest::prelude::*;
use rust_xlsxwriter::{ExcelDateTime, Format, Formula, Workbook as Written};
use zip::{ZipWriter, write::SimpleFileOptions};

use crate::{
    domain::form::Note,
    sheet::table::{Content, Merged, Table, Tables, address},
    value::work::counted,
};

const RELATIONS: &str = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">"#;
const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

/// A file of these parts.
fn zipped(parts: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in parts {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// A file with one worksheet, made by hand.
fn made(book: &str, strings: &str, styles: &str, sheet: &str) -> Vec<u8> {
    let book = format!(
        r#"<x:workbook xmlns:x="m" xmlns:r="{OFFICE}">{book}<x:sheets><x:sheet name="a" sheetId="1" r:id="rId1"/></x:sheets></x:workbook>"#
    );
    let root = format!(
        r#"{RELATIONS}<Relationship Id="rId1" Type="{OFFICE}/officeDocument" Target="/xl/book.xml"/></Relationships>"#
    );
    let relations = format!(
        r#"{RELATIONS}<Relationship Id="rId1" Type="{OFFICE}/worksheet" Target="../xl/./sheets/a.xml"/><Relationship Id="rId2" Type="{OFFICE}/sharedStrings" Target="strings.xml"/><Relationship Id="rId3" Type="{OFFICE}/styles" Target="styles.xml"/></Relationships>"#
    );
    zipped(&[
        ("_rels/.rels", &root),
        ("xl/book.xml", &book),
        ("xl/_rels/book.xml.rels", &relations),
        ("xl/strings.xml", strings),
        ("xl/styles.xml", styles),
        ("xl/sheets/a.xml", sheet),
    ])
}

fn rows(rows: &str) -> Vec<u8> {
    let styles = r#"<styleSheet><numFmts><numFmt numFmtId="164" formatCode="0.0%"/></numFmts><cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs><xf/><xf numFmtId="164"/><xf numFmtId="57"/></cellXfs></styleSheet>"#;
    let strings = r"<sst><si><t>指標ID</t></si><si><r><t>満</t></r><r><t xml:space='preserve'>足 </t></r><rPh sb='0' eb='1'><t>マン</t></rPh></si></sst>";
    made(
        "",
        strings,
        styles,
        &format!("<worksheet><sheetData>{rows}</sheetData></worksheet>"),
    )
}

/// Reads a file, as if any row had the heads.
fn read_all(bytes: &[u8]) -> Result<Tables, Note> {
    super::read(bytes, |_| true)
}

/// Its first table.
fn read(bytes: &[u8]) -> Result<Table, Note> {
    read_all(bytes).map(|file| file.tables.into_iter().next().unwrap_or_default())
}

fn shown(table: &Table) -> Vec<String> {
    let mut cells = Vec::new();
    for row in &table.rows {
        for cell in &row.cells {
            let at = address(row.number, cell.column);
            let formula = if cell.formula { "=" } else { "" };
            let content = match &cell.content {
                Content::Text(text) => format!("'{text}'"),
                Content::Number(number) if number.percent => format!("{}%.{}", number.digits, number.places),
                Content::Number(number) => number.digits.to_string(),
                Content::Date(day) => day.to_string(),
                other => format!("{other:?}"),
            };
            cells.push(format!("{at} {formula}{content}"));
        }
    }
    cells
}

fn cells(bytes: &[u8]) -> Vec<String> {
    shown(&read(bytes).unwrap())
}

fn refusal(bytes: &[u8]) -> &'static str {
    read(bytes).unwrap_err().code
}

#[test]
fn a_file_of_a_library_is_read() {
    let mut book = Written::new();
    let sheet = book.add_worksheet().set_name("実績").unwrap();
    sheet.write(0, 0, "指標ID").unwrap();
    sheet.write(0, 1, "改\n行 <&>\"_x000D_").unwrap();
    sheet.write(2, 0, 81.2).unwrap();
    sheet.write(2, 1, 0.1 + 0.2).unwrap();
    sheet
        .write_with_format(2, 2, 0.57, &Format::new().set_num_format("0.0%"))
        .unwrap();
    sheet
        .write_with_format(2, 3, 0.57, &Format::new().set_num_format_index(9))
        .unwrap();
    let day = ExcelDateTime::from_ymd(2025, 3, 31).unwrap();
    sheet
        .write_with_format(
            2,
            4,
            &day,
            &Format::new().set_num_format("[$-411]ggge\"年\"m\"月\"d\"日\""),
        )
        .unwrap();
    sheet
        .write_with_format(2, 5, 0.5, &Format::new().set_num_format("h:mm"))
        .unwrap();
    sheet.write(2, 6, true).unwrap();
    sheet.write(2, 7, Formula::new("=1+1").set_result("2")).unwrap();
    sheet.write_blank(2, 8, &Format::new().set_bold()).unwrap();
    let (bold, plain) = (Format::new().set_bold(), Format::default());
    sheet
        .write_rich_string(3, 0, &[(&bold, "満"), (&plain, "足 ")])
        .unwrap();
    sheet.merge_range(4, 0, 5, 1, "m", &plain).unwrap();
    sheet.set_column_hidden(3).unwrap();
    sheet.set_row_hidden(3).unwrap();
    let table = read(&book.save_to_buffer().unwrap()).unwrap();
    assert_eq!(
        shown(&table),
        [
            "A1 '指標ID'",
            "B1 '改\n行 <&>\"_x000D_'",
            "A3 81.2",
            "B3 0.3",
            "C3 0.57%.1",
            "D3 0.57%.0",
            "E3 2025-03-31",
            "F3 Time",
            "G3 Boolean(true)",
            "H3 =Uncomputed",
            "A4 '満足 '",
            "A5 'm'",
        ]
    );
    assert_eq!(table.sheet.as_deref(), Some("実績"));
    assert_eq!(table.hidden_columns, [(4, 4)]);
    assert_eq!(
        table.merged,
        [Merged {
            first: (5, 1),
            last: (6, 2)
        }]
    );
    let hidden: Vec<u32> = table
        .rows
        .iter()
        .filter(|row| row.hidden)
        .map(|row| row.number)
        .collect();
    assert_eq!(hidden, [4]);
}

#[test]
fn days_of_1904_are_those_of_that_count() {
    let sheet = r#"<worksheet><sheetData><row><c s="1"><v>44285</v></c></row></sheetData></worksheet>"#;
    let styles = r#"<styleSheet><cellXfs><xf/><xf numFmtId="14"/></cellXfs></styleSheet>"#;
    let read_with = |book| cells(&made(book, "<sst/>", styles, sheet));
    assert_eq!(read_with(r#"<workbookPr date1904="1"/>"#), ["A1 2025-03-31"]);
    assert_eq!(read_with("<workbookPr/>"), ["A1 2021-03-30"]);
}

#[test]
fn cells_are_read_by_type_style_and_formula() {
    for (cell, expected) in [
        (r#"<c t="s"><v>0</v></c>"#, "A1 '指標ID'"),
        (r#"<c t="s"><v>1</v></c>"#, "A1 '満足 '"),
        (
            r#"<c t="inlineStr"><is><r><t>a</t></r><r><t>&amp;&#x3042;<![CDATA[<]]></t></r><rPh><t>x</t></rPh></is></c>"#,
            "A1 'a&あ<'",
        ),
        (r"<c><v>81.200000000000003</v></c>", "A1 81.2"),
        (r#"<c t="n"><v> 5.7000000000000002E-2 </v></c>"#, "A1 0.057"),
        (r#"<c s="1"><v>0.84960000000000002</v></c>"#, "A1 0.8496%.1"),
        (r#"<c s="2"><v>45747</v></c>"#, "A1 2025-03-31"),
        (r#"<c s="2"><v>60</v></c>"#, "A1 Time"),
        (r#"<c s="99"><v>3</v></c>"#, "A1 3"),
        (r#"<c t="d"><v>2025-03-31T00:00:00</v></c>"#, "A1 2025-03-31"),
        (r#"<c t="b"><v>0</v></c>"#, "A1 Boolean(false)"),
        (r#"<c t="e"><v>#N/A</v></c>"#, "A1 Error(\"#N/A\")"),
        (r"<c><f>1+1</f><v>2</v></c>", "A1 =2"),
        (r#"<c t="str"><f>A2</f><v>x_x000D_</v></c>"#, "A1 ='x\r'"),
        (r"<c><f>1+1</f></c>", "A1 =Uncomputed"),
        (r#"<c t="e"><f>1/0</f><v>#DIV/0!</v></c>"#, "A1 =Error(\"#DIV/0!\")"),
        (r#"<c r="C7"><v>1</v></c>"#, ""),
    ] {
        let bytes = rows(&format!("<row>{cell}</row>"));
        if expected.is_empty() {
            assert_eq!(refusal(&bytes), "not_xlsx");
        } else {
            assert_eq!(cells(&bytes), [expected], "{cell}");
        }
    }
    for empty in [
        "<c/>",
        "<c s='1'><v/></c>",
        "<c t='inlineStr'><is><t/></is></c>",
        "<c t='str'><f>A2</f><v></v></c>",
    ] {
        assert_eq!(cells(&rows(&format!("<row>{empty}</row>"))), [""; 0], "{empty}");
    }
    let places = "<row r='2'><c r='B2'><v>1</v></c><c><v>2</v></c></row><row><c><v>3</v></c></row>";
    assert_eq!(cells(&rows(places)), ["B2 1", "C2 2", "A3 3"]);
}

#[test]
fn what_only_whoever_opens_it_would_compute_has_no_value() {
    let sheet = "<worksheet><sheetData><row><c><f>1+1</f><v>0</v></c></row></sheetData></worksheet>";
    let bytes = made(r#"<calcPr fullCalcOnLoad="1"/>"#, "<sst/>", "<styleSheet/>", sheet);
    assert_eq!(cells(&bytes), ["A1 =Uncomputed"]);
}

#[test]
fn all_worksheets_are_read_but_hidden_ones() {
    let book = |sheets: &str| {
        let book = format!(r#"<workbook xmlns:r="{OFFICE}"><sheets>{sheets}</sheets></workbook>"#);
        let root = format!(
            r#"{RELATIONS}<Relationship Id="r" Type="{OFFICE}/officeDocument" Target="workbook.xml"/></Relationships>"#
        );
        let sheet = |id: u32| format!(r#"<Relationship Id="r{id}" Type="{OFFICE}/worksheet" Target="{id}.xml"/>"#);
        let chart = format!(r#"<Relationship Id="r3" Type="{OFFICE}/chartsheet" Target="3.xml"/>"#);
        let relations = format!("{RELATIONS}{}{}{chart}</Relationships>", sheet(1), sheet(2));
        let data =
            |value: u32| format!("<worksheet><sheetData><row><c><v>{value}</v></c></row></sheetData></worksheet>");
        zipped(&[
            ("_rels/.rels", &root),
            ("workbook.xml", &book),
            ("_rels/workbook.xml.rels", &relations),
            ("1.xml", &data(1)),
            ("2.xml", &data(2)),
            ("3.xml", "<chartsheet/>"),
        ])
    };
    for (sheets, expected, hidden) in [
        (
            r#"<sheet name="a" r:id="r1"/><sheet name="b" r:id="r2"/><sheet name="c" r:id="r3"/>"#,
            &["a A1 1", "b A1 2"][..],
            &[][..],
        ),
        (
            r#"<sheet name="a" r:id="r1" state="hidden"/><sheet name="b" r:id="r2" state="visible"/>"#,
            &["b A1 2"],
            &["a"],
        ),
        (
            r#"<sheet name="a" r:id="r1"/><sheet name="実績" r:id="r2" state="veryHidden"/>"#,
            &["a A1 1"],
            &["実績"],
        ),
    ] {
        let read = read_all(&book(sheets)).unwrap();
        let cells = read.tables.iter().flat_map(|table| {
            let name = table.sheet.as_deref().unwrap();
            shown(table).into_iter().map(move |cell| format!("{name} {cell}"))
        });
        assert_eq!(cells.collect::<Vec<_>>(), expected, "{sheets}");
        assert_eq!(
            (read.hidden, read.unread),
            (hidden.iter().map(|it| (*it).to_owned()).collect(), vec![])
        );
    }
    assert_eq!(
        refusal(&book(r#"<sheet name="a" r:id="r1" state="hidden"/>"#)),
        "no_sheet"
    );
    assert_eq!(refusal(&book(r#"<sheet name="a" r:id="r9"/>"#)), "not_xlsx");
}

#[test]
fn what_a_font_strikes_out_or_raises_is_no_text() {
    let styles = r#"<styleSheet><fonts><font><sz val="11"/></font><font><strike/></font><font><strike val="0"/><vertAlign val="superscript"/></font></fonts>
        <cellXfs><xf fontId="0"/><xf fontId="1"/><xf fontId="2"/></cellXfs><dxfs><dxf><font><strike/></font></dxf></dxfs></styleSheet>"#;
    let strings = r#"<sst><si><t>51</t></si><si><r><rPr><strike val="true"/></rPr><t>48</t></r><r><rPr><b/></rPr><t>51</t></r></si>
        <si><r><t>51</t></r><r><rPr><vertAlign val="superscript"/></rPr><t>2</t></r></si>
        <si><r><t>か</t></r><r><rPr><b/></rPr><t>&#x3099;</t></r></si></sst>"#;
    for (cell, text, struck) in [
        ("<c t='s'><v>0</v></c>", "51", None),
        ("<c t='s' s='1'><v>0</v></c>", "", Some("51")),
        ("<c t='s' s='2'><v>0</v></c>", "⁵¹", None),
        ("<c t='s'><v>1</v></c>", "51", Some("48")),
        ("<c t='s' s='1'><v>1</v></c>", "51", Some("48")),
        ("<c t='s'><v>2</v></c>", "51²", None),
        ("<c t='s' s='1'><v>2</v></c>", "²", Some("51")),
        ("<c t='s'><v>3</v></c>", "が", None),
        ("<c t='str' s='1'><f>A2</f><v>51</v></c>", "", Some("51")),
        ("<c s='1'><v>51</v></c>", "", Some("51")),
        ("<c s='2'><v>-51</v></c>", "⁻⁵¹", None),
        (
            "<c t='inlineStr'><is><r><rPr><strike/></rPr><t>48</t></r><r><t>51</t></r></is></c>",
            "51",
            Some("48"),
        ),
    ] {
        let sheet = format!("<worksheet><sheetData><row>{cell}</row></sheetData></worksheet>");
        let table = read(&made("", strings, styles, &sheet)).unwrap();
        let read = table.rows.first().unwrap().cells.first().unwrap();
        assert_eq!(read.content, Content::Text(text.into()), "{cell}");
        assert_eq!(table.struck.first().map(|it| &*it.text), struck, "{cell}");
        assert_eq!(read.struck, struck.is_some(), "{cell}");
    }
}

#[test]
fn what_is_no_xlsx_is_refused() {
    for bytes in [
        &b""[..],
        b"PK\x03\x04",
        b"indicator_id,value",
        &[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1],
    ] {
        assert_eq!(refusal(bytes), "not_xlsx");
    }
    assert_eq!(refusal(&zipped(&[("a.txt", "x")])), "not_xlsx");
    for broken in [
        "<row><c t='s'><v>9</v></c></row>",
        "<row><c t='s'><v>-1</v></c></row>",
        "<row><c t='what'><v>9</v></c></row>",
        "<row r='2'></row><row r='1'></row>",
        "<row r='0'></row>",
        "<row><c r='B1'/><c r='A1'/></row>",
        "<row><row/></row>",
        "<row><c><c/></c></row>",
        "<c><v>1</v></c>",
        "<row><c><v>&e;</v></c></row>",
        "<row><c><v>1</c></row>",
        "<row><c><v>1",
    ] {
        assert_eq!(refusal(&rows(broken)), "not_xlsx", "{broken}");
    }
    let entities = r#"<!DOCTYPE w [<!ENTITY a "aaaa">]><worksheet><sheetData><row><c><v>&a;</v></c></row></sheetData></worksheet>"#;
    assert_eq!(refusal(&made("", "<sst/>", "<styleSheet/>", entities)), "not_xlsx");
    let whole = rows("<row><c><v>1</v></c></row>");
    for end in 0..whole.len() {
        assert!(read(whole.get(..end).unwrap()).is_err());
    }
}

#[test]
fn a_file_past_the_limits_is_refused() {
    let bomb = rows(&format!("<row><c><v>1</v></c></row>{}", " ".repeat(65 << 20)));
    assert!(bomb.len() < 1 << 20);
    assert_eq!(refusal(&bomb), "too_large");
    assert_eq!(refusal(&rows("<row><c r='BM1'><v>1</v></c></row>")), "too_many_columns");
    assert_eq!(
        refusal(&rows(&"<row><c><v>1</v></c></row>".repeat(200_001))),
        "too_many_rows"
    );
    assert_eq!(
        cells(&rows("<row><c r='XFD1'/></row><row r='1048576'><c><v>1</v></c></row>")),
        ["A1048576 1"]
    );
    let many = format!("<sst>{}</sst>", "<si/>".repeat(1_000_001));
    assert_eq!(
        refusal(&made("", &many, "<styleSheet/>", "<worksheet><sheetData/></worksheet>")),
        "not_xlsx"
    );
}

#[test]
fn twice_the_file_is_twice_the_work_whether_anything_stands_in_its_cells() {
    for part in [
        "<c/>",
        "<c><v>1</v></c>",
        "<x/>",
        "</row><row>",
        "</row><row hidden='1'><c t='s'><v>1</v></c>",
        " ",
    ] {
        let work = |count| {
            let bytes = rows(&format!("<row>{}</row>", part.repeat(count)));
            counted(|| read(&bytes)).1
        };
        let (one, two) = (work(2_000) - work(1_000), work(4_000) - work(2_000));
        assert!((one..=one * 21 / 10).contains(&two), "{part}: {one}, {two}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_bytes_make_reading_panic(bytes: Vec<u8>) {
        let _ = read(&bytes);
    }

    #[test]
    fn no_damage_makes_reading_panic(at in 0_usize..4000, byte: u8) {
        let mut bytes = rows("<row r='1'><c r='A1' t='s'><v>0</v></c><c s='1'><f>1</f><v>0.5</v></c></row>");
        let length = bytes.len();
        *bytes.get_mut(at % length).unwrap() = byte;
        let _ = read(&bytes);
    }

    #[test]
    fn no_worksheet_makes_reading_panic(parts in prop::collection::vec(prop::sample::select(vec![
        "<row>", "</row>", "<row r='3'>", "<c>", "<c r='B3' t='s'>", "<c t='inlineStr'>", "<c s='2'>", "</c>", "<v>", "</v>", "<is>", "</is>", "<t>", "</t>", "<f/>", "1",
        "-1e5", "45747", "&lt;", "&#0;", "&#x110000;", "</sheetData>", "<sheetData>", "<mergeCell ref='A1:B2'/>", "<col min='1' max='x' hidden='1'/>", "<!-- -->", "<?a?>", "]]>",
    ]), 0..24)) {
        let _ = read(&rows(&parts.concat()));
    }
}
