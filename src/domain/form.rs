//! Reads the official form (【共通様式】): the content of every box, with its line and the confidence of the reading.

mod assemble;
mod budgets;
mod furniture;
mod goals;
mod headings;
mod html;
mod labels;
mod layout;
mod legend;
mod notes;
mod numbers;
mod prepare;
mod prose;
mod reader;
mod results;
mod slips;
mod split;
mod table;
mod tags;
#[cfg(test)]
mod tests;
mod text;
mod width;

use super::{
    kinds::{BudgetKind, IndicatorKind},
    reading::{Parse, indicator::ReadIndicator, money::ReadMoney, result::ReadResult},
};
use crate::{
    text_enum,
    value::{FiscalYear, language::Bilingual},
};

text_enum! {
    /// How sure the reading of a field is.
    pub enum Confidence in "confidence" {
        /// The form says it in the words it is known for.
        High = "high" ("高", "high"),
        /// It was put together, or its label was damaged: worth a look.
        Medium = "medium" ("中", "medium"),
        /// It may be something else: check it.
        Low = "low" ("低", "low"),
    }
}

/// The lower of two confidences.
pub(super) fn worse(one: Confidence, other: Confidence) -> Confidence {
    match (one, other) {
        (Confidence::Low, _) | (_, Confidence::Low) => Confidence::Low,
        (Confidence::High, Confidence::High) => Confidence::High,
        _ => Confidence::Medium,
    }
}

text_enum! {
    /// How serious a note of a report is.
    pub enum Severity in "severity" {
        /// Nothing is stored while it stands.
        Error = "error" ("エラー", "error"),
        /// It should be looked at.
        Warning = "warning" ("警告", "warning"),
    }
}

/// Most goals of a policy.
pub const MOST_GOALS: usize = 100;
/// Most indicators of a policy, those of all goals together: real ones have under a hundred.
pub const MOST_INDICATORS: usize = 1_000;

/// A field of the form, as read, with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field<T> {
    /// The value as read.
    pub value: T,
    /// The line on which the field begins, from 1.
    pub line: u32,
    /// How sure the reading is.
    pub confidence: Confidence,
}

/// An error or warning about a file that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// How serious the note is.
    pub severity: Severity,
    /// The code of the note, for programs.
    ///
    /// Errors: `not_a_form`, `two_forms`, `truncated`, `too_large`, `organization_missing`, `fiscal_year_missing`,
    /// `goal_repeated`, `goal_title_missing`, `indicator_repeated`, `budget_repeated`, `result_count` (as many results as
    /// indicators are needed, or names and numbers that fit), `target_count`, `table_row` (cells that do not fit their
    /// heads), `indicators_run_together` (several in one line, which nothing tells apart), `legend_or_ratings`, `figure_broken` (by a line
    /// end). Warnings:
    /// `slip_corrected`, `target_unreadable`, `result_unreadable`, `result_year`, `budget_unreadable`,
    /// `budget_year_missing`, `indicators_missing`, `box_repeated`, `box_left_out`, `label_unknown`, `text_unplaced`,
    /// `remark_left_out`, `struck_out` (text that is struck out), `page_furniture` (a part of the page: its number, its
    /// date, whom to ask). Either: `more_notes`, the last of 200.
    pub code: &'static str,
    /// The line, from 1.
    pub line: u32,
    /// The column of that line, in characters, from 1.
    pub column: u32,
    /// The message, for people.
    pub detail: Bilingual,
}

/// A form, as read. Boxes the form does not have are `None`; those it leaves empty hold an empty list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Form {
    /// The organization as printed: 西区.
    pub organization: Option<Field<String>>,
    /// The fiscal year.
    pub fiscal_year: Option<Field<FiscalYear>>,
    /// Name of the head.
    pub head_name: Option<Field<String>>,
    /// Title of the head: 区長.
    pub head_title: Option<Field<String>>,
    /// 目標.
    pub vision: Option<Field<Vec<String>>>,
    /// 使命.
    pub mission: Option<Field<Vec<String>>>,
    /// 所属運営の基本的な考え方.
    pub basic_approach: Option<Field<Vec<String>>>,
    /// The goals, in the order of the form.
    pub goals: Vec<FormGoal>,
    /// 自己評価.
    pub self_evaluation: Option<Field<Vec<String>>>,
    /// 今後の方針.
    pub future_policy: Option<Field<Vec<String>>>,
    /// The corrections: the place (経営課題1-(2)の主な戦略), the text as found, and as corrected.
    pub corrections: Vec<(String, String, String)>,
    /// Errors and warnings, in the order of the lines.
    pub notes: Vec<Note>,
}

/// A goal of a form, as read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormGoal {
    /// The code, 1-1 for 1-(1).
    pub code: Field<String>,
    /// The title.
    pub title: Field<String>,
    /// The budgets.
    pub budgets: Vec<Field<FormBudget>>,
    /// 課題認識.
    pub issue_recognition: Option<Field<Vec<String>>>,
    /// 主な戦略.
    pub strategies: Option<Field<Vec<String>>>,
    /// The indicators with their results.
    pub indicators: Vec<FormIndicator>,
}

/// A budget figure of a form, as read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormBudget {
    /// Its fiscal year.
    pub fiscal_year: FiscalYear,
    /// The kind of budget figure.
    pub kind: BudgetKind,
    /// The figure as printed; nothing where the box is empty.
    pub text: Option<String>,
    /// The figure.
    pub money: ReadMoney,
}

/// An indicator of a form, as read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormIndicator {
    /// The kind of indicator.
    pub kind: IndicatorKind,
    /// Name, population and target.
    pub read: Field<ReadIndicator>,
    /// The result of the fiscal year; nothing where the box is empty.
    pub result: Option<Field<ReadResult>>,
    /// The previous year's result: as printed, and as read.
    pub previous: Option<Field<(String, ReadResult)>>,
}

impl FormIndicator {
    /// How much of the target was understood.
    #[must_use]
    pub fn parse(&self) -> Parse {
        self.read
            .value
            .target
            .as_ref()
            .map_or(Parse::Unparsed, |target| target.parse)
    }
}

/// Reads a form from plain text: lines, with tabs between the cells of a table's row, quoted as spreadsheets quote them. A
/// text of more than 8 MiB is not read. Reading stops after 100,000 cells and items. A form with too many goals or indicators for a policy gives no
/// goals. An error says so in all three cases.
#[must_use]
pub fn read_text(text: &str) -> Form {
    if text.len() > layout::MOST_BYTES {
        return too_large(layout::number(text.len()));
    }
    assemble::form(text::layout(text))
}

/// Reads a form from the visible content of an HTML page. The limits are those of text; besides, a tag has at most 100
/// attributes, and a table 1,000 columns. A merged cell counts once for each row that it spans. Notes have lines, but no
/// columns.
#[must_use]
pub fn read_html(html: &str) -> Form {
    if html.len() > layout::MOST_BYTES {
        return too_large(layout::number(html.len()));
    }
    assemble::form(html::layout(html))
}

/// Only the error: the file is too large.
fn too_large(bytes: u32) -> Form {
    let most = layout::MOST_BYTES;
    let mut notes = notes::Notes::default();
    notes.error(
        "too_large",
        notes::Place::line(1),
        format!("ファイルが大きすぎます（{bytes}バイト）。様式は{most}バイトまでです"),
        format!("the file is too large ({bytes} bytes): a form has at most {most}"),
    );
    Form {
        notes: notes.finish(),
        ..Form::default()
    }
}
