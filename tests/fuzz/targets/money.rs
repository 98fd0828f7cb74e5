//! Any text is read as money or not, and an amount is read from its print again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ward_policy::domain::reading::money::{print, read};

fuzz_target!(|text: &str| {
    for unit in [None, Some("百万円"), Some("千円")] {
        let money = read(text, unit);
        assert_eq!(money.amount_yen.is_some(), money.precision_yen.is_some(), "{money:?}");
        if let (Some(amount), Some(precision)) = (money.amount_yen, money.precision_yen) {
            let printed = print(amount, precision);
            assert_eq!(read(&printed, None).amount_yen, Some(amount), "{printed}");
        }
    }
});
