//! What must be in a backup.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read},
    path::Path,
};

use diesel::{
    PgConnection, QueryableByName,
    connection::SimpleConnection,
    prelude::*,
    sql_types::{BigInt, Bool, Text},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    cli::{
        database::{Failure, in_words},
        verify::Head,
    },
    db::{known_migrations, run_migrations, schema::change_log, setting},
    value::{Time, hex},
};

/// The form of the manifest.
const FORMAT: u32 = 1;

/// The manifest of a backup.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    format: u32,
    /// The version of `ward-policy` that made the backup.
    program: String,
    made_at: Time,
    pub(super) dump: Dump,
    pub(super) contents: Contents,
}

/// A file by its size and hash, so that another one is told from it.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Dump {
    bytes: u64,
    sha256: String,
}

/// What was in the database.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Contents {
    /// The version of PostgreSQL.
    postgresql: String,
    pub(super) migrations: Vec<String>,
    /// The last change, and the hash of all changes up to it.
    head: Option<Head>,
    tables: BTreeMap<String, Table>,
}

/// The rows of a table: their number, and the sum of their hashes, for which their order does not matter.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize, QueryableByName)]
#[serde(deny_unknown_fields)]
struct Table {
    #[diesel(sql_type = BigInt)]
    rows: i64,
    #[diesel(sql_type = Text)]
    hash: String,
}

#[derive(QueryableByName)]
struct Cell {
    #[diesel(sql_type = Text)]
    value: String,
}

impl Manifest {
    pub(super) fn new(contents: Contents, dump: Dump) -> Self {
        Self {
            format: FORMAT,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            made_at: Time::now(),
            dump,
            contents,
        }
    }

    /// Fails unless this program knows the form of the manifest and the migrations of the backup.
    pub(super) fn check(&self) -> Result<(), Failure> {
        if self.format != FORMAT {
            return Err(format!(
                "the manifest is of form {}, and this program knows {FORMAT}",
                self.format
            )
            .into());
        }
        let known = known_migrations().map_err(|e| in_words(&e))?;
        let mut newer = self
            .contents
            .migrations
            .iter()
            .filter(|version| !known.contains(version));
        match newer.next() {
            None => Ok(()),
            Some(version) => {
                Err(format!("the backup has a migration that this program does not know: {version}").into())
            }
        }
    }

    /// The backup in one line; `done` is the verb.
    pub(super) fn line(&self, done: &str) -> String {
        let rows: i64 = self.contents.tables.values().map(|table| table.rows).sum();
        let head = self.contents.head.as_ref();
        let head = head.map_or_else(
            || "no change".to_owned(),
            |head| format!("head {}:{}", head.seq, head.hash),
        );
        format!("{done}: {rows} rows of {} tables, {head}", self.contents.tables.len())
    }
}

impl Dump {
    pub(super) fn of(path: &Path) -> Result<Self, Failure> {
        let unreadable = |e: io::Error| format!("{}: {e}", path.display());
        let mut file = File::open(path).map_err(unreadable)?;
        let (mut hash, mut bytes) = (Sha256::new(), 0);
        let mut chunk = vec![0; 1 << 16];
        loop {
            let read = file.read(&mut chunk).map_err(unreadable)?;
            let Some(part) = chunk.get(..read).filter(|part| !part.is_empty()) else {
                let sha256 = hex(&hash.finalize());
                return Ok(Self { bytes, sha256 });
            };
            hash.update(part);
            bytes += u64::try_from(read)?;
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "asks the catalogue, and of tables by their names; runs by command only"
)]
impl Contents {
    /// Reads the contents, in a transaction that sees one moment.
    pub(super) fn read(conn: &mut PgConnection) -> Result<Self, Failure> {
        // Settings under which equal rows become equal texts.
        conn.batch_execute(
            "set local search_path = public; set local timezone = 'UTC'; set local datestyle = 'ISO, YMD'; \
             set local bytea_output = 'hex'; set local extra_float_digits = 1",
        )?;
        let names: Vec<Cell> = diesel::sql_query(
            "select format('%I.%I', n.nspname, c.relname) as value from pg_class c \
             join pg_namespace n on n.oid = c.relnamespace \
             where c.relkind in ('r', 'p') and n.nspname in ('public', 'derived') order by 1",
        )
        .load(conn)?;
        let mut tables = BTreeMap::new();
        for Cell { value: name } in names {
            let digest = format!(
                "select count(*) as rows, \
                 coalesce(sum(('x' || left(md5(t::text), 16))::bit(64)::bigint::numeric), 0)::text as hash from {name} t"
            );
            let table: Table = diesel::sql_query(digest).get_result(conn)?;
            tables.insert(name, table);
        }
        let last = change_log::table.order(change_log::seq.desc());
        let head: Option<(i64, Vec<u8>)> = last
            .select((change_log::seq, change_log::hash))
            .first(conn)
            .optional()?;
        // The times at which migrations ran differ from database to database.
        tables.retain(|name, _| !name.ends_with(super::MIGRATIONS));
        Ok(Self {
            postgresql: setting(conn, "server_version")?,
            migrations: run_migrations(conn).map_err(|e| in_words(&e))?,
            head: head.map(|(seq, hash)| Head { seq, hash: hex(&hash) }),
            tables,
        })
    }

    /// How the contents found differ from these.
    pub(super) fn differences(&self, found: &Self) -> Vec<String> {
        let mut differences = Vec::new();
        let names = self
            .tables
            .keys()
            .chain(found.tables.keys().filter(|name| !self.tables.contains_key(*name)));
        for name in names {
            match (self.tables.get(name), found.tables.get(name)) {
                (Some(said), Some(is)) if said == is => {}
                (Some(said), Some(is)) if said.rows == is.rows => differences.push(format!("{name}: other rows")),
                (said, is) => {
                    let rows = |table: Option<&Table>| table.map_or(0, |table| table.rows);
                    differences.push(format!("{name}: {} rows instead of {}", rows(is), rows(said)));
                }
            }
        }
        if self.head != found.head {
            differences.push("the history ends elsewhere".to_owned());
        }
        if self.migrations != found.migrations {
            differences.push("other migrations".to_owned());
        }
        differences
    }
}

/// Whether the database has any table.
#[expect(clippy::disallowed_methods, reason = "asks the catalogue; runs by command only")]
pub(super) fn has_tables(conn: &mut PgConnection) -> QueryResult<bool> {
    #[derive(QueryableByName)]
    struct Any {
        #[diesel(sql_type = Bool)]
        any: bool,
    }
    let any: Any = diesel::sql_query(
        "select exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace \
         where c.relkind in ('r', 'p', 'v', 'm') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema') as any",
    )
    .get_result(conn)?;
    Ok(any.any)
}

/// Begins a new epoch: cursors of the history that was backed up are not valid in this one.
pub(super) fn begin_epoch(conn: &mut PgConnection) -> QueryResult<()> {
    conn.batch_execute(
        "update public.change_epoch set epoch = substr(replace(gen_random_uuid()::text, '-', ''), 1, 12)",
    )
}
