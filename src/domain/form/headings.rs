//! The headings of a form: its title with year and organization, its head, its goals, and marks of pages.

use super::{
    layout::Item,
    numbers::ordinal,
    width::{Narrow, bare, start},
};

/// A title of a form: 令和6年度 西区運営方針.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Title {
    /// The year as printed: 令和6年度.
    pub(super) year: Option<String>,
    pub(super) organization: Option<String>,
}

/// The title, if a text is one: a name before 運営方針, and after it only remarks, a year, or the name that is missing
/// before it.
pub(super) fn title(text: &str) -> Option<Title> {
    let head = Narrow::of(start(text));
    let (before, after) = head.text.trim().split_once("運営方針")?;
    if before.chars().count() > 40 || before.contains(['。', '、', '「', '」']) {
        return None;
    }
    let after = after.trim_matches(|c| "()【】<> ".contains(c)).trim_start_matches('案');
    let after = after.trim_matches(|c| "()【】<> ".contains(c));
    let (name, year) = name_and_year(before.trim());
    let (name_after, year_after) = name_and_year(after);
    let remark =
        after.is_empty() || after.starts_with(['様', '共', '策', '確', '改', '最', '振']) || year_after.is_some();
    let stands_after =
        name.is_empty() && name_after.ends_with(['区', '局', '室', '所']) && name_after.chars().count() <= 12;
    if !remark && !stands_after {
        return None;
    }
    let name = if stands_after { name_after } else { name };
    Some(Title {
        year: year.or(year_after),
        organization: (!name.is_empty()).then_some(name),
    })
}

/// The name and the year of 令和6年度 西区, 西区令和6年度 and 【2024年度】西区.
fn name_and_year(text: &str) -> (String, Option<String>) {
    let text = text.trim_start_matches(['【', '[', '(', '<', ' ']);
    if let (Some(year), after) = year_before(text) {
        return (name(after), Some(year));
    }
    let era = text
        .char_indices()
        .find(|(_, c)| "令平昭RHS".contains(*c) || c.is_ascii_digit())
        .and_then(|(at, _)| text.split_at_checked(at));
    if let Some((before, from)) = era
        && let (Some(year), after) = year_before(from)
        && after.trim_start_matches(['】', ')', ' ']).is_empty()
    {
        return (name(before), Some(year));
    }
    (name(text), None)
}

fn name(text: &str) -> String {
    text.trim_matches(|c: char| c == ' ' || "【】[]()<>:".contains(c))
        .trim_start_matches("大阪市")
        .trim()
        .to_owned()
}

/// A year that stands by itself in the head of a form: 令和6年度.
pub(super) fn year_alone(text: &str) -> Option<String> {
    let head = Narrow::of(start(text));
    let head = head.text.trim_start_matches(['【', '[', '(', ' ']);
    match year_before(head) {
        (Some(year), after) if after.trim_matches(['】', ']', ')', ' ']).is_empty() => Some(year),
        _ => None,
    }
}

/// The organization in 所属名：西区; empty where it stands in the next cell.
pub(super) fn organization(text: &str) -> Option<String> {
    let head = Narrow::of(start(text));
    let head = head.text.trim_matches(['(', ')', ' ']);
    let after = ["所属名", "区名", "局名", "所属"]
        .iter()
        .find_map(|word| head.strip_prefix(word))?
        .trim_start();
    let name = match after.strip_prefix(':') {
        Some(name) => name.trim(),
        None if after.is_empty() => "",
        None => return None,
    };
    (name.chars().count() <= 20).then(|| name.to_owned())
}

/// The title and the name of the head in (所属長 : 三村 浩也), 区長：三村 浩也, 所属長 区長 三村 浩也. The name is missing
/// where it stands in the next cell.
pub(super) fn head(text: &str) -> Option<(Option<String>, Option<String>)> {
    let head = Narrow::of(start(text));
    let head = head.text.trim_matches(|c: char| c == ' ' || "()【】[]".contains(c));
    let (word, after) = head.split_once([':', ' ']).unwrap_or((head, ""));
    let word = word.strip_suffix('名').unwrap_or(word);
    if !word.ends_with('長') || word.chars().count() > 12 || head.chars().count() > 60 || head.ends_with('。') {
        return None;
    }
    let after = after.trim_start_matches([':', ' ']).trim_end();
    let (more, name) = match after.split_once(' ') {
        Some((title, name)) if title.ends_with('長') && word == "所属長" => (Some(title), name.trim()),
        _ => (None, after),
    };
    let title = more.or((word != "所属長").then_some(word)).map(str::to_owned);
    Some((title, (!name.is_empty()).then(|| name.to_owned())))
}

