//! Number formats: how a cell shows its number, by the section of the format code that the number falls into.
//!
//! A section has placeholders of digits among literal text, or it shows a day or a time. Which letters stand in it tells.

use std::sync::Arc;

use rust_decimal::Decimal;

use crate::value::work;

mod render;
#[cfg(test)]
mod tests;

/// How a number is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shown {
    /// As a number.
    Number {
        /// Whether it is a percentage: a hundred times the stored number.
        percent: bool,
        /// How many decimal places are always shown.
        places: u32,
        /// The text, if it is more or less than the number alone.
        text: Option<Arc<str>>,
    },
    /// As a day.
    Date,
    /// As a time of day or a duration.
    Time,
}

/// A number format: its sections for numbers.
#[derive(Debug, Default)]
pub(super) struct NumberFormat {
    sections: Vec<Section>,
}

#[derive(Debug)]
struct Section {
    /// The numbers that the section is for, if it says so: `[<100]`.
    condition: Option<Condition>,
    kind: Kind,
    tokens: Vec<Token>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Number,
    Date,
    Time,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    /// Text that is shown as it is.
    Literal(char),
    /// A digit: 0 always, # if the number has it, ? as a blank if it has not.
    Digit(char),
    Point,
    /// A thousands separator, or a scaling by 1,000 behind the last digit.
    Comma,
    /// A percent sign: a scaling by 100 that is shown.
    Percent,
    /// E+ or E-; true if positive exponents have a sign.
    Exponent(bool),
    /// The bar of a fraction.
    Slash,
    /// The number as it is.
    General,
    /// The cell's text; of a number the number as it is.
    Text,
}

/// The numbers that a section is for.
#[derive(Debug, Clone, Copy)]
struct Condition {
    is_met: fn(&Decimal, &Decimal) -> bool,
    bound: Decimal,
    /// Whether it holds of negative numbers alone, so that the section shows no sign of its own accord.
    negative: bool,
}

impl NumberFormat {
    /// Reads a format code.
    pub(super) fn read(code: &str) -> Self {
        work::spend(code.len());
        if code.is_empty() || code.eq_ignore_ascii_case("General") {
            // Most cells: there is nothing to render.
            return Self::default();
        }
        let mut sections: Vec<Section> = sections(code).into_iter().map(Section::read).collect();
        // The section of texts comes fourth, or last if it has the placeholder of texts.
        let is_text = |section: &Section| section.tokens.contains(&Token::Text);
        if sections.len() > 3 || sections.last().is_some_and(is_text) {
            sections.truncate(3.min(sections.len() - 1));
        }
        Self { sections }
    }

    /// How the format shows a number; without a number, how it shows most of them.
    pub(super) fn show(&self, number: Option<Decimal>) -> Shown {
        let (section, unsigned) = self.section(number.unwrap_or_default());
        let Some(section) = section else {
            return Shown::Number {
                percent: false,
                places: 0,
                text: (!self.sections.is_empty()).then(|| "###".into()),
            };
        };
        work::spend(section.tokens.len());
        match section.kind {
            Kind::Date => Shown::Date,
            Kind::Time => Shown::Time,
            Kind::Number => Shown::Number {
                percent: section.tokens.contains(&Token::Percent),
                places: section.places(),
                text: number.and_then(|number| render::text(&section.tokens, number, unsigned)),
            },
        }
    }

    /// The section that a number falls into, and whether the section shows negative numbers without a sign of its own accord.
    fn section(&self, number: Decimal) -> (Option<&Section>, bool) {
        let is_negative = number < Decimal::ZERO;
        let [first, others @ ..] = self.sections.as_slice() else {
            return (None, false);
        };
        let met = |section: &Section| section.condition.is_some_and(|it| (it.is_met)(&number, &it.bound));
        let has_condition = |section: &Section| section.condition.is_some();
        let implied = |section| (Some(section), false);
        let own = |section: &'_ Section| section.condition.is_some_and(|it| it.negative);
        match others {
            [] if !has_condition(first) || met(first) => (Some(first), own(first)),
            [] => (None, false),
            [second, third @ ..] if has_condition(first) || has_condition(second) => {
                let first_holds = if has_condition(first) {
                    met(first)
                } else {
                    number > Decimal::ZERO
                };
                let second_holds = match third {
                    _ if has_condition(second) => met(second),
                    [] => true,
                    _ => is_negative,
                };
                match third.first() {
                    _ if first_holds => (Some(first), own(first)),
                    _ if second_holds => (Some(second), own(second) || !has_condition(second) && !third.is_empty()),
                    third => third.map_or((None, false), implied),
                }
            }
            [second, ..] if is_negative => (Some(second), true),
            [_, third, ..] if number.is_zero() => implied(third),
            _ => implied(first),
        }
    }
}

