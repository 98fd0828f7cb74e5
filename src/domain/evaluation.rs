//! The heart: what a result means against its target on a given day, with the proof of the answer.

use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    comparison::{self, AttainmentReason, Bar, ComparedField, ReferenceSource},
    explanation::explain,
    kinds::{Direction, Rating, ValueStatus},
    previous::{Previous, previous},
    quantity::{carried, unit_of_difference},
    target::{Comparator, Period, ReferenceKind, Target},
};
use crate::{
    language::Bilingual,
    text_enum,
    value::{Decimal, FiscalYear},
};

text_enum! {
    /// What became of a target.
    pub enum Outcome in "outcome" {
        /// The result meets the target.
        Achieved = "achieved" ("達成", "achieved"),
        /// The result does not meet the target.
        NotAchieved = "not_achieved" ("未達成", "not achieved"),
        /// The result does not meet the target so far, and the target's period goes on.
        InProgress = "in_progress" ("継続中", "in progress"),
        /// The result is still to come.
        Pending = "pending" ("結果待ち", "pending"),
        /// The result should be there and is not.
        Overdue = "overdue" ("期限超過", "overdue"),
        /// The result and the target cannot be compared; the reason says why.
        NotEvaluable = "not_evaluable" ("判定不能", "not evaluable"),
    }
}

text_enum! {
    /// What else there is to say about an outcome.
    pub enum Reason in "reason" {
        /// Met before its period is over.
        Early = "early" ("期間途中で達成", "met early"),
        /// Not met so far, and the period goes on.
        PeriodRunning = "period_running" ("期間継続中", "period running"),
        /// The target refers to a result that is not known, or not comparable.
        ReferenceMissing = "reference_missing" ("基準値なし", "reference missing"),
        /// The number the target is about is missing, though another one is reported.
        ValueMissing = "value_missing" ("対象の数値なし", "value missing"),
        /// The target is a state described in words: only the organization can say whether it was reached.
        Qualitative = "qualitative" ("定性的な目標", "qualitative target"),
        /// There is no target, or none yet.
        NoTarget = "no_target" ("目標なし", "no target"),
        /// The result is not due yet.
        NotYetDue = "not_yet_due" ("期限前", "not yet due"),
        /// The result is being compiled.
        BeingCompiled = "being_compiled" ("集計中", "being compiled"),
        /// The result could not be measured.
        NotMeasured = "not_measured" ("把握困難", "not measured"),
        /// The indicator does not apply to the fiscal year.
        NotApplicable = "not_applicable" ("評価対象外", "not applicable"),
        /// The result is not published.
        Withheld = "withheld" ("非公表", "withheld"),
        /// The result is words, the target a number.
        TextOnly = "text_only" ("文章のみ", "text only"),
        /// The indicator was given up.
        Discontinued = "discontinued" ("廃止", "discontinued"),
    }
}

/// Everything an evaluation looks at; the day is an argument like any other.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// The fiscal year the result is for.
    pub fiscal_year: FiscalYear,
    /// The indicator's target.
    pub target: &'a Target,
    /// The indicator's unit as printed.
    pub unit: Option<&'a str>,
    /// The decimal places the indicator is stated with.
    pub decimals: Option<u32>,
    /// Which way the indicator gets better.
    pub direction: Direction,
    /// What was recorded, if anything was.
    pub result: Option<Facts>,
    /// Last year's own result, through the series.
    pub recorded_previous: Option<Decimal>,
    /// The result of the fiscal year the target refers to, through the series.
    pub recorded_reference: Option<Decimal>,
    /// Whether the organization says that the year before is comparable.
    pub comparable_with_previous: Option<bool>,
    /// What it says about that.
    pub comparable_reason: Option<&'a str>,
    /// The last day on which the result is in time.
    pub due_on: NaiveDate,
    /// The day of the evaluation.
    pub on: NaiveDate,
}

/// What was recorded about a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Facts {
    /// The value of the fiscal year.
    pub value: Option<Decimal>,
    /// The sum since the target's period began.
    pub cumulative_value: Option<Decimal>,
    /// What was said about the value, if anything was.
    pub value_status: Option<ValueStatus>,
    /// The organization's own rating.
    pub declared_rating: Option<Rating>,
    /// The previous year's result as stated beside this one.
    pub stated_previous_value: Option<Decimal>,
}

