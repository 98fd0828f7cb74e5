//! The sample of an empty database: the 24 wards of Osaka City, and Nishi Ward's policy for fiscal year 2024; or invented
//! scenarios.
//!
//! The wards are bodies as callers send them; the policy is the city's own form, imported as any other is.

use clap::ValueEnum;
use diesel::PgConnection;
use serde_json::{Value, json};

use super::database::write;
use crate::{
    db::{Context, Tx},
    error::{Error, Result},
    http::{json::Most, validation},
    resources::{
        imports::{self, ImportFormat, ImportOptions},
        organizations::{self, OrganizationInput},
        policies,
        policy_trees::store::Rows,
        revisions::publications::{PublicationInput, publish},
    },
};

pub mod scenarios;

const WARDS: &str = include_str!("sample/osaka-wards.json");
const NISHI_2024: &str = include_str!("sample/nishi-2024.txt");

/// What an empty database gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Sample {
    /// The 24 wards, and Nishi Ward's policy for fiscal year 2024.
    Nishi,
    /// Six invented organizations over three fiscal years, which show whatever the service can say.
    Scenarios,
}

impl Sample {
    /// Fills a database that has no organization yet.
    pub fn fill(self, conn: &mut PgConnection) -> Result<()> {
        match self {
            Self::Nishi => fill(conn),
            Self::Scenarios => scenarios::fill(conn),
        }
    }
}

/// Fills a database that has no organization yet.
pub fn fill(conn: &mut PgConnection) -> Result<()> {
    if organizations::any(conn)? {
        return Ok(());
    }
    write(conn, store)
}

fn store(tx: &mut Tx<'_>) -> Result<()> {
    for ward in wards()? {
        organizations::insert(tx, &ward)?;
    }
    let form = imports::read(
        ImportFormat::Text,
        NISHI_2024.as_bytes(),
        Most::default(),
        &Context::service(),
    )?;
    let report = imports::import(tx, &form, &ImportOptions::default())?;
    let (nishi, year) = report
        .organization
        .zip(report.fiscal_year)
        .ok_or_else(|| Error::internal("the sample does not say whose it is"))?;
    let policy = policies::find(tx, &(nishi.into(), year))?;
    let tree = Rows::of(tx, policy.id)?.tree(tx.today);
    publish(tx, &policy, &tree, &plan_published()?).map(|_| ())
}

/// The publication of the plan. Nobody noted the day: the first of the fiscal year is assumed.
fn plan_published() -> Result<PublicationInput> {
    validation::read(json!({ "kind": "plan", "published_on": "2024-04-01", "assumed": true }))
}

/// The wards, in the city's own order.
pub fn wards() -> Result<Vec<OrganizationInput>> {
    let wards: Vec<Value> = serde_json::from_str(WARDS).map_err(Error::internal)?;
    wards.into_iter().map(validation::read).collect()
}
