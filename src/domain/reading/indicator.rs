//! Lines of indicators as forms print them, a name and a target: 地域活動協議会を知っている区民の割合：40%以上.

use super::{
    MOST, Parse,
    lexer::lex,
    plain::{Plain, one_line, plain},
    target::{self, Counted, ReadTarget},
    token::{Kind, Token},
};
use crate::{
    domain::target::Comparator,
    value::{FiscalYear, Line, work},
};

mod scope;
#[cfg(test)]
mod tests;

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
/// Last words of names of counts: 5% of a count is a share of it.
const COUNTS: &[&str] = &["数", "額", "量", "面積", "時間"];
/// Last characters of words for quantities: 受診率, 参加者数.
const QUANTITIES: &[&str] = &["率", "数", "割合", "度", "額", "量"];
/// Most characters of a unit that ends like a quantity: 人数. Longer words say what is counted.
const QUANTITY: usize = 3;
/// Last characters of the words for people who are asked or counted.
const PEOPLE: &[char] = &[
    '者', '人', '民', '員', '生', '童', '徒', '親', '方', '帯', '業', '団', '体', '校', '園', '客', '会',
];
/// The people a questionnaire went to, before アンケート.
const ASKED: &[&str] = &[
    "区民",
    "市民",
    "住民",
    "来庁者",
    "来場者",
    "来館者",
    "参加者",
    "利用者",
    "保護者",
    "職員",
    "児童",
    "生徒",
];

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
            ends_name(name) && starts_with_time_and_colon(rest)
        });
        let (name, after) = match time {
            Some(at) => tokens.split_at_checked(at)?,
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
            if !ends_name(name) || counts(name) || self.is_in_doubt(name) {
                return None;
            }
            let read = self.target(name, when, after);
            // A change from nothing in particular is a target, though nobody can judge it: 苦情を減らす.
            let is_change = after.first().is_some_and(|token| is_verb(token))
                && matches!(read.comparator, Some(Comparator::Increase | Comparator::Decrease));
            (stands(&read) || is_change).then(|| named(self.printed(name), Some(read)))
        })
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
        self.sets_target(name) || self.speaks_of_a_year_to_come(name)
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

/// Whether a target is clear without a colon before it.
fn stands(read: &ReadTarget) -> bool {
    let words = matches!(read.target.comparator, Comparator::Qualitative | Comparator::Undecided);
    read.parse == Parse::Full && !words
}

/// Whether a line ends with a comparison, as targets do and names do not: 10%以上, より増加.
fn ends_with_comparison(tokens: &[&Token<'_>]) -> bool {
    let outside = outside_brackets(tokens).into_iter().rev();
    let kinds = outside.filter_map(|at| tokens.get(at)).map(|token| token.kind);
    let mut kinds = kinds.skip_while(|kind| matches!(kind, Kind::Ending | Kind::Stop | Kind::Particle | Kind::Upkeep));
    match kinds.next() {
        Some(Kind::Threshold(_)) => true,
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

/// A name without the particle that joins it to its target.
fn without_particle<'t, 'a>(name: &'t [&'a Token<'a>]) -> &'t [&'a Token<'a>] {
    match name.split_last() {
        Some((last, before)) if last.kind == Kind::Separator => without_particle(before),
        Some((last, before)) if last.kind == Kind::Particle && matches!(last.text, "を" | "は" | "が") => before,
        _ => name,
    }
}

/// Whether a name is complete: it has words, and its last ones do not belong to what follows.
fn ends_name(name: &[&Token<'_>]) -> bool {
    // ± and other marks belong to the number.
    let is_word = |last: &&Token<'_>| {
        let is_closed = matches!(last.kind, Kind::Close | Kind::Quote(false));
        is_closed
            || last
                .text
                .ends_with(|c: char| c.is_alphanumeric() || matches!(c, '々' | '〉' | '》'))
    };
    if !name.last().is_some_and(is_word) {
        return false;
    }
    let has_words = name
        .iter()
        .any(|token| matches!(token.kind, Kind::Other | Kind::Scale) || is_quantity(token));
    let is_end = match name {
        [.., one, unit] if unit.kind == Kind::Unit => scope::is_one_of(one, unit) || is_quantity(unit),
        [.., last] => match last.kind {
            Kind::Change(change) => !change.is_verb,
            Kind::Other
            | Kind::Scale
            | Kind::Close
            | Kind::Quote(false)
            | Kind::Done
            | Kind::Result
            | Kind::Upkeep
            | Kind::Vague
            | Kind::Ending
            | Kind::Each => true,
            _ => false,
        },
        [] => false,
    };
    has_words && is_end
}

/// Whether the words directly behind a number say what is counted, and are no unit: 3歳児健診受診率.
fn is_quantity(token: &Token<'_>) -> bool {
    let is_long = token.text.chars().nth(QUANTITY).is_some();
    token.kind == Kind::Unit && is_long && QUANTITIES.iter().any(|word| token.text.ends_with(word))
}

/// Whether a part of a name ends with a number of its own: 相談件数100件、満足度.
fn counts(name: &[&Token<'_>]) -> bool {
    let mut parts = name.split(|token| matches!(token.kind, Kind::Separator | Kind::Joined));
    parts.next_back();
    parts.any(|part| match part {
        [.., last] => matches!(last.kind, Kind::Unit | Kind::Number(_)),
        [] => false,
    })
}

/// What a name says about its numbers.
fn counted(name: &str) -> Counted {
    let plain = plain(name);
    let name = plain.split('(').next().unwrap_or_default().trim_end();
    if COUNTS.iter().any(|word| name.ends_with(word)) {
        Counted::Yes
    } else {
        Counted::Unknown
    }
}

/// The population, where a name ends with a share of it: 区民アンケート回答者 of …区民アンケート回答者の割合.
///
/// The population stands before の割合: a questionnaire with the people it went to, else the people named after a verb.
/// Nothing where neither is plain.
fn population(name: &str) -> Option<String> {
    let of = name.strip_suffix("の割合")?;
    let people = if let Some(at) = of.rfind("アンケート") {
        let before = of.get(..at)?;
        let asked = ASKED
            .iter()
            .find(|who| before.ends_with(**who))
            .map_or(0, |who| who.len());
        of.get(at - asked..)?
    } else {
        let (at, c) = of
            .char_indices()
            .rev()
            .find(|(_, c)| ('ぁ'..='ゖ').contains(c) && *c != 'の')?;
        matches!(c, 'る' | 'た' | 'い').then(|| of.get(at + c.len_utf8()..))??
    };
    let named = people.ends_with(PEOPLE) && !people.starts_with('の') && people.chars().count() <= 100;
    named.then(|| people.to_owned())
}
