//! Files that are no forms, or not quite: each says what is wrong, in bounded time.

use std::fmt::Write as _;

use super::{NISHI_2024, errors, outline, read_html, read_text, warnings};

/// A form with one goal, which has this content.
fn with_goal(goal: &str) -> String {
    format!("令和6年度 西区運営方針\n経営課題1-(1) 防災\n{goal}\n")
}

#[test]
fn what_is_no_form_says_so_and_nothing_else() {
    for text in [
        "",
        "\n\n",
        "こんにちは",
        "a,b,c\n1,2,3\n",
        "<html><body><p>お知らせ</p></body></html>",
        "1\n2\n3\n",
        "\0\0",
        "目標を達成する。",
    ] {
        for form in [read_text(text), read_html(text)] {
            assert_eq!(errors(&form), ["not_a_form"], "{text}");
            assert_eq!(form.notes.len(), 1, "{text}");
        }
    }
}

#[test]
fn a_head_alone_is_a_form_that_breaks_off() {
    assert_eq!(
        errors(&read_text("令和6年度 西区運営方針\n(所属長 : 三村 浩也)\n")),
        ["truncated"]
    );
    let cut = NISHI_2024.lines().take(12).collect::<Vec<_>>().join("\n");
    assert_eq!(errors(&read_text(&cut)), ["truncated"]);
}

#[test]
fn a_last_goal_without_the_results_that_others_have_breaks_off() {
    let cut = NISHI_2024.lines().take(47).collect::<Vec<_>>().join("\n");
    assert_eq!(errors(&read_text(&cut)), ["truncated"]);
}

#[test]
fn organization_and_year_are_asked_for() {
    let body = NISHI_2024.lines().skip(8).collect::<Vec<_>>().join("\n");
    let form = read_text(&body);
    assert_eq!(errors(&form), ["organization_missing"]);
    // 令和6年度 所属運営の基本的な考え方 says the year too.
    assert_eq!(form.fiscal_year.unwrap().value.get(), 2024);
    assert_eq!(
        errors(&read_text(&body.replace("令和6年度 ", ""))),
        ["fiscal_year_missing", "organization_missing"]
    );
    assert_eq!(
        errors(&read_text(&NISHI_2024.replace("令和6年度", "6年度"))),
        ["fiscal_year_missing"]
    );
}

#[test]
fn codes_and_indicators_that_occur_twice_are_errors() {
    let twice = NISHI_2024.replace("経営課題1-(2)", "経営課題1-(1)");
    assert_eq!(errors(&read_text(&twice)), ["goal_repeated"]);
    let twice = with_goal("アウトカム指標\t・備え：50%以上 ・備え：60%以上");
    assert_eq!(errors(&read_text(&twice)), ["indicator_repeated"]);
    let twice = with_goal("\t5予算額\t1百万円\t5予算額\t2百万円\nアウトカム指標\t・備え：50%以上");
    assert_eq!(errors(&read_text(&twice)), ["budget_repeated"]);
}

#[test]
fn what_cannot_be_read_is_kept_with_a_warning() {
    let form = read_text(&with_goal(
        "\t4決算額\t多額\t5予算額\t2百万円\nアウトカム指標\t・備え：50%以上\nアウトカム指標の達成状況\t6年度実績と達成状況\t・増えた気がする\t前年度実績\t・45%",
    ));
    assert_eq!(errors(&form), Vec::<&str>::new());
    assert_eq!(warnings(&form), ["budget_unreadable", "result_unreadable"]);
    let goal = form.goals.first().unwrap();
    assert_eq!(goal.budgets.first().unwrap().value.text.as_deref(), Some("多額"));
    let result = goal.indicators.first().unwrap().result.as_ref().unwrap();
    assert_eq!(result.value.text.as_deref(), Some("増えた気がする"));
}

