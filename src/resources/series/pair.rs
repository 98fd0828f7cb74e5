//! Indicators beside those of the policy before: fetched for many at a time, a constant number of queries a batch.

use std::collections::HashMap;

use chrono::NaiveDate;
use diesel::{PgConnection, prelude::*};

use crate::{
    db::schema::{indicators as i, policies as p},
    domain::succession::Terms,
    error::{Error, Result},
    http::query::Years,
    resources::{
        evaluations::case::{BATCH, Judged, Subject, judge},
        indicators::{self, Indicator, IndicatorFilter},
    },
    value::{Decimal, FiscalYear, Id, Slug},
};

/// An indicator of a series in one fiscal year.
#[derive(Debug)]
pub struct Entry {
    /// The indicator and its result.
    pub judged: Judged,
}

impl Entry {
    /// The indicator.
    #[must_use]
    pub fn indicator(&self) -> &Indicator {
        &self.judged.subject.indicator
    }

    /// Its identifier.
    #[must_use]
    pub fn id(&self) -> Id {
        self.indicator().id
    }

    /// Slug of the organization.
    #[must_use]
    pub fn organization(&self) -> &Slug {
        &self.indicator().organization
    }

    /// The fiscal year of the result.
    #[must_use]
    pub fn fiscal_year(&self) -> FiscalYear {
        self.judged.fiscal_year
    }

    /// Fiscal year of the policy.
    #[must_use]
    pub fn policy_year(&self) -> FiscalYear {
        self.indicator().policy_year
    }

    /// Whether the fiscal year is that of the policy.
    #[must_use]
    pub fn is_own(&self) -> bool {
        self.fiscal_year() == self.policy_year()
    }

    /// The value of the result.
    #[must_use]
    pub fn value(&self) -> Option<Decimal> {
        self.judged.result.as_ref().and_then(|result| result.facts().value)
    }

    /// The indicator as its policy has it.
    #[must_use]
    pub fn terms(&self) -> Terms<'_> {
        let indicator = self.indicator();
        Terms {
            fiscal_year: indicator.policy_year,
            organization: indicator.organization.as_str(),
            name: &indicator.name.0,
            population: indicator.population.as_ref().map(|it| it.0.as_str()),
            unit: indicator.unit.as_ref().map(|it| it.0.as_str()),
            direction: indicator.direction,
            target: &self.judged.target,
            comparable: indicator.comparable_with_previous,
            comparable_reason: indicator.comparable_reason.as_ref().map(|it| it.0.as_str()),
        }
    }
}

/// Indicators in their policies' own years, and what their series hold in the year before and after.
pub struct Neighbours {
    /// The indicators, in the order in which they were given.
    pub entries: Vec<Entry>,
    around: HashMap<(Id, Id, FiscalYear), Vec<Entry>>,
}

impl Neighbours {
    /// Evaluates the indicators, and fetches those beside them: one query, however many there are.
    pub fn of(conn: &mut PgConnection, subjects: Vec<Subject>, on: NaiveDate) -> Result<Self> {
        let series: Vec<Id> = subjects.iter().map(|subject| subject.indicator.series_id).collect();
        let mut years: Vec<FiscalYear> = Vec::new();
        for year in subjects.iter().map(|subject| subject.indicator.policy_year) {
            years.extend(year.previous().into_iter().chain(year.next()));
        }
        years.sort_unstable();
        years.dedup();
        let others: Vec<Subject> = Subject::query()
            .filter(i::series_id.eq_any(series))
            .filter(p::fiscal_year.eq_any(years))
            .order(i::id)
            .load(conn)?;
        let mut around: HashMap<_, Vec<Entry>> = HashMap::new();
        for entry in own_years(others, on) {
            around
                .entry(place(&entry, entry.policy_year()))
                .or_default()
                .push(entry);
        }
        let entries = own_years(subjects, on);
        Ok(Self { entries, around })
    }

    /// The indicators of the same series in the organization's policy of another year.
    #[must_use]
    pub fn at(&self, entry: &Entry, year: FiscalYear) -> &[Entry] {
        self.around
            .get(&place(entry, year))
            .map(Vec::as_slice)
            .unwrap_or_default()
    }

    /// The indicator that this one continues: the one of its series in the organization's policy of the year before;
    /// none if there are several, since choosing would be a guess.
    #[must_use]
    pub fn before(&self, entry: &Entry) -> Option<&Entry> {
        match self.at(entry, entry.policy_year().previous()?) {
            [only] => Some(only),
            _ => None,
        }
    }
}

fn place(entry: &Entry, year: FiscalYear) -> (Id, Id, FiscalYear) {
    (entry.indicator().series_id, entry.judged.subject.organization_id, year)
}

/// Evaluates each indicator for the fiscal year of its policy.
fn own_years(subjects: Vec<Subject>, on: NaiveDate) -> Vec<Entry> {
    let judged = judge(subjects, &Years::default(), on).into_iter();
    judged.map(|judged| Entry { judged }).filter(Entry::is_own).collect()
}

/// Hands over the indicators a filter asks for, in batches by id from `from` on, until `take` has had enough.
pub fn each_batch(
    conn: &mut PgConnection,
    wanted: &IndicatorFilter,
    on: NaiveDate,
    mut from: Option<Id>,
    mut take: impl FnMut(&mut PgConnection, &Neighbours) -> Result<bool>,
) -> Result<()> {
    let batch = i64::try_from(BATCH).map_err(Error::internal)?;
    let mut first = true;
    loop {
        let mut query = indicators::matching(wanted);
        if let Some(id) = from {
            // The first batch begins with the cursor's own indicator: more may have to be said about it.
            query = if first {
                query.filter(i::id.ge(id))
            } else {
                query.filter(i::id.gt(id))
            };
        }
        let subjects: Vec<Subject> = query
            .select(Subject::as_select())
            .order(i::id)
            .limit(batch)
            .load(conn)?;
        let last_batch = subjects.len() < BATCH;
        from = subjects.last().map(|subject| subject.indicator.id);
        first = false;
        let some = Neighbours::of(conn, subjects, on)?;
        if !take(conn, &some)? || last_batch {
            return Ok(());
        }
    }
}
