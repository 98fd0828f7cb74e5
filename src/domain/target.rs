//! Targets (目標値): the value an indicator is to reach, its reference, and its period.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    text_enum,
    value::{Decimal, FiscalYear, Line, language::Bilingual},
};

#[cfg(test)]
mod tests;

text_enum! {
    /// How a result is compared with its target.
    pub enum Comparator in "comparator" {
        /// At least the value; the value itself is enough (以上).
        Gte = "gte" ("以上", "at least"),
        /// More than the value; the value itself is not enough (超, 上回る).
        Gt = "gt" ("超", "more than"),
        /// At most the value; the value itself is enough (以下, 以内).
        Lte = "lte" ("以下", "at most"),
        /// Less than the value; the value itself is not enough (未満, 下回る).
        Lt = "lt" ("未満", "less than"),
        /// Exactly the value.
        Eq = "eq" ("ちょうど", "exactly"),
        /// From `value` to `upper`, both included.
        Between = "between" ("範囲内", "between"),
        /// More than the reference (増加, 向上).
        Increase = "increase" ("増加", "increase"),
        /// Less than the reference (減少, 低減).
        Decrease = "decrease" ("減少", "decrease"),
        /// No worse than the reference by the indicator's direction; equal to it if there is none (維持).
        Maintain = "maintain" ("維持", "maintain"),
        /// More than the reference by at least `value`.
        IncreaseBy = "increase_by" ("一定以上の増加", "increase by at least"),
        /// Less than the reference by at least `value`.
        DecreaseBy = "decrease_by" ("一定以上の減少", "decrease by at least"),
        /// More than the reference by at least `value` percent of it (前年度比5%増). A reference of 0 or less has no percentage.
        IncreaseByPercent = "increase_by_percent" ("一定率以上の増加", "increase by at least a percentage"),
        /// Less than the reference by at least `value` percent of it (前年度比5%減). A reference of 0 or less has no percentage.
        DecreaseByPercent = "decrease_by_percent" ("一定率以上の減少", "decrease by at least a percentage"),
        /// A state described in words; no rule can compare it.
        Qualitative = "qualitative" ("定性的", "qualitative"),
        /// There is no target, or none yet.
        Undecided = "undecided" ("未定", "undecided"),
        /// There is a target, and its text was not understood whole: nothing is compared until somebody says what it means.
        Unread = "unread" ("未読取", "unread"),
    }
}

text_enum! {
    /// What a relative target refers to.
    pub enum ReferenceKind in "reference_kind" {
        /// Nothing: the target stands for itself.
        None = "none" ("なし", "none"),
        /// The result of the fiscal year before (前年度実績).
        PreviousYear = "previous_year" ("前年度実績", "previous year"),
        /// The result of a certain fiscal year.
        FiscalYear = "fiscal_year" ("指定年度の実績", "a fiscal year"),
        /// A number the policy states.
        Constant = "constant" ("基準値", "a constant"),
        /// A figure from outside the policy, by its name (市平均, 全国平均). It has no number until somebody gives it.
        External = "external" ("外部の値", "an outside figure"),
    }
}

text_enum! {
    /// Over which time a target is to be met.
    pub enum PeriodKind in "period_kind" {
        /// By the result of the fiscal year itself.
        SingleYear = "single_year" ("単年度", "single year"),
        /// By the sum over several fiscal years.
        Cumulative = "cumulative" ("累計", "cumulative"),
        /// By the result of any fiscal year up to a last one.
        ByEndOf = "by_end_of" ("年度末まで", "by the end of"),
    }
}

