//! Any text is read, and every note has a place in it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ward_policy::domain::form::read_text;

fuzz_target!(|text: &str| {
    let lines = text.split('\n').count();
    for note in read_text(text).notes {
        assert!(usize::try_from(note.line).is_ok_and(|line| line <= lines + 1), "{note:?}");
    }
});
