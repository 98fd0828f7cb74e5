//! Every text that is read in full, changed by a character or a token: it is read as the same, as something else that its words
//! say, or no longer in full. What its words say is told by rules of its own, simpler than the grammar and stricter.

use super::{named::NAMED, *};
use crate::domain::reading::{indicator, number, plain::plain};

/// Targets that are read in full without a name.
const ALONE: &[&str] = &[
    "81.2%以上",
    "1時間30分以内",
    "2,000件～2,400件",
    "前年度実績を上回る",
    "前年度実績(57%)以上",
    "令和元年度より減少",
    "令和4年度実績（1,020件）以上",
    "前年度より増加（前年度実績57%）",
    "R3～R5累計で10,000世帯以上",
    "10,000世帯以上（令和3年度から令和5年度までの合計）",
    "令和7年度末までに80%以上",
    "2倍以上(令和4年度実績100件)",
    "全15地域で策定する",
    "死者ゼロ",
    "90%を維持",
];
/// What is put into texts and in the place of their parts.
const PIECES: &[&str] = &[
    "0",
    "1",
    "9",
    ".",
    ",",
    " ",
    "\n",
    "-",
    "▲",
    "²",
    "½",
    "①",
    "/",
    "％",
    "件",
    "ポイント",
    "割",
    "万",
    "分の",
    "約",
    "程度",
    "以上",
    "以下",
    "未満",
    "超",
    "ない",
    "増",
    "減",
    "増やす",
    "を下回る",
    "上回らない",
    "前年度",
    "R5",
    "令和8年度末までに",
    "4年度",
    "年度",
    "末",
    "月",
    "各",
    "全",
    "ゼロ",
    "倍",
    "、",
    "：",
    "かつ",
    "（",
    "）",
    "(80%)",
    "の",
    "より",
    "に",
    "～",
    "→",
    "維持",
    "平均",
    "毎年",
    "だけ",
];
/// One of so many mutants is read: those of different texts differ in what is put where. The fuzz targets read all others.
const STEP: usize = 5;
/// Words that a target read in full must not hold, whatever it is: it says more, or less, than the reading does.
const NEVER: &[&str] = &["約", "程度", "かつ", "ただし", "²", "½", "半減", "倍増"];

#[test]
fn a_changed_text_is_never_read_as_something_that_it_does_not_say() {
    let mut wrong = Vec::new();
    let (mut count, mut full) = (0, 0);
    let texts = NAMED.iter().map(|(line, ..)| *line).chain(ALONE.iter().copied());
    for (nth, text) in texts.enumerate() {
        for mutant in mutants(text).into_iter().skip(nth % STEP).step_by(STEP) {
            count += 1;
            for read in [Some(read_2024(&mutant)), indicator::read(&mutant, year(2024)).target]
                .into_iter()
                .flatten()
            {
                full += usize::from(read.parse == Parse::Full);
                if let Err(why) = says(&read) {
                    wrong.push((why, format!("{mutant:?}: {}", lines::outline(&read))));
                }
            }
        }
    }
    let some = wrong.iter().step_by(wrong.len() / 30 + 1);
    let some: Vec<String> = some.map(|(why, it)| format!("{why}: {it}")).collect();
    assert!(
        wrong.is_empty(),
        "{} of {count}, {full} full:
{}",
        wrong.len(),
        some.join(
            "
"
        )
    );
    assert!(count > 50_000 && full > 20_000, "{count} {full}");
}

#[test]
fn a_text_without_its_word_of_comparison_is_not_read_as_before() {
    use Comparator::{DecreaseBy, DecreaseByPercent, IncreaseBy, IncreaseByPercent};
    let read = |text: &str| {
        let it = indicator::read(text, year(2024))
            .target
            .unwrap_or_else(|| read_2024(text));
        (it.parse == Parse::Full).then_some((
            it.target.comparator,
            it.target.value,
            it.target.reference,
            it.target.period,
        ))
    };
    let words = [
        "以上",
        "以下",
        "以内",
        "未満",
        "ない",
        "らない",
        "超",
        "を上回る",
        "を下回る",
        "減少",
        "向上",
        "上昇",
        "増やす",
        "前年度",
        "ゼロ",
        "維持",
        "（R4～R6",
        "令和8年度末",
    ];
    let alone = ALONE.iter().map(|text| (*text, ""));
    for (text, name) in NAMED.iter().map(|(line, name, _)| (*line, *name)).chain(alone) {
        // Said twice: 以上に増やす, →30件以下, 0人を維持.
        if ["→", "以上に", "以下に", "0人を維持", "維持・向上"]
            .iter()
            .any(|it| text.contains(it))
        {
            continue;
        }
        let before = read(text);
        let target = text.find(name).unwrap() + name.len();
        for word in words {
            // A change by 5 is one by at least 5.
            let by = matches!(
                before,
                Some((IncreaseBy | IncreaseByPercent | DecreaseBy | DecreaseByPercent, ..))
            );
            // And a bar that is kept is one that is reached.
            let kept = matches!(before, Some((Comparator::Maintain, ..)));
            if by && word == "以上" || !kept && word == "維持" {
                continue;
            }
            let Some(at) = text[target..].find(word).map(|at| at + target) else {
                continue;
            };
            let without = format!("{}{}", &text[..at], &text[at + word.len()..]);
            assert!(before != read(&without), "{without}: {before:?}");
        }
    }
}

