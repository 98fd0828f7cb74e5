//! The numbers of headings and of items.

/// A number of one or two digits, from 1: as digits or circled.
pub(super) fn ordinal(text: &str) -> Option<(u32, &str)> {
    if let Some(n) = text.chars().next().and_then(circled) {
        return text.chars().next().and_then(|c| Some((n, text.get(c.len_utf8()..)?)));
    }
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = text.split_at_checked(digits)?;
    let number = number.parse().ok().filter(|n| (1..=99).contains(n))?;
    Some((number, rest))
}

/// The number of ①.
pub(super) fn circled(c: char) -> Option<u32> {
    ('①'..='⑳').contains(&c).then(|| u32::from(c) - u32::from('①') + 1)
}

/// The text behind the number of a heading in one width: 1. 課題認識, (2) 課題認識, ③課題認識, Ⅰ 課題認識, 1-1 課題認識.
pub(super) fn without_number(text: &str) -> Option<&str> {
    let first = text.chars().next()?;
    let after_first = text.get(first.len_utf8()..)?;
    if circled(first).is_some() || ('Ⅰ'..='Ⅻ').contains(&first) {
        return Some(after_first.trim_start_matches(['.', '、', ' ']));
    }
    let opened = text.strip_prefix('(').unwrap_or(text);
    let mut rest = match opened.chars().next()? {
        letter @ 'ア'..='コ' => opened.strip_prefix(letter)?,
        _ => ordinal(opened)?.1,
    };
    if let Some((_, after)) = rest
        .strip_prefix(['-', '.'])
        .and_then(|after| ordinal(after.strip_prefix('(').unwrap_or(after)))
    {
        rest = after;
    }
    let item = rest.trim_start_matches(['.', ')', '、', ' ']);
    (item.len() < rest.len()).then_some(item)
}

#[cfg(test)]
mod tests {
    use super::without_number;

    #[test]
    fn numbers_of_headings_are_told_from_years_and_figures() {
        for (text, rest) in [
            ("1. 課題認識", Some("課題認識")),
            ("(2)課題認識", Some("課題認識")),
            ("③課題認識", Some("課題認識")),
            ("Ⅳ 課題認識", Some("課題認識")),
            ("1-(2) 課題認識", Some("課題認識")),
            ("イ 課題認識", Some("課題認識")),
            ("6年度実績", None),
            ("課題認識", None),
            ("48%", None),
            ("", None),
        ] {
            assert_eq!(without_number(text), rest, "{text}");
        }
    }
}
