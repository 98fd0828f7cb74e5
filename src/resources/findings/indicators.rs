//! Findings about indicators: alone, beside the one they continue, and about those that nothing continues.

use std::collections::HashMap;

use chrono::NaiveDate;
use diesel::{PgConnection, prelude::*};

use super::{
    Finding, FindingFilter, FindingSide, FindingSource,
    place::{FindingPosition, INDICATORS},
};
use crate::{
    db::schema::policies as p,
    domain::finding::{FindingField, FindingKind, FindingValue, Misfit, Parts, Seen, dropped_after_b, misfits},
    error::Result,
    http::query::Years,
    resources::{
        indicators::IndicatorFilter,
        results::stored::Columns,
        series::pair::{self, Entry, Neighbours},
    },
    value::{FiscalYear, Id},
};

/// The policies of organizations, by fiscal year.
type Policies = HashMap<(Id, FiscalYear), Id>;

/// Hands over the findings about indicators, by id from `from` on, until `take` has had enough.
pub(super) fn each(
    conn: &mut PgConnection,
    filter: &FindingFilter,
    on: NaiveDate,
    from: Option<Id>,
    take: &mut impl FnMut(FindingPosition, Finding) -> bool,
) -> Result<()> {
    let wanted = IndicatorFilter {
        organization: filter.organization.clone(),
        fiscal_year: looked_at(filter),
        series: filter.series.clone(),
        ..IndicatorFilter::default()
    };
    pair::each_batch(conn, &wanted, on, from, |conn, some| {
        let next = next_policies(conn, filter, some)?;
        for entry in &some.entries {
            let asked = filter.indicator.some().is_none_or(|ids| ids.contains(&entry.id()));
            if !asked {
                continue;
            }
            for finding in of(entry, some, &next, filter) {
                if !take((INDICATORS, entry.id(), finding.kind), finding) {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    })
}

/// The years of the policies to read: those asked for, and those before them, whose indicators may have been dropped.
fn looked_at(filter: &FindingFilter) -> Years {
    let asked = &filter.fiscal_year.0;
    let before = asked
        .iter()
        .filter(|_| filter.asks_for(FindingKind::DroppedAfterB))
        .filter_map(|year| year.previous());
    let mut years: Vec<FiscalYear> = asked.iter().copied().chain(before).collect();
    years.sort_unstable();
    years.dedup();
    Years(years)
}

/// The policies of the years after, which may lack an indicator: one query.
fn next_policies(conn: &mut PgConnection, filter: &FindingFilter, some: &Neighbours) -> Result<Policies> {
    if !filter.asks_for(FindingKind::DroppedAfterB) {
        return Ok(Policies::new());
    }
    let mut organizations: Vec<Id> = Vec::new();
    let mut years: Vec<FiscalYear> = Vec::new();
    for entry in &some.entries {
        organizations.push(entry.judged.subject.organization_id);
        years.extend(entry.policy_year().next());
    }
    organizations.sort_unstable();
    organizations.dedup();
    years.sort_unstable();
    years.dedup();
    let rows: Vec<(Id, FiscalYear, Id)> = p::table
        .filter(p::organization_id.eq_any(organizations))
        .filter(p::fiscal_year.eq_any(years))
        .select((p::organization_id, p::fiscal_year, p::id))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|(organization, year, policy)| ((organization, year), policy))
        .collect())
}

/// The findings about an indicator, by kind.
fn of(entry: &Entry, some: &Neighbours, next: &Policies, filter: &FindingFilter) -> Vec<Finding> {
    let mut findings = Vec::new();
    if filter.fiscal_year.hold(entry.policy_year()) {
        let before = some.before(entry);
        let seen_before = before.map(seen);
        for misfit in misfits(&seen(entry), seen_before.as_ref()) {
            findings.push(finding(entry, before, misfit));
        }
    }
    findings.extend(dropped(entry, some, next, filter));
    findings.sort_by_key(|finding| finding.kind);
    findings
}

fn seen(entry: &Entry) -> Seen<'_> {
    let evaluation = entry.judged.evaluation();
    Seen {
        terms: entry.terms(),
        value: entry.value(),
        parts: entry.judged.result.as_ref().map_or_else(Parts::default, Columns::parts),
        stated_previous: evaluation.previous.stated,
        ratings: evaluation.ratings,
    }
}

fn finding(entry: &Entry, before: Option<&Entry>, misfit: Misfit) -> Finding {
    let earlier = before.filter(|_| misfit.is_earlier).unwrap_or(entry);
    Finding {
        kind: misfit.kind,
        organization: entry.organization().clone(),
        fiscal_year: entry.policy_year(),
        name: entry.indicator().name.clone(),
        indicator_id: Some(entry.id()),
        series_id: Some(entry.indicator().series_id),
        found: side(entry, misfit.found),
        against: side(earlier, misfit.against),
        sentence: misfit.sentence,
    }
}

/// The finding that the policy of the year after lacks an indicator, if it does.
fn dropped(entry: &Entry, some: &Neighbours, next: &Policies, filter: &FindingFilter) -> Option<Finding> {
    let year = entry
        .policy_year()
        .next()
        .filter(|year| filter.fiscal_year.hold(*year))?;
    let policy_id = *next.get(&(entry.judged.subject.organization_id, year))?;
    let misfit = some
        .at(entry, year)
        .is_empty()
        .then(|| dropped_after_b(&seen(entry), year))
        .flatten()?;
    let indicator = entry.indicator();
    Some(Finding {
        kind: misfit.kind,
        organization: indicator.organization.clone(),
        fiscal_year: year,
        name: indicator.name.clone(),
        indicator_id: Some(indicator.id),
        series_id: Some(indicator.series_id),
        found: FindingSide {
            value: misfit.found,
            source: FindingSource {
                policy_year: year,
                policy_id,
                revision: None,
                goal_id: None,
                indicator_id: None,
                budget_id: None,
                href: format!(
                    "/v1/indicators?organization={}&fiscal_year={year}",
                    indicator.organization
                ),
            },
        },
        against: side(entry, misfit.against),
        sentence: misfit.sentence,
    })
}

fn side(entry: &Entry, value: FindingValue) -> FindingSide {
    let indicator = entry.indicator();
    let below = match value.field {
        FindingField::Value
        | FindingField::Ratio
        | FindingField::Denominator
        | FindingField::SampleSize
        | FindingField::Text
        | FindingField::StatedPreviousValue
        | FindingField::DeclaredRating => {
            format!("/results/{}", entry.fiscal_year())
        }
        FindingField::ComputedRating | FindingField::OfficialRating => "/evaluation".to_owned(),
        _ => String::new(),
    };
    FindingSide {
        value,
        source: FindingSource {
            policy_year: indicator.policy_year,
            policy_id: entry.judged.subject.policy_id,
            revision: None,
            goal_id: Some(indicator.goal_id),
            indicator_id: Some(indicator.id),
            budget_id: None,
            href: format!("/v1/indicators/{}{below}", indicator.id),
        },
    }
}
