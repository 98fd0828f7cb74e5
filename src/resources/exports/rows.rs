//! Exported data as rows of cells, in the order of the columns of [`super::tables`].

use std::collections::HashMap;

use diesel::prelude::*;

use super::{LICENSE, Title};
use crate::{
    db::{Read, schema::organizations as o},
    domain::target::Target,
    error::Result,
    resources::{budgets::Budget, evaluations::row::EvaluationRow, indicators::Indicator},
    sheet::write::Cell,
    value::{FiscalYear, Line, Slug, Yen},
};

/// The names of organizations, in Japanese and English, by slug: rows show them, and name their source by them.
pub(super) struct Source(HashMap<String, (String, Option<String>)>);

/// What a row says of its organization.
pub(super) struct Origin {
    pub(super) name: Cell,
    pub(super) name_en: Cell,
    /// 大阪市 西区 2024年度運営方針
    pub(super) source: String,
}

impl Source {
    /// The organizations as they are called at this moment.
    pub(super) fn read(conn: &mut Read<'_>) -> Result<Self> {
        let rows: Vec<(Slug, Line<100>, Option<Line<100>>)> =
            o::table.select((o::slug, o::name, o::name_en)).load(conn.conn)?;
        let names = rows
            .into_iter()
            .map(|(slug, name, english)| (slug.to_string(), (name.0, english.map(|name| name.0))));
        Ok(Self(names.collect()))
    }

    pub(super) fn of(&self, organization: &Slug, year: FiscalYear) -> Origin {
        let (name, english) = match self.0.get(organization.as_str()) {
            Some((name, english)) => (name.as_str(), english.clone()),
            None => (organization.as_str(), None),
        };
        Origin {
            name: name.to_owned().into(),
            name_en: english.into(),
            source: format!("大阪市 {name} {year}年度運営方針"),
        }
    }
}

/// Cells of any values that convert into cells.
macro_rules! cells {
    ($($value:expr),+ $(,)?) => { vec![$(Cell::from($value)),+] };
}
pub(super) use cells;

pub(super) fn indicator(row: Indicator, goal: Title, source: &Source) -> Vec<Cell> {
    let origin = source.of(&row.organization, row.policy_year);
    let target = Target::from(row.target);
    let decimals = row.decimals;
    cells![
        origin.name,
        row.organization,
        row.policy_year,
        row.goal_code,
        goal,
        row.position,
        row.kind,
        row.name,
        row.population,
        row.unit,
        row.direction,
        target.text,
        target.comparator,
        Cell::measure(target.value, decimals),
        Cell::measure(target.upper, decimals),
        decimals,
        target.reference.kind,
        target.reference.fiscal_year,
        Cell::measure(target.reference.value, decimals),
        target.reference.name,
        target.period.kind,
        target.period.from,
        target.period.to,
        row.comparable_with_previous,
        row.comparable_reason,
        origin.name_en,
        row.version,
        row.created_at,
        row.updated_at,
        origin.source,
        LICENSE.to_owned(),
        row.goal_id,
        row.series_id,
        row.id,
    ]
}

pub(super) fn budget(row: Budget, goal: Title, source: &Source) -> Vec<Cell> {
    let origin = source.of(&row.organization, row.policy_year);
    cells![
        origin.name,
        row.organization,
        row.policy_year,
        row.goal_code,
        goal,
        row.fiscal_year,
        row.kind,
        row.status,
        row.amount_yen,
        row.precision_yen.map(Yen),
        row.text,
        origin.name_en,
        row.version,
        row.created_at,
        row.updated_at,
        origin.source,
        LICENSE.to_owned(),
        row.goal_id,
        row.id,
    ]
}

pub(super) fn evaluation(row: EvaluationRow, source: &Source) -> Vec<Cell> {
    let origin = source.of(&row.organization, row.policy_year);
    let decimals = row.decimals;
    let measure = |value| Cell::measure(value, decimals);
    cells![
        row.organization_name,
        row.organization,
        row.policy_year,
        row.goal_code,
        row.goal_title,
        row.name,
        row.unit,
        row.target_text,
        row.fiscal_year,
        measure(row.value),
        row.outcome,
        row.rating,
        measure(row.gap),
        row.gap_unit,
        row.attainment,
        row.explanation.ja,
        row.reason,
        row.kind,
        row.direction,
        row.comparator,
        measure(row.target_value),
        measure(row.target_upper),
        measure(row.threshold),
        measure(row.cumulative_value),
        row.value_status,
        row.observation_status,
        row.result_text,
        measure(row.stated_previous_value),
        measure(row.recorded_previous_value),
        row.declared_rating,
        row.computed_rating,
        row.consistent,
        row.rounding_sensitive,
        row.attainment_reason,
        row.due_on,
        row.on,
        decimals,
        row.explanation.en,
        origin.name_en,
        row.updated_at,
        origin.source,
        LICENSE.to_owned(),
        row.goal_id,
        row.series_id,
        row.indicator_id,
    ]
}