/// A text, changed in one place.
fn mutants(text: &str) -> Vec<String> {
    let plain = Plain::of(text);
    let tokens = lex(&plain, Some(year(2024)));
    let mut mutants = Vec::new();
    let mut places: Vec<(usize, usize)> = tokens
        .iter()
        .map(|token| (plain.place(token.at.start), plain.place(token.at.end)))
        .collect();
    places.extend(text.char_indices().map(|(at, c)| (at, at + c.len_utf8())));
    for (start, end) in places {
        let (before, part, after) = (&text[..start], &text[start..end], &text[end..]);
        mutants.push(format!("{before}{after}"));
        mutants.push(format!("{before}{part}{part}{after}"));
        for piece in PIECES {
            mutants.push(format!("{before}{piece}{after}"));
            mutants.push(format!("{before}{piece}{part}{after}"));
        }
    }
    mutants
}

/// Whether the text of a target says what was read, as far as words and numbers tell.
fn says(read: &ReadTarget) -> Result<(), String> {
    let target = &read.target;
    let is_words = matches!(target.comparator, Comparator::Qualitative | Comparator::Undecided);
    if read.parse != Parse::Full {
        let blank = Target {
            text: read.target.text.clone(),
            comparator: Comparator::Unread,
            ..Target::default()
        };
        return if read.target == blank {
            Ok(())
        } else {
            Err("partial and stored".to_owned())
        };
    }
    let text = plain(&read.target.text.as_ref().ok_or("no text")?.0);
    if is_words {
        let numbers = target.period == Period::default() && text.contains(|c: char| c.is_ascii_digit());
        return if numbers {
            Err("words with a number".to_owned())
        } else {
            Ok(())
        };
    }
    let is_average = text.contains("平均") && target.reference.kind != ReferenceKind::External;
    if is_average {
        return Err("an average of something".to_owned());
    }
    // As much as something else is no estimate.
    let estimated = text.replace("同程度", "");
    if let Some(word) = NEVER.iter().find(|word| estimated.contains(**word)) {
        return Err(format!("holds {word}"));
    }
    direction_is_said(read.target.comparator, &text)?;
    numbers_are_said(read, &text)?;
    let printed = print(target, read.unit.as_deref());
    // A change in percent is one of a count, which its name says.
    let again = read_of(Counted::Yes, &printed, year(2024)).target;
    if (Target { text: None, ..again })
        != (Target {
            text: None,
            ..read.target.clone()
        })
    {
        return Err(format!("printed {printed}"));
    }
    Ok(())
}

/// Whether the words of a text allow a comparator: no word that says another one.
fn direction_is_said(comparator: Comparator, text: &str) -> Result<(), String> {
    use Comparator::{
        Between, Decrease, DecreaseBy, DecreaseByPercent, Gt, Gte, Increase, IncreaseBy, IncreaseByPercent, Lt, Lte,
        Maintain,
    };
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let no = has(&["ない"]);
    let least = has(&["以上", "少なくとも", "最低", "≧"]);
    let most = has(&["以下", "以内", "最大", "上限"]);
    let above = has(&["超", "越え", "上回"]);
    let below = has(&["未満", "下回", "割らな", "割る", "切る"]);
    let more = has(&["増", "向上", "上昇", "高め", "上げ", "伸ば", "多い", "高く", "アップ"]);
    let less = has(&["減", "低下", "下げ", "短縮", "抑え", "▲", "比-"]);
    let none = has(&["ゼロ"]) || text.contains('0');
    let from_to = has(&["→"]);
    let at = !(least || most || above || below);
    let holds = match comparator {
        Gte if no => !least && !most && !above && !more && (below || less),
        Gte => !most && !above && !below && !less && (least || more || from_to || has(&["全", "すべて"])),
        Lte if no => !least && !most && !below && !less && (above || more),
        Lte => !least && !above && !below && !more && (most || less || from_to || none),
        Gt => !no && !least && !most && !below && !less && (above || more),
        Lt => !no && !least && !most && !above && !more && (below || less),
        Between => !no && !above && !below && !more && (has(&["~", "-"]) || least && most),
        Increase | IncreaseBy | IncreaseByPercent => !no && !most && !below && !less && (more || above || has(&["+"])),
        Decrease | DecreaseBy | DecreaseByPercent => !no && !most && !above && !more && (less || below),
        Maintain => !no && at && !more && !less && has(&["維持", "堅持", "継続", "並", "同", "水準"]),
        _ => false,
    };
    if holds {
        Ok(())
    } else {
        Err("another comparison".to_owned())
    }
}

