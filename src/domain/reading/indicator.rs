//! Lines of indicators as forms print them, a name and a target: 地域活動協議会を知っている区民の割合：40%以上.

use super::{
    MOST, Parse,
    plain::one_line,
    target::{self, ReadTarget},
};
use crate::{
    domain::target::Comparator,
    value::{FiscalYear, Line},
};

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

/// The bullets before items of a list.
const BULLETS: &[char] = &[
    '・', '･', '●', '○', '◆', '◇', '■', '□', '▪', '•', '‣', '▶', '►', '*', '①', '②', '③', '④', '⑤', '⑥', '⑦', '⑧', '⑨',
    '⑩',
];
/// Words before a number that is no target by itself: 前年度比△10%, R4より5件.
const LEADS: &[&str] = &[
    "△",
    "▲",
    "-",
    "−",
    "－",
    "+",
    "＋",
    "±",
    "~",
    "～",
    "〜",
    "→",
    "比",
    "より",
    "から",
    "対し",
    "比べ",
    "比べて",
    "約",
    "あと",
    "各",
    "第",
    "上位",
    "延べ",
    "のべ",
    "計",
    "で",
    "に",
    "分の",
    "/",
    "／",
];
/// Names of eras, which belong to the number behind them.
const ERAS: &[&str] = &["令和", "平成", "昭和", "R", "H", "S", "Ｒ", "Ｈ", "Ｓ"];
/// The most places tried for the start of a target without a colon.
const TRIED: usize = 12;
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
/// The target follows the last colon outside brackets. Without a colon it is the first part after a blank that is in
/// full a number with its comparison; without a blank, such a part after the name. Words of comparison within the name
/// do not count.
#[must_use]
pub fn read(line: &str, year: FiscalYear) -> ReadIndicator {
    let line = one_line(line);
    let line = line.trim_start_matches(BULLETS).trim_start();
    if line.chars().nth(MOST).is_some() {
        return named(line, None);
    }
    if let Some((name, after)) = at_colon(line) {
        let target = Some(after)
            .filter(|after| !after.is_empty())
            .map(|after| target::read(after, year))
            .map(|target| {
                if sets_target(name, year) {
                    target.in_doubt(name)
                } else {
                    target
                }
            });
        return named(name, target);
    }
    let (when, line) = apart(line, year);
    let found = after_blanks(line)
        .chain(before_numbers(line))
        .map(|(name, after)| (name.trim_end_matches(['を', '、', '，', ',']), after))
        .find_map(|(name, after)| {
            let target = stands(&format!("{when}{after}"), year)?;
            (!sets_target(name, year)).then(|| named(name, Some(target)))
        });
    found.unwrap_or_else(|| named(line, None))
}

/// The time by which a target is to be met, at the beginning of a line, and the rest: 令和8年度末時点で認知度50%以上.
fn apart(line: &str, year: FiscalYear) -> (&str, &str) {
    for word in ["までに", "まで", "時点で", "時点において"] {
        let split = line.find(word).and_then(|at| line.split_at_checked(at + word.len()));
        if let Some((when, rest)) = split.filter(|(when, _)| target::is_time(when, year)) {
            return (when, rest.trim_start_matches(['、', ' ', '　']));
        }
    }
    ("", line)
}

/// Whether a name sets a target of its own: 満足度60%以上、参加者数, or 認知度 R6：40%以上 R7. Words of comparison that tell whom or what
/// the name is about go on behind the number: 20分以内だった割合.
fn sets_target(name: &str, year: FiscalYear) -> bool {
    let parts = name.rsplit(['、', '，', '・', ':', '：', ' ', '　', ';', '；']);
    parts.flat_map(|part| part.rsplit("かつ")).take(TRIED).any(|part| {
        let starts = before_numbers(part).map(|(_, after)| after);
        starts.chain([part]).any(|after| stands(after, year).is_some())
    })
}

/// Takes a name and a target that the form marks as such; an empty target is none.
#[must_use]
pub fn exact(name: &str, target: &str, year: FiscalYear) -> ReadIndicator {
    let target = (!target.is_empty()).then(|| {
        let mut read = target::read(target, year);
        read.target.text = Some(Line(target.to_owned()));
        read
    });
    named(name, target)
}

fn named(name: &str, target: Option<ReadTarget>) -> ReadIndicator {
    ReadIndicator {
        name: name.to_owned(),
        population: population(name),
        target,
    }
}

