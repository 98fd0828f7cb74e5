//! The database server of a case, and what may befall it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::Duration,
};

use diesel::{Connection, PgConnection, connection::SimpleConnection};
use nix::{sys::signal::Signal, unistd::Pid};
use ward_policy::db::embedded::Embedded;

use crate::{
    Outcome,
    process::{Place, signal_all},
    replica::Standby,
};

/// A durable server; the one who watches over it starts it again when it crashes.
pub(crate) struct Postgres {
    /// None once it is lost for good.
    embedded: Option<Embedded>,
    address: String,
    data: PathBuf,
    standby: Option<Standby>,
}

impl Postgres {
    pub(crate) fn start(place: &Place) -> Outcome<Self> {
        let data = place.data();
        let embedded = Embedded::start(&data)?;
        Ok(Self {
            address: embedded.url("ward_policy"),
            embedded: Some(embedded),
            data,
            standby: None,
        })
    }

    /// The address of whichever server takes writes.
    pub(crate) fn url(&self) -> Outcome<String> {
        match &self.standby {
            Some(standby) => standby.or(&self.address),
            None => Ok(self.address.clone()),
        }
    }

    pub(crate) fn connect(&self) -> Outcome<PgConnection> {
        Ok(PgConnection::establish(&self.url()?)?)
    }

    /// Gives it a standby that has everything before it is acknowledged.
    pub(crate) fn follow(&mut self, place: &Place) -> Outcome {
        self.standby = Some(Standby::of(&self.address, place)?);
        let mut conn = PgConnection::establish(&self.address)?;
        conn.batch_execute("alter system set synchronous_standby_names = '*'")?;
        Ok(conn.batch_execute("select pg_reload_conf()")?)
    }

    /// It is lost, and some moments later its standby takes over.
    pub(crate) fn fail_over(&mut self) -> Outcome {
        self.signal(Signal::SIGKILL)?;
        self.embedded = None;
        thread::sleep(Duration::from_secs(5));
        let standby = self.standby.as_ref().ok_or("nobody follows it")?;
        standby.tell("select pg_promote()")
    }

    /// Ends every connection there is.
    pub(crate) fn end_connections(&self) -> Outcome {
        self.administer("")
    }

    /// Sets something for every connection from now on, and ends those there are.
    pub(crate) fn set(&self, setting: &str, value: &str) -> Outcome {
        self.administer(&format!("alter database ward_policy set {setting} = '{value}';"))
    }

    /// Takes that back.
    pub(crate) fn reset(&self, setting: &str) -> Outcome {
        self.administer(&format!("alter database ward_policy reset {setting};"))
    }

    /// From another database: what refuses to write in ours would refuse this too.
    fn administer(&self, statement: &str) -> Outcome {
        let end = "select pg_terminate_backend(pid) from pg_stat_activity where datname = 'ward_policy'";
        let embedded = self.embedded.as_ref().ok_or("it is lost")?;
        PgConnection::establish(&embedded.url("postgres"))?.batch_execute(&format!("{statement} {end}"))?;
        Ok(())
    }

    fn postmaster(&self) -> Outcome<Pid> {
        let record = fs::read_to_string(self.data.join("cluster/postmaster.pid"))?;
        Ok(Pid::from_raw(record.lines().next().ok_or("no server")?.parse()?))
    }

    /// Signals the server and every process of it.
    pub(crate) fn signal(&self, signal: Signal) -> Outcome {
        signal_all(self.postmaster()?, signal)
    }
}

/// A small disk of its own, mounted at a place; nothing where this may not be done.
pub(crate) struct SmallDisk(PathBuf);

impl SmallDisk {
    pub(crate) fn at(path: &Path, megabytes: u32) -> Option<Self> {
        fs::create_dir_all(path).ok()?;
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={megabytes}m,mode=755"), "tmpfs"])
            .arg(path)
            .status();
        mounted.ok()?.success().then(|| Self(path.to_owned()))
    }

    /// Leaves no room at all.
    pub(crate) fn fill(&self) -> Outcome {
        let ballast = self.0.join("ballast");
        // Fails when the disk is full, which is what it is for.
        let _ = Command::new("dd")
            .arg("if=/dev/zero")
            .arg(format!("of={}", ballast.display()))
            .args(["bs=64k", "status=none"])
            .stderr(std::process::Stdio::null())
            .status()?;
        Ok(())
    }

    pub(crate) fn clear(&self) -> Outcome {
        Ok(fs::remove_file(self.0.join("ballast"))?)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}
