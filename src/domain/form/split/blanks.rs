//! Items that only blanks separate: indicators with their targets, targets, and results of indicators that are known.
//!
//! A text is separated only if there is exactly one way to do it in which every item is read in full. Otherwise it stays
//! whole: nothing is guessed.

use super::Part;
use crate::{
    domain::{
        form::{
            layout::number,
            notes::Place,
            width::{bare, narrow},
        },
        reading::{Parse, indicator, result, target},
        target::Comparator,
    },
    value::{FiscalYear, work},
};

#[cfg(test)]
mod tests;

/// The most words of a text to separate, and the most items.
const MOST_WORDS: usize = 120;
const MOST_ITEMS: usize = 40;
/// The most words of one target or result, and of one indicator.
const LONGEST: usize = 6;
const LONGEST_INDICATOR: usize = 20;

/// The most bytes of a line of indicators.
const LONGEST_LINE: usize = 6_000;

/// Characters with which a word goes on that stands before it: no item begins with one.
const GOES_ON: &[char] = &[
    'の', 'を', 'が', 'に', 'は', 'へ', 'と', 'で', 'や', 'も', 'ら', 'り', 'る', 'れ', 'ろ', 'っ', 'ん', 'て', 'た',
    '(', ')', '、', '。', ':', ',', '」', '・', '※', '~', '%',
];
/// Characters with which a word goes on: no name of an indicator ends with one.
const UNFINISHED: &[char] = &[
    'の', 'を', 'が', 'に', 'は', 'へ', 'と', 'で', 'や', 'も', 'っ', 'て', 'た', 'る', 'い', 'な', '(', '、', ':',
    ',', '「', '・', '~',
];

/// What a line of indicators holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// One indicator.
    One,
    /// Several indicators, each with the place where it begins.
    Several(Vec<(usize, &'a str)>),
    /// Several targets, which cannot be told apart.
    Unclear,
}

/// The indicators of a line, each with its target.
pub(super) fn indicators(text: &str, year: FiscalYear) -> Line<'_> {
    let words: Vec<(usize, &str)> = words(text).collect();
    if !(2..=MOST_WORDS).contains(&words.len()) || text.len() > LONGEST_LINE || is_indicator(text, year).is_some() {
        return Line::One;
    }
    let with_target = |(_, word): &&(usize, &str)| is_target(word, year) || is_indicator(word, year).is_some();
    if words.iter().filter(with_target).count() < 2 {
        return Line::One;
    }
    let Ways::One(starts) = ways(&words, LONGEST_INDICATOR, None, |_, words| {
        is_indicator(&joined(words), year).is_some()
    }) else {
        return Line::Unclear;
    };
    let ends = starts.iter().skip(1).copied().chain([words.len()]);
    let items: Vec<&[(usize, &str)]> = starts
        .iter()
        .zip(ends)
        .filter_map(|(from, to)| words.get(*from..to))
        .collect();
    // 待ち時間10分以上 利用者の割合：5%以下 may be one: no colon stands behind a target without one.
    let colons: Vec<bool> = items
        .iter()
        .filter_map(|words| is_indicator(&joined(words), year))
        .collect();
    if items.len() < 2 || !colons.is_sorted_by_key(|colon| !colon) {
        return Line::Unclear;
    }
    let places = items.iter().filter_map(|words| {
        let (from, _) = words.first()?;
        let (last, word) = words.last()?;
        Some((*from, text.get(*from..last + word.len())?))
    });
    Line::Several(places.collect())
}

/// Whether a text is one indicator with its target read in full.
pub(super) fn is_whole(text: &str, year: FiscalYear) -> bool {
    is_indicator(text, year).is_some()
}

/// Whether words of another indicator stand behind the target of the first one: a line end may stand within them.
pub(super) fn ends_within(text: &str, year: FiscalYear) -> bool {
    let words: Vec<&str> = words(text).map(|(_, word)| word).take(MOST_WORDS).collect();
    let [before @ .., last] = words.as_slice() else {
        return false;
    };
    let ends = |word: &&str| is_target(word, year) || is_whole(word, year);
    !is_whole(text, year) && !ends(last) && !narrowed(last).starts_with(GOES_ON) && before.iter().any(ends)
}

