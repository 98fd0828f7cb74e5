//! Reads the boxes of a goal: its budgets, and its indicators with their results.

mod indicators;
mod records;
mod values;

use std::collections::HashSet;

use super::{
    Confidence, Field, FormBudget, FormGoal, FormIndicator,
    budgets::{RawBudget, same},
    headings::printed_code,
    labels::Label,
    notes::{Notes, Place, quoted},
    prose::{self, Corrections},
    reader::{RawBox, RawGoal},
    table::RawRecord,
};
use crate::{
    domain::{
        fiscal_year,
        kinds::{BudgetKind, BudgetStatus},
        reading::{
            Parse,
            money::{self, ReadMoney},
        },
    },
    value::FiscalYear,
};

/// The state of reading goals.
pub(super) struct Reading<'a> {
    /// The policy's fiscal year; nothing where the form does not say it.
    pub(super) year: Option<FiscalYear>,
    /// The year against which printed texts are read.
    pub(super) texts_in: FiscalYear,
    pub(super) notes: &'a mut Notes,
    pub(super) corrections: &'a mut Corrections,
}

/// An indicator, with the printed number that finds its results.
struct IndicatorRow {
    indicator: FormIndicator,
    number: Option<u32>,
}

impl IndicatorRow {
    /// The unit of the indicator's target.
    fn unit(&self) -> Option<&str> {
        self.indicator.read.value.target.as_ref()?.unit.as_deref()
    }
}