/// The target of an indicator (目標値). "No target" is the comparator `undecided`.
///
/// Which members go with which comparator: `gte`, `gt`, `lte`, `lt`, `eq` take either a `value` or a reference;
/// `between` takes `value` and `upper`; `increase`, `decrease`, `maintain` take a reference; `increase_by`, `decrease_by`,
/// `increase_by_percent` and `decrease_by_percent` a `value` and a reference; `qualitative`, `undecided` and `unread` take none
/// of them, `unread` no period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// The target as printed: 48%以上, 前年度実績以上.
    #[schema(required = true)]
    pub text: Option<Line<500>>,
    /// How the result is compared. Left out, it is read from the text, as everything else of the target is: what is written beside
    /// the text must then be what the text says. A target with `comparator`, `reference` and `period` is believed.
    #[schema(required = false)]
    pub comparator: Comparator,
    /// The number to compare with, in the indicator's unit; of `between` the lower bound; of `increase_by` and
    /// `decrease_by` the difference, 0 or more (percentage points between percents); of `increase_by_percent` and
    /// `decrease_by_percent` the percentage of the reference, from 0 to 1,000,000 with at most 6 decimals.
    #[schema(required = true)]
    pub value: Option<Decimal>,
    /// The upper bound of `between`, at least `value`; null for every other comparator.
    #[schema(required = true)]
    pub upper: Option<Decimal>,
    /// What a relative target refers to. Left out, it is read from the text; `none` where that says none.
    #[schema(required = false)]
    pub reference: Reference,
    /// Over which time the target is to be met. Left out, it is read from the text; `single_year` where that says none.
    #[schema(required = false)]
    pub period: Period,
}

/// What a relative target refers to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reference {
    /// Which kind of reference it is; `none` when the target stands for itself.
    pub kind: ReferenceKind,
    /// The fiscal year of the kind `fiscal_year`; null otherwise.
    #[schema(required = true)]
    pub fiscal_year: Option<FiscalYear>,
    /// The number of the kind `constant`; of the kind `fiscal_year` that year's result as printed here, if it is; of the kind
    /// `external` the figure, once somebody has given it; null otherwise.
    #[schema(required = true)]
    pub value: Option<Decimal>,
    /// What a figure of the kind `external` is called (市平均); null otherwise. A request may leave it out.
    pub name: Option<Line<100>>,
}

/// Over which time a target is to be met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Period {
    /// Which kind of period it is.
    pub kind: PeriodKind,
    /// The first fiscal year of the kind `cumulative`; null otherwise.
    #[schema(required = true)]
    pub from: Option<FiscalYear>,
    /// The last fiscal year of the kinds `cumulative` and `by_end_of`; null otherwise.
    #[schema(required = true)]
    pub to: Option<FiscalYear>,
}

impl Default for Target {
    /// No target.
    fn default() -> Self {
        Self {
            text: None,
            comparator: Comparator::Undecided,
            value: None,
            upper: None,
            reference: Reference::default(),
            period: Period::default(),
        }
    }
}
impl Default for Reference {
    /// No reference.
    fn default() -> Self {
        Self {
            kind: ReferenceKind::None,
            fiscal_year: None,
            value: None,
            name: None,
        }
    }
}
impl Default for Period {
    /// The fiscal year itself.
    fn default() -> Self {
        Self {
            kind: PeriodKind::SingleYear,
            from: None,
            to: None,
        }
    }
}

