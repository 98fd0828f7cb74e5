//! The file in a `multipart/form-data` body (RFC 7578), as browsers and generated clients send one.
//!
//! The body is here already, whole and within its limits. What crates there are for it read streams, which takes states
//! and buffers that nobody needs here.

use actix_web::http::header::{ContentDisposition, HeaderValue};
use memchr::memmem;

use crate::{
    error::{Error, Result, Violation, shortened},
    value::language::Bilingual,
};

/// The name of the form field that holds the file.
const FIELD: &str = "file";
/// Most fields of a form; more are not looked at.
const MOST_FIELDS: usize = 20;
/// Most headers of a field.
const MOST_HEADERS: usize = 16;
/// What a field may say of its encoding: that there is none.
const UNENCODED: [&str; 3] = ["7bit", "8bit", "binary"];

/// A field of a form that may be a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Part<'b> {
    name: String,
    /// Its media type with parameters, if it says one.
    pub(super) media_type: Option<String>,
    /// The name of the file, if it says one.
    pub(super) file_name: Option<String>,
    /// The bytes of the file.
    pub(super) content: &'b [u8],
}

/// The one field `file` of a form. A form with anything else is refused: a field that is ignored would be a wish that is.
pub(super) fn file<'b>(body: &'b [u8], boundary: &str) -> Result<Part<'b>> {
    let fields = fields(body, boundary).and_then(|fields| fields.into_iter().map(Part::read).collect());
    let fields: Vec<Part<'b>> = fields.ok_or_else(unreadable)?;
    let (files, others): (Vec<_>, Vec<_>) = fields.into_iter().partition(|part| part.name == FIELD);
    let mut broken: Vec<_> = others.iter().map(|part| unknown(&part.name)).collect();
    let mut files = files.into_iter();
    match (files.next(), files.next()) {
        (Some(file), None) if broken.is_empty() => return Ok(file),
        (Some(_), None) => {}
        (None, _) => {
            let detail = Bilingual::new(
                "ファイルを「file」という項目で送ってください",
                "send the file as the field file",
            );
            broken.push(Violation::at("/file", "required", detail));
        }
        (Some(_), Some(_)) => {
            let detail = Bilingual::new("ファイルは一度に1つだけ送ってください", "send one file at a time");
            broken.push(Violation::at("/file", "repeated", detail));
        }
    }
    Err(Error::Malformed(broken))
}

/// The error for a body that is no form.
pub(super) fn unreadable() -> Error {
    let detail = Bilingual::new(
        "multipart/form-dataとして読み取れません",
        "is not multipart/form-data with the boundary that its Content-Type says",
    );
    Error::malformed(Violation::at("", "multipart", detail))
}

fn unknown(name: &str) -> Violation {
    let name = shortened(name);
    let pointer = format!("/{}", name.replace('~', "~0").replace('/', "~1"));
    let detail = Bilingual::new(
        format!("「{name}」という項目はありません。ファイルは「file」、その他の指定はURLのパラメータで送ってください"),
        format!("there is no field named {name}; the file is file, everything else a parameter of the URL"),
    );
    Violation::at(pointer, "unknown_field", detail)
}

/// The fields of a form, each with its headers, or nothing if the form breaks off.
fn fields<'b>(body: &'b [u8], boundary: &str) -> Option<Vec<&'b [u8]>> {
    let delimiter = format!("\r\n--{boundary}");
    let find = memmem::Finder::new(&delimiter);
    // Before the first field may stand lines that mean nothing, or none.
    let mut rest = match body.strip_prefix(delimiter.trim_start().as_bytes()) {
        Some(rest) => rest,
        None => body.get(find.find(body)? + delimiter.len()..)?,
    };
    let mut fields = Vec::new();
    while !rest.starts_with(b"--") {
        let line = memmem::find(rest, b"\r\n")?;
        let (padding, field) = rest.split_at_checked(line)?;
        let field = field.get(2..)?;
        let end = find.find(field)?;
        if !padding.trim_ascii().is_empty() || fields.len() == MOST_FIELDS {
            return None;
        }
        fields.push(field.get(..end)?);
        rest = field.get(end + delimiter.len()..)?;
    }
    Some(fields)
}

