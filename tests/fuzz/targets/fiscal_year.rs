//! Fiscal years: every name of one that was read is a name of the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ward_policy::{
    domain::fiscal_year::{label, parse, short},
    value::FiscalYear,
};

fuzz_target!(|text: &str| {
    for policy_year in [None, FiscalYear::new(1988), FiscalYear::new(2024)] {
        let Ok(year) = parse(text, policy_year) else { continue };
        for name in [label(year), short(year), year.to_string()] {
            assert_eq!(parse(&name, policy_year), Ok(year), "{text:?} is called {name:?}");
        }
    }
});
