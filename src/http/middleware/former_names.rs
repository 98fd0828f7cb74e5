//! Former names of organizations: what is asked for by a slug or a municipality code that an organization had is found by the slug
//! that it has.
//!
//! A path with a former name is answered with 308 (RFC 9110, 15.4.9) and the path of today, whatever the method, where it would be
//! 404 otherwise. A filter `organization` is sent on in the same way, so that no copy stands still because an organization was
//! renamed. An instance knows former names as it knows of changes: at once of its own, after a moment of others'.
//!
//! At a moment of the past things go by the names they had then, and what is read there stays the same: nobody is sent anywhere.
//! Bodies and files name organizations as they are called today.

use std::{borrow::Cow, collections::HashMap, sync::Arc};

use actix_web::{
    Error as ActixError, HttpResponse,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{Method, StatusCode, header},
    middleware::Next,
    web,
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::{
    db::{Database, in_one_line},
    http::respond,
};

/// The name of the parameter, in paths and in queries.
pub(crate) const ORGANIZATION: &str = "organization";
/// The name of the parameter that reads the past.
const AS_OF: &str = "as_of";
/// All but what slugs are made of is percent-encoded.
const AS_THEY_ARE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-');
/// Where filters take former names as they are: a feed follows an organization through its names.
pub(crate) const FOLLOWS: &str = "/v1/changes";

/// The layer: sends requests under a former name to the name of today.
pub async fn redirect(
    req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, ActixError> {
    if let Some(there) = by_filter(&req).await {
        return Ok(req.into_response(moved(&there)));
    }
    let response = next.call(req).await?.map_into_boxed_body();
    match by_path(&response).await {
        Some(there) => {
            let (req, _) = response.into_parts();
            Ok(ServiceResponse::new(req, moved(&there)))
        }
        None => Ok(response),
    }
}

fn moved(there: &str) -> HttpResponse {
    HttpResponse::PermanentRedirect()
        .insert_header((header::LOCATION, there))
        .insert_header((header::CACHE_CONTROL, respond::REVALIDATE))
        .finish()
}

/// The names of today by those that organizations had before. Where the database does not tell them, nobody is sent anywhere.
async fn names(database: Option<&web::Data<Database>>) -> Arc<HashMap<String, String>> {
    let Some(database) = database else {
        return Arc::default();
    };
    database.former_names().await.unwrap_or_else(|e| {
        log::warn!("former names are not known: {}", in_one_line(&e));
        Arc::default()
    })
}

/// The address with the names of today in its filter, where one of them is a former one.
async fn by_filter(req: &ServiceRequest) -> Option<String> {
    let path = req.path();
    if *req.method() != Method::GET || !path.starts_with("/v1/") || path.starts_with(FOLLOWS) {
        return None;
    }
    let query = req.query_string();
    if value(query, AS_OF).is_some() {
        return None;
    }
    let value = value(query, ORGANIZATION)?;
    let names = names(req.app_data()).await;
    if names.is_empty() {
        return None;
    }
    let filter = of_today(value, &names)?;
    let rest = query
        .split('&')
        .filter(|pair| !is(pair, ORGANIZATION) && !pair.is_empty());
    let all: Vec<&str> = rest.chain([filter.as_str()]).collect();
    Some(format!("{path}?{}", all.join("&")))
}

fn decoded(text: &str) -> Cow<'_, str> {
    percent_decode_str(text).decode_utf8_lossy()
}

/// Whether a part of a query is about this parameter.
fn is(pair: &str, name: &str) -> bool {
    pair.split('=').next().is_some_and(|named| decoded(named) == name)
}

/// What a query says of a parameter, as it is written.
fn value<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    let (_, value) = query.split('&').find(|pair| is(pair, name))?.split_once('=')?;
    Some(value)
}

/// A filter's value with the names of today, as a parameter; nothing where none is a former one.
fn of_today(value: &str, names: &HashMap<String, String>) -> Option<String> {
    let value = decoded(value);
    let former = value.split(',').any(|name| names.contains_key(name));
    let of_today = value.split(',').map(|name| {
        let name = names.get(name).map_or(name, String::as_str);
        utf8_percent_encode(name, AS_THEY_ARE).to_string()
    });
    former.then(|| format!("{ORGANIZATION}={}", of_today.collect::<Vec<_>>().join(",")))
}

/// The address with the name of today in its path, where nothing was found by a former one.
async fn by_path(response: &ServiceResponse<BoxBody>) -> Option<String> {
    let req = response.request();
    let of_moment = value(req.query_string(), AS_OF).is_some_and(|as_of| !as_of.starts_with("revision"));
    if response.status() != StatusCode::NOT_FOUND || of_moment {
        return None;
    }
    let called = req.match_info().get(ORGANIZATION)?;
    let names = names(req.app_data()).await;
    let of_today = names.get(called)?;
    // `/v1/policies/{organization}/…` and `/v1/organizations/{organization}`.
    let mut parts: Vec<&str> = req.path().split('/').collect();
    *parts.get_mut(3)? = of_today;
    let query = match req.query_string() {
        "" => String::new(),
        query => format!("?{query}"),
    };
    Some(format!("{}{query}", parts.join("/")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_names_organizations_as_they_are_called_today() {
        let names = HashMap::from([("west".to_owned(), "nishi".to_owned())]);
        for (value, there) in [
            ("west", Some("organization=nishi")),
            ("kita,west", Some("organization=kita,nishi")),
            ("west%2Ckita", Some("organization=nishi,kita")),
            ("%77est,%E8%A5%BF", Some("organization=nishi,%E8%A5%BF")),
            ("nishi", None),
            ("west2", None),
            ("", None),
        ] {
            assert_eq!(of_today(value, &names).as_deref(), there, "{value}");
        }
    }
}
