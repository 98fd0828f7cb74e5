//! Targets: printed wording, as read.

use utoipa_actix_web::service_config::ServiceConfig;

/// Routes under `/targets`.
pub fn routes(_cfg: &mut ServiceConfig<'_>) {}
