//! What is known of a body beside the body: from the path of its request, from the database, from the calendar.

use std::collections::HashMap;

use actix_web::dev::{Path, ResourcePath};
use chrono::NaiveDate;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::Members;
use crate::{
    error::Violation,
    value::{FiscalYear, Id, OrganizationKey, language::Bilingual, today},
};

/// What is known of a body beside the body. From it follows what the body leaves out.
#[derive(Debug, Clone)]
pub struct Known {
    /// The organization.
    pub organization: Option<OrganizationKey>,
    /// The fiscal year.
    pub fiscal_year: Option<FiscalYear>,
    /// The place behind the last one.
    pub position: Option<i32>,
    /// The fiscal years of the policies of indicators.
    pub years: HashMap<Id, FiscalYear>,
    /// The day of the request.
    pub today: NaiveDate,
    /// Whether what the body leaves out stays as it is stored, so that no default may take its place.
    pub rest_stays: bool,
    /// Whether more will be known: a body is checked as far as it does not depend on that.
    pub is_draft: bool,
}

impl Default for Known {
    /// Nothing but the day.
    fn default() -> Self {
        Self {
            organization: None,
            fiscal_year: None,
            position: None,
            years: HashMap::new(),
            today: today(),
            rest_stays: false,
            is_draft: false,
        }
    }
}

impl Known {
    /// What the path of a request says.
    #[must_use]
    pub fn from_path<T: ResourcePath>(path: &Path<T>) -> Self {
        let year = path.get("fiscal_year").and_then(|year| year.parse().ok());
        Self {
            organization: path.get("organization").and_then(|key| key.parse().ok()),
            fiscal_year: year.and_then(FiscalYear::new),
            ..Self::default()
        }
    }
}

/// Sets a member that a body leaves out, if its value is known. A null is not left out.
pub fn leave_to<T: Serialize>(members: &mut Members, name: &str, value: impl FnOnce() -> Option<T>) {
    if !members.contains_key(name)
        && let Some(value) = value().and_then(|value| serde_json::to_value(value).ok())
    {
        members.insert(name.to_owned(), value);
    }
}

/// The members that a body cannot do without and does not have.
#[must_use]
pub fn missing<const N: usize>(members: &Members, names: [&str; N]) -> Vec<Violation> {
    let missing = names.into_iter().filter(|name| !members.contains_key(*name));
    missing.map(|name| required(format!("/{name}"))).collect()
}

/// The violation of a member that is not there.
#[must_use]
pub fn required(at: String) -> Violation {
    Violation::at(at, "required", Bilingual::new("必須です", "is required"))
}

/// A member, if it has the type that it should have.
#[must_use]
pub fn said<T: DeserializeOwned>(members: &Members, name: &str) -> Option<T> {
    members
        .get(name)
        .filter(|value| !value.is_null())
        .and_then(|value| T::deserialize(value).ok())
}

/// Fills in each item of a list that a body has. Returns what the items have not, by their pointers.
pub fn fill_in_each(
    members: &mut Members,
    list: &str,
    mut fill_in: impl FnMut(&mut Members) -> Vec<Violation>,
) -> Vec<Violation> {
    let items = members.get_mut(list).and_then(Value::as_array_mut);
    let items = items.into_iter().flatten().enumerate();
    let objects = items.filter_map(|(n, item)| Some((n, item.as_object_mut()?)));
    let missing = objects.flat_map(|(n, item)| {
        let at = format!("/{list}/{n}");
        fill_in(item).into_iter().map(move |violation| violation.under(&at))
    });
    missing.collect()
}
