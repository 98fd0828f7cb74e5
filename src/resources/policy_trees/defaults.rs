//! What a tree leaves out: all that its goals, budgets, indicators and results leave out.

use crate::{
    error::Violation,
    http::validation::{Known, Members, fill_in_each, leave_to, missing, said},
    resources::{budgets, indicators, results},
    value::FiscalYear,
};

/// No items: what a list that is left out has.
const NONE: Option<[(); 0]> = Some([]);

/// Fills in everything of a tree that follows from the rest of it, or from its path.
pub(super) fn fill_in(tree: &mut Members, known: &Known) -> Vec<Violation> {
    leave_to(tree, "organization", || known.organization.clone());
    leave_to(tree, "fiscal_year", || known.fiscal_year);
    let year: Option<FiscalYear> = said(tree, "fiscal_year");
    let mut all = missing(tree, ["organization", "fiscal_year"]);
    all.extend(fill_in_each(tree, "goals", |goal| {
        leave_to(goal, "budgets", || NONE);
        leave_to(goal, "indicators", || NONE);
        let mut all = fill_in_each(goal, "budgets", budgets::defaults::fill_in);
        all.extend(fill_in_each(goal, "indicators", |indicator| {
            fill_in_indicator(indicator, year)
        }));
        all
    }));
    all
}

/// The place of an indicator in a tree is where it stands.
fn fill_in_indicator(indicator: &mut Members, year: Option<FiscalYear>) -> Vec<Violation> {
    leave_to(indicator, "results", || NONE);
    let mut all = indicators::defaults::fill_in_kind_and_target(indicator, year, false);
    all.extend(fill_in_each(indicator, "results", |result| {
        results::defaults::fill_in(result, year)
    }));
    all
}
