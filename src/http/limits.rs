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
    /// `WARD_POLICY_BODY_BYTES`: longest body (4 MiB).
    pub body_bytes: usize,
    /// `WARD_POLICY_IMPORT_BYTES`: longest file to import (16 MiB).
    pub import_bytes: usize,
    /// `WARD_POLICY_BODY_SECONDS`: longest time for a body to arrive (10).
    pub body_seconds: u64,
    /// `WARD_POLICY_WORK_MS`: how long reading and checking one body may take, in milliseconds (10000).
    pub work: Duration,
    /// `WARD_POLICY_JSON_VALUES` and `WARD_POLICY_JSON_DEPTH`: how large a JSON document may be (200,000 and 32).
    pub json: Most,
    /// `WARD_POLICY_PAGE_ITEMS`: most items on a page, 100 to 1000 (1000).
    pub page_items: i64,
    /// `WARD_POLICY_BATCH_ITEMS`: most results written together, 1 to 1000 (1000).
    pub batch_items: usize,
    /// `WARD_POLICY_EXPORT_BYTES`: bytes of exports on disk while they are made and sent, 1 MiB to 1 TiB (2 GiB); one
    /// caller's exports may take half of them.
    pub export_bytes: usize,
    /// `WARD_POLICY_EXPORTS`: exports that are made and sent at a time, 1 to 10,000 (64); a quarter to one caller.
    pub exports: usize,
    /// `WARD_POLICY_PROXIES`: proxies in front that each append to `X-Forwarded-For`, and set or remove
    /// `X-Forwarded-Host` and `X-Forwarded-Proto`, up to 10 (0). Without proxies, none of these headers counts.
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
