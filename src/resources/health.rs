//! Whether the service is well: the process, and the database behind it.

use actix_web::{get, web};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{db::Database, error::Result, http::respond::Answer};

/// Routes beside `/v1`.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(read_liveness).service(read_readiness);
}

/// A service that is well.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// Always `ok`; a service that is not well answers with a problem.
    #[schema(max_length = 10, example = "ok")]
    pub status: String,
}

/// A service that takes requests.
#[derive(Debug, Serialize, ToSchema)]
pub struct Readiness {
    /// Always `ok`; a service that is not ready answers with a problem.
    #[schema(max_length = 10, example = "ok")]
    pub status: String,
    /// A warning: by so many seconds the time of the last change lies ahead of the database's clock, which was ahead before. Until
    /// it has caught up, `as_of` the present moment does not show those changes. Null, as a rule.
    #[schema(minimum = 1)]
    pub history_ahead_seconds: Option<i64>,
}

impl Health {
    fn ok() -> Answer<Self> {
        Answer(Self {
            status: "ok".to_owned(),
        })
    }
}

/// Whether the process answers.
///
/// Says nothing about the database: a process that is alive answers, whatever it depends on.
#[utoipa::path(tag = "health")]
#[get("/healthz")]
async fn read_liveness() -> Result<Answer<Health>> {
    Ok(Health::ok())
}

/// Whether the database is reachable and has every migration, and no other.
///
/// Answered from what the service knew at most a second ago, so that it costs nothing to ask. 503 while the database is away, is
/// being made ready, lacks migrations or was migrated by a newer service: send requests elsewhere meanwhile. A warning is 200.
#[utoipa::path(tag = "health")]
#[get("/readyz")]
async fn read_readiness(database: web::Data<Database>) -> Result<Answer<Readiness>> {
    let said = database.said().await?;
    said.migrations.must_be_whole()?;
    Ok(Answer(Readiness {
        status: "ok".to_owned(),
        history_ahead_seconds: said.seconds_ahead,
    }))
}
