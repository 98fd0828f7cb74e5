//! Any parts of a workbook make a table, or are refused: the input is its XML, so that no checksum stands before the reader.
#![no_main]

use std::io::{Cursor, Write};

use libfuzzer_sys::fuzz_target;
use ward_policy::{resources::imports::results_table::is_header, sheet::xlsx};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

#[path = "../sheets.rs"]
mod sheets;

const PARTS: [&str; 5] = [
    "xl/worksheets/sheet1.xml",
    "xl/sharedStrings.xml",
    "xl/styles.xml",
    "xl/workbook.xml",
    "xl/_rels/workbook.xml.rels",
];
const WHOLE: [(&str, &str); 3] = [
    (
        "_rels/.rels",
        r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#,
    ),
    (
        "xl/workbook.xml",
        r#"<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="実績" sheetId="1" r:id="rId1"/></sheets></workbook>"#,
    ),
    (
        "xl/_rels/workbook.xml.rels",
        r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings" Target="sharedStrings.xml"/><Relationship Id="rId3" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/></Relationships>"#,
    ),
];

fuzz_target!(|bytes: &[u8]| {
    let given: Vec<&[u8]> = bytes.split(|byte| *byte == 0xff).collect();
    let mut file = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let mut add = |name: &str, part: &[u8]| {
        file.start_file(name, stored).expect("a new part");
        file.write_all(part).expect("memory");
    };
    for (name, part) in PARTS.iter().zip(&given) {
        add(name, part);
    }
    for (name, part) in WHOLE {
        if !PARTS.iter().take(given.len()).any(|known| *known == name) {
            add(name, part.as_bytes());
        }
    }
    let file = file.finish().expect("memory").into_inner();
    sheets::hold(xlsx::read(&file, is_header));
});
