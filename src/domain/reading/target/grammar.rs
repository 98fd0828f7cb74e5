//! The grammar of targets. A production takes the tokens it understands and marks each with the field it goes into; tokens
//! without a mark are not understood.
//!
//! ```text
//! target := when? label? (several | clause) ending*            with remarks in brackets anywhere
//! when   := years の? n年間? 合計 | year (末|時点|までに|中に) | this year
//! remark := when | label? measure | source                    (R3~R5合計), (令和7年度末まで), (R4:1,020件), (区民アンケート)
//! ```

use super::{
    clause::Clause,
    parser::{Field, Parser},
    reference::{Baseline, Label, Refer},
};
use crate::domain::{
    reading::token::{Kind, Token},
    target::Period,
};

/// Last words of the names of what figures are taken from, and the words behind them.
const SOURCES: &[&str] = &["アンケート", "調査", "統計", "調べ"];
const FROM: &[&str] = &["結果による", "結果より", "の結果", "結果", "による", "より", "で把握"];

/// A target as understood.
#[derive(Debug, Clone, Default)]
pub(super) struct Found {
    pub(super) clause: Clause,
    pub(super) reference: Option<Refer>,
    pub(super) period: Option<Period>,
    /// The number of the reference, in brackets, and its tokens.
    pub(super) baseline: Option<(Baseline, Vec<usize>)>,
}

impl<'t> Parser<'t> {
    /// Reads the whole target.
    pub(super) fn target(&mut self) -> Found {
        let remarks = self.take_remarks_apart();
        let mut found = Found {
            period: self.attempt(Self::when),
            ..Found::default()
        };
        self.label();
        let several = self.attempt(|parser| parser.several(found.period));
        (found.clause, found.reference) = if let Some((clause, reference)) = several {
            found.period = None;
            (clause, reference)
        } else {
            self.clause()
        };
        self.endings();
        for remark in remarks {
            self.remark(&remark, &mut found);
        }
        found
    }

    /// Takes the parts in brackets out of the tokens. What is behind a bracket that nothing closes is not read.
    fn take_remarks_apart(&mut self) -> Vec<Vec<&'t Token<'t>>> {
        let (mut outside, mut remarks) = (Vec::new(), Vec::new());
        let mut inside: Option<Vec<&'t Token<'t>>> = None;
        for token in std::mem::take(&mut self.tokens) {
            match (&mut inside, token.kind) {
                (None, Kind::Open) => inside = Some(vec![token]),
                (None, _) => outside.push(token),
                (Some(remark), _) => {
                    remark.push(token);
                    if token.kind == Kind::Close {
                        remarks.extend(inside.take());
                    }
                }
            }
        }
        self.tokens = outside;
        remarks
    }

    /// Reads a remark, its brackets included: when it is to be met, or what it starts from.
    fn remark(&mut self, tokens: &[&'t Token<'t>], found: &mut Found) {
        let inner = tokens.get(1..tokens.len() - 1).unwrap_or_default().to_vec();
        let outside = (std::mem::replace(&mut self.tokens, inner), std::mem::take(&mut self.at));
        let read = self.attempt(|parser| {
            // Every year is also this one.
            let every_year = |parser: &mut Self| {
                let said = parser.eat_kind(Field::Period, Kind::EveryYear) || parser.eat_word(Field::Period, &["年間"]);
                said.then(Period::default)
            };
            let period = parser.when().or_else(|| every_year(parser));
            (period.is_some() && parser.is_at_end()).then_some(period)
        });
        let is_known = if let Some(period) = read {
            let is_new = found.period.is_none_or(|period| period == Period::default());
            if is_new {
                found.period = period;
            }
            is_new
        } else {
            let baseline = self.attempt(|parser| parser.baseline().filter(|_| parser.is_at_end()));
            let is_new = found.baseline.is_none();
            if let Some(baseline) = baseline.filter(|_| is_new) {
                found.baseline = Some((baseline, tokens.iter().map(|token| token.index).collect()));
            }
            is_new && found.baseline.is_some() || self.attempt(Self::source).is_some()
        };
        let indexes: Vec<usize> = self.tokens.iter().map(|token| token.index).collect();
        (self.tokens, self.at) = outside;
        if is_known {
            for bracket in [tokens.first(), tokens.last()].into_iter().flatten() {
                self.mark(bracket.index, Field::Filler);
            }
        } else {
            self.leave(&indexes);
        }
    }

