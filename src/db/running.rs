//! Work on a connection that others can end: when its deadline has passed, or its caller has left.
//!
//! A statement is ended by the server, on request of another connection. A transaction is not committed once its work was ended;
//! and once it is being committed, its work is not ended any more.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread,
    time::Duration,
};

use diesel::{Connection, PgConnection, connection::SimpleConnection, prelude::*, sql_types::Integer};

use super::in_one_line;
use crate::error::{Error, Result};

/// How often the server is asked to end a statement, until the work has come to its end.
const AGAIN: Duration = Duration::from_millis(50);
/// How long the connection is kept on which it is asked.
const KEPT: Duration = Duration::from_secs(5);

diesel::define_sql_function! {
    /// The process that serves this connection.
    fn pg_backend_pid() -> Integer;
}
diesel::define_sql_function! {
    /// Ends the statement that a process runs.
    fn pg_cancel_backend(pid: Integer) -> Bool;
}

/// The process of the server that serves this connection.
pub(super) fn backend_pid(conn: &mut PgConnection) -> QueryResult<i32> {
    diesel::select(pg_backend_pid()).get_result(conn)
}

/// Work that is under way, as whoever does it and whoever waits for it share it.
#[derive(Clone)]
pub(super) struct Running(Arc<Mutex<State>>);

struct State {
    stage: Stage,
    /// The process that serves its connection, while it has one.
    pid: Option<i32>,
    is_over: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Working,
    Committing,
    Ended,
}

/// What becomes of work that nobody waits for any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It ends, and nothing of it stays.
    Undone,
    /// It is being committed.
    Unknown,
}

impl Running {
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(State {
            stage: Stage::Working,
            pid: None,
            is_over: false,
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes that the work has a connection, which this process serves, until the answer is dropped. Fails where it was ended
    /// before it began.
    pub(super) fn on(&self, pid: i32) -> Result<Connected<'_>> {
        let mut state = self.state();
        if state.stage == Stage::Ended {
            return Err(ended());
        }
        state.pid = Some(pid);
        Ok(Connected(self))
    }

    /// Takes that a transaction begins, perhaps once more.
    pub(super) fn begin(&self) -> Result<()> {
        self.go_on_to(Stage::Working)
    }

    /// Takes that the transaction is to be committed now.
    pub(super) fn commit(&self) -> Result<()> {
        self.go_on_to(Stage::Committing)
    }

    fn go_on_to(&self, next: Stage) -> Result<()> {
        let mut state = self.state();
        if state.stage == Stage::Ended {
            return Err(ended());
        }
        state.stage = next;
        Ok(())
    }

    /// Whether the transaction was about to be committed when the work came to its end.
    pub(super) fn was_committing(&self) -> bool {
        self.state().stage == Stage::Committing
    }

    /// Whether the work has come to its end, one way or the other.
    pub(super) fn is_over(&self) -> bool {
        self.state().is_over
    }

    /// Whether the work was ended, so that a request to end a statement may still be on its way to the connection.
    pub(super) fn was_ended(&self) -> bool {
        self.state().stage == Stage::Ended
    }

    /// Ends the work, unless it is too late.
    fn end(&self) -> Fate {
        let mut state = self.state();
        if state.stage == Stage::Committing {
            return Fate::Unknown;
        }
        state.stage = Stage::Ended;
        Fate::Undone
    }
}

fn ended() -> Error {
    Error::Unavailable("the work was ended: its time was up, or its caller has left".to_owned())
}

/// A connection that work has. No other work has it while the server is asked to end a statement on it.
pub(super) struct Connected<'a>(&'a Running);

impl Drop for Connected<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.pid = None;
        state.is_over = true;
    }
}

/// Ends what runs on the connections of a server.
#[derive(Clone)]
pub(super) struct Canceller {
    url: Arc<str>,
    /// Where the thread hears of more to end, while there is one.
    thread: Arc<Mutex<Option<Sender<Running>>>>,
}

impl Canceller {
    pub(super) fn new(url: &str) -> Self {
        Self {
            url: url.into(),
            thread: Arc::default(),
        }
    }

    /// Ends some work, and does not wait for its end.
    pub(super) fn end(&self, running: &Running) -> Fate {
        let fate = running.end();
        if fate == Fate::Undone {
            self.cancel(running.clone());
        }
        fate
    }

    fn cancel(&self, running: Running) {
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        let unsent = match &*thread {
            Some(sender) => sender.send(running).err().map(|unsent| unsent.0),
            None => Some(running),
        };
        let Some(running) = unsent else { return };
        let (sender, more) = channel();
        let url = Arc::clone(&self.url);
        let begun = thread::Builder::new().name("canceller".to_owned()).spawn(move || {
            if let Err(e) = cancel(&url, running, &more) {
                log::warn!("statements end by their own time limit: {}", in_one_line(&e));
            }
        });
        match begun {
            Ok(_) => *thread = Some(sender),
            Err(e) => log::error!("statements end by their own time limit: {e}"),
        }
    }
}

/// Asks the server to end statements until all work has come to its end, and for a while there was no more.
fn cancel(url: &str, first: Running, more: &Receiver<Running>) -> Result<(), Box<dyn std::error::Error>> {
    let mut conn = PgConnection::establish(url)?;
    conn.batch_execute("set statement_timeout = '5s'")?;
    let mut all = vec![first];
    loop {
        let mut still = Vec::new();
        for running in all {
            let state = running.state();
            if let Some(pid) = state.pid {
                diesel::select(pg_cancel_backend(pid)).execute(&mut conn)?;
                drop(state);
                still.push(running);
            }
        }
        all = still;
        if all.is_empty() {
            match more.recv_timeout(KEPT) {
                Ok(running) => all.push(running),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return Ok(()),
            }
        } else {
            thread::sleep(AGAIN);
        }
        all.extend(more.try_iter());
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    #[test]
    fn what_was_ended_is_not_committed_and_what_is_being_committed_is_not_ended() {
        let running = Running::new();
        let connected = running.on(1).unwrap();
        running.begin().unwrap();
        assert_eq!(running.end(), Fate::Undone);
        assert!(running.commit().is_err() && running.begin().is_err());
        assert!(running.was_ended() && !running.was_committing());
        drop(connected);
        assert!(running.on(1).is_err(), "it does not begin any more");

        let running = Running::new();
        running.begin().unwrap();
        running.commit().unwrap();
        assert_eq!(running.end(), Fate::Unknown);
        assert!(running.was_committing());
        // Once more, as after a deadlock.
        running.begin().unwrap();
        assert_eq!(running.end(), Fate::Undone);
    }
}
