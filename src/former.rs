//! Former names of organizations: what is asked for by a slug or a municipality code that an organization had is found by the slug
//! that it has.
//!
//! A path with a former name is answered with 308 (RFC 9110, 15.4.9) and the path of today, whatever the method, where it would be
//! 404 otherwise. A filter `organization` is sent on in the same way, so that no copy stands still because an organization was
//! renamed. At a moment of the past things go by the names they had then, and what is read there stays the same: nobody is sent
//! anywhere. Bodies and files name organizations as they are called today.

use std::collections::HashMap;

use actix_web::{
    Error as ActixError, HttpResponse,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{Method, StatusCode, header},
    middleware::Next,
    web,
};

use crate::{
    db::{Database, in_one_line},
    extract,
};

/// The name of the parameter, in paths and in queries.
pub(crate) const ORGANIZATION: &str = "organization";
/// The name of the parameter that reads the past.
const AS_OF: &str = "as_of";
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
        .insert_header((header::CACHE_CONTROL, extract::REVALIDATE))
        .finish()
}

/// The names of today by those that organizations had before. Where the database does not tell them, nobody is sent anywhere.
async fn names(database: Option<&web::Data<Database>>) -> std::sync::Arc<HashMap<String, String>> {
    let Some(database) = database else {
        return Default::default();
    };
    database.former_names().await.unwrap_or_else(|e| {
        log::warn!("former names are not known: {}", in_one_line(&e));
        Default::default()
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
    let named = of_today(value, &names)?;
    let rest = query
        .split('&')
        .filter(|pair| !is(pair, ORGANIZATION) && !pair.is_empty());
    let all: Vec<&str> = rest.chain([named.as_str()]).collect();
    Some(format!("{path}?{}", all.join("&")))
}

/// Whether a part of a query is about this parameter.
fn is(pair: &str, name: &str) -> bool {
    pair.split('=').next() == Some(name)
}

/// What a query says of a parameter, as it is written.
fn value<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    let (_, value) = query.split('&').find(|pair| is(pair, name))?.split_once('=')?;
    Some(value)
}

/// A filter's value with the names of today, as a parameter; nothing where none is a former one.
fn of_today(value: &str, names: &HashMap<String, String>) -> Option<String> {
    let value = value.replace("%2C", ",").replace("%2c", ",");
    let named: Vec<&str> = value.split(',').collect();
    let of_today: Vec<&str> = named
        .iter()
        .map(|name| names.get(*name).map_or(*name, String::as_str))
        .collect();
    (of_today != named).then(|| format!("{ORGANIZATION}={}", of_today.join(",")))
}

/// The address with the name of today in its path, where nothing was found by a former one.
async fn by_path(response: &ServiceResponse<BoxBody>) -> Option<String> {
    let req = response.request();
    let of_moment = value(req.query_string(), AS_OF).is_some_and(|as_of| !as_of.starts_with("revision"));
    if response.status() != StatusCode::NOT_FOUND || of_moment {
        return None;
    }
    let named = req.match_info().get(ORGANIZATION)?;
    let names = names(req.app_data()).await;
    let of_today = names.get(named)?;
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
            ("nishi", None),
            ("west2", None),
            ("", None),
        ] {
            assert_eq!(of_today(value, &names).as_deref(), there, "{value}");
        }
    }
}
