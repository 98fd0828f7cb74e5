//! Exports: the same rows as in the lists, as files.

use utoipa_actix_web::service_config::ServiceConfig;

/// Routes under `/exports`.
pub fn routes(_cfg: &mut ServiceConfig<'_>) {}
