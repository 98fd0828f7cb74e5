//! Forms put together at random, in the shapes in which people paste them: whatever the shape, the figures are those that
//! were written, or the form is refused, or a figure stays text. No figure is ever another one.

use std::{collections::BTreeSet, fmt::Write as _};

use proptest::{
    prelude::{Just, ProptestConfig, Strategy, any, prop, prop_assert, proptest},
    test_runner::TestCaseError,
};

use super::{Form, Severity, read_html, read_text};
use writing::{BETWEEN, LEGENDS, Parted, Written, boxes, parted, written};

mod writing;

/// The number that a text prints: 1204 of 1,204人.
fn number(printed: &str, unit: &str) -> String {
    let text = printed.trim_end_matches("以上").trim_end_matches(unit).replace(',', "");
    plain(&text)
}

/// A number without the zeros that change nothing.
fn plain(number: &str) -> String {
    if number.contains('.') {
        number.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        number.to_owned()
    }
}

/// Checks that each figure of a form that was read is the figure that was written there, or missing. Gives how many were read.
fn hold(form: &Form, written: &[Written], text: &str) -> Result<usize, TestCaseError> {
    let errors: Vec<_> = form
        .notes
        .iter()
        .filter(|note| note.severity == Severity::Error)
        .collect();
    if !errors.is_empty() {
        return Ok(0);
    }
    let mut read = 0;
    for goal in &form.goals {
        for figure in &goal.budgets {
            if let Some(yen) = figure.value.money.amount_yen {
                let is_written = matches!(
                    (figure.value.fiscal_year.get(), yen.0),
                    (2023, 77_000_000) | (2024, 1_018_000)
                );
                prop_assert!(is_written, "{figure:?}: {text}");
                read += 1;
            }
        }
        for it in &goal.indicators {
            let target = it.read.value.target.as_ref().and_then(|target| target.target.value);
            let result = it.result.as_ref().and_then(|field| field.value.value);
            let rating = it.result.as_ref().and_then(|field| field.value.declared_rating);
            let previous = it.previous.as_ref().and_then(|field| field.value.1.value);
            // A name may begin with the rest of a line that broke off, or be broken itself.
            let name = &it.read.value.name;
            let of = written
                .iter()
                .find(|of| name.ends_with(&of.name) || of.name.starts_with(name));
            let Some(of) = of else {
                prop_assert!(
                    target.is_none() && result.is_none() && previous.is_none(),
                    "{it:?}: {text}"
                );
                continue;
            };
            for (found, printed) in [(target, &of.target), (result, &of.result), (previous, &of.previous)] {
                if let Some(found) = found {
                    prop_assert!(
                        plain(&found.to_string()) == number(printed, of.unit),
                        "{found} for {printed}: {text}"
                    );
                    read += 1;
                }
            }
            let said = rating.map_or(String::new(), |rating| format!("：{rating}"));
            prop_assert!(said.is_empty() || said == of.rating, "{said}: {text}");
        }
    }
    Ok(read)
}

/// The numbers that stand in a text as whole ones, in any width.
fn whole_numbers(text: &str) -> BTreeSet<String> {
    let narrow: String = text.chars().map(crate::domain::form::width::narrow).collect();
    let runs = narrow.split(|c: char| !c.is_ascii_digit() && c != '.' && c != ',');
    runs.map(|run| run.trim_matches(['.', ',']))
        .filter(|run| !run.is_empty())
        .map(|run| {
            let digits = run.replace(',', "");
            let whole = digits.trim_start_matches('0');
            let zero = if whole.is_empty() || whole.starts_with('.') {
                "0"
            } else {
                ""
            };
            plain(&format!("{zero}{whole}"))
        })
        .collect()
}

