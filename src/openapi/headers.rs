//! The headers that operations take and give, beside those their handlers state.

use utoipa::openapi::{
    Header, RefOr, Required, Response, Type,
    path::{Operation, ParameterBuilder, ParameterIn},
    schema::ObjectBuilder,
};

use crate::request::REQUEST_ID;

/// Adds the headers of an operation to its parameters and to the answers it describes itself.
pub(super) fn add(path: &str, method: &str, operation: &mut Operation) {
    let reads = method == "get" && path.starts_with("/v1");
    // What is streamed has no tag.
    let tagged = operation
        .responses
        .responses
        .get("200")
        .is_some_and(|answer| matches!(answer, RefOr::T(answer) if answer.content.contains_key("application/json")));
    if reads && tagged {
        let known = ParameterBuilder::new()
            .name("If-None-Match")
            .parameter_in(ParameterIn::Header)
            .required(Required::False)
            .description(Some(
                "The ETag the caller has: 304 without a body while it still holds.",
            ))
            .schema(Some(
                ObjectBuilder::new().schema_type(Type::String).max_length(Some(1000)),
            ))
            .build();
        operation.parameters.get_or_insert_default().push(known.into());
        let unchanged = Response::builder().description("The caller already has it (If-None-Match).");
        operation
            .responses
            .responses
            .insert("304".to_owned(), unchanged.build().into());
    }
    // The feed has no last page.
    let is_list = !path.starts_with("/v1/changes") && operation
        .parameters
        .iter()
        .flatten()
        .any(|p| matches!(p, RefOr::T(p) if p.name == "cursor"));
    for (status, response) in &mut operation.responses.responses {
        let RefOr::T(response) = response else { continue };
        give(response, REQUEST_ID.as_str(), LOGGED);
        match (status.as_str(), reads) {
            ("304", _) => give(response, "ETag", "The tag that still holds."),
            ("200", true) => give(
                response,
                "Cache-Control",
                "Keep it, and ask each time whether it still holds; not at all what is streamed.",
            ),
            _ => {}
        }
        if is_list && status == "200" {
            give(
                response,
                "Link",
                "The next page, with `rel=\"next\"`; absent on the last one.",
            );
        }
    }
}

/// Adds the headers of a problem.
pub(super) fn of_problem(name: &str, response: &mut Response) {
    give(response, REQUEST_ID.as_str(), LOGGED);
    match name {
        "Unavailable" => give(response, "Retry-After", "Seconds to wait."),
        "Unauthenticated" => give(response, "WWW-Authenticate", "How to authenticate: with a bearer token."),
        "NotMergePatch" => give(response, "Accept-Patch", "The media type this operation takes."),
        _ => {}
    }
}

const LOGGED: &str = "The id under which the request was logged: the caller's own, or a new one.";

fn give(response: &mut Response, name: &str, words: &str) {
    let mut header = Header::new(ObjectBuilder::new().schema_type(Type::String).max_length(Some(8000)));
    header.description = Some(words.to_owned());
    response.headers.insert(name.to_owned(), header.into());
}
