//! Any text is read as a target that holds together, and one read in full is read from its print again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ward_policy::{
    domain::{
        reading::{
            Parse,
            target::{print, read},
        },
        target::Target,
    },
    value::FiscalYear,
};

fuzz_target!(|text: &str| {
    let year = FiscalYear::new(2024).expect("a fiscal year");
    let first = read(text, year);
    assert_eq!(first.target.faults(), vec![], "{first:?}");
    if first.parse == Parse::Full {
        let printed = print(&first.target, first.unit.as_deref());
        let again = read(&printed, year);
        let bare = |target: Target| Target { text: None, ..target };
        assert_eq!(bare(again.target), bare(first.target), "{printed}");
    }
});
