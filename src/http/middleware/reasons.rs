//! The reason for a change of something public, asked for beside all other mistakes.
//!
//! Whether a change needs a reason, the database knows when the change is made. A request with other mistakes never gets there,
//! and would be told of the reason in a round of its own.

use actix_web::{
    Error as ActixError, HttpRequest,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::Method,
    middleware::Next,
    web,
};

use super::{authentication::context, preconditions::Conditions};
use crate::{
    auth::CHANGE_REASON,
    db::{Affected, Context, Database, reason_required},
    error::{Error, Violation},
    value::{FiscalYear, Id},
};

/// The layer: adds the reason that lacks to the mistakes of a request.
pub async fn ask(
    req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, ActixError> {
    let response = next.call(req).await?.map_into_boxed_body();
    let Some((mistakes, error)) = mistakes(&response) else {
        return Ok(response);
    };
    if !lacks_reason(response.request()).await {
        return Ok(response);
    }
    // The first mistakes are named.
    let all = [vec![reason_required()], mistakes].concat();
    let (req, _) = response.into_parts();
    Ok(ServiceResponse::from_err(error(all), req))
}

/// The error that mistakes make.
type Made = fn(Vec<Violation>) -> Error;

/// The mistakes of a request that has others than its lack of a reason, and the error that they make.
fn mistakes(response: &ServiceResponse) -> Option<(Vec<Violation>, Made)> {
    let (mistakes, error): (_, Made) = match response.response().error()?.as_error::<Error>()? {
        Error::Invalid(mistakes) => (mistakes, Error::Invalid),
        Error::Malformed(mistakes) => (mistakes, Error::Malformed),
        _ => return None,
    };
    let reason = reason_required();
    (!mistakes.contains(&reason)).then(|| (mistakes.clone(), error))
}

/// Whether a request would change something public and does not say why, as far as it was read.
async fn lacks_reason(req: &HttpRequest) -> bool {
    let context = context(req);
    let (conditions, database) = (
        req.app_data::<web::Data<Conditions>>(),
        req.app_data::<web::Data<Database>>(),
    );
    let (Some(conditions), Some(database)) = (conditions, database) else {
        return false;
    };
    if context.reason.is_some() || !conditions.takes(req, CHANGE_REASON) {
        return false;
    }
    for affected in of_path(req).into_iter().chain(of_body(req, &context)) {
        // If the database does not answer, the mistakes are told without the reason.
        if database.is_public(affected, &context).await.unwrap_or(false) {
            return true;
        }
    }
    false
}

/// What a request would change, by its path.
fn of_path(req: &HttpRequest) -> Option<Affected> {
    let part = |name| req.match_info().get(name);
    let id = || part("id")?.parse::<Id>().ok();
    let organization = || part("organization")?.parse().ok();
    match req.match_pattern()?.strip_prefix("/v1/")? {
        "organizations/{organization}" => Some(Affected::Organization(organization()?)),
        "policies/{organization}/{fiscal_year}" | "policies/{organization}/{fiscal_year}/tree" => {
            let year = part("fiscal_year")?.parse().ok().and_then(FiscalYear::new)?;
            Some(Affected::Policy(organization()?, year))
        }
        "indicators/{id}/results/{fiscal_year}" => Some(Affected::Results(vec![id()?])),
        "goals/{id}" | "budgets/{id}" | "indicators/{id}" => Some(Affected::Rows(vec![id()?])),
        _ => None,
    }
}

/// What a request would change, by its body. What a body says that a stored thing belongs to, does not count.
fn of_body(req: &HttpRequest, context: &Context) -> Option<Affected> {
    let creates = *req.method() == Method::POST || req.headers().contains_key("if-none-match");
    context.affected().filter(|_| creates).cloned()
}
