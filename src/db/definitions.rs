//! Functions and views of the database: defined as a whole when their text, or a table that they are about, has changed.

use diesel::{PgConnection, connection::SimpleConnection, prelude::*};
use sha2::{Digest, Sha256};

use super::transaction::with_retries;
use crate::{error::Result, value::hex};

/// All of their text. A file may use what stands in the files before it.
const TEXT: &str = concat!(
    include_str!("definitions/writes.sql"),
    include_str!("definitions/rows.sql"),
    include_str!("definitions/search.sql"),
    include_str!("definitions/history.sql"),
    include_str!("definitions/versions.sql"),
    include_str!("definitions/views.sql"),
    include_str!("definitions/counts.sql"),
);

mod table {
    diesel::table! {
        derived.definitions (digest) {
            digest -> Text,
        }
    }
}
use table::definitions;

fn digest(migrations: &[String]) -> String {
    let digest = Sha256::new()
        .chain_update(TEXT)
        .chain_update(migrations.join("\n"))
        .finalize();
    hex(&digest)
}

/// Whether a database with these migrations has these definitions, or has had them.
pub(super) fn are_known(conn: &mut PgConnection, migrations: &[String]) -> QueryResult<bool> {
    let found: i64 = definitions::table.find(digest(migrations)).count().get_result(conn)?;
    Ok(found > 0)
}

/// Defines functions and views in one transaction, unless they are known: an older program that starts again leaves those of a newer
/// one in place.
pub(super) fn define(conn: &mut PgConnection, migrations: &[String]) -> Result<()> {
    if are_known(conn, migrations)? {
        return Ok(());
    }
    // Readers at work may be in the way of a view, and it in theirs.
    with_retries(|| {
        conn.transaction(|conn| {
            conn.batch_execute(TEXT)?;
            diesel::insert_into(definitions::table)
                .values(definitions::digest.eq(digest(migrations)))
                .execute(conn)?;
            Ok(())
        })
    })
}
