//! Former names of organizations: a request for a former slug or municipality code is redirected to the organization's
//! current slug.
//!
//! A path with a former name gets 308 (RFC 9110, 15.4.9) and the current path, for any method, instead of 404. So does
//! a filter `organization`, lest a copy go stale after a rename. An instance learns of renames as of other changes: of
//! its own at once, of others' after a moment.
//!
//! Where nothing is found by a name that no organization has or had, the problem names the nearest: all organizations are public.
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
    db::{Database, Names, in_one_line},
    error::{Error, Violation, nearest, shortened},
    http::respond,
    value::language::Bilingual,
};

/// The name of the organization parameter, in paths and in queries.
pub(crate) const ORGANIZATION: &str = "organization";
/// The name of the parameter that reads the past.
const AS_OF: &str = "as_of";
/// Percent-encodes every character that slugs are not made of.
const AS_THEY_ARE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-');
/// Most names that a name is compared with.
const MOST_NAMES: usize = 2_000;
/// Most characters of a name.
const LONGEST_NAME: usize = 63;
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
    Ok(match by_path(&response).await {
        Some(Elsewhere::Moved(there)) => {
            let (req, _) = response.into_parts();
            ServiceResponse::new(req, moved(&there))
        }
        Some(Elsewhere::Nearest(e)) => {
            let (req, _) = response.into_parts();
            ServiceResponse::new(req, HttpResponse::from_error(e))
        }
        None => response,
    })
}

/// What becomes of a request that names an organization by a name that none has.
enum Elsewhere {
    /// It had the name: there it is today.
    Moved(String),
    /// None had it: the problem that names the nearest.
    Nearest(Error),
}

/// The redirect to where something is today.
pub(super) fn moved(there: &str) -> HttpResponse {
    HttpResponse::PermanentRedirect()
        .insert_header((header::LOCATION, there))
        .insert_header((header::CACHE_CONTROL, respond::REVALIDATE))
        .finish()
}

/// Current names by former names. While the database does not tell them, nothing is redirected.
async fn names(database: Option<&web::Data<Database>>) -> Arc<Names> {
    let Some(database) = database else {
        return Arc::default();
    };
    database.names().await.unwrap_or_else(|e| {
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
    let values: Vec<&str> = values(query, ORGANIZATION).collect();
    if values.is_empty() {
        return None;
    }
    let names = names(req.app_data()).await;
    if names.former.is_empty() {
        return None;
    }
    let filter = of_today(&values.join(","), &names.former)?;
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
fn value<'a>(query: &'a str, name: &'a str) -> Option<&'a str> {
    values(query, name).next()
}

/// The values of a parameter in a query, still encoded; a list may stand in several.
fn values<'a>(query: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    let pairs = query.split('&').filter(move |pair| is(pair, name));
    pairs.filter_map(|pair| pair.split_once('=').map(|(_, value)| value))
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

/// Where to look instead, if the response refuses a name that no organization has.
async fn by_path(response: &ServiceResponse<BoxBody>) -> Option<Elsewhere> {
    let req = response.request();
    let of_moment = value(req.query_string(), AS_OF).is_some_and(|as_of| !as_of.starts_with("revision"));
    // A body that names the organization as it is called today contradicts a path with a former name.
    let is_refused = [StatusCode::NOT_FOUND, StatusCode::UNPROCESSABLE_ENTITY].contains(&response.status());
    if !is_refused || of_moment {
        return None;
    }
    let called = req.match_info().get(ORGANIZATION)?;
    let names = names(req.app_data()).await;
    let Some(of_today) = names.former.get(called) else {
        return nearest_name(response, called, &names).map(Elsewhere::Nearest);
    };
    // `/v1/policies/{organization}/…` and `/v1/organizations/{organization}`.
    let mut parts: Vec<&str> = req.path().split('/').collect();
    *parts.get_mut(3)? = of_today;
    let query = match req.query_string() {
        "" => String::new(),
        query => format!("?{query}"),
    };
    Some(Elsewhere::Moved(format!("{}{query}", parts.join("/"))))
}

/// The problem of a name that no organization has, if one has a name like it.
fn nearest_name(response: &ServiceResponse<BoxBody>, called: &str, names: &Names) -> Option<Error> {
    let of_today = || names.of_today.iter().map(String::as_str);
    if of_today().any(|name| name == called) {
        return None;
    }
    let Error::NotFound(thing) = response.response().error()?.as_error::<Error>()? else {
        return None;
    };
    // No name is longer.
    if called.len() > LONGEST_NAME {
        return None;
    }
    let near = nearest(called, of_today().take(MOST_NAMES))?;
    let shown = shortened(called);
    let detail = Bilingual::new(
        format!("「{shown}」という所属はありません。「{near}」ではありませんか"),
        format!("there is no organization {shown}; did you mean {near}?"),
    );
    let violation = Violation::of(ORGANIZATION, "unknown_organization", detail);
    Some(Error::Misnamed(thing, Box::new(violation.suggesting(Some(near)))))
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
