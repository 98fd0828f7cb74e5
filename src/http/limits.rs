//! Limits on what one request may take, and where a handler finds them.

use std::time::Duration;

use actix_web::{HttpRequest, web};

use super::json::Most;

/// Most items on a page, wherever the service runs.
pub const MAX_LIMIT: i64 = 1000;
/// Most results written together, wherever the service runs.
pub const MAX_BATCH: usize = 1000;

/// Limits on what one request may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Longest body.
    pub body_bytes: usize,
    /// Longest file to import.
    pub import_bytes: usize,
    /// Longest time for a body to arrive.
    pub body_seconds: u64,
    /// How long reading and checking one body may take.
    pub work: Duration,
    /// How large a JSON document may be.
    pub json: Most,
    /// Most items on a page.
    pub page_items: i64,
    /// Most results written together.
    pub batch_items: usize,
    /// Bytes of exports on disk while they are made and sent; one caller's exports may take half of them.
    pub export_bytes: usize,
    /// Exports that are made and sent at a time; a quarter to one caller.
    pub exports: usize,
    /// Proxies in front that each append to `X-Forwarded-For`, and set or remove `X-Forwarded-Host`, `-Proto` and `-Prefix`.
    /// Without proxies, none of these headers counts.
    pub proxies: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 4 << 20,
            import_bytes: 16 << 20,
            body_seconds: 10,
            work: Duration::from_secs(10),
            json: Most::default(),
            page_items: MAX_LIMIT,
            batch_items: MAX_BATCH,
            export_bytes: 2 << 30,
            exports: 64,
            proxies: 0,
        }
    }
}

/// The limits of what one request may take.
#[must_use]
pub fn limits(req: &HttpRequest) -> Limits {
    req.app_data::<web::Data<Limits>>()
        .map(|limits| *limits.get_ref())
        .unwrap_or_default()
}
