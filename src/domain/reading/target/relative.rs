//! Clauses that compare with a reference: 前年度実績を上回る, 令和3年度末より4ポイント増加, 毎年3ポイント減少.
//!
//! ```text
//! relative := reference より? (threshold | level | 維持 | change | by)
//! by       := sign? measure 以上? (change | threshold)
//! ```

use super::{
    clause::{Clause, change_of},
    parser::{Field, Parser},
    reference::Refer,
};
use crate::domain::{
    reading::token::{Change, Kind},
    target::Comparator,
};

impl Parser<'_> {
    /// What is compared with a reference.
    pub(super) fn relative(&mut self) -> Option<(Clause, Refer)> {
        let every_year = self.eat_kind(Field::Reference, Kind::EveryYear);
        if every_year {
            self.eat_word(Field::Filler, &["、", ","]);
            let clause = self.attempt(Self::by).or_else(|| self.attempt(Self::changed))?;
            return Some((clause, Refer::Previous(1)));
        }
        // 対前年度 is 前年度比.
        let is_against = self.ahead(0).is_some_and(|token| token.text.starts_with('対'));
        let refer = self.reference()?;
        // As in 前年度の1割減.
        let is_of = self
            .at
            .checked_sub(1)
            .and_then(|at| self.tokens.get(at))
            .is_some_and(|last| last.is("の"));
        let than = self.eat_kind(Field::Filler, Kind::Than) || is_against;
        if than {
            self.eat_word(Field::Filler, &["の", "で", "、", ","]);
        }
        let clause = self
            .attempt(|parser| parser.threshold().map(Clause::Relative))
            .or_else(|| self.attempt(Self::kept_or_changed).map(Clause::Relative))
            .or_else(|| self.attempt(Self::level))
            .or_else(|| self.attempt(|parser| than.then(|| parser.changed())?))
            .or_else(|| self.attempt(|parser| parser.by_of(than || is_of)));
        match clause {
            Some(clause) => Some((clause, refer)),
            None if refer == Refer::Present => None,
            None => Some((Clause::Unclear, refer)),
        }
    }

    /// At the level of the reference: 前年度と同程度, 前年度水準以上, 前年度を維持.
    fn level(&mut self) -> Option<Clause> {
        self.eat_word(Field::Filler, &["と", "を", "の"]);
        let mut is_level = false;
        while self.eat_kind(Field::Comparator, Kind::Level) {
            is_level = true;
            self.eat_word(Field::Filler, &["の"]);
        }
        if is_level && let Some(comparator) = self.attempt(Self::threshold) {
            return Some(Clause::Relative(comparator));
        }
        if !is_level {
            self.eat_kind(Field::Comparator, Kind::Upkeep).then_some(())?;
        }
        Some(Clause::Relative(Comparator::Maintain))
    }

    /// A change from the reference, or none: 増加, 増加させない.
    fn changed(&mut self) -> Option<Clause> {
        let Kind::Change(change) = self.kind()? else {
            return None;
        };
        self.take(1, Field::Comparator);
        Some(Clause::Relative(change_of(change)))
    }

    fn by(&mut self) -> Option<Clause> {
        self.by_of(true)
    }

    /// A change by a number: 4ポイント増加, ▲10件, を5ポイント上回る. It needs a word that compares (より) or a sign.
    fn by_of(&mut self, than: bool) -> Option<Clause> {
        let joined = !than && self.eat_word(Field::Filler, &["を"]);
        let is_mark = matches!(self.kind()?, Kind::Sign(_));
        let sign = match self.kind()? {
            Kind::Sign(is_negative) => Some(!is_negative),
            Kind::Dash if self.ahead(0)?.is("-") => Some(false),
            _ => None,
        };
        if sign.is_some() {
            self.take(1, Field::Comparator);
            if self.ahead(0)?.after_blank {
                return None;
            }
        }
        let by = self.measure(Field::Value)?;
        if let Some(comparator) = self.attempt(|parser| parser.threshold().filter(|_| by.is_multiple())) {
            return Some(Clause::Times(comparator, by));
        }
        self.eat_kind(Field::Filler, Kind::Each);
        let at_least = self.eat_word(Field::Comparator, &["以上"]);
        self.eat(Field::Filler, |token| token.kind == Kind::Each || token.is("の"));
        let said = match self.kind() {
            Some(Kind::Change(Change { up, negated: false, .. })) if than => Some(up),
            // を5ポイント上回る
            Some(Kind::Threshold(comparator @ (Comparator::Gt | Comparator::Lt))) if than || joined => {
                Some(comparator == Comparator::Gt)
            }
            _ => None,
        };
        let up = match (said, sign) {
            (Some(said), Some(sign)) if said != sign => return None,
            (Some(said), _) => {
                self.take(1, Field::Comparator);
                said
            }
            (None, Some(sign)) if than || is_mark => sign,
            _ => return None,
        };
        // ▲10件以上 may be a change of that much, or any smaller one.
        let is_clear = said.is_some() || !at_least || sign == Some(true);
        by.has_digits.then_some(Clause::By { up, by, is_clear })
    }
}
