//! Which goals of different years are the same: those whose indicators share a series. Never those that share a code.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use diesel::{PgConnection, prelude::*};

use crate::{
    db::schema::{goals as g, indicators as i, policies as p},
    error::Result,
    value::{FiscalYear, Id},
};

/// Organization, fiscal year, goal and series: the goal has an indicator of the series.
type Holding = (Id, FiscalYear, Id, Id);

/// The goals of some organizations' policies, and the series of their indicators.
#[derive(Debug, Default)]
pub struct Links {
    series: BTreeMap<Id, BTreeSet<Id>>,
    goals: HashMap<(Id, Id, FiscalYear), BTreeSet<Id>>,
    places: BTreeMap<Id, (Id, FiscalYear)>,
}

impl Links {
    /// The links of these organizations, in these years or in all: one query.
    pub fn of(conn: &mut PgConnection, organizations: &[Id], years: Option<&[FiscalYear]>) -> Result<Self> {
        let mut query = i::table
            .inner_join(g::table.inner_join(p::table))
            .filter(p::organization_id.eq_any(organizations))
            .into_boxed();
        if let Some(years) = years {
            query = query.filter(p::fiscal_year.eq_any(years));
        }
        let rows: Vec<Holding> = query
            .select((p::organization_id, p::fiscal_year, g::id, i::series_id))
            .load(conn)?;
        Ok(rows.into_iter().collect())
    }

    /// The goal of the year before that a goal continues; none unless each of the two is linked to the other alone.
    #[must_use]
    pub fn before(&self, goal: Id) -> Option<Id> {
        let (_, year) = self.places.get(&goal)?;
        let before = only(&self.linked(goal, year.previous()?))?;
        (only(&self.linked(before, *year))? == goal).then_some(before)
    }

    /// The goals of the same organization in a year that share a series with this one.
    fn linked(&self, goal: Id, year: FiscalYear) -> BTreeSet<Id> {
        let Some((organization, _)) = self.places.get(&goal) else {
            return BTreeSet::new();
        };
        let series = self.series.get(&goal).into_iter().flatten();
        let goals = series.filter_map(|series| self.goals.get(&(*organization, *series, year)));
        goals.flatten().copied().collect()
    }

    /// Every goal's group: all goals linked with it, directly or through others, named by their smallest id.
    #[must_use]
    pub fn groups(&self) -> HashMap<Id, Id> {
        let mut by_series: BTreeMap<(Id, Id), Vec<Id>> = BTreeMap::new();
        for (goal, series) in &self.series {
            if let Some((organization, _)) = self.places.get(goal) {
                for series in series {
                    by_series.entry((*organization, *series)).or_default().push(*goal);
                }
            }
        }
        let mut neighbours: BTreeMap<Id, Vec<Id>> = BTreeMap::new();
        // A chain through the goals of each series links them all, in as many steps as there are goals.
        for goals in by_series.values() {
            for (one, other) in goals.iter().zip(goals.iter().skip(1)) {
                neighbours.entry(*one).or_default().push(*other);
                neighbours.entry(*other).or_default().push(*one);
            }
        }
        let mut groups = HashMap::new();
        for first in self.series.keys() {
            let mut todo = vec![*first];
            while let Some(goal) = todo.pop() {
                if let std::collections::hash_map::Entry::Vacant(vacant) = groups.entry(goal) {
                    vacant.insert(*first);
                    todo.extend(neighbours.get(&goal).into_iter().flatten());
                }
            }
        }
        groups
    }
}

fn only(goals: &BTreeSet<Id>) -> Option<Id> {
    goals.first().copied().filter(|_| goals.len() == 1)
}

impl FromIterator<Holding> for Links {
    fn from_iter<T: IntoIterator<Item = Holding>>(rows: T) -> Self {
        let mut links = Self::default();
        for (organization, year, goal, series) in rows {
            links.series.entry(goal).or_default().insert(series);
            links
                .goals
                .entry((organization, series, year))
                .or_default()
                .insert(goal);
            links.places.insert(goal, (organization, year));
        }
        links
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    fn id(n: u128) -> Id {
        Id(uuid::Uuid::from_u128(n))
    }

    /// Goals by (year, goal, series), all of one organization.
    fn links(rows: &[(i32, u128, u128)]) -> Links {
        let rows = rows.iter();
        rows.map(|(year, goal, series)| (id(1), FiscalYear::new(*year).unwrap(), id(*goal), id(*series)))
            .collect()
    }

    #[test]
    fn a_goal_continues_the_one_that_shares_a_series_with_it_and_with_no_other() {
        let plain = links(&[(2024, 10, 1), (2024, 10, 2), (2025, 20, 2), (2025, 20, 3)]);
        assert_eq!((plain.before(id(20)), plain.before(id(10))), (Some(id(10)), None));
        let split = links(&[(2024, 10, 1), (2024, 10, 2), (2025, 20, 1), (2025, 21, 2)]);
        assert_eq!((split.before(id(20)), split.before(id(21))), (None, None));
        let merged = links(&[(2024, 10, 1), (2024, 11, 2), (2025, 20, 1), (2025, 20, 2)]);
        assert_eq!(merged.before(id(20)), None);
        let with_a_gap = links(&[(2023, 10, 1), (2025, 20, 1)]);
        assert_eq!(with_a_gap.before(id(20)), None);
    }

    #[test]
    fn goals_that_are_linked_through_others_are_one_group() {
        let links = links(&[
            (2023, 10, 1),
            (2024, 20, 1),
            (2024, 20, 2),
            (2025, 30, 2),
            (2025, 31, 9),
            (2024, 21, 8),
        ]);
        let groups = links.groups();
        let group = |goal| groups.get(&id(goal)).copied();
        assert_eq!(
            (group(10), group(20), group(30)),
            (Some(id(10)), Some(id(10)), Some(id(10)))
        );
        assert_eq!((group(31), group(21)), (Some(id(31)), Some(id(21))));
    }
}
