//! Any text is read as a result: with a value it is reported, and without one it is not.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ward_policy::{
    domain::{kinds::ValueStatus, reading::result::read},
    value::FiscalYear,
};

fuzz_target!(|text: &str| {
    let year = FiscalYear::new(2024).expect("a fiscal year");
    for unit in [None, Some("%"), Some("分")] {
        let result = read(text, unit, year);
        assert_eq!(result.value.is_some(), result.value_status == Some(ValueStatus::Reported), "{result:?}");
    }
});
