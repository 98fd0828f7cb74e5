//! Coverage: who has published, and who is late.

use utoipa_actix_web::service_config::ServiceConfig;

/// Routes under `/coverage`.
pub fn routes(_cfg: &mut ServiceConfig<'_>) {}
