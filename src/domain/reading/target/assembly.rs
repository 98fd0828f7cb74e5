//! The end of reading a target: its parts are put together, and a target that was not understood whole is left unread.

use super::{ReadTarget, TargetReader};
use crate::domain::{
    kinds::Direction,
    reading::{Parse, measure::Measure},
    target::{Comparator, PeriodKind, Reference, ReferenceKind, Target},
};

impl TargetReader {
    /// The target of a text that was understood as far as this says.
    pub(super) fn finished(mut self, parse: Parse) -> ReadTarget {
        let comparator = self.read.target.comparator;
        self.read.comparator = (comparator != Comparator::Qualitative || parse == Parse::Full).then_some(comparator);
        if parse != Parse::Full {
            self.read.target = Target {
                text: self.read.target.text,
                comparator: Comparator::Unread,
                ..Target::default()
            };
        }
        self.read.parse = parse;
        self.read.rest = self.rest;
        self.read
    }

    /// Puts together what was understood.
    pub(super) fn finish(mut self) -> ReadTarget {
        let comparator = self.read.target.comparator;
        if let Some(baseline) = self.baseline.take() {
            self.baseline_of(&baseline);
        }
        let understood = self.read.value.is_some()
            || self.read.reference.kind != ReferenceKind::None
            || self.read.period.kind != PeriodKind::SingleYear
            || self.read.direction != Direction::Unknown;
        self.rest.retain(|part| !part.is_empty());
        let bare = comparator == Comparator::Qualitative && understood;
        if !matches!(comparator, Comparator::Qualitative | Comparator::Undecided) {
            let mut target = Target {
                value: self.read.value,
                reference: self.read.reference.clone(),
                period: self.read.period,
                ..self.read.target.clone()
            };
            if target.comparator != Comparator::Between {
                target.upper = None;
            }
            if target.reference.kind != ReferenceKind::None && takes_either(comparator) {
                target.value = None;
            }
            if target.faults().is_empty() {
                self.read.target = target;
                self.read.direction = match self.read.direction {
                    Direction::Unknown => direction(comparator),
                    known => known,
                };
            } else {
                self.compare(Comparator::Qualitative);
                let text = self.read.target.text.as_ref().map(|text| text.0.clone());
                self.rest.extend(text);
            }
        }
        let parse = match (self.rest.is_empty(), bare) {
            (true, false) => Parse::Full,
            (false, false) if self.read.target.comparator == Comparator::Qualitative && !understood => Parse::Unparsed,
            _ => Parse::Partial,
        };
        if self.read.target.comparator != Comparator::Between {
            self.read.target.upper = None;
        }
        self.finished(parse)
    }

    /// Takes the printed number of the reference: "the year before" becomes a certain fiscal year with this result.
    fn baseline_of(&mut self, baseline: &Measure) {
        let kind = self.read.reference.kind;
        let year = match kind {
            ReferenceKind::PreviousYear => self.year.previous(),
            _ => self.read.reference.fiscal_year,
        };
        let relative = !matches!(
            self.read.target.comparator,
            Comparator::Qualitative | Comparator::Undecided
        ) && (self.read.value.is_none() || !takes_either(self.read.target.comparator));
        match (kind, year) {
            (ReferenceKind::PreviousYear | ReferenceKind::FiscalYear, Some(year)) if relative => {
                self.read.reference = Reference {
                    kind: ReferenceKind::FiscalYear,
                    fiscal_year: Some(year),
                    value: Some(baseline.value),
                    ..Reference::default()
                };
            }
            // Beside a number to compare with, the reference is only mentioned.
            _ if !relative => self.read.reference = Reference::default(),
            _ => {}
        }
        // A text without a reference and without a number of its own has no baseline.
        if self.read.value.is_none() && kind == ReferenceKind::None {
            self.rest.push(format!("({})", baseline.printed()));
            return;
        }
        if self.read.unit.is_none() {
            self.read.unit.clone_from(&baseline.unit);
        }
        self.read.decimals = self.read.decimals.max(baseline.decimals());
    }
}

/// Whether a comparator goes with either a value or a reference.
fn takes_either(comparator: Comparator) -> bool {
    use Comparator::{Eq, Gt, Gte, Lt, Lte};
    matches!(comparator, Gte | Gt | Lte | Lt | Eq)
}

/// Which way is better, where the comparator says so.
fn direction(comparator: Comparator) -> Direction {
    use Comparator::{Between, Decrease, DecreaseBy, Gt, Gte, Increase, IncreaseBy, Lt, Lte};
    match comparator {
        Gte | Gt | Increase | IncreaseBy => Direction::HigherIsBetter,
        Lte | Lt | Decrease | DecreaseBy => Direction::LowerIsBetter,
        Between => Direction::TargetIsBest,
        _ => Direction::Unknown,
    }
}
