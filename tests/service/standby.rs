//! Standbys: real ones, that fall behind, freeze, die, come back, and take over.

use std::net::SocketAddr;

use nix::sys::signal::Signal;
use ward_policy::db::embedded::Embedded;

use crate::{
    Outcome,
    http::{Answer, create, get, get_with},
    outside::{metrics_of, told},
    process::{Place, Service, database, eventually},
    replica::Standby,
};

/// Makes the token of who writes.
const TOKEN: &[&str] = &[
    "token",
    "create",
    "--name",
    "it",
    "--scope",
    "edit:*",
    "--expires-in-days",
    "1",
];

/// How many turns readers took on this lane, or how many standbys are so.
fn count(metrics: SocketAddr, line: &str) -> Outcome<u32> {
    let told = told(metrics)?;
    let count = told
        .lines()
        .find_map(|told| told.strip_prefix(line))
        .ok_or_else(|| told.clone())?;
    Ok(count.trim().parse()?)
}

const ON_STANDBYS: &str = "ward_policy_pool_turns_total{lane=\"standbys\"}";
const ON_PRIMARY: &str = "ward_policy_pool_turns_total{lane=\"readers\"}";

fn becomes(service: &Service, state: &str) -> Outcome {
    let (metrics, line) = (
        metrics_of(service)?,
        format!("ward_policy_standbys{{state=\"{state}\"}}"),
    );
    eventually(|| Ok((count(metrics, &line)? == 1).then_some(())))
}

fn organization(slug: &str) -> String {
    format!("/v1/organizations/{slug}")
}

/// Two services on a primary and a standby, and who writes.
struct Scene {
    writer: Service,
    other: Service,
    token: String,
}

impl Scene {
    /// They go to whichever server takes writes, and read on the second.
    fn of(place: &Place, primary: &str, standby: &Standby) -> Outcome<Self> {
        let either = standby.or(primary)?;
        let standby = standby.url();
        let settings = [
            ("DATABASE_URL", either.as_str()),
            ("DATABASE_REPLICA_URLS", &standby),
            ("WARD_POLICY_METRICS_BIND", "127.0.0.1:0"),
            // As a service has them: of a server that is away nobody waits long to hear.
            ("WARD_POLICY_WAIT_MS", "1500"),
            ("WARD_POLICY_READ_MS", "4000"),
            ("WARD_POLICY_STATEMENT_MS", "5000"),
            ("WARD_POLICY_LOCK_MS", "4000"),
        ];
        let [writer, other] = [(); 2].map(|()| place.spawn(&["--no-sample"], &settings));
        let (writer, other) = (writer?.wait()?, other?.wait()?);
        let token = place.run(TOKEN, &settings[..1])?.printed.trim_end().to_owned();
        Ok(Self { writer, other, token })
    }

    fn is_well(&self) -> Outcome {
        becomes(&self.writer, "in_step")?;
        becomes(&self.other, "in_step")
    }

    fn write(&self, slug: &str) -> Outcome<Answer> {
        create(self.writer.address, &self.token, slug)
    }

    fn read(&self, slug: &str) -> Outcome<u16> {
        Ok(get(self.other.address, &organization(slug))?.status)
    }

    /// Reads on the other service what was written a moment ago, by the token that was answered.
    fn read_back(&self, slug: &str, written: &Answer) -> Outcome<u16> {
        let headers = [("X-Consistency-Token", written.consistency.as_str())];
        Ok(get_with(self.other.address, &headers, &organization(slug))?.status)
    }

    /// Up to date, the standby is read, and the primary is not: as soon as nothing is on its way to it any more, such as the token
    /// of who writes.
    fn reads_the_standby(&self) -> Outcome {
        let metrics = metrics_of(&self.other)?;
        let turns = || Outcome::Ok((count(metrics, ON_STANDBYS)?, count(metrics, ON_PRIMARY)?));
        // Each asks for something else, that no answer is kept of.
        let mut limits = 1..=1000;
        eventually(|| {
            let (standbys, readers) = turns()?;
            let page = format!("/v1/organizations?limit={}", limits.next().ok_or("it is never read")?);
            assert_eq!(get(self.other.address, &page)?.status, 200);
            Ok((turns()? == (standbys + 1, readers)).then_some(()))
        })
    }