/// A fiscal year before a label's words (令和6年度, 6年度), and the words.
pub(super) fn year_before(text: &str) -> (Option<String>, &str) {
    let Some((before, after)) = text.split_once("年度") else {
        return (None, text);
    };
    let year: String = before.chars().filter(|c| !c.is_whitespace()).collect();
    let bare = year.trim_start_matches(|c| "令和平成昭RHS".contains(c));
    let is_year = !bare.is_empty()
        && bare.chars().count() <= 4
        && bare
            .chars()
            .all(|c| c.is_ascii_digit() || "元一二三四五六七八九十〇".contains(c));
    if is_year {
        let after = after.trim_start();
        (
            Some(format!("{year}年度")),
            after.strip_prefix('の').unwrap_or(after).trim_start(),
        )
    } else {
        (None, text)
    }
}

/// A heading of a goal: its code, and its title where it stands in the same text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GoalHeading<'a> {
    pub(super) code: String,
    pub(super) title: &'a str,
    /// Whether the heading has the word 経営課題.
    pub(super) named: bool,
}

/// The heading of a goal, where an item is one: by its text, or by the code and the title that its page marks.
pub(super) fn goal_of(item: &Item) -> Option<GoalHeading<'_>> {
    match item.exact.as_slice() {
        [] => goal(&item.text),
        [code, title] if bare(start(&item.text)).starts_with("経営課題") => Some(GoalHeading {
            code: code.clone(),
            title,
            named: true,
        }),
        _ => None,
    }
}

/// The heading of a goal, where a text is one: 経営課題1-(1) …, 【経営課題1】…, 経営課題１－１, １－（１）.
pub(super) fn goal(text: &str) -> Option<GoalHeading<'_>> {
    let head = Narrow::of(start(text));
    let opened = head.text.trim_start_matches([' ', '■', '●', '◆', '○']);
    let inside = opened.strip_prefix(['【', '[', '<', '〔']);
    let rest = inside.unwrap_or(opened).trim_start();
    let after_word = rest.strip_prefix("経営課題");
    let named = after_word.is_some();
    let rest = after_word.unwrap_or(rest).trim_start();

    let (first, rest) = ordinal(rest)?;
    let dashed = rest
        .trim_start()
        .strip_prefix(['-', 'ー', '.', 'の'])
        .filter(|_| !rest.starts_with('の') || named);
    let after_dash = dashed.unwrap_or(rest).trim_start();
    let bracketed = after_dash.strip_prefix('(');
    let second = (dashed.is_some() || bracketed.is_some() && named)
        .then(|| ordinal(bracketed.unwrap_or(after_dash)))
        .flatten();
    let (code, rest) = match (second, bracketed) {
        (Some((second, rest)), Some(_)) => (format!("{first}-{second}"), rest.strip_prefix(')')?),
        (Some((second, rest)), None) => (format!("{first}-{second}"), rest),
        (None, _) => (first.to_string(), rest),
    };
    // Without the word 経営課題 only the full shape is a heading: 1-(1), 【1-1】.
    if !named && (second.is_none() || bracketed.is_none() && inside.is_none()) {
        return None;
    }
    let counts = |c: char| c.is_ascii_digit() || bracketed.is_none() && !named && "%件人団.,、月回".contains(c);
    if rest.starts_with(counts) {
        return None;
    }
    let printed = text.get(head.place_from_end(rest.len())..).unwrap_or_default();
    let title = printed
        .trim_start_matches([' ', '\u{3000}', '】', ']', '＞', '>', '〕', ':', '：'])
        .trim();
    let title = title
        .strip_suffix('】')
        .filter(|_| inside.is_some())
        .unwrap_or(title)
        .trim();
    let is_sentence = title.ends_with('。') || title.chars().nth(200).is_some();
    (!is_sentence).then_some(GoalHeading { code, title, named })
}

/// A code as forms print it: 1-(1) of 1-1.
pub(super) fn printed_code(code: &str) -> String {
    match code.split_once('-') {
        Some((first, second)) => format!("{first}-({second})"),
        None => code.to_owned(),
    }
}

/// Whether a line has no content: marks of forms and pages, first lines of examples, rules.
pub(super) fn is_mark(text: &str) -> bool {
    if text.chars().nth(80).is_some() {
        return false;
    }
    let bare = bare(text);
    let inner = bare.trim_matches(|c| "-()【】[]<>/".contains(c));
    // A closing bracket is the rest of a line that broke off.
    let closes = bare.chars().all(|c| ")】]".contains(c)) && !bare.is_empty();
    if inner.chars().all(|c| "$*_=~".contains(c)) {
        return !closes;
    }
    bare.contains("共通様式") && bare.chars().count() <= 16
        || bare.starts_with("例:架空の様式")
        || bare.contains("「目標」") && bare.contains("「使命」") && !bare.contains('。')
}