impl Section {
    fn read(code: &str) -> Self {
        let mut section = Self {
            condition: None,
            kind: Kind::Number,
            tokens: Vec::new(),
        };
        // The letters that are no literal text, in lower case: they make a section one of days or times.
        let mut letters = String::new();
        let mut rest = code.chars();
        while let Some(c) = rest.next() {
            match c {
                '"' => section.literal(rest.by_ref().take_while(|c| *c != '"')),
                '\\' | '!' => section.literal(rest.next()),
                // A blank as wide as the next character.
                '_' => section.literal(rest.next().map(|_width| ' ')),
                // The next character fills what is left of the cell.
                '*' => {
                    rest.next();
                }
                '[' => {
                    let inside: String = rest.by_ref().take_while(|c| *c != ']').collect();
                    section.bracket(&inside.to_lowercase(), &mut letters);
                }
                '0' | '#' | '?' => section.tokens.push(Token::Digit(c)),
                '.' => section.tokens.push(Token::Point),
                ',' => section.tokens.push(Token::Comma),
                '%' => section.tokens.push(Token::Percent),
                '/' => section.tokens.push(Token::Slash),
                '@' => section.tokens.push(Token::Text),
                'E' | 'e' if rest.as_str().starts_with(['+', '-']) => {
                    section.tokens.push(Token::Exponent(rest.next() == Some('+')));
                }
                'G' | 'g'
                    if rest
                        .as_str()
                        .get(..6)
                        .is_some_and(|it| it.eq_ignore_ascii_case("eneral")) =>
                {
                    section.tokens.push(Token::General);
                    rest.nth(5);
                }
                c => {
                    letters.extend(c.to_lowercase());
                    section.literal([c]);
                }
            }
        }
        section.kind = section.kind_of(&letters);
        section
    }

    fn literal(&mut self, text: impl IntoIterator<Item = char>) {
        self.tokens.extend(text.into_iter().map(Token::Literal));
    }

    /// What stands in brackets: a condition, a time that may exceed a day, a currency, a colour, a locale.
    fn bracket(&mut self, inside: &str, letters: &mut String) {
        if let Some(condition) = Condition::read(inside) {
            self.condition = Some(condition);
        } else if let Some(currency) = inside.strip_prefix('$') {
            let currency = currency.split('-').next().unwrap_or_default();
            self.literal(currency.chars());
        } else if !inside.is_empty() && inside.chars().all(|c| matches!(c, 'h' | 'm' | 's')) {
            letters.push('h');
        }
    }

    fn kind_of(&self, letters: &str) -> Kind {
        let of_numbers = |token: &Token| {
            matches!(
                token,
                Token::Percent | Token::Exponent(_) | Token::General | Token::Text
            )
        };
        if self.tokens.iter().any(of_numbers) {
            return Kind::Number;
        }
        let clock = letters.contains("am/pm") || letters.contains(['h', 's']) || letters.contains("ampm");
        let calendar = letters.replace("ampm", "").replace("ap", "");
        if calendar.contains(['y', 'd', 'g', 'e', 'a', 'b']) || !clock && calendar.contains('m') {
            Kind::Date
        } else if clock {
            Kind::Time
        } else {
            Kind::Number
        }
    }

    /// The decimal places that are always shown.
    fn places(&self) -> u32 {
        let behind = self.tokens.iter().skip_while(|token| **token != Token::Point).skip(1);
        let places = behind.take_while(|token| **token == Token::Digit('0')).count();
        u32::try_from(places.min(9)).unwrap_or(0)
    }
}

impl Condition {
    fn read(inside: &str) -> Option<Self> {
        let end = inside.find(|c| !matches!(c, '<' | '>' | '='))?;
        let (operator, bound) = inside.split_at_checked(end)?;
        let bound: Decimal = bound.trim().parse().ok()?;
        let is_met: fn(&Decimal, &Decimal) -> bool = match operator {
            "<" => Decimal::lt,
            "<=" => Decimal::le,
            ">" => Decimal::gt,
            ">=" => Decimal::ge,
            "=" => Decimal::eq,
            "<>" => Decimal::ne,
            _ => return None,
        };
        let negative = match operator {
            "<" => bound <= Decimal::ZERO,
            "<=" | "=" => bound < Decimal::ZERO,
            _ => false,
        };
        Some(Self {
            is_met,
            bound,
            negative,
        })
    }
}

/// The sections of a format code: they are separated by ; outside of literal text.
fn sections(code: &str) -> Vec<&str> {
    let mut sections = Vec::new();
    let (mut start, mut within) = (0, None);
    let mut characters = code.char_indices();
    while let Some((at, c)) = characters.next() {
        match (within, c) {
            (None, '\\' | '!' | '_' | '*') => {
                characters.next();
            }
            (None, '"') => within = Some('"'),
            (None, '[') => within = Some(']'),
            (None, ';') => {
                sections.extend(code.get(start..at));
                start = at + 1;
            }
            (Some(end), c) if c == end => within = None,
            _ => {}
        }
    }
    sections.extend(code.get(start..));
    sections
}
