//! `ward-policy token …`: makes, lists and revokes tokens for the operator of the machine, and makes the first token of a new database.

use std::{
    fs::{File, OpenOptions},
    io::{self, ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use chrono::TimeDelta;
use clap::Subcommand;
use diesel::{Connection, PgConnection};
use serde_json::json;

use super::{
    config::Config,
    database::{self, Failure, in_words, write},
};
use crate::{
    error::Error,
    http::validation,
    resources::tokens::{self, Token, TokenInput},
    value::{Time, composed},
};

/// The file beside the embedded database that holds its first token.
const FIRST: &str = "admin-token";

/// What to do with tokens.
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Make a token and print it, this once.
    Create {
        /// Name of the system that will hold it.
        #[arg(long)]
        name: String,
        /// What it allows: admin, edit:nishi, publish:* …; may be repeated.
        #[arg(long = "scope", required = true, num_args = 1..)]
        scopes: Vec<String>,
        /// After how many days it is worth nothing; without it, it does not expire.
        #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
        expires_in_days: Option<u16>,
    },
    /// List all tokens, without their secrets.
    List,
    /// Make a token worth nothing.
    Revoke {
        /// Its name.
        name: String,
    },
}

/// Runs a command.
pub fn run(config: &Config, command: &TokenCommand) -> Result<(), Failure> {
    database::run(config, |conn| work(conn, command))
}

/// The lines to print.
fn work(conn: &mut PgConnection, command: &TokenCommand) -> Result<Vec<String>, Failure> {
    let lines = match command {
        TokenCommand::Create {
            name,
            scopes,
            expires_in_days,
        } => {
            let expires_at = expires_in_days.map(|days| Time(Time::now().0 + TimeDelta::days(i64::from(days))));
            let input = json!({ "name": composed(name), "scopes": scopes, "expires_at": expires_at });
            validation::read(input)
                .and_then(|input| make(conn, &input))
                .map(|token| vec![token])
        }
        TokenCommand::List => tokens::all(conn).map(|tokens| tokens.iter().map(line).collect()),
        TokenCommand::Revoke { name } => write(conn, |tx| {
            let id = tokens::named(tx, &composed(name))?;
            tokens::revoke(tx, id).map(|()| vec![])
        }),
    };
    lines.map_err(|e| in_words(&e).into())
}

fn make(conn: &mut PgConnection, input: &TokenInput) -> Result<String, Error> {
    write(conn, |tx| tokens::create(tx, input).map(|created| created.body.token))
}

/// A token in one line, its parts between tabs.
fn line(token: &Token) -> String {
    let scopes: Vec<&str> = token.scopes.iter().map(|scope| scope.0.as_str()).collect();
    let at = |word: &str, time: Option<Time>| {
        time.map_or_else(String::new, |time| {
            format!("\t{word} {}", time.0.format("%Y-%m-%dT%H:%MZ"))
        })
    };
    format!(
        "{}\twardpolicy_{}_…\t{}{}{}{}",
        token.name.0,
        token.handle,
        scopes.join(" "),
        at("expires", token.expires_at),
        at("revoked", token.revoked_at),
        at("used", token.last_used_at),
    )
}

/// Makes the first token of an embedded database: it allows everything, in a file that only its owner reads.
pub fn first(url: &str, data: &Path) -> Result<(), Failure> {
    let mut conn = PgConnection::establish(url)?;
    let path = data.join(FIRST);
    if tokens::any(&mut conn)? {
        if path.exists() {
            say_where(&path);
        }
        return Ok(());
    }
    // The file comes first: a token without one would be the last token made here.
    let mut file = match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
        Ok(file) => file,
        Err(e) if e.kind() == ErrorKind::AlreadyExists => {
            let path = path.display();
            log::warn!(
                "{path} is there, but its token is not in the database: remove it and start again for a new one"
            );
            return Ok(());
        }
        Err(e) => return Err(format!("{}: {e}", path.display()).into()),
    };
    let input = json!({ "name": FIRST, "scopes": ["admin"] });
    let made = validation::read(input)
        .and_then(|input| make(&mut conn, &input))
        .map_err(|e| in_words(&e))
        .and_then(|token| keep(&mut file, data, &token).map_err(|e| format!("{}: {e}", path.display())));
    if let Err(e) = made {
        // A file left behind would keep the next start from making a token.
        let _ = std::fs::remove_file(&path);
        return Err(e.into());
    }
    say_where(&path);
    Ok(())
}

fn say_where(path: &Path) {
    log::info!("a token that allows everything is in {}", path.display());
}

/// Says how to make a first token, where a database elsewhere has none.
pub fn ask_for_first(url: &str) -> Result<(), Failure> {
    if !tokens::any(&mut PgConnection::establish(url)?)? {
        log::info!("nobody may write yet: make a token with `ward-policy token create --name NAME --scope SCOPE`");
    }
    Ok(())
}

fn keep(file: &mut File, data: &Path, token: &str) -> io::Result<()> {
    writeln!(file, "{token}")?;
    file.sync_all()?;
    File::open(data)?.sync_all()
}