/// Every number of a form stands in its text as a whole one, or is a documented multiple of one: 割 is 10%, 千円 are
/// 1,000.
fn hold_whole(form: &Form, text: &str) -> Result<(), TestCaseError> {
    let whole = whole_numbers(text);
    let stands = |number: rust_decimal::Decimal| {
        let number = number.abs();
        let tenth = number / rust_decimal::Decimal::TEN;
        [number, tenth]
            .iter()
            .any(|it| whole.contains(&plain(&it.normalize().to_string())))
    };
    for goal in &form.goals {
        for it in &goal.indicators {
            let target = it.read.value.target.as_ref();
            let results = [
                it.result.as_ref().map(|field| &field.value),
                it.previous.as_ref().map(|field| &field.value.1),
            ];
            let results = results
                .into_iter()
                .flatten()
                .flat_map(|read| [read.value, read.cumulative_value]);
            let targets = target
                .into_iter()
                .flat_map(|read| [read.target.value, read.target.upper]);
            for number in results.chain(targets).flatten() {
                prop_assert!(stands(number.0), "{number} in {text:?}: {it:?}");
            }
        }
        for figure in &goal.budgets {
            if let Some(yen) = figure.value.money.amount_yen {
                let units = [1, 1_000, 10_000, 1_000_000, 100_000_000].map(rust_decimal::Decimal::from);
                let is_whole = units.iter().any(|unit| {
                    let number = rust_decimal::Decimal::from(yen.0.abs()) / unit;
                    whole.contains(&plain(&number.normalize().to_string()))
                });
                prop_assert!(is_whole, "{yen:?} in {text:?}");
            }
        }
    }
    Ok(())
}

