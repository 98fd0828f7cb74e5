//! What breaks, and what must hold meanwhile and afterwards.

use std::{
    sync::{Arc, Mutex, PoisonError, atomic::Ordering},
    thread,
    time::{Duration, Instant},
};

use diesel::{Connection, PgConnection, connection::SimpleConnection};
use nix::sys::signal::Signal;

use crate::{
    Outcome,
    postgres::{Postgres, SmallDisk},
    process::{Place, Service},
    program, slow,
    storm::{self, Storm, is_away},
};

/// How long a fault lasts.
const FAULT: Duration = Duration::from_secs(6);
/// The longest any request may take.
const SLOWEST: Duration = Duration::from_secs(5);
/// How soon writes must work again.
const BACK: Duration = Duration::from_secs(5);

/// The fiscal year whose results are written.
const YEAR: u32 = 2030;

/// Something that breaks.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// How: it ends when all is well again.
    fault: fn(&mut Scene) -> Outcome,
    /// Whether requests may go without an answer: the service itself is what breaks.
    unanswered: bool,
    /// Whether the service is not there for a while.
    gone: bool,
    /// Whether the database is away, so that readiness must say so.
    away: bool,
}

pub(crate) const ALL: &[Case] = &[
    case("nothing", |_| {
        thread::sleep(FAULT);
        Ok(())
    }),
    case("crashed", |scene| {
        scene.postgres.signal(Signal::SIGKILL)?;
        Ok(())
    }),
    away("frozen", |scene| {
        scene.postgres.signal(Signal::SIGSTOP)?;
        thread::sleep(FAULT);
        scene.postgres.signal(Signal::SIGCONT)
    }),
    case("connections_ended", |scene| {
        for _ in 0..20 {
            scene.postgres.end_connections()?;
            thread::sleep(Duration::from_millis(200));
        }
        Ok(())
    }),
    case("out_of_connections", |scene| {
        let url = scene.postgres.url()?;
        let mut taken = Vec::new();
        // Whoever has a connection keeps it; so those are ended, and every place is taken.
        scene.postgres.end_connections()?;
        while let Ok(conn) = PgConnection::establish(&url) {
            taken.push(conn);
        }
        thread::sleep(FAULT);
        drop(taken);
        Ok(())
    }),
    case("read_only", |scene| {
        scene.postgres.set("default_transaction_read_only", "on")?;
        thread::sleep(FAULT);
        scene.postgres.reset("default_transaction_read_only")
    }),
    case("japanese_messages", |scene| {
        scene.postgres.set("lc_messages", "ja_JP.UTF-8")?;
        for _ in 0..10 {
            scene.postgres.end_connections()?;
            thread::sleep(Duration::from_millis(300));
        }
        scene.postgres.reset("lc_messages")
    }),
    case("disk_full", |scene| {
        let disk = scene.disk.as_ref().ok_or("there is no small disk")?;
        disk.fill()?;
        thread::sleep(FAULT);
        disk.clear()
    }),
    away("failed_over", |scene| scene.postgres.fail_over()),
    case("slow_clients", |scene| {
        let address = *scene.address.lock().unwrap_or_else(PoisonError::into_inner);
        let clients = slow::clients(address)?;
        thread::sleep(FAULT);
        match slow::still_there(clients)? {
            0 => Ok(()),
            there => Err(format!("{there} slow clients were not let go").into()),
        }
    }),
    broken("service_killed", |scene| {
        for _ in 0..3 {
            thread::sleep(Duration::from_secs(1));
            scene.kill_and_start()?;
        }
        Ok(())
    }),
    gone("service_restarted", |scene| {
        for _ in 0..2 {
            thread::sleep(Duration::from_secs(1));
            scene.stop_and_start()?;
        }
        Ok(())
    }),
];

const fn case(name: &'static str, fault: fn(&mut Scene) -> Outcome) -> Case {
    Case {
        name,
        fault,
        unanswered: false,
        gone: false,
        away: false,
    }
}

const fn away(name: &'static str, fault: fn(&mut Scene) -> Outcome) -> Case {
    Case {
        away: true,
        ..case(name, fault)
    }
}

const fn gone(name: &'static str, fault: fn(&mut Scene) -> Outcome) -> Case {
    Case {
        gone: true,
        ..case(name, fault)
    }
}

const fn broken(name: &'static str, fault: fn(&mut Scene) -> Outcome) -> Case {
    Case {
        unanswered: true,
        ..gone(name, fault)
    }
}

/// A database, a service on it, and where that is.
struct Scene {
    service: Option<Service>,
    address: Arc<Mutex<std::net::SocketAddr>>,
    postgres: Postgres,
    place: Place,
    /// Goes last.
    disk: Option<SmallDisk>,
}

