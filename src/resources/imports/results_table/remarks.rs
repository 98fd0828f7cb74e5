//! What a table says beside its results: what people do not see, what they have struck out, and which indicators they mean.

use super::{
    KnownIndicator,
    cells::{self, Fault},
    quoted,
    rows::Reading,
};
use crate::{
    sheet::table::{Content, Row, Struck, Table},
    value::Id,
};

impl<L: FnMut(Id) -> Option<KnownIndicator>> Reading<L> {
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
    pub(super) fn identify(&mut self, row: &Row, known: &KnownIndicator) {
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
    pub(super) fn compare(&mut self, row: &Row, code: &'static str, known: Option<&str>) {
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
    pub(super) fn unheaded(&mut self, row: &Row) {
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
