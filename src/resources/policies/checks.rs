//! Checks before a policy or what is below it is written: whether the caller may, and whether the body is about the policy
//! that the path names.

use diesel::{PgConnection, prelude::*};

use super::{Policy, PolicyInput, find, organization_of};
use crate::{
    auth::Permission,
    db::{
        Tx,
        schema::{organizations as o, policies},
    },
    error::{Error, Result, Violation, found},
    resources::organizations,
    value::{FiscalYear, Id, OrganizationKey, language::Bilingual},
};

/// The policy of this organization for this fiscal year, if the caller may change it.
pub fn permitted(tx: &mut Tx<'_>, key @ (organization, year): &(OrganizationKey, FiscalYear)) -> Result<Policy> {
    permit_key(tx, Permission::Edit, organization, *year)?;
    find(tx, key)
}

/// Fails unless the caller has this permission for the policy of this organization for this fiscal year.
pub fn permit_key(
    tx: &mut Tx<'_>,
    permission: Permission,
    organization: &OrganizationKey,
    year: FiscalYear,
) -> Result<()> {
    let found = policies::table
        .inner_join(o::table)
        .filter(organizations::is(organization.as_str()))
        .filter(policies::fiscal_year.eq(year))
        .select(policies::organization_id)
        .first(tx.conn)
        .optional()?;
    tx.permit(permission, "policy", found)
}

/// Fails unless the caller has this permission for the policy with this id.
pub fn permit(tx: &mut Tx<'_>, permission: Permission, id: Id) -> Result<()> {
    let found = policies::table
        .find(id)
        .select(policies::organization_id)
        .first(tx.conn)
        .optional()?;
    tx.permit(permission, "policy", found)
}

/// Fails unless the caller may make policies of the organization a body names.
pub fn permit_new(tx: &mut Tx<'_>, organization: &OrganizationKey) -> Result<()> {
    let organization = organization_of(tx, organization)?;
    tx.permit(Permission::Edit, "organization", Some(organization))
}

/// The policy of this organization for this fiscal year, if the caller may change it; none if there is no such policy
/// and the caller may make it.
pub fn permitted_or_new(tx: &mut Tx<'_>, key: &(OrganizationKey, FiscalYear)) -> Result<Option<Policy>> {
    let policy = found(permitted(tx, key))?;
    if policy.is_none() {
        permit_new(tx, &key.0)?;
    }
    Ok(policy)
}

/// Fails unless the body is about the policy that the path names: a PUT does not move things, a PATCH may.
pub fn check_path(
    conn: &mut PgConnection,
    (organization, year): &(OrganizationKey, FiscalYear),
    input: &PolicyInput,
) -> Result<()> {
    let detail = Bilingual::new("パスと一致しません", "must be what the path says");
    let mut broken = vec![];
    if input.fiscal_year != *year {
        broken.push(Violation::at("/fiscal_year", "path_mismatch", detail.clone()));
    }
    if organization_of(conn, &input.organization)? != organizations::find(conn, organization)?.id {
        broken.push(Violation::at("/organization", "path_mismatch", detail));
    }
    Error::refuse(broken)
}
