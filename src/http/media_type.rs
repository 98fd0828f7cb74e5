//! The media types of answers and bodies.

/// JSON: almost all answers.
pub const JSON: &str = "application/json";
/// A problem (RFC 9457).
pub const PROBLEM: &str = "application/problem+json";
/// JSON-LD: the catalogue.
pub const JSON_LD: &str = "application/ld+json";
/// One JSON object per line.
pub const NDJSON: &str = "application/x-ndjson";
/// Server-sent events.
pub const EVENT_STREAM: &str = "text/event-stream";
/// A JSON Merge Patch (RFC 7396).
pub const MERGE_PATCH: &str = "application/merge-patch+json";
/// Comma-separated values (RFC 4180).
pub const CSV: &str = "text/csv";
/// An Excel workbook.
pub const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
/// An Excel workbook of before 2007; on Windows, browsers call CSV so too.
pub const MS_EXCEL: &str = "application/vnd.ms-excel";
/// Bytes that say nothing about themselves.
pub const OCTET_STREAM: &str = "application/octet-stream";
/// A form with a file, as browsers send it.
pub const FORM_DATA: &str = "multipart/form-data";
