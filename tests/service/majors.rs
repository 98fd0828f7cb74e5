//! Data that moves from one major version of PostgreSQL to another.
//!
//! `OLDER_POSTGRES` names the programs of an older one than the first in `PATH`, as `make test-postgres` does; without it there is
//! nothing to move from.

use std::{env, fs};

use nix::sys::signal::Signal;

use crate::{
    Outcome,
    http::{create, get, get_by},
    process::{Place, Run, Service},
};

/// `PATH` with the older programs first.
fn older() -> Option<String> {
    let (older, path) = (env::var_os("OLDER_POSTGRES")?, env::var_os("PATH")?);
    let first = std::iter::once(older.into()).chain(env::split_paths(&path));
    env::join_paths(first).ok()?.into_string().ok()
}

fn major(place: &Place) -> Outcome<u32> {
    Ok(fs::read_to_string(place.data().join("cluster/PG_VERSION"))?
        .trim()
        .parse()?)
}

fn says(run: &Run, words: &str) {
    assert!(
        run.status.success() && run.printed.contains(words),
        "{}{}",
        run.said,
        run.printed
    );
}

/// Serves on an older version and writes something; gives what it was.
fn written(place: &Place, older: &str) -> Outcome<(Service, String, String)> {
    let service = place.spawn(&[], &[("PATH", older)])?.wait()?;
    let token = place.token()?;
    assert_eq!(create(service.address, &token, "kensetsu")?.status, 201);
    let head = get(service.address, "/v1/changes/head")?.body;
    let cursor = head["cursor"].as_str().ok_or("no cursor")?.to_owned();
    Ok((service, token, cursor))
}

#[test]
fn data_is_brought_to_a_newer_version_and_goes_on_as_the_same_history() -> Outcome {
    let Some(older) = older() else { return Ok(()) };
    let place = Place::new("upgrade")?;
    let (service, token, cursor) = written(&place, &older)?;
    let (was, rows) = (major(&place)?, place.rows()?);
    place
        .run(&["upgrade"], &[])?
        .is_one_line_about(&["another ward-policy is running"]);
    let tree = get(service.address, "/v1/policies/nishi/2024/tree")?.body;
    assert!(service.stop(Signal::SIGTERM)?.success());

    // While both are installed it is served as it is, and the way out is told.
    let service = place.serve(&[])?;
    assert!(service.said()?.contains("ward-policy upgrade"), "{}", service.said()?);
    assert_eq!(major(&place)?, was);
    assert!(service.stop(Signal::SIGTERM)?.success());

    says(&place.run(&["upgrade"], &[])?, "found whole");
    assert!(major(&place)? > was);
    assert!(place.data().join(format!("cluster-{was}/PG_VERSION")).exists());
    assert!(!place.data().join("upgrade").exists());
    says(&place.run(&["upgrade"], &[])?, "nothing to do");

    let service = place.serve(&[])?;
    assert_eq!(place.rows()?, rows);
    assert_eq!(get(service.address, "/v1/policies/nishi/2024/tree")?.body, tree);
    assert_eq!(get_by(service.address, &token, "/v1/tokens")?.status, 200);
    // Who follows it goes on.
    assert_eq!(
        get(service.address, &format!("/v1/changes?cursor={cursor}"))?.status,
        200
    );
    assert_eq!(create(service.address, &token, "kankyo")?.status, 201);
    assert!(place.run(&["verify"], &[])?.status.success());
    assert!(service.stop(Signal::SIGTERM)?.success());
    Ok(())
}

#[test]
fn an_upgrade_that_fails_leaves_what_was_there() -> Outcome {
    let Some(older) = older() else { return Ok(()) };
    let place = Place::new("failed-upgrade")?;
    let (service, ..) = written(&place, &older)?;
    let (was, rows) = (major(&place)?, place.rows()?);
    // A history that was tampered with is not found whole.
    place.tell("alter table change_log disable trigger all; update change_log set actor = 'nobody' where seq = 3")?;
    assert!(service.stop(Signal::SIGTERM)?.success());
    place.run(&["upgrade"], &[])?.is_one_line_about(&["change 3"]);
    assert_eq!(major(&place)?, was);
    assert!(!place.data().join("upgrade").exists());
    let service = place.serve(&[])?;
    assert_eq!(place.rows()?.len(), rows.len());
    assert!(service.stop(Signal::SIGTERM)?.success());
    Ok(())
}

#[test]
fn a_backup_of_an_older_version_is_restored_into_a_newer_one() -> Outcome {
    let Some(older) = older() else { return Ok(()) };
    let (here, there) = (Place::new("major-here")?, Place::new("major-there")?);
    let (service, token, cursor) = written(&here, &older)?;
    let backup = here.data().with_file_name("backup");
    let to = backup.to_str().ok_or("no name")?;
    says(&here.run(&["backup", to], &[])?, "backed up");
    let rows = here.rows()?;
    assert!(service.stop(Signal::SIGTERM)?.success());
    says(&there.run(&["restore", to], &[])?, "restored and found whole");
    assert!(major(&there)? > major(&here)?);
    let restored = there.serve(&[])?;
    assert_eq!(there.rows()?, rows);
    assert_eq!(get_by(restored.address, &token, "/v1/tokens")?.status, 200);
    assert_eq!(
        get(restored.address, &format!("/v1/changes?cursor={cursor}"))?.status,
        410
    );
    assert!(restored.stop(Signal::SIGTERM)?.success());
    Ok(())
}
