//! Forms as read: the real one, field by field, and made-up ones of other wards and years.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{Confidence, Form, FormGoal, Severity, read_html, read_text};

mod assembled;
mod bounds;
mod broken;
mod pages;
mod pasted;
mod random;
mod varied;

const NISHI_2024: &str = include_str!("../../cli/sample/nishi-2024.txt");
const NISHI_2024_JSON: &str = include_str!("../../../tests/forms/nishi-2024.json");

/// The errors of a form, by code.
fn errors(form: &Form) -> Vec<&'static str> {
    of_severity(form, Severity::Error)
}

/// The warnings of a form, by code.
fn warnings(form: &Form) -> Vec<&'static str> {
    of_severity(form, Severity::Warning)
}

fn of_severity(form: &Form, severity: Severity) -> Vec<&'static str> {
    let notes = form.notes.iter().filter(|note| note.severity == severity);
    notes.map(|note| note.code).collect()
}

/// The titles of the goals with the names, targets and results of their indicators, for comparing at a glance.
fn outline(form: &Form) -> Vec<String> {
    let mut lines = Vec::new();
    for goal in &form.goals {
        lines.push(format!("{} {}", goal.code.value, goal.title.value));
        for figure in &goal.budgets {
            let text = figure.value.text.as_deref().unwrap_or("（空欄）");
            let amount = figure
                .value
                .money
                .amount_yen
                .map_or("-".to_owned(), |yen| yen.0.to_string());
            lines.push(format!(
                "  {} {} {text} = {amount}",
                figure.value.fiscal_year.get(),
                figure.value.kind
            ));
        }
        for indicator in &goal.indicators {
            let read = &indicator.read.value;
            let target = read.target.as_ref().and_then(|target| target.target.text.as_ref());
            let target = target.map_or("-".to_owned(), |text| text.0.clone());
            let result = indicator.result.as_ref().map_or("-".to_owned(), |field| {
                let rating = field
                    .value
                    .declared_rating
                    .map_or(String::new(), |rating| format!(" {rating}"));
                format!("{}{rating}", field.value.text.as_deref().unwrap_or("?"))
            });
            let previous = indicator.previous.as_ref().map_or("-", |field| &field.value.0);
            lines.push(format!("  {} | {target} | {result} | {previous}", read.name));
        }
    }
    lines
}

/// A goal the way the sample data has it.
fn as_json(goal: &FormGoal) -> Value {
    let budgets: Vec<Value> = goal
        .budgets
        .iter()
        .map(|field| {
            let figure = &field.value;
            json!({
                "fiscal_year": figure.fiscal_year,
                "kind": figure.kind,
                "status": figure.money.status,
                "amount_yen": figure.money.amount_yen,
                "precision_yen": figure.money.precision_yen,
                "text": figure.text,
            })
        })
        .collect();
    let indicators: Vec<Value> = goal
        .indicators
        .iter()
        .map(|indicator| {
            let read = &indicator.read.value;
            let target = read.target.as_ref().unwrap();
            assert_eq!(
                (&indicator.result, &indicator.previous),
                (&None, &None),
                "{}",
                read.name
            );
            json!({
                "kind": indicator.kind,
                "name": read.name,
                "population": read.population,
                "unit": target.unit,
                "decimals": target.decimals,
                "direction": target.direction,
                "target": target.target,
                "results": [],
            })
        })
        .collect();
    json!({
        "code": goal.code.value,
        "title": goal.title.value,
        "issue_recognition": goal.issue_recognition.as_ref().map(|field| &field.value),
        "strategies": goal.strategies.as_ref().map(|field| &field.value),
        "budgets": budgets,
        "indicators": indicators,
    })
}

