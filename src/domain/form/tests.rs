//! What is read from forms: the real one, field by field, and made-up ones of other wards and years.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{Confidence, Form, FormGoal, Severity, read_html, read_text};

mod broken;
mod random;
mod varied;

const NISHI_2024: &str = include_str!("../../sample/nishi-2024.txt");
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
    let column = line.split("中助").next().unwrap().chars().count() + 1;
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
    // Its text stands on the line below the label.
    assert_eq!(line(&second.issue_recognition), Some((29, Confidence::High)));
    // Corrected.
    assert_eq!(line(&second.strategies), Some((30, Confidence::Medium)));
    // Told apart by blanks alone.
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
