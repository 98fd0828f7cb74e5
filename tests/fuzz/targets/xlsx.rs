//! Results as XLSX, from its bytes: the zip and what is in it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ward_policy::{resources::imports::results_table::is_header, sheet::xlsx};

#[path = "../sheets.rs"]
mod sheets;

fuzz_target!(|bytes: &[u8]| sheets::hold(xlsx::read(bytes, is_header)));
