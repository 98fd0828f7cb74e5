//! The code lists of the forms: kinds of budgets and indicators, states of values, ratings.

use crate::text_enum;

text_enum! {
    /// What kind of fact a budget figure is.
    pub enum BudgetKind in "budget_kind" {
        /// What was spent (決算額).
        Actual = "actual" ("決算額", "actual"),
        /// What will have been spent as far as is known before the accounts are closed (決算見込額).
        Expected = "expected" ("決算見込額", "expected actual"),
        /// The budget the fiscal year started with (当初予算額).
        Initial = "initial" ("当初予算額", "initial budget"),
        /// The budget after supplementary budgets (補正後予算額).
        Revised = "revised" ("補正後予算額", "revised budget"),
    }
}

text_enum! {
    /// What the box of a budget figure holds: 0, － and blank are three different things.
    pub enum BudgetStatus in "budget_status" {
        /// An amount is printed, which may be 0.
        Stated = "stated" ("記載あり", "stated"),
        /// The box holds a dash (－): the form says that there is none.
        None = "none" ("該当なし（－）", "none (dash)"),
        /// The box is empty: nothing was said.
        Blank = "blank" ("空欄", "blank"),
        /// The box holds a text in which no amount can be read; the text is kept.
        Unread = "unread" ("未読取", "unread"),
    }
}

text_enum! {
    /// What an indicator measures.
    pub enum IndicatorKind in "indicator_kind" {
        /// What changed for people (アウトカム指標).
        Outcome = "outcome" ("アウトカム指標", "outcome indicator"),
        /// How the work went (プロセス指標).
        Process = "process" ("プロセス指標", "process indicator"),
        /// What was done or delivered (アウトプット指標).
        Output = "output" ("アウトプット指標", "output indicator"),
    }
}

text_enum! {
    /// Which way an indicator gets better.
    pub enum Direction in "direction" {
        /// More is better: the share of residents who are satisfied.
        HigherIsBetter = "higher_is_better" ("高いほど良い", "higher is better"),
        /// Less is better: accidents, waiting times.
        LowerIsBetter = "lower_is_better" ("低いほど良い", "lower is better"),
        /// The target is the best value; beyond it is no better.
        TargetIsBest = "target_is_best" ("目標値が最良", "the target is best"),
        /// Nobody has said which way is better.
        Unknown = "unknown" ("不明", "unknown"),
    }
}

text_enum! {
    /// What there is of a result's value.
    pub enum ValueStatus in "value_status" {
        /// There is a number.
        Reported = "reported" ("報告済み", "reported"),
        /// No number, and the day it is due has not passed.
        NotYetDue = "not_yet_due" ("期限前", "not yet due"),
        /// No number, and the day it was due has passed.
        NotReported = "not_reported" ("未報告", "not reported"),
        /// The organization says that it is still being compiled (集計中).
        BeingCompiled = "being_compiled" ("集計中", "being compiled"),
        /// The organization could not measure it (把握困難).
        NotMeasured = "not_measured" ("把握困難", "not measured"),
        /// It does not apply to this fiscal year (評価対象外, －).
        NotApplicable = "not_applicable" ("評価対象外", "not applicable"),
        /// It is known but not published.
        Withheld = "withheld" ("非公表", "withheld"),
        /// The result is words without a number.
        TextOnly = "text_only" ("文章のみ", "text only"),
        /// The indicator was given up before it came to a result.
        Discontinued = "discontinued" ("廃止", "discontinued"),
    }
}

impl Default for ValueStatus {
    /// Of a result that says nothing.
    fn default() -> Self {
        Self::NotYetDue
    }
}

text_enum! {
    /// How settled the value of a result is.
    pub enum ObservationStatus in "observation_status" {
        /// A first figure that will be replaced (速報値).
        Provisional = "provisional" ("速報値", "provisional"),
        /// The figure as settled (確定値).
        Final = "final" ("確定値", "final"),
        /// A settled figure that was corrected later (訂正値).
        Revised = "revised" ("訂正値", "revised"),
    }
}

impl Default for ObservationStatus {
    /// Of a result that says nothing.
    fn default() -> Self {
        Self::Provisional
    }
}

text_enum! {
    /// Whether a target was achieved (達成状況).
    pub enum Rating in "rating" {
        /// The target was achieved.
        A = "A" ("達成", "achieved"),
        /// The target was not achieved.
        B = "B" ("未達成", "not achieved"),
    }
}
