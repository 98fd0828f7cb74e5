//! Whether the rows that a request would change are public already: such a change needs a reason.

use diesel::{
    dsl::{auto_type, exists, select},
    prelude::*,
};
use serde_json::Value;

use super::{
    Context, Database, Workload,
    schema::{budgets, goals, indicators, organizations, policies},
};
use crate::{
    auth::Caller,
    error::Result,
    value::{FiscalYear, Id, OrganizationKey},
};

/// What a request would change, as far as it says.
#[derive(Debug, Clone)]
pub enum Affected {
    /// An organization.
    Organization(OrganizationKey),
    /// The policy with this key, or rows below it.
    Policy(OrganizationKey, FiscalYear),
    /// The policies, goals, budgets or indicators with these ids, or new rows below them.
    Rows(Vec<Id>),
    /// Results of the indicators with these ids.
    Results(Vec<Id>),
}

impl Affected {
    /// The policy with this key.
    #[must_use]
    pub fn policy((organization, year): &(OrganizationKey, FiscalYear)) -> Self {
        Self::Policy(organization.clone(), *year)
    }

    /// What a new thing belongs to, by its body.
    #[must_use]
    pub fn of_new(body: &Value) -> Option<Self> {
        let parents = ["policy_id", "goal_id"].iter().filter_map(|name| id(body, name));
        let parents: Vec<Id> = parents.collect();
        (!parents.is_empty()).then_some(Self::Rows(parents))
    }

    /// The results of a body that holds many, and no reason for them.
    #[must_use]
    pub fn of_results(body: &Value) -> Option<Self> {
        let has_reason = body.get("reason").is_some_and(|reason| !reason.is_null());
        let items = body.get("items")?.as_array().filter(|_| !has_reason)?;
        let named = items.iter().filter_map(|item| id(item, "indicator_id"));
        Some(Self::Results(named.collect()))
    }

    /// The policy that a body is, with all that is below it.
    #[must_use]
    pub fn of_tree(body: &Value) -> Option<Self> {
        let organization = body.get("organization")?.as_str()?.parse().ok()?;
        let year = body.get("fiscal_year")?.as_i64()?;
        let year = i32::try_from(year).ok().and_then(FiscalYear::new)?;
        Some(Self::Policy(organization, year))
    }
}

fn id(body: &Value, name: &str) -> Option<Id> {
    body.get(name)?.as_str()?.parse().ok()
}

impl Database {
    /// Whether something of this is public.
    pub async fn is_public(&self, affected: Affected, context: &Context) -> Result<bool> {
        // An anonymous reader sees a row if it is public, and only then.
        let public = Caller::anonymous().counted_for(context.caller_key());
        let db = self.of(public.into()).workload(Workload::Point);
        db.read(move |conn| affected.is_seen(conn).map_err(Into::into)).await
    }
}

impl Affected {
    fn is_seen(&self, conn: &mut PgConnection) -> QueryResult<bool> {
        match self {
            Self::Organization(key) => {
                let named = organizations::table.filter(is_organization(key.as_str()));
                select(exists(named)).get_result(conn)
            }
            Self::Policy(key, year) => {
                let policies = policies::table
                    .inner_join(organizations::table)
                    .filter(is_organization(key.as_str()))
                    .filter(policies::fiscal_year.eq(year));
                select(exists(policies)).get_result(conn)
            }
            Self::Rows(ids) => {
                let ids = || ids.iter();
                select(
                    exists(policies::table.filter(policies::id.eq_any(ids())))
                        .or(exists(goals::table.filter(goals::id.eq_any(ids()))))
                        .or(exists(budgets::table.filter(budgets::id.eq_any(ids()))))
                        .or(exists(indicators::table.filter(indicators::id.eq_any(ids())))),
                )
                .get_result(conn)
            }
            // They become public when the policy's results do, a year after its indicators.
            Self::Results(of) => {
                let indicators = indicators::table
                    .inner_join(policies::table.on(policies::id.eq(indicators::policy_id)))
                    .filter(indicators::id.eq_any(of.iter()))
                    .filter(policies::stage.eq("results"));
                select(exists(indicators)).get_result(conn)
            }
        }
    }
}

/// Whether the joined organization has this slug or municipality code.
#[must_use]
#[auto_type(no_type_alias)]
pub fn is_organization<'a>(key: &'a str) -> _ {
    organizations::slug.eq(key).or(organizations::municipality_code.eq(key))
}
