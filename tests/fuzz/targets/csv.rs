//! Results as CSV.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ward_policy::{resources::imports::results_table::is_key, sheet::csv};

#[path = "../sheets.rs"]
mod sheets;

fuzz_target!(|bytes: &[u8]| sheets::hold(csv::read(bytes, is_key).map(Into::into)));
