//! Assembles a form from its boxes, and checks the form as a whole.

use std::collections::HashSet;

use super::{
    Confidence, Field, Form, MOST_GOALS, MOST_INDICATORS,
    goals::{Reading, run},
    headings::printed_code,
    html::attributes,
    labels::Label,
    layout::{Bound, Layout, MOST_PARTS},
    notes::{Notes, Place},
    prepare,
    prose::{self, Corrections},
    reader::{self, Raw, RawBox, RawGoal},
};
use crate::{domain::fiscal_year, value::FiscalYear};

/// Reads a form from its rows.
pub(super) fn form(mut layout: Layout) -> Form {
    let mut notes = Notes::default();
    prepare::prepare(&mut layout, &mut notes);
    let mut raw = reader::sort(&layout, notes);
    let mut notes = std::mem::take(&mut raw.notes);
    if let Some((line, bound)) = layout.overflow {
        let (most, ja, en) = match bound {
            Bound::Parts => (MOST_PARTS, "セルや項目", "cells and items"),
            Bound::Attributes => (attributes::MOST, "1つのタグの属性", "attributes of a tag"),
        };
        notes.error(
            "too_large",
            Place::line(line),
            format!("{ja}は{most}個までです。ここから先は読んでいません"),
            format!("there are more than {most} {en}: reading stopped here"),
        );
    }
    let any_box = raw.boxes.iter().any(|it| it.label.is_of_policy() && it.goal.is_none());
    if !raw.titled && raw.goals.is_empty() && !any_box {
        let mut notes = notes.without_warnings();
        notes.error(
            "not_a_form",
            Place::line(1),
            "運営方針の様式ではありません（表題も、経営課題も、目標・使命の欄もありません）",
            "this is no form of a policy: it has neither its title nor a goal nor a box for vision or mission",
        );
        return Form {
            notes: notes.finish(),
            ..Form::default()
        };
    }
    drop_chapters(&mut raw);
    let year = year(&raw, &mut notes);
    if raw.organization.is_none() {
        notes.error(
            "organization_missing",
            Place::line(1),
            "どの区・局の様式か書かれていません（例：令和6年度 西区運営方針）",
            "the form does not say whose it is, as in 令和6年度 西区運営方針",
        );
    }
    check_complete(&raw, layout.last_line, &mut notes);
    let mut form = put_together(&raw, year, &mut notes);
    check_size(&mut form, &mut notes);
    form.notes = notes.finish();
    form
}

/// Removes all goals if there are more goals or indicators than a policy may have: the next step compares each of them
/// with the stored ones.
fn check_size(form: &mut Form, notes: &mut Notes) {
    let indicators: usize = form.goals.iter().map(|goal| goal.indicators.len()).sum();
    if form.goals.len() <= MOST_GOALS && indicators <= MOST_INDICATORS {
        return;
    }
    form.goals.clear();
    notes.error(
        "too_large",
        Place::line(1),
        format!("経営課題は{MOST_GOALS}件、指標は合わせて{MOST_INDICATORS}件までです"),
        format!("a policy has at most {MOST_GOALS} goals, and {MOST_INDICATORS} indicators in all"),
    );
}

/// Headings of chapters (経営課題1 above 経営課題1-(1)) are no goals.
fn drop_chapters(raw: &mut Raw) {
    let chapter = |goal: &RawGoal, next: Option<&RawGoal>| {
        goal.boxes == 0
            && goal.budgets.is_empty()
            && next.is_some_and(|next| {
                next.code
                    .strip_prefix(&goal.code)
                    .is_some_and(|rest| rest.starts_with('-'))
            })
    };
    let codes: Vec<bool> = raw
        .goals
        .iter()
        .zip(raw.goals.iter().skip(1).map(Some).chain([None]))
        .map(|(goal, next)| chapter(goal, next))
        .collect();
    // Boxes refer to goals by place.
    let mut kept = 0;
    let places: Vec<usize> = codes
        .iter()
        .map(|dropped| {
            let place = kept;
            kept += usize::from(!dropped);
            place
        })
        .collect();
    let place = |goal: usize| places.get(goal).copied().unwrap_or(goal);
    for it in &mut raw.boxes {
        it.goal = it.goal.map(place);
    }
    for record in &mut raw.records {
        record.goal = place(record.goal);
    }
    let mut dropped = codes.into_iter();
    raw.goals.retain(|_| !dropped.next().unwrap_or(false));
}

fn year(raw: &Raw, notes: &mut Notes) -> Option<Field<FiscalYear>> {
    let stated = raw.year.clone().or_else(|| {
        let basic = raw
            .boxes
            .iter()
            .find(|it| it.label == Label::BasicApproach && it.year.is_some())?;
        Some((basic.year.clone()?, basic.place, Confidence::Medium))
    });
    let place = stated.as_ref().map_or(Place::line(1), |(_, place, _)| *place);
    match stated.map(|(text, place, confidence)| (fiscal_year::parse(&text, None), place, confidence)) {
        Some((Ok(value), place, confidence)) => Some(Field {
            value,
            line: place.line,
            confidence,
        }),
        Some((Err(reason), ..)) => {
            notes.error("fiscal_year_missing", place, reason.ja, reason.en);
            None
        }
        None => {
            notes.error(
                "fiscal_year_missing",
                place,
                "何年度の様式か書かれていません（例：令和6年度 西区運営方針）",
                "the form does not say its fiscal year, as in 令和6年度 西区運営方針",
            );
            None
        }
    }
}

