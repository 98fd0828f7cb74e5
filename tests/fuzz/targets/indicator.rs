//! Any line is read as an indicator whose target, if it has one, holds together.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ward_policy::{domain::reading::indicator::read, value::FiscalYear};

fuzz_target!(|line: &str| {
    let year = FiscalYear::new(2024).expect("a fiscal year");
    if let Some(target) = read(line, year).target {
        assert_eq!(target.target.faults(), vec![], "{target:?}");
    }
});
