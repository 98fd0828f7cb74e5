//! `ward-policy verify`: checks that the history is whole, and that the stored rows are those that the history tells.

use std::{fmt, str::FromStr};

use diesel::{
    PgConnection, QueryableByName, RunQueryDsl,
    connection::SimpleConnection,
    sql_types::{Array, BigInt, Bool, Bytea, Integer, Text, Uuid as SqlUuid},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{
    config::Config,
    database::{self, Failure},
};
use crate::{db, error::Result, resources::revisions, value::hex};

/// Findings that a report names; the others are only counted.
const NAMED: usize = 100;

/// The tables whose rows the history can rebuild: name, type in the history, and columns the history lacks.
const TABLES: [(&str, &str, &str); 9] = [
    ("organizations", "organization", ""),
    ("policies", "policy", ""),
    ("self_evaluations", "self_evaluation", ""),
    ("goals", "goal", ""),
    ("budgets", "budget", ""),
    ("indicators", "indicator", ""),
    ("results", "result", ""),
    ("revisions", "revision", "document"),
    ("tokens", "token", "hash"),
];

/// A place in the history: a number, and the hash that stands there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// The number.
    pub seq: i64,
    /// The hash, in hexadecimal digits.
    pub hash: String,
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.seq, self.hash)
    }
}

impl FromStr for Head {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (seq, hash) = text
            .split_once(':')
            .ok_or("must be a number and a hash, like 42:9f86d0…")?;
        let seq = seq.parse().map_err(|e| format!("{seq}: {e}"))?;
        if hash.len() != 64 || !hash.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            return Err("the hash must have 64 hexadecimal digits".to_owned());
        }
        Ok(Self {
            seq,
            hash: hash.to_owned(),
        })
    }
}

/// The result of a verification: the counts of what was checked, and the findings.
#[derive(Debug, Default)]
pub struct Report {
    /// How many changes were verified.
    pub changes: u64,
    /// How many revisions were verified.
    pub revisions: u64,
    /// The last change.
    pub head: Option<Head>,
    /// The first findings.
    pub findings: Vec<String>,
    /// How many more findings there are.
    pub more: u64,
    /// Things that are as they were written, but should be known.
    pub warnings: Vec<String>,
}

impl Report {
    fn find(&mut self, what: String) {
        if self.findings.len() < NAMED {
            self.findings.push(what);
        } else {
            self.more += 1;
        }
    }

    /// The report in lines.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines = self.findings.clone();
        if self.more > 0 {
            lines.push(format!("… and {} more", self.more));
        }
        lines.push(format!(
            "looked at {} changes, {} revisions and the rows of {} tables",
            self.changes,
            self.revisions,
            TABLES.len()
        ));
        lines.extend(self.warnings.iter().map(|warning| format!("warning: {warning}")));
        if let Some(head) = &self.head {
            lines.push(format!("head {head}"));
        }
        lines
    }
}

#[derive(QueryableByName)]
struct Logged {
    #[diesel(sql_type = BigInt)]
    seq: i64,
    #[diesel(sql_type = Text)]
    text: String,
    #[diesel(sql_type = Bytea)]
    previous_hash: Vec<u8>,
    #[diesel(sql_type = Bytea)]
    hash: Vec<u8>,
}

#[derive(QueryableByName)]
struct Published {
    #[diesel(sql_type = SqlUuid)]
    policy_id: Uuid,
    #[diesel(sql_type = Integer)]
    number: i32,
    #[diesel(sql_type = Text)]
    sha256: String,
    #[diesel(sql_type = Text)]
    document: String,
    #[diesel(sql_type = Text)]
    policy: String,
    #[diesel(sql_type = Bool)]
    known: bool,
    #[diesel(sql_type = Bool)]
    recorded: bool,
}

#[derive(QueryableByName)]
struct Differing {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    what: String,
}

#[derive(QueryableByName)]
struct Derived {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = BigInt)]
    seq: i64,
}

/// Verifies `DATABASE_URL`, or the embedded database whether the service runs or not, and prints the report. `known` is
/// a head that was noted earlier and kept elsewhere: without one, a history that was cut off looks whole.
pub fn run(config: &Config, known: Option<&Head>) -> Result<(), Failure> {
    let mut holds = true;
    database::run(config, |conn| {
        let report = verify(conn, known)?;
        holds = report.findings.is_empty();
        Ok(report.lines())
    })?;
    if holds {
        Ok(())
    } else {
        Err("the history does not hold: see above".into())
    }
}

/// Looks at all of the history in one state of the database, a batch at a time.
pub fn verify(conn: &mut PgConnection, known: Option<&Head>) -> Result<Report> {
    conn.build_transaction()
        .repeatable_read()
        .read_only()
        .run(|conn| within(conn, known))
}

/// Verifies within a transaction that is open.
pub fn within(conn: &mut PgConnection, known: Option<&Head>) -> Result<Report> {
    // The settings under which the history writes its states.
    conn.batch_execute("set local search_path = public; set local timezone = 'Asia/Tokyo'")?;
    let mut report = Report::default();
    chain(conn, known, &mut report)?;
    published(conn, &mut report)?;
    for table in TABLES {
        rows(conn, table, &mut report)?;
    }
    for (table, kind, _) in TABLES.into_iter().filter(|(.., dropped)| dropped.is_empty()) {
        versions(conn, table, kind, &mut report)?;
    }
    for policy in revisions::unrevised(conn)? {
        report.find(format!("{policy}: what is public is not what its last revision says"));
    }
    if let Some(seconds) = db::seconds_ahead(conn)? {
        report.warnings.push(format!(
            "the time of the last change lies {seconds} s ahead of the database's clock: until then, as_of the present does not show it"
        ));
    }
    Ok(report)
}

