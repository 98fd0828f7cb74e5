//! Findings: what does not fit together.

use utoipa_actix_web::service_config::ServiceConfig;

/// Routes under `/findings`.
pub fn routes(_cfg: &mut ServiceConfig<'_>) {}
