//! Where requests under former names of organizations are sent.

use utoipa::openapi::{
    RefOr, Response,
    path::{Operation, ParameterIn},
};

use super::headers;
use crate::http::middleware::former_names;

/// The name of the answer in the document.
const MOVED: &str = "Moved";

/// The answer, described once.
pub(super) fn describe() -> (String, RefOr<Response>) {
    let words = "An organization is named by a slug or municipality code that it had before: the same request by its slug of today. \
                 In the path, where nothing is found by the former name; in the filter `organization`, without `as_of`. Never at a \
                 moment of the past. A fiscal year in the path as people write it (R6, 令和6): the same request by its Gregorian year.";
    let mut moved = Response::builder().description(words).build();
    headers::give(&mut moved, "Location", headers::PLACE);
    (MOVED.to_owned(), moved.into())
}

/// Refers an operation to the answer if an organization's name or a fiscal year of its path is among its parameters.
pub(super) fn add(path: &str, operation: &mut Operation) {
    let named = operation.parameters.iter().flatten().any(|parameter| match parameter {
        RefOr::T(p) if p.name == former_names::ORGANIZATION => {
            p.parameter_in == ParameterIn::Path || !path.starts_with(former_names::FOLLOWS)
        }
        RefOr::T(p) => p.name == "fiscal_year" && p.parameter_in == ParameterIn::Path,
        RefOr::Ref(_) => false,
    });
    if named {
        let moved = utoipa::openapi::Ref::from_response_name(MOVED);
        operation.responses.responses.insert("308".to_owned(), moved.into());
    }
}
