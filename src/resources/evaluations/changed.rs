//! What has changed since a moment, for those who pull evaluations: of what is there the rows tell, of what is gone the history.

use std::collections::HashSet;

use diesel::{
    PgConnection,
    prelude::*,
    sql_types::{Nullable, Timestamptz},
};

use crate::{
    db::{
        Subquery,
        schema::{change_log as c, goals as g, indicators as i, policies as p, removals},
    },
    error::Result,
    resources::changes::ChangeType,
    subqueries,
    value::{Id, Time},
};

/// The series of which something may have changed since: those with an indicator in a policy, or of an organization, that
/// the history names since then.
pub(super) fn series(conn: &mut PgConnection, since: Time) -> Result<Vec<Id>> {
    let policies: Vec<Option<Id>> = c::table
        .filter(c::at.ge(since))
        .filter(c::type_.ne(ChangeType::Revision))
        .select(c::policy_id)
        .distinct()
        .load(conn)?;
    let itself = c::table
        .filter(c::at.ge(since))
        .filter(c::type_.eq(ChangeType::Organization))
        .select(c::organization_id.assume_not_null());
    let renamed: HashSet<Id> = itself.load(conn)?.into_iter().collect();
    let lacking = removals::table.filter(removals::at.ge(since));
    let lacking: Vec<Id> = lacking.select(removals::organization_id).distinct().load(conn)?;
    let organizations: Vec<Id> = renamed.into_iter().chain(lacking).collect();
    let policies: Vec<Id> = policies.into_iter().flatten().collect();
    Ok(i::table
        .inner_join(g::table.inner_join(p::table))
        .filter(p::id.eq_any(policies).or(p::organization_id.eq_any(organizations)))
        .select(i::series_id)
        .distinct()
        .load(conn)?)
}

/// In a statement that reads `policies`: when a result or an indicator of each one's organization last went, as far as the reader
/// saw it. Nothing that is there tells of it, and it may have counted for any evaluation of the organization.
pub(super) type LastRemoval = Subquery<Nullable<Timestamptz>, OfOrganization>;

subqueries! {
    /// The text of [`LastRemoval`].
    OfOrganization: "select max(removals.at) from removals where removals.organization_id = policies.organization_id";
}