#[test]
fn results_of_another_year_go_where_their_head_says() {
    let table = |year: &str| {
        with_goal(&format!(
            "アウトカム指標\t・備え：50%以上\nアウトカム指標の達成状況\t{year}年度実績\t・45%"
        ))
    };
    let form = read_text(&table("5"));
    assert_eq!(outline(&form).last().unwrap(), "  備え | 50%以上 | - | 45%");
    let form = read_text(&table("令和2"));
    assert_eq!(warnings(&form), ["result_year"]);
    assert_eq!(outline(&form).last().unwrap(), "  備え | 50%以上 | - | -");
}

#[test]
fn what_looks_like_something_else_is_not_taken_for_it() {
    let table = "アウトカム指標\t・備え：50%以上 ・※市民アンケート\nアウトカム指標の達成状況\t6年度実績と達成状況\t前年度実績\n";
    // Blank budgets take no results for their amounts; budgets may stand below the boxes.
    let form = read_text(&with_goal(&format!(
        "課題認識\t・備え\n\t4決算額\t\t5予算額\t\n{table}\t51%\t49%"
    )));
    assert_eq!(warnings(&form), ["remark_left_out"]);
    assert_eq!(
        outline(&form),
        [
            "1-1 防災",
            "  2022 actual （空欄） = -",
            "  2023 initial （空欄） = -",
            "  備え | 50%以上 | 51% | 49%"
        ]
    );
    // A goal that the evaluation mentions does not occur twice.
    let form = read_text(&format!(
        "{}自己評価\n経営課題1-(1) 防災\n・達成した。\n",
        with_goal(table)
    ));
    assert_eq!((errors(&form), form.goals.len()), (Vec::new(), 1));
    assert_eq!(
        form.self_evaluation.unwrap().value,
        ["経営課題1-(1) 防災", "達成した。"]
    );
}

#[test]
fn a_number_of_a_page_is_no_result() {
    let form = read_text(&with_goal(
        "アウトカム指標\t・備え：50件以上\nアウトカム指標の達成状況\t6年度実績と達成状況\t\t前年度実績\t\n3\n- 3 -",
    ));
    assert_eq!(outline(&form).last().unwrap(), "  備え | 50件以上 | - | -");
}

#[test]
fn results_below_their_heads_go_to_the_head_above_them() {
    let head =
        "アウトカム指標\t・備え：50%以上 ・訓練：60%以上\nアウトカム指標の達成状況\t6年度実績と達成状況\t前年度実績\n";
    let expected = ["  備え | 50%以上 | 51% A | 49%", "  訓練 | 60%以上 | 59% B | 58%"];
    for rows in ["\t・51%：A ・59%：B\t・49% ・58%", "\t51%：A\t49%\n\t59%：B\t58%"] {
        let read = outline(&read_text(&with_goal(&format!("{head}{rows}"))));
        assert_eq!(read.get(1..).unwrap(), expected, "{rows}");
    }
    // One result for two indicators, in either column, is attached to none.
    for rows in ["\t51%：A\t49%\n\t\t58%", "\t51%：A\t49%\n\t59%：B\t"] {
        let form = read_text(&with_goal(&format!("{head}{rows}")));
        assert_eq!(errors(&form), ["result_count"], "{rows}");
        assert_eq!(
            outline(&form).get(1..).unwrap(),
            ["  備え | 50%以上 | - | -", "  訓練 | 60%以上 | - | -"]
        );
    }
}

#[test]
fn a_row_that_does_not_fit_its_heads_is_an_error() {
    let html = "<h1>令和6年度 西区運営方針</h1><h2>経営課題1-(1) 防災</h2><table>\
        <tr><th>アウトカム指標</th><th>目標値</th><th>6年度実績</th></tr>\
        <tr><td>備え</td><td>50%以上</td><td>51%</td></tr><tr><td>訓練</td><td>59%</td></tr></table>";
    let form = read_html(html);
    assert_eq!(errors(&form), ["table_row"]);
    assert_eq!(outline(&form).get(1..).unwrap(), ["  備え | 50%以上 | 51% | -"]);
}

