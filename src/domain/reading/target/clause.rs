//! The clause of a target, which says how a result is compared: with a number (80%以上), or with a reference (前年度より増加).
//!
//! ```text
//! clause   := 未定 | arrow | all | absolute | share | none | relative | change | words
//! absolute := lead* bound? measure (range | threshold | 維持 | に change | より change) per?
//! range    := ~ measure 以下? | 以上 measure 以下
//! arrow    := baseline → this year? measure threshold? | baseline から measure threshold に change
//! none     := words (ゼロ | なし)
//! ```

use std::cmp::Ordering;

use super::{
    parser::{Field, Parser},
    reference::{Baseline, Label, Refer},
};
use crate::{
    domain::{
        reading::{
            measure::Measure,
            token::{Change, Kind, Token},
            vocabulary::COUNTED,
        },
        target::Comparator,
    },
    value::Decimal,
};

/// What a target says.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) enum Clause {
    /// There is no target yet.
    Undecided,
    /// A state in words.
    #[default]
    Words,
    /// A number without a comparison.
    Bare(Measure),
    /// A comparison with a number.
    Compare(Comparator, Measure),
    /// A comparison with a number that a former one is to become.
    FromTo(Baseline, Comparator, Measure),
    /// From one number to another.
    Between(Measure, Measure),
    /// A level that is kept.
    Keep(Measure),
    /// A comparison with the reference.
    Relative(Comparator),
    /// A change of the reference by a number.
    By { up: bool, by: Measure, is_clear: bool },
    /// A comparison with a multiple of the reference.
    Times(Comparator, Measure),
    /// A change of nothing in particular.
    Change(Comparator),
    /// Something that no rule compares.
    Unclear,
}

impl Clause {
    /// Whether this says what a result is compared with.
    pub(super) fn is_comparison(&self) -> bool {
        matches!(
            self,
            Self::Compare(..)
                | Self::FromTo(..)
                | Self::Between(..)
                | Self::Keep(_)
                | Self::Relative(_)
                | Self::By { .. }
                | Self::Times(..)
        )
    }
}

