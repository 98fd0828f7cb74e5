//! Clauses about things that something is done to: all of them, or a share.
//!
//! ```text
//! all   := (全 measure | measure すべて) (で words を)? ending*       全15地域で策定する, 24区すべてで防災訓練を実施する
//! share := words の measure 以上 が words (done | answer) する?       職員の95%以上が受講, 参加者の8割以上が「満足」と回答
//! ```

use super::{
    clause::Clause,
    parser::{Field, Parser},
};
use crate::domain::{
    reading::token::{Kind, Token},
    target::Comparator,
};

/// Last words of what people say.
const ANSWERS: &[&str] = &["回答", "回答した", "答える", "答えた", "満足", "理解"];

impl Parser<'_> {
    /// All of a number of things.
    pub(super) fn all(&mut self) -> Option<Clause> {
        let is_before = self.eat_kind(Field::Comparator, Kind::All);
        let measure = self.measure(Field::Value)?;
        if !is_before {
            self.eat_kind(Field::Comparator, Kind::All).then_some(())?;
        }
        self.attempt(Self::what_is_done);
        let is_number = measure.unit.is_some() && !measure.is_multiple() && measure.has_digits;
        (is_number && self.only_endings()).then_some(Clause::Compare(Comparator::Gte, measure))
    }

    /// What is done there: で防災訓練を of 24区すべてで防災訓練を実施する.
    fn what_is_done(&mut self) -> Option<()> {
        let is_there = self.eat_word(Field::Filler, &["で"])
            || self.eat_word(Field::Filler, &["に"]) && self.eat_word(Field::Filler, &["おいて"]);
        let words = self.tokens.get(self.at..).filter(|_| is_there)?;
        let len = words.iter().position(|token| token.is("を")).unwrap_or(0);
        let (what, done) = words.split_at_checked(len)?;
        let is_done = len == 0 || done.get(1).is_some_and(|token| token.kind == Kind::Done);
        (is_done && what.iter().all(|token| is_word(token))).then(|| self.take(len, Field::Text))
    }

    /// A share of people or things of whom something is said.
    pub(super) fn share(&mut self) -> Option<Clause> {
        let words = self.tokens.get(self.at..)?;
        let of = words.iter().position(|token| matches!(token.kind, Kind::Number(_)))?;
        let who = words.get(..of)?;
        let is_whose = who.last()?.is("の") && who.iter().all(|token| is_word(token));
        self.take(of, Field::Text);
        let measure = self
            .measure(Field::Value)
            .filter(|it| it.unit.as_deref() == Some("%"))?;
        self.eat_word(Field::Comparator, &["以上"]).then_some(())?;
        self.eat_word(Field::Filler, &["が"]).then_some(())?;
        let words = self.tokens.get(self.at..)?;
        let end = words.iter().rposition(|token| {
            token.kind == Kind::Done
                || token.kind == Kind::Other && ANSWERS.iter().any(|word| token.text.ends_with(word))
        })?;
        let is_said = words.iter().take(end + 1).all(|token| is_word(token));
        self.take(end + 1, Field::Text);
        (is_whose && is_said && self.only_endings()).then_some(Clause::Compare(Comparator::Gte, measure))
    }
}

/// Whether a token says nothing but whom or what something is about.
fn is_word(token: &Token<'_>) -> bool {
    matches!(token.kind, Kind::Other | Kind::Done | Kind::Particle | Kind::Quote(_)) && !token.text.contains("ない")
}
