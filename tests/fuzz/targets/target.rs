//! Any text is read as a target that holds together. What is not understood whole is left unread, and said with its place; what
//! is read in full has all its numbers from the text, and is read from its print again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ward_policy::{
    domain::{
        reading::{
            Parse,
            target::{print, read},
        },
        target::{Comparator, Target},
    },
    value::FiscalYear,
};

fuzz_target!(|text: &str| {
    let year = FiscalYear::new(2024).expect("a fiscal year");
    let first = read(text, year);
    assert_eq!(first.target.faults(), vec![], "{first:?}");
    assert_eq!(first.rest.len(), first.rest_spans.len(), "{first:?}");
    let mut before = 0;
    for (start, end) in &first.rest_spans {
        assert!(before <= *start && start < end && *end <= text.chars().count(), "{first:?}");
        before = *end;
    }
    if first.parse == Parse::Full {
        assert!(first.rest.is_empty(), "{first:?}");
        let printed = print(&first.target, first.unit.as_deref());
        // 前年度比5%増 is a change in percent only where it is known that a count is meant.
        let is_percent = matches!(
            first.target.comparator,
            Comparator::IncreaseByPercent | Comparator::DecreaseByPercent
        );
        if !is_percent {
            let again = read(&printed, year);
            let bare = |target: Target| Target { text: None, ..target };
            assert_eq!(bare(again.target), bare(first.target.clone()), "{printed}");
        }
        let is_multiple = text.contains(['割', '倍', '分', '時', 'ゼ', 'ｾ']) || text.contains(['千', '万', '億', '兆', '百', '十']);
        let runs: Vec<String> = numbers(text);
        for value in [first.target.value, first.target.upper, first.target.reference.value].into_iter().flatten() {
            let value = value.to_string();
            let is_said = runs.iter().any(|run| run.trim_start_matches('0') == value.trim_start_matches('0'));
            assert!(is_said || is_multiple || !text.is_ascii() && runs.is_empty(), "{value}: {first:?}");
        }
    } else {
        assert_eq!(first.target.comparator, Comparator::Unread, "{first:?}");
        assert_eq!(first.target.value, None, "{first:?}");
    }
});

/// The runs of digits in a text, of either width or in kanji, without what groups them.
fn numbers(text: &str) -> Vec<String> {
    let kanji = |c: char| "〇一二三四五六七八九".chars().zip('0'..='9').find_map(|(kanji, digit)| (kanji == c).then_some(digit));
    let digit = |c: char| match c {
        '０'..='９' => char::from_u32(u32::from(c) - 0xfee0),
        '．' => Some('.'),
        '，' => Some(','),
        '0'..='9' | '.' | ',' => Some(c),
        // Marks that nobody sees.
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' => Some('_'),
        _ => kanji(c),
    };
    let plain: String = text.chars().map(|c| digit(c).unwrap_or(' ')).filter(|c| *c != '_').collect();
    let runs = plain.split(' ').map(|run| run.replace(',', ""));
    runs.map(|run| run.trim_matches('.').to_owned()).filter(|run| !run.is_empty()).collect()
}
