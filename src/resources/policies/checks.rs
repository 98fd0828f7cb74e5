//! Checks before a policy or what is below it is written: whether the caller may, and whether the body is about the policy
//! that the path names.

use diesel::{PgConnection, prelude::*};

use super::{Policy, PolicyInput, find, organization_of};
use crate::{
    auth::Permission,
    db::{
        Tx, is_organization,
        schema::{organizations as o, policies},
    },
    error::{Error, Result, Violation, found},
    http::validation::Known,
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
        .filter(is_organization(organization.as_str()))
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

/// What of a body is not about the policy that the path names, as far as it shows: a slug and a municipality code may be of one
/// organization. A PUT does not move things, a PATCH may.
#[must_use]
pub fn contradictions(path: &Known, organization: &OrganizationKey, year: FiscalYear) -> Vec<Violation> {
    let is_code = |key: &OrganizationKey| key.as_str().starts_with(|c: char| c.is_ascii_digit());
    let is_another = |key: &OrganizationKey| key != organization && is_code(key) == is_code(organization);
    let organization = path.organization.as_ref().is_some_and(is_another);
    let year = path.fiscal_year.is_some_and(|of_path| of_path != year);
    let others = [("/organization", organization), ("/fiscal_year", year)];
    let others = others.into_iter().filter(|(_, is_another)| *is_another);
    others.map(|(at, _)| not_of_path(at)).collect()
}

/// Fails unless the body is about the organization that the path names by another of its keys.
pub fn check_path(
    conn: &mut PgConnection,
    (organization, _): &(OrganizationKey, FiscalYear),
    input: &PolicyInput,
) -> Result<()> {
    if organization_of(conn, &input.organization)? == organizations::find(conn, organization)?.id {
        return Ok(());
    }
    Err(Error::Invalid(vec![not_of_path("/organization")]))
}

fn not_of_path(at: &str) -> Violation {
    let detail = Bilingual::new("パスと一致しません", "must be what the path says");
    Violation::at(at, "path_mismatch", detail)
}
