//! Invented data that shows everything the service can say: six organizations, three fiscal years, seen from 1 August 2025.
//!
//! The data is a list of requests as callers would send them, each stored in a transaction of its own: so a correction of what is
//! public makes its revision. `/v1/scenarios` says what there is to see.

use diesel::PgConnection;
use serde::Deserialize;
use serde_json::Value;

use crate::{
    cli::database::write,
    db::Tx,
    error::{Error, Result},
    http::{
        json::Most,
        validation::{self, Known},
    },
    resources::{
        imports::{self, ImportFormat, ImportOptions},
        organizations::{self, OrganizationInput},
        policies,
        policy_trees::{
            PolicyTree,
            store::{Rows, store},
        },
        results::bulk::{self, ResultEntries},
        revisions::publications::{PublicationInput, publish},
    },
    value::{FiscalYear, OrganizationKey},
};

const REQUESTS: &str = include_str!("scenarios.json");

/// What a caller would send.
#[derive(Debug, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Request {
    /// To `/v1/organizations`.
    Organization { organization: Value },
    /// To `/v1/imports/policies`.
    Policy { policy: Value },
    /// To the publications of a policy.
    Publication {
        publication: Value,
        of: (OrganizationKey, FiscalYear),
    },
    /// To `/v1/results`.
    Results { results: Value },
    /// To the tree of a policy, in the place of the stored one.
    Replacement { replacement: Value, reason: String },
}

/// Fills a database that has no organization yet.
pub fn fill(conn: &mut PgConnection) -> Result<()> {
    if organizations::any(conn)? {
        return Ok(());
    }
    let requests: Vec<Request> = serde_json::from_str(REQUESTS).map_err(Error::internal)?;
    requests
        .into_iter()
        .try_for_each(|request| write(conn, |tx| answer(tx, request)))
}

fn answer(tx: &mut Tx<'_>, request: Request) -> Result<()> {
    match request {
        Request::Organization { organization } => {
            let body: OrganizationInput = validation::read(organization)?;
            organizations::insert(tx, &body)?;
        }
        Request::Policy { policy } => {
            let bytes = policy.to_string();
            let file = imports::read(ImportFormat::Json, bytes.as_bytes(), Most::default(), tx.caller)?;
            imports::import(tx, &file, &ImportOptions::default())?;
        }
        Request::Publication { publication, of } => {
            let body: PublicationInput = validation::read(publication)?;
            let policy = policies::find(tx, &of)?;
            let tree = Rows::of(tx, policy.id)?.tree(tx.today);
            publish(tx, &policy, &tree, &body)?;
        }
        Request::Results { results } => {
            let body: ResultEntries = validation::read_knowing(results, &Known::default())?;
            if let Some(reason) = &body.reason {
                tx.set_reason(&reason.0)?;
            }
            bulk::store(tx, &body.items)?;
        }
        Request::Replacement { replacement, reason } => {
            let tree: PolicyTree = validation::read(replacement)?;
            tx.set_reason(&reason)?;
            let policy = policies::find(tx, &(tree.organization.clone(), tree.fiscal_year))?;
            let rows = Rows::of(tx, policy.id)?;
            store(tx, rows, &tree)?;
        }
    }
    Ok(())
}