/// What a result means against its target on a given day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Evaluation {
    /// The fiscal year the result is for.
    pub fiscal_year: FiscalYear,
    /// What there is of the result's value on the day.
    pub value_status: ValueStatus,
    /// What became of the target: the one member to switch on. Always the rule's answer, except for a qualitative
    /// target, where it is the organization's.
    pub outcome: Outcome,
    /// What else there is to say: `early`, `period_running`, `reference_missing`, `value_missing`, `qualitative`,
    /// `no_target`, `not_yet_due`, `being_compiled`, `not_measured`, `not_applicable`, `withheld`, `text_only` or
    /// `discontinued`; null when the outcome says it all.
    #[schema(value_type = Option<String>, required = true, max_length = 40, example = "early")]
    pub reason: Option<Reason>,
    /// The official rating, `A` (達成) or `B` (未達成), the same as `ratings.official`.
    #[schema(value_type = Option<String>, required = true, max_length = 1, example = "A")]
    pub rating: Option<Rating>,
    /// Whose rating it is.
    pub ratings: Ratings,
    /// Whether rounding the compared value half away from zero to the indicator's decimals would turn the answer:
    /// 81.15 misses 81.2以上, but reads 81.2. The answer goes by the unrounded value.
    pub rounding_sensitive: bool,
    /// How far the compared value is beyond the target, in `gap_unit`: 0 or more means met (with `gt`, `lt`,
    /// `increase` and `decrease` more than 0), less than 0 how far it falls short. Null when nothing was compared, or
    /// when it would need more than 15 significant digits.
    #[schema(required = true)]
    pub gap: Option<Decimal>,
    /// The unit of `gap`: ポイント between percents, else the indicator's.
    #[schema(required = true, max_length = 100, example = "ポイント")]
    pub gap_unit: Option<String>,
    /// The compared value as a part of the target's value, rounded half away from zero to 4 decimal places. Only for
    /// `gte` and `gt` with both above 0; null otherwise. For showing; `outcome` decides.
    #[schema(required = true)]
    pub attainment: Option<Decimal>,
    /// Why there is no attainment: `no_value`, `other_comparator`, `not_positive` or `too_large`; null when there is.
    #[schema(value_type = Option<String>, required = true, max_length = 40, example = "other_comparator")]
    pub attainment_reason: Option<AttainmentReason>,
    /// Last year's result, and the change since.
    pub previous: Previous,
    /// Exactly what was compared.
    pub inputs: Inputs,
    /// The answer in whole sentences.
    pub explanation: Bilingual,
}

/// The organization's rating and ours. A disagreement is a finding to show, never repaired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Ratings {
    /// What the organization declared (達成状況): `A`, `B` or null.
    #[schema(value_type = Option<String>, required = true, max_length = 1, example = "A")]
    pub declared: Option<Rating>,
    /// What the rule gives: `A` when achieved, `B` when not achieved, null when the rule has no answer.
    #[schema(value_type = Option<String>, required = true, max_length = 1, example = "A")]
    pub computed: Option<Rating>,
    /// `declared`, or `computed` when nothing was declared.
    #[schema(value_type = Option<String>, required = true, max_length = 1, example = "A")]
    pub official: Option<Rating>,
    /// Whether `declared` and `computed` agree; null unless there are both.
    #[schema(required = true)]
    pub consistent: Option<bool>,
}

/// Exactly what was compared, with what, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Inputs {
    /// How the target compares.
    pub comparator: Comparator,
    /// The number of the result that was compared; null when nothing was.
    #[schema(required = true)]
    pub compared_value: Option<Decimal>,
    /// Which number that is: `value` or `cumulative_value`; null when nothing was compared.
    #[schema(value_type = Option<String>, required = true, max_length = 40, example = "value")]
    pub compared_field: Option<ComparedField>,
    /// The target's value.
    #[schema(required = true)]
    pub target_value: Option<Decimal>,
    /// The target's upper bound (`between`).
    #[schema(required = true)]
    pub target_upper: Option<Decimal>,
    /// The number to pass, the reference resolved: the target's value, the reference, or the reference plus or minus
    /// the value. Given as soon as it is known, result or not; null for `between`, which has two.
    #[schema(required = true)]
    pub threshold: Option<Decimal>,
    /// What the target refers to.
    pub reference: ReferenceInput,
    /// The indicator's unit.
    #[schema(required = true, max_length = 100, example = "%")]
    pub unit: Option<String>,
    /// The decimal places the indicator is stated with.
    #[schema(required = true, maximum = 9)]
    pub decimals: Option<u32>,
    /// Which way the indicator gets better.
    pub direction: Direction,
    /// Over which time the target is to be met.
    pub period: Period,
    /// The last day on which the result is in time.
    #[schema(value_type = String, format = Date, max_length = 10, example = "2025-06-30")]
    pub due_on: NaiveDate,
    /// The day of the evaluation.
    #[schema(value_type = String, format = Date, max_length = 10, example = "2025-06-10")]
    pub on: NaiveDate,
}

