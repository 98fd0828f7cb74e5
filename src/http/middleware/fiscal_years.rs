//! Fiscal years as people write them: a path with R6 or 令和6 for a fiscal year is redirected to the one with 2024.
//!
//! A year has one form in addresses, so that each thing has one address. The redirect (308, RFC 9110, 15.4.9) keeps the method, the
//! query and the rest of the path. It says nothing about what is stored.

use actix_web::{
    Error as ActixError,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    middleware::Next,
};
use percent_encoding::percent_decode_str;

use super::former_names::moved;
use crate::domain::fiscal_year;

/// The layer: redirects a path with a fiscal year in another form.
pub async fn redirect(
    req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, ActixError> {
    match canonical(req.path()) {
        Some(path) => {
            let there = match req.query_string() {
                "" => path,
                query => format!("{path}?{query}"),
            };
            Ok(req.into_response(moved(&there)))
        }
        None => next.call(req).await.map(ServiceResponse::map_into_boxed_body),
    }
}

/// The path with its fiscal year in the form that addresses have, if it has another.
fn canonical(path: &str) -> Option<String> {
    let mut parts: Vec<&str> = path.split('/').collect();
    let at = match parts[..] {
        ["", "v1", "policies", _, _, ..] => 4,
        ["", "v1", "indicators", _, "results", _] => 5,
        _ => return None,
    };
    let part = parts.get(at)?;
    if part.len() == 4 && part.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let written = percent_decode_str(part).decode_utf8().ok()?;
    let is_one_word = !written.contains(char::is_whitespace);
    let year = fiscal_year::parse(&written, None)
        .ok()
        .filter(|_| is_one_word)?
        .to_string();
    *parts.get_mut(at)? = &year;
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::canonical;

    #[test]
    fn a_year_has_one_form_in_addresses() {
        for (path, there) in [
            ("/v1/policies/nishi/R6", Some("/v1/policies/nishi/2024")),
            ("/v1/policies/nishi/r6/tree", Some("/v1/policies/nishi/2024/tree")),
            (
                "/v1/policies/nishi/%E4%BB%A4%E5%92%8C6%E5%B9%B4%E5%BA%A6",
                Some("/v1/policies/nishi/2024"),
            ),
            (
                "/v1/policies/nishi/2024%E5%B9%B4%E5%BA%A6/form",
                Some("/v1/policies/nishi/2024/form"),
            ),
            (
                "/v1/policies/nishi/H31/revisions/1",
                Some("/v1/policies/nishi/2019/revisions/1"),
            ),
            ("/v1/indicators/x/results/R5", Some("/v1/indicators/x/results/2023")),
            ("/v1/policies/nishi/2024", None),
            ("/v1/policies/nishi/6", None),
            ("/v1/policies/nishi/24", None),
            ("/v1/policies/nishi/1949", None),
            ("/v1/policies/nishi/2101", None),
            ("/v1/policies/nishi/%202024", None),
            ("/v1/policies/nishi/02024", None),
            ("/v1/policies/nishi/+2024", None),
            ("/v1/policies/nishi/%FF", None),
            ("/v1/policies/nishi/", None),
            ("/v1/policies/nishi", None),
            ("/v1/indicators/x/evaluation/R6", None),
            ("/v1/goals/R6", None),
        ] {
            assert_eq!(canonical(path).as_deref(), there, "{path}");
        }
    }
}