/// Reports a form that ends too early: nothing after its head, a goal without indicators, or no box for the results of
/// the last goal although another goal has one.
fn check_complete(raw: &Raw, last_line: u32, notes: &mut Notes) {
    let truncated = |notes: &mut Notes, place, ja: String, en: String| notes.error("truncated", place, ja, en);
    if raw.goals.is_empty() {
        truncated(
            notes,
            Place::line(last_line),
            "経営課題がありません。様式が途中で切れています".to_owned(),
            "there is no goal: the form breaks off".to_owned(),
        );
        return;
    }
    let mut with_indicators = vec![false; raw.goals.len()];
    let mut with_results = vec![false; raw.goals.len()];
    for it in &raw.boxes {
        let Some(goal) = it.goal else { continue };
        if matches!(it.label, Label::Indicators(_))
            && let Some(has) = with_indicators.get_mut(goal)
        {
            *has = true;
        }
        if matches!(it.label, Label::ResultTable | Label::Results | Label::Previous)
            && let Some(has) = with_results.get_mut(goal)
        {
            *has = true;
        }
    }
    for record in &raw.records {
        for has in [&mut with_indicators, &mut with_results] {
            if let Some(has) = has.get_mut(record.goal) {
                *has = true;
            }
        }
    }
    for (goal, has) in raw.goals.iter().zip(&with_indicators) {
        if !has {
            let code = printed_code(&goal.code);
            truncated(
                notes,
                goal.place,
                format!("経営課題{code}に指標の欄がありません。様式が途中で切れています"),
                format!("goal {} has no box for indicators: the form breaks off", goal.code),
            );
        }
    }
    if let [before @ .., false] = with_results.as_slice()
        && with_indicators.last() == Some(&true)
        && before.iter().any(|has| *has)
    {
        truncated(
            notes,
            Place::line(last_line),
            "最後の経営課題に達成状況の欄がありません。様式が途中で切れています".to_owned(),
            "the last goal has no box for results as the others have: the form breaks off".to_owned(),
        );
    }
}

fn put_together(raw: &Raw, year: Option<Field<FiscalYear>>, notes: &mut Notes) -> Form {
    let mut corrections = Corrections::new();
    let field = |text: &Option<(String, Place)>| {
        text.as_ref().map(|(value, place)| Field {
            value: value.clone(),
            line: place.line,
            confidence: Confidence::High,
        })
    };
    let mut form = Form {
        organization: raw.organization.as_ref().map(|(value, place, confidence)| Field {
            value: value.clone(),
            line: place.line,
            confidence: *confidence,
        }),
        head_name: field(&raw.head_name),
        head_title: field(&raw.head_title),
        ..Form::default()
    };
    let mut text_box = |label: Label, name: &str, notes: &mut Notes| {
        let found: &RawBox = raw.boxes.iter().find(|it| it.label == label && it.goal.is_none())?;
        Some(prose::read(found, name, notes, &mut corrections))
    };
    form.vision = text_box(Label::Vision, "目標", notes);
    form.mission = text_box(Label::Mission, "使命", notes);
    form.basic_approach = text_box(Label::BasicApproach, "所属運営の基本的な考え方", notes);
    form.self_evaluation = text_box(Label::SelfEvaluation, "自己評価", notes);
    form.future_policy = text_box(Label::FuturePolicy, "今後の方針", notes);

    // A form without a year is refused. Its texts are read nevertheless, to report the other errors too.
    let known = year.as_ref().map(|field| field.value);
    form.fiscal_year = year;
    let Some(texts_in) = known.or_else(|| FiscalYear::new(FiscalYear::MAX)) else {
        return form;
    };
    let mut reading = Reading {
        year: known,
        texts_in,
        notes,
        corrections: &mut corrections,
    };
    let (mut first_box, mut first_record) = (0, 0);
    let mut codes = HashSet::new();
    for (at, goal) in raw.goals.iter().enumerate() {
        // Boxes of the policy may stand between goals.
        run(&raw.boxes, &mut first_box, |it| it.goal.is_none());
        let boxes = run(&raw.boxes, &mut first_box, |it| it.goal == Some(at));
        let records = run(&raw.records, &mut first_record, |it| it.goal == at);
        if !codes.insert(goal.code.as_str()) {
            let code = printed_code(&goal.code);
            reading.notes.error(
                "goal_repeated",
                goal.place,
                format!("経営課題{code}が2度あります"),
                format!("goal {} occurs twice", goal.code),
            );
        }
        form.goals.push(reading.goal(goal, boxes, records));
    }
    form.corrections = corrections;
    form
}
