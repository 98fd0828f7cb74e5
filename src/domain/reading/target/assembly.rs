//! The end of reading a target: its parts are put together, and a target that was not understood whole is left unread.

use super::{
    Counted, ReadTarget,
    clause::{Clause, is_hard},
    grammar::Found,
    parser::{Field, Parser},
    reference::{Baseline, Label, Refer},
};
use crate::{
    domain::{
        kinds::Direction,
        reading::{
            Parse,
            measure::{Measure, held},
            plain::Plain,
            token::{Kind, Token},
        },
        target::{Comparator, Period, PeriodKind, Reference, ReferenceKind, Target},
    },
    value::{Decimal, FiscalYear, Line},
};

/// The parts of a target.
#[derive(Default)]
struct Parts {
    comparator: Option<Comparator>,
    value: Option<Decimal>,
    upper: Option<Decimal>,
    unit: Option<String>,
    decimals: u32,
    direction: Option<Direction>,
    reference: Reference,
    /// A reference that is only mentioned beside a number to compare with.
    mentioned: Option<Reference>,
}

impl Parts {
    fn measured(&mut self, measure: &Measure) {
        self.value = Some(measure.value);
        self.unit.clone_from(&measure.unit);
        self.decimals = measure.decimals();
    }
}

/// Makes the target of the parts that the grammar found. It is `unread` unless every token was taken for something.
pub(super) fn put_together(
    counted: Counted,
    found: &Found,
    parser: &mut Parser<'_>,
    plain: &Plain<'_>,
    text: Option<Line<500>>,
) -> ReadTarget {
    let baseline = found.baseline.as_ref().map(|(baseline, _)| baseline);
    let (parts, takes_baseline) = parts(counted, found, baseline, parser.year);
    if let Some((_, indexes)) = found.baseline.as_ref().filter(|_| !takes_baseline) {
        parser.leave(indexes);
    }
    let mut period = found.period.unwrap_or_default();
    // What is undecided is so by no day.
    if parts.comparator == Some(Comparator::Undecided) && period.kind != PeriodKind::SingleYear {
        parser.leave_all(Field::Period);
        period = Period::default();
    }
    let left: Vec<&Token<'_>> = parser
        .all
        .iter()
        .copied()
        .filter(|token| parser.field(token).is_none())
        .collect();
    let mut target = Target {
        text: text.clone(),
        comparator: parts.comparator.unwrap_or(Comparator::Unread),
        value: parts.value,
        upper: parts.upper,
        reference: parts.reference.clone(),
        period,
    };
    if parts.reference.kind != ReferenceKind::None && takes_either(target.comparator) {
        target.value = None;
    }
    let is_state = target.comparator == Comparator::Qualitative;
    let is_whole = left.is_empty()
        && parts.comparator.is_some()
        && target.faults().is_empty()
        && !(is_state && period.kind == PeriodKind::Cumulative);
    // A person is offered the comparator of a text that was read in part, unless the rest of the text sets another condition.
    let offered = parts
        .comparator
        .filter(|_| is_whole || !is_state && !left.iter().any(|token| sets_condition(token)));
    let parse = if is_whole {
        Parse::Full
    } else if parser
        .all
        .iter()
        .all(|token| matches!(parser.field(token), None | Some(Field::Filler)))
        && parts.value.is_none()
        && period.kind == PeriodKind::SingleYear
    {
        Parse::Unparsed
    } else {
        Parse::Partial
    };
    if !is_whole {
        target = Target {
            text,
            comparator: Comparator::Unread,
            ..Target::default()
        };
    }
    let (rest, rest_spans) = rest(&left, plain);
    ReadTarget {
        target,
        comparator: offered,
        parse,
        unit: parts.unit,
        decimals: parts.decimals,
        direction: parts
            .direction
            .or_else(|| offered.map(direction))
            .unwrap_or(Direction::Unknown),
        value: parts.value,
        reference: parts.mentioned.unwrap_or(parts.reference),
        period,
        rest,
        rest_spans,
    }
}

