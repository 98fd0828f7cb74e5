//! Connections: whoever sends or reads too slowly is let go.
//!
//! The framework times the first head of a connection and the pause between requests; what arrives of a later head stops
//! both, and nothing times a client that does not read. So every connection is watched: after an answer it has so long to send
//! a whole head, or to read. What the system itself finds unread for as long it ends too.

use std::{
    any::Any,
    error::Error,
    io::ErrorKind,
    net::{Shutdown, TcpStream},
    os::fd::AsFd,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll},
    thread,
    time::{Duration, Instant},
};

use crate::config::Patience;
use actix_web::{
    body::{BodySize, BoxBody, MessageBody},
    dev::{Extensions, ServiceResponse},
    rt::net,
    web::Bytes,
};

/// How often it is looked after them.
const TICK: Duration = Duration::from_secs(1);
/// An answer of more bytes may still be being read when the next head is due.
const LONG: u64 = 64 << 10;
/// That a connection is in a request, and not due to do anything.
const BUSY: u64 = u64::MAX;

/// All connections.
#[derive(Debug)]
pub struct Connections {
    begun: Instant,
    patience: Patience,
    stopping: AtomicBool,
    open: Mutex<Vec<Weak<Connection>>>,
}

/// One connection.
#[derive(Debug)]
pub struct Connection {
    all: Arc<Connections>,
    stream: TcpStream,
    /// When it must be in a request, in milliseconds from the beginning.
    due: AtomicU64,
}

/// A request on a connection, until its answer has been handed over.
#[derive(Debug)]
pub struct InRequest {
    connection: Arc<Connection>,
    patience: Duration,
}

impl Connections {
    /// None yet. A thread watches them, as long as there may be any.
    #[must_use]
    pub fn new(patience: Patience) -> Arc<Self> {
        let all = Arc::new(Self {
            begun: Instant::now(),
            patience,
            stopping: AtomicBool::new(false),
            open: Mutex::default(),
        });
        let watched = Arc::downgrade(&all);
        let begun = thread::Builder::new().name("connections".to_owned()).spawn(move || {
            while let Some(all) = watched.upgrade() {
                all.let_go();
                drop(all);
                thread::sleep(TICK);
            }
        });
        if let Err(e) = begun {
            log::error!("nobody watches connections: {e}");
        }
        all
    }

    /// Takes a new connection in, and notes it where its requests find it.
    pub fn take(self: &Arc<Self>, io: &dyn Any, data: &mut Extensions) {
        let taken = io.downcast_ref::<net::TcpStream>().map(|stream| {
            end_unread(stream, self.patience.idle);
            stream.as_fd().try_clone_to_owned()
        });
        let Some(Ok(stream)) = taken else { return };
        let connection = Arc::new(Connection {
            all: Arc::clone(self),
            stream: stream.into(),
            // Its first head is timed by the framework.
            due: AtomicU64::new(self.after(self.patience.head + TICK * 5)),
        });
        self.open
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(Arc::downgrade(&connection));
        data.insert(connection);
    }

    /// That every answer shall be the last one on its connection: the service is about to stop.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
    }

    fn after(&self, patience: Duration) -> u64 {
        u64::try_from((self.begun.elapsed() + patience).as_millis()).unwrap_or(BUSY - 1)
    }

    /// Ends those that are due.
    fn let_go(&self) {
        let now = self.after(Duration::ZERO);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|connection| {
            let Some(connection) = connection.upgrade() else {
                return false;
            };
            let due = connection.due.load(Ordering::Acquire);
            if due == BUSY || due > now {
                return true;
            }
            // Its end is noticed by whoever serves it.
            let _ = connection.stream.shutdown(Shutdown::Both);
            false
        });
    }
}

/// Lets the system end a connection whose client reads nothing for so long; other systems than Linux leave that to the watch.
fn end_unread(stream: &net::TcpStream, patience: Duration) {
    #[cfg(target_os = "linux")]
    if let Err(e) = socket2::SockRef::from(stream).set_tcp_user_timeout(Some(patience)) {
        log::debug!("a connection is without its limit: {e}");
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (stream, patience);
}

impl Connection {
    /// That a whole head has come.
    #[must_use]
    pub fn enter(self: &Arc<Self>) -> InRequest {
        self.due.store(BUSY, Ordering::Release);
        InRequest {
            connection: Arc::clone(self),
            patience: self.all.patience.head,
        }
    }

    /// Whether whoever was on the other side has hung up. One that will say no more is taken for one that has.
    #[must_use]
    pub fn is_left(&self) -> bool {
        match self.stream.peek(&mut [0]) {
            Ok(more) => more == 0,
            Err(e) => e.kind() != ErrorKind::WouldBlock,
        }
    }
}

impl InRequest {
    /// Whether its answer is the last one on its connection.
    #[must_use]
    pub fn is_last(&self) -> bool {
        self.connection.all.stopping.load(Ordering::Acquire)
    }

    /// Lasts as long as the answer does: until its bytes are handed over, or the stream it is has ended.
    #[must_use]
    pub fn through(mut self, response: ServiceResponse<BoxBody>) -> ServiceResponse<BoxBody> {
        if matches!(
            response.response().body().size(),
            BodySize::None | BodySize::Sized(..=LONG)
        ) {
            return response;
        }
        self.patience = self.connection.all.patience.idle;
        response.map_body(|_, body| match body.try_into_bytes() {
            Ok(bytes) => BoxBody::new(bytes),
            Err(body) => BoxBody::new(Lasting { body, _request: self }),
        })
    }
}

/// A stream, and the request it answers.
struct Lasting {
    body: BoxBody,
    _request: InRequest,
}

impl MessageBody for Lasting {
    type Error = Box<dyn Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        self.body.as_pin_mut().poll_next(cx)
    }
}

impl Drop for InRequest {
    fn drop(&mut self) {
        let due = self.connection.all.after(self.patience);
        self.connection.due.store(due, Ordering::Release);
    }
}
