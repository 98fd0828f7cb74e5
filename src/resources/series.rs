//! Series: one indicator over the years.

use utoipa_actix_web::service_config::ServiceConfig;

/// Routes under `/series`.
pub fn routes(_cfg: &mut ServiceConfig<'_>) {}