#[test]
fn the_real_form_is_read_as_the_sample_data_says_field_by_field() {
    let form = read_text(NISHI_2024);
    let sample: Value = serde_json::from_str(NISHI_2024_JSON).unwrap();
    assert_eq!(form.organization.as_ref().unwrap().value, "西区");
    assert_eq!(json!(form.fiscal_year.as_ref().unwrap().value), sample["fiscal_year"]);
    assert_eq!(
        json!(form.head_name.as_ref().map(|field| &field.value)),
        sample["head_name"]
    );
    assert_eq!(
        json!(form.head_title.as_ref().map(|field| &field.value)),
        sample["head_title"]
    );
    for (name, field) in [
        ("vision", &form.vision),
        ("mission", &form.mission),
        ("basic_approach", &form.basic_approach),
        ("self_evaluation", &form.self_evaluation),
        ("future_policy", &form.future_policy),
    ] {
        assert_eq!(json!(field.as_ref().map(|field| &field.value)), sample[name], "{name}");
    }
    let goals = sample["goals"].as_array().unwrap();
    assert_eq!(form.goals.len(), goals.len());
    for (read, expected) in form.goals.iter().zip(goals) {
        let read = as_json(read);
        for (name, value) in expected.as_object().unwrap() {
            assert_eq!(&read[name], value, "{name} of {}", expected["code"]);
        }
        assert_eq!(&read, expected);
    }
}

#[test]
fn the_real_form_has_one_slip_which_is_corrected_noted_and_recorded() {
    let form = read_text(NISHI_2024);
    let texts = ("経営課題1-(2)の主な戦略", "中助・共助", "自助・共助");
    let expected = [(texts.0.to_owned(), texts.1.to_owned(), texts.2.to_owned())];
    assert_eq!(form.corrections, expected);
    let [note] = form.notes.as_slice() else {
        panic!("{:?}", form.notes)
    };
    assert_eq!((note.severity, note.code), (Severity::Warning, "slip_corrected"));
    let line = NISHI_2024.lines().nth(29).unwrap();
    let column = line.split("防災訓練や講座").next().unwrap().chars().count() + 1;
    assert_eq!((note.line, note.column), (30, u32::try_from(column).unwrap()));
}

#[test]
fn the_fields_of_the_real_form_know_their_lines_and_how_sure_they_are() {
    let form = read_text(NISHI_2024);
    let line = |field: &Option<super::Field<Vec<String>>>| field.as_ref().map(|field| (field.line, field.confidence));
    assert_eq!(form.organization.as_ref().map(|field| field.line), Some(3));
    assert_eq!(form.head_name.as_ref().map(|field| field.line), Some(5));
    assert_eq!(line(&form.vision), Some((9, Confidence::High)));
    assert_eq!(line(&form.self_evaluation), Some((49, Confidence::High)));
    let [_, second, ..] = form.goals.as_slice() else {
        panic!()
    };
    assert_eq!((second.code.line, second.code.confidence), (25, Confidence::High));
    // The text of the box stands on the line below the label.
    assert_eq!(line(&second.issue_recognition), Some((29, Confidence::High)));
    // A slip was corrected.
    assert_eq!(line(&second.strategies), Some((30, Confidence::Medium)));
    // Only blanks separate the items.
    assert!(
        second
            .indicators
            .iter()
            .all(|it| it.read.confidence == Confidence::Medium && it.read.line == 31)
    );
    assert!(
        second
            .budgets
            .iter()
            .all(|it| it.confidence == Confidence::High && it.line == 27)
    );
}

#[test]
fn the_same_form_as_html_is_the_same() {
    let mut page = String::new();
    for line in NISHI_2024.lines() {
        if line.contains('\t') {
            let cells = line.replace('\t', "</td><td>");
            writeln!(page, "<table><tr><td>{cells}</td></tr></table>").unwrap();
        } else {
            writeln!(page, "<p>{line}</p>").unwrap();
        }
    }
    let (text, html) = (read_text(NISHI_2024), read_html(&page));
    assert_eq!(outline(&html), outline(&text));
    assert_eq!(html.goals, text.goals);
    assert_eq!(html.vision, text.vision);
    assert_eq!(html.corrections, text.corrections);
    assert_eq!(errors(&html), Vec::<&str>::new());
}

