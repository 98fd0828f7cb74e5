//! A place among the tokens of a target, and the fields that tokens were taken for. The productions are methods of it, by subjects.

use crate::{
    domain::reading::{
        measure::{self, Measure},
        token::{Kind, Token},
    },
    value::FiscalYear,
};

/// What a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Field {
    /// A number of the target, and its unit.
    Value,
    /// How it is compared.
    Comparator,
    /// What it is compared with.
    Reference,
    /// Over which time.
    Period,
    /// The text itself: words that make no number, or say what there is none of.
    Text,
    /// Words that mean nothing in their place.
    Filler,
}

/// A place among tokens, and what the tokens were taken for.
pub(super) struct Parser<'t> {
    /// All tokens of the target.
    pub(super) all: Vec<&'t Token<'t>>,
    /// The tokens to be read, without those in brackets.
    pub(super) tokens: Vec<&'t Token<'t>>,
    pub(super) at: usize,
    marks: Vec<Option<Field>>,
    pub(super) year: FiscalYear,
}

impl<'t> Parser<'t> {
    pub(super) fn new(tokens: &[&'t Token<'t>], year: FiscalYear) -> Self {
        let most = tokens.last().map_or(0, |last| last.index + 1);
        Self {
            all: tokens.to_vec(),
            tokens: tokens.to_vec(),
            at: 0,
            marks: vec![None; most],
            year,
        }
    }

    /// The token that is next, or one after it.
    pub(super) fn ahead(&self, by: usize) -> Option<&'t Token<'t>> {
        self.tokens.get(self.at + by).copied()
    }

    /// The kind of the next token.
    pub(super) fn kind(&self) -> Option<Kind> {
        self.ahead(0).map(|token| token.kind)
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.at >= self.tokens.len()
    }

    /// Takes this many tokens for a field.
    pub(super) fn take(&mut self, count: usize, field: Field) {
        for token in self.tokens.iter().skip(self.at).take(count) {
            if let Some(mark) = self.marks.get_mut(token.index) {
                *mark = Some(field);
            }
        }
        self.at += count;
    }

    /// Takes the next token for a field, if it is such a one.
    pub(super) fn eat(&mut self, field: Field, is: impl Fn(&Token<'_>) -> bool) -> bool {
        let found = self.ahead(0).is_some_and(is);
        if found {
            self.take(1, field);
        }
        found
    }

    /// Takes the next token for a field, if it is of this kind.
    pub(super) fn eat_kind(&mut self, field: Field, kind: Kind) -> bool {
        self.eat(field, |token| token.kind == kind)
    }

    /// Takes the next token for a field, if it is one of these words.
    pub(super) fn eat_word(&mut self, field: Field, words: &[&str]) -> bool {
        self.eat(field, |token| words.contains(&token.text))
    }

    /// Tries a production: where it finds nothing, nothing is taken.
    pub(super) fn attempt<T>(&mut self, production: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let start = self.at;
        let found = production(self);
        if found.is_none() {
            let taken = self
                .tokens
                .iter()
                .skip(start)
                .map(|token| token.index)
                .collect::<Vec<_>>();
            self.leave(&taken);
            self.at = start;
        }
        found
    }

    /// Takes back what tokens were taken for.
    pub(super) fn leave(&mut self, indexes: &[usize]) {
        for index in indexes {
            if let Some(mark) = self.marks.get_mut(*index) {
                *mark = None;
            }
        }
    }

    /// Takes back all tokens that were taken for this.
    pub(super) fn leave_all(&mut self, field: Field) {
        for mark in self.marks.iter_mut().filter(|mark| **mark == Some(field)) {
            *mark = None;
        }
    }

    /// Takes back the units.
    pub(super) fn leave_units(&mut self) {
        let units = self.all.iter().filter(|token| token.kind == Kind::Unit);
        let units: Vec<usize> = units.map(|token| token.index).collect();
        self.leave(&units);
    }

    /// What a token was taken for.
    pub(super) fn field(&self, token: &Token<'_>) -> Option<Field> {
        self.marks.get(token.index).copied().flatten()
    }

    /// A number with its unit.
    pub(super) fn measure(&mut self, field: Field) -> Option<Measure> {
        let (measure, used) = measure::of(self.tokens.get(self.at..)?)?;
        self.take(used, field);
        Some(measure)
    }

    /// Notes what a token was taken for.
    pub(super) fn mark(&mut self, index: usize, field: Field) {
        if let Some(mark) = self.marks.get_mut(index) {
            *mark = Some(field);
        }
    }
}
