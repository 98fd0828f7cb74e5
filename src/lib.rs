//! The system of record for what Osaka City's wards and bureaus promise each year, and whether they kept it.
pub mod db;
pub mod domain;
pub mod language;
pub mod value;