/// Pieces of figures and of what may stand around them.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "1",
        "2",
        "48",
        "3.",
        ",",
        ".5",
        "1,204",
        "５",
        "６%",
        "%",
        "件",
        "人",
        "件以上",
        "以上",
        "：",
        "：A",
        "B",
        "・",
        "-",
        "- ",
        "▲",
        "①",
        "1. ",
        "2) ",
        "²",
        "½",
        "\n",
        "\t",
        "\"",
        " ",
        "　",
        "\r",
        "\u{b}",
        "\u{0}",
        "<br>",
        "<sup>2</sup>",
        "<sub>3</sub>",
        "<s>4</s>",
        "<del>8</del>",
        "<del>",
        "<li>",
        "</li>",
        "<td>",
        "<td colspan=2>",
        "<td rowspan=2>",
        "<tr>",
        "<s style='x'>",
        "満足度",
        "件数",
        "アウトカム指標",
        "目標値",
        "6年度実績",
        "達成状況",
        "前年度実績",
        "※A：達成 B：未達成",
        "集計中",
        "6予算額（円）",
        "5決算額",
        "円",
        "- 3 -",
        "更新日：2024年4月1日",
    ]);
    prop::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(4_000) })]

    #[test]
    fn figures_are_those_that_were_written_in_whatever_shape(
        written in written(),
        shapes in [parted(), parted(), parted()],
        legend in prop::sample::select(LEGENDS.to_vec()),
        between in prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(BETWEEN.to_vec())), 0..4),
        wrap in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut lines: Vec<String> = boxes(&written, shapes, legend).lines().map(str::to_owned).collect();
        // Lines of pages may stand anywhere but within quotes.
        let quoted = shapes.contains(&Parted::Quoted);
        if let Some(wrap) = wrap.filter(|_| !quoted) {
            let line = wrap.index(lines.len());
            let at = wrap.index(lines[line].chars().count() + 1);
            let (head, tail): (String, String) = (lines[line].chars().take(at).collect(), lines[line].chars().skip(at).collect());
            lines.splice(line..=line, [head, tail]);
        }
        for (at, furniture) in between.iter().filter(|_| !quoted) {
            lines.insert(at.index(lines.len() + 1), (*furniture).to_owned());
        }
        let text = lines.join("\n");
        let form = read_text(&text);
        hold(&form, &written, &text)?;
        hold_whole(&form, &text)?;
    }

    #[test]
    fn a_form_as_it_is_asked_for_is_read_whole(
        written in written(),
        shapes in [parted(), parted(), parted()],
        legend in prop::sample::select(LEGENDS.to_vec()),
        furniture in prop::sample::select(BETWEEN.to_vec()),
    ) {
        // A lone dash is no list, and a lone target or result is itself.
        let shapes = shapes.map(|parted| if parted == Parted::Dashes && written.len() == 1 { Parted::Lines } else { parted });
        let text = format!("{furniture}\n{}{furniture}\n", boxes(&written, shapes, legend));
        let form = read_text(&text);
        let read = hold(&form, &written, &text)?;
        prop_assert!(read == 2 + 3 * written.len(), "{read}: {text} {:?}", form.notes);
    }

    #[test]
    fn figures_of_a_table_are_those_that_were_written_however_its_cells_are_merged(
        written in written(),
        goal_spans in any::<bool>(),
        struck in prop::option::of(0_usize..4),
        joined in any::<bool>(),
        heads_over_two_rows in any::<bool>(),
    ) {
        let mut page = "<h1>令和6年度 西区運営方針</h1><nav>トップ <a>西区</a> 2024</nav>".to_owned();
        if !goal_spans {
            page.push_str("<h2>経営課題1-(1) 防災</h2>");
        }
        let goal_head = |rows: u32| if goal_spans { format!("<th rowspan={rows}>経営課題</th>") } else { String::new() };
        page.push_str("<table>");
        if heads_over_two_rows {
            write!(page, "<tr>{}<th rowspan=2>指標<th rowspan=2>目標値<th colspan=2>実績<tr><th>6年度<th>前年度", goal_head(2)).unwrap();
        } else {
            write!(page, "<tr>{}<th>指標<th>目標値<th>6年度実績と達成状況<th>前年度実績", goal_head(1)).unwrap();
        }
        let count = written.len();
        for (n, it) in written.iter().enumerate() {
            page.push_str("<tr>");
            if goal_spans && n == 0 {
                write!(page, "<td rowspan={count}>経営課題1-(1) 防災").unwrap();
            }
            let old = |column: usize| if struck == Some(column) { "<s>48</s>" } else { "" };
            write!(page, "<td>{}<td>{}{}", it.name, old(0), it.target).unwrap();
            if !joined {
                write!(page, "<td>{}{}{}<td>{}{}", old(1), it.result, it.rating, old(2), it.previous).unwrap();
            } else if n == 0 {
                let all = |text: &dyn Fn(&Written) -> String| written.iter().map(text).collect::<Vec<_>>().join("<br>");
                let (results, previous) = (all(&|it| format!("{}{}", it.result, it.rating)), all(&|it| it.previous.clone()));
                write!(page, "<td rowspan={count}>{results}<td rowspan={count} colspan=1000000000>{previous}").unwrap();
            }
        }
        page.push_str("</table><footer>電話：06-6532-9625</footer>");
        let form = read_html(&page);
        let read = hold(&form, &written, &page)?;
        // A column of 10^9 columns is wider than its head.
        prop_assert!(joined || read == 3 * count, "{read}: {page} {:?}", form.notes);
    }

    #[test]
    fn every_stored_number_stands_in_the_text_as_a_whole_one(
        before in pieces(), pieces in pieces(), shape in prop::sample::select(vec![0_u8, 1, 2]), end in Just("前年度実績\t1件"),
    ) {
        let head = "令和6年度 西区運営方針\n経営課題1-(1) 防災\n";
        let text = match shape {
            0 => format!("{head}{before}アウトカム指標\n満足度：1件以上{pieces}\n"),
            1 => format!("{head}アウトカム指標\t満足度：{pieces}件以上\n6年度実績\t{before}\n{end}{pieces}\n"),
            _ => format!("{head}アウトカム指標\t目標値\t6年度実績\t前年度実績\n満足度\t{before}件以上\t{pieces}\t{before}\n"),
        };
        hold_whole(&read_text(&text), &text)?;
        let page = text.replace('\n', "<p>").replace('\t', "<td>");
        hold_whole(&read_html(&page), &page)?;
    }
}
