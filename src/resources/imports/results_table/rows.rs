//! The rows of a table of results, one after the other: every cell is read, or there is a note on it.

use std::{
    collections::{HashMap, hash_map},
    sync::Arc,
};

use serde_json::Value;

use super::{
    Entry, Heads, KnownIndicator, MOST_RESULTS,
    cells::{self, Fault},
    heads,
    notes::Notes,
    quoted,
};
use crate::{
    domain::{
        form::Severity,
        kinds::{ObservationStatus, ValueStatus},
    },
    error::{Place, Violation},
    http::validation::{Rules as _, violations},
    resources::results::ResultInput,
    sheet::table::{Cell, Content, Row},
    value::{Decimal, FiscalYear, Id, Line, Prose, language::Bilingual},
};

/// A cell was refused, and a note says why.
pub(super) struct Refused;

pub(super) struct Reading<L> {
    pub(super) heads: Heads,
    pub(super) notes: Notes,
    pub(super) year: Option<FiscalYear>,
    pub(super) lookup: L,
    /// The table and the cell of every result so far.
    pub(super) seen: HashMap<(Id, FiscalYear), (usize, (u32, u32))>,
    pub(super) entries: Vec<Entry>,
}

impl<L: FnMut(Id) -> Option<KnownIndicator>> Reading<L> {
    pub(super) fn required_columns(&mut self) {
        let mut missing = Vec::new();
        if self.year.is_none() && !self.heads.has("fiscal_year") {
            missing.push("年度 (fiscal_year)");
        }
        if !["value", "cumulative_value", "value_status"]
            .iter()
            .any(|code| self.heads.has(code))
        {
            missing.push("実績値 (value)");
        }
        for head in missing {
            let detail = Bilingual::new(
                format!("「{head}」の列がありません"),
                format!("there is no column {head}"),
            );
            self.notes
                .add(Severity::Error, "missing_column", (self.heads.row, 1), detail);
        }
    }

    pub(super) fn row(&mut self, row: &Row) {
        self.unheaded(row);
        let before = self.notes.errors();
        let key = (self.indicator(row), self.fiscal_year(row));
        let known = match key.0 {
            Some(id) => {
                let known = (self.lookup)(id);
                if known.is_none() {
                    let at = self.place(row, "indicator_id");
                    self.fault(
                        at,
                        &Fault::new(
                            "unknown_indicator",
                            "この指標はありません",
                            "there is no such indicator",
                        ),
                    );
                }
                known
            }
            None => None,
        };
        if let Some(known) = &known {
            self.identify(row, known);
            self.compare(row, "organization_name", Some(&known.organization[1]));
            self.compare(row, "name", Some(&known.name));
            self.compare(row, "unit", known.unit.as_deref());
            self.compare(row, "target_text", known.target_text.as_deref());
        }
        let version = self.field(row, "version", cells::count).unwrap_or(None);
        if let (Some(id), Some(year)) = key {
            let at = self.place(row, "indicator_id");
            match self.seen.entry((id, year)) {
                hash_map::Entry::Vacant(place) => {
                    place.insert((self.notes.table, at));
                }
                hash_map::Entry::Occupied(first) => {
                    let (table, first) = *first.get();
                    let there = self.notes.names.address(table, first);
                    self.fault(
                        at,
                        &Fault::new(
                            "repeated_result",
                            format!("{there} と同じ指標・年度です"),
                            format!("is the same indicator and fiscal year as {there}"),
                        ),
                    );
                }
            }
        }
        // Without the indicator its unit is unknown, and no value can be read. There is a note on that already.
        let Some(known) = known else { return };
        // A row without a year gets some year for the moment, so that its other errors are noted at once.
        let year = key.1.or(self.year).or(FiscalYear::new(FiscalYear::MAX));
        let Some(result) = year.and_then(|year| self.result(row, year, &known)) else {
            return;
        };
        if let ((Some(indicator_id), Some(fiscal_year)), true) = (key, self.notes.errors() == before) {
            if self.entries.len() == MOST_RESULTS {
                let at = self.place(row, "indicator_id");
                let (ja, en) = (
                    format!("実績は{MOST_RESULTS}件までです"),
                    format!("a file holds at most {MOST_RESULTS} results"),
                );
                return self.fault(at, &Fault::new("too_many_results", ja, en));
            }
            self.entries.push(Entry {
                table: self.notes.table,
                row: row.number,
                indicator_id,
                fiscal_year,
                version,
                result,
            });
        }
    }

