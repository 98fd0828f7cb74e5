//! A finished file as an answer.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use actix_web::{
    HttpRequest, HttpResponse, Responder,
    body::{BoxBody, SizedStream},
    http::header,
    web::{self, Bytes},
};
use futures_util::stream;
use utoipa::{
    IntoResponses, ToSchema,
    openapi::{Content, Header, Ref, RefOr, Response, Type, schema::ObjectBuilder},
};

use super::{ExportBook, ExportLine, ExportText, LICENSE};
use crate::{
    db::quota::Holding,
    error::{Error, Result},
    http::{
        files::ExportFile,
        media_type::{CSV, NDJSON, XLSX},
        respond::kept,
    },
    sheet::write::{Encoding, Form},
};

/// Bytes sent together.
const CHUNK: usize = 1 << 16;
/// How long a file may be sent, however slowly it is read; and how much longer for each chunk it has.
const SLOWEST: Duration = Duration::from_secs(600);
const LONGER: Duration = Duration::from_secs(1);

/// A file to send.
pub struct Export {
    pub(super) file: Arc<ExportFile>,
    /// Its permit: only so many exports may be sent at a time.
    pub(super) place: Holding,
    pub(super) form: Form,
    /// The name of the file, without its ending.
    pub(super) name: String,
}

impl Responder for Export {
    type Body = BoxBody;

    fn respond_to(self, req: &HttpRequest) -> HttpResponse {
        let mut response = HttpResponse::Ok();
        response.insert_header((header::LINK, format!("<{LICENSE}>; rel=\"license\"")));
        if kept(req, &mut response, self.file.tag(), None) {
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
        let length = self.file.length();
        let sending = Sending {
            file: self.file,
            from: 0,
            end: Instant::now() + SLOWEST,
            _place: self.place,
        };
        let chunks = stream::unfold(sending, |sending| async { sending.next().await });
        response
            .content_type(media_type)
            .body(SizedStream::new(length, Box::pin(chunks)))
    }
}

/// A file that is being sent.
struct Sending {
    file: Arc<ExportFile>,
    from: u64,
    end: Instant,
    _place: Holding,
}

impl Sending {
    /// The next bytes, and the rest of the file.
    #[expect(clippy::disallowed_methods, reason = "a file is read, and no database")]
    async fn next(mut self) -> Option<(Result<Bytes>, Self)> {
        if self.from == self.file.length() {
            return None;
        }
        if Instant::now() > self.end {
            let slow = Error::Unavailable("a file is read too slowly".to_owned());
            return Some((Err(slow), self));
        }
        let (file, from) = (Arc::clone(&self.file), self.from);
        let read = web::block(move || file.read(from, CHUNK)).await.ok()?;
        if let Ok(chunk) = &read {
            self.from += u64::try_from(chunk.len()).unwrap_or(u64::MAX);
            self.end += LONGER;
        }
        Some((read.map(Bytes::from).map_err(Error::internal), self))
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
