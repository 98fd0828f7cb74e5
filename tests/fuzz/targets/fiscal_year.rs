//! A fiscal year that is read is read from its label again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ward_policy::domain::fiscal_year::{label, parse, short};

fuzz_target!(|text: &str| {
    if let Ok(year) = parse(text, None) {
        assert_eq!(parse(&label(year), None), Ok(year));
        assert_eq!(parse(&short(year), None), Ok(year));
    }
});
