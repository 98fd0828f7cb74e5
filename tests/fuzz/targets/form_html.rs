//! Forms as HTML.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ward_policy::domain::form::read_html;

#[path = "../forms.rs"]
mod forms;

fuzz_target!(|page: &str| forms::hold(&read_html(page), page));