/// What a target refers to, with the number found for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct ReferenceInput {
    /// Which kind of reference it is.
    pub kind: ReferenceKind,
    /// The fiscal year whose result it is; null for `none` and `constant`.
    #[schema(required = true)]
    pub fiscal_year: Option<FiscalYear>,
    /// Its number; null when it is missing.
    #[schema(required = true)]
    pub value: Option<Decimal>,
    /// Where the number comes from: `stated` (printed in this policy), `recorded` (through the indicator's series),
    /// `printed` (with the target) or `constant`; null when it is missing.
    #[schema(value_type = Option<String>, required = true, max_length = 40, example = "stated")]
    pub source: Option<ReferenceSource>,
}

/// The answer before it is written up.
pub(super) struct Finding {
    pub(super) status: ValueStatus,
    pub(super) outcome: Outcome,
    pub(super) reason: Option<Reason>,
    pub(super) ratings: Ratings,
    /// The number that was compared; nothing unless there is a bar.
    pub(super) compared: Option<(Decimal, ComparedField)>,
    pub(super) reference: Option<(Decimal, ReferenceSource)>,
    pub(super) bar: Result<Bar, Reason>,
    pub(super) rounding_sensitive: bool,
}

/// What there is of a result's value on a day. A number speaks for itself; else what was said counts, unless it is
/// one of the three states that follow from the number and the date.
#[must_use]
pub fn value_status(facts: Option<&Facts>, due_on: NaiveDate, on: NaiveDate) -> ValueStatus {
    use ValueStatus::{NotReported, NotYetDue, Reported};
    let number = facts.and_then(|facts| facts.value.or(facts.cumulative_value));
    let said = facts
        .and_then(|facts| facts.value_status)
        .filter(|said| !matches!(said, Reported | NotYetDue | NotReported));
    match (number, said) {
        (Some(_), _) => Reported,
        (None, Some(said)) => said,
        (None, None) if on <= due_on => NotYetDue,
        (None, None) => NotReported,
    }
}

/// Evaluates a case.
#[must_use]
pub fn evaluate(case: &Case<'_>) -> Evaluation {
    let finding = find(case);
    let Finding {
        status,
        outcome,
        reason,
        ratings,
        compared,
        bar,
        rounding_sensitive,
        ..
    } = finding;
    let compared_value = compared.map(|(value, _)| value);
    let attainment = comparison::attainment(case.target, compared_value);
    Evaluation {
        fiscal_year: case.fiscal_year,
        value_status: status,
        outcome,
        reason,
        rating: ratings.official,
        ratings,
        rounding_sensitive,
        gap: bar
            .ok()
            .zip(compared_value)
            .and_then(|(bar, value)| carried(bar.gap(value.0))),
        gap_unit: unit_of_difference(case.unit).map(Into::into),
        attainment: attainment.ok(),
        attainment_reason: attainment.err(),
        previous: previous(case),
        inputs: inputs(case, &finding),
        explanation: explain(case, &finding),
    }
}

fn find(case: &Case<'_>) -> Finding {
    let status = value_status(case.result.as_ref(), case.due_on, case.on);
    let reference = comparison::reference(case);
    let bar = Bar::of(case.target, reference.map(|(value, _)| value), case.direction);
    let compared = comparison::compared(case).filter(|_| bar.is_ok());
    let declared = case.result.and_then(|facts| facts.declared_rating);
    let compare = || match (bar, compared) {
        (Err(reason), _) => Err(reason),
        (_, None) => Err(Reason::ValueMissing),
        (Ok(bar), Some((value, _))) => Ok(bar.met_by(value.0)),
    };
    let running = case.target.period.runs_on_to(case.fiscal_year).is_some();

    let (outcome, reason) = outcome(status, case.target.comparator, declared, compare, running);
    Finding {
        status,
        outcome,
        reason,
        ratings: ratings(declared, outcome, reason),
        compared,
        reference,
        bar,
        rounding_sensitive: bar
            .ok()
            .zip(compared)
            .is_some_and(|(bar, (value, _))| bar.turned_by_rounding(value.0, case.decimals)),
    }
}