/// The parts of a target, and whether the number in brackets is one of them.
fn parts(counted: Counted, found: &Found, baseline: Option<&Baseline>, year: FiscalYear) -> (Parts, bool) {
    let mut parts = Parts::default();
    let (reference, takes_baseline) = referred(found.reference.as_ref(), baseline, year);
    let mut is_relative = true;
    match &found.clause {
        Clause::Undecided => (parts.comparator, is_relative) = (Some(Comparator::Undecided), false),
        Clause::Words => (parts.comparator, is_relative) = (Some(Comparator::Qualitative), false),
        Clause::Bare(measure) => {
            parts.measured(measure);
            is_relative = false;
        }
        Clause::Compare(comparator, measure) => {
            parts.measured(measure);
            parts.comparator = Some(*comparator);
            is_relative = false;
        }
        Clause::FromTo(from, comparator, to) => {
            parts.measured(to);
            (parts.comparator, parts.mentioned) = (Some(*comparator), mentioned(Some(from), year));
            return (parts, false);
        }
        Clause::Between(lower, upper) => {
            parts.measured(lower);
            parts.unit = lower.unit.clone().or_else(|| upper.unit.clone());
            parts.decimals = parts.decimals.max(upper.decimals());
            (parts.comparator, parts.upper) = (Some(Comparator::Between), Some(upper.value));
            is_relative = false;
        }
        Clause::Keep(measure) => {
            parts.measured(measure);
            parts.value = None;
            parts.comparator = Some(Comparator::Maintain);
            parts.reference = Reference {
                kind: ReferenceKind::Constant,
                value: Some(measure.value),
                ..Reference::default()
            };
            is_relative = false;
        }
        Clause::Relative(comparator) | Clause::Change(comparator) => parts.comparator = Some(*comparator),
        Clause::By { up, by, is_clear } => {
            by_change(&mut parts, *up, by, counted, baseline);
            parts.comparator = parts.comparator.filter(|_| *is_clear);
        }
        Clause::Times(comparator, factor) => {
            parts.measured(factor);
            // Of the number in brackets: that of the reference, or one that says of when it is.
            let beside = mentioned(baseline, year).filter(|_| found.reference.is_none());
            let of = Some(reference.clone()).filter(|_| takes_baseline).or(beside);
            let product = baseline
                .filter(|_| of.is_some())
                .and_then(|of| times(factor, &of.measure));
            let Some(product) = product else {
                parts.reference = reference;
                return (parts, takes_baseline);
            };
            parts.measured(&product);
            parts.comparator = Some(*comparator);
            parts.mentioned = of;
            return (parts, true);
        }
        Clause::Unclear => {}
    }
    if !is_relative {
        let beside = mentioned(baseline, year).filter(|_| found.clause.is_comparison());
        let is_one_unit =
            |it: &Baseline| it.measure.unit.is_none() || parts.unit.is_none() || it.measure.unit == parts.unit;
        let takes = beside.is_some() && baseline.is_some_and(is_one_unit);
        parts.mentioned = beside.filter(|_| takes);
        if let Some(baseline) = baseline.filter(|_| takes) {
            parts.unit = parts.unit.or_else(|| baseline.measure.unit.clone());
        }
        return (parts, takes);
    }
    // 前年度より10件増加（50人） speaks of two things.
    let is_of_one_unit = match (&found.clause, parts.unit.as_deref(), baseline) {
        (Clause::By { .. }, Some(unit), Some(of)) => of.measure.unit.as_deref().is_none_or(|of| of == unit),
        _ => true,
    };
    if takes_baseline && !is_of_one_unit {
        return (parts, false);
    }
    parts.reference = reference;
    if let Some(baseline) = baseline.filter(|_| takes_baseline) {
        parts.unit = parts.unit.or_else(|| baseline.measure.unit.clone());
        parts.decimals = parts.decimals.max(baseline.measure.decimals());
    }
    (parts, takes_baseline)
}

/// Reads a change by a number. A change by 5% is a percentage of the reference where the indicator counts something. Where the
/// indicator is a percentage itself, 5% may also mean points, and the target stays unread.
fn by_change(parts: &mut Parts, up: bool, by: &Measure, counted: Counted, baseline: Option<&Baseline>) {
    parts.measured(by);
    parts.direction = Some(if up {
        Direction::HigherIsBetter
    } else {
        Direction::LowerIsBetter
    });
    let unit = by.unit.as_deref();
    let of = baseline.and_then(|it| it.measure.unit.as_deref());
    match unit {
        Some("%") if of.is_none_or(|of| of != "%") && (of.is_some() || counted == Counted::Yes) => {
            parts.comparator = Some(if up {
                Comparator::IncreaseByPercent
            } else {
                Comparator::DecreaseByPercent
            });
            parts.unit = None;
            parts.decimals = 0;
        }
        Some("%") => parts.unit = None,
        Some(_) if by.is_multiple() => parts.unit = None,
        _ => {
            parts.comparator = Some(if up {
                Comparator::IncreaseBy
            } else {
                Comparator::DecreaseBy
            });
            // Differences of percents are in points.
            if unit == Some("ポイント") {
                parts.unit = Some("%".to_owned());
            }
        }
    }
}

/// A multiple of a number.
fn times(factor: &Measure, of: &Measure) -> Option<Measure> {
    let product = factor.value.0.checked_mul(of.value.0)?.normalize();
    let mut measure = of.clone();
    measure.value = held(product)?;
    Some(measure)
}

