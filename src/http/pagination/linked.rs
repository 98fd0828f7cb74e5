//! The link of a page to the next one.

use std::collections::BTreeMap;

use actix_web::{
    HttpRequest, HttpResponse, Responder,
    body::BoxBody,
    http::header::{HeaderValue, LINK},
};
use serde::Serialize;
use utoipa::{
    IntoResponses, ToSchema,
    openapi::{RefOr, Response},
};

use super::Page;
use crate::http::respond::Answer;

/// A response that may have a next page.
pub trait Continued {
    /// Where the next page starts.
    fn next_cursor(&self) -> Option<&str>;
}

impl<T> Continued for Page<T> {
    fn next_cursor(&self) -> Option<&str> {
        self.next_cursor.as_deref()
    }
}

/// A page with a link to the next one (RFC 8288) that keeps the filters.
pub struct Linked<T>(pub T);

impl<T: Continued + Serialize + Send + 'static> Responder for Linked<T> {
    type Body = BoxBody;

    fn respond_to(self, req: &HttpRequest) -> HttpResponse {
        let Self(page) = self;
        let link = page.next_cursor().map(|cursor| {
            let mut query: Vec<&str> = req.query_string().split('&').collect();
            query.retain(|pair| !pair.is_empty() && !pair.starts_with("cursor="));
            let next = format!("cursor={cursor}");
            query.push(&next);
            format!("<{}?{}>; rel=\"next\"", req.path(), query.join("&"))
        });
        let mut response = Answer(page).respond_to(req);
        if let Some(link) = link.and_then(|link| HeaderValue::try_from(link).ok()) {
            response.headers_mut().insert(LINK, link);
        }
        response
    }
}

impl<T: ToSchema> IntoResponses for Linked<T> {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        <Answer<T> as IntoResponses>::responses()
    }
}
