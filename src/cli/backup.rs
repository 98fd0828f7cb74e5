//! `ward-policy backup` and `restore`: the whole database with its history, and back, with proof that nothing is missing.
//!
//! A backup is a directory: a dump as `pg_dump` makes it, and a manifest that says what must be in it. A restored
//! database gets its migrations, and so can be served, only once everything was found to be there. It begins a new
//! epoch, so that clients which follow its changes begin anew too.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, BufRead, BufReader, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    thread,
};

use clap::Args;
use diesel::{PgConnection, connection::SimpleConnection, prelude::*};

use super::{
    config::Config,
    database::{Failure, connect, in_words, open, print, with_database},
    verify,
};
use crate::db::{self, address::Address, embedded, in_one_line};

use manifest::{Contents, Dump, Manifest};

mod manifest;

/// The files of a backup.
const DUMP: &str = "dump";
const MANIFEST: &str = "manifest.json";
/// The table of migrations. The dump leaves its rows out; a restore writes them when everything is there.
const MIGRATIONS: &str = "__diesel_schema_migrations";

/// Where a backup is.
#[derive(Debug, Args)]
pub struct BackupCommand {
    /// The backup's directory.
    directory: PathBuf,
}

diesel::define_sql_function! {
    /// Lets another connection see what this transaction sees.
    fn pg_export_snapshot() -> Text;
}

/// Makes a backup of one moment, whether the service runs or not. A backup that fails leaves nothing.
pub fn backup(config: &Config, command: &BackupCommand) -> Result<(), Failure> {
    let to = std::path::absolute(&command.directory)?;
    let name = to.file_name().ok_or("a backup needs a directory of its own")?;
    if to.exists() {
        return Err(format!("{} is there already", to.display()).into());
    }
    let partial = to.with_file_name(format!("{}.partial", name.to_string_lossy()));
    DirBuilder::new()
        .mode(0o700)
        .create(&partial)
        .map_err(|e| format!("{}: {e}", partial.display()))?;
    let made = with_database(config, |url| {
        let mut conn = connect(url)?;
        let manifest = make(&mut conn, url, &partial)?;
        fs::rename(&partial, &to)?;
        sync(to.parent().unwrap_or(&to))?;
        Ok(manifest)
    });
    if made.is_err() {
        // A backup that failed shall not look like one.
        let _ = fs::remove_dir_all(&partial);
    }
    print(vec![made?.line("backed up")])
}

fn make(conn: &mut PgConnection, url: &str, place: &Path) -> Result<Manifest, Failure> {
    let dump = place.join(DUMP);
    let major = db::server_major(conn)?;
    let contents = conn.build_transaction().repeatable_read().read_only().run(|conn| {
        let snapshot: String = diesel::select(pg_export_snapshot()).get_result(conn)?;
        // `pg_dump` would make the file with the umask: only its owner shall read it.
        File::options().write(true).create_new(true).mode(0o600).open(&dump)?;
        let mut pg_dump = tool("pg_dump", major)?;
        pg_dump
            .args(["--format=custom", "--no-owner", "--no-privileges"])
            .arg(format!("--snapshot={snapshot}"))
            .arg(format!("--exclude-table-data={MIGRATIONS}"))
            .arg("--file")
            .arg(&dump);
        Address::read(url)?.tell(&mut pg_dump)?;
        finish(pg_dump)?;
        Contents::read(conn).map_err(Rolled::from)
    });
    let contents = contents.map_err(|Rolled(e)| e)?;
    let manifest = Manifest::new(contents, Dump::of(&dump)?);
    let path = place.join(MANIFEST);
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)?;
    serde_json::to_writer_pretty(&mut file, &manifest)?;
    file.write_all(b"\n")?;
    for path in [&path, &dump, place] {
        sync(path)?;
    }
    Ok(manifest)
}

/// Brings a backup into an empty database.
pub fn restore(config: &Config, command: &BackupCommand) -> Result<(), Failure> {
    let (dump, path) = (command.directory.join(DUMP), command.directory.join(MANIFEST));
    let said = fs::read(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    let manifest: Manifest = serde_json::from_slice(&said).map_err(|e| format!("{}: {e}", path.display()))?;
    manifest.check()?;
    if Dump::of(&dump)? != manifest.dump {
        return Err(format!(
            "{} is not what its manifest says: damaged, or another one",
            dump.display()
        )
        .into());
    }
    with_database(config, |url| fill(url, &dump, &manifest, History::Another))?;
    print(vec![manifest.line("restored and found whole")])
}

/// Copies a whole database into an empty one, and checks that everything is there: the same history, on another server.
pub fn copy(from: &str, to: &str, place: &Path) -> Result<(), Failure> {
    let manifest = make(&mut connect(from)?, from, place)?;
    fill(to, &place.join(DUMP), &manifest, History::Same)
}

/// How the history of a restored or copied database goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum History {
    /// As the history of the original, which ends.
    Same,
    /// As another history: the original may go on, or did.
    Another,
}

