//! How cells are shown. Dates and percentages are stored as bare numbers: only the number format tells them.

use std::collections::HashMap;

use super::{
    Note,
    package::{Package, Step, unreadable},
};

/// Most cell formats; spreadsheets allow no more.
const MOST_FORMATS: usize = 65_536;

/// How a number is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    /// As a number with at least as many decimal places.
    Number(u32),
    /// As a percentage with at least as many decimal places.
    Percent(u32),
    /// As a day.
    Date,
    /// As a time of day or a duration.
    Time,
}

/// The number formats of a workbook, by the style number of the cells.
#[derive(Debug, Default)]
pub(super) struct Formats(Vec<Shown>);

impl Formats {
    pub(super) fn read(package: &mut Package<'_>, part: &str) -> Result<Self, Note> {
        let mut codes: HashMap<u32, Shown> = HashMap::new();
        let mut formats = Vec::new();
        let (mut in_codes, mut in_formats) = (false, false);
        package.walk(part, |step| {
            match step {
                Step::Open(element) => match element.name() {
                    "numFmts" => in_codes = true,
                    "cellXfs" => in_formats = true,
                    "numFmt" if in_codes => {
                        let id = element.attribute("numFmtId")?.and_then(|id| id.parse().ok());
                        let code = element.attribute("formatCode")?.unwrap_or_default();
                        codes.extend(id.map(|id| (id, shown(&code))));
                    }
                    "xf" if in_formats => {
                        let id = element
                            .attribute("numFmtId")?
                            .and_then(|id| id.parse().ok())
                            .unwrap_or(0);
                        formats.push(id);
                    }
                    _ => {}
                },
                Step::Close("numFmts") => in_codes = false,
                Step::Close("cellXfs") => in_formats = false,
                _ => {}
            }
            if codes.len() > MOST_FORMATS || formats.len() > MOST_FORMATS {
                return Err(unreadable(part));
            }
            Ok(())
        })?;
        let shown = |id: &u32| codes.get(id).copied().unwrap_or_else(|| built_in(*id));
        Ok(Self(formats.iter().map(shown).collect()))
    }

    /// How a cell of this style is shown.
    pub(super) fn of(&self, style: Option<usize>) -> Shown {
        let format = self.0.get(style.unwrap_or(0));
        format.copied().unwrap_or(Shown::Number(0))
    }
}

/// The built-in formats, which files name by number alone; those of East Asian spreadsheets included.
fn built_in(id: u32) -> Shown {
    match id {
        2 | 4 | 11 | 39 | 40 => Shown::Number(2),
        48 => Shown::Number(1),
        9 => Shown::Percent(0),
        10 => Shown::Percent(2),
        18..=21 | 32..=35 | 45..=47 => Shown::Time,
        14..=17 | 22 | 27..=31 | 36 | 50..=58 => Shown::Date,
        _ => Shown::Number(0),
    }
}

/// How a format code shows a number, by its first section.
fn shown(code: &str) -> Shown {
    let bare = bare(code);
    if bare.starts_with("general") || bare.contains('@') {
        return Shown::Number(0);
    }
    let places = bare
        .split_once('.')
        .map_or(0, |(_, behind)| behind.chars().take_while(|c| *c == '0').count());
    let places = u32::try_from(places.min(9)).unwrap_or(0);
    if bare.contains('%') {
        return Shown::Percent(places);
    }
    if bare.contains("e+") || bare.contains("e-") {
        return Shown::Number(places);
    }
    let clock = bare.contains("am/pm") || bare.contains("a/p") || bare.contains(['h', 's']);
    let calendar = bare.replace("am/pm", "").replace("a/p", "");
    if calendar.contains(['y', 'd', 'g', 'e', 'a', 'b']) || !clock && calendar.contains('m') {
        Shown::Date
    } else if clock {
        Shown::Time
    } else {
        Shown::Number(places)
    }
}

/// The first section of a format code, in lower case, without literal text ("年", \-), colours and fillers.
fn bare(code: &str) -> String {
    let mut bare = String::new();
    let mut characters = code.chars();
    while let Some(c) = characters.next() {
        match c {
            '"' => while characters.next().is_some_and(|c| c != '"') {},
            '\\' | '_' | '*' | '!' => {
                characters.next();
            }
            '[' => {
                let inside: String = characters.by_ref().take_while(|c| *c != ']').collect();
                let inside = inside.to_lowercase();
                if !inside.is_empty() && inside.chars().all(|c| matches!(c, 'h' | 'm' | 's')) {
                    // Elapsed hours, minutes or seconds, which may exceed a day: [h]:mm.
                    bare.push('h');
                }
            }
            ';' => break,
            c => bare.extend(c.to_lowercase()),
        }
    }
    bare
}

#[cfg(test)]
mod tests {
    use super::{Shown::*, *};
    use proptest::prelude::*;

    #[test]
    fn format_codes_say_what_is_shown() {
        for (code, expected) in [
            ("General", Number(0)),
            ("0", Number(0)),
            ("#,##0.00", Number(2)),
            ("#,##0\"団体\"", Number(0)),
            ("0\"%\"", Number(0)),
            ("0\\%", Number(0)),
            ("[Red]0.0;[Blue]-0%", Number(1)),
            ("0.00E+00", Number(2)),
            ("@", Number(0)),
            ("0%", Percent(0)),
            ("0.0%;▲0.0%", Percent(1)),
            ("_ * #,##0.00%_ ", Percent(2)),
            ("[$-411]ggge\"年\"m\"月\"d\"日\"", Date),
            ("yyyy/m/d;@", Date),
            ("yyyy年m月d日", Date),
            ("m\"月\"d\"日\"", Date),
            ("d-mmm", Date),
            ("mmm", Date),
            ("aaa", Date),
            ("yyyy/m/d h:mm AM/PM", Date),
            ("h:mm AM/PM", Time),
            ("[h]:mm:ss", Time),
            ("[mm]", Time),
            ("mm:ss.0", Time),
            ("\"yyyy", Number(0)),
            ("", Number(0)),
        ] {
            assert_eq!(shown(code), expected, "{code}");
        }
    }

    proptest! {
        #[test]
        fn no_code_makes_reading_panic(code in "\\PC*") {
            let _ = shown(&code);
        }
    }
}