/// The target in a text, if it is clear without a colon before it.
fn stands(text: &str, year: FiscalYear) -> Option<ReadTarget> {
    let read = target::read(text, year);
    let words = matches!(read.target.comparator, Comparator::Qualitative | Comparator::Undecided);
    (read.parse == Parse::Full && !words).then_some(read)
}

/// The parts before and after the last colon outside brackets.
fn at_colon(line: &str) -> Option<(&str, &str)> {
    let mut depth = 0_u32;
    let mut last = None;
    for (at, c) in line.char_indices() {
        match c {
            '(' | '（' | '「' | '【' => depth += 1,
            ')' | '）' | '」' | '】' => depth = depth.saturating_sub(1),
            ':' | '：' if depth == 0 => last = Some((at, c)),
            _ => {}
        }
    }
    let (at, colon) = last?;
    let (name, after) = (line.get(..at)?.trim(), line.get(at + colon.len_utf8()..)?.trim());
    (!name.is_empty()).then_some((name, after))
}

/// The parts before and after each of the last blanks.
fn after_blanks(line: &str) -> impl Iterator<Item = (&str, &str)> {
    let blanks: Vec<usize> = line
        .char_indices()
        .filter(|(_, c)| c.is_whitespace())
        .map(|(at, _)| at)
        .collect();
    let tried = blanks.len().saturating_sub(TRIED);
    blanks.into_iter().skip(tried).filter_map(|at| {
        let (name, after) = line.split_at_checked(at)?;
        Some((name.trim(), after.trim())).filter(|(name, _)| !name.is_empty())
    })
}