impl Scene {
    fn start(&mut self) -> Outcome {
        let url = self.postgres.url()?;
        let settings = [
            ("DATABASE_URL", url.as_str()),
            ("WARD_POLICY_RATE", "0"),
            ("RUST_LOG", "warn,ward_policy::access=off,ward_policy=info"),
        ];
        let mut command = self.place.command_of(&program(), &[]);
        command.envs(settings).envs(slow::IMPATIENT);
        let service = self.place.start(command)?.wait()?;
        *self.address.lock().unwrap_or_else(PoisonError::into_inner) = service.address;
        self.service = Some(service);
        Ok(())
    }

    fn kill_and_start(&mut self) -> Outcome {
        if let Some(service) = self.service.take() {
            service.stop(Signal::SIGKILL)?;
        }
        self.start()
    }

    /// Asks it to stop, as a new version would be rolled out: it must end well, and in time.
    fn stop_and_start(&mut self) -> Outcome {
        if let Some(service) = self.service.take() {
            let begun = Instant::now();
            let ended = service.stop(Signal::SIGTERM)?;
            if !ended.success() || begun.elapsed() > Duration::from_secs(10) {
                return Err(format!("asked to stop, it ended with {ended} after {:?}", begun.elapsed()).into());
            }
        }
        self.start()
    }
}

/// Runs a case: its line, or nothing where it is not possible here.
pub(crate) fn run(case: &Case) -> Outcome<Option<String>> {
    let place = Place::new(&format!("chaos-{}", case.name))?;
    let disk = if case.name == "disk_full" {
        match SmallDisk::at(&place.data(), 200) {
            None => return Ok(None),
            disk => disk,
        }
    } else {
        None
    };
    let mut postgres = Postgres::start(&place)?;
    if case.name == "failed_over" {
        postgres.follow(&place)?;
    }
    if case.name == "japanese_messages"
        && postgres
            .connect()?
            .batch_execute("set lc_messages = 'ja_JP.UTF-8'")
            .is_err()
    {
        return Ok(None);
    }
    let mut scene = Scene {
        service: None,
        address: Arc::new(Mutex::new(([127, 0, 0, 1], 0).into())),
        postgres,
        place,
        disk,
    };
    scene.start()?;
    scene.postgres.connect()?.batch_execute(HOLDER)?;
    let address = *scene.address.lock().unwrap_or_else(PoisonError::into_inner);
    let slots = storm::prepare(address, "nishi", YEAR)?;
    let storm = Storm::begin(&scene.address, slots);
    thread::sleep(Duration::from_secs(2));
    (case.fault)(&mut scene)?;
    let well = Instant::now();
    thread::sleep(BACK + Duration::from_secs(2));
    let health = Arc::clone(&storm.health);
    let (counts, written) = storm.end()?;
    let [found, lost, doubled, there] = storm::found(&mut scene.postgres.connect()?, YEAR.cast_signed(), &written)?;
    if there != written.len() {
        return Err(format!("{} results were written, {there} are there", written.len()).into());
    }

    let back = counts.written.iter().filter(|at| **at > well).min();
    let back = back.ok_or("no write succeeded afterwards")?.duration_since(well);
    let status = |wanted: fn(u16) -> bool| -> u32 {
        let these = counts.by_status.iter().filter(|(status, _)| wanted(**status));
        these.map(|(_, count)| *count).sum()
    };
    let requests = status(|_| true) + counts.none;
    let (refused, other) = (status(is_away), status(|s| s >= 300 && !is_away(s)));
    let line = format!(
        "{:<26} {requests:>9} {refused:>4} {other:>5} {:>5} {:>10} {:>7} {:>13} {found:>5} {lost:>5} {doubled:>7}",
        case.name,
        counts.none,
        counts.slowest.as_millis(),
        back.as_millis(),
        written.len(),
    );
    let mut wrong = Vec::new();
    let mut must = |holds: bool, what: &str| {
        if !holds {
            wrong.push(what.to_owned());
        }
    };
    must(lost == 0 && doubled == 0, "writes were lost or doubled");
    must(
        other == 0,
        &format!("answers beside success, 503 and 504: {:?}", counts.by_status),
    );
    must(counts.without_retry_after == 0, "503 or 504 without Retry-After");
    must(back < BACK, "writes came back too late");
    must(case.unanswered || counts.none == 0, "requests got no answer");
    if !case.gone {
        must(counts.slowest < SLOWEST, "requests took too long");
        must(
            health.not_alive.load(Ordering::Acquire) == 0,
            "/healthz did not answer in time",
        );
    }
    must(
        !case.away || health.not_ready.load(Ordering::Acquire) > 0,
        "/readyz never said so",
    );
    if wrong.is_empty() {
        Ok(Some(line))
    } else {
        Err(format!("{}\n{line}", wrong.join("; ")).into())
    }
}

const HOLDER: &str = "begin; select begin_write('chaos', '', '', ''); \
    insert into tokens (id, name, handle, hash, scopes) values \
    (gen_random_uuid(), 'chaos', '000000000000', sha256('secret'), '{admin}') on conflict do nothing; commit";