    /// The result of a row, if every cell could be read. If it breaks a rule, there are notes.
    fn result(&mut self, row: &Row, fiscal_year: FiscalYear, known: &KnownIndicator) -> Option<ResultInput> {
        let unit = known.unit.as_deref();
        let value = self.value(row, "value", unit);
        let cumulative_value = self.value(row, "cumulative_value", unit);
        let stated_previous_value = self.value(row, "stated_previous_value", unit);
        let numerator = self.field(row, "numerator", |it| cells::number(it, None));
        let denominator = self.field(row, "denominator", |it| cells::number(it, None));
        let sample_size = self.field(row, "sample_size", cells::count);
        let value_status = self.field(row, "value_status", cells::code::<ValueStatus>);
        let observation_status = self.field(row, "observation_status", cells::code::<ObservationStatus>);
        let declared_rating = self.field(row, "declared_rating", cells::code);
        let measured_on = self.field(row, "measured_on", cells::day);
        let text = self.text(row, "text");
        let comment = self.text(row, "comment");
        let stated_previous_text = self.text(row, "stated_previous_text");

        let all_read = value.is_ok() && cumulative_value.is_ok() && value_status.is_ok();
        let (value, cumulative_value) = (value.unwrap_or(None), cumulative_value.unwrap_or(None));
        let valued = value.is_some() || cumulative_value.is_some();
        let value_status = match value_status.unwrap_or(None) {
            Some(status) => status,
            None if valued || !all_read => ValueStatus::Reported,
            None => {
                let at = self.place(row, "value");
                let ja = "値がありません。値がないときは、その理由を状態の列に書いてください（0は0と書きます）";
                let en = "is empty; where there is no value, the column value_status says why (0 is written 0)";
                self.fault(at, &Fault::new("value_required", ja, en));
                return None;
            }
        };
        let to_come = matches!(
            value_status,
            ValueStatus::NotYetDue | ValueStatus::NotReported | ValueStatus::BeingCompiled
        );
        let usual = if valued || !to_come {
            ObservationStatus::Final
        } else {
            ObservationStatus::Provisional
        };
        let result = ResultInput {
            value,
            cumulative_value,
            numerator: numerator.unwrap_or(None),
            denominator: denominator.unwrap_or(None),
            sample_size: sample_size.unwrap_or(None),
            value_status,
            observation_status: observation_status.unwrap_or(None).unwrap_or(usual),
            text: text.unwrap_or(None).map(Prose),
            comment: comment.unwrap_or(None).map(Prose),
            measured_on: measured_on.unwrap_or(None),
            declared_rating: declared_rating.unwrap_or(None),
            stated_previous_value: stated_previous_value.unwrap_or(None),
            stated_previous_text: stated_previous_text.unwrap_or(None).map(Line),
            ..ResultInput::nothing_yet(fiscal_year)
        };
        // A row without values speaks of the stored ones: both are checked together when they are merged.
        self.check(row, &result, all_read && self.heads.has("value"));
        Some(result)
    }

    /// Checks a result against the contract, like a JSON body; against its own rules only if `judged`.
    fn check(&mut self, row: &Row, result: &ResultInput, judged: bool) {
        let document = serde_json::to_value(result).unwrap_or(Value::Null);
        let mut broken = violations::<ResultInput>(&document);
        if judged {
            broken.extend(result.broken());
        }
        for Violation {
            place, code, detail, ..
        } in broken
        {
            let field = match &place {
                Place::Body(pointer) => pointer.trim_start_matches('/'),
                Place::Parameter(_) | Place::Header(_) => "",
            };
            let at = self.place(row, field);
            let head = heads::head(field);
            let (ja, en) = (format!("{head}: {}", detail.ja), format!("{field} {}", detail.en));
            self.fault(at, &Fault::new(code, ja, en));
        }
    }

    fn indicator(&mut self, row: &Row) -> Option<Id> {
        let id = self.field(row, "indicator_id", cells::id).ok()?;
        if id.is_none() {
            let at = self.place(row, "indicator_id");
            self.fault(at, &Fault::new("required", "指標IDがありません", "names no indicator"));
        }
        id
    }

    fn fiscal_year(&mut self, row: &Row) -> Option<FiscalYear> {
        let near = self.year;
        let year = self
            .field(row, "fiscal_year", |it| cells::year(it, near))
            .ok()?
            .or(near);
        if year.is_none() && self.heads.has("fiscal_year") {
            let at = self.place(row, "fiscal_year");
            self.fault(at, &Fault::new("required", "年度がありません", "names no fiscal year"));
        }
        year
    }

