//! The scenarios that the invented data shows, in words, with the addresses at which to look.

use actix_web::get;
use diesel::{dsl::exists, prelude::*};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::{Uuid, uuid};

use crate::{
    db::{Db, schema::policies as p},
    error::{Error, Result},
    http::{query::NoQuery, respond::Answer},
    value::{Date, language::Bilingual},
};

/// The scenarios of the invented data.
const LIST: &str = include_str!("scenarios/list.json");
/// A policy of the invented data: where it is stored, so is the rest.
const INVENTED: Uuid = uuid!("018739c1-1178-7f17-98a5-162ca0e5c4fc");

/// The route.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list_scenarios);
}

/// Something that the invented data shows.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Its code.
    #[schema(max_length = 40, example = "half_reported")]
    pub code: String,
    /// What it is called.
    pub name: Bilingual,
    /// What there is to see.
    pub description: Bilingual,
    /// The day to look from; the addresses name it where they take one.
    pub on: Date,
    /// Where to look.
    #[schema(max_items = 10)]
    pub addresses: Vec<ScenarioAddress>,
}

/// An address at which a scenario shows, below that of the service.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(
    max_length = 300,
    example = "/v1/policies/example-parks/2024/evaluation?on=2025-08-01"
)]
pub struct ScenarioAddress(pub String);

/// Every scenario.
#[derive(Debug, Serialize, ToSchema)]
pub struct Scenarios {
    /// The scenarios; none where the data is not invented.
    #[schema(max_items = 100)]
    pub items: Vec<Scenario>,
}

/// Lists the scenarios of the invented data.
///
/// A service that was started with `--sample scenarios` has six invented organizations over three fiscal years, which show
/// whatever the service can say. Here is what they show, and where. Elsewhere the list is empty.
#[utoipa::path(tag = "scenarios")]
#[get("/scenarios")]
async fn list_scenarios(db: Db, _: NoQuery) -> Result<Answer<Scenarios>> {
    db.read(|conn| {
        let invented = p::table.filter(p::id.eq(INVENTED));
        let is_there: bool = diesel::select(exists(invented)).get_result(conn.conn)?;
        let items = if is_there {
            serde_json::from_str(LIST).map_err(Error::internal)?
        } else {
            Vec::new()
        };
        Ok(Answer(Scenarios { items }))
    })
    .await
}
