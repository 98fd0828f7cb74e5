//! Invented data that shows everything the service can say: six organizations, three fiscal years, seen from 1 August 2025.
//!
//! The data is a list of requests as callers would send them, each stored in a transaction of its own: so a correction of what is
//! public makes its revision. Each is in the history under its number, from which a start goes on that another one left undone.
//! `/v1/scenarios` says what there is to see.

use diesel::{PgConnection, prelude::*};
use serde::Deserialize;
use serde_json::Value;

use crate::{
    db::{self, Context, Tx, schema::change_log},
    error::{Error, Result},
    http::{
        json::Most,
        validation::{self, Known},
    },
    resources::{
        HOOKS,
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

/// Fills a database that has no organization yet, or that was filled in part.
pub fn fill(conn: &mut PgConnection) -> Result<()> {
    let requests: Vec<Request> = serde_json::from_str(REQUESTS).map_err(Error::internal)?;
    let all = requests.len();
    let answered = match last_answered(conn, all)? {
        None if organizations::any(conn)? => return Ok(()),
        last => last.map_or(0, |last| last + 1),
    };
    for (number, request) in requests.into_iter().enumerate().skip(answered) {
        let mut context = Context::service();
        context.request_id = name(number, all).into();
        db::write(conn, HOOKS, &context, |tx| answer(tx, request))?;
    }
    Ok(())
}

/// What a request is called in the history. A list of another length is another list, which nobody goes on with.
fn name(number: usize, all: usize) -> String {
    format!("sample-scenarios-{number}-of-{all}")
}

/// The request that the history has last, of this many.
fn last_answered(conn: &mut PgConnection, all: usize) -> Result<Option<usize>> {
    let names: Vec<String> = (0..all).map(|number| name(number, all)).collect();
    let last: Option<String> = change_log::table
        .filter(change_log::request_id.eq_any(&names))
        .order(change_log::seq.desc())
        .select(change_log::request_id.assume_not_null())
        .first(conn)
        .optional()?;
    Ok(last.and_then(|last| names.iter().position(|name| *name == last)))
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
