//! Work on a connection that another thread can end: at its deadline, or when its caller hangs up.
//!
//! The server ends a statement when another connection asks for it. A transaction is not committed once its work was ended. While a
//! transaction is being committed, its work is not ended any more.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread,
    time::Duration,
};

use diesel::{Connection, PgConnection, connection::SimpleConnection, prelude::*, sql_types::Integer};
use parking_lot::Mutex;

use super::in_one_line;
use crate::error::{Error, Result};

/// How often the server is asked to end a statement, until the work is over.
const AGAIN: Duration = Duration::from_millis(50);
/// How long the connection for these requests is kept open.
const KEPT: Duration = Duration::from_secs(5);

diesel::define_sql_function! {
    /// The server process of this connection.
    fn pg_backend_pid() -> Integer;
}
diesel::define_sql_function! {
    /// Cancels the statement of a server process.
    fn pg_cancel_backend(pid: Integer) -> Bool;
}

/// The server process of this connection.
pub(super) fn backend_pid(conn: &mut PgConnection) -> QueryResult<i32> {
    diesel::select(pg_backend_pid()).get_result(conn)
}

/// Work under way, shared by the thread that does it and the task that waits for it.
#[derive(Clone)]
pub(super) struct Running(Arc<State>);

struct State {
    stage: Mutex<Stage>,
    /// The server process of its connection, while it has one. Locked while a cancel request for it is under way, so no task takes
    /// this lock.
    pid: Mutex<Option<i32>>,
    is_over: AtomicBool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Working,
    Committing,
    Ended,
}

/// The outcome of work that was ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It ends, and is rolled back.
    Undone,
    /// It is being committed.
    Unknown,
}

impl Running {
    pub(super) fn new() -> Self {
        Self(Arc::new(State {
            stage: Mutex::new(Stage::Working),
            pid: Mutex::new(None),
            is_over: AtomicBool::new(false),
        }))
    }

    /// Notes that the work has a connection with this server process, until the result is dropped. Fails if the work was ended
    /// before it began.
    pub(super) fn on(&self, pid: i32) -> Result<Connected<'_>> {
        // Locked from here on, so that work which is ended now is cancelled.
        let mut kept = self.0.pid.lock();
        if self.was_ended() {
            return Err(ended());
        }
        *kept = Some(pid);
        Ok(Connected(self))
    }

    /// Notes that a transaction begins, perhaps again after a deadlock.
    pub(super) fn begin(&self) -> Result<()> {
        self.go_on_to(Stage::Working)
    }

    /// Notes that the transaction is about to be committed.
    pub(super) fn commit(&self) -> Result<()> {
        self.go_on_to(Stage::Committing)
    }

    fn go_on_to(&self, next: Stage) -> Result<()> {
        let mut stage = self.0.stage.lock();
        if *stage == Stage::Ended {
            return Err(ended());
        }
        *stage = next;
        Ok(())
    }

    /// Whether the transaction was about to be committed when the work was over.
    pub(super) fn was_committing(&self) -> bool {
        *self.0.stage.lock() == Stage::Committing
    }

    /// Whether the work is over.
    pub(super) fn is_over(&self) -> bool {
        self.0.is_over.load(Ordering::Acquire)
    }

    /// Whether the work was ended; then a cancel request may still be on its way to the connection.
    pub(super) fn was_ended(&self) -> bool {
        *self.0.stage.lock() == Stage::Ended
    }

    /// Ends the work, unless its transaction is being committed.
    fn end(&self) -> Fate {
        let mut stage = self.0.stage.lock();
        if *stage == Stage::Committing {
            return Fate::Unknown;
        }
        *stage = Stage::Ended;
        Fate::Undone
    }
}

fn ended() -> Error {
    Error::Unavailable("the work was ended: its time was up, or its caller has left".to_owned())
}

/// The connection of some work. No other work gets it while a cancel request for it is under way.
pub(super) struct Connected<'a>(&'a Running);

impl Drop for Connected<'_> {
    fn drop(&mut self) {
        *self.0.0.pid.lock() = None;
        self.0.0.is_over.store(true, Ordering::Release);
    }
}

/// Ends work on the connections to one server.
#[derive(Clone)]
pub(super) struct Canceller {
    url: Arc<str>,
    /// The channel to the cancelling thread, while there is one.
    thread: Arc<Mutex<Option<Sender<Running>>>>,
}

impl Canceller {
    pub(super) fn new(url: &str) -> Self {
        Self {
            url: url.into(),
            thread: Arc::default(),
        }
    }

    /// Ends some work without waiting for its end.
    pub(super) fn end(&self, running: &Running) -> Fate {
        let fate = running.end();
        if fate == Fate::Undone {
            self.cancel(running.clone());
        }
        fate
    }

    fn cancel(&self, running: Running) {
        let mut thread = self.thread.lock();
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

/// Sends cancel requests until all work is over and for a while no more has come.
fn cancel(url: &str, first: Running, more: &Receiver<Running>) -> Result<(), Box<dyn std::error::Error>> {
    let mut conn = PgConnection::establish(url)?;
    conn.batch_execute("set statement_timeout = '5s'")?;
    let mut all = vec![first];
    loop {
        let mut still = Vec::new();
        for running in all {
            let of = running.0.pid.lock();
            if let Some(pid) = *of {
                diesel::select(pg_cancel_backend(pid)).execute(&mut conn)?;
                drop(of);
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
