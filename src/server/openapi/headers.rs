//! The headers that operations take and give, beside those their handlers state.

use utoipa::openapi::{
    Header, RefOr, Required, Response, Type,
    path::{Operation, ParameterBuilder, ParameterIn},
    schema::{ObjectBuilder, SchemaFormat},
};

use crate::{
    auth::{CHANGE_REASON, IDEMPOTENCY_KEY, LONGEST_REASON, RequiredPermission},
    http::{
        idempotency::{MOST_BYTES, MOST_KEYS},
        required_permissions::need,
    },
};

/// Adds the headers of an operation to its parameters and to the answers it describes itself.
pub(super) fn add(path: &str, method: &str, operation: &mut Operation) {
    let reads = method == "get" && path.starts_with("/v1");
    // A streamed answer has no ETag.
    let read = operation.responses.responses.get("200");
    let has = |header| read.is_some_and(|answer| matches!(answer, RefOr::T(it) if it.headers.contains_key(header)));
    let (tagged, dated) = (has("ETag"), has("Last-Modified"));
    if reads && tagged {
        let tag = ObjectBuilder::new().schema_type(Type::String).max_length(Some(1000));
        let words = "The ETag the caller has: 304 without a body while it still holds.";
        take(operation, "If-None-Match", words, tag);
        if dated {
            // A header of any length is allowed: one that is no date is ignored (RFC 9110, 13.1.3).
            let format = SchemaFormat::Custom("http-date".to_owned());
            let moment = ObjectBuilder::new().schema_type(Type::String).format(Some(format));
            let words = "The `Last-Modified` of what the caller has, where it sends no `If-None-Match`: 304 if nothing changed since. To the \
                         second: who must miss no change sends the ETag. What is no moment is not looked at.";
            take(operation, "If-Modified-Since", words, moment);
        }
        let unchanged = Response::builder().description("The caller already has it (If-None-Match).");
        operation
            .responses
            .responses
            .insert("304".to_owned(), unchanged.build().into());
    }
    let changes = matches!(need(operation), RequiredPermission::Scope(_));
    if changes {
        let why = ObjectBuilder::new()
            .schema_type(Type::String)
            .max_length(Some(12 * LONGEST_REASON));
        let words = format!(
            "Why, in at most {LONGEST_REASON} characters, UTF-8 percent-encoded. Required where something public changes: 422 without."
        );
        take(operation, CHANGE_REASON, &words, why);
    }
    // A request that changes something in an organization is kept with its answer.
    let repeatable = changes && method != "get";
    if repeatable {
        let key = ObjectBuilder::new()
            .schema_type(Type::String)
            .min_length(Some(1))
            .max_length(Some(255))
            .pattern(Some("^[!-~]+$"));
        let words = format!(
            "A key of the caller's, new for every request: for 24 hours the same request with the same key gets the same \
             answer, and is carried out once. 422 for another request with it, 409 (`running`) while one is still running. A \
             token may have {MOST_KEYS} keys a day (429 for one more). Answers are kept whole up to {MOST_BYTES} bytes for a \
             token, and where something changed; the same request gets any other as long as it comes to the same, and then \
             409 (`carried_out`)."
        );
        take(operation, IDEMPOTENCY_KEY, &words, key);
    }
    // The feed has no last page.
    let is_list = !path.starts_with("/v1/changes")
        && operation
            .parameters
            .iter()
            .flatten()
            .any(|p| matches!(p, RefOr::T(p) if p.name == "cursor"));
    for (status, response) in &mut operation.responses.responses {
        let RefOr::T(response) = response else { continue };
        if status == "304" {
            give(response, "ETag", TAG);
        }
        if changes && status == "200" {
            "What is stored now.".clone_into(&mut response.description);
        }
        if changes && status.starts_with('2') {
            give(
                response,
                "X-Consistency-Token",
                "Sent with a request that reads: it reads what was written here, whichever instance answers it.",
            );
        }
        if repeatable && status.starts_with('2') {
            give(
                response,
                "Idempotency-Replayed",
                "`true` on an answer that was given before, to the same request; else absent.",
            );
        }
        if is_list && status == "200" {
            give(response, "Link", LINKED);
        }
        for (name, words) in [
            ("ETag", TAG),
            ("Last-Modified", CHANGED),
            ("Location", PLACE),
            ("Link", LINKED),
        ] {
            if response.headers.contains_key(name) {
                give(response, name, words);
            }
        }
    }
}

/// Adds the headers of a problem.
pub(super) fn of_problem(name: &str, response: &mut Response) {
    match name {
        "Unavailable" => give(response, "Retry-After", "Seconds to wait."),
        "TooManyRequests" => {
            give(response, "Retry-After", "Seconds to wait.");
            limited(response);
        }
        "Unauthenticated" => give(
            response,
            "WWW-Authenticate",
            "How to authenticate: with a bearer token.",
        ),
        "NotMergePatch" => give(response, "Accept-Patch", "The media type this operation takes."),
        _ => {}
    }
}

/// Adds the headers of the rate limit.
fn limited(response: &mut Response) {
    give(
        response,
        "RateLimit-Policy",
        "How much a token, or an address without one, may ask: `q` at once, and as much again in `w` seconds. Absent where there is no limit.",
    );
    give(
        response,
        "RateLimit",
        "How much is left: `r` requests at once; after `t` seconds all of it. Absent where the request did not count.",
    );
}

const TAG: &str = "The tag of the answer: what `If-Match` and `If-None-Match` are about.";
const CHANGED: &str = "When it, or what it shows of others, last changed; to the second.";
const LINKED: &str =
    "The next page, with `rel=\"next\"`, absent on the last one; of an export its licence, with `rel=\"license\"`.";
pub(super) const PLACE: &str = "Where it is: what was created, or the same request by the name of today.";

fn take(operation: &mut Operation, name: &str, words: &str, schema: ObjectBuilder) {
    let parameter = ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(words))
        .schema(Some(schema));
    operation
        .parameters
        .get_or_insert_default()
        .push(parameter.build().into());
}

pub(super) fn give(response: &mut Response, name: &str, words: &str) {
    let mut header = Header::new(ObjectBuilder::new().schema_type(Type::String).max_length(Some(8000)));
    header.description = Some(words.to_owned());
    response.headers.insert(name.to_owned(), header.into());
}