fn fill(url: &str, dump: &Path, manifest: &Manifest, history: History) -> Result<(), Failure> {
    let conn = &mut open(url)?;
    // A service that starts meanwhile waits, as for another one that prepares the database.
    db::claim(conn)?;
    if manifest::has_tables(conn)? {
        return Err("the database is not empty: a backup is restored into one that nothing was ever in".into());
    }
    let major = db::server_major(conn)?;
    let mut pg_restore = tool("pg_restore", major)?;
    pg_restore.args(["--no-owner", "--no-privileges", "--file=-"]).arg(dump);
    let mut psql = tool("psql", major)?;
    psql.args([
        "--no-psqlrc",
        "--quiet",
        "--single-transaction",
        "--set=ON_ERROR_STOP=1",
        "--output=/dev/null",
        "--file=-",
    ]);
    Address::read(url)?.tell(&mut psql)?;
    pipe(pg_restore, psql, |setting| setting != UNKNOWN_BEFORE_17 || major >= 17)?;
    let found = conn.transaction(|conn| {
        db::note_migrations(conn, &manifest.contents.migrations).map_err(|e| in_words(&e))?;
        let missing = manifest.contents.differences(&Contents::read(conn)?);
        if !missing.is_empty() {
            return Err(Rolled::from(missing.join("; ")));
        }
        let report = verify::within(conn, None).map_err(|e| in_words(&e))?;
        if !report.findings.is_empty() {
            return Err(Rolled::from(report.lines().join("; ")));
        }
        if history == History::Another {
            manifest::begin_epoch(conn)?;
        }
        Ok(())
    });
    // PostgreSQL has no statistics on the new tables yet.
    found.map_err(|Rolled(e)| format!("what was restored is not what was backed up, and nothing serves it: {e}"))?;
    conn.batch_execute("analyze")?;
    Ok(db::release(conn)?)
}

/// Why a transaction was rolled back.
struct Rolled(Failure);

impl<E: Into<Failure>> From<E> for Rolled {
    fn from(e: E) -> Self {
        Self(e.into())
    }
}

/// A client program of PostgreSQL that can talk to a server of this version.
fn tool(name: &str, major: u32) -> Result<Command, Failure> {
    let missing = || format!("{name} of PostgreSQL {major} or newer is not installed here (Debian: postgresql-client)");
    let path = embedded::client(name, major).ok_or_else(missing)?;
    let mut command = Command::new(path);
    command.stdin(Stdio::null()).env("LC_ALL", "C");
    Ok(command)
}

fn finish(mut command: Command) -> Result<(), Failure> {
    succeeded(&command.output()?)
}

/// A setting at the beginning of a dump's SQL. Newer clients write it for every server; servers before 17 refuse it.
const UNKNOWN_BEFORE_17: &str = "SET transaction_timeout = 0;";

/// Pipes the output of one program into another, without the settings at its beginning that `keeps` rejects.
fn pipe(mut from: Command, mut to: Command, keeps: impl Fn(&str) -> bool + Send) -> Result<(), Failure> {
    let mut writer = from.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let mut reader = to.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let (sql, sink) = (writer.stdout.take(), reader.stdin.take());
    let (sql, mut sink) = sql.zip(sink).ok_or("a program has no pipe")?;
    let copied = thread::scope(|scope| {
        let copying = scope.spawn(move || -> io::Result<()> {
            let (mut sql, mut line) = (BufReader::new(sql), String::new());
            let is_before_data = |line: &str| !line.starts_with("CREATE ") && !line.starts_with("COPY ");
            while sql.read_line(&mut line)? > 0 {
                if keeps(line.trim_end()) {
                    sink.write_all(line.as_bytes())?;
                }
                if !is_before_data(&line) {
                    break;
                }
                line.clear();
            }
            io::copy(&mut sql, &mut sink).map(|_bytes| ())
        });
        // Both programs are waited for, whichever stops first.
        let read = reader.wait_with_output();
        let copied = copying
            .join()
            .unwrap_or_else(|_panic| Err(io::Error::other("what was read was not copied")));
        read.map(|read| (read, copied))
    });
    let (read, copied) = copied?;
    let wrote = writer.wait_with_output()?;
    succeeded(&read)?;
    succeeded(&wrote)?;
    Ok(copied?)
}

fn succeeded(output: &Output) -> Result<(), Failure> {
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(in_one_line(&said).into())
}

fn sync(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}
