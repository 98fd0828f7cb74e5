//! Evaluations in an order in which people look at them: by a figure, a day or an outcome.

use std::cmp::Ordering;

use chrono::{Datelike, NaiveDate};
use diesel::{PgConnection, prelude::*};
use serde_json::{Value, json};

use super::{
    EvaluationFilter,
    case::{self, Judged, Walk},
};
use crate::{
    db::schema::organizations as o,
    domain::evaluation::outcome::Outcome,
    error::{Error, Result},
    http::{as_of::Since, pagination::Paging, query::AnyOf},
    narrow, text_enum,
    value::{Codes, Decimal, FiscalYear, Id, Slug},
};

text_enum! {
    /// How evaluations are ordered. Where nothing is known, an evaluation comes last, whichever way.
    pub enum EvaluationSort in "evaluation_sort" {
        /// In the order in which the indicators were created, then by fiscal year.
        Indicator = "indicator" ("指標の登録順", "order of the indicators' creation"),
        /// Least value first.
        Value = "value" ("実績値の小さい順", "least value first"),
        /// Greatest value first.
        ValueDown = "-value" ("実績値の大きい順", "greatest value first"),
        /// What falls short most first.
        Gap = "gap" ("目標との差の小さい順", "least gap first"),
        /// What is beyond most first.
        GapDown = "-gap" ("目標との差の大きい順", "greatest gap first"),
        /// Least attainment first.
        Attainment = "attainment" ("達成率の低い順", "least attainment first"),
        /// Greatest attainment first.
        AttainmentDown = "-attainment" ("達成率の高い順", "greatest attainment first"),
        /// What is due first.
        DueOn = "due_on" ("期限の早い順", "due first"),
        /// What is due last first.
        DueOnDown = "-due_on" ("期限の遅い順", "due last first"),
        /// By the slug of the organization.
        Organization = "organization" ("所属順", "organization"),
        /// By the slug of the organization, backwards.
        OrganizationDown = "-organization" ("所属の逆順", "organization, backwards"),
        /// By outcome, in the order of its code list.
        Outcome = "outcome" ("結果の順", "outcome"),
        /// By outcome, backwards.
        OutcomeDown = "-outcome" ("結果の逆順", "outcome, backwards"),
    }
}

/// What an order goes by.
enum By {
    Indicator,
    Organization,
    Figure(Figure),
}

/// A number of each evaluation.
#[derive(Clone, Copy)]
enum Figure {
    Value,
    Gap,
    Attainment,
    DueOn,
    Outcome,
}

impl EvaluationSort {
    /// What the order goes by, and whether it goes down.
    const fn by(self) -> (By, bool) {
        use Figure::{Attainment, DueOn, Gap, Outcome, Value};
        match self {
            Self::Indicator => (By::Indicator, false),
            Self::Organization => (By::Organization, false),
            Self::OrganizationDown => (By::Organization, true),
            Self::Value => (By::Figure(Value), false),
            Self::ValueDown => (By::Figure(Value), true),
            Self::Gap => (By::Figure(Gap), false),
            Self::GapDown => (By::Figure(Gap), true),
            Self::Attainment => (By::Figure(Attainment), false),
            Self::AttainmentDown => (By::Figure(Attainment), true),
            Self::DueOn => (By::Figure(DueOn), false),
            Self::DueOnDown => (By::Figure(DueOn), true),
            Self::Outcome => (By::Figure(Outcome), false),
            Self::OutcomeDown => (By::Figure(Outcome), true),
        }
    }
}

impl Figure {
    /// The number of an evaluation; of a day that of days so far, of an outcome its place in the code list.
    fn of(self, judged: &Judged) -> Option<Decimal> {
        match self {
            Self::Value => judged.result.as_ref()?.facts().value,
            Self::Gap => judged.gap(),
            Self::Attainment => judged.attainment(),
            Self::DueOn => Some(Decimal(judged.due_on().num_days_from_ce().into())),
            Self::Outcome => {
                let outcome = judged.verdict().outcome;
                let place = Outcome::ALL.iter().position(|code| *code == outcome);
                place.map(|place| Decimal(place.into()))
            }
        }
    }
}

/// An evaluation, with the key of its place in the order.
pub(super) type Placed = (Value, Judged);

