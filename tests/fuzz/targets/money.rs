//! Money: the first line is the amount, the second the unit of the table's head. What was read is read back from what it
//! prints.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ward_policy::domain::reading::{
    Parse,
    money::{print, read},
};

fuzz_target!(|input: &str| {
    let (text, head) = input
        .split_once('\n')
        .map_or((input, None), |(text, head)| (text, Some(head)));
    for unit in [None, Some("百万円"), head] {
        let first = read(text, unit);
        let (Some(yen), Some(precision)) = (first.amount_yen, first.precision_yen) else {
            continue;
        };
        let printed = print(yen, precision);
        let again = read(&printed, None);
        assert_eq!(
            (again.amount_yen, again.parse),
            (Some(yen), Parse::Full),
            "{text:?} in {unit:?} is printed as {printed:?}"
        );
    }
});
