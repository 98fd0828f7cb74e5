//! Targets (目標値) as forms print them: 81.2%以上, 令和3年度末より4ポイント増加, 0人を維持.

use super::{
    MOST, Parse,
    measure::{self, Measure, held},
    plain::{has_digit, one_line, unspaced},
    years,
};
use crate::{
    domain::{
        kinds::Direction,
        target::{Comparator, Period, PeriodKind, Reference, ReferenceKind, Target},
    },
    value::{Decimal, FiscalYear, Line},
};

mod assembly;
mod print;
mod relative;
#[cfg(test)]
mod tests;
mod words;

pub use print::print;
use words::{COMPARATORS, DONE, UNDECIDED, is_condition, is_ending_of_upkeep, trim_before, trim_ending};

/// The most characters a target keeps as its text.
const MOST_TEXT: usize = 500;

/// A printed target, as read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadTarget {
    /// The target. One that is not understood whole is `unread`: nothing but its text is kept, up to 500 characters.
    pub target: Target,
    /// How results would be compared, as far as the text was understood; nothing where no rule was found.
    pub comparator: Option<Comparator>,
    /// How much of the text was understood.
    pub parse: Parse,
    /// The unit, as printed; 割 is given as %.
    pub unit: Option<String>,
    /// The decimal places of its number.
    pub decimals: u32,
    /// Which way is better, as far as the target tells.
    pub direction: Direction,
    /// The number that was understood, even where it makes no target: 80 of a bare 80%.
    pub value: Option<Decimal>,
    /// The reference, even where it makes no target.
    pub reference: Reference,
    /// The period, even where it makes no target.
    pub period: Period,
    /// The parts that were not understood, in one width, in their order.
    pub rest: Vec<String>,
}

impl ReadTarget {
    /// The target of a text that says more than the reader took: nothing is judged by it.
    #[must_use]
    pub(super) fn in_doubt(mut self, more: &str) -> Self {
        if self.parse == Parse::Full {
            self.parse = Parse::Partial;
            self.target = Target {
                text: self.target.text,
                comparator: Comparator::Unread,
                ..Target::default()
            };
        }
        self.rest.push(more.to_owned());
        self
    }

    /// What a text that was not understood whole seems to ask for: for a person to confirm.
    #[must_use]
    pub fn understood(&self) -> Option<Target> {
        let target = Target {
            text: None,
            comparator: self.comparator.filter(|_| self.parse == Parse::Partial)?,
            value: self.value,
            upper: None,
            reference: self.reference.clone(),
            period: self.period,
        };
        target.faults().is_empty().then_some(target)
    }
}

/// Reads a target as printed in the policy of a fiscal year.
///
/// Only the printed words count. An ambiguous text is read in part, and kept: a number without a word of comparison, a
/// relative change in percent of a number that is not printed, two conditions in one.
#[must_use]
pub fn read(text: &str, year: FiscalYear) -> ReadTarget {
    let line = one_line(text);
    let long = text.chars().nth(MOST).is_some() || line.chars().nth(MOST_TEXT).is_some();
    let mut reading = TargetReader::new(year, Some(line).filter(|line| !long && !line.is_empty()));
    if long {
        reading.rest.push(text.chars().take(MOST_TEXT).collect());
        return reading.finished(Parse::Unparsed);
    }
    let body = unspaced(text);
    if UNDECIDED.contains(&body.as_str()) {
        reading.compare(Comparator::Undecided);
        return reading.finish();
    }
    let body = reading.without_remarks(&body);
    reading.body(&body);
    reading.finish()
}

/// Whether a text is a time by which targets are met, and nothing else: 令和8年度末時点で.
pub(super) fn is_time(text: &str, year: FiscalYear) -> bool {
    let text = unspaced(text);
    !text.is_empty() && TargetReader::new(year, None).time(&text).is_empty()
}

/// The state of reading a target.
struct TargetReader {
    year: FiscalYear,
    read: ReadTarget,
    /// The number of the reference, in brackets.
    baseline: Option<Measure>,
    rest: Vec<String>,
}

impl TargetReader {
    fn new(year: FiscalYear, line: Option<String>) -> Self {
        Self {
            year,
            read: ReadTarget {
                target: Target {
                    text: line.map(Line),
                    comparator: Comparator::Qualitative,
                    ..Target::default()
                },
                comparator: None,
                parse: Parse::Full,
                unit: None,
                decimals: 0,
                direction: Direction::Unknown,
                value: None,
                reference: Reference::default(),
                period: Period::default(),
                rest: vec![],
            },
            baseline: None,
            rest: vec![],
        }
    }

    fn compare(&mut self, comparator: Comparator) {
        // A multiple of an unknown number.
        if self.read.unit.as_deref() == Some("倍") {
            self.rest.push("倍".to_owned());
            return;
        }
        self.read.target.comparator = comparator;
    }

