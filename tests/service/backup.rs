//! Backups: whole, of one moment, and restored into a database that says the same, under a new epoch.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use diesel::{
    Connection, PgConnection, QueryableByName, RunQueryDsl, connection::SimpleConnection, sql_query, sql_types::Text,
};
use nix::sys::signal::Signal;
use serde_json::Value;
use ward_policy::db::{self, embedded};

use crate::{
    Outcome,
    http::{create, get, get_by},
    process::{Place, Run, database},
};

#[derive(QueryableByName)]
struct Cell {
    #[diesel(sql_type = Text)]
    value: String,
}

impl Place {
    fn backup(&self, name: &str) -> PathBuf {
        self.data().with_file_name(name)
    }

    fn connect(&self) -> Outcome<PgConnection> {
        let socket = self.data().join("socket").display().to_string().replace('/', "%2F");
        let url = format!("postgresql://ward_policy@/ward_policy?host={socket}&port=5432");
        Ok(PgConnection::establish(&url)?)
    }

    /// Runs statements in the database of its running service.
    pub(crate) fn tell(&self, statements: &str) -> Outcome {
        Ok(self.connect()?.batch_execute(statements)?)
    }

    #[expect(clippy::disallowed_methods, reason = "of every table, whatever its columns")]
    /// All that the database of its running service holds, row by row, but for what a restored one has of its own, and for the
    /// uses of tokens, which are noted a moment later.
    pub(crate) fn rows(&self) -> Outcome<Vec<String>> {
        let mut conn = self.connect()?;
        let tables: Vec<Cell> = sql_query(
            "select format('%I.%I', n.nspname, c.relname) as value from pg_class c join pg_namespace n on n.oid = c.relnamespace \
             where c.relkind = 'r' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema' \
             and c.relname not in ('change_epoch', '__diesel_schema_migrations', 'token_uses') order by 1",
        )
        .load(&mut conn)?;
        let mut all = Vec::new();
        for Cell { value: table } in tables {
            let rows: Vec<Cell> =
                sql_query(format!("select t::text as value from {table} t order by 1")).load(&mut conn)?;
            all.extend(rows.into_iter().map(|row| format!("{table} {}", row.value)));
        }
        Ok(all)
    }
}

fn manifest(backup: &Path) -> Outcome<Value> {
    Ok(serde_json::from_slice(&fs::read(backup.join("manifest.json"))?)?)
}

fn succeeds(run: &Run, words: &str) {
    assert!(
        run.status.success() && run.printed.starts_with(words),
        "{}{}",
        run.said,
        run.printed
    );
}

#[test]
fn what_is_restored_is_what_was_there_and_another_history_goes_on_from_it() -> Outcome {
    let (here, there) = (Place::new("backup-here")?, Place::new("backup-there")?);
    let service = here.serve(&[])?;
    let token = here.token()?;
    for slug in ["kensetsu", "kowan", "toshi"] {
        assert_eq!(create(service.address, &token, slug)?.status, 201);
    }
    let before = get(service.address, "/v1/changes/head")?.body;
    let cursor = before["cursor"].as_str().ok_or("no cursor")?.to_owned();
    let backup = here.backup("backup");
    let to = backup.to_str().ok_or("no name")?;
    succeeds(&here.run(&["backup", to], &[])?, "backed up: ");
    here.run(&["backup", to], &[])?.is_one_line_about(&["is there already"]);
    let (rows, public) = (here.rows()?, get(service.address, "/v1/policies/nishi/2024/tree")?.body);
    assert!(rows.len() > 100);

    succeeds(&there.run(&["restore", to], &[])?, "restored and found whole: ");
    let head = &manifest(&backup)?["contents"]["head"];
    let known = format!("{}:{}", head["seq"], head["hash"].as_str().ok_or("no hash")?);
    let verified = there.run(&["verify", "--known", &known], &[])?;
    assert!(verified.status.success(), "{}", verified.said);
    there.run(&["restore", to], &[])?.is_one_line_about(&["not empty"]);

    let restored = there.serve(&[])?;
    assert_eq!(there.rows()?, rows);
    assert_eq!(get(restored.address, "/v1/policies/nishi/2024/tree")?.body, public);
    // Tokens come along, secrets and all.
    assert_eq!(get_by(restored.address, &token, "/v1/tokens")?.status, 200);
    // Who followed the old history begins anew.
    let place = format!("/v1/changes?cursor={cursor}");
    assert_eq!(get(service.address, &place)?.status, 200);
    assert_eq!(get(restored.address, &place)?.status, 410);
    assert_eq!(get(restored.address, "/v1/changes")?.status, 200);
    assert_eq!(create(restored.address, &token, "kankyo")?.status, 201);
    assert!(there.run(&["verify", "--known", &known], &[])?.status.success());
    for service in [service, restored] {
        assert!(service.stop(Signal::SIGTERM)?.success());
    }
    Ok(())
}

