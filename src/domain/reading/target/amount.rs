//! The words around a number: those before it, and the time per which it is counted.
//!
//! ```text
//! lead := 延べ | 年間 | 計で? | 毎年 | 毎月 …          毎月 and the like make the unit one per month
//! per  := / (年 | 月 | 週 | 日 | 四半期)             a number per year is that of the fiscal year
//! ```

use super::{
    clause::Clause,
    parser::{Field, Parser},
    time::adds_up,
};
use crate::domain::reading::{lexer::extent::MOST_UNIT, token::Kind};

/// Times behind a number.
const TIMES: [&str; 4] = ["月", "週", "日", "四半期"];
/// The most characters of a unit that is given a time: with the time it is still a unit.
const MOST_COUNTED: usize = MOST_UNIT - 4;

impl Parser<'_> {
    /// Words before a number. Those that add nothing are taken; those that make it another number are left, and what follows is
    /// read none the less: a person may confirm it. The time per which the number is counted is told with its token.
    pub(super) fn leads(&mut self) -> Option<(&'static str, usize)> {
        let mut per = None;
        while let Some(kind) = self.kind() {
            match kind {
                Kind::Lead => self.take(1, Field::Filler),
                Kind::Sum if self.eat_word(Field::Filler, &["計", "合計"]) => {
                    self.eat_word(Field::Filler, &["で"]);
                }
                // The policy's own year is one of them.
                Kind::EveryYear
                    if self.ahead(1).is_some_and(|next| matches!(next.kind, Kind::Number(_))) && !self.is_change() =>
                {
                    self.take(1, Field::Period);
                }
                Kind::PerTime(time) if per.is_none() => {
                    per = self.ahead(0).map(|token| (time, token.index));
                    self.at += 1;
                }
                Kind::About | Kind::Per | Kind::Sum | Kind::Average => self.at += 1,
                _ => break,
            }
        }
        per
    }

    /// Whether the tokens ahead say by how much something changes.
    fn is_change(&self) -> bool {
        self.tokens
            .iter()
            .skip(self.at)
            .any(|token| matches!(token.kind, Kind::Change(_)))
    }

    /// The clause with the time per which its number is counted in its unit: 月3回以上 is at least 3回/月.
    pub(super) fn per_time(&mut self, before: Option<(&'static str, usize)>, mut clause: Clause) -> Clause {
        let (lower, upper) = match &mut clause {
            Clause::Compare(_, measure) | Clause::Keep(measure) | Clause::Bare(measure) => (measure, None),
            Clause::Between(lower, upper) => (lower, upper.unit.clone()),
            _ => return clause,
        };
        let may_be_per = |unit: &String| adds_up(unit) && !unit.contains('/') && unit.chars().count() <= MOST_COUNTED;
        let Some(unit) = lower.unit.clone().or(upper).filter(may_be_per) else {
            return clause;
        };
        let per = match before {
            Some((time, token)) => {
                self.mark(token, Field::Value);
                Some(time)
            }
            None => self.attempt(Self::per),
        };
        if let Some(per) = per {
            lower.unit = Some(format!("{unit}/{per}"));
        } else {
            self.attempt(Self::per_year);
        }
        clause
    }

    /// The time per which the number before it is counted.
    fn per(&mut self) -> Option<&'static str> {
        self.eat_kind(Field::Value, Kind::Slash).then_some(())?;
        TIMES.into_iter().find(|time| self.eat_word(Field::Value, &[time]))
    }

    /// Per year: it is the policy's own.
    fn per_year(&mut self) -> Option<()> {
        let is_per = self.eat_kind(Field::Filler, Kind::Slash) && self.eat_word(Field::Filler, &["年", "年間", "年度"]);
        is_per.then_some(())
    }
}
