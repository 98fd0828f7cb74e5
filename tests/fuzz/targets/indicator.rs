//! Lines of indicators: the name is on one line and no longer than what was printed.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ward_policy::{
    domain::{
        reading::{Parse, indicator::read},
        target::Comparator,
    },
    value::FiscalYear,
};

fuzz_target!(|line: &str| {
    let Some(year) = FiscalYear::new(2024) else { return };
    let read = read(line, year);
    assert!(
        !read.name.contains(char::is_control) && read.name.len() <= line.len(),
        "{read:?}"
    );
    if let Some(who) = &read.population {
        assert!(!who.is_empty() && read.name.contains(who.as_str()), "{read:?}");
    }
    if let Some(read) = read.target {
        assert_eq!(read.target.faults(), vec![], "{read:?}");
        assert!(read.parse == Parse::Full || read.target.comparator == Comparator::Unread, "{read:?}");
        let characters = line.chars().count();
        assert!(read.rest_spans.iter().all(|(start, end)| start < end && *end <= characters), "{read:?}");
    }
});