    /// Behind, it is not: whoever wrote reads what was written, here at once, elsewhere with the token.
    fn reads_no_standby_that_lags(&self, standby: &Standby) -> Outcome {
        standby.tell("select pg_wal_replay_pause()")?;
        let written = self.write("behind")?;
        assert_eq!(written.status, 201);
        assert_eq!(get(self.writer.address, &organization("behind"))?.status, 200);
        assert_eq!(self.read_back("behind", &written)?, 200);
        becomes(&self.other, "behind")?;
        assert_eq!(self.read("behind")?, 200);
        standby.tell("select pg_wal_replay_resume()")?;
        self.is_well()?;
        for n in 0..60 {
            match n % 10 {
                3 => standby.tell("select pg_wal_replay_pause()")?,
                7 => standby.tell("select pg_wal_replay_resume()")?,
                _ => {}
            }
            let slug = format!("bureau-{n}");
            // What is not there yet is an answer that an instance may keep.
            assert_eq!(self.read(&slug)?, 404);
            let written = self.write(&slug)?;
            assert_eq!(written.status, 201);
            assert_eq!(self.read_back(&slug, &written)?, 200, "{n}");
            assert_eq!(get(self.writer.address, &organization(&slug))?.status, 200, "{n}");
        }
        self.is_well()
    }

    fn refuses_what_is_no_token(&self) -> Outcome {
        let ask = |token| {
            get_with(
                self.other.address,
                &[("X-Consistency-Token", token)],
                "/v1/organizations",
            )
        };
        let garbled = ask("yesterday")?;
        let named = &garbled.body["errors"][0]["header"];
        assert_eq!((garbled.status, named), (400, &"X-Consistency-Token".into()));
        assert_eq!(ask("FFFFFFFF/0")?.status, 200);
        Ok(())
    }

    /// Nobody misses one that is frozen.
    fn does_without(&self, standby: &Standby) -> Outcome {
        standby.signal(Signal::SIGSTOP)?;
        for n in 0..5 {
            assert_eq!(self.read(&format!("bureau-{n}"))?, 200);
        }
        becomes(&self.other, "away")?;
        standby.signal(Signal::SIGCONT)?;
        self.is_well()
    }

    /// It takes over from a primary that is gone.
    fn goes_on_with(&self, standby: &Standby) -> Outcome {
        // Until then it is read.
        assert_eq!(self.read("bureau-59")?, 200);
        assert_eq!(self.write("nowhere")?.status, 503);
        standby.tell("select pg_promote()")?;
        let written = eventually(|| Ok(Some(self.write("after")?).filter(|answer| answer.status == 201)))?;
        eventually(|| Ok((self.read_back("after", &written)? != 503).then_some(())))?;
        for slug in ["after", "behind", "bureau-0", "bureau-59"] {
            assert_eq!(self.read_back(slug, &written)?, 200);
        }
        assert_eq!(self.read("nowhere")?, 404);
        // It follows nobody now.
        becomes(&self.other, "away")
    }
}

#[test]
fn standbys_are_read_while_they_are_up_to_date_and_missed_by_nobody() -> Outcome {
    let place = Place::new("standby")?;
    let primary = Embedded::start(&place.data())?;
    let url = primary.url("ward_policy");
    let standby = Standby::of(&url, &place)?;
    let scene = Scene::of(&place, &url, &standby)?;
    scene.is_well()?;
    scene.reads_the_standby()?;
    scene.reads_no_standby_that_lags(&standby)?;
    scene.refuses_what_is_no_token()?;

    let standby = standby.killed()?;
    for n in 0..20 {
        assert_eq!(scene.read(&format!("bureau-{n}"))?, 200);
    }
    becomes(&scene.other, "away")?;
    let standby = standby.started()?;
    scene.is_well()?;

    scene.does_without(&standby)?;
    drop(primary);
    scene.goes_on_with(&standby)
}

#[test]
fn a_standby_of_another_history_is_not_read() -> Outcome {
    let place = Place::new("stranger")?;
    let (database, other) = (database("stranger")?, Embedded::start(&place.data())?);
    let elsewhere = other.url("ward_policy");
    for arguments in [&["migrate"], TOKEN] {
        assert!(place.run(arguments, &[("DATABASE_URL", &elsewhere)])?.status.success());
    }
    let stranger = Standby::of(&elsewhere, &place)?;
    let url = stranger.url();
    let settings = [
        ("DATABASE_URL", database.address.as_str()),
        ("DATABASE_REPLICA_URLS", &url),
        ("WARD_POLICY_METRICS_BIND", "127.0.0.1:0"),
    ];
    let service = place.spawn(&[], &settings)?.wait()?;
    eventually(|| {
        Ok(service
            .said()?
            .contains("its history is not the primary's")
            .then_some(()))
    })?;
    becomes(&service, "away")?;
    assert_eq!(get(service.address, "/v1/policies/nishi/2024")?.status, 200);
    Ok(())
}