/// Whether every number of a text is one that was read, and every number that was read stands in the text.
fn numbers_are_said(read: &ReadTarget, text: &str) -> Result<(), String> {
    let target = &read.target;
    let stored = [target.value, target.upper, target.reference.value];
    let known: Vec<_> = stored.into_iter().chain([read.reference.value]).flatten().collect();
    let mut years: Vec<FiscalYear> = [
        target.reference.fiscal_year,
        read.reference.fiscal_year,
        target.period.from,
        target.period.to,
    ]
    .into_iter()
    .flatten()
    .collect();
    years.push(year(2024));
    years.extend(year(2024).previous());
    let mut found: Vec<rust_decimal::Decimal> = Vec::new();
    // The name of a figure from outside is no number: 24区平均.
    let name = target.reference.name.as_ref().map_or("", |name| name.0.as_str());
    let text = &text.replacen(name, "", usize::from(!name.is_empty()));
    let mut rest = text.as_str();
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        let start = &rest[at..];
        let len = start.find(|c: char| !(c.is_ascii_digit() || matches!(c, ',' | '.') || "百千万億兆".contains(c)));
        let run = &start[..len.unwrap_or(start.len())];
        let run = run.strip_suffix(',').unwrap_or(run);
        let is_of_an_era = text[..text.len() - start.len()].ends_with('R');
        // R7.3末 is a date.
        let run = run
            .split_once('.')
            .filter(|_| is_of_an_era)
            .map_or(run, |(year, _)| year);
        rest = start[run.len()..].trim_start();
        let is_of_a_year = rest.starts_with(['年', '月', '日'])
            || text[..text.len() - start.len()].ends_with(['R', '和', '成', '~', '/', '.']);
        let Some(numeral) = number::leading(run).filter(|it| it.len == run.len()) else {
            return Err(format!("{run} is no number"));
        };
        let value = numeral.value;
        let is_known = known.iter().any(|it| it.0 == value);
        let is_year = is_of_a_year && years.iter().any(|year| is_said_by(*year, run));
        let is_part = rest.starts_with(['割', '分', '秒', '時', '倍'])
            || read.reference.value.is_some() && text.contains('倍')
            || text.contains('→')
            || is_where_a_change_starts(rest);
        let is_date = rest.starts_with(['月', '日', '末']) || text[..text.len() - start.len()].ends_with('月');
        let years_together = target
            .period
            .from
            .zip(target.period.to)
            .map(|(from, to)| to.get() - from.get() + 1);
        let is_count = rest.starts_with("年") && years_together.is_some_and(|years| value == years.into());
        if !(is_count || is_known || is_year || is_part || is_date) {
            return Err(format!("{run} was not read"));
        }
        found.push(value);
    }
    let is_multiple =
        text.contains(['割', '分', '時', '倍']) || text.contains("ゼロ") || text.contains(number::is_kanji);
    for value in stored.into_iter().flatten() {
        if !found.contains(&value.0) && !is_multiple {
            return Err(format!("{} does not stand there", value.0));
        }
    }
    Ok(())
}

/// Whether a number with its unit stands before から: 35か所から40か所以上に増やす.
fn is_where_a_change_starts(behind: &str) -> bool {
    let unit = behind.split_once("から").map_or("-", |(unit, _)| unit);
    unit.chars().count() <= 10 && unit.chars().all(|c| c.is_alphabetic() || matches!(c, '%' | ' '))
}

/// Whether digits name a year in one of its eras.
fn is_said_by(year: FiscalYear, digits: &str) -> bool {
    let year = year.get();
    [year, year + 1, year - 2018, year - 2017, year - 1988, year - 1925]
        .iter()
        .any(|it| it.to_string() == digits.trim_start_matches('0'))
}