    /// Where the figure is from: 区民アンケートによる. This changes nothing of how it is compared.
    fn source(&mut self) -> Option<()> {
        let is_plain = |token: &&Token<'_>| {
            matches!(
                token.kind,
                Kind::Other | Kind::Done | Kind::Particle | Kind::Result | Kind::Than
            ) && ["ない", "次", "前"].iter().all(|word| !token.text.contains(word))
        };
        let text: String = self.tokens.iter().map(|token| token.text).collect();
        let words = FROM.iter().find_map(|word| text.strip_suffix(word)).unwrap_or(&text);
        let is_source = self.tokens.iter().all(is_plain) && SOURCES.iter().any(|word| words.ends_with(word));
        is_source.then(|| self.take(self.tokens.len(), Field::Filler))
    }

    /// What a target starts from: R4実績:1,020件, 前年度57%, 現状値57%, or the number alone.
    pub(super) fn baseline(&mut self) -> Option<Baseline> {
        let label = match self.kind() {
            Some(Kind::Year(year)) if !year.is_calendar => Label::Year(year.year),
            Some(Kind::Previous(back)) => Label::Previous(back),
            Some(Kind::Present) => Label::Present,
            _ => Label::None,
        };
        if label != Label::None {
            self.take(1, Field::Reference);
        }
        while self.eat(Field::Reference, |token| {
            matches!(token.kind, Kind::Result | Kind::AsOf) || token.is("の")
        }) {}
        while self.eat(Field::Filler, |token| token.kind == Kind::Colon || token.is("は")) {}
        let measure = self.measure(Field::Reference)?;
        // Never a multiple.
        let is_number = measure.has_digits && !measure.is_multiple();
        is_number.then_some(Baseline { label, measure })
    }

    /// That it is a target: 目標:80%以上.
    fn label(&mut self) {
        if self.eat_kind(Field::Filler, Kind::Label) {
            self.eat(Field::Filler, |token| {
                token.kind == Kind::Colon || token.is("は") || token.is("を")
            });
        }
    }

    /// Targets of several years: R6:40%以上 R7:45%以上. The one of the policy's year is understood, the others are not read.
    fn several(&mut self, first: Option<Period>) -> Option<(Clause, Option<Refer>)> {
        let mut targets = Vec::new();
        let mut of = first.filter(|first| *first == Period::default()).map(|_| self.year);
        let start = self.at;
        loop {
            if targets.is_empty() && of.is_some() {
                // The time before the first one was read already.
            } else {
                let Some(Kind::Year(year)) = self.kind() else { break };
                of = Some(year.year);
                self.take(1, Field::Period);
                self.time_words();
                self.after_time();
            }
            let from = self.at;
            let (clause, reference) = self.clause();
            if !clause.is_comparison() {
                break;
            }
            let indexes: Vec<usize> = self
                .tokens
                .iter()
                .take(self.at)
                .skip(from)
                .map(|token| token.index)
                .collect();
            targets.push((of, clause, reference, indexes));
            self.eat_kind(Field::Filler, Kind::Separator);
        }
        if targets.len() < 2 {
            return None;
        }
        let end = self.at;
        let own = targets.iter().position(|(of, ..)| *of == Some(self.year));
        let taken: Vec<usize> = self
            .tokens
            .iter()
            .take(end)
            .skip(start)
            .map(|token| token.index)
            .collect();
        self.leave(&taken);
        let (_, clause, reference, indexes) = own.and_then(|own| targets.into_iter().nth(own))?;
        for index in indexes {
            self.mark(index, Field::Value);
        }
        Some((clause, reference))
    }

    /// The end of the sentence: that it is to be reached, kept up, or done.
    pub(super) fn endings(&mut self) {
        let one = |parser: &mut Self| {
            if parser.eat_word(Field::Filler, &["を", "の", "と", "に", "が", "で", "へ"]) {
                // As in 全24区での実施.
                parser.eat_word(Field::Filler, &["の"]);
            }
            parser
                .eat(Field::Filler, |token| {
                    matches!(token.kind, Kind::Ending | Kind::Done | Kind::Upkeep | Kind::Label) || token.is("水準")
                })
                .then_some(())
        };
        while self.attempt(one).is_some() {}
        // As in 80%以上に.
        if self.at + 1 >= self.tokens.len() {
            self.eat_word(Field::Filler, &["に", "へ", "を"]);
        }
        self.eat_kind(Field::Filler, Kind::Stop);
    }
}