    /// Removes the remarks in brackets from a text, and reads them.
    fn without_remarks(&mut self, text: &str) -> String {
        let mut body = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('(') {
            body.push_str(before);
            if let Some((remark, after)) = after.split_once(')') {
                self.remark(remark);
                rest = after;
            } else {
                self.rest.push(format!("({after}"));
                rest = "";
            }
        }
        body.push_str(rest);
        body
    }

    /// A remark: over which years (R3~R5合計), by when (令和7年度末まで), against what (R4:1,020件), or something else.
    fn remark(&mut self, remark: &str) {
        if let Some((from, to, len)) = years::leading_range(remark, self.year)
            && remark
                .get(len..)
                .is_some_and(|rest| matches!(rest, "合計" | "累計" | "計" | "の合計" | "の累計"))
        {
            self.over(from, to);
            return;
        }
        if let Some((of, len)) = years::leading(remark, self.year) {
            let rest = remark.get(len..).unwrap_or_default();
            if matches!(rest, "まで" | "までに") {
                self.by(of);
                return;
            }
            let number = rest
                .trim_start_matches("実績")
                .trim_start_matches(':')
                .trim_start_matches('は');
            if let Some(measure) = baseline(number) {
                self.refer(ReferenceKind::FiscalYear, Some(of));
                self.baseline = Some(measure);
                return;
            }
        }
        let number = ["前年度実績", "前年度", "現状値", "現状", "基準値", "実績"]
            .into_iter()
            .find_map(|word| remark.strip_prefix(word))
            .unwrap_or(remark);
        match baseline(number.trim_start_matches(':')) {
            Some(measure) if self.baseline.is_none() => self.baseline = Some(measure),
            _ => self.rest.push(format!("({remark})")),
        }
    }

    fn over(&mut self, from: FiscalYear, to: FiscalYear) {
        self.read.period = Period {
            kind: PeriodKind::Cumulative,
            from: Some(from),
            to: Some(to),
        };
    }

    fn by(&mut self, year: FiscalYear) {
        // Every target is due by the end of the year itself.
        if year != self.year {
            self.read.period = Period {
                kind: PeriodKind::ByEndOf,
                from: None,
                to: Some(year),
            };
        }
    }

    fn refer(&mut self, kind: ReferenceKind, year: Option<FiscalYear>) {
        self.read.reference = Reference {
            kind,
            fiscal_year: year,
            ..Reference::default()
        };
    }

    fn measured(&mut self, measure: &Measure) {
        self.read.value = Some(measure.value);
        self.read.unit.clone_from(&measure.unit);
        self.read.decimals = self.read.decimals.max(measure.decimals());
    }

    /// Reads the text without its remarks.
    fn body(&mut self, body: &str) {
        let body = self.time(body);
        if body.is_empty() {
            self.rest.push(String::new());
            return;
        }
        if self.relative(body) || self.arrow(body) || self.all(body) || self.zero(body) {
            return;
        }
        self.absolute(body);
    }