impl Reading<'_> {
    /// Reads a goal from its boxes and the rows of its tables.
    pub(super) fn goal(&mut self, raw: &RawGoal, boxes: &[RawBox], records: &[RawRecord]) -> FormGoal {
        let code = printed_code(&raw.code);
        let text_box = |reading: &mut Self, label: Label, name: &str| {
            let found = boxes.iter().find(|it| it.label == label)?;
            Some(prose::read(
                found,
                &format!("経営課題{code}の{name}"),
                reading.notes,
                reading.corrections,
            ))
        };
        let desired = boxes.iter().find(|it| it.label == Label::DesiredState);
        let mut issues = text_box(self, Label::IssueRecognition, "課題認識");
        if let Some(desired) = desired {
            if issues.is_none() {
                issues = text_box(self, Label::DesiredState, "めざすべき将来像");
            } else {
                self.notes.warning(
                    "box_left_out",
                    desired.place,
                    "「めざすべき将来像」の欄は取り込みません（課題認識の欄だけを取り込みます）",
                    "the box めざすべき将来像 is left out: only 課題認識 is kept",
                );
            }
        }
        let strategies = text_box(self, Label::Strategies, "主な戦略");
        let mut rows = Vec::new();
        let mut settled = true;
        let (mut first_box, mut first_record) = (0, 0);
        for group in 0..raw.groups {
            let boxes_of = run(boxes, &mut first_box, |it| it.group == group);
            let records_of = run(records, &mut first_record, |it| it.group == group);
            settled &= self.group(boxes_of, records_of, &mut rows);
        }
        if rows.is_empty()
            && let Some(empty) = boxes.iter().find(|it| matches!(it.label, Label::Indicators(_)))
        {
            self.notes.warning(
                "indicators_missing",
                empty.place,
                format!("経営課題{code}の指標の欄が空です"),
                format!("the box for indicators of goal {} is empty", raw.code),
            );
        }
        // One group in doubt puts the whole goal in doubt: its results are dropped.
        let mut seen = HashSet::new();
        for row in &mut rows {
            if !settled {
                row.indicator.result = None;
                row.indicator.previous = None;
            }
            let name = &row.indicator.read.value.name;
            if !seen.insert(super::width::bare(name)) {
                let name = quoted(name);
                self.notes.error(
                    "indicator_repeated",
                    Place::line(row.indicator.read.line),
                    format!("指標「{name}」が同じ経営課題に2度あります"),
                    format!("the goal has the indicator '{name}' twice"),
                );
            }
        }
        let title = if let Some((title, place, confidence)) = &raw.title {
            Field {
                value: title.clone(),
                line: place.line,
                confidence: *confidence,
            }
        } else {
            self.notes.error(
                "goal_title_missing",
                raw.place,
                format!("経営課題{code}の名称がありません"),
                format!("goal {} has no title", raw.code),
            );
            Field {
                value: String::new(),
                line: raw.place.line,
                confidence: Confidence::Low,
            }
        };
        FormGoal {
            code: Field {
                value: raw.code.clone(),
                line: raw.place.line,
                confidence: if raw.named {
                    Confidence::High
                } else {
                    Confidence::Medium
                },
            },
            title,
            budgets: self.budgets(raw),
            issue_recognition: issues,
            strategies,
            indicators: rows.into_iter().map(|row| row.indicator).collect(),
        }
    }

    fn budgets(&mut self, raw: &RawGoal) -> Vec<Field<FormBudget>> {
        let mut budgets: Vec<Field<FormBudget>> = Vec::new();
        for figure in &raw.budgets {
            let Some(read) = self.budget(figure, raw.unit.as_deref()) else {
                continue;
            };
            if budgets.iter().any(|other| same(&other.value, &read.value)) {
                let (year, kind) = (read.value.fiscal_year.get(), read.value.kind);
                self.notes.error(
                    "budget_repeated",
                    figure.place,
                    format!("{year}年度の同じ種類の予算額・決算額が2度あります"),
                    format!("the goal has the {kind} figure of {year} twice"),
                );
                continue;
            }
            budgets.push(read);
        }
        budgets
    }

    fn budget(&mut self, figure: &RawBudget, unit: Option<&str>) -> Option<Field<FormBudget>> {
        let year = self.year?;
        let printed = figure.head.year.as_deref();
        // A budget without a year is that of the policy's year.
        let own = printed.is_none() && figure.head.kind == BudgetKind::Initial;
        let stated = printed.and_then(|text| fiscal_year::parse(text, Some(year)).ok());
        let Some(fiscal_year) = stated.or(own.then_some(year)) else {
            self.notes.warning(
                "budget_year_missing",
                figure.place,
                "何年度の予算額・決算額か分からないため、取り込みません",
                "a budget figure whose fiscal year cannot be read is left out",
            );
            return None;
        };
        let text = figure.text.as_deref().unwrap_or_default();
        let money = money::read(text, figure.head.unit.as_deref().or(unit));
        // An amount that ends with 百 or 万 lost its 円 at the end of a line.
        let money = match text.chars().next_back() {
            Some('十' | '百' | '千' | '万' | '億' | '兆') => ReadMoney {
                status: BudgetStatus::Unread,
                amount_yen: None,
                precision_yen: None,
                parse: Parse::Unparsed,
            },
            _ => money,
        };
        let understood = money.parse == Parse::Full;
        if !understood {
            let text = quoted(text);
            self.notes.warning(
                "budget_unreadable",
                figure.place,
                format!("金額「{text}」を読み取れません。記載のまま残します"),
                format!("the amount '{text}' cannot be read in full: its text is kept"),
            );
        }
        let far = own || (fiscal_year.get() - year.get()).abs() > 4;
        let blank = money.status == BudgetStatus::Blank;
        let confidence = match (understood, far || blank) {
            (false, _) => Confidence::Low,
            (true, true) => Confidence::Medium,
            (true, false) => Confidence::High,
        };
        let text = (!text.is_empty()).then(|| text.to_owned());
        let value = FormBudget {
            fiscal_year,
            kind: figure.head.kind,
            text,
            money,
        };
        Some(Field {
            value,
            line: figure.place.line,
            confidence,
        })
    }
}

/// The next run of elements that fit, from `first` on; moves `first` behind the run.
pub(super) fn run<'a, T>(all: &'a [T], first: &mut usize, fits: impl Fn(&T) -> bool) -> &'a [T] {
    let rest = all.get(*first..).unwrap_or_default();
    let count = rest.iter().take_while(|it| fits(it)).count();
    *first += count;
    rest.get(..count).unwrap_or_default()
}
