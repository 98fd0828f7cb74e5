//! Any text and any page can be read without a panic; so can the real form in pieces.

use proptest::prelude::{Strategy, any, prop, prop_assert, proptest};

use super::{Form, NISHI_2024, read_html, read_text};

/// Bits that forms are made of, in any order.
fn bits() -> impl Strategy<Value = String> {
    let bit = prop::sample::select(vec![
        "目標",
        "使命",
        "課題認識",
        "主な戦略",
        "アウトカム指標",
        "目標値",
        "実績",
        "6年度実績と達成状況 ※A：達成 B：未達成",
        "前年度実績",
        "達成状況",
        "自己評価",
        "今後の方針",
        "経営課題1-(1)",
        "【経営課題2】",
        "重点的に取り組む経営課題",
        "令和6年度 西区運営方針",
        "(所属長 : 三村 浩也)",
        "4決算額",
        "5予算額",
        "77百万円",
        "－",
        "・",
        "①",
        "②",
        "(1)",
        "：",
        "48%以上",
        "57.0%：A",
        "中助・共助",
        "\t",
        "\t",
        "\n",
        "\n",
        " ",
        "\u{3000}",
        "。",
        "<ul>",
        "<li>",
        "</ul>",
        "<br>",
        "<table>",
        "<tr>",
        "<td>",
        "<td hidden>",
        "<p hidden>",
        "<p data-not-form>",
        "<span data-exact>",
        "<span data-exact='1-1'>",
        "</span>",
        "</td>",
        "</tr>",
        "</table>",
        "<script>",
        "</script>",
        "&nbsp;",
        "3",
        "(単位：千円)",
        "\u{0}",
        "𠮷",
        "ｱ",
    ]);
    prop::collection::vec(bit, 0..80).prop_map(|bits| bits.concat())
}

/// The properties of any form that was read.
fn holds(form: &Form, text: &str) -> bool {
    let lines = u32::try_from(text.split('\n').count()).unwrap() + 1;
    let places = form
        .notes
        .iter()
        .all(|note| (1..=lines).contains(&note.line) && note.column >= 1);
    let sorted = form.notes.is_sorted_by_key(|note| (note.line, note.column)) || form.notes.len() == 200;
    let filled = [&form.vision, &form.mission, &form.basic_approach]
        .into_iter()
        .flatten()
        .flat_map(|field| &field.value)
        .all(|text| !text.is_empty() && text.trim() == text);
    places && sorted && filled && form.notes.len() <= 200
}

proptest! {
    #[test]
    fn any_text_is_read(text in any::<String>()) {
        prop_assert!(holds(&read_text(&text), &text));
        prop_assert!(holds(&read_html(&text), &text));
    }

    #[test]
    fn any_bits_of_forms_are_read(text in bits()) {
        prop_assert!(holds(&read_text(&text), &text));
        prop_assert!(holds(&read_html(&text), &text));
    }

    #[test]
    fn the_real_form_is_read_however_its_lines_are_cut_doubled_and_shuffled(
        picks in prop::collection::vec((0_usize..49, any::<prop::sample::Index>(), any::<bool>()), 0..80)
    ) {
        let lines: Vec<&str> = NISHI_2024.lines().collect();
        let text: String = picks
            .iter()
            .map(|(line, cut, whole)| {
                let line = lines.get(*line).copied().unwrap_or_default();
                let end = if *whole { line.chars().count() } else { cut.index(line.chars().count() + 1) };
                line.chars().take(end).chain(['\n']).collect::<String>()
            })
            .collect();
        let form = read_text(&text);
        prop_assert!(holds(&form, &text));
        // The real form holds no result, so its whole lines give none; a cut line might.
        if picks.iter().all(|(.., whole)| *whole) {
            let none = form.goals.iter().flat_map(|goal| &goal.indicators).all(|it| it.result.is_none() && it.previous.is_none());
            prop_assert!(none);
        }
        prop_assert!(holds(&read_html(&text), &text));
    }

    #[test]
    fn results_are_attached_all_and_in_order_or_not_at_all(
        indicators in 1_usize..6,
        results in 0_usize..6,
        previous in 0_usize..6,
        shape in 0_usize..5,
    ) {
        let form = shaped(indicators, results, previous, shape);
        let read = &form.goals.first().unwrap().indicators;
        assert_eq!(read.len(), indicators);
        let fits = |count: usize| count == 0 || count == indicators;
        let told = form.notes.iter().any(|note| note.code == "result_count");
        assert_eq!(told, !(fits(results) && fits(previous)), "{:?}", form.notes);
        for (n, indicator) in read.iter().enumerate() {
            let value = |count: usize, text: String| (!told && count > 0).then_some(text);
            let result = indicator.result.as_ref().and_then(|it| it.value.value).map(|it| it.to_string());
            assert_eq!(result, value(results, format!("{}", n + 1)));
            let before = indicator.previous.as_ref().map(|it| it.value.0.clone());
            assert_eq!(before, value(previous, format!("{}%", n + 101)));
        }
    }
}

