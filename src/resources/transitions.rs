//! Transitions: indicators whose rating turned.

use utoipa_actix_web::service_config::ServiceConfig;

/// Routes under `/transitions`.
pub fn routes(_cfg: &mut ServiceConfig<'_>) {}
