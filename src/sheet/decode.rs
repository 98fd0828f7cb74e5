//! Decodes text. The bytes tell the encoding, and decoding is strict: a wrong guess would be wrong text.

use std::borrow::Cow;

use encoding_rs::{DecoderResult, SHIFT_JIS};

use super::table::refused;
use crate::domain::form::Note;

/// The text of a file: UTF-8 or UTF-16 by the byte order mark, else UTF-8 if the bytes are valid, else CP932.
pub fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, Note> {
    if let Some(text) = marked(bytes) {
        return text;
    }
    match utf8(bytes) {
        Ok(text) => Ok(Cow::Borrowed(text)),
        Err(broken) if begins_in_japanese(bytes) => Err(broken),
        Err(_) => cp932(bytes).map(Cow::Owned),
    }
}

/// The text of what begins with a byte order mark.
pub fn marked(bytes: &[u8]) -> Option<Result<Cow<'_, str>, Note>> {
    match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => Some(utf8(rest).map(Cow::Borrowed)),
        [0xff, 0xfe, rest @ ..] => Some(utf16(rest, u16::from_le_bytes).map(Cow::Owned)),
        [0xfe, 0xff, rest @ ..] => Some(utf16(rest, u16::from_be_bytes).map(Cow::Owned)),
        _ => None,
    }
}

fn utf8(bytes: &[u8]) -> Result<&str, Note> {
    std::str::from_utf8(bytes).map_err(|e| {
        let read = bytes.get(..e.valid_up_to()).unwrap_or_default();
        undecodable("UTF-8", line(read))
    })
}

/// Whether a file that is not valid UTF-8 was meant as UTF-8: its valid beginning holds kana or kanji. The beginning of
/// a CP932 file reads so only with words of rare characters.
fn begins_in_japanese(bytes: &[u8]) -> bool {
    bytes
        .utf8_chunks()
        .next()
        .is_some_and(|chunk| chunk.valid().contains(|c| matches!(c, '\u{3000}'..='\u{9fff}')))
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, Note> {
    let pairs = bytes.chunks_exact(2);
    let odd = !pairs.remainder().is_empty();
    let units = pairs.filter_map(|pair| pair.try_into().ok()).map(unit);
    let mut text = String::with_capacity(bytes.len());
    for read in char::decode_utf16(units) {
        match read {
            Ok(c) => text.push(c),
            Err(_) => return Err(undecodable("UTF-16", line(text.as_bytes()))),
        }
    }
    if odd {
        return Err(undecodable("UTF-16", line(text.as_bytes())));
    }
    Ok(text)
}

fn cp932(bytes: &[u8]) -> Result<String, Note> {
    let mut decoder = SHIFT_JIS.new_decoder_without_bom_handling();
    // Enough for the decoded text: each byte becomes at most one character of three bytes.
    let mut text = String::with_capacity(bytes.len().saturating_mul(3).saturating_add(4));
    let (result, _) = decoder.decode_to_string_without_replacement(bytes, &mut text, true);
    // Characters of a maker's or a city's own (外字) mean something else on every machine.
    let own = text.find(|c| matches!(c, '\u{80}'..='\u{9f}' | '\u{e000}'..='\u{f8ff}'));
    match (result, own) {
        (DecoderResult::InputEmpty, None) => Ok(text),
        (_, Some(at)) => Err(undecodable(
            "CP932",
            line(text.as_bytes().get(..at).unwrap_or_default()),
        )),
        _ => Err(undecodable("CP932", line(text.as_bytes()))),
    }
}

/// The line on which these bytes end.
fn line(read: &[u8]) -> u32 {
    let lines = [b'\n', b'\r'].map(|end| read.split(|byte| *byte == end).count());
    u32::try_from(lines.into_iter().max().unwrap_or(1)).unwrap_or(u32::MAX)
}

fn undecodable(encoding: &str, line: u32) -> Note {
    refused(
        "encoding",
        (line, 1),
        &format!(
            "{line}行目に{encoding}として読めない文字があります（UTF-8、UTF-16（BOM付き）、CP932を受け付けます。外字は使えません）"
        ),
        &format!(
            "line {line} holds what is no {encoding}; UTF-8, UTF-16 with a byte order mark and CP932 are read, without private characters"
        ),
    )
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_encoding_is_known_by_the_bytes() {
        let text = "指標ID,実績値\r\n①,５７％～\r\n";
        let (cp932, ..) = SHIFT_JIS.encode(text);
        let utf16 = |bytes: fn(u16) -> [u8; 2]| "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(bytes);
        for bytes in [
            text.as_bytes().to_vec(),
            format!("\u{feff}{text}").into_bytes(),
            cp932.into_owned(),
            utf16(u16::to_le_bytes).collect(),
            utf16(u16::to_be_bytes).collect(),
        ] {
            assert_eq!(decode(&bytes).unwrap(), text);
        }
        assert_eq!(decode(b"").unwrap(), "");
        assert_eq!(decode(b"\xb6\xc5").unwrap(), "ｶﾅ");
    }

    #[test]
    fn what_cannot_be_read_is_refused_by_its_line() {
        for (bytes, line) in [
            (&b"a\nb\n\xff\xff"[..], 3),
            (
                "指標ID\n西\n"
                    .as_bytes()
                    .iter()
                    .copied()
                    .chain([0xe3, 0x81])
                    .collect::<Vec<_>>()
                    .as_slice(),
                3,
            ),
            (b"\xef\xbb\xbfa\r\n\x82\xa0", 2),
            (b"\xff\xfea\0\n\0\x00\xd8", 2),
            (b"\xff\xfea\0b", 1),
            (b"\x8ew\x95W\r\n\x81", 2),
            (b"\x8ew\x95W\r\n\xf0\x40", 2),
            (b"\x8ew\r\x95W\r\xa0", 3),
        ] {
            let note = decode(bytes).unwrap_err();
            assert_eq!((note.code, note.line), ("encoding", line), "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_decoding_panic(bytes: Vec<u8>) {
            let _ = decode(&bytes);
        }
    }
}
