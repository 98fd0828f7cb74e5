//! A page for people: HTML with its tag, and with a policy that lets a browser load nothing but what the page holds.

use std::collections::BTreeMap;

use actix_web::{
    HttpRequest, HttpResponse, Responder,
    body::BoxBody,
    http::header::{CONTENT_LANGUAGE, CONTENT_SECURITY_POLICY, X_CONTENT_TYPE_OPTIONS},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use sha2::{Digest, Sha256};
use utoipa::{
    IntoResponses, ToSchema,
    openapi::{
        Content, Header, Ref, RefOr, Response, Type,
        schema::{ObjectBuilder, Schema},
    },
};

use super::{origins::origins, respond::tagged};

/// The media type of a page.
pub(crate) const PAGE: &str = "text/html; charset=utf-8";

/// A page in Japanese. It holds one style sheet and no script. Pages of trusted origins may frame it.
#[derive(Debug)]
pub struct Html<T> {
    /// The page, whose schema this is.
    pub page: T,
    /// The style sheet it holds, byte for byte.
    pub style: &'static str,
}

impl<T: Into<String>> Responder for Html<T> {
    type Body = BoxBody;

    fn respond_to(self, req: &HttpRequest) -> HttpResponse {
        let style = digest(self.style);
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{style}'; img-src data:; base-uri 'none'; form-action 'none'; \
             frame-ancestors {}",
            origins(req).ancestors()
        );
        let mut response = HttpResponse::Ok();
        response
            .insert_header((CONTENT_SECURITY_POLICY, policy))
            .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
            .insert_header((CONTENT_LANGUAGE, "ja"));
        tagged(req, response, PAGE, self.page.into().into_bytes())
    }
}

/// The SHA-256 of a style sheet, as a content security policy names it.
#[must_use]
pub fn digest(style: &str) -> String {
    BASE64_STANDARD.encode(Sha256::digest(style))
}

impl<T: ToSchema> IntoResponses for Html<T> {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let text: RefOr<Schema> = ObjectBuilder::new()
            .schema_type(Type::String)
            .max_length(Some(1000))
            .into();
        let response = Response::builder()
            .description("What was asked for, as a page.")
            .content("text/html", Content::new(Some(Ref::from_schema_name(T::name()))))
            .header("ETag", Header::new(text.clone()))
            .header("Content-Security-Policy", Header::new(text));
        BTreeMap::from([("200".to_owned(), response.build().into())])
    }
}