/// The reference, with its number in brackets, and whether that number is its.
fn referred(refer: Option<&Refer>, baseline: Option<&Baseline>, year: FiscalYear) -> (Reference, bool) {
    let Some(refer) = refer else {
        return (Reference::default(), false);
    };
    let label = baseline.map_or(Label::None, |baseline| baseline.label);
    let labelled = match label {
        Label::Previous(back) => years_before(year, back),
        Label::Year(year) => Some(year),
        Label::None | Label::Present => None,
    };
    let value = baseline.map(|baseline| baseline.measure.value);
    let of_year = |year| Reference {
        kind: ReferenceKind::FiscalYear,
        fiscal_year: Some(year),
        value,
        ..Reference::default()
    };
    let bare = |kind, fiscal_year| Reference {
        kind,
        fiscal_year,
        ..Reference::default()
    };
    match refer {
        Refer::Previous(back) => match years_before(year, *back) {
            Some(of) if value.is_some() && (label == Label::None || labelled == Some(of)) => (of_year(of), true),
            _ if *back == 1 => (bare(ReferenceKind::PreviousYear, None), false),
            of => (bare(ReferenceKind::FiscalYear, of), false),
        },
        Refer::Year(of) => {
            let takes = value.is_some() && (label == Label::None || labelled == Some(*of));
            let reference = if takes {
                of_year(*of)
            } else {
                bare(ReferenceKind::FiscalYear, Some(*of))
            };
            (reference, takes)
        }
        Refer::Present => match (labelled.filter(|of| *of < year), value) {
            (Some(of), Some(_)) => (of_year(of), true),
            (None, Some(_)) if matches!(label, Label::None | Label::Present) => {
                let reference = bare(ReferenceKind::Constant, None);
                (Reference { value, ..reference }, true)
            }
            _ => (Reference::default(), false),
        },
        Refer::External(name) => {
            let takes = value.is_some() && label == Label::None;
            let reference = Reference {
                name: Some(Line(name.clone())),
                ..bare(ReferenceKind::External, None)
            };
            (
                Reference {
                    value: value.filter(|_| takes),
                    ..reference
                },
                takes,
            )
        }
    }
}

/// The number in brackets beside a number to compare with: what the result was before, in a year that is over.
fn mentioned(baseline: Option<&Baseline>, year: FiscalYear) -> Option<Reference> {
    let baseline = baseline?;
    let value = Some(baseline.measure.value);
    let of = match baseline.label {
        Label::Previous(back) => years_before(year, back)?,
        Label::Year(of) if of < year => of,
        Label::Present => {
            return Some(Reference {
                kind: ReferenceKind::Constant,
                value,
                ..Reference::default()
            });
        }
        _ => return None,
    };
    Some(Reference {
        kind: ReferenceKind::FiscalYear,
        fiscal_year: Some(of),
        value,
        ..Reference::default()
    })
}

fn years_before(year: FiscalYear, back: i32) -> Option<FiscalYear> {
    FiscalYear::new(year.get() - back)
}

/// Whether a token that was not understood may be a part of another condition.
fn sets_condition(token: &Token<'_>) -> bool {
    is_hard(token) || matches!(token.kind, Kind::Change(_) | Kind::Vague | Kind::Joined)
}

/// The parts that were not understood, each with its place.
fn rest(left: &[&Token<'_>], plain: &Plain<'_>) -> (Vec<String>, Vec<(usize, usize)>) {
    let runs = left.chunk_by(|one, next| one.index + 1 == next.index);
    runs.filter_map(|run| {
        let at = run.first()?.at.start..run.last()?.at.end;
        Some((plain.text.get(at.clone())?.to_owned(), plain.span(at)))
    })
    .unzip()
}

/// Whether a comparator goes with either a value or a reference.
fn takes_either(comparator: Comparator) -> bool {
    use Comparator::{Eq, Gt, Gte, Lt, Lte};
    matches!(comparator, Gte | Gt | Lte | Lt | Eq)
}

/// Which way is better, where the comparator says so.
#[must_use]
pub fn direction(comparator: Comparator) -> Direction {
    use Comparator::{
        Between, Decrease, DecreaseBy, DecreaseByPercent, Gt, Gte, Increase, IncreaseBy, IncreaseByPercent, Lt, Lte,
    };
    match comparator {
        Gte | Gt | Increase | IncreaseBy | IncreaseByPercent => Direction::HigherIsBetter,
        Lte | Lt | Decrease | DecreaseBy | DecreaseByPercent => Direction::LowerIsBetter,
        Between => Direction::TargetIsBest,
        _ => Direction::Unknown,
    }
}
