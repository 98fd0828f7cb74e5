//! Targets as the columns of their indicators.

use diesel::prelude::*;
use serde::Serialize;

use crate::{
    db::schema::indicators,
    domain::target::{Comparator, Period, PeriodKind, Reference, ReferenceKind, Target},
    value::{Decimal, FiscalYear, Line},
};

/// A target as the columns of its indicator.
#[derive(Debug, Clone, Serialize, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = indicators, treat_none_as_null = true)]
#[serde(into = "Target")]
#[expect(clippy::struct_field_names, reason = "they are named as the columns are")]
pub struct TargetColumns {
    target_text: Option<Line<500>>,
    target_comparator: Comparator,
    target_value: Option<Decimal>,
    target_upper: Option<Decimal>,
    target_reference: ReferenceKind,
    target_reference_year: Option<FiscalYear>,
    target_reference_value: Option<Decimal>,
    target_period: PeriodKind,
    target_period_from: Option<FiscalYear>,
    target_period_to: Option<FiscalYear>,
    target_reference_name: Option<Line<100>>,
}

impl From<TargetColumns> for Target {
    fn from(columns: TargetColumns) -> Self {
        Self {
            text: columns.target_text,
            comparator: columns.target_comparator,
            value: columns.target_value,
            upper: columns.target_upper,
            reference: Reference {
                kind: columns.target_reference,
                fiscal_year: columns.target_reference_year,
                value: columns.target_reference_value,
                name: columns.target_reference_name,
            },
            period: Period {
                kind: columns.target_period,
                from: columns.target_period_from,
                to: columns.target_period_to,
            },
        }
    }
}

impl From<Target> for TargetColumns {
    fn from(target: Target) -> Self {
        Self {
            target_text: target.text,
            target_comparator: target.comparator,
            target_value: target.value,
            target_upper: target.upper,
            target_reference: target.reference.kind,
            target_reference_year: target.reference.fiscal_year,
            target_reference_value: target.reference.value,
            target_period: target.period.kind,
            target_period_from: target.period.from,
            target_period_to: target.period.to,
            target_reference_name: target.reference.name,
        }
    }
}
