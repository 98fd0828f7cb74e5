//! Imports: forms, trees and spreadsheets that become data, with a report.

use utoipa_actix_web::service_config::ServiceConfig;

/// Routes under `/imports`.
pub fn routes(_cfg: &mut ServiceConfig<'_>) {}
