//! The middleware around every request, layer by layer.

pub mod access_log;
pub mod authentication;
pub mod compression;
pub mod cors;
pub mod fiscal_years;
pub mod former_names;
pub mod preconditions;
pub mod rate_limit;
pub mod reasons;
pub mod response_cache;
pub mod security_headers;