/// The parts before and from each of the last numbers on.
fn before_numbers(line: &str) -> impl Iterator<Item = (&str, &str)> {
    let is_digit = |c: char| c.is_ascii_digit() || ('０'..='９').contains(&c) || matches!(c, '.' | ',' | '．' | '，');
    let before = std::iter::once(None).chain(line.chars().map(Some));
    let starts: Vec<usize> = line
        .char_indices()
        .zip(before)
        .filter(|((_, c), before)| is_digit(*c) && !before.is_some_and(is_digit))
        .map(|((at, _), _)| at)
        .collect();
    let tried = starts.len().saturating_sub(TRIED);
    starts.into_iter().skip(tried).filter_map(|at| {
        let before = line.get(..at)?;
        let era = ERAS
            .iter()
            .find(|era| before.ends_with(**era))
            .map_or(0, |era| era.len());
        let (name, after) = line.split_at_checked(at - era)?;
        let name = name.trim();
        let leads = LEADS.iter().any(|lead| name.ends_with(lead));
        (!name.is_empty() && !leads).then_some((name, after))
    })
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

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::domain::{fixtures::year, target::Target};

    fn read_2024(line: &str) -> ReadIndicator {
        read(line, year(2024))
    }

    #[test]
    fn a_line_that_says_more_than_one_target_is_none_to_be_judged() {
        for line in [
            "満足度60%以上、参加者数100人以上",
            "満足度60%以上、参加者数：100人以上",
            "認知度 R6：40%以上 R7：45%以上",
            "合格率 7割以上8割未満",
            "3か年で延べ600人以上",
            "満足度80%以上かつ回答率50%以上",
            "3分の2以上",
            "合格者が2／3以上",
            "参加者の3分の2以上",
        ] {
            let target = read_2024(line).target;
            assert!(
                target
                    .as_ref()
                    .is_none_or(|target| target.target.comparator == Comparator::Unread),
                "{line}: {target:?}"
            );
        }
    }

    #[test]
    fn a_time_before_the_name_belongs_to_the_target() {
        for (line, name, to) in [
            ("令和8年度末時点で認知度50%以上", "認知度", Some(2026)),
            ("令和7年度末までに、登録者数 1,000人以上", "登録者数", Some(2025)),
            ("令和6年度末時点で認知度50%以上", "認知度", None),
        ] {
            let read = read_2024(line);
            let target = read.target.unwrap_or_else(|| panic!("{line}"));
            assert_eq!(
                (read.name.as_str(), target.parse, target.period.to.map(FiscalYear::get)),
                (name, Parse::Full, to),
                "{line}"
            );
        }
        let read = read_2024("満足度を、平成5年度より4ポイント増加");
        let target = read.target.unwrap();
        assert_eq!(
            (
                read.name.as_str(),
                target.target.reference.fiscal_year.map(FiscalYear::get)
            ),
            ("満足度", Some(1993))
        );
    }

    #[test]
    fn what_leads_to_a_number_is_no_name() {
        for line in [
            "前年度比△10%以上",
            "前年度比10%以上",
            "令和3年度比5%以上",
            "利用件数が前年度より5件以上",
            "利用件数 前年度比△10%以上",
            "利用件数は約40件以上",
            "満足度が上位3位以内",
            "気温が-5度以上",
        ] {
            assert_eq!(read_2024(line).target, None, "{line}");
        }
    }

    #[test]
    fn a_line_is_a_name_and_a_target() {
        for (line, name, text) in [
            (
                "・地域活動協議会を知っている区民アンケート回答者の割合：40%以上",
                "地域活動協議会を知っている区民アンケート回答者の割合",
                "40%以上",
            ),
            (
                "コンビニでの証明書発行割合 40%以上",
                "コンビニでの証明書発行割合",
                "40%以上",
            ),
            (
                "コンビニでの証明書発行割合　４０％以上",
                "コンビニでの証明書発行割合",
                "４０％以上",
            ),
            ("待ち時間10分以上の割合：5%以下", "待ち時間10分以上の割合", "5%以下"),
            (
                "窓口の待ち時間が20分以内だった割合80%以上",
                "窓口の待ち時間が20分以内だった割合",
                "80%以上",
            ),
            ("①防災訓練の参加者数: 1,000人以上", "防災訓練の参加者数", "1,000人以上"),
            (
                "相談件数：1.5倍以上（R4:1,020件）",
                "相談件数",
                "1.5倍以上（R4:1,020件）",
            ),
            ("事業A：相談件数：100件以上", "事業A：相談件数", "100件以上"),
            ("案内の質：分かりやすい案内を行う", "案内の質", "分かりやすい案内を行う"),
        ] {
            let read = read_2024(line);
            let target = read.target.unwrap_or_else(|| panic!("{line}: no target"));
            assert_eq!(
                (read.name.as_str(), target.target.text.unwrap().0.as_str()),
                (name, text),
                "{line}"
            );
        }
        for line in [
            "・防災訓練の参加者数",
            "満足度が80%以上の区民の割合",
            "満足度：",
            "20分以内の窓口",
        ] {
            assert_eq!(read_2024(line).target, None, "{line}");
        }
        assert_eq!(read_2024("満足度：").name, "満足度");
    }

    #[test]
    fn the_indicators_of_the_real_policy_are_read_as_they_are() {
        let policy: Value = serde_json::from_str(include_str!("../../../tests/forms/nishi-2024.json")).unwrap();
        let goals = policy["goals"].as_array().unwrap().iter();
        let indicators: Vec<&Value> = goals.flat_map(|goal| goal["indicators"].as_array().unwrap()).collect();
        assert_eq!(indicators.len(), 10);
        for indicator in indicators {
            let name = indicator["name"].as_str().unwrap();
            let target: Target = serde_json::from_value(indicator["target"].clone()).unwrap();
            let text = &target.text.as_ref().unwrap().0;
            for line in [format!("・{name}：{text}"), format!("{name} {text}")] {
                let read = read_2024(&line);
                let found = read.target.unwrap();
                assert_eq!((read.name.as_str(), &found.target), (name, &target));
                assert_eq!(read.population.as_deref(), indicator["population"].as_str(), "{name}");
                assert_eq!(found.unit.as_deref(), indicator["unit"].as_str());
                assert_eq!(u64::from(found.decimals), indicator["decimals"].as_u64().unwrap());
                assert_eq!(serde_json::to_value(found.direction).unwrap(), indicator["direction"]);
                assert_eq!(found.parse, Parse::Full);
            }
        }
    }

    #[test]
    fn who_is_asked_is_said_only_where_the_name_says_it() {
        for (name, expected) in [
            (
                "満足したと回答した来庁者アンケート回答者の割合",
                Some("来庁者アンケート回答者"),
            ),
            ("安心と感じる保護者の割合", Some("保護者")),
            ("知っている区民の割合", Some("区民")),
            ("証明書発行の割合", None),
            ("アンケートで満足との回答の割合", None),
            ("防災訓練の参加者数", None),
            ("の割合", None),
            ("", None),
        ] {
            assert_eq!(population(name).as_deref(), expected, "{name}");
        }
    }

    proptest! {
        #[test]
        fn any_line_has_a_name_that_stands_in_it(line in "[・：: 　0-9%以上内のAぁ一（）()]{0,60}") {
            let read = read_2024(&line);
            prop_assert!(one_line(&line).contains(&read.name));
        }
    }
}
