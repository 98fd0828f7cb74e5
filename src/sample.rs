//! What an empty database gets: the 24 wards of Osaka City, and Nishi Ward's policy for fiscal year 2024.
//!
//! The files are bodies as callers send them, and go the same way: checked against the contract, then stored.

use diesel::PgConnection;
use serde_json::Value;

use crate::{
    contract,
    error::{Error, Result},
    resources::{
        organizations::{self, OrganizationInput},
        policies::tree::{PolicyTree, store},
    },
};

const WARDS: &str = include_str!("sample/osaka-wards.json");
const NISHI_2024: &str = include_str!("sample/nishi-2024.json");

/// Fills a database that has no organization yet.
pub fn fill(conn: &mut PgConnection) -> Result<()> {
    if organizations::any(conn)? {
        return Ok(());
    }
    for ward in wards()? {
        organizations::insert(conn, &ward)?;
    }
    store::create(conn, &nishi_2024()?)
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
