//! A finished file as an answer.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{Read, Seek, SeekFrom},
};

use actix_web::{
    HttpRequest, HttpResponse, Responder,
    body::{BoxBody, SizedStream},
    http::header::{self, EntityTag},
    web::{self, Bytes},
};
use futures_util::stream;
use utoipa::{
    IntoResponses, ToSchema,
    openapi::{Content, Header, Ref, RefOr, Response, Type, schema::ObjectBuilder},
};

use super::{CSV, ExportBook, ExportLine, ExportText, LICENSE, XLSX};
use crate::{
    error::{Error, Result},
    etag,
    extract::kept,
    resources::changes::snapshot::NDJSON,
    sheet::write::{Encoding, Form},
};

/// Bytes sent together.
const CHUNK: usize = 1 << 16;

/// A file to send.
pub struct Export {
    pub(super) file: File,
    pub(super) tag: EntityTag,
    pub(super) length: u64,
    pub(super) form: Form,
    /// What it is called, without its ending.
    pub(super) name: String,
}

impl Export {
    /// A file with its tag and its length, from its beginning.
    pub(super) fn tagged(mut file: File) -> Result<(File, EntityTag, u64)> {
        file.rewind().map_err(Error::internal)?;
        let (tag, length) = etag::of_file(&mut file).map_err(Error::internal)?;
        file.seek(SeekFrom::Start(0)).map_err(Error::internal)?;
        Ok((file, tag, length))
    }
}

impl Responder for Export {
    type Body = BoxBody;

    fn respond_to(self, req: &HttpRequest) -> HttpResponse {
        let mut response = HttpResponse::Ok();
        response.insert_header((header::LINK, format!("<{LICENSE}>; rel=\"license\"")));
        if kept(req, &mut response, &self.tag) {
            return response.finish();
        }
        let (media_type, ending) = match self.form {
            Form::Csv(Encoding::Utf8 { .. }) => ("text/csv; charset=utf-8; header=present", "csv"),
            Form::Csv(Encoding::Cp932) => ("text/csv; charset=windows-31j; header=present", "csv"),
            Form::Xlsx => (XLSX, "xlsx"),
            Form::Lines => (NDJSON, "ndjson"),
        };
        response.insert_header((header::VARY, "Accept, Authorization"));
        response.insert_header((
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{}.{ending}\"", self.name),
        ));
        let chunks = stream::unfold(self.file, |file| async { next(file).await });
        response
            .content_type(media_type)
            .body(SizedStream::new(self.length, Box::pin(chunks)))
    }
}

/// The next bytes of a file, and what remains.
#[expect(clippy::disallowed_methods, reason = "a file is read, and no database")]
async fn next(mut file: File) -> Option<(Result<Bytes>, File)> {
    let read = web::block(move || {
        let mut chunk = vec![0; CHUNK];
        let read = file.read(&mut chunk).map(|length| {
            chunk.truncate(length);
            Bytes::from(chunk)
        });
        (read, file)
    });
    let (read, file) = read.await.ok()?;
    match read {
        Ok(chunk) if chunk.is_empty() => None,
        read => Some((read.map_err(Error::internal), file)),
    }
}

impl IntoResponses for Export {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let text = || Header::new(ObjectBuilder::new().schema_type(Type::String).max_length(Some(1000)));
        let content = |name| Content::new(Some(Ref::from_schema_name(name)));
        let response = Response::builder()
            .description("The file.")
            .content(CSV, content(ExportText::name()))
            .content(XLSX, content(ExportBook::name()))
            .content(NDJSON, content(ExportLine::name()))
            .header("ETag", text())
            .header("Link", text())
            .header("Content-Disposition", text());
        BTreeMap::from([("200".to_owned(), response.build().into())])
    }
}
