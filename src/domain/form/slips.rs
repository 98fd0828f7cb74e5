//! Known slips of character recognition, with their corrections.

/// The recognized and the printed text. Only a text that can mean nothing else belongs here, with the form it was found
/// in. Each correction is recorded and noted.
const SLIPS: &[(&str, &str)] = &[
    // Nishi Ward, fiscal year 2024, strategies of 1-(2): the word pair of disaster prevention is 自助・共助 (helping
    // oneself, helping one another); 中助 is no word.
    ("中助・共助", "自助・共助"),
];

/// The slips in a text: as found, as corrected.
pub(super) fn find(text: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    SLIPS.iter().copied().filter(move |(found, _)| text.contains(found))
}

/// The text without slips.
pub(super) fn correct(text: &str) -> String {
    SLIPS
        .iter()
        .fold(text.to_owned(), |text, (found, meant)| text.replace(found, meant))
}

#[cfg(test)]
mod tests {
    use super::{correct, find};

    #[test]
    fn a_known_slip_is_found_and_corrected_and_nothing_else_is() {
        let text = "皆さんの中助・共助の意識";
        assert_eq!(find(text).collect::<Vec<_>>(), [("中助・共助", "自助・共助")]);
        assert_eq!(correct(text), "皆さんの自助・共助の意識");
        assert_eq!(correct("自助・共助"), "自助・共助");
        assert_eq!(find("共助").count(), 0);
    }
}