/// The evaluations of a page, and one more.
pub(super) fn page(
    conn: &mut PgConnection,
    filter: &EvaluationFilter,
    since: &Since,
    on: NaiveDate,
    paging: &Paging<EvaluationSort>,
) -> Result<Vec<Placed>> {
    let full = usize::try_from(paging.fetch()).map_err(Error::internal)?;
    let batch = if filter.is_computed() || since.updated_since.is_some() {
        case::BATCH
    } else {
        // An indicator has an evaluation for its policy's year and for each year with a result. The first one's may stand on the page
        // before.
        let of_each = if filter.fiscal_year.some().is_some_and(|years| years.len() == 1) {
            1
        } else {
            3
        };
        usize::try_from(paging.usual() / of_each + 2).map_err(Error::internal)?
    };
    let mut rows = Vec::new();
    match paging.sort.by() {
        (By::Indicator, _) => {
            let after = paging.after::<FiscalYear>()?;
            case::each(conn, filter, since, on, Walk { after, batch }, |judged| {
                rows.push((json!(judged.fiscal_year), judged));
                Ok(rows.len() < full)
            })?;
        }
        (By::Organization, down) => {
            let after = paging.after::<(Slug, FiscalYear)>()?;
            let mut slugs = organizations(conn, filter, down)?;
            if let Some(((at, _), _)) = &after {
                slugs.retain(|slug| if down { slug <= at } else { slug >= at });
            }
            for slug in slugs {
                let here = after.as_ref().filter(|((at, _), _)| *at == slug);
                let after = here.map(|((_, year), id)| (*year, *id));
                let own = EvaluationFilter {
                    organization: AnyOf(vec![slug.clone().into()]),
                    ..filter.clone()
                };
                case::each(conn, &own, since, on, Walk { after, batch }, |judged| {
                    rows.push((json!((&slug, judged.fiscal_year)), judged));
                    Ok(rows.len() < full)
                })?;
                if rows.len() >= full {
                    break;
                }
            }
        }
        (By::Figure(figure), down) => {
            let after = paging.after::<(Option<Decimal>, FiscalYear)>()?;
            let after = after.map(|((number, year), id)| (number, id, year));
            let mut first = First::new(full, down);
            case::each(conn, filter, since, on, Walk::ALL, |judged| {
                let place = (figure.of(&judged), judged.subject.indicator.id, judged.fiscal_year);
                if after.is_none_or(|after| compare(&place, &after, down).is_gt()) {
                    first.take(place, judged);
                }
                Ok(true)
            })?;
            rows.extend(first.into_rows());
        }
    }
    Ok(rows)
}

/// The organizations a filter asks for, by their slugs.
fn organizations(conn: &mut PgConnection, filter: &EvaluationFilter, down: bool) -> Result<Vec<Slug>> {
    let mut query = o::table.select(o::slug).into_boxed();
    narrow!(query, organization in filter.organization);
    let mut slugs: Vec<Slug> = query.load(conn)?;
    slugs.sort();
    if down {
        slugs.reverse();
    }
    Ok(slugs)
}

/// A place in an order by number.
type Place = (Option<Decimal>, Id, FiscalYear);

fn compare(a: &Place, b: &Place, down: bool) -> Ordering {
    let numbers = match (a.0, b.0) {
        (Some(a), Some(b)) if down => b.cmp(&a),
        (Some(a), Some(b)) => a.cmp(&b),
        (a, b) => b.is_some().cmp(&a.is_some()),
    };
    numbers.then_with(|| (a.1, a.2).cmp(&(b.1, b.2)))
}

/// The first of many evaluations. No more is held than twice as many.
struct First {
    many: usize,
    down: bool,
    rows: Vec<(Place, Judged)>,
}

impl First {
    const fn new(many: usize, down: bool) -> Self {
        let rows = Vec::new();
        Self { many, down, rows }
    }

    fn take(&mut self, place: Place, judged: Judged) {
        self.rows.push((place, judged));
        if self.rows.len() >= 2 * self.many {
            self.cut();
        }
    }

    fn cut(&mut self) {
        let down = self.down;
        self.rows.sort_by(|a, b| compare(&a.0, &b.0, down));
        self.rows.truncate(self.many);
    }

    fn into_rows(mut self) -> impl Iterator<Item = Placed> {
        self.cut();
        let rows = self.rows.into_iter();
        rows.map(|((number, _, year), judged)| (json!((number, year)), judged))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_number_comes_last_whichever_way() {
        let year = FiscalYear::new(2024);
        let ids = [Id::generate(), Id::generate()];
        let place = |number: Option<i64>, id: usize| {
            let number = number.map(|number| Decimal(number.into()));
            year.zip(ids.get(id)).map(|(year, id)| (number, *id, year))
        };
        let ordered = |down| {
            let mut places: Vec<Place> = [place(None, 1), place(Some(2), 1), place(None, 0), place(Some(1), 0)]
                .into_iter()
                .flatten()
                .collect();
            places.sort_by(|a, b| compare(a, b, down));
            places.into_iter().map(Some).collect::<Vec<_>>()
        };
        assert_eq!(
            ordered(false),
            [place(Some(1), 0), place(Some(2), 1), place(None, 0), place(None, 1)]
        );
        assert_eq!(
            ordered(true),
            [place(Some(2), 1), place(Some(1), 0), place(None, 0), place(None, 1)]
        );
    }
}
