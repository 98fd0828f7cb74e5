//! The state that all threads which serve requests share.

use std::{sync::Arc, time::SystemTime};

use crate::{
    db::Database,
    http::{
        files::Files,
        limits::Limits,
        metrics::Requests,
        middleware::{rate_limit::Rate, response_cache::Cache},
        origins::Origins,
        public_address::PublicUrl,
        workshop::Workshop,
    },
};

/// The state that all threads which serve requests share.
#[derive(Clone)]
pub struct AppState {
    /// The database.
    pub database: Database,
    /// The response cache.
    pub cache: Cache,
    /// The rate limit.
    pub rate: Rate,
    /// Where large bodies are read.
    pub workshop: Workshop,
    /// Files of exports.
    pub files: Files,
    /// What one request may take.
    pub limits: Limits,
    /// The origins whose pages may write.
    pub origins: Origins,
    /// The address that the service is set to have.
    pub public_url: Option<PublicUrl>,
    /// Counts of the requests so far.
    pub requests: Arc<Requests>,
    /// When the service began.
    pub started: SystemTime,
}

impl AppState {
    /// The state of a service on this database. `cache_bytes` is the size of the response cache, `rate` the requests a
    /// second that each caller may make.
    #[must_use]
    pub fn new(database: Database, cache_bytes: usize, rate: u32, limits: Limits) -> Self {
        Self {
            database,
            cache: Cache::new(cache_bytes),
            rate: Rate::new(rate),
            workshop: Workshop::new(limits.work),
            files: Files::new(limits.export_bytes, limits.exports),
            limits,
            origins: Origins::default(),
            public_url: None,
            requests: Arc::default(),
            started: SystemTime::now(),
        }
    }
}
