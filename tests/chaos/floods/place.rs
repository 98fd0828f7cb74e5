//! What floods need: a database that each gets a copy of, the service as it is started by default, and who watches what it uses.

use std::{
    fs::{self, DirBuilder, Permissions},
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use diesel::{Connection as _, PgConnection, connection::SimpleConnection};
use nix::sys::signal::Signal;
use ward_policy::db::embedded::Embedded;

use super::{FLOOD_YEAR, QUIET_YEAR, spawn};
use crate::{
    Outcome,
    process::{Place, Service},
    program, storm,
    usage::Usage,
};

/// How many descriptors the service begins with: what a system usually gives.
const DESCRIPTORS: u32 = 1024;
/// The data that exports are large by.
const INDICATORS: &str = "10000";
/// The tokens of the storm, of the flood, and of the quiet one.
const TOKENS: &str = "begin; select begin_write('chaos', '', '', ''); \
    insert into tokens (id, name, handle, hash, scopes) values \
    (gen_random_uuid(), 'chaos', '000000000000', sha256('secret'), '{admin}'), \
    (gen_random_uuid(), 'flood', '0000000000f1', sha256('secret'), \
    (select array['edit:' || id] from organizations where slug = 'kita')), \
    (gen_random_uuid(), 'quiet', '0000000000a1', sha256('secret'), \
    (select array['edit:' || id] from organizations where slug = 'minato')); commit";

/// The database that each flood gets a copy of.
pub(crate) struct Prepared {
    embedded: Embedded,
    slots: Vec<String>,
    flood_slots: Vec<String>,
    place: Place,
}

impl Prepared {
    pub(crate) fn new(name: &str) -> Outcome<Self> {
        let place = Place::new(name)?;
        DirBuilder::new().mode(0o1777).create(temporary(&place))?;
        fs::set_permissions(temporary(&place), Permissions::from_mode(0o1777))?;
        let embedded = Embedded::start(&place.data())?;
        PgConnection::establish(&embedded.url("postgres"))?.batch_execute("create database prepared")?;
        let url = embedded.url("prepared");
        let service = serve(&place, &url, &[])?;
        PgConnection::establish(&url)?.batch_execute(TOKENS)?;
        let slots = storm::prepare(service.address, "nishi", QUIET_YEAR)?;
        let flood_slots = storm::prepare(service.address, "kita", FLOOD_YEAR)?;
        service.stop(Signal::SIGTERM)?;
        let mut generate = command_of(
            &place,
            Path::new(env!("CARGO_BIN_EXE_generate")),
            &["--indicators", INDICATORS],
            &url,
        );
        if !generate.output()?.status.success() {
            return Err("nothing was generated".into());
        }
        Ok(Self {
            embedded,
            slots,
            flood_slots,
            place,
        })
    }

    /// A copy of the database.
    pub(crate) fn copy(&self, name: &str) -> Outcome<String> {
        let create = format!("create database {name} template prepared");
        PgConnection::establish(&self.embedded.url("postgres"))?.batch_execute(&create)?;
        Ok(self.embedded.url(name))
    }

    pub(super) fn drop(&self, name: &str) -> Outcome {
        let drop = format!("drop database {name} with (force)");
        Ok(PgConnection::establish(&self.embedded.url("postgres"))?.batch_execute(&drop)?)
    }

    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    pub(crate) fn slots(&self) -> &[String] {
        &self.slots
    }

    pub(super) fn flood_slots(&self) -> &[String] {
        &self.flood_slots
    }
}

/// The temporary directory of a place's service.
pub(crate) fn temporary(place: &Place) -> PathBuf {
    place.data().with_file_name("tmp")
}

/// The service as it is started by default, but for its database.
pub(crate) fn command(place: &Place, arguments: &[&str], url: &str) -> Command {
    command_of(place, &program(), arguments, url)
}

fn command_of(place: &Place, program: &Path, arguments: &[&str], url: &str) -> Command {
    let mut command = place.command_of(program, arguments);
    for bound in ["WAIT", "READ", "WRITE", "STATEMENT", "LOCK"] {
        command.env_remove(format!("WARD_POLICY_{bound}_MS"));
    }
    command
        .env("DATABASE_URL", url)
        .env("TMPDIR", temporary(place))
        .env("RUST_LOG", "warn,ward_policy::access=off,ward_policy=info");
    command
}

/// Starts it, with as few descriptors as a system usually gives.
pub(crate) fn serve(place: &Place, url: &str, settings: &[(&str, &str)]) -> Outcome<Service> {
    let program = program();
    let few = format!("ulimit -S -n {DESCRIPTORS} && exec \"$0\" serve");
    let with_few = command(place, &[], url);
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", &few]).arg(program).stdin(Stdio::null());
    for (name, value) in with_few.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell.envs(settings.iter().copied());
    place.start(shell)?.wait()
}

/// The most that the service uses, until it is told to stop.
pub(super) struct Watch {
    stop: Arc<AtomicBool>,
    most: Arc<Mutex<Usage>>,
    watcher: JoinHandle<()>,
}

impl Watch {
    pub(super) fn begin(service: &Service, place: &Place) -> Outcome<Self> {
        let (pid, temporary) = (service.pid()?, temporary(place));
        let (stop, most) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Usage::default())));
        let watcher = {
            let (stop, most) = (Arc::clone(&stop), Arc::clone(&most));
            spawn(move || {
                while !stop.load(Ordering::Acquire) {
                    if let Ok(now) = Usage::of(pid, &temporary) {
                        let mut most = most.lock().unwrap_or_else(PoisonError::into_inner);
                        *most = most.most(now);
                    }
                    thread::sleep(Duration::from_millis(200));
                }
            })?
        };
        Ok(Self { stop, most, watcher })
    }

    pub(super) fn end(self) -> Outcome<Usage> {
        self.stop.store(true, Ordering::Release);
        self.watcher.join().map_err(|_panic| "the watcher panicked")?;
        Ok(*self.most.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