    fn value(&mut self, row: &Row, code: &'static str, unit: Option<&str>) -> Result<Option<Decimal>, Refused> {
        let value = self.field(row, code, |it| cells::number(it, unit))?;
        let is_percent = unit.is_some_and(|unit| cells::plain(unit) == "%");
        let small = value.is_some_and(|value| value != Decimal::ZERO && value.0.abs() < rust_decimal::Decimal::ONE);
        let marked = self.cell(row, code).is_some_and(|cell| match &cell.content {
            Content::Number(number) => {
                number.percent || number.shown.as_ref().is_some_and(|it| it.contains(['%', '％']))
            }
            Content::Text(text) => text.contains(['%', '％']),
            _ => false,
        });
        if is_percent && small && !marked {
            let shown = value.unwrap_or(Decimal::ZERO);
            let at = self.place(row, code);
            self.warn(
                "small_percent",
                at,
                &format!("{shown}％として読みました。割合（{shown}倍）のつもりではありませんか"),
                &format!("was read as {shown} %; was the ratio {shown} meant?"),
            );
        }
        Ok(value)
    }

    fn text(&mut self, row: &Row, code: &'static str) -> Result<Option<String>, Refused> {
        let text = self.field(row, code, cells::text)?;
        let is_number = self
            .cell(row, code)
            .is_some_and(|cell| matches!(cell.content, Content::Number(_)));
        if let (Some(text), true) = (&text, is_number) {
            let at = self.place(row, code);
            let shown = quoted(text);
            self.warn(
                "number_as_text",
                at,
                &format!("数値ですが、文章「{shown}」として読みました"),
                &format!("holds a number and was read as the text '{shown}'"),
            );
        }
        Ok(text)
    }

    /// Reads a cell, if there is something in it. Warns where the spreadsheet shows something else than the cell holds.
    pub(super) fn field<T: PartialEq>(
        &mut self,
        row: &Row,
        code: &'static str,
        read: impl Fn(&Content) -> Result<T, Fault>,
    ) -> Result<Option<T>, Refused> {
        let Some(cell) = self.cell(row, code).filter(|cell| !cells::is_blank(cell)) else {
            return Ok(None);
        };
        let at = (row.number, cell.column);
        if cells::is_struck(cell) {
            // There is a note on that already.
            return Err(Refused);
        }
        match read(&cell.content) {
            Ok(it) => {
                if cell.formula {
                    self.warn(
                        "formula",
                        at,
                        "数式です。最後に計算された値を読みました",
                        "is a formula, of which the value last computed was read",
                    );
                }
                if let Content::Number(number) = &cell.content
                    && let Some(shown) = &number.shown
                    && read(&Content::Text(Arc::clone(shown))).ok().as_ref() != Some(&it)
                {
                    let (shown, stored) = (quoted(shown), &number.digits);
                    self.warn(
                        "shown_differs",
                        at,
                        &format!(
                            "「{shown}」と表示されていますが、入っている数値は{stored}です。{stored}として読みました"
                        ),
                        &format!("shows '{shown}' and holds {stored}, which was read"),
                    );
                }
                Ok(Some(it))
            }
            Err(fault) => {
                self.fault(at, &fault);
                Err(Refused)
            }
        }
    }

    pub(super) fn cell<'r>(&self, row: &'r Row, code: &str) -> Option<&'r Cell> {
        row.cell(*self.heads.columns.get(code)?)
    }

    /// Where a note about a column of a row stands.
    pub(super) fn place(&self, row: &Row, code: &str) -> (u32, u32) {
        self.heads.place(row.number, code)
    }

    pub(super) fn fault(&mut self, at: (u32, u32), fault: &Fault) {
        self.add(Severity::Error, fault.code, at, &fault.detail.ja, &fault.detail.en);
    }

    pub(super) fn warn(&mut self, code: &'static str, at: (u32, u32), ja: &str, en: &str) {
        self.add(Severity::Warning, code, at, ja, en);
    }

    fn add(&mut self, severity: Severity, code: &'static str, at: (u32, u32), ja: &str, en: &str) {
        let cell = self.notes.address(at);
        let detail = Bilingual::new(format!("{cell}: {ja}"), format!("{cell}: {en}"));
        self.notes.add(severity, code, at, detail);
    }
}
