//! Results, of indicators in several units: there is a value where it says so, and what was read in full is read back from
//! what it prints.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ward_policy::{
    domain::{
        kinds::ValueStatus,
        reading::{
            Parse,
            result::{ReadResult, print, read},
        },
    },
    value::FiscalYear,
};

fuzz_target!(|text: &str| {
    let Some(year) = FiscalYear::new(2024) else { return };
    for unit in [None, Some("%"), Some("件"), Some("分")] {
        let first = read(text, unit, year);
        assert_eq!(first.value.is_some(), first.value_status == Some(ValueStatus::Reported));
        if first.parse != Parse::Full || first.value.is_none() {
            continue;
        }
        let printed = print(&first, unit);
        let again = read(&printed, unit, year);
        // A printed value is in the indicator's unit; the text may have been in another.
        let alike = |read: ReadResult| ReadResult {
            text: None,
            unit: None,
            ..read
        };
        assert_eq!(alike(again), alike(first), "{text:?} is printed as {printed:?}");
    }
});