#[test]
fn a_backup_in_the_middle_of_a_storm_is_of_one_moment() -> Outcome {
    let (here, there) = (Place::new("storm-here")?, Place::new("storm-there")?);
    let service = here.serve(&["--no-sample"])?;
    let token = here.token()?;
    let (address, over) = (service.address, AtomicBool::new(false));
    let backup = here.backup("backup");
    let to = backup.to_str().ok_or("no name")?;
    let made = thread::scope(|scope| -> Outcome<(usize, usize)> {
        let storm = scope.spawn(|| -> Outcome<usize> {
            let mut made = 0;
            while !over.load(Ordering::Relaxed) {
                assert_eq!(create(address, &token, &format!("bureau-{made}"))?.status, 201);
                made += 1;
            }
            Ok(made)
        });
        while get(address, "/v1/organizations?limit=1")?.body["items"][0].is_null() {}
        let done = here.run(&["backup", to], &[]);
        over.store(true, Ordering::Relaxed);
        let made = storm.join().map_err(|_panic| "the storm failed")??;
        succeeds(&done?, "backed up: ");
        let saved = &manifest(&backup)?["contents"]["tables"]["public.organizations"]["rows"];
        Ok((made, usize::try_from(saved.as_u64().ok_or("no rows")?)?))
    })?;
    assert!(made.1 >= 1 && made.1 <= made.0, "{made:?}");
    succeeds(&there.run(&["restore", to], &[])?, "restored and found whole: ");
    assert!(there.run(&["verify"], &[])?.status.success());
    assert!(service.stop(Signal::SIGTERM)?.success());
    Ok(())
}

#[test]
fn what_is_damaged_is_not_restored_and_nothing_serves_it() -> Outcome {
    let (here, there) = (Place::new("damaged-here")?, Place::new("damaged-there")?);
    let service = here.serve(&[])?;
    let backup = here.backup("backup");
    let to = backup.to_str().ok_or("no name")?;
    succeeds(&here.run(&["backup", to], &[])?, "backed up: ");
    assert!(service.stop(Signal::SIGTERM)?.success());
    let (dump, said) = (backup.join("dump"), backup.join("manifest.json"));

    let whole = fs::read(&dump)?;
    let mut damaged = whole.clone();
    damaged[whole.len() / 2] ^= 1;
    fs::write(&dump, damaged)?;
    there
        .run(&["restore", to], &[])?
        .is_one_line_about(&["is not what its manifest says"]);
    fs::write(&dump, &whole)?;

    let manifest = fs::read_to_string(&said)?;
    for (from, to_be, words) in [
        ("\"format\": 1", "\"format\": 2", "form 2"),
        ("20261127000001", "29990101000001", "does not know"),
        ("\"migrations\"", "\"migration\"", "unknown field"),
    ] {
        assert!(manifest.contains(from), "{from}: {manifest}");
        fs::write(&said, manifest.replacen(from, to_be, 1))?;
        there.run(&["restore", to], &[])?.is_one_line_about(&[words]);
    }

    // A row less than was said: found out when all is there.
    let mut less: Value = serde_json::from_str(&manifest)?;
    let rows = &mut less["contents"]["tables"]["public.indicators"]["rows"];
    *rows = (rows.as_u64().ok_or("no rows")? + 1).into();
    fs::write(&said, less.to_string())?;
    there
        .run(&["restore", to], &[])?
        .is_one_line_about(&["public.indicators", "nothing serves it"]);
    there.run(&["verify"], &[])?.is_one_line_about(&["lacks migrations"]);
    let started = there.run(&["serve"], &[])?;
    assert!(!started.status.success(), "{}", started.said);
    Ok(())
}

#[test]
fn a_password_is_no_argument_of_any_program() -> Outcome {
    let place = Place::new("backup-password")?;
    let (here, there) = (database("password_here")?, database("password_there")?);
    let with = |address: &str| address.replace("ward_policy@", "ward_policy:s3cret%2Fw0rd@");
    let at = |address: &str| [("DATABASE_URL", with(address))];

    // In their place, each says with what it was started, and goes on as itself.
    let programs = place.data().with_file_name("programs");
    fs::create_dir(&programs)?;
    let noted = place.data().with_file_name("noted");
    let major = db::server_major(&mut PgConnection::establish(&here.address)?)?;
    for name in ["pg_dump", "pg_restore", "psql"] {
        let real = embedded::client(name, major).ok_or("it is not installed")?;
        let script = format!(
            "#!/bin/sh\necho \"arguments: $0 $*\" >>'{noted}'\necho \"environment: $PGPASSWORD\" >>'{noted}'\nexec '{real}' \"$@\"\n",
            noted = noted.display(),
            real = real.display(),
        );
        let path = programs.join(name);
        fs::write(&path, script)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
    }
    let path = format!(
        "{}:{}",
        programs.display(),
        std::env::var_os("PATH").ok_or("no PATH")?.to_string_lossy()
    );
    let backup = place.backup("one");
    let run = |command: &str, address: &str| -> Outcome {
        let mut program = place.command(&[command]);
        if command != "migrate" {
            program.arg(&backup);
        }
        let ran = program.envs(at(address)).env("PATH", &path).output()?;
        let said = String::from_utf8_lossy(&ran.stderr).into_owned();
        assert!(ran.status.success() && !said.contains("s3cret"), "{command}: {said}");
        Ok(())
    };
    run("migrate", &here.address)?;
    run("backup", &here.address)?;
    run("restore", &there.address)?;
    let noted = fs::read_to_string(noted)?;
    for name in ["pg_dump", "pg_restore", "psql"] {
        assert!(noted.contains(&format!("/{name} --")), "{noted}");
    }
    for line in noted.lines().filter(|line| line.starts_with("arguments: ")) {
        assert!(!line.contains("s3cret") && !line.contains("w0rd"), "{line}");
    }
    assert!(noted.contains("environment: s3cret/w0rd\n"), "{noted}");

    // Nor do words say it where an address is mistyped.
    for mistyped in [
        "postgresql://me:s3cret/word@localhost/x",
        "postgres//me:s3cret@localhost/x",
    ] {
        for command in ["serve", "migrate", "verify"] {
            let refused = place.run(&[command], &[("DATABASE_URL", mistyped)])?;
            refused.is_one_line_about(&["DATABASE_URL", "%40"]);
            assert!(!refused.said.contains("s3cret"), "{}", refused.said);
        }
    }
    Ok(())
}