impl Parser<'_> {
    /// The clause, and what it refers to. Where none is found, nothing is taken.
    pub(super) fn clause(&mut self) -> (Clause, Option<Refer>) {
        if self.all.is_empty() {
            return (Clause::Undecided, None);
        }
        let alone = self
            .attempt(Self::undecided)
            .or_else(|| self.attempt(Self::arrow))
            .or_else(|| self.attempt(Self::all))
            .or_else(|| self.attempt(Self::absolute))
            .or_else(|| self.attempt(Self::share))
            .or_else(|| self.attempt(Self::none));
        if let Some(clause) = alone {
            return (clause, None);
        }
        if let Some((clause, refer)) = self.attempt(Self::relative) {
            return (clause, Some(refer));
        }
        let clause = self.attempt(Self::change).or_else(|| self.attempt(Self::words));
        (clause.unwrap_or(Clause::Unclear), None)
    }

    /// A dash alone, or a word for there being no target yet.
    fn undecided(&mut self) -> Option<Clause> {
        let is_dash = self.tokens.len() == 1 && (self.kind() == Some(Kind::Dash) || self.ahead(0)?.is("ー"));
        let is_undecided = is_dash || self.kind() == Some(Kind::Undecided);
        is_undecided.then(|| self.take(1, Field::Comparator))?;
        Some(Clause::Undecided)
    }

    /// From one number to another: 1,577人→0人, R5:42台→R6:30台以下, 12%から15%以上に増やす.
    fn arrow(&mut self) -> Option<Clause> {
        let from = self.baseline()?;
        let is_arrow = self.eat_kind(Field::Comparator, Kind::Arrow);
        (is_arrow || self.eat_word(Field::Comparator, &["から"])).then_some(())?;
        self.attempt(Self::this_year);
        let before = &from.measure;
        let mut after = self.measure(Field::Value)?;
        let is_over = !matches!(from.label, Label::Year(of) if of >= self.year);
        if !is_over || after.is_multiple() || !after.has_digits || !is_one_unit(before, &after) {
            return None;
        }
        let (up, comparator) = match after.value.cmp(&before.value) {
            Ordering::Less => (false, Comparator::Lte),
            Ordering::Greater => (true, Comparator::Gte),
            Ordering::Equal => return None,
        };
        after.unit = after.unit.or_else(|| before.unit.clone());
        let said = self.attempt(|parser| parser.threshold().filter(|it| upward(*it) == up));
        // 10件から20件以上 may be a range: から needs the change that leads there.
        let last = self.at.checked_sub(1).and_then(|at| self.tokens.get(at))?;
        if !is_arrow && (said.is_none() || !matches!(last.kind, Kind::Change(_))) {
            return None;
        }
        let comparator = said.unwrap_or(comparator);
        Some(Clause::FromTo(from, comparator, after))
    }

    /// A number with its comparison.
    fn absolute(&mut self) -> Option<Clause> {
        let per = self.leads();
        let clause = self.compared()?;
        Some(self.per_time(per, clause))
    }

    fn compared(&mut self) -> Option<Clause> {
        let bound = match self.kind() {
            Some(Kind::Bound(comparator)) => {
                self.take(1, Field::Comparator);
                Some(comparator)
            }
            _ => None,
        };
        let measure = self.measure(Field::Value)?;
        if let Some(upper) = self.attempt(|parser| parser.upper(&measure)) {
            return Some(Clause::Between(measure, upper));
        }
        let compared = self
            .attempt(Self::threshold)
            .or_else(|| self.attempt(Self::kept_or_changed))
            .or_else(|| self.attempt(Self::changed_to))
            .or_else(|| self.attempt(Self::more_than));
        let compared = match (compared, bound) {
            (Some(said), Some(bound)) if said != bound => return None,
            (Some(said), _) => Some(said),
            (None, bound) => bound,
        };
        // A higher rank is a lower number: 3位以上 may mean rank 3 or better, or the numbers from 3 on. Only 3位以内 is clear.
        let is_rank = measure
            .unit
            .as_deref()
            .is_some_and(|unit| unit.ends_with(['位', '級', '等']));
        if is_rank && !self.said_within() {
            return None;
        }
        if let Some(comparator) = compared {
            return Some(if measure.is_multiple() {
                Clause::Times(comparator, measure)
            } else {
                Clause::Compare(comparator, measure)
            });
        }
        if !measure.has_digits {
            return None;
        }
        let is_kept = self.attempt(|parser| {
            parser.eat_word(Field::Filler, &["を", "の"]);
            parser.eat_kind(Field::Comparator, Kind::Upkeep).then_some(())
        });
        Some(match is_kept {
            // No count is negative: at most 0 is exactly 0.
            _ if measure.value == Decimal::ZERO && !measure.is_multiple() && self.only_endings() => {
                Clause::Compare(Comparator::Lte, measure)
            }
            Some(()) if !measure.is_multiple() => Clause::Keep(measure),
            _ => Clause::Bare(measure),
        })
    }

    /// Whether the last word that was taken is 以内.
    fn said_within(&self) -> bool {
        let last = self.at.checked_sub(1).and_then(|at| self.tokens.get(at));
        last.is_some_and(|token| token.is("以内"))
    }

    /// The upper end of a range. A half-open one has no comparator, and is left.
    fn upper(&mut self, lower: &Measure) -> Option<Measure> {
        let closed = self.eat_word(Field::Comparator, &["以上"]);
        if closed {
            self.eat_word(Field::Filler, &["、", ","]);
        }
        let joined = self.eat(Field::Comparator, |token| token.kind == Kind::Tilde || token.is("-"));
        let upper = self.measure(Field::Value)?;
        let said = self.eat_word(Field::Comparator, &["以下", "以内"]);
        let is_range = if closed { said } else { joined };
        let fits =
            is_one_unit(lower, &upper) && lower.value <= upper.value && !lower.is_multiple() && !upper.is_multiple();
        let ends = !matches!(
            self.kind(),
            Some(Kind::Threshold(_) | Kind::Unit | Kind::Number(_) | Kind::Odd)
        );
        (is_range && fits && ends && lower.has_digits && upper.has_digits).then_some(upper)
    }

    /// 以上, を超えない; and a change in the same direction that leads there: 以上に増やす.
    pub(super) fn threshold(&mut self) -> Option<Comparator> {
        self.eat_word(Field::Filler, &["を", "より", "よりも"]);
        let Kind::Threshold(comparator) = self.kind()? else {
            return None;
        };
        let is_noun = self.ahead(0).is_some_and(|token| !token.text.ends_with(['る', 'い']));
        self.take(1, Field::Comparator);
        self.attempt(|parser| {
            is_noun.then_some(())?;
            if let Some(kept) = parser.attempt(Self::kept_or_changed) {
                return (upward(kept) == upward(comparator)).then_some(());
            }
            parser
                .eat_word(Field::Filler, &["に", "へ", "まで", "と"])
                .then_some(())?;
            parser
                .verb_of_change()
                .filter(|up| *up == upward(comparator))
                .map(|_| ())
        });
        Some(comparator)
    }

    /// A level that is kept or bettered: を維持・向上 is at least that.
    pub(super) fn kept_or_changed(&mut self) -> Option<Comparator> {
        self.eat_word(Field::Filler, &["を", "の"]);
        self.eat_kind(Field::Comparator, Kind::Upkeep).then_some(())?;
        self.eat_word(Field::Comparator, &["・", "又は", "または", "もしくは"])
            .then_some(())?;
        let up = self.verb_of_change()?;
        Some(if up { Comparator::Gte } else { Comparator::Lte })
    }

    /// A number that something is changed to: 20分に短縮 is at most 20.
    fn changed_to(&mut self) -> Option<Comparator> {
        self.eat_word(Field::Comparator, &["に", "へ", "まで"]).then_some(())?;
        let up = self.verb_of_change()?;
        Some(if up { Comparator::Gte } else { Comparator::Lte })
    }

    /// A number that something is more than: 100件より多い.
    fn more_than(&mut self) -> Option<Comparator> {
        self.eat_word(Field::Comparator, &["より", "よりも"]).then_some(())?;
        let up = self.verb_of_change()?;
        Some(if up { Comparator::Gt } else { Comparator::Lt })
    }

    /// A change that is to be, and whether it is upward.
    fn verb_of_change(&mut self) -> Option<bool> {
        match self.kind()? {
            Kind::Change(Change { up, negated: false, .. }) => {
                self.take(1, Field::Comparator);
                Some(up)
            }
            _ => None,
        }
    }

    /// Whether nothing but the end of the sentence follows.
    pub(super) fn only_endings(&mut self) -> bool {
        self.attempt(|parser| {
            parser.endings();
            parser.is_at_end().then_some(())
        })
        .is_some()
    }

    /// Nothing at all of what the words say: 死者ゼロ, 事故なし.
    fn none(&mut self) -> Option<Clause> {
        let behind = self.tokens.get(self.at..)?;
        let at = behind
            .iter()
            .position(|token| matches!(token.kind, Kind::Zero | Kind::Absent))?;
        let (what, none) = behind.split_at_checked(at)?;
        let is_plain = |token: &&Token<'_>| {
            matches!(token.kind, Kind::Other | Kind::Done | Kind::Particle) && !token.text.contains("ない")
        };
        let is_counted = what
            .last()
            .is_some_and(|last| COUNTED.iter().any(|word| last.text.ends_with(word)));
        let holds = none.first()?.kind == Kind::Zero || is_counted;
        if !holds || !what.iter().all(is_plain) {
            return None;
        }
        self.take(at, Field::Text);
        self.take(1, Field::Value);
        let zero = Measure::zero();
        self.only_endings().then_some(Clause::Compare(Comparator::Lte, zero))
    }

    /// A change of nothing in particular, at the end of the words: 参加者を増やす.
    fn change(&mut self) -> Option<Clause> {
        let behind = self.tokens.get(self.at..)?;
        let at = behind
            .iter()
            .rposition(|token| matches!(token.kind, Kind::Change(_) | Kind::Vague))?;
        let kind = behind.get(at)?.kind;
        if behind.iter().take(at).any(|token| is_hard(token)) {
            return None;
        }
        self.at += at;
        let clause = if let Kind::Change(change) = kind {
            self.take(1, Field::Comparator);
            Clause::Change(change_of(change))
        } else {
            self.at += 1;
            Clause::Unclear
        };
        self.only_endings().then_some(clause)
    }

    /// A state in words: they hold no number, and nothing to compare with.
    fn words(&mut self) -> Option<Clause> {
        let rest = self.tokens.get(self.at..)?;
        if rest.is_empty() || rest.iter().any(|token| is_hard(token)) {
            return None;
        }
        // The present state is kept, but it is not said which it is.
        let is = |token: &&Token<'_>, kind| token.kind == kind;
        if rest.iter().any(|token| is(token, Kind::Present)) && rest.iter().any(|token| is(token, Kind::Upkeep)) {
            return None;
        }
        self.take(rest.len(), Field::Text);
        Some(Clause::Words)
    }
}

