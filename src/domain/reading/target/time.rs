//! The time over which a target is to be met.
//!
//! ```text
//! when := years の? n年間? 合計 | year (末|時点|までに|中に) | this year
//! ```

use super::parser::{Field, Parser};
use crate::domain::{
    reading::{measure, token::Kind, years},
    target::{Period, PeriodKind},
};

/// Last characters of units in which figures of several years are not added up: points of a scale, times, ages, ranks.
const RATES: &[char] = &['点', '分', '秒', '歳', '位', '級', '倍', '割', '℃'];

impl Parser<'_> {
    /// The time at the beginning: 令和7年度末までに, R3~R5累計で, 令和6年度の.
    pub(in super::super) fn when(&mut self) -> Option<Period> {
        self.attempt(Self::sum_of_years)
            .or_else(|| self.attempt(Self::deadline))
            .or_else(|| self.attempt(Self::this_year))
    }

    fn sum_of_years(&mut self) -> Option<Period> {
        let (from, to, used) = years::range(self.tokens.get(self.at..)?, self.year)?;
        self.take(used, Field::Period);
        // As in R4~R6の3年間合計: it is as many years.
        let mut says_how_many = false;
        if let Some((measure, used)) = measure::of(self.tokens.get(self.at..)?) {
            says_how_many = true;
            let is_years = matches!(measure.unit.as_deref(), Some("年間" | "か年" | "カ年" | "ヶ年" | "年"));
            if !is_years || measure.value.0 != (to.get() - from.get() + 1).into() {
                return None;
            }
            self.take(used, Field::Period);
            self.eat_word(Field::Filler, &["の"]);
        }
        // What is summed up is what is counted: 作成合計.
        self.eat_kind(Field::Filler, Kind::Done);
        let is_sum = self.eat_kind(Field::Period, Kind::Sum) || says_how_many && self.is_count_ahead();
        if !is_sum {
            return None;
        }
        self.after_time();
        Some(Period {
            kind: PeriodKind::Cumulative,
            from: Some(from),
            to: Some(to),
        })
    }

    /// Whether a number of things follows, which comes together over years: 3年間で600件. A share of 3年間で60% does not.
    fn is_count_ahead(&self) -> bool {
        let is_joined = self.ahead(0).is_some_and(|token| token.is("で"));
        let leads = usize::from(self.ahead(1).is_some_and(|token| token.kind == Kind::Lead));
        let measure = self.tokens.get(self.at + 1 + leads..).and_then(measure::of);
        let unit = measure.and_then(|(measure, _)| measure.unit);
        is_joined && unit.is_some_and(|unit| adds_up(&unit))
    }

    /// By the end of a year. A day within a year is no such end, and neither is the end of a calendar year.
    fn deadline(&mut self) -> Option<Period> {
        let year = match self.kind()? {
            Kind::Year(year) if !year.is_calendar => year.year,
            Kind::Date(ends) => ends?,
            _ => return None,
        };
        // 令和7年3月末 says it itself.
        let is_end = self.ahead(0)?.text.ends_with('末');
        self.take(1, Field::Period);
        if !(self.time_words() || is_end) || year < self.year {
            return None;
        }
        self.after_time();
        Some(if year == self.year {
            Period::default()
        } else {
            Period {
                kind: PeriodKind::ByEndOf,
                from: None,
                to: Some(year),
            }
        })
    }

    /// The policy's own year, which every target is for.
    pub(super) fn this_year(&mut self) -> Option<Period> {
        match self.kind()? {
            Kind::Year(year) if !year.is_calendar && year.year == self.year => {}
            Kind::ThisYear => {}
            _ => return None,
        }
        self.take(1, Field::Period);
        let start = self.at;
        self.time_words();
        self.after_time();
        // 令和6年度卒業生 is a part of a name.
        let is_joined = self
            .ahead(0)
            .is_some_and(|next| !next.after_blank && next.kind == Kind::Other);
        if self.at == start && is_joined {
            return None;
        }
        // 令和6年度実績以上 refers to it.
        let refers = matches!(
            self.kind(),
            Some(
                Kind::Than
                    | Kind::Result
                    | Kind::Threshold(_)
                    | Kind::Level
                    | Kind::Upkeep
                    | Kind::Particle
                    | Kind::Change(_)
            )
        );
        (!refers).then(Period::default)
    }

    pub(super) fn time_words(&mut self) -> bool {
        let start = self.at;
        while self.eat(Field::Period, |token| {
            matches!(token.kind, Kind::AsOf | Kind::By | Kind::Within) || token.is("現在")
        }) {}
        self.at > start
    }

    /// What joins a time to what follows.
    pub(super) fn after_time(&mut self) {
        self.eat_word(Field::Filler, &["で", "に", "の", "は"]);
        self.eat_kind(Field::Filler, Kind::Label);
        self.eat(Field::Filler, |token| {
            token.kind == Kind::Colon || token.is("、") || token.is(",")
        });
    }
}

/// Whether numbers of this unit come together over time: things, no shares or points.
pub(super) fn adds_up(unit: &str) -> bool {
    !unit.contains(['%', '‰']) && !unit.ends_with(RATES) && unit != "ポイント"
}