/// The table: every row of it, in order.
fn outcome(
    status: ValueStatus,
    comparator: Comparator,
    declared: Option<Rating>,
    compare: impl FnOnce() -> Result<bool, Reason>,
    running: bool,
) -> (Outcome, Option<Reason>) {
    use ValueStatus as Is;
    match (status, comparator) {
        // reported or text_only | qualitative: only the organization can say
        (Is::Reported | Is::TextOnly, Comparator::Qualitative) => match declared {
            Some(Rating::A) => (Outcome::Achieved, Some(Reason::Qualitative)),
            Some(Rating::B) => (Outcome::NotAchieved, Some(Reason::Qualitative)),
            None => (Outcome::NotEvaluable, Some(Reason::Qualitative)),
        },
        // any | undecided or none, even before the result is due
        (_, Comparator::Undecided) => (Outcome::NotEvaluable, Some(Reason::NoTarget)),
        // reported | numeric
        (Is::Reported, _) => match (compare(), running) {
            // its period over, or a single year
            (Ok(true), false) => (Outcome::Achieved, None),
            (Ok(false), false) => (Outcome::NotAchieved, None),
            // cumulative or by_end_of, still running
            (Ok(true), true) => (Outcome::Achieved, Some(Reason::Early)),
            (Ok(false), true) => (Outcome::InProgress, Some(Reason::PeriodRunning)),
            // relative, and its reference is missing; or the number it is about is
            (Err(reason), _) => (Outcome::NotEvaluable, Some(reason)),
        },
        // not_yet_due, being_compiled | any
        (Is::NotYetDue, _) => (Outcome::Pending, Some(Reason::NotYetDue)),
        (Is::BeingCompiled, _) => (Outcome::Pending, Some(Reason::BeingCompiled)),
        // not_reported | any
        (Is::NotReported, _) => (Outcome::Overdue, None),
        // not_measured, not_applicable, withheld, discontinued | any; text_only | numeric
        (Is::NotMeasured, _) => (Outcome::NotEvaluable, Some(Reason::NotMeasured)),
        (Is::NotApplicable, _) => (Outcome::NotEvaluable, Some(Reason::NotApplicable)),
        (Is::Withheld, _) => (Outcome::NotEvaluable, Some(Reason::Withheld)),
        (Is::Discontinued, _) => (Outcome::NotEvaluable, Some(Reason::Discontinued)),
        (Is::TextOnly, _) => (Outcome::NotEvaluable, Some(Reason::TextOnly)),
    }
}

fn ratings(declared: Option<Rating>, outcome: Outcome, reason: Option<Reason>) -> Ratings {
    let computed = match (outcome, reason) {
        (_, Some(Reason::Qualitative)) => None,
        (Outcome::Achieved, _) => Some(Rating::A),
        (Outcome::NotAchieved, _) => Some(Rating::B),
        _ => None,
    };
    Ratings {
        declared,
        computed,
        official: declared.or(computed),
        consistent: declared.zip(computed).map(|(theirs, ours)| theirs == ours),
    }
}

fn inputs(case: &Case<'_>, finding: &Finding) -> Inputs {
    let Target {
        comparator,
        value,
        upper,
        reference,
        period,
        ..
    } = case.target;
    Inputs {
        comparator: *comparator,
        compared_value: finding.compared.map(|(value, _)| value),
        compared_field: finding.compared.map(|(_, field)| field),
        target_value: *value,
        target_upper: *upper,
        threshold: finding.bar.ok().and_then(Bar::threshold).and_then(carried),
        reference: ReferenceInput {
            kind: reference.kind,
            fiscal_year: match reference.kind {
                ReferenceKind::PreviousYear => case.fiscal_year.previous(),
                _ => reference.fiscal_year,
            },
            value: finding.reference.map(|(value, _)| value),
            source: finding.reference.map(|(_, source)| source),
        },
        unit: case.unit.map(Into::into),
        decimals: case.decimals,
        direction: case.direction,
        period: *period,
        due_on: case.due_on,
        on: case.on,
    }
}
