//! The names of indicators: where they end, and what they say of the numbers and the people behind them.

use crate::domain::reading::{
    plain::plain,
    target::Counted,
    token::{Kind, Token},
};

/// Last words of names of counts: 5% of a count is a share of it.
const COUNTS: &[&str] = &["数", "額", "量", "面積", "時間"];
/// Last characters of words for quantities: 受診率, 参加者数.
const QUANTITIES: &[&str] = &["率", "数", "割合", "度", "額", "量"];
/// The most characters of a unit that ends like a quantity, as 人数 does. A longer word is the name of what is counted.
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

/// A name without the particle or the mark that joins it to its target.
pub(super) fn without_particle<'t, 'a>(name: &'t [&'a Token<'a>]) -> &'t [&'a Token<'a>] {
    match name.split_last() {
        Some((last, before)) if matches!(last.kind, Kind::Separator | Kind::Colon) => without_particle(before),
        Some((last, before)) if last.kind == Kind::Particle && matches!(last.text, "を" | "は" | "が") => before,
        _ => name,
    }
}

/// Whether a name is complete: it has words, and its last ones do not belong to what follows.
pub(super) fn ends_name(name: &[&Token<'_>]) -> bool {
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
        [.., one, unit] if unit.kind == Kind::Unit => is_one_of(one, unit) || is_quantity(unit),
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
            // 「満足」「やや満足」の合計
            Kind::Sum => matches!(name, [.., of, sum] if of.is("の") && sum.is("合計")),
            _ => false,
        },
        [] => false,
    };
    has_words && is_end
}

/// Whether a token that looks like the unit of the number before it is part of a name instead, as in 3歳児健診受診率.
fn is_quantity(token: &Token<'_>) -> bool {
    let is_long = token.text.chars().nth(QUANTITY).is_some();
    token.kind == Kind::Unit && is_long && QUANTITIES.iter().any(|word| token.text.ends_with(word))
}

/// Whether the last words of a name are a quantity or the people who are counted: 対応した割合, 「満足」の合計, 「満足」「やや満足」, 修了者.
pub(super) fn ends_with_quantity(name: &[&Token<'_>]) -> bool {
    name.last().is_some_and(|last| match last.kind {
        // 各年度 is a time.
        Kind::Other if last.text.ends_with("年度") => false,
        Kind::Other => QUANTITIES.iter().any(|word| last.text.ends_with(word)) || last.text.ends_with(PEOPLE),
        Kind::Sum => last.is("合計"),
        Kind::Quote(is_open) => !is_open,
        _ => is_quantity(last),
    })
}

/// Whether a name ends with those of whom a share is meant: 全職員の.
pub(super) fn ends_with_people(name: &[&Token<'_>]) -> bool {
    matches!(name, [.., people, of] if of.is("の") && people.kind == Kind::Other && people.text.ends_with(PEOPLE))
}

/// Whether a number is that of each person or day: 1人.
pub(super) fn is_one_of(number: &Token<'_>, unit: &Token<'_>) -> bool {
    number.is("1") && matches!(unit.text, "人" | "日" | "回" | "世帯" | "年" | "か月")
}

/// Whether a part of a name ends with a number of its own: 相談件数100件、満足度.
pub(super) fn counts(name: &[&Token<'_>]) -> bool {
    let mut parts = name.split(|token| matches!(token.kind, Kind::Separator | Kind::Joined));
    parts.next_back();
    parts.any(|part| match part {
        [.., last] => matches!(last.kind, Kind::Unit | Kind::Number(_)),
        [] => false,
    })
}

/// Last sounds of verbs that a sentence goes on behind: 開催し, 増やし, 上回り.
const GOING_ON: &[&str] = &["し", "して", "せ", "つつ", "え", "げ", "め", "り", "ともに"];

/// Whether a name sets a condition and goes on: 会議を12回以上開催し、参加率. It is one of two, or says whom the name is about.
pub(super) fn goes_on(name: &[&Token<'_>]) -> bool {
    let mut parts = name.split(|token| token.kind == Kind::Separator);
    parts.next_back();
    parts.any(|part| {
        let text: String = part.iter().map(|token| token.text).collect();
        let ends = GOING_ON.iter().any(|end| text.ends_with(end));
        ends && part
            .windows(2)
            .any(|pair| matches!(pair, [number, bar] if is_number(number) && is_bar(bar)))
    })
}

/// Whether a name may be a condition and another name: 参加者数100人以上で満足度.
pub(super) fn is_condition(name: &[&Token<'_>]) -> bool {
    (1..name.len()).any(|at| {
        let (before, behind) = name.split_at_checked(at).unwrap_or_default();
        let bar = match behind {
            [number, unit, bar, joint, ..] if number.kind != Kind::Unit && unit.kind == Kind::Unit => {
                Some((bar, joint))
            }
            _ => None,
        };
        bar.is_some_and(|(bar, joint)| is_bar(bar) && joint.is("で")) && ends_name(without_particle(before))
    })
}

fn is_number(token: &Token<'_>) -> bool {
    matches!(token.kind, Kind::Number(_) | Kind::Unit)
}

fn is_bar(token: &Token<'_>) -> bool {
    matches!(token.kind, Kind::Threshold(_))
}

/// What a name says about its numbers.
pub(super) fn counted(name: &str) -> Counted {
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
pub(super) fn population(name: &str) -> Option<String> {
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
