//! Reads that take their time: those of many waiting requests that one change wakes, and those too long to be held in memory.

use std::{
    pin::Pin,
    task::{self, Poll},
    thread,
    time::{Duration, Instant},
};

use actix_web::web::Bytes;
use diesel::connection::SimpleConnection;
use futures_util::Stream;
use tokio::{
    sync::mpsc::{Receiver, Sender, channel, error::TrySendError},
    time::timeout,
};

use super::{
    Db, Read, admission::Permit, context::Context, in_one_line, pool::Ending, quota::Holding, running::Running,
};
use crate::error::{Error, Result};

/// How long a woken request, perhaps one of a thousand, or a long read may wait for a permit.
const WOKEN: Duration = Duration::from_secs(60);
/// How long a client may take to read on.
const SLOWEST: Duration = Duration::from_secs(30);
/// How long a long read may take.
const LONGEST: Duration = Duration::from_secs(600);
/// How many chunks of a long read are held in memory while its client is slow.
const AHEAD: usize = 4;
/// The transaction of a long read waits for its client, so it may be idle for longer than others.
const SESSION: &str = "set local idle_in_transaction_session_timeout = '40s'; set local timezone = 'Asia/Tokyo'";

/// Sends the chunks of a long read to its client.
#[derive(Clone)]
pub struct ChunkSender {
    chunks: Sender<Result<Bytes>>,
    end: Instant,
    context: Context,
}

impl ChunkSender {
    /// Sends a chunk, once the client has read the chunks before it.
    pub fn send(&self, chunk: impl Into<Bytes>) -> Result<()> {
        let mut chunk = Ok(chunk.into());
        let patience = self.end.min(Instant::now() + SLOWEST);
        loop {
            self.context.must_be_valid()?;
            chunk = match self.chunks.try_send(chunk) {
                Ok(()) => return Ok(()),
                Err(TrySendError::Closed(_)) => return Err(Error::Unavailable("the client has left".to_owned())),
                Err(TrySendError::Full(chunk)) => chunk,
            };
            if Instant::now() > patience {
                return Err(Error::Unavailable("the client does not read on".to_owned()));
            }
            thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Db {
    /// Lets the caller wait for changes, or follow them, until the holding is dropped.
    pub fn follower(&self) -> Result<Holding> {
        self.database.following.take(self.context.caller_key(), 1)
    }

    /// [`Db::read`] for a request that has waited for a change: it waits longer, few such requests read at a time, and it reads on the
    /// primary.
    pub async fn follow<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Read<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let mut waiter = self.database.followers.lasting_waiter(self.context.caller_key());
        let _one_of_many = patiently(waiter.permit()).await?;
        let readers = &self.database.readers;
        let permit = readers.acquire_within(WOKEN, &self.context).await?;
        self.context.must_be_valid()?;
        self.read_in(readers, permit, self.database.bounds.read, work).await
    }

    /// [`Db::read`] for work that scans much of the database: it waits longer for its permit, and takes the time it needs.
    pub async fn gather<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Read<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let waiter = self.database.gatherers.waiter(self.context.caller_key());
        let mut waiter = waiter.ok_or_else(too_many)?;
        let _one_of_few = patiently(waiter.permit()).await?;
        let pool = self.long();
        let permit = pool.acquire_within(WOKEN, &self.context).await?;
        self.read_in(pool, permit, LONGEST, work).await
    }

    /// Runs queries in one read transaction and streams their rows, for few requests at a time. A failure before the first chunk
    /// fails the request; a later one breaks the stream off.
    pub async fn stream(
        &self,
        work: impl FnOnce(&mut Read<'_>, &ChunkSender) -> Result<()> + Send + 'static,
    ) -> Result<ChunkStream> {
        let few = self.database.streams.try_acquire(self.context.caller_key());
        let few = few.ok_or_else(|| Error::Unavailable("every long read is taken".to_owned()))?;
        let pool = self.long();
        let permit = pool.acquire(&self.context).await?;
        let (chunks, mut taken) = channel(AHEAD);
        let out = ChunkSender {
            chunks,
            end: Instant::now() + LONGEST,
            context: self.context.clone(),
        };
        let running = Running::new();
        let ending = pool.ending(&running);
        let reading = self.reading({
            let out = out.clone();
            move |conn| {
                conn.batch_execute(SESSION)?;
                work(conn, &out)
            }
        });
        pool.detached(permit, move |pool| {
            let _few = few;
            if let Err(e) = pool.work(&running, reading) {
                log::warn!("a long read broke off: {}", in_one_line(&e));
                // The client may have left already.
                let _ = out.chunks.try_send(Err(e));
            }
        });
        let first = match timeout(self.database.bounds.read, taken.recv()).await {
            Err(_elapsed) => return Err(pool.unanswered()),
            Ok(None) => return Err(Error::internal("a long read gave nothing")),
            Ok(Some(first)) => first?,
        };
        Ok(ChunkStream {
            first: Some(first),
            rest: taken,
            _ending: ending,
        })
    }
}

/// Waits for a permit as long as a woken request may.
async fn patiently(permit: impl Future<Output = Option<Permit>>) -> Result<Permit> {
    timeout(WOKEN, permit).await.ok().flatten().ok_or_else(too_many)
}

fn too_many() -> Error {
    Error::Unavailable("too many wait together".to_owned())
}

/// The chunks of a long read, as they come.
pub struct ChunkStream {
    first: Option<Bytes>,
    rest: Receiver<Result<Bytes>>,
    /// Ends the read when the client stops reading.
    _ending: Ending,
}

impl Stream for ChunkStream {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Option<Self::Item>> {
        match self.first.take() {
            Some(first) => Poll::Ready(Some(Ok(first))),
            None => self.rest.poll_recv(cx),
        }
    }
}
