//! Predecessors: which of last year's indicators an indicator may continue. Proposed here, confirmed by a person.

use std::collections::HashMap;

use actix_web::get;
use diesel::{PgConnection, prelude::*};
use rust_decimal::Decimal as Number;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::Indicator;
use crate::{
    db::{
        Db, RevisionOf, find_by_id,
        schema::{goals as g, indicators as i, policies as p},
    },
    domain::{
        kinds::IndicatorKind,
        likeness::{Likeness, LikenessReason, Traits, likeness},
        target::Target,
    },
    error::Result,
    http::{as_of::AsOfParam, extract::Path, query::Query, respond::Answer},
    value::{Decimal, FiscalYear, GoalCode, Id, Line},
};

/// Most candidates of one answer.
const MOST: usize = 50;

/// The route.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list_predecessors);
}

/// The indicators of last year's policy that an indicator may continue.
#[derive(Debug, Serialize, ToSchema)]
pub struct Predecessors {
    /// The indicator; null for one that is not stored.
    pub indicator_id: Option<Id>,
    /// The series it is in.
    pub series_id: Option<Id>,
    /// The fiscal year of the policy that was searched: the one before; null where there can be none.
    pub fiscal_year: Option<FiscalYear>,
    /// The candidates, the likeliest first; empty where the caller sees no policy of that year.
    #[schema(max_items = 50)]
    pub items: Vec<Predecessor>,
}

/// An indicator of last year's policy, and what speaks for it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Predecessor {
    /// The candidate.
    pub indicator_id: Id,
    /// Its series: PATCH the indicator with it to confirm.
    pub series_id: Id,
    /// Its goal.
    pub goal_id: Id,
    /// The code of its goal: for people to find it by. It takes no part in the score, nor does the place.
    pub goal_code: GoalCode,
    /// Its name.
    pub name: Line<500>,
    /// Who or what it counts.
    pub population: Option<Line<300>>,
    /// Its unit.
    pub unit: Option<Line<20>>,
    /// Its target.
    pub target: Target,
    /// How likely it is, from 0 to 1: 0.7 for the name, as far as pairs of characters agree; 0.1 for the unit, 0.1 for the
    /// population, 0.05 for the kind and 0.05 for the shape of the target, where they are the same.
    pub score: Decimal,
    /// How alike the names are, from 0 to 1 (Dice's coefficient of pairs of characters, widths and blanks aside).
    pub name_likeness: Decimal,
    /// What speaks for it.
    #[schema(max_items = 10)]
    pub reasons: Vec<LikenessReason>,
    /// Whether it is worth proposing: the unit is the same, the name is or nearly so, it is free, and no other free one comes
    /// within 0.1 of its score.
    pub confident: bool,
    /// Whether the indicator is in its series already.
    pub linked: bool,
    /// The other indicator of this year's policy that is in its series.
    pub taken_by: Option<Id>,
}

/// The indicator whose predecessors are looked for, stored or not, in the policy of a fiscal year.
#[derive(Debug, Clone, Copy)]
pub struct Sought<'a> {
    /// The indicator, if it is stored.
    pub id: Option<Id>,
    /// Its series, if it is stored.
    pub series_id: Option<Id>,
    /// Its name.
    pub name: &'a str,
    /// Its unit as printed.
    pub unit: Option<&'a str>,
    /// Who or what is counted.
    pub population: Option<&'a str>,
    /// What sort of indicator it is.
    pub kind: IndicatorKind,
    /// Its target.
    pub target: &'a Target,
}

/// Lists the indicators that an indicator may continue.
///
/// Candidates of the same organization's policy of the year before, as far as the caller sees it, by how alike they are in
/// name, unit, population, kind and target; codes and places say nothing across years. Nothing is linked by this: a person
/// confirms with PATCH /v1/indicators/{id} and the candidate's `series_id`.
#[utoipa::path(tag = "indicators", params(AsOfParam))]
#[get("/indicators/{id}/predecessors")]
async fn list_predecessors(db: Db, Path(id): Path<Id>, Query(past): Query<AsOfParam>) -> Result<Answer<Predecessors>> {
    let moment = past.of(RevisionOf::Row("indicator", id));
    db.at(moment).read(move |conn| of_stored(conn, id).map(Answer)).await
}