/// A fault of a target: the end of the JSON pointer to it, and the message.
pub type Fault = (&'static str, Bilingual);

/// The faults found so far.
struct Faults(Vec<Fault>);

impl Faults {
    fn demand(&mut self, holds: bool, at: &'static str, ja: &str, en: &str) {
        if !holds {
            self.0.push((at, Bilingual::new(ja, en)));
        }
    }
}

impl Target {
    /// All members that do not fit together, each with its place (`/upper`, `/period/to`).
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = Faults(Vec::new());
        self.check_numbers(&mut faults);
        self.reference.check(&mut faults);
        self.period.check(&mut faults);
        faults.demand(
            self.comparator != Comparator::Unread || self.period.kind == PeriodKind::SingleYear,
            "/period/kind",
            "読み取れていない目標に期間は指定できません",
            "must be single_year for a target that is unread",
        );
        faults.0
    }

    fn check_numbers(&self, faults: &mut Faults) {
        use Comparator::{
            Between, Decrease, DecreaseBy, DecreaseByPercent, Eq, Gt, Gte, Increase, IncreaseBy, IncreaseByPercent, Lt,
            Lte, Maintain, Qualitative, Undecided, Unread,
        };
        let relative = self.reference.kind != ReferenceKind::None;
        let (takes_value, takes_upper, takes_reference) = match self.comparator {
            Gte | Gt | Lte | Lt | Eq => (!relative, false, relative), // a value or a reference
            Between => (true, true, false),
            Increase | Decrease | Maintain => (false, false, true),
            IncreaseBy | DecreaseBy | IncreaseByPercent | DecreaseByPercent => (true, false, true),
            Qualitative | Undecided | Unread => (false, false, false),
        };

        faults.demand(
            self.value.is_some() || !takes_value,
            "/value",
            "この比較方法には目標値が必要です（以上・以下などでは基準でもかまいません）",
            "is needed with this comparator (gte, lte and the like may take a reference instead)",
        );
        faults.demand(
            self.value.is_none() || takes_value,
            "/value",
            "この比較方法や、基準と比べる目標に、目標値は指定できません",
            "must be null with this comparator, or with a reference",
        );
        faults.demand(
            self.upper.is_some() == takes_upper,
            "/upper",
            "上限は、範囲（between）のときに必ず、そのときだけ指定してください",
            "must be given with the comparator between, and only then",
        );
        faults.demand(
            relative == takes_reference,
            "/reference/kind",
            "基準は、増減や維持の目標のときに必ず指定し、範囲・定性的・未定の目標には指定しないでください",
            "must be given to increase, decrease or maintain, and be none for a range and for what is no number",
        );
        faults.demand(
            self.value.zip(self.upper).is_none_or(|(low, high)| low <= high),
            "/upper",
            "範囲の上限は下限以上にしてください",
            "must be at least the lower bound",
        );
        faults.demand(
            !matches!(self.comparator, IncreaseBy | DecreaseBy) || self.value.is_none_or(|by| by >= Decimal::ZERO),
            "/value",
            "増減の幅は0以上にしてください",
            "must be 0 or more with this comparator",
        );
        faults.demand(
            !matches!(self.comparator, IncreaseByPercent | DecreaseByPercent) || self.value.is_none_or(is_percentage),
            "/value",
            "増減の率（%）は0以上1,000,000以下、小数は6桁までにしてください",
            "must be a percentage from 0 to 1,000,000 with at most 6 decimals with this comparator",
        );
    }
}

/// Whether a number is a percentage for a change. Its product with any number of the contract is exact: it has 28 digits at most.
fn is_percentage(value: Decimal) -> bool {
    let most = Decimal(1_000_000.into());
    value >= Decimal::ZERO && value <= most && value.0.normalize().scale() <= 6
}

impl Reference {
    fn check(&self, faults: &mut Faults) {
        faults.demand(
            self.fiscal_year.is_some() == (self.kind == ReferenceKind::FiscalYear),
            "/reference/fiscal_year",
            "年度は、基準が指定年度（fiscal_year）のときに必ず、そのときだけ指定してください",
            "must be given with the kind fiscal_year, and only then",
        );
        faults.demand(
            self.value.is_some() || self.kind != ReferenceKind::Constant,
            "/reference/value",
            "基準値（constant）には値が必要です",
            "needs the number of the constant",
        );
        faults.demand(
            self.value.is_none() || !matches!(self.kind, ReferenceKind::None | ReferenceKind::PreviousYear),
            "/reference/value",
            "この種類の基準に値は指定できません",
            "must be null with this kind of reference",
        );
        faults.demand(
            self.name.is_some() == (self.kind == ReferenceKind::External),
            "/reference/name",
            "名称は、基準が外部の値（external）のときに必ず、そのときだけ指定してください",
            "must be given with the kind external, and only then",
        );
    }
}

impl Period {
    fn check(&self, faults: &mut Faults) {
        faults.demand(
            self.from.is_some() == (self.kind == PeriodKind::Cumulative),
            "/period/from",
            "最初の年度は、累計（cumulative）のときに必ず、そのときだけ指定してください",
            "must be given with the kind cumulative, and only then",
        );
        faults.demand(
            self.to.is_some() == (self.kind != PeriodKind::SingleYear),
            "/period/to",
            "最後の年度は、累計（cumulative）と年度末まで（by_end_of）のときに必ず、そのときだけ指定してください",
            "must be given with the kinds cumulative and by_end_of, and only then",
        );
        faults.demand(
            self.from.zip(self.to).is_none_or(|(from, to)| from <= to),
            "/period/to",
            "最後の年度は最初の年度以後にしてください",
            "must not be before the first fiscal year",
        );
    }

    /// The last fiscal year of a period that goes on after `fiscal_year`.
    #[must_use]
    pub fn runs_on_to(&self, fiscal_year: FiscalYear) -> Option<FiscalYear> {
        self.to
            .filter(|_| self.kind != PeriodKind::SingleYear)
            .filter(|last| *last > fiscal_year)
    }
}
