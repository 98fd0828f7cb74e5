//! Any page is read, and every note has a place in it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ward_policy::domain::form::read_html;

fuzz_target!(|page: &str| {
    // HTML knows three ways to end a line.
    let lines = page.split(['\n', '\r']).count();
    for note in read_html(page).notes {
        assert!(usize::try_from(note.line).is_ok_and(|line| line <= lines + 1), "{note:?}");
    }
});
