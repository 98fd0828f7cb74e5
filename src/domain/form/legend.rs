//! Legends of ratings among results: ※A：達成 B：未達成, （Ａ：目標達成、Ｂ：目標未達成）, 【凡例】A＝達成 B＝未達成 －＝対象外.

use super::width::{Narrow, start, strip_broken};

/// The signs behind a letter, and those between a legend's entries.
const EQUALS: &[char] = &[' ', ':', '=', '…', '・', '-', '→'];
const BETWEEN: &[char] = &[' ', '、', ',', '/', '・', ';', '|'];
/// What the letters mean.
const A: &[&str] = &["達成した", "達成"];
const B: &[&str] = &["未達成", "達成していない", "達成せず"];
const OTHERS: &[&str] = &["評価対象外", "対象外", "評価不能", "該当なし", "集計中"];
/// Words that say that a legend follows.
const LEADS: &[&str] = &["凡例", "達成状況", "評価区分", "評価", "判定"];
/// The longest legend, in bytes.
const LONGEST: usize = 240;

/// The text behind a legend without its mark, with which a text in one width begins.
pub(super) fn legend(text: &str) -> Option<&str> {
    let text = text.strip_prefix('※').unwrap_or(text).trim_start();
    let lead = LEADS.iter().find_map(|word| text.strip_prefix(word));
    let text = lead.map_or(text, |rest| {
        rest.trim_start_matches([']', ')', '>', '】', '〕', '〉', ':', ' '])
    });
    let mut rest = match entry(text, 'A', A) {
        Some(rest) => entry(rest, 'B', B)?,
        None => entry(entry(text, 'B', B)?, 'A', A)?,
    };
    while let Some(after) = entry(rest, '-', OTHERS) {
        rest = after;
    }
    Some(rest)
}

/// The text behind an entry: A：達成, Ａ=目標達成.
fn entry<'a>(text: &'a str, letter: char, meanings: &[&str]) -> Option<&'a str> {
    let text = text.trim_start_matches(BETWEEN).strip_prefix(letter)?;
    let text = text.trim_start_matches(EQUALS);
    let text = text.strip_prefix("目標").map_or(text, |rest| {
        rest.strip_prefix('値').unwrap_or(rest).trim_start_matches(['を', 'に'])
    });
    meanings.iter().find_map(|word| strip_broken(text, word))
}

/// A text without the legend of ratings that it begins or ends with.
pub(super) fn without_legend(text: &str) -> &str {
    let plain = Narrow::of(start(text));
    if let Some(after) = marked(&plain.text) {
        return text
            .get(plain.place_from_end(after.len())..)
            .unwrap_or_default()
            .trim_start();
    }
    let marks = ['※', '(', '（', '[', '［', '【', '<', '＜', '〔', '〈'];
    let Some(at) = text.rfind(marks).filter(|at| text.len() - at <= LONGEST) else {
        return text;
    };
    // 【凡例】 has a bracket of its own before the entries.
    let opened = text.get(..at).and_then(|before| before.rfind(marks));
    let mut starts = [Some(at), opened].into_iter().flatten();
    let legend = starts.find(|at| {
        let end = Narrow::of(text.get(*at..).unwrap_or_default());
        marked(&end.text).is_some_and(|after| after.trim().is_empty())
    });
    legend.map_or(text, |at| text.get(..at).unwrap_or_default().trim_end())
}

/// Whether a text is a legend or two ratings: without its mark nothing tells.
pub(super) fn is_unmarked(text: &str) -> bool {
    let plain = Narrow::of(start(text));
    legend(&plain.text).is_some_and(|after| after.trim().is_empty()) && marked(&plain.text).is_none()
}

/// The text behind a legend with its mark.
fn marked(text: &str) -> Option<&str> {
    let text = text.trim_start();
    let (opened, inner) = match text.strip_prefix(['(', '[', '【', '<', '〔', '〈']) {
        Some(inner) => (true, inner.trim_start()),
        None => (false, text),
    };
    let lead = LEADS.iter().any(|word| inner.starts_with(word));
    if !opened && !text.starts_with('※') && !lead {
        return None;
    }
    let after = legend(inner)?;
    let closed = after.trim_start().strip_prefix([')', ']', '】', '>', '〕', '〉']);
    match closed {
        Some(rest) if opened => Some(rest),
        // The bracket is closed behind the word that leads to the entries, or in the next line.
        _ => Some(after).filter(|after| !opened || lead || after.trim().is_empty()),
    }
}

#[cfg(test)]
mod tests {
    use super::{is_unmarked, without_legend};

    #[test]
    fn the_legend_of_ratings_is_left_out_where_it_is_marked() {
        for (text, rest) in [
            ("※Ａ：達成　Ｂ：未達成", ""),
            ("※A：達成 B：未達成 ・57.0%：A", "・57.0%：A"),
            ("57.0%：A ※Ａ：達成、Ｂ：未達成", "57.0%：A"),
            ("（Ａ：目標達成、Ｂ：目標未達成）", ""),
            ("57.0%：A（A＝達成 B＝未達成）", "57.0%：A"),
            ("【凡例】A：達成 B：未達成", ""),
            ("57.0%：A 【凡例】A：達成　B：未達成", "57.0%：A"),
            ("＜凡例＞ Ａ…目標を達成、Ｂ…目標を未達成、－…評価対象外", ""),
            ("※達成状況　A：達成　B：未達成", ""),
            ("[A：達成／B：未達成]", ""),
            ("※B：未達成 A：達成", ""),
            ("A：達成 B：未達成", "A：達成 B：未達成"),
            ("※A：達成", "※A：達成"),
            ("57.0%：A（速報値）", "57.0%：A（速報値）"),
            ("", ""),
        ] {
            assert_eq!(without_legend(text), rest, "{text}");
        }
        assert!(is_unmarked("A：達成 B：未達成") && !is_unmarked("※A：達成 B：未達成") && !is_unmarked("A：達成"));
    }
}
