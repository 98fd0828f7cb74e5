//! Commands that work on the database and end: on `DATABASE_URL`, or on the embedded one, whether the service runs or not.

use std::{
    error::Error as StdError,
    io::{self, Write},
};

use diesel::{Connection, PgConnection};

use super::config::Config;
use crate::{
    db::{self, Context, SetupError, Tx, embedded::Embedded, in_one_line},
    error::Error,
    resources::HOOKS,
    value::language::Language,
};

/// Why a command failed, in one line.
pub type Failure = Box<dyn StdError>;

/// Works on the database, then prints the lines that the work gives.
pub fn run(
    config: &Config,
    work: impl FnOnce(&mut PgConnection) -> Result<Vec<String>, Failure>,
) -> Result<(), Failure> {
    with_database(config, |url| connect(url).and_then(|mut conn| work(&mut conn))).and_then(print)
}

/// Works with the address of the database; an embedded server runs at least as long.
pub fn with_database<T>(config: &Config, work: impl FnOnce(&str) -> Result<T, Failure>) -> Result<T, Failure> {
    let (url, embedded) = match &config.database.url {
        Some(url) => (url.clone(), None),
        None => Embedded::reach(&config.database.data()?)?,
    };
    let done = work(&url);
    if let Some(embedded) = embedded {
        embedded.stop();
    }
    done
}

/// Runs statements that change something, in the name of the service.
pub fn write<T>(conn: &mut PgConnection, work: impl FnOnce(&mut Tx<'_>) -> Result<T, Error>) -> Result<T, Error> {
    db::write(conn, HOOKS, &Context::service(), work)
}

/// Prints lines.
pub fn print(mut lines: Vec<String>) -> Result<(), Failure> {
    lines.push(String::new());
    io::stdout()
        .write_all(lines.join("\n").as_bytes())
        .map_err(|e| format!("cannot print: {e}").into())
}

/// A connection to a database, with or without its migrations.
pub fn open(url: &str) -> Result<PgConnection, Failure> {
    Ok(PgConnection::establish(url).map_err(SetupError::from)?)
}

/// A connection to a database that has every migration, with functions and views.
pub fn connect(url: &str) -> Result<PgConnection, Failure> {
    let mut conn = open(url)?;
    match db::migrations(&mut conn) {
        Ok(migrations) if !migrations.newer.is_empty() => {
            Err("the database was migrated by a newer ward-policy: use that one".into())
        }
        Ok(migrations) if migrations.missing == 0 && db::is_defined(&mut conn)? => Ok(conn),
        _ => Err(
            "the database lacks migrations or definitions: run `ward-policy migrate`, or start the service once".into(),
        ),
    }
}

/// An error in words, in one line.
#[must_use]
pub fn in_words(error: &Error) -> String {
    let problem = error.problem(Language::English, "", "");
    if problem.errors.is_empty() {
        return match error {
            Error::NotFound(_) => problem.detail,
            other => in_one_line(other),
        };
    }
    let words = problem.errors.iter().map(|broken| {
        let place = broken.pointer.as_deref().unwrap_or_default().trim_start_matches('/');
        let meant = broken.suggestion.as_ref();
        let meant = meant.map_or_else(String::new, |meant| format!(" (did you mean {meant}?)"));
        format!("{place}: {}{meant}", broken.detail)
    });
    words.collect::<Vec<_>>().join("; ")
}