/// Whether a token is a part of a comparison: words with one are no state in words.
pub(super) fn is_hard(token: &Token<'_>) -> bool {
    match token.kind {
        Kind::Number(numeral) => numeral.has_digits,
        Kind::Threshold(_)
        | Kind::Bound(_)
        | Kind::Year(_)
        | Kind::Date(_)
        | Kind::Previous(_)
        | Kind::NextYear
        | Kind::External
        | Kind::Zero
        | Kind::Absent
        | Kind::Undecided
        | Kind::Odd
        | Kind::Sign(_)
        | Kind::Arrow => true,
        _ => false,
    }
}

/// The comparator of a change, or of one that is not to be.
pub(super) fn change_of(change: Change) -> Comparator {
    match (change.up, change.negated) {
        (true, false) => Comparator::Increase,
        (false, false) => Comparator::Decrease,
        (true, true) => Comparator::Lte,
        (false, true) => Comparator::Gte,
    }
}

fn upward(comparator: Comparator) -> bool {
    matches!(comparator, Comparator::Gte | Comparator::Gt)
}

/// Whether two numbers, one after the other, have one unit, and it is clear what the first one is.
fn is_one_unit(first: &Measure, second: &Measure) -> bool {
    let fits = first.unit.is_none() || second.unit.is_none() || first.unit == second.unit;
    fits && !second.may_multiply(first)
}
