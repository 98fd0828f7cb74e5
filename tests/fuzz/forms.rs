//! What holds of every form that was read.

use ward_policy::domain::form::Form;

/// Holds a form against the text it was read from.
pub fn hold(form: &Form, text: &str) {
    let lines = u32::try_from(text.split(['\n', '\r']).count()).unwrap_or(u32::MAX);
    let inside = |line: u32| (1..=lines).contains(&line);
    assert!(form.notes.len() <= 200);
    for note in &form.notes {
        assert!(inside(note.line) && note.column >= 1, "{note:?} of {lines} lines");
    }
    let sorted = form.notes.is_sorted_by_key(|note| (note.line, note.column));
    assert!(sorted || form.notes.len() == 200, "{:?}", form.notes);
    for goal in &form.goals {
        assert!(inside(goal.code.line) && inside(goal.title.line), "{goal:?}");
        for indicator in &goal.indicators {
            assert!(inside(indicator.read.line), "{indicator:?}");
            if let Some(read) = &indicator.read.value.target {
                assert_eq!(read.target.faults(), vec![], "{read:?}");
            }
        }
    }
    let boxes = [
        &form.vision,
        &form.mission,
        &form.basic_approach,
        &form.self_evaluation,
        &form.future_policy,
    ];
    for field in boxes.into_iter().flatten() {
        assert!(inside(field.line));
        for text in &field.value {
            assert!(!text.is_empty() && text.trim() == text, "{text:?}");
        }
    }
}
