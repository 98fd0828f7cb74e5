//! CP932 (Windows-31J): the bytes of a text, each character in its place.

use std::borrow::Cow;

use encoding_rs::SHIFT_JIS;

use crate::value::composed;

/// Characters that JIS has once and Unicode twice, and the twin under which CP932 has their place. Without these pairs the
/// encoder lacks most of them, and makes \ of ¥ and ~ of ‾.
const TWINS: [(char, char); 12] = [
    ('〜', '～'),
    ('−', '－'),
    ('—', '―'),
    ('‖', '∥'),
    ('¢', '￠'),
    ('£', '￡'),
    ('¥', '￥'),
    ('¬', '￢'),
    ('¦', '￤'),
    ('‾', '￣'),
    ('\u{c5}', '\u{212b}'),
    ('\u{b5}', '\u{3bc}'),
];

/// The bytes of a text, and the characters that CP932 has no place for, in their order: the bytes are worth nothing if there
/// are any.
pub(super) fn encode(text: &str) -> (Cow<'_, [u8]>, Vec<char>) {
    if text.is_ascii() {
        return (text.as_bytes().into(), Vec::new());
    }
    let text: String = composed(text).chars().map(twin).collect();
    let (bytes, _, lacks) = SHIFT_JIS.encode(&text);
    let foreign = if lacks {
        text.chars().filter(|c| !has(*c)).collect()
    } else {
        Vec::new()
    };
    (bytes.into_owned().into(), foreign)
}

fn twin(c: char) -> char {
    TWINS.iter().find(|(one, _)| *one == c).map_or(c, |(_, other)| *other)
}

fn has(c: char) -> bool {
    let mut buffer = [0; 4];
    let (_, _, lacks) = SHIFT_JIS.encode(c.encode_utf8(&mut buffer));
    !lacks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cp932_has_a_place_for_is_written_there() {
        for (text, kept) in [
            ("西①～－髙㈱ｱa\\~", "西①～－髙㈱ｱa\\~"),
            ("〜−—‖¢£¥¬¦‾", "～－―∥￠￡￥￢￤￣"),
            ("か\u{3099}は\u{309a}", "がぱ"),
            ("\u{c5}\u{212b}µ", "\u{212b}\u{212b}μ"),
        ] {
            let (bytes, foreign) = encode(text);
            assert_eq!((SHIFT_JIS.decode(&bytes).0.as_ref(), foreign), (kept, vec![]), "{text}");
        }
    }

    #[test]
    fn what_cp932_has_no_place_for_is_named() {
        for (text, named) in [("西", vec![]), ("é西😀𠮷–", vec!['é', '😀', '𠮷', '–'])] {
            assert_eq!(encode(text).1, named, "{text}");
        }
    }

    #[test]
    fn every_character_of_cp932_comes_back() {
        let one = (0x20..=0x7e).chain(0xa1..=0xdf).map(|byte| vec![byte]);
        let leads = (0x81..=0x9f).chain(0xe0..=0xfc);
        let two = leads.flat_map(|lead| (0x40..=0xfc).map(move |trail| vec![lead, trail]));
        for bytes in one.chain(two) {
            let (text, _, broken) = SHIFT_JIS.decode(&bytes);
            // Characters of a city's own are no characters elsewhere: they are not read either.
            if broken || text.contains(|c| matches!(c, '\u{80}'..='\u{9f}' | '\u{e000}'..='\u{f8ff}')) {
                continue;
            }
            let (written, foreign) = encode(&text);
            assert!(foreign.is_empty(), "{text}");
            assert_eq!(SHIFT_JIS.decode(&written).0, text);
        }
    }
}
