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
    sheet::table::{Cell, Content, Row, Struck, Table},
    value::{Decimal, FiscalYear, Id, Line, Prose, language::Bilingual},
};

/// A cell was refused, and a note says why.
struct Refused;

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

    /// Warns of hidden columns and rows, and of merged cells.
    pub(super) fn layout(&mut self, table: &Table) {
        let hidden = |column: u32| {
            table
                .hidden_columns
                .iter()
                .any(|(first, last)| (*first..=*last).contains(&column))
        };
        let columns: Vec<(u32, u32)> = self
            .heads
            .columns
            .values()
            .filter(|column| hidden(**column))
            .map(|column| (self.heads.row, *column))
            .collect();
        for at in columns {
            self.warn(
                "hidden_column",
                at,
                "非表示の列も読みました",
                "stands in a hidden column, which was read as well",
            );
        }
        let rows = table
            .rows
            .iter()
            .filter(|row| row.hidden && row.number > self.heads.row);
        let rows: Vec<u32> = rows.map(|row| row.number).collect();
        if let Some(first) = rows.first() {
            let count = rows.len();
            let (ja, en) = (
                format!("非表示の行も読みました（ここから{count}行）"),
                format!("stands in the first of {count} hidden rows, which were read as well"),
            );
            self.warn("hidden_row", (*first, 1), &ja, &en);
        }
        let header = self.heads.row;
        for range in table.merged.iter().filter(|range| range.last.0 > header) {
            let last = self.notes.address(range.last);
            self.warn(
                "merged_cells",
                range.first,
                &format!("{last} までのセルが結合されています。値は最初のセルだけにあるものとして読みました"),
                &format!("is merged with the cells to {last}, which count as empty"),
            );
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
    fn field<T: PartialEq>(
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

    /// Says what is struck out in a table. A cell in which nothing else stands is refused: it may be meant to be erased, or not.
    pub(super) fn struck(&mut self, table: &Table) {
        let header = self.heads.row;
        for Struck { at, text, alone } in table.struck.iter().filter(|struck| struck.at.0 >= header) {
            let words = quoted(text);
            if *alone {
                let ja = format!("取り消し線の付いた「{words}」だけが入っています。消すか、取り消し線を外してください");
                let en = format!("holds nothing but '{words}', which is struck out; delete it, or remove the line");
                self.fault(*at, &Fault::new("struck_out", ja, en));
            } else {
                self.warn(
                    "struck_out",
                    *at,
                    &format!("取り消し線の付いた「{words}」を除いて読みました"),
                    &format!("was read without '{words}', which is struck out"),
                );
            }
        }
    }

    /// Refuses cells by which a row says that it is of another goal, organization or policy than the indicator is.
    fn identify(&mut self, row: &Row, known: &KnownIndicator) {
        let [slug, name] = &known.organization;
        self.same(row, "goal_code", &known.goal_code, |it| {
            cells::same_text(it, &[&known.goal_code], "経営課題番号", "the code of a goal")
        });
        self.same(row, "organization", slug, |it| {
            cells::same_text(it, &[slug, name], "所属", "an organization")
        });
        let year = known.policy_year;
        self.same(row, "policy_year", &year.to_string(), |it| {
            cells::year(it, Some(year)).map(|given| given == year)
        });
    }

    fn same(&mut self, row: &Row, code: &'static str, known: &str, is_same: impl Fn(&Content) -> Result<bool, Fault>) {
        if let Ok(Some(false)) = self.field(row, code, is_same) {
            let given = self.cell(row, code).map(|cell| cells::words(&cell.content));
            let (at, given) = (self.place(row, code), quoted(&given.unwrap_or_default()));
            let ja = format!("「{given}」は登録済みの「{known}」と違います。行がずれていませんか");
            let en = format!("says '{given}' where '{known}' is stored; are the rows shifted?");
            self.fault(at, &Fault::new(code_of_difference(code), ja, en));
        }
    }

    /// Warns where a cell that only explains the row differs from what is stored.
    fn compare(&mut self, row: &Row, code: &'static str, known: Option<&str>) {
        let Some(cell) = self.cell(row, code) else { return };
        let Ok(given) = cells::text(&cell.content) else { return };
        let (given, known, at) = (given, known.unwrap_or_default(), (row.number, cell.column));
        if !given.is_empty() && cells::plain(&given) != cells::plain(known) {
            let (given, known) = (quoted(&given), quoted(known));
            self.warn(
                code_of_difference(code),
                at,
                &format!("「{given}」は登録済みの「{known}」と違います。行がずれていませんか"),
                &format!("says '{given}' where '{known}' is stored; are the rows shifted?"),
            );
        }
    }

    /// Refuses cells below no head, which would be lost without a word.
    fn unheaded(&mut self, row: &Row) {
        for cell in row.cells.iter().filter(|cell| !cells::is_blank(cell)) {
            let headed = self.heads.columns.values().any(|column| *column == cell.column)
                || self.heads.refused.contains(&cell.column);
            if !headed {
                let ja = "見出しのない列に入力があります";
                self.fault(
                    (row.number, cell.column),
                    &Fault::new("no_head", ja, "stands in a column without a head"),
                );
            }
        }
    }

    fn cell<'r>(&self, row: &'r Row, code: &str) -> Option<&'r Cell> {
        row.cell(*self.heads.columns.get(code)?)
    }

    /// Where a note about a column of a row stands.
    fn place(&self, row: &Row, code: &str) -> (u32, u32) {
        self.heads.place(row.number, code)
    }

    fn fault(&mut self, at: (u32, u32), fault: &Fault) {
        self.add(Severity::Error, fault.code, at, &fault.detail.ja, &fault.detail.en);
    }

    fn warn(&mut self, code: &'static str, at: (u32, u32), ja: &str, en: &str) {
        self.add(Severity::Warning, code, at, ja, en);
    }

    fn add(&mut self, severity: Severity, code: &'static str, at: (u32, u32), ja: &str, en: &str) {
        let cell = self.notes.address(at);
        let detail = Bilingual::new(format!("{cell}: {ja}"), format!("{cell}: {en}"));
        self.notes.add(severity, code, at, detail);
    }
}

fn code_of_difference(column: &str) -> &'static str {
    match column {
        "unit" => "unit_differs",
        "target_text" => "target_differs",
        "goal_code" => "goal_code_differs",
        "organization" => "organization_differs",
        "policy_year" => "policy_year_differs",
        _ => "name_differs",
    }
}