/// Whether a text is one indicator with its target read in full; and whether a colon stands before the target.
fn is_indicator(text: &str, year: FiscalYear) -> Option<bool> {
    let read = indicator::read(text, year);
    let target = read
        .target
        .filter(|target| target.parse == Parse::Full && is_numeric(target.target.comparator))?;
    target.value.or(target.target.value)?;
    let name = narrowed(&read.name);
    let named = !name.starts_with(GOES_ON) && !name.ends_with(UNFINISHED) && name.chars().any(char::is_alphabetic);
    named.then(|| text.contains([':', '：']))
}

fn is_target(text: &str, year: FiscalYear) -> bool {
    let read = target::read(text, year);
    read.parse == Parse::Full && is_numeric(read.target.comparator) && read.target.value.is_some()
}

fn is_numeric(comparator: Comparator) -> bool {
    !matches!(
        comparator,
        Comparator::Unread | Comparator::Undecided | Comparator::Qualitative
    )
}

/// The names of indicators and their targets, if blanks separate as many of both.
pub(in crate::domain::form) fn names_and_targets(
    name: &Part,
    given: &[Part],
    year: FiscalYear,
) -> Option<(Vec<Part>, Vec<Part>)> {
    let count = words(&name.text).take(MOST_ITEMS + 1).count();
    if count > MOST_ITEMS {
        return None;
    }
    let names = names(name, count)?;
    let targets = if given.len() == count {
        given.to_vec()
    } else {
        targets(given, count, year)?
    };
    Some((names, targets))
}

/// Whether blanks separate several targets in a text.
pub(in crate::domain::form) fn has_several_targets(text: &str, year: FiscalYear) -> bool {
    words(text)
        .take(MOST_WORDS)
        .filter(|(_, word)| is_target(word, year))
        .count()
        > 1
}

/// The names of so many indicators, if blanks separate as many words in one text.
fn names(part: &Part, count: usize) -> Option<Vec<Part>> {
    let words: Vec<(usize, &str)> = words(&part.text).collect();
    let is_name = |word: &str| {
        let word = narrowed(word);
        !word.starts_with(GOES_ON) && !word.ends_with(UNFINISHED) && word.chars().any(char::is_alphabetic)
    };
    let fits = words.len() == count && count > 1 && words.iter().all(|(_, word)| is_name(word));
    fits.then(|| {
        words
            .iter()
            .map(|(at, word)| piece(part, *at, (*word).to_owned()))
            .collect()
    })
}

/// The targets of so many indicators in texts that blanks separate.
pub(in crate::domain::form) fn targets(parts: &[Part], count: usize, year: FiscalYear) -> Option<Vec<Part>> {
    separated(parts, count, |_, text| is_target(text, year))
}

/// The results of indicators with these units in texts that blanks separate. Each is printed with its indicator's unit,
/// or says why there is no number.
pub(in crate::domain::form) fn results(
    parts: &[Part],
    units: &[Option<String>],
    year: FiscalYear,
) -> Option<Vec<Part>> {
    separated(parts, units.len(), |at, text| {
        let unit = units.get(at).and_then(Option::as_deref);
        let read = result::read(text, unit, year);
        let known = match (read.unit.as_deref(), unit) {
            (Some(printed), Some(unit)) => bare(printed) == bare(unit),
            (Some(_), None) => true,
            (None, _) => false,
        };
        // A dash with which a text begins, or a short one, may be a mark.
        let mark = text.starts_with(['-', '–', '‐', '−']) && read.value.is_none()
            || at == 0 && text.chars().all(|c| narrow(c) == '-');
        let is_result = read.value_status.is_some() && read.text.is_some() && !mark;
        is_result && read.parse == Parse::Full && (read.value.is_none() || known) && !is_words(&read)
    })
}

/// Whether blanks separate several results in a text that is no list and no result itself.
pub(in crate::domain::form) fn has_several_results(part: &Part, year: FiscalYear) -> bool {
    let full = |text: &str| {
        let read = result::read(text, None, year);
        read.parse == Parse::Full && read.value.is_some() && read.unit.is_some()
    };
    let several = || {
        words(&part.text)
            .take(MOST_WORDS)
            .filter(|(_, word)| full(word))
            .count()
            > 1
    };
    !part.marked && part.exact.is_none() && !full(&part.text) && several()
}

/// Whether a result is mere words: nothing tells where such a result ends.
fn is_words(read: &result::ReadResult) -> bool {
    use crate::domain::kinds::ValueStatus::TextOnly;
    read.value_status == Some(TextOnly)
}