    /// Removes and reads the period at the beginning: 令和7年度末までに, R3~R5累計で.
    fn time<'a>(&mut self, body: &'a str) -> &'a str {
        if let Some((from, to, len)) = years::leading_range(body, self.year) {
            let rest = body.get(len..).unwrap_or_default();
            for word in ["累計で", "合計で", "累計", "合計", "計"] {
                if let Some(rest) = rest.strip_prefix(word) {
                    self.over(from, to);
                    return rest;
                }
            }
        }
        if let Some((year, len)) = years::leading(body, self.year) {
            let rest = body.get(len..).unwrap_or_default();
            for word in ["までに", "まで", "時点で", "時点において"] {
                if let Some(rest) = rest.strip_prefix(word) {
                    self.by(year);
                    return rest.trim_start_matches('、');
                }
            }
        }
        body
    }

    /// From one number to another: 1,577人→0人.
    fn arrow(&mut self, body: &str) -> bool {
        let Some((before, after)) = body.split_once('→') else {
            return false;
        };
        let (Some(before), Some((after, rest))) = (whole(before), number(after)) else {
            return false;
        };
        let comparator = match after.value.cmp(&before.value) {
            std::cmp::Ordering::Less => Comparator::Lte,
            std::cmp::Ordering::Greater => Comparator::Gte,
            std::cmp::Ordering::Equal => return false,
        };
        let same = before.unit.is_none() || after.unit.is_none() || before.unit == after.unit;
        if !same {
            return false;
        }
        self.measured(&after);
        self.read.unit = after.unit.or(before.unit);
        self.end(rest, comparator);
        true
    }

    /// All of a number of things: 全15地域で策定する.
    fn all(&mut self, body: &str) -> bool {
        let Some((measure, rest)) = body.strip_prefix('全').and_then(number) else {
            return false;
        };
        let done = ["で", "において", "の"]
            .iter()
            .find_map(|word| rest.strip_prefix(word))
            .unwrap_or(rest);
        let is_whole = trim_ending(done).is_empty() || DONE.contains(&trim_ending(done));
        if measure.unit.is_none() || !is_whole {
            return false;
        }
        self.measured(&measure);
        self.compare(Comparator::Gte);
        true
    }

    /// Zero: 死者ゼロ, 0人を維持. No count is negative, so that at most 0 is exactly 0.
    fn zero(&mut self, body: &str) -> bool {
        let body = trim_ending(body);
        let zero = Measure::zero();
        let measure = match body.strip_suffix("ゼロ") {
            Some(what) if !has_digit(what) => Some(zero),
            Some(_) => None,
            None => whole(body).filter(|measure| measure.value == Decimal::ZERO),
        };
        let Some(measure) = measure else { return false };
        self.measured(&measure);
        self.compare(Comparator::Lte);
        true
    }

    /// A number with its comparison: 81.2%以上, 2,000件~2,400件, 1.5倍以上 of the number in brackets.
    fn absolute(&mut self, body: &str) {
        let (start, about) = trim_before(body);
        let Some((measure, rest)) = number(start) else {
            self.words(body);
            return;
        };
        if about {
            self.rest.push("約".to_owned());
        }
        if let Some(after) = rest.strip_prefix(['~', '-']).or_else(|| rest.strip_prefix("以上"))
            && let Some((upper, rest)) = number(after.trim_start_matches('、'))
        {
            self.between(&measure, &upper, rest, body);
            return;
        }
        if measure.unit.as_deref() == Some("倍") {
            self.times(&measure, rest, body);
            return;
        }
        self.measured(&measure);
        match COMPARATORS
            .iter()
            .find_map(|(word, it)| rest.strip_prefix(word).map(|rest| (*it, rest)))
        {
            Some((comparator, rest)) => self.end(rest, comparator),
            // As in 0人を維持.
            None if is_ending_of_upkeep(rest) && measure.value == Decimal::ZERO => self.compare(Comparator::Lte),
            None if is_ending_of_upkeep(rest) => {
                self.read.reference = Reference {
                    kind: ReferenceKind::Constant,
                    value: Some(measure.value),
                    ..Reference::default()
                };
                self.read.value = None;
                self.compare(Comparator::Maintain);
            }
            // A bare number may mean at least, at most or exactly.
            None => self.rest.push(rest.to_owned()),
        }
    }

    fn between(&mut self, lower: &Measure, upper: &Measure, rest: &str, body: &str) {
        let same = lower.unit.is_none() || upper.unit.is_none() || lower.unit == upper.unit;
        let rest = rest
            .strip_prefix("以下")
            .or_else(|| rest.strip_prefix("以内"))
            .unwrap_or(rest);
        if !same || lower.value > upper.value || !trim_ending(rest).is_empty() {
            self.rest.push(body.to_owned());
            return;
        }
        self.measured(lower);
        self.read.decimals = self.read.decimals.max(upper.decimals());
        self.read.unit = lower.unit.clone().or_else(|| upper.unit.clone());
        self.compare(Comparator::Between);
        if self.read.target.comparator == Comparator::Between {
            self.read.target.upper = Some(upper.value);
        }
    }

    /// A multiple of the number in brackets; a number where both are printed.
    fn times(&mut self, factor: &Measure, rest: &str, body: &str) {
        let known = COMPARATORS
            .iter()
            .find_map(|(word, it)| rest.strip_prefix(word).map(|rest| (*it, rest)));
        let product = self.baseline.take().and_then(|mut of| {
            of.value = held(factor.value.0.checked_mul(of.value.0)?.normalize())?;
            Some(of)
        });
        let (Some((comparator, rest)), Some(product)) = (known, product) else {
            self.measured(factor);
            self.rest.push(body.to_owned());
            return;
        };
        self.measured(&product);
        self.read.reference = Reference::default();
        self.end(rest, comparator);
    }

    /// A target with this comparator, unless more conditions follow.
    fn end(&mut self, rest: &str, comparator: Comparator) {
        let rest = trim_ending(rest);
        if rest.is_empty() {
            self.compare(comparator);
            return;
        }
        self.rest.push(rest.to_owned());
        if !has_digit(rest) && !is_condition(rest) && !relative::is_change(rest) {
            self.compare(comparator);
        }
    }

    /// A text that does not begin with a number: a state in words, unless the text has a number further on.
    fn words(&mut self, body: &str) {
        if has_digit(body) || is_condition(body) {
            self.rest.push(body.to_owned());
        }
    }
}

/// A number at the start of a text, and the rest. A number in kanji needs a word of comparison after it.
fn number(text: &str) -> Option<(Measure, &str)> {
    let measure = measure::leading(text)?;
    let rest = text.get(measure.len..)?;
    let compared = COMPARATORS.iter().any(|(word, _)| rest.starts_with(word));
    (measure.has_digits || compared).then_some((measure, rest))
}

/// The number, if the whole text is one.
fn whole(text: &str) -> Option<Measure> {
    number(text)
        .filter(|(_, rest)| rest.is_empty())
        .map(|(measure, _)| measure)
}

/// The number in brackets that a target starts from: never a multiple (倍).
fn baseline(text: &str) -> Option<Measure> {
    whole(text).filter(|measure| measure.unit.as_deref() != Some("倍"))
}
