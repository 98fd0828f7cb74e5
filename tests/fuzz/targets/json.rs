//! Policies as JSON: what was read is read back from what it writes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ward_policy::{
    db::Context,
    http::json::{self, Most},
    resources::imports::{ImportFormat, ParsedFile, read},
};

fuzz_target!(|bytes: &[u8]| {
    let Ok(document) = json::read(bytes, Most::default()) else {
        return;
    };
    let written = document.to_string();
    assert_eq!(json::read(written.as_bytes(), Most::default()).ok(), Some(document));
    let Ok(ParsedFile::Policy(tree)) = read(ImportFormat::Json, bytes, Most::default(), &Context::service()) else {
        return;
    };
    let written = serde_json::to_vec(&tree).unwrap_or_default();
    assert!(
        matches!(
            read(ImportFormat::Json, &written, Most::default(), &Context::service()),
            Ok(ParsedFile::Policy(_))
        ),
        "{}",
        String::from_utf8_lossy(&written)
    );
});
