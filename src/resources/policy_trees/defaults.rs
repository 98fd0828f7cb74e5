//! What a tree leaves out: all that its goals, budgets, indicators and results leave out.

use crate::{
    error::Violation,
    http::validation::{Known, Members, fill_in_each, leave_to, missing, said},
    resources::{budgets, indicators, results},
    value::FiscalYear,
};

/// Fills in everything of a tree that follows from the rest of it, or from its path. Lists follow from nothing: what they leave
/// out goes. Where what a file leaves out stays as it is stored, no default may take its place.
pub(super) fn fill_in(tree: &mut Members, known: &Known) -> Vec<Violation> {
    leave_to(tree, "organization", || known.organization.clone());
    leave_to(tree, "fiscal_year", || known.fiscal_year);
    let year: Option<FiscalYear> = said(tree, "fiscal_year");
    let mut all = missing(tree, ["organization", "fiscal_year"]);
    all.extend(fill_in_each(tree, "goals", |goal| {
        let mut all = fill_in_each(goal, "budgets", |budget| {
            let unsaid = if known.rest_stays {
                missing(budget, ["status"])
            } else {
                Vec::new()
            };
            [unsaid, budgets::defaults::fill_in(budget)].concat()
        });
        all.extend(fill_in_each(goal, "indicators", |indicator| {
            let unsaid = if known.rest_stays {
                missing(indicator, ["kind", "target", "decimals", "direction"])
            } else {
                Vec::new()
            };
            [unsaid, fill_in_indicator(indicator, year)].concat()
        }));
        all
    }));
    all
}

/// The place of an indicator in a tree is where it stands.
fn fill_in_indicator(indicator: &mut Members, year: Option<FiscalYear>) -> Vec<Violation> {
    let mut all = indicators::defaults::fill_in_kind_and_target(indicator, year, false);
    all.extend(fill_in_each(indicator, "results", |result| {
        results::defaults::fill_in(result, year)
    }));
    all
}
