//! Files that callers send: as the body itself, or as the file of a form (`multipart/form-data`).

use std::{future::Future, marker::PhantomData, path::Path, pin::Pin};

use actix_web::{FromRequest, HttpMessage, HttpRequest, dev::Payload, web::Bytes};

use super::{
    extract::{bytes, media_type},
    json,
    limits::limits,
    media_type::{FORM_DATA, OCTET_STREAM},
    multipart,
};
use crate::error::{Error, Result};

/// The files that an operation takes.
pub trait FileTypes: Send + 'static {
    /// What a file can be.
    type Kind: Copy + 'static;
    /// Every type that it takes.
    const TYPES: &'static [FileType<Self::Kind>];
    /// All media types in words, for a caller that sent another one.
    const NAMES: &'static str;

    /// What a file is by its first bytes, if nothing else says it.
    fn recognize(bytes: &[u8]) -> Self::Kind;
}

/// A type of files.
#[derive(Debug, Clone, Copy)]
pub struct FileType<K: 'static> {
    /// Its media type, in lower case.
    pub media_type: &'static str,
    /// The extension of such files' names, in lower case.
    pub extension: &'static str,
    /// What such a file is; nothing where programs call several things so, and its bytes must tell.
    pub kind: Option<K>,
}

/// A file as it was sent, read within limits and not looked at.
#[derive(Debug)]
pub struct Upload<T> {
    media_type: String,
    /// What stands between the fields of a form, if the body is one.
    boundary: Option<String>,
    body: Bytes,
    /// The limits of a JSON document, for a file that is one.
    pub most: json::Most,
    types: PhantomData<T>,
}

impl<T: FileTypes> Upload<T> {
    /// The file, and what it is. It takes time by its bytes where it is in a form.
    pub fn file(&self) -> Result<(T::Kind, &[u8])> {
        let Some(boundary) = &self.boundary else {
            return Ok((kind::<T>(&self.media_type, None, &self.body)?, &self.body));
        };
        let part = multipart::file(&self.body, boundary)?;
        let extension = part.file_name.as_deref().map(Path::new).and_then(Path::extension);
        let extension = extension.and_then(|extension| extension.to_str());
        let media_type = part.media_type.as_deref().map_or(OCTET_STREAM, essence);
        Ok((kind::<T>(media_type, extension, part.content)?, part.content))
    }
}

/// What a file is: by its media type, else by its name, else by its first bytes if neither names another kind of file.
fn kind<T: FileTypes>(media_type: &str, extension: Option<&str>, bytes: &[u8]) -> Result<T::Kind> {
    let by_type = named::<T>(media_type);
    let by_name = extension.map(|it| {
        let is = |of: &&FileType<T::Kind>| of.extension.eq_ignore_ascii_case(it);
        T::TYPES.iter().find(is)
    });
    let told = [by_type, by_name.flatten()];
    let told = told.into_iter().flatten().find_map(|of| of.kind);
    match (told, by_type, by_name) {
        (Some(kind), ..) => Ok(kind),
        (None, Some(_), None | Some(Some(_))) => Ok(T::recognize(bytes)),
        _ => Err(Error::UnsupportedMediaType(T::NAMES)),
    }
}

fn named<T: FileTypes>(media_type: &str) -> Option<&'static FileType<T::Kind>> {
    let is = |of: &&FileType<T::Kind>| of.media_type.eq_ignore_ascii_case(media_type);
    T::TYPES.iter().find(is)
}

/// A media type without its parameters.
fn essence(media_type: &str) -> &str {
    media_type.split(';').next().unwrap_or_default().trim()
}

impl<T: FileTypes> FromRequest for Upload<T> {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let media_type = media_type(req).to_owned();
        let is_form = media_type.eq_ignore_ascii_case(FORM_DATA);
        let stated = req.mime_type().ok().flatten();
        let boundary = stated.and_then(|it| Some(it.get_param("boundary")?.as_str().to_owned()));
        let boundary = boundary.filter(|boundary| is_form && !boundary.is_empty());
        let limits = limits(req);
        let acceptable = is_form || named::<T>(&media_type).is_some();
        let bytes = bytes(req, payload, limits.import_bytes, acceptable, T::NAMES);
        Box::pin(async move {
            let body = bytes.await?;
            if is_form && boundary.is_none() {
                return Err(multipart::unreadable());
            }
            Ok(Self {
                media_type,
                boundary,
                body,
                most: limits.json,
                types: PhantomData,
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Tables;

    impl FileTypes for Tables {
        type Kind = &'static str;
        const TYPES: &'static [FileType<Self::Kind>] = &[
            FileType {
                media_type: "text/csv",
                extension: "csv",
                kind: Some("table"),
            },
            FileType {
                media_type: "application/book",
                extension: "book",
                kind: Some("book"),
            },
            FileType {
                media_type: "application/vnd.ms-excel",
                extension: "xls",
                kind: None,
            },
            FileType {
                media_type: OCTET_STREAM,
                extension: "",
                kind: None,
            },
        ];
        const NAMES: &'static str = "tables";

        fn recognize(bytes: &[u8]) -> Self::Kind {
            if bytes.starts_with(b"PK") { "book" } else { "table" }
        }
    }

    #[test]
    fn a_file_is_what_its_type_its_name_or_its_bytes_say() {
        for (media_type, extension, bytes, is) in [
            ("text/csv", None, "PK", Some("table")),
            ("TEXT/CSV", Some("pdf"), "a", Some("table")),
            ("application/pdf", Some("CSV"), "PK", Some("table")),
            ("application/vnd.ms-excel", None, "a", Some("table")),
            ("application/vnd.ms-excel", None, "PK", Some("book")),
            ("application/vnd.ms-excel", Some("csv"), "PK", Some("table")),
            ("application/vnd.ms-excel", Some("xls"), "PK", Some("book")),
            (OCTET_STREAM, None, "a", Some("table")),
            (OCTET_STREAM, Some("book"), "a", Some("book")),
            (OCTET_STREAM, Some("pdf"), "a", None),
            ("application/pdf", None, "a", None),
            ("application/pdf", Some("pdf"), "a", None),
            ("application/pdf", Some("xls"), "a", None),
        ] {
            let read = kind::<Tables>(media_type, extension, bytes.as_bytes());
            assert_eq!(read.ok(), is, "{media_type} {extension:?} {bytes}");
        }
    }
}