#[test]
fn a_box_that_is_not_known_is_left_out_with_a_warning() {
    let form = read_text(&with_goal(
        "課題認識\t・備えが足りない。\n取組実績\t・10回行った。\nアウトカム指標\t・備え：50%以上",
    ));
    assert_eq!(warnings(&form), ["label_unknown", "text_unplaced"]);
    assert_eq!(
        form.goals.first().unwrap().issue_recognition.as_ref().unwrap().value,
        ["備えが足りない。"]
    );
}

#[test]
fn what_a_page_hides_is_not_read_and_what_follows_it_is() {
    let page = |hidden: &str| {
        read_html(&format!(
            "<h1>令和6年度 西区運営方針</h1>{hidden}<table><tr><th>使命</th><td>安全</td></tr></table>\
             <h2>経営課題1-(1) 防災</h2><table><tr><th>アウトカム指標</th><td>備え：50%以上</td></tr></table>"
        ))
    };
    let plain = page("");
    assert_eq!(plain.mission.as_ref().unwrap().value, ["安全"]);
    for hidden in [
        "<p hidden>目標</p>",
        "<p hidden>目標<div>",
        "<div hidden><div>目標</div><table><tr><td>使命</td><td>x</td></tr></table></div>",
        "<div aria-hidden='true'>目標</div>",
        "<script>if (a < b) '<table><tr><td>目標</td><td>y</td></tr>'</script>",
        "<style>/* <td>目標 */</style>",
        "<template><p>目標</p></template>",
        "<textarea><p>目標</p></textarea>",
        "<!-- <p>目標</p> -->",
        "<ul><li hidden>目標<li></ul>",
        "<table><tr><td hidden>目標<td></td></tr></table>",
        "<input hidden>",
    ] {
        let form = page(hidden);
        assert_eq!((&form.vision, &form.mission), (&None, &plain.mission), "{hidden}");
        assert_eq!(errors(&form), Vec::<&str>::new(), "{hidden}");
    }
}

#[test]
fn twenty_megabytes_are_refused_and_less_is_read_as_far_as_it_may() {
    let noise = "雑音\t".repeat(3_000_000);
    assert!(noise.len() >= 20_000_000);
    assert_eq!(errors(&read_text(&noise)), ["too_large"]);
    assert_eq!(errors(&read_html(&noise)), ["too_large"]);
    for text in [
        "\t".repeat(1_000_000),
        "a\t".repeat(1_000_000),
        "a\n".repeat(1_000_000),
        "経営課題1\n".repeat(200_000),
        "目標\n".repeat(500_000),
        "<ul>".repeat(1_000_000),
        "<ul><li>a".repeat(500_000),
        "・a ".repeat(500_000),
        "①".repeat(1_000_000),
        "(".repeat(2_000_000),
        "<".repeat(2_000_000),
        "a".repeat(2_400_000),
        "実績\t前年度実績\t目標値\t".repeat(60_000),
        "5予算額\t".repeat(100_000),
        "<table><tr><td hidden>".repeat(100_000),
    ] {
        // Within a box, so that the text is not skipped.
        let before = "令和6年度 西区運営方針\n経営課題1-(1) 防災\nアウトカム指標\n";
        let within = |before: &str| format!("{before}{text}").chars().take(2_500_000).collect::<String>();
        for form in [
            read_text(&within(before)),
            read_html(&within(&before.replace('\n', "<p>"))),
        ] {
            assert!(form.notes.len() <= 200);
        }
    }
}

#[test]
fn more_notes_than_anybody_reads_are_counted() {
    let mut text = with_goal("アウトカム指標\t・備え：50%以上");
    for n in 0..500 {
        writeln!(text, "取組{n}\t・した。").unwrap();
    }
    let form = read_text(&text);
    assert_eq!(form.notes.len(), 200);
    let last = form.notes.last().unwrap();
    assert_eq!(last.code, "more_notes");
    assert!(last.detail.en.starts_with("801 more"), "{}", last.detail.en);
}