/// Separates texts into so many items, if there is one way to do it. No item stands in two texts.
fn separated(parts: &[Part], count: usize, is_item: impl Fn(usize, &str) -> bool) -> Option<Vec<Part>> {
    if parts.len() >= count
        || count > MOST_ITEMS
        || parts.iter().any(|part| part.exact.is_some() || part.number.is_some())
    {
        return None;
    }
    let mut words = Vec::new();
    for (n, part) in parts.iter().enumerate() {
        words.extend(self::words(&part.text).map(|(at, word)| (n, at, word)));
    }
    let texts: Vec<(usize, &str)> = words.iter().map(|(n, _, word)| (*n, *word)).collect();
    let Ways::One(starts) = ways(&texts, LONGEST, Some(count), |at, words| is_item(at, &joined(words))) else {
        return None;
    };
    let ends = starts.iter().skip(1).copied().chain([words.len()]);
    let items = starts.iter().zip(ends).filter_map(|(from, to)| {
        let (n, at, _) = words.get(*from)?;
        Some(piece(parts.get(*n)?, *at, joined(texts.get(*from..to)?)))
    });
    Some(items.collect())
}

/// A piece of a part, which begins at this byte.
fn piece(part: &Part, at: usize, text: String) -> Part {
    let before = part.text.get(..at).map_or(0, |before| before.chars().count());
    let Place { line, column } = part.place;
    Part {
        text,
        place: Place {
            line,
            column: if column > 1 { column + number(before) } else { column },
        },
        number: None,
        marked: false,
        doubtful: true,
        run_together: false,
        exact: None,
    }
}

/// How many ways there are.
#[derive(Debug, PartialEq, Eq)]
enum Ways {
    None,
    /// One: the words with which items begin.
    One(Vec<usize>),
    Several,
}

/// The ways to make items of words, each of words that follow one another in one text: `count` items, or any number.
fn ways<T: Copy + PartialEq>(
    words: &[(T, &str)],
    longest: usize,
    count: Option<usize>,
    is_item: impl Fn(usize, &[(T, &str)]) -> bool,
) -> Ways {
    if words.len() > MOST_WORDS {
        return Ways::None;
    }
    // For each number of items and each word: how many ways lead there, and where the last item begins.
    let most = count.unwrap_or(words.len()).min(MOST_ITEMS);
    let mut reached: Vec<Vec<(usize, usize)>> = vec![vec![(0, 0); words.len() + 1]];
    if let Some(first) = reached.first_mut().and_then(|row| row.first_mut()) {
        first.0 = 1;
    }
    let one_text = count.is_none();
    for items in 0..most {
        let mut next = vec![(0, 0); words.len() + 1];
        let row = reached.get(items).cloned().unwrap_or_default();
        for (from, (found, _)) in row.iter().enumerate().filter(|(_, (found, _))| *found > 0) {
            for to in from + 1..=(from + longest).min(words.len()) {
                let Some(item) = words.get(from..to) else { break };
                let apart = !one_text && item.first().map(|(text, _)| text) != item.last().map(|(text, _)| text);
                if apart {
                    break;
                }
                work::spend(64);
                if is_item(items, item)
                    && let Some(reached) = next.get_mut(to)
                {
                    *reached = (reached.0 + found, from);
                }
            }
        }
        reached.push(next);
    }
    let ends = reached
        .iter()
        .enumerate()
        .filter(|(items, _)| count.is_none_or(|count| *items == count));
    let ends: Vec<(usize, usize)> = ends
        .filter_map(|(items, row)| Some((items, row.last()?.0)))
        .filter(|(_, found)| *found > 0)
        .collect();
    match ends.as_slice() {
        [] => Ways::None,
        [(items, 1)] => {
            let (mut starts, mut at) = (Vec::new(), words.len());
            for items in (1..=*items).rev() {
                at = reached
                    .get(items)
                    .and_then(|row| row.get(at))
                    .map_or(0, |(_, from)| *from);
                starts.push(at);
            }
            starts.reverse();
            Ways::One(starts)
        }
        _ => Ways::Several,
    }
}

fn joined<T>(words: &[(T, &str)]) -> String {
    let words: Vec<&str> = words.iter().map(|(_, word)| *word).collect();
    words.join(" ")
}

fn narrowed(text: &str) -> String {
    text.chars().map(narrow).collect()
}

/// The words of a text, with their places.
pub(super) fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    text.split(' ').filter_map(move |word| {
        let start = at;
        at += word.len() + 1;
        (!word.is_empty()).then_some((start, word))
    })
}
