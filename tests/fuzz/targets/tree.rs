//! Any bytes are a policy's tree, or refused.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ward_policy::resources::imports::{ImportFormat, read};

fuzz_target!(|bytes: &[u8]| {
    let _ = read(ImportFormat::Json, bytes);
});
