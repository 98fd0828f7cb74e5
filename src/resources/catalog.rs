//! The catalogue: what an open-data portal harvests.

use utoipa_actix_web::service_config::ServiceConfig;

/// Routes under `/catalog`.
pub fn routes(_cfg: &mut ServiceConfig<'_>) {}
