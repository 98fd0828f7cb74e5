//! Attaches results to indicators: by printed number or name, or one to one if there are as many of both.

use std::collections::HashMap;

use super::{layout::Item, split::Part, width::bare};

/// How many colons of a result are tried as the end of the indicator's name.
const MOST_COLONS: usize = 6;
/// The most characters of a name.
const LONGEST_NAME: usize = 600;

/// An indicator results may belong to.
#[derive(Debug, Clone)]
pub(super) struct Candidate<'a> {
    pub(super) number: Option<u32>,
    pub(super) name: &'a str,
}

/// The result of each indicator, in order: the part, and its text after the indicator's name.
pub(super) type Attached<'a> = Vec<Option<(&'a Part, &'a str)>>;

/// Attaches parts to indicators; nothing if their pairs are not clear. Position never decides if the counts differ.
pub(super) fn attach<'a>(indicators: &[Candidate<'_>], parts: &'a [Part]) -> Option<Attached<'a>> {
    let mut attached: Attached<'a> = vec![None; indicators.len()];
    if parts.is_empty() {
        return Some(attached);
    }
    if parts.iter().any(|part| part.exact.is_some()) {
        let whole = parts.len() == indicators.len() && parts.iter().all(|part| part.exact.is_some());
        return whole.then(|| parts.iter().map(|part| Some((part, part.text.as_str()))).collect());
    }
    let named = by_name(indicators, parts);
    let places = if named.iter().all(Option::is_some) {
        named.iter().map(|found| found.map(|(at, _)| at)).collect()
    } else {
        let places = by_number(indicators, parts)?;
        // A name at the place of another indicator's result is worse than no name.
        let contradicted = named
            .iter()
            .zip(&places)
            .any(|(named, place)| named.is_some_and(|(at, _)| Some(at) != *place));
        if contradicted {
            return None;
        }
        places
    };
    for ((part, place), named) in parts.iter().zip(places).zip(named) {
        let slot = attached.get_mut(place?)?;
        if slot.is_some() {
            return None;
        }
        *slot = Some((part, named.map_or(part.text.as_str(), |(_, rest)| rest)));
    }
    Some(attached)
}

/// Adds ratings in a cell to the results in the cell before it, if these are as many. Returns whether it did.
pub(super) fn rate(results: &mut [Item], ratings: &[Item]) -> bool {
    let is_rating =
        |item: &Item| item.exact.is_empty() && matches!(item.text.as_str(), "A" | "B" | "Ａ" | "Ｂ" | "-" | "－");
    let are_ratings = ratings.len() > 1 && ratings.iter().all(is_rating);
    if !are_ratings || ratings.len() != results.len() || results.iter().any(|result| !result.exact.is_empty()) {
        return false;
    }
    for (result, rating) in results.iter_mut().zip(ratings) {
        if !matches!(rating.text.as_str(), "-" | "－") {
            result.text = format!("{}：{}", result.text, rating.text);
        }
    }
    true
}

/// For each part the indicator with its number, if all are numbered; else the indicator at its place.
fn by_number(indicators: &[Candidate<'_>], parts: &[Part]) -> Option<Vec<Option<usize>>> {
    let of_numbers: HashMap<u32, usize> = indicators
        .iter()
        .enumerate()
        .filter_map(|(at, indicator)| Some((indicator.number?, at)))
        .collect();
    let all_numbered = of_numbers.len() == indicators.len();
    if all_numbered && parts.iter().all(|part| part.number.is_some()) {
        return parts
            .iter()
            .map(|part| Some(Some(*of_numbers.get(&part.number?)?)))
            .collect();
    }
    if parts.len() != indicators.len() {
        return None;
    }
    // By place, a printed number must at least equal the place.
    (1..)
        .zip(parts)
        .zip(0..)
        .map(|((number, part), at)| part.number.is_none_or(|printed| printed == number).then_some(Some(at)))
        .collect()
}

/// The indicator that each part names before a colon, and the text after the colon.
fn by_name<'a>(indicators: &[Candidate<'_>], parts: &'a [Part]) -> Vec<Option<(usize, &'a str)>> {
    let mut of_names = HashMap::new();
    for (at, indicator) in indicators.iter().enumerate() {
        of_names.insert(bare(indicator.name), at);
    }
    let unique = of_names.len() == indicators.len();
    parts
        .iter()
        .map(|part| {
            let colons = part
                .text
                .char_indices()
                .take(LONGEST_NAME)
                .filter(|(_, c)| matches!(c, ':' | '：'));
            colons.take(MOST_COLONS).filter(|_| unique).find_map(|(at, colon)| {
                let name = part.text.get(..at)?;
                let rest = part.text.get(at + colon.len_utf8()..)?;
                Some((*of_names.get(&bare(name))?, rest.trim_start()))
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Candidate, Part, attach};
    use crate::domain::form::notes::Place;

    fn texts<const N: usize>(texts: [&str; N]) -> Vec<String> {
        texts.map(str::to_owned).to_vec()
    }

    /// The texts attached to the indicators, "" where there is none.
    fn attached(indicators: &[(Option<u32>, &str)], parts: &[(Option<u32>, &'static str)]) -> Option<Vec<String>> {
        let indicators: Vec<Candidate<'_>> = indicators
            .iter()
            .map(|(number, name)| Candidate { number: *number, name })
            .collect();
        let parts: Vec<Part> = parts
            .iter()
            .map(|(number, text)| Part {
                text: (*text).to_owned(),
                place: Place::line(1),
                number: *number,
                marked: false,
                doubtful: false,
                run_together: false,
                exact: None,
            })
            .collect();
        let attached = attach(&indicators, &parts)?;
        Some(
            attached
                .into_iter()
                .map(|found| found.map_or("", |(_, text)| text).to_owned())
                .collect(),
        )
    }

    #[test]
    fn as_many_results_as_indicators_are_attached_one_to_one() {
        let two = [(None, "a"), (None, "b")];
        assert_eq!(attached(&two, &[(None, "1%"), (None, "2%")]), Some(texts(["1%", "2%"])));
        assert_eq!(
            attached(&two, &[(Some(1), "1%"), (Some(2), "2%")]),
            Some(texts(["1%", "2%"]))
        );
        assert_eq!(attached(&two, &[]), Some(texts(["", ""])));
    }

    #[test]
    fn nothing_is_attached_where_the_counts_differ() {
        let two = [(None, "a"), (None, "b")];
        assert_eq!(attached(&two, &[(None, "1%")]), None);
        assert_eq!(attached(&two, &[(None, "1%"), (None, "2%"), (None, "3%")]), None);
        assert_eq!(attached(&two, &[(Some(2), "1%")]), None);
        assert_eq!(attached(&two, &[(Some(1), "1%"), (Some(3), "2%")]), None);
    }

    #[test]
    fn printed_numbers_and_names_tell_results_apart() {
        let numbered = [(Some(1), "a"), (Some(2), "b")];
        assert_eq!(attached(&numbered, &[(Some(2), "2%")]), Some(texts(["", "2%"])));
        assert_eq!(attached(&numbered, &[(Some(3), "2%")]), None);
        let named = [(None, "a"), (None, "b率")];
        assert_eq!(
            attached(&named, &[(None, "ｂ 率：2%：A"), (None, "a: 1%")]),
            Some(texts(["1%", "2%：A"]))
        );
        assert_eq!(attached(&named, &[(None, "b率：2%")]), Some(texts(["", "2%"])));
        assert_eq!(attached(&named, &[(None, "b率：2%"), (None, "1%")]), None);
        assert_eq!(attached(&named, &[(None, "a：2%"), (None, "a：1%")]), None);
    }
}
