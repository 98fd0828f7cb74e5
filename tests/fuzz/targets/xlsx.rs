//! Any bytes are a table, or refused; and any table is read as one of results, or refused.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ward_policy::sheet::{
    results::{Known, read},
    xlsx,
};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(table) = xlsx::read(bytes) {
        let known = Known {
            name: "指標".to_owned(),
            unit: Some("%".to_owned()),
        };
        read(&table, None, |_| Some(known.clone()));
    }
});
