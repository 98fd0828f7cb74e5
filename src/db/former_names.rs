//! The names that organizations had, kept in memory: they are asked for wherever a request names an organization.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use diesel::{PgConnection, prelude::*};

use super::{
    Database,
    context::Context,
    public_version::PublicVersion,
    schema::{change_log, organizations},
};
use crate::{error::Result, value::Id};

/// The slugs of today by the names that organizations had before, and the state of which that is so.
pub(super) type Kept = Arc<RwLock<Option<(PublicVersion, Arc<HashMap<String, String>>)>>>;

impl Database {
    /// The slugs of today by the slugs and municipality codes that organizations had before and nobody has now.
    pub async fn former_names(&self) -> Result<Arc<HashMap<String, String>>> {
        let state = self.listener.public_state();
        let kept = self.former.read().unwrap_or_else(PoisonError::into_inner).clone();
        // While nothing is heard of the database, what was known last is good enough.
        if let Some((then, names)) = kept
            && (state.is_none() || self.listener.are_names_still(then))
        {
            return Ok(names);
        }
        let names = Arc::new(self.of(Context::service()).on_primary().read(|conn| load(conn)).await?);
        if let Some(state) = state {
            *self.former.write().unwrap_or_else(PoisonError::into_inner) = Some((state, Arc::clone(&names)));
        }
        Ok(names)
    }
}

fn load(conn: &mut PgConnection) -> Result<HashMap<String, String>> {
    let present: Vec<(Id, String, Option<String>)> = organizations::table
        .select((organizations::id, organizations::slug, organizations::municipality_code))
        .load(conn)?;
    let taken = |name: &String| {
        present
            .iter()
            .any(|(_, slug, code)| slug == name || code.as_ref() == Some(name))
    };
    let slugs: HashMap<Id, &String> = present.iter().map(|(id, slug, _)| (*id, slug)).collect();
    let had: Vec<(Id, Option<String>, Option<String>)> = change_log::table
        .filter(change_log::type_.eq("organization"))
        .filter(
            change_log::fields
                .contains(vec!["slug"])
                .or(change_log::fields.contains(vec!["municipality_code"])),
        )
        .order(change_log::seq)
        .select((
            change_log::row_id,
            change_log::before.retrieve_as_text("slug"),
            change_log::before.retrieve_as_text("municipality_code"),
        ))
        .load(conn)?;
    let mut names = HashMap::new();
    // Whoever had a name last is meant by it.
    for (id, slug, code) in had {
        let Some(of_today) = slugs.get(&id) else { continue };
        for name in [slug, code].into_iter().flatten().filter(|name| !taken(name)) {
            names.insert(name, (*of_today).clone());
        }
    }
    Ok(names)
}
