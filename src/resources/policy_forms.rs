//! A policy as its official form (【共通様式】): a page to read and to print, which imports as the policy it shows.

use actix_web::get;
use askama::Template as _;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{policies::find, policy_trees::store::Rows};
use crate::{
    db::{Db, RevisionOf},
    error::{Error, Result},
    http::{as_of::AsOfParam, extract::Path, html::Html, query::Query},
    value::{FiscalYear, OrganizationKey},
};

use boxes::{STYLE, Sheet};

mod boxes;
pub mod printed;
mod records;

/// The route of the form.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(read_policy_form);
}

/// The official form (【共通様式】) of a policy as a page, in HTML.
#[derive(Debug, ToSchema)]
#[schema(value_type = String, min_length = 1, max_length = 100_000_000, example = "<!DOCTYPE html>")]
pub struct FormPage(String);

impl From<FormPage> for String {
    fn from(page: FormPage) -> Self {
        page.0
    }
}

/// Reads a policy as its official form.
///
/// The 【共通様式】 as a page in Japanese, to read on any screen and to print on A4: with results and ratings as far as the
/// caller sees them, and nothing where nothing is known. Where results are published, a rating that the organization did not
/// declare is the computed one; a result of the previous year that the form does not print is the recorded one. The page says
/// so of both. Imported again (`POST /v1/imports/forms`), it says what is stored.
#[utoipa::path(tag = "policies", params(AsOfParam))]
#[get("/policies/{organization}/{fiscal_year}/form")]
async fn read_policy_form(
    db: Db,
    Path(key): Path<(OrganizationKey, FiscalYear)>,
    Query(past): Query<AsOfParam>,
) -> Result<Html<FormPage>> {
    let moment = past.of(RevisionOf::Policy(key.0.clone(), key.1));
    db.at(moment)
        .depends_on([&key.0])
        .read(move |conn| {
            let policy = find(conn, &key)?;
            let today = conn.today;
            let records = records::of(conn, &policy, today)?;
            let tree = Rows::of(conn, policy.id)?.tree(today);
            let sheet = Sheet::of(&tree, &records, past.as_of);
            let page = sheet.render().map_err(Error::internal)?;
            Ok(Html {
                page: FormPage(page),
                style: STYLE,
            })
        })
        .await
}
