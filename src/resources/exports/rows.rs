//! Exported data as rows of cells, in the order of the columns of [`super::tables`].

use std::collections::HashMap;

use diesel::prelude::*;

use super::origin;
use crate::{
    db::{Read, schema::organizations as o},
    domain::target::Target,
    error::Result,
    resources::{budgets::Budget, evaluations::row::EvaluationRow, indicators::Indicator},
    sheet::write::Cell,
    value::{FiscalYear, Line, Slug},
};

/// The sources that rows name: the names of organizations, by slug.
pub(super) struct Source(HashMap<String, String>);

impl Source {
    /// The organizations as they are called at this moment.
    pub(super) fn read(conn: &mut Read<'_>) -> Result<Self> {
        let rows: Vec<(Slug, Line<100>)> = o::table.select((o::slug, o::name)).load(conn.conn)?;
        Ok(Self(
            rows.into_iter()
                .map(|(slug, name)| (slug.to_string(), name.0))
                .collect(),
        ))
    }

    /// 大阪市 西区 2024年度運営方針
    pub(super) fn cells(&self, organization: &Slug, year: FiscalYear) -> [Cell; 2] {
        let slug = organization.to_string();
        let name = self.0.get(&slug).unwrap_or(&slug);
        origin(format!("大阪市 {name} {year}年度運営方針"))
    }
}

/// Cells of any values that convert into cells.
macro_rules! cells {
    ($($value:expr),+ $(,)?) => { vec![$(Cell::from($value)),+] };
}
pub(super) use cells;

pub(super) fn indicator(row: Indicator, source: &Source) -> Vec<Cell> {
    let origin = source.cells(&row.organization, row.policy_year);
    let target = Target::from(row.target);
    let mut cells = cells![
        row.id,
        row.series_id,
        row.organization,
        row.policy_year,
        row.goal_id,
        row.goal_code,
        row.position,
        row.kind,
        row.name,
        row.population,
        row.unit,
        row.decimals,
        row.direction,
        target.text,
        target.comparator,
        target.value,
        target.upper,
        target.reference.kind,
        target.reference.fiscal_year,
        target.reference.value,
        target.reference.name,
        target.period.kind,
        target.period.from,
        target.period.to,
        row.comparable_with_previous,
        row.comparable_reason,
        row.version,
        row.created_at,
        row.updated_at,
    ];
    cells.extend(origin);
    cells
}

pub(super) fn budget(row: Budget, source: &Source) -> Vec<Cell> {
    let origin = source.cells(&row.organization, row.policy_year);
    let mut cells = cells![
        row.id,
        row.organization,
        row.policy_year,
        row.goal_id,
        row.goal_code,
        row.fiscal_year,
        row.kind,
        row.status,
        row.amount_yen,
        row.precision_yen,
        row.text,
        row.version,
        row.created_at,
        row.updated_at,
    ];
    cells.extend(origin);
    cells
}

pub(super) fn evaluation(row: EvaluationRow, source: &Source) -> Vec<Cell> {
    let origin = source.cells(&row.organization, row.policy_year);
    let mut cells = cells![
        row.indicator_id,
        row.series_id,
        row.organization,
        row.policy_year,
        row.goal_id,
        row.goal_code,
        row.kind,
        row.name,
        row.unit,
        row.direction,
        row.target_text,
        row.comparator,
        row.target_value,
        row.target_upper,
        row.fiscal_year,
        row.value,
        row.cumulative_value,
        row.value_status,
        row.observation_status,
        row.result_text,
        row.stated_previous_value,
        row.recorded_previous_value,
        row.outcome,
        row.reason,
        row.rating,
        row.declared_rating,
        row.computed_rating,
        row.consistent,
        row.rounding_sensitive,
        row.gap,
        row.gap_unit,
        row.attainment,
        row.attainment_reason,
        row.due_on,
        row.on,
    ];
    cells.extend(origin);
    cells.extend(cells![
        row.organization_name,
        row.goal_title,
        row.decimals,
        row.threshold,
        row.explanation.ja,
        row.explanation.en,
        row.updated_at,
    ]);
    cells
}