/// The tables that are verified.
pub fn tables() -> impl Iterator<Item = &'static str> {
    TABLES.iter().map(|(table, ..)| *table)
}

/// Checks each change of the history: its number and hash follow those of the change before, and its hash is that of its content.
#[expect(
    clippy::disallowed_methods,
    reason = "walks a log by a function of its rows; runs by command only"
)]
fn chain(conn: &mut PgConnection, known: Option<&Head>, report: &mut Report) -> Result<()> {
    let (mut last, mut last_hash) = (0_i64, Vec::new());
    loop {
        let batch: Vec<Logged> = diesel::sql_query(include_str!("verify/changes.sql"))
            .bind::<BigInt, _>(last)
            .load(conn)?;
        if batch.is_empty() {
            break;
        }
        for change in batch {
            let seq = change.seq;
            if seq != last + 1 {
                let missing = if seq == last + 2 {
                    format!("{}", last + 1)
                } else {
                    format!("{} to {}", last + 1, seq - 1)
                };
                report.find(format!("change {missing}: missing"));
            } else if change.previous_hash != last_hash {
                report.find(format!("change {seq}: does not follow the change before it"));
            }
            let digest = Sha256::new()
                .chain_update(&change.previous_hash)
                .chain_update(change.text.as_bytes())
                .finalize();
            if digest.as_slice() != change.hash {
                report.find(format!("change {seq}: is not what its hash was taken of"));
            }
            let noted = known.filter(|known| known.seq == seq && known.hash != hex(&change.hash));
            if noted.is_some() {
                report.find(format!("change {seq}: has another hash than was noted"));
            }
            report.changes += 1;
            (last, last_hash) = (seq, change.hash);
        }
    }
    if let Some(known) = known.filter(|known| known.seq > last) {
        report.find(format!("change {}: was noted, and is missing", known.seq));
    }
    if last > 0 {
        report.head = Some(Head {
            seq: last,
            hash: hex(&last_hash),
        });
    }
    Ok(())
}

/// Checks each revision: its hash is that of its document, its number is the next, and the history has it. The comparison of
/// rows finds revisions that only the history has.
#[expect(
    clippy::disallowed_methods,
    reason = "joins a log with what it logs; runs by command only"
)]
fn published(conn: &mut PgConnection, report: &mut Report) -> Result<()> {
    let mut last = (Uuid::nil(), 0_i32);
    loop {
        let batch: Vec<Published> = diesel::sql_query(include_str!("verify/revisions.sql"))
            .bind::<SqlUuid, _>(last.0)
            .bind::<Integer, _>(last.1)
            .load(conn)?;
        if batch.is_empty() {
            return Ok(());
        }
        for revision in batch {
            let name = format!("{} revision {}", revision.policy, revision.number);
            let next = if revision.policy_id == last.0 { last.1 + 1 } else { 1 };
            if revision.number != next {
                report.find(format!("{} revision {next}: missing", revision.policy));
            }
            if hex(&Sha256::digest(revision.document.as_bytes())) != revision.sha256 {
                report.find(format!("{name}: is not what its SHA-256 was taken of"));
            }
            if !revision.known {
                report.find(format!("{name}: the history does not know it"));
            } else if !revision.recorded {
                report.find(format!("{name}: has another SHA-256 than in the history"));
            }
            report.revisions += 1;
            last = (revision.policy_id, revision.number);
        }
    }
}

/// Checks that every row is as the history left it, and that there is no other.
#[expect(
    clippy::disallowed_methods,
    reason = "the table is a parameter; runs by command only"
)]
fn rows(conn: &mut PgConnection, (table, kind, dropped): (&str, &str, &str), report: &mut Report) -> Result<()> {
    let most = i64::try_from(NAMED).unwrap_or(i64::MAX) + 1;
    let differing: Vec<Differing> =
        diesel::sql_query(include_str!("verify/rows.sql").replace("{table}", &format!("public.{table}")))
            .bind::<Text, _>(kind)
            .bind::<Array<Text>, _>(vec![dropped])
            .bind::<BigInt, _>(most)
            .load(conn)?;
    for row in differing {
        let what = match row.what.as_str() {
            "missing" => "is in the history, not in the table",
            "extra" => "is in the table, not in the history",
            _ => "is not as the history left it",
        };
        report.find(format!("{kind} {}: {what}", row.name));
    }
    Ok(())
}

/// Checks the states from which the past is read: they are derived from the history, and must agree with it.
#[expect(
    clippy::disallowed_methods,
    reason = "the table is a parameter; runs by command only"
)]
fn versions(conn: &mut PgConnection, table: &str, kind: &str, report: &mut Report) -> Result<()> {
    let most = i64::try_from(NAMED).unwrap_or(i64::MAX) + 1;
    let differing: Vec<Derived> = diesel::sql_query(include_str!("verify/versions.sql").replace("{table}", table))
        .bind::<Text, _>(kind)
        .bind::<BigInt, _>(most)
        .load(conn)?;
    for row in differing {
        report.find(format!(
            "{kind} {}: is read otherwise at change {} than the history has it",
            row.id, row.seq
        ));
    }
    Ok(())
}