fn of_stored(conn: &mut PgConnection, id: Id) -> Result<Predecessors> {
    let indicator: Indicator = find_by_id(conn, id)?;
    let organization_id = i::table
        .inner_join(g::table.inner_join(p::table))
        .filter(i::id.eq(id))
        .select(p::organization_id)
        .first(conn)?;
    let candidates = Candidates::load(conn, organization_id, indicator.policy_year)?;
    let target = indicator.target.clone().into();
    let sought = Sought {
        id: Some(id),
        series_id: Some(indicator.series_id),
        name: &indicator.name.0,
        unit: indicator.unit.as_ref().map(|it| it.0.as_str()),
        population: indicator.population.as_ref().map(|it| it.0.as_str()),
        kind: indicator.kind,
        target: &target,
    };
    Ok(Predecessors {
        indicator_id: Some(id),
        series_id: Some(indicator.series_id),
        fiscal_year: indicator.policy_year.previous(),
        items: candidates.of(&candidates.traits(), &sought),
    })
}

/// The indicators of a policy that indicators of the next year's policy may continue.
pub struct Candidates {
    indicators: Vec<(Indicator, Target)>,
    /// By series, the indicators of the next year's policy, in the order of their creation.
    taken: HashMap<Id, Vec<Id>>,
}

impl Candidates {
    /// The candidates for all indicators of a fiscal year: two queries, however many these are.
    pub fn load(conn: &mut PgConnection, organization: Id, year: FiscalYear) -> Result<Self> {
        let indicators: Vec<Indicator> = Indicator::query()
            .filter(p::organization_id.eq(organization))
            .filter(p::fiscal_year.nullable().eq(year.previous()))
            .load(conn)?;
        let series: Vec<Id> = indicators.iter().map(|candidate| candidate.series_id).collect();
        let this_years: Vec<(Id, Id)> = i::table
            .inner_join(g::table.inner_join(p::table))
            .filter(p::organization_id.eq(organization))
            .filter(p::fiscal_year.eq(year))
            .filter(i::series_id.eq_any(series))
            .order(i::id)
            .select((i::series_id, i::id))
            .load(conn)?;
        let mut taken: HashMap<Id, Vec<Id>> = HashMap::new();
        for (series, id) in this_years {
            taken.entry(series).or_default().push(id);
        }
        let with_target = |indicator: Indicator| {
            let target = indicator.target.clone().into();
            (indicator, target)
        };
        Ok(Self {
            indicators: indicators.into_iter().map(with_target).collect(),
            taken,
        })
    }

    /// The traits of each candidate that are compared.
    #[must_use]
    pub fn traits(&self) -> Vec<Traits<'_>> {
        let each = self.indicators.iter().map(|(candidate, target)| {
            Traits::of(
                &candidate.name.0,
                candidate.unit.as_ref().map(|it| it.0.as_str()),
                candidate.population.as_ref().map(|it| it.0.as_str()),
                candidate.kind,
                target,
            )
        });
        each.collect()
    }

    /// The candidates for an indicator, the likeliest first. `traits` are those of the candidates.
    #[must_use]
    pub fn of(&self, traits: &[Traits<'_>], sought: &Sought<'_>) -> Vec<Predecessor> {
        let given = Traits::of(sought.name, sought.unit, sought.population, sought.kind, sought.target);
        let mut ranked: Vec<(Predecessor, bool)> = self
            .indicators
            .iter()
            .zip(traits)
            .map(|((candidate, target), traits)| {
                let likeness = likeness(&given, traits);
                let close = likeness.is_close();
                let mut taken = self.taken.get(&candidate.series_id).into_iter().flatten();
                let taken_by = taken.find(|id| Some(**id) != sought.id).copied();
                let linked = sought.series_id == Some(candidate.series_id);
                (Predecessor::of(candidate, target, likeness, linked, taken_by), close)
            })
            .collect();
        ranked.sort_by(|(a, _), (b, _)| (b.score, a.indicator_id).cmp(&(a.score, b.indicator_id)));
        choose(&mut ranked);
        ranked.truncate(MOST);
        ranked.into_iter().map(|(candidate, _)| candidate).collect()
    }
}

impl Predecessor {
    fn of(candidate: &Indicator, target: &Target, likeness: Likeness, linked: bool, taken_by: Option<Id>) -> Self {
        Self {
            indicator_id: candidate.id,
            series_id: candidate.series_id,
            goal_id: candidate.goal_id,
            goal_code: candidate.goal_code.clone(),
            name: candidate.name.clone(),
            population: candidate.population.clone(),
            unit: candidate.unit.clone(),
            target: target.clone(),
            score: likeness.score,
            name_likeness: likeness.name,
            reasons: likeness.reasons,
            confident: false,
            linked,
            taken_by,
        }
    }
}

/// Marks the likeliest free candidate, if it is close and no other free one is nearly as likely.
fn choose(ranked: &mut [(Predecessor, bool)]) {
    let mut free = ranked.iter_mut().filter(|(candidate, _)| candidate.taken_by.is_none());
    let Some((best, true)) = free.next() else { return };
    let margin = Number::new(1, 1);
    best.confident = free.next().is_none_or(|(next, _)| best.score.0 - next.score.0 > margin);
}
