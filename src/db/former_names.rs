//! Names of organizations, former ones too, in memory: every request that names an organization needs them.

use std::{collections::HashMap, sync::Arc};

use diesel::{PgConnection, prelude::*};
use parking_lot::RwLock;

use super::{
    Database,
    context::Context,
    public_version::PublicVersion,
    schema::{change_log, organizations},
};
use crate::{error::Result, value::Id};

/// The names of organizations.
#[derive(Debug, Default)]
pub struct Names {
    /// Today's slugs by the former slugs and municipality codes that no organization has now.
    pub former: HashMap<String, String>,
    /// The slugs and municipality codes that organizations have.
    pub of_today: Vec<String>,
}

/// The names of organizations, and the version of public data that they were read at.
pub(super) type Kept = Arc<RwLock<Option<(PublicVersion, Arc<Names>)>>>;

impl Database {
    /// The names of organizations.
    pub async fn names(&self) -> Result<Arc<Names>> {
        let state = self.listener.public_state();
        let kept = self.former.read().clone();
        // While the database is silent, the names known last are good enough.
        if let Some((then, names)) = kept
            && (state.is_none() || self.listener.are_names_still(then))
        {
            return Ok(names);
        }
        let names = Arc::new(self.of(Context::service()).on_primary().read(|conn| load(conn)).await?);
        if let Some(state) = state {
            *self.former.write() = Some((state, Arc::clone(&names)));
        }
        Ok(names)
    }
}

fn load(conn: &mut PgConnection) -> Result<Names> {
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
    // A name means the organization that had it last.
    for (id, slug, code) in had {
        let Some(of_today) = slugs.get(&id) else { continue };
        for name in [slug, code].into_iter().flatten().filter(|name| !taken(name)) {
            names.insert(name, (*of_today).clone());
        }
    }
    let keys = present.iter().flat_map(|(_, slug, code)| [Some(slug), code.as_ref()]);
    Ok(Names {
        of_today: keys.flatten().cloned().collect(),
        former: names,
    })
}