impl<'b> Part<'b> {
    fn read(field: &'b [u8]) -> Option<Self> {
        let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
        let httparse::Status::Complete((length, headers)) = httparse::parse_headers(field, &mut headers).ok()? else {
            return None;
        };
        let header = |name: &str| {
            let header = headers.iter().find(|header| header.name.eq_ignore_ascii_case(name))?;
            Some(String::from_utf8_lossy(header.value).trim().to_owned())
        };
        let encoding = header("content-transfer-encoding").unwrap_or_else(|| "binary".to_owned());
        if !UNENCODED.contains(&encoding.to_ascii_lowercase().as_str()) {
            return None;
        }
        let is = HeaderValue::from_maybe_shared(header("content-disposition")?).ok()?;
        let is = ContentDisposition::from_raw(&is)
            .ok()
            .filter(ContentDisposition::is_form_data)?;
        Some(Self {
            name: is.get_name()?.to_owned(),
            media_type: header("content-type"),
            file_name: is.get_filename().map(str::to_owned),
            content: field.get(length..)?,
        })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
    use proptest::prelude::*;

    use super::*;
    use crate::error::Place;

    const HEAD: &str =
        "Content-Disposition: form-data; name=\"file\"; filename=\"実績.csv\"\r\nContent-Type: text/csv\r\n\r\n";

    fn refused(body: &[u8]) -> Vec<(String, &'static str)> {
        let Err(Error::Malformed(broken)) = file(body, "b") else {
            return vec![];
        };
        let of = |violation: Violation| match violation.place {
            Place::Body(pointer) => (pointer, violation.code),
            elsewhere => panic!("{elsewhere:?}"),
        };
        broken.into_iter().map(of).collect()
    }

    #[test]
    fn a_form_has_one_file_and_nothing_else() {
        let body = format!("--b\r\n{HEAD}a,b\r\n1,2\r\n--b--\r\n");
        let part = file(body.as_bytes(), "b").unwrap();
        assert_eq!(
            (part.media_type.as_deref(), part.file_name.as_deref(), part.content),
            (Some("text/csv"), Some("実績.csv"), &b"a,b\r\n1,2"[..])
        );
        // A preamble, padding and an epilogue mean nothing.
        let padded = format!("hello\r\n--b \t\r\n{HEAD}a,b\r\n1,2\r\n--b-- \r\nbye");
        assert_eq!(file(padded.as_bytes(), "b").unwrap(), part);

        let other = "Content-Disposition: form-data; name=\"dry_run\"\r\n\r\ntrue";
        for (body, faults) in [
            ("", vec![("", "multipart")]),
            ("a,b\r\n1,2", vec![("", "multipart")]),
            ("--b--", vec![("/file", "required")]),
            (&format!("--b\r\n{HEAD}a,b\r\n--b"), vec![("", "multipart")]),
            (&format!("--b\r\n{HEAD}a,b"), vec![("", "multipart")]),
            (&format!("--bx\r\n{HEAD}a,b\r\n--bx--"), vec![("", "multipart")]),
            (
                "--b\r\nContent-Type: text/csv\r\n\r\na\r\n--b--",
                vec![("", "multipart")],
            ),
            (
                &format!("--b\r\nContent-Transfer-Encoding: base64\r\n{HEAD}YQ==\r\n--b--"),
                vec![("", "multipart")],
            ),
            (
                &format!("--b\r\n{HEAD}a\r\n--b\r\n{HEAD}a\r\n--b--"),
                vec![("/file", "repeated")],
            ),
            (
                &format!("--b\r\n{HEAD}a\r\n--b\r\n{other}\r\n--b--"),
                vec![("/dry_run", "unknown_field")],
            ),
            (
                &format!("--b\r\n{other}\r\n--b--"),
                vec![("/dry_run", "unknown_field"), ("/file", "required")],
            ),
        ] {
            let faults: Vec<_> = faults.into_iter().map(|(at, code)| (at.to_owned(), code)).collect();
            assert_eq!(refused(body.as_bytes()), faults, "{body}");
        }
    }

    proptest! {
        /// Whatever bytes a file has, they come out as they went in.
        #[test]
        fn a_file_comes_out_as_it_went_in(content in prop::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'-'), Just(b'b'), any::<u8>()], 0..200)) {
            prop_assume!(memmem::find(&content, b"\r\n--boundary").is_none());
            let body = [b"--boundary\r\n", HEAD.as_bytes(), &content, b"\r\n--boundary--\r\n"].concat();
            prop_assert_eq!(file(&body, "boundary").unwrap().content, &content[..]);
        }

        #[test]
        fn anything_else_is_refused_without_panic(body in prop::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'-'), Just(b'b'), any::<u8>()], 0..200)) {
            let _ = file(&body, "b");
        }
    }
}
