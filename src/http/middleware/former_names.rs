//! Former names of organizations: a request for a former slug or municipality code is redirected to the organization's
//! current slug.
//!
//! A path with a former name gets 308 (RFC 9110, 15.4.9) and the current path, for any method, instead of 404. So does
//! a filter `organization`, lest a copy go stale after a rename. An instance learns of renames as of other changes: of
//! its own at once, of others' after a moment.
//!
//! Reads of the past (`as_of`) are never redirected: things bear the names they had then, and such an answer never
//! changes. Bodies and files must use an organization's current name.

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

/// The name of the organization parameter, in paths and in queries.
pub(crate) const ORGANIZATION: &str = "organization";
/// The name of the parameter that reads the past.
const AS_OF: &str = "as_of";
/// Percent-encodes every character that slugs are not made of.
const AS_THEY_ARE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-');
/// The change feed, whose filters accept former names as they are: a feed follows an organization through its names.
pub(crate) const FOLLOWS: &str = "/v1/changes";

/// The layer: redirects requests under a former name to the current name.
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

/// Current names by former names. While the database does not tell them, nothing is redirected.
async fn names(database: Option<&web::Data<Database>>) -> Arc<HashMap<String, String>> {
    let Some(database) = database else {
        return Arc::default();
    };
    database.former_names().await.unwrap_or_else(|e| {
        log::warn!("former names are not known: {}", in_one_line(&e));
        Arc::default()
    })
}

/// The address with current names in its filter, if the filter has a former name.
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

/// Whether a pair of a query sets this parameter.
fn is(pair: &str, name: &str) -> bool {
    pair.split('=').next().is_some_and(|named| decoded(named) == name)
}

/// The value of a parameter in a query, still encoded.
fn value<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    let (_, value) = query.split('&').find(|pair| is(pair, name))?.split_once('=')?;
    Some(value)
}

/// The parameter with current names for a filter's value; `None` if the value has no former name.
fn of_today(value: &str, names: &HashMap<String, String>) -> Option<String> {
    let value = decoded(value);
    let former = value.split(',').any(|name| names.contains_key(name));
    let of_today = value.split(',').map(|name| {
        let name = names.get(name).map_or(name, String::as_str);
        utf8_percent_encode(name, AS_THEY_ARE).to_string()
    });
    former.then(|| format!("{ORGANIZATION}={}", of_today.collect::<Vec<_>>().join(",")))
}

/// The address with the current name in its path, if the response is 404 for a former name.
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
