//! Forms as plain text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ward_policy::domain::form::read_text;

#[path = "../forms.rs"]
mod forms;

fuzz_target!(|text: &str| {
    let form = read_text(text);
    forms::hold(&form, text);
    let lines: Vec<&str> = text.lines().collect();
    for note in &form.notes {
        let line = lines.get(usize::try_from(note.line).unwrap_or_default().saturating_sub(1));
        let length = line.map_or(0, |line| line.chars().count());
        assert!(
            usize::try_from(note.column).is_ok_and(|column| column <= length + 1),
            "{note:?}"
        );
    }
});