#[test]
fn a_page_may_mark_what_is_no_part_of_its_form() {
    let page = "<h1>令和6年度 西区運営方針</h1><p data-not-form>公表済み<h2 data-not-form>自己評価</h2>\
        <table data-not-form><tr><th>使命<td>別の使命<table><tr><td>表</table></table>\
        <table><caption data-not-form>使命</caption><tr><th>目標<td>安全なまち<span data-not-form>（<span>説明</span>）</span>\
        <tr data-not-form><th>使命<td><tr><th>令和6年度 所属運営の基本的な考え方<td data-not-form>なし</table>";
    let form = read_html(page);
    let texts = |field: Option<super::Field<Vec<String>>>| field.map(|field| field.value);
    assert_eq!(texts(form.vision), Some(vec!["安全なまち".to_owned()]));
    assert_eq!(texts(form.mission), None);
    assert_eq!(texts(form.basic_approach), Some(vec![]));
    assert_eq!(texts(form.self_evaluation), None);
}

#[test]
fn values_that_a_page_marks_are_kept_as_they_are() {
    let page = "<h1>令和6年度 <span data-exact>第6年度「局」</span>運営方針</h1>\
        <p>（所属長 : <span data-exact></span> <span data-exact>西 区長</span>）</p>\
        <h3>経営課題<span data-exact=\"1-2-3\">一</span> <span data-exact>主な戦略。</span></h3>\
        <table><tr><th>6予算額<td><span data-exact>約85百万円</span><th>7予算額<td><span data-exact></span>\
        <tr><th>課題認識<td><ul><li><span data-exact>・使命\n\u{3000}：  <b>①</b> 中助・共助</span>？<li><span data-exact>自己評価</ul>\
        <tr><th>アウトカム指標<td><ol><li><span data-exact>※甲：乙（</span>：<span data-exact>48%以上</span><li><span data-exact>丙</span></ol>\
        <tr><th>アウトカム指標の達成状況<th>6年度実績と達成状況<td><ol><li><span data-exact></span><li><span data-exact>丁：5件：A</span>（<span data-exact>B</span> 未達成）</ol>\
        <th>前年度実績<td><ol><li><span data-exact>－（新規）</span><li><span data-exact></span></ol></table>";
    let form = read_html(page);
    assert_eq!(errors(&form), Vec::<&str>::new());
    let said = |field: &Option<super::Field<String>>| field.as_ref().map(|field| field.value.clone());
    assert_eq!(said(&form.organization), Some("第6年度「局」".to_owned()));
    assert_eq!(
        (said(&form.head_title), said(&form.head_name)),
        (None, Some("西 区長".to_owned()))
    );
    let [goal] = form.goals.as_slice() else {
        panic!("{:?}", form.goals)
    };
    assert_eq!(
        (goal.code.value.as_str(), goal.title.value.as_str()),
        ("1-2-3", "主な戦略。")
    );
    let amounts: Vec<_> = goal.budgets.iter().map(|it| it.value.text.as_deref()).collect();
    assert_eq!(amounts, [Some("約85百万円"), None]);
    let issues = goal.issue_recognition.as_ref().map(|field| field.value.clone());
    assert_eq!(
        issues,
        Some(vec![
            "・使命\n\u{3000}：  ① 中助・共助".to_owned(),
            "自己評価".to_owned()
        ])
    );
    let [one, other] = goal.indicators.as_slice() else {
        panic!("{:?}", goal.indicators)
    };
    assert_eq!(
        (one.read.value.name.as_str(), other.read.value.name.as_str()),
        ("※甲：乙（", "丙")
    );
    assert!(one.read.value.target.is_some() && other.read.value.target.is_none());
    assert!(one.result.is_none() && other.previous.is_none());
    let result = &other.result.as_ref().unwrap().value;
    let rating = result.declared_rating.map(|rating| rating.to_string());
    assert_eq!(
        (result.text.as_deref(), rating.as_deref()),
        (Some("丁：5件：A"), Some("B"))
    );
    assert_eq!(one.previous.as_ref().unwrap().value.0, "－（新規）");
}

#[test]
fn marked_results_are_attached_one_to_one_or_not_at_all() {
    let page = "<h1>令和6年度 西区運営方針</h1><h3>経営課題1-(1) 防災</h3><table><tr><th>アウトカム指標<td><ol>\
        <li><span data-exact>甲</span>：<span data-exact>48%以上</span><li><span data-exact>乙</span></ol>\
        <tr><th>アウトカム指標の達成状況<th>6年度実績と達成状況<td><ol><li><span data-exact>50%</span></ol></table>";
    assert_eq!(errors(&read_html(page)), ["result_count"]);
}
