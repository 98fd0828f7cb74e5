//! What an empty database gets: the 24 wards of Osaka City, and Nishi Ward's policy for fiscal year 2024.
//!
//! The files are bodies as callers send them, and go the same way: checked against the contract, then stored.

use serde_json::{Value, json};

use crate::{
    contract,
    db::Tx,
    error::{Error, Result},
    resources::{
        organizations::{self, OrganizationInput},
        policies::{
            self,
            tree::{PolicyTree, store},
        },
        revisions::publications::{PublicationInput, publish},
    },
};

const WARDS: &str = include_str!("sample/osaka-wards.json");
const NISHI_2024: &str = include_str!("sample/nishi-2024.json");

/// Fills a database that has no organization yet.
pub fn fill(tx: &mut Tx<'_>) -> Result<()> {
    if organizations::any(tx)? {
        return Ok(());
    }
    for ward in wards()? {
        organizations::insert(tx, &ward)?;
    }
    let nishi = nishi_2024()?;
    store::create(tx, &nishi)?;
    let policy = policies::find(tx, &(nishi.organization, nishi.fiscal_year))?;
    publish(tx, policy, &plan_published()?).map(|_| ())
}

/// That the plan was published. Nobody noted the day: the first of the fiscal year is assumed.
fn plan_published() -> Result<PublicationInput> {
    contract::read(json!({ "kind": "plan", "published_on": "2024-04-01", "assumed": true }))
}

/// The wards, in the city's own order.
pub fn wards() -> Result<Vec<OrganizationInput>> {
    let wards: Vec<Value> = serde_json::from_str(WARDS).map_err(Error::internal)?;
    wards.into_iter().map(contract::read).collect()
}

/// Nishi Ward's policy for fiscal year 2024: its plan is published, its results are not in yet.
pub fn nishi_2024() -> Result<PolicyTree> {
    contract::read(serde_json::from_str(NISHI_2024).map_err(Error::internal)?)
}