/// A form with so many indicators, results and previous results, in one of the shapes of their tables.
fn shaped(indicators: usize, results: usize, previous: usize, shape: usize) -> Form {
    let names: Vec<String> = (1..=indicators).map(|n| format!("指標その{n}：{n}%以上")).collect();
    let results: Vec<String> = (1..=results).map(|n| format!("{n}%：A")).collect();
    let previous: Vec<String> = (1..=previous).map(|n| format!("{}%", n + 100)).collect();
    let head = "令和6年度 西区運営方針\n経営課題1-(1) 防災\n";
    let (label, now, before) = (
        "アウトカム指標の達成状況",
        "6年度実績と達成状況 ※A：達成 B：未達成",
        "前年度実績",
    );
    let list = |bullet: &str, texts: &[String]| {
        let items: Vec<String> = texts.iter().map(|text| format!("{bullet}{text}")).collect();
        items.join(" ")
    };
    let lines = |texts: &[String]| {
        texts
            .iter()
            .map(|text| format!("・{text}\n"))
            .collect::<Vec<_>>()
            .concat()
    };
    let tags = |texts: &[String]| {
        texts
            .iter()
            .map(|text| format!("<li>{text}"))
            .collect::<Vec<_>>()
            .concat()
    };
    match shape {
        0 => {
            let (names, results, previous) = (list("・", &names), list("・", &results), list("・", &previous));
            read_text(&format!(
                "{head}アウトカム指標\t{names}\n{label}\t{now}\t{results}\t{before}\t{previous}\n"
            ))
        }
        1 => {
            let (names, results, previous) = (lines(&names), lines(&results), lines(&previous));
            read_text(&format!(
                "{head}アウトカム指標\n{names}{now}\n{results}{before}\n{previous}"
            ))
        }
        2 => {
            let (names, results, previous) = (list("・", &names), list("・", &results), list("・", &previous));
            read_text(&format!(
                "{head}アウトカム指標\t{names}\n{label}\t{now}\t{before}\n\t{results}\t{previous}\n"
            ))
        }
        3 => {
            let (names, results, previous) = (tags(&names), tags(&results), tags(&previous));
            read_html(&format!(
                "{}<table><tr><th>アウトカム指標<td><ul>{names}</ul><tr><th>{label}<th>{now}<td><ul>{results}</ul><th>{before}<td><ul>{previous}</ul></table>",
                head.replace('\n', "<p>")
            ))
        }
        _ => {
            let (names, results, previous) = (list("", &names), list("", &results), list("", &previous));
            let list = "<ul style=\"list-style-type: none\">";
            read_text(&format!(
                "{head}アウトカム指標\t{list} {names}\n{label}\t{now}\t{list} {results}\t{before}\t{list} {previous}\n"
            ))
        }
    }
}