/// The unit a line states for the amounts of its table: 千円 of (単位：千円).
pub(super) fn unit(text: &str) -> Option<String> {
    let head = bare(start(text));
    let (_, after) = head.split_once("単位")?;
    let after = after.trim_start_matches(':');
    ["百万円", "千円", "億円", "万円", "円"]
        .into_iter()
        .find(|unit| after.starts_with(unit))
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::{goal, head, is_mark, organization, title, unit, year_alone};

    #[test]
    fn titles_name_year_and_organization_in_either_order() {
        for (text, year, name) in [
            ("令和6年度 西区運営方針", Some("令和6年度"), Some("西区")),
            ("令和７年度西区運営方針（案）", Some("令和7年度"), Some("西区")),
            ("西区 令和6年度運営方針", Some("令和6年度"), Some("西区")),
            ("平成31年度　大阪市此花区 運営方針", Some("平成31年度"), Some("此花区")),
            ("2024年度 健康局運営方針", Some("2024年度"), Some("健康局")),
            ("R6年度 西区運営方針", Some("R6年度"), Some("西区")),
            ("令和元年度 運営方針", Some("令和元年度"), None),
            ("西区運営方針（令和6年度）", Some("令和6年度"), Some("西区")),
            ("令和6年度 西区運営方針 【共通様式】", Some("令和6年度"), Some("西区")),
            ("令和6年度 運営方針 西区", Some("令和6年度"), Some("西区")),
        ] {
            let read = title(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(
                (read.year.as_deref(), read.organization.as_deref()),
                (year, name),
                "{text}"
            );
        }
        for text in [
            "自己評価 (運営方針全体の定性評価)",
            "次年度の運営方針や予算に活かす。",
            "運営方針を、見直す",
        ] {
            assert_eq!(title(text), None, "{text}");
        }
    }

    #[test]
    fn goals_are_numbered_in_many_ways() {
        for (text, code, name) in [
            (
                "経営課題1-(1)地域コミュニティの活性化",
                "1-1",
                "地域コミュニティの活性化",
            ),
            (
                "経営課題1-(2) 安全・安心で快適なまちづくり",
                "1-2",
                "安全・安心で快適なまちづくり",
            ),
            ("経営課題１－（１）　はぐくむまち", "1-1", "はぐくむまち"),
            ("経営課題１－１", "1-1", ""),
            ("【経営課題1】災害に強いまち", "1", "災害に強いまち"),
            ("【経営課題２　にぎわうまち】", "2", "にぎわうまち"),
            ("経営課題1 防災", "1", "防災"),
            ("経営課題①：防災", "1", "防災"),
            ("経営課題 1 (2) 防災", "1-2", "防災"),
            ("１－（１） 防災", "1-1", "防災"),
            ("【1-1】防災", "1-1", "防災"),
            ("経営課題1-(1)人と人とのつながり", "1-1", "人と人とのつながり"),
            ("経営課題12-(10)防災", "12-10", "防災"),
        ] {
            let read = goal(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((read.code.as_str(), read.title), (code, name), "{text}");
        }
        for text in [
            "経営課題1-(1)の達成に向けて取り組む。",
            "経営課題",
            "1-1",
            "1 防災",
            "10-20件",
            "48%以上",
            "1",
            "経営課題0",
            "経営課題100",
            "重点的に取り組む経営課題",
            "(1)災害",
            "",
        ] {
            assert_eq!(goal(text), None, "{text}");
        }
    }

    #[test]
    fn heads_have_a_title_or_only_a_name() {
        let some = |text: &str| Some(text.to_owned());
        for (text, expected) in [
            ("(所属長 : 三村 浩也)", Some((None, some("三村 浩也")))),
            ("区長：三村　浩也", Some((some("区長"), some("三村 浩也")))),
            ("所属長　区長 三村 浩也", Some((some("区長"), some("三村 浩也")))),
            ("所属長名：三村 浩也", Some((None, some("三村 浩也")))),
            ("局長", Some((some("局長"), None))),
            ("成長を支える。", None),
            ("西区", None),
        ] {
            assert_eq!(head(text), expected, "{text}");
        }
    }

    #[test]
    fn marks_of_pages_say_nothing_and_results_do() {
        for text in ["【共通様式】", "$", "例：架空の様式", "----"] {
            assert!(is_mark(text), "{text}");
        }
        for text in ["3団体", "48%", "A", "使命", "1,234"] {
            assert!(!is_mark(text), "{text}");
        }
        assert_eq!(unit("（単位：千円）").as_deref(), Some("千円"));
        assert_eq!(unit("千円"), None);
        assert_eq!(organization("所属名：西区"), Some("西区".to_owned()));
        assert_eq!(organization("所属運営の基本的な考え方"), None);
        assert_eq!(year_alone("【令和6年度】").as_deref(), Some("令和6年度"));
    }
}
