//! Reads the boxes of sentences: their items, without known slips of character recognition.

use super::{
    Confidence, Field,
    notes::Notes,
    reader::RawBox,
    slips,
    split::{Content, parts},
    worse,
};

/// Corrections: the place, the text as found, and as corrected.
pub(super) type Corrections = Vec<(String, String, String)>;

/// Reads a box of sentences.
pub(super) fn read(it: &RawBox, name: &str, notes: &mut Notes, corrections: &mut Corrections) -> Field<Vec<String>> {
    let mut confidence = it.confidence;
    let mut line = it.place.line;
    let mut texts = Vec::new();
    for (n, part) in parts(&it.items, Content::Prose).into_iter().enumerate() {
        if n == 0 {
            line = part.place.line;
        }
        if part.doubtful {
            confidence = worse(confidence, Confidence::Medium);
        }
        if part.exact.is_some() {
            texts.push(part.text);
            continue;
        }
        // A slip is noted at the start of its item, which may continue over lines.
        for (found, meant) in slips::find(&part.text) {
            confidence = worse(confidence, Confidence::Medium);
            corrections.push((name.to_owned(), found.to_owned(), meant.to_owned()));
            notes.warning(
                "slip_corrected",
                part.place,
                format!("{name}にある文字認識の誤り「{found}」を「{meant}」に訂正しました"),
                format!("a known slip of character recognition in {name} was corrected: '{found}' to '{meant}'"),
            );
        }
        texts.push(slips::correct(&part.text));
    }
    Field {
        value: texts,
        line,
        confidence,
    }
}
