//! Lines of indicators as forms print them, a name and a target: 地域活動協議会を知っている区民の割合：40%以上.

use super::{
    MOST, Parse,
    lexer::lex,
    plain::{Plain, one_line},
    target::{self, ReadTarget},
    token::{Kind, Token},
};
use crate::{
    domain::target::Comparator,
    value::{FiscalYear, Line, work},
};

mod name;
mod scope;
#[cfg(test)]
mod tests;

use name::{counted, counts, ends_name, goes_on, is_condition, population, without_particle};

/// A printed line of an indicator, as read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadIndicator {
    /// The name as printed, without the bullet.
    pub name: String,
    /// Who is asked or counted, where the name says so.
    pub population: Option<String>,
    /// The target; nothing where the line has only a name.
    pub target: Option<ReadTarget>,
}

/// The most places tried for the start of a target without a colon.
const TRIED: usize = 12;

/// Reads a line of an indicator in the policy of a fiscal year.
///
/// The target follows the last colon outside brackets, or a time before a colon. Without a colon it is the first part after a
/// word that is in full a comparison. Words of comparison within the name do not count. A name that sets a target of its own,
/// or speaks of a year to come, leaves the target unread. A line that ends with a comparison and has no clear name is both.
#[must_use]
pub fn read(line: &str, year: FiscalYear) -> ReadIndicator {
    if line.chars().nth(MOST).is_some() {
        work::spend(line.len());
        return named(one_line(line), None);
    }
    let plain = Plain::of(line);
    let tokens = lex(&plain, Some(year));
    let tokens: Vec<&Token<'_>> = tokens.iter().skip_while(|token| token.kind == Kind::Mark).collect();
    if tokens.is_empty() {
        return named(one_line(line), None);
    }
    let reader = Reader { plain: &plain, year };
    reader
        .at_colon(&tokens)
        .or_else(|| reader.without_colon(&tokens))
        .or_else(|| reader.in_brackets(&tokens))
        .or_else(|| reader.without_name(&tokens))
        .unwrap_or_else(|| named(reader.printed(&tokens), None))
}

/// Takes a name and a target that the form marks as such; an empty target is none.
#[must_use]
pub fn exact(name: &str, target: &str, year: FiscalYear) -> ReadIndicator {
    let target = (!target.is_empty()).then(|| {
        let mut read = target::read_of(counted(name), target, year);
        read.target.text = Some(Line(target.to_owned()));
        read
    });
    named(name.to_owned(), target)
}

fn named(name: String, target: Option<ReadTarget>) -> ReadIndicator {
    ReadIndicator {
        population: population(&name),
        name,
        target,
    }
}

/// Tells the name and the target of a line apart.
struct Reader<'a> {
    plain: &'a Plain<'a>,
    year: FiscalYear,
}

