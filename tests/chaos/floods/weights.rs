//! What is heavy to read for its size.

use std::io::{Cursor, Write};

use zip::{ZipWriter, write::SimpleFileOptions};

use crate::Outcome;

/// A tag with so many attributes.
pub(crate) fn tag(attributes: usize) -> Vec<u8> {
    let mut html = "<!doctype html><title>令和6年度 北区運営方針</title><p".to_owned();
    for n in 0..attributes {
        html += &format!(" a{n}");
    }
    html += ">";
    html.into_bytes()
}

/// A workbook of so many rows of 60 cells, all empty.
pub(crate) fn workbook(rows: usize) -> Outcome<Vec<u8>> {
    const KINDS: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let relations = |kind: &str, target: &str| {
        format!(
            "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">\
             <Relationship Id=\"rId1\" Type=\"{KINDS}/{kind}\" Target=\"{target}\"/></Relationships>"
        )
    };
    let row = format!("<row>{}</row>", "<c/>".repeat(60));
    let parts = [
        ("_rels/.rels", relations("officeDocument", "/xl/book.xml")),
        (
            "xl/book.xml",
            format!(
                "<workbook xmlns:r=\"{KINDS}\"><sheets><sheet name=\"a\" sheetId=\"1\" r:id=\"rId1\"/></sheets></workbook>"
            ),
        ),
        ("xl/_rels/book.xml.rels", relations("worksheet", "sheet.xml")),
        (
            "xl/sheet.xml",
            format!("<worksheet><sheetData>{}</sheetData></worksheet>", row.repeat(rows)),
        ),
    ];
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in parts {
        zip.start_file(name, SimpleFileOptions::default())?;
        zip.write_all(text.as_bytes())?;
    }
    Ok(zip.finish()?.into_inner())
}

/// An object of so many keys that nobody knows, each so long.
pub(crate) fn unknown_keys(keys: usize, length: usize) -> String {
    let keys: Vec<String> = (0..keys).map(|n| format!("\"{n:k>length$}\":1")).collect();
    format!("{{{}}}", keys.join(","))
}

/// A query of so many parameters that nobody knows.
pub(crate) fn unknown_parameters(parameters: usize) -> String {
    let parameters: Vec<String> = (0..parameters).map(|n| format!("p{n}=1")).collect();
    parameters.join("&")
}

/// The form of a policy with so many goals, up to 100, of so many indicators each, up to 200.
pub(crate) fn form(goals: usize, indicators: usize) -> String {
    let mut form = "令和14年度 北区運営方針\n\n(所属長 : 北 太郎)\n\n「目標」「使命」及び「所属運営の基本的な考え方」\n\n\
                    目標\t「誇り」\n使命\t・安全\n令和14年度 所属運営の 基本的な 考え方\t・進める。\n\n重点的に取り組む経営課題\n\n"
        .to_owned();
    for goal in 0..goals {
        let names: Vec<String> = (0..indicators)
            .map(|n| format!("・取組{goal}の{n}に満足している区民の割合：48%以上"))
            .collect();
        form += &format!(
            "経営課題{}-({})課題{goal}\n\n\t12決算額\t77百万円\t13予算額\t92百万円\t14予算額\t85百万円\n課題認識\t・必要がある。\n\
             主な戦略 (課題解決の方策)\t・進める。\nアウトカム 指標 (経営課題の解決に向けた進捗度合を示した指標)\t{}\n\
             アウトカム 指標の達成状況 (定量評価)\t14年度実績と達成状況 ※A：達成 B：未達成\t\t前年度実績\n\n",
            goal / 9 + 1,
            goal % 9 + 1,
            names.join(" ")
        );
    }
    form + "自己評価 (運営方針全体の定性評価)\n今後の方針\n"
}
