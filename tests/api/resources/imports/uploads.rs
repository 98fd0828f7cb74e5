//! How files are sent: as the body, or in a form; each kind to its own address.

use rust_xlsxwriter::Workbook;
use serde_json::{Value, json};

use super::forms::RESULTS;
use crate::support::{Answer, Api, Call, years::Years};

const CSV: &str = "text/csv";
const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
const EXCEL: &str = "application/vnd.ms-excel";
const BYTES: &str = "application/octet-stream";

/// How old workbooks begin, and those with a password.
const OLD: &[u8] = &[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1];

/// A form with fields: the headers of each, and what it holds.
fn form(fields: &[(String, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (headers, content) in fields {
        body.extend_from_slice(format!("--x-y\r\nContent-Disposition: form-data; {headers}\r\n\r\n").as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--x-y--\r\n");
    body
}

/// The headers of a file in a form, of a type and with a name.
fn file(media_type: &str, name: &str) -> String {
    let name = if name.is_empty() {
        String::new()
    } else {
        format!("; filename=\"{name}\"")
    };
    let media_type = if media_type.is_empty() {
        String::new()
    } else {
        format!("\r\nContent-Type: {media_type}")
    };
    format!("name=\"file\"{name}{media_type}")
}

impl Api {
    async fn upload(&self, to: &str, media_type: &str, bytes: &[u8]) -> Answer {
        let call = Call::new("POST", format!("/v1/imports{to}")).because("取り込み");
        self.send(call.body(media_type, bytes.to_vec())).await
    }

    /// The answer to a form with these fields.
    async fn fields(&self, to: &str, fields: &[(String, &[u8])]) -> Answer {
        self.upload(to, "multipart/form-data; boundary=x-y", &form(fields))
            .await
    }

    /// The answer to a file in a form.
    async fn in_form(&self, to: &str, (media_type, name): (&str, &str), bytes: &[u8]) -> Answer {
        self.fields(to, &[(file(media_type, name), bytes)]).await
    }
}

/// A table of one result, as CSV and as a workbook.
fn tables(indicator: &str) -> (Vec<u8>, Vec<u8>) {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    for (column, (head, value)) in (0..).zip([("指標ID", indicator), ("年度", "2024"), ("実績値", "36")]) {
        sheet.write(0, column, head).unwrap();
        sheet.write(1, column, value).unwrap();
    }
    let csv = format!("指標ID,年度,実績値\r\n{indicator},2024,36\r\n");
    (csv.into_bytes(), book.save_to_buffer().unwrap())
}

#[actix_web::test]
async fn a_table_is_known_by_its_type_its_name_or_its_first_bytes() {
    let years = Years::drafted().await;
    let api = &years.api;
    let (csv, xlsx) = tables(&years.known[0]);
    let to = "/results?dry_run=true";
    for (media_type, bytes, format) in [
        (CSV, &csv, "csv"),
        ("Text/CSV; charset=utf-8", &csv, "csv"),
        // What browsers on Windows call CSV, and some programs every workbook.
        (EXCEL, &csv, "csv"),
        (EXCEL, &xlsx, "xlsx"),
        (XLSX, &xlsx, "xlsx"),
        (BYTES, &csv, "csv"),
        (BYTES, &xlsx, "xlsx"),
    ] {
        let report = api.upload(to, media_type, bytes).await.must_be(200).body;
        assert_eq!(
            (&report["format"], &report["changed"]),
            (&json!(format), &json!(1)),
            "{media_type}"
        );
    }
    for (media_type, name, bytes, format) in [
        (CSV, "", &csv, "csv"),
        (EXCEL, "実績.csv", &csv, "csv"),
        (EXCEL, "実績.xls", &csv, "csv"),
        (EXCEL, "実績.xls", &xlsx, "xlsx"),
        (XLSX, "実績.xlsx", &xlsx, "xlsx"),
        (BYTES, "実績.XLSX", &xlsx, "xlsx"),
        (BYTES, "blob", &xlsx, "xlsx"),
        ("", "実績.csv", &csv, "csv"),
        ("", "", &csv, "csv"),
        ("text/plain", "実績.csv", &csv, "csv"),
        ("application/zip", "実績.xlsx", &xlsx, "xlsx"),
    ] {
        let report = api.in_form(to, (media_type, name), bytes).await.must_be(200).body;
        assert_eq!(
            (&report["format"], &report["changed"]),
            (&json!(format), &json!(1)),
            "{media_type} {name}"
        );
    }
}

#[actix_web::test]
async fn a_file_of_another_kind_is_refused_by_name() {
    let years = Years::drafted().await;
    let api = &years.api;
    let (csv, xlsx) = tables(&years.known[0]);
    for (to, media_type) in [
        ("/results", "text/plain"),
        ("/results", "application/json"),
        ("/results", "application/pdf"),
        ("/results", ""),
        ("/forms", CSV),
        ("/forms", EXCEL),
        ("/policies", "text/html"),
        ("", BYTES),
    ] {
        let answer = api.upload(to, media_type, &csv).await.must_be(415);
        let (detail, of_address) = (answer.text("detail"), to == "/results");
        assert_eq!(
            detail.contains("text/csv") && !detail.contains("html"),
            of_address,
            "{to}: {detail}"
        );
    }
    for (media_type, name) in [
        ("application/pdf", "実績.pdf"),
        (BYTES, "実績.pdf"),
        ("application/pdf", ""),
        ("text/html", "form.html"),
        ("", "実績.ods"),
    ] {
        let answer = api.in_form("/results", (media_type, name), &xlsx).await.must_be(415);
        assert!(answer.text("detail").contains("text/csv"), "{answer:?}");
    }
    // An old workbook is none that can be read, whatever it is called.
    for answer in [
        api.upload("/results", EXCEL, OLD).await,
        api.upload("/results", BYTES, OLD).await,
        api.upload("/results", XLSX, OLD).await,
        api.in_form("/results", (EXCEL, "実績.xls"), OLD).await,
        api.upload("", EXCEL, OLD).await,
    ] {
        let answer = answer.must_be(422);
        assert!(answer.text("detail").contains(".xls"), "{answer:?}");
    }
}

#[actix_web::test]
async fn a_form_has_one_file_and_options_are_parameters() {
    let years = Years::drafted().await;
    let api = &years.api;
    let (csv, _) = tables(&years.known[0]);
    let table = || (file(CSV, "a.csv"), &csv[..]);
    let field = |name: &str| (format!("name=\"{name}\""), &b"true"[..]);
    for (fields, faults) in [
        (vec![], vec![("/file", "required")]),
        (vec![table(), table()], vec![("/file", "repeated")]),
        (vec![table(), field("dry_run")], vec![("/dry_run", "unknown_field")]),
        (vec![field("表")], vec![("/表", "unknown_field"), ("/file", "required")]),
    ] {
        api.fields("/results", &fields).await.must_refuse(400, &faults);
    }
    let broken = [b"--x-y\r\n".as_slice(), &csv].concat();
    for (media_type, body) in [
        ("multipart/form-data; boundary=x-y", &broken),
        ("multipart/form-data; boundary=y-x", &form(&[table()])),
        ("multipart/form-data; boundary=\"\"", &form(&[table()])),
        ("multipart/form-data", &form(&[table()])),
    ] {
        let answer = api.upload("/results", media_type, body).await;
        answer.must_refuse(400, &[("", "multipart")]);
    }
    // Nothing of all this was stored.
    let stored = api.get(format!("/v1/indicators/{}/results/2024", years.known[0])).await;
    assert_eq!(stored.body["value"], 35);
}

#[actix_web::test]
async fn a_policy_and_its_form_can_be_sent_in_a_form_too() {
    let years = Years::drafted().await;
    let api = &years.api;
    let tree = api.get("/v1/policies/nishi/2024/tree").await.bytes;
    for (media_type, name) in [
        ("application/json", "a.json"),
        (BYTES, "a.json"),
        (BYTES, "blob"),
        ("", ""),
    ] {
        let report = api.in_form("/policies?dry_run=true", (media_type, name), &tree).await;
        let report = report.must_be(200).body;
        assert_eq!(
            (&report["format"], &report["created"]),
            (&json!("json"), &json!(0)),
            "{name}"
        );
    }
    let page = api.get("/v1/policies/nishi/2024/form").await.bytes;
    let marked = [b"\xef\xbb\xbf\r\n ".as_slice(), &page].concat();
    for (bytes, format) in [(RESULTS.as_bytes(), "text"), (&page, "html"), (&marked, "html")] {
        let to = "/forms?dry_run=true&rewording=add";
        for answer in [
            api.upload(to, BYTES, bytes).await,
            api.in_form(to, (BYTES, "blob"), bytes).await,
            api.in_form(to, ("", if format == "html" { "様式.htm" } else { "様式.txt" }), bytes)
                .await,
        ] {
            assert_eq!(answer.must_be(200).body["format"], format);
        }
    }
}

#[actix_web::test]
async fn a_file_is_the_same_request_however_it_is_sent() {
    let years = Years::drafted().await;
    let api = &years.api;
    let (csv, _) = tables(&years.known[0]);
    let call = |media_type: &str, body: &[u8]| {
        Call::new("POST", "/v1/imports/results")
            .header("idempotency-key", "1")
            .body(media_type, body.to_vec())
    };
    let first = api.send(call(CSV, &csv)).await.must_be(200);
    let form = String::from_utf8(form(&[(file(EXCEL, "a.csv"), &csv)])).unwrap();
    for boundary in ["x-y", "another"] {
        let body = form.replace("x-y", boundary);
        let again = api
            .send(call(
                &format!("multipart/form-data; boundary=\"{boundary}\""),
                body.as_bytes(),
            ))
            .await;
        assert_eq!(
            (again.header("idempotency-replayed"), &again.bytes),
            ("true", &first.bytes)
        );
    }
}

#[actix_web::test]
async fn options_of_another_kind_of_file_are_refused() {
    let api = Api::new().await;
    for (path, parameter) in [
        ("/forms?fiscal_year=2024", "fiscal_year"),
        ("/policies?fiscal_year=2024", "fiscal_year"),
        ("/results?rewording=add", "rewording"),
    ] {
        let answer = api.upload(path, BYTES, b"{}").await;
        answer.must_refuse(400, &[(parameter, "unknown_parameter")]);
    }
}

/// The address that took every kind of file goes on doing so for a year, and says that it ends.
#[actix_web::test]
async fn the_former_address_works_and_says_until_when() {
    let years = Years::drafted().await;
    let api = &years.api;
    let (csv, xlsx) = tables(&years.known[0]);
    let tree = api.get("/v1/policies/nishi/2024/tree").await.bytes;
    let ends = |answer: &Answer| {
        assert_eq!(answer.header("deprecation"), "@1795996800");
        assert_eq!(answer.header("sunset"), "Tue, 30 Nov 2027 00:00:00 GMT");
    };
    for (media_type, bytes, format) in [
        (CSV, &csv[..], "csv"),
        (EXCEL, &csv, "csv"),
        (XLSX, &xlsx, "xlsx"),
        ("application/json", &tree, "json"),
        ("text/plain", RESULTS.as_bytes(), "text"),
    ] {
        let answer = api
            .upload("?dry_run=true&rewording=add", media_type, bytes)
            .await
            .must_be(200);
        assert_eq!(answer.body["format"], format);
        ends(&answer);
    }
    ends(&api.upload("", "application/pdf", b"%PDF").await.must_be(415));
    let other = api.upload("/results?dry_run=true", CSV, &csv).await.must_be(200);
    assert!(other.headers.get("deprecation").is_none());
    let contract: Value = api.public("/openapi.json").await.body;
    let deprecated = contract["paths"]
        .as_object()
        .unwrap()
        .iter()
        .filter(|(_, item)| item["post"]["deprecated"] == true);
    assert_eq!(
        deprecated.map(|(path, _)| path.as_str()).collect::<Vec<_>>(),
        ["/v1/imports"]
    );
}