impl Reader<'_> {
    /// Tokens as printed, on one line.
    fn printed(&self, tokens: &[&Token<'_>]) -> String {
        match (tokens.first(), tokens.last()) {
            (Some(first), Some(last)) => one_line(self.plain.printed(first.at.start..last.at.end)),
            _ => String::new(),
        }
    }

    /// A name and a target that a colon keeps apart.
    fn at_colon(&self, tokens: &[&Token<'_>]) -> Option<ReadIndicator> {
        let outside = outside_brackets(tokens);
        let colon = outside
            .iter()
            .copied()
            .rfind(|at| is_kind(tokens, *at, Kind::Colon))
            .filter(|at| *at > 0)?;
        // A time directly before a colon belongs to the target: 認知度 R6:40%以上.
        let time = outside.into_iter().find(|at| {
            let (name, rest) = tokens.split_at_checked(*at).unwrap_or_default();
            ends_name(without_particle(name)) && starts_with_time_and_colon(rest)
        });
        let (name, after) = match time {
            Some(at) => (without_particle(tokens.get(..at)?), tokens.get(at..)?),
            None => (tokens.get(..colon)?, tokens.get(colon + 1..)?),
        };
        if let Some(read) = self.with_scope(tokens, after) {
            return Some(read);
        }
        if after.is_empty() {
            return Some(named(self.printed(name), None));
        }
        let mut read = self.target(name, &[], after);
        if self.is_in_doubt(name) {
            let end = name.last().map_or(0, |last| last.at.end);
            read = read.in_doubt(self.printed(name), self.plain.span(0..end));
        }
        Some(named(self.printed(name), Some(read)))
    }

    /// A name that goes on behind its colon with the scope of the number, where the rest is in full a target.
    fn with_scope(&self, tokens: &[&Token<'_>], after: &[&Token<'_>]) -> Option<ReadIndicator> {
        let (scope, target) = scope::split(after)?;
        let name = tokens.get(..tokens.len() - after.len() + scope.len())?;
        let read = self.target(name, &[], target);
        let is_clear = stands(&read) && !self.is_in_doubt(name);
        is_clear.then(|| named(self.printed(name), Some(read)))
    }

    /// A name and a target behind it, with the time at the beginning of the line: 令和8年度末時点で認知度50%以上.
    fn without_colon(&self, tokens: &[&Token<'_>]) -> Option<ReadIndicator> {
        let (when, line) = tokens.split_at_checked(target::time(tokens, self.year))?;
        let starts: Vec<usize> = outside_brackets(line)
            .into_iter()
            .filter(|at| *at > 0 && line.get(*at).is_some_and(|token| starts_target(token)))
            .collect();
        let tried = starts.len().saturating_sub(TRIED);
        starts.into_iter().skip(tried).find_map(|at| {
            let (name, after) = line.split_at_checked(at)?;
            let name = without_particle(name);
            if !(ends_name(name) || ends_with_scope(line, at))
                || counts(name)
                || is_condition(name)
                || self.is_in_doubt(name)
            {
                return None;
            }
            let read = self.target(name, when, after);
            // A change from nothing in particular is a target, though nobody can judge it: 苦情を減らす.
            let is_change = after.first().is_some_and(|token| is_verb(token))
                && matches!(read.comparator, Some(Comparator::Increase | Comparator::Decrease));
            (stands(&read) || is_change).then(|| named(self.printed(name), Some(read)))
        })
    }

    /// How often something is done, in brackets behind it: 講座の開催（年4回以上）.
    fn in_brackets(&self, tokens: &[&Token<'_>]) -> Option<ReadIndicator> {
        let (_, inside) = tokens.split_last().filter(|(last, _)| last.kind == Kind::Close)?;
        let at = inside.iter().rposition(|token| token.kind == Kind::Open)?;
        let (name, target) = (inside.get(..at)?, inside.get(at + 1..)?);
        let is_done = name
            .last()
            .is_some_and(|last| matches!(last.text, "開催" | "実施" | "発行"));
        let read = self.target(name, &[], target);
        let is_how_often = stands(&read) && read.unit.as_deref().is_some_and(|unit| unit.starts_with('回'));
        let is_clear = is_done && is_how_often && ends_name(name) && !self.is_in_doubt(name);
        is_clear.then(|| named(self.printed(name), Some(read)))
    }

    /// A target that nothing names, or one of which it cannot be said where the name ends: the whole line is both.
    fn without_name(&self, tokens: &[&Token<'_>]) -> Option<ReadIndicator> {
        let read = self.target(&[], &[], tokens);
        let is_target = stands(&read) || read.parse != Parse::Full && ends_with_comparison(tokens);
        is_target.then(|| named(self.printed(tokens), Some(read)))
    }

    /// The target that stands behind a name, with a time before the name.
    fn target(&self, name: &[&Token<'_>], when: &[&Token<'_>], after: &[&Token<'_>]) -> ReadTarget {
        let tokens = [when, after].concat();
        let text = self.printed(when) + &self.printed(after);
        target::read_tokens(counted(&self.printed(name)), &tokens, self.plain, text, self.year)
    }

    /// Whether a name sets a target of its own: 満足度60%以上、参加者数. Words of comparison that tell whom or what the name is about
    /// go on behind the number: 20分以内だった割合.
    fn sets_target(&self, name: &[&Token<'_>]) -> bool {
        let parts = name.chunk_by(|one, next| !(next.after_blank || is_break(one) || is_break(next)));
        let starts = parts.flat_map(|part| {
            let starts =
                (0..part.len()).filter(|at| *at == 0 || part.get(*at).is_some_and(|token| starts_target(token)));
            starts.filter_map(|at| part.get(at..)).collect::<Vec<_>>()
        });
        let starts: Vec<_> = starts.collect();
        starts
            .iter()
            .rev()
            .take(TRIED)
            .any(|part| stands(&self.target(&[], &[], part)))
    }

    /// Whether a name says something of a target itself.
    fn is_in_doubt(&self, name: &[&Token<'_>]) -> bool {
        self.sets_target(name) || goes_on(name) || self.speaks_of_a_year_to_come(name)
    }

    fn speaks_of_a_year_to_come(&self, name: &[&Token<'_>]) -> bool {
        (0..name.len()).any(|at| match name.get(at).map(|token| token.kind) {
            Some(Kind::Year(year)) => !year.is_calendar && year.year > self.year,
            // 来年度も参加したい is what people are asked.
            Some(Kind::NextYear) => name.get(at + 1).is_none_or(|next| {
                next.after_blank || matches!(next.kind, Kind::Separator | Kind::Particle | Kind::Label)
            }),
            _ => false,
        })
    }
}

/// Whether a name ends with the scope of the number at a place: 利用件数が月平均 before 1,000件.
fn ends_with_scope(line: &[&Token<'_>], number: usize) -> bool {
    (1..number).any(|at| {
        let (name, behind) = line.split_at_checked(at).unwrap_or_default();
        let is_scope = scope::closed(behind).is_some_and(|(_, target)| target.len() + number == line.len());
        is_scope && ends_name(without_particle(name))
    })
}

/// Whether a target is clear without a colon before it.
fn stands(read: &ReadTarget) -> bool {
    let words = matches!(read.target.comparator, Comparator::Qualitative | Comparator::Undecided);
    read.parse == Parse::Full && !words
}

/// Whether a line ends with a comparison, as targets do and names do not: 10%以上, より増加, 60%を目指す.
fn ends_with_comparison(tokens: &[&Token<'_>]) -> bool {
    let outside = outside_brackets(tokens).into_iter().rev();
    let kinds = outside.filter_map(|at| tokens.get(at)).map(|token| token.kind);
    let kinds: Vec<Kind> = kinds.collect();
    let is_sentence = kinds
        .iter()
        .take_while(|kind| **kind != Kind::Unit)
        .any(|kind| *kind == Kind::Ending);
    let mut kinds = kinds
        .into_iter()
        .skip_while(|kind| matches!(kind, Kind::Ending | Kind::Stop | Kind::Particle | Kind::Upkeep));
    match kinds.next() {
        Some(Kind::Threshold(_)) => true,
        // 60%を目指す
        Some(Kind::Unit) => is_sentence,
        Some(Kind::Change(_)) => {
            let before = kinds.find(|kind| *kind != Kind::Particle);
            matches!(before, Some(Kind::Than | Kind::Threshold(_) | Kind::Unit | Kind::Each))
        }
        _ => false,
    }
}

/// The places of the tokens outside brackets.
fn outside_brackets(tokens: &[&Token<'_>]) -> Vec<usize> {
    let mut depth = 0_u32;
    let mut outside = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        match token.kind {
            Kind::Open | Kind::Quote(true) => depth += 1,
            Kind::Close | Kind::Quote(false) => depth = depth.saturating_sub(1),
            _ if depth == 0 => outside.push(at),
            _ => {}
        }
    }
    outside
}

fn is_kind(tokens: &[&Token<'_>], at: usize, kind: Kind) -> bool {
    tokens.get(at).is_some_and(|token| token.kind == kind)
}

/// Whether tokens begin with a time and a colon: R6:, 令和7年度末目標:.
fn starts_with_time_and_colon(tokens: &[&Token<'_>]) -> bool {
    let is_time = |token: &&Token<'_>| matches!(token.kind, Kind::Year(_) | Kind::Date(_) | Kind::ThisYear);
    let is_word = |token: &&&Token<'_>| matches!(token.kind, Kind::By | Kind::AsOf | Kind::Within | Kind::Label);
    let words = tokens.iter().skip(1).take_while(is_word).count();
    tokens.first().is_some_and(is_time) && is_kind(tokens, 1 + words, Kind::Colon)
}

/// Whether a target may begin with this token.
fn starts_target(token: &Token<'_>) -> bool {
    match token.kind {
        Kind::Number(numeral) => numeral.has_digits,
        Kind::Year(_)
        | Kind::Date(_)
        | Kind::ThisYear
        | Kind::Previous(_)
        | Kind::EveryYear
        | Kind::Present
        | Kind::External
        | Kind::Lead
        | Kind::Sum
        | Kind::Bound(_)
        | Kind::PerTime(_)
        | Kind::All
        | Kind::Zero => true,
        _ => is_verb(token),
    }
}

fn is_verb(token: &Token<'_>) -> bool {
    matches!(token.kind, Kind::Change(change) if change.is_verb)
}

/// Whether a token stands between two parts of a line.
fn is_break(token: &Token<'_>) -> bool {
    matches!(token.kind, Kind::Separator | Kind::Colon | Kind::Joined)
}
