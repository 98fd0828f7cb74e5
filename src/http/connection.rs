//! Connections: a client that sends or reads too slowly is disconnected, and no address has more than its share.
//!
//! The framework times the first head of a connection and the pause between requests. The first bytes of a later head
//! stop both timers, and nothing times a client that does not read. So after each answer a watchdog times a connection:
//! to send a whole head, or to read. The operating system too ends a connection that stays unread for as long.

use std::{
    any::Any,
    collections::HashMap,
    error::Error,
    io::ErrorKind,
    net::{IpAddr, Shutdown, TcpStream},
    os::fd::AsFd,
    pin::Pin,
    sync::{
        Arc, Weak,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    thread,
    time::{Duration, Instant},
};

use crate::auth::network;
use actix_web::{
    body::{BodySize, BoxBody, MessageBody},
    dev::{Extensions, ServiceResponse},
    rt::net,
    web::Bytes,
};
use parking_lot::Mutex;

/// How often the watchdog looks at the connections.
const TICK: Duration = Duration::from_secs(1);
/// A longer answer, in bytes, may still be being read when the next head is due.
const LONG: u64 = 64 << 10;
/// Value of `due` while a connection is in a request: the client need not send anything.
const BUSY: u64 = u64::MAX;

/// How long a connection over the bound may take to send its head; only health probes are answered on it.
const HURRY: Duration = Duration::from_secs(2);
/// Connections over its share on which an address still gets an answer (429); further ones are closed unheard.
const TOLD: usize = 16;
/// How long an idle connection may stay open when the service is about to stop.
const LEAVING: Duration = Duration::from_secs(8);
/// Value of `stopped` while the service is not about to stop.
const NEVER: u64 = u64::MAX;

/// How long a client may take.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// To send the head of a request.
    pub head: Duration,
    /// To read on in a long answer.
    pub idle: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(15),
            idle: Duration::from_secs(90),
        }
    }
}

/// How many connections are served, beside those of health probes.
#[derive(Debug, Clone, Copy)]
pub struct Room {
    /// From all addresses together.
    pub in_all: usize,
    /// From one address; `None` behind proxies, whose address all connections have.
    pub each: Option<usize>,
}

/// The registry of all connections.
#[derive(Debug)]
pub struct Connections {
    begun: Instant,
    patience: Patience,
    room: Room,
    /// When the service was told to stop, in milliseconds since `begun`.
    stopped: AtomicU64,
    /// How many connections have come so far.
    came: AtomicU64,
    open: Mutex<Open>,
}

/// The connections that are open.
#[derive(Debug, Default)]
struct Open {
    all: Vec<Weak<Connection>>,
    count: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// Why a connection is one too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beyond {
    /// Its address has its share already.
    Share,
    /// All connections that are served are taken.
    All,
}

/// One connection.
#[derive(Debug)]
pub struct Connection {
    all: Arc<Connections>,
    stream: TcpStream,
    address: Option<IpAddr>,
    beyond: Option<Beyond>,
    /// When the connection must be in a request, lest it be closed; in milliseconds since `begun`.
    due: AtomicU64,
}

/// A request on a connection, until its answer has been handed over.
#[derive(Debug)]
pub struct InRequest {
    connection: Arc<Connection>,
    patience: Duration,
}

impl Connections {
    /// Starts empty; a watchdog thread runs as long as the registry lives.
    #[must_use]
    pub fn new(patience: Patience, room: Room) -> Arc<Self> {
        let all = Arc::new(Self {
            begun: Instant::now(),
            patience,
            room,
            stopped: AtomicU64::new(NEVER),
            came: AtomicU64::new(0),
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

    /// Registers a new connection, and stores it in `data`, where its requests find it.
    pub fn take(self: &Arc<Self>, io: &dyn Any, data: &mut Extensions) {
        self.came.fetch_add(1, Ordering::AcqRel);
        let taken = io.downcast_ref::<net::TcpStream>().map(|stream| {
            end_unread(stream, self.patience.idle);
            stream.as_fd().try_clone_to_owned()
        });
        let Some(Ok(stream)) = taken else { return };
        let (connection, is_told) = self.register(TcpStream::from(stream));
        if !is_told {
            // The worker that serves the connection notices its end.
            let _ = connection.stream.shutdown(Shutdown::Both);
        }
        data.insert(connection);
    }

    /// Counts a new connection; the flag tells whether it gets an answer.
    fn register(self: &Arc<Self>, stream: TcpStream) -> (Arc<Connection>, bool) {
        let address = stream.peer_addr().ok().map(|peer| network(peer.ip()));
        let mut open = self.open.lock();
        let beyond = open.enter(address, self.room);
        let is_told = open.by_address(address) <= self.room.each.map_or(usize::MAX, |each| each + TOLD);
        let patience = match beyond {
            Some(_) => HURRY,
            // The framework times the first head of a connection.
            None => self.patience.head + TICK * 5,
        };
        let connection = Arc::new(Connection {
            all: Arc::clone(self),
            stream,
            address,
            beyond,
            due: AtomicU64::new(self.after(patience)),
        });
        open.all.push(Arc::downgrade(&connection));
        (connection, is_told)
    }

    /// How many connections have come so far.
    #[must_use]
    pub fn came(&self) -> u64 {
        self.came.load(Ordering::Acquire)
    }

    /// Makes every answer the last one on its connection: the service is about to stop.
    pub fn stop(&self) {
        self.stopped.store(self.after(Duration::ZERO), Ordering::Release);
    }

    fn is_stopping(&self) -> bool {
        self.stopped.load(Ordering::Acquire) != NEVER
    }

    fn after(&self, patience: Duration) -> u64 {
        u64::try_from((self.begun.elapsed() + patience).as_millis()).unwrap_or(BUSY - 1)
    }

    /// Closes the connections that are due.
    fn let_go(&self) {
        let now = self.after(Duration::ZERO);
        let leaving = u64::try_from(LEAVING.as_millis()).unwrap_or(0);
        let must_leave = now >= self.stopped.load(Ordering::Acquire).saturating_add(leaving);
        for connection in self.all_open() {
            let due = connection.due.load(Ordering::Acquire);
            if due != BUSY && (due <= now || must_leave) {
                // The worker that serves the connection notices its end.
                let _ = connection.stream.shutdown(Shutdown::Both);
            }
        }
    }

    /// The connections that are open. The lock is released before they are dropped: the last reference to a connection takes it.
    fn all_open(&self) -> Vec<Arc<Connection>> {
        let mut open = self.open.lock();
        open.all.retain(|connection| connection.strong_count() > 0);
        open.all.iter().filter_map(Weak::upgrade).collect()
    }
}

/// Lets the system end a connection whose client reads nothing for so long. Off Linux, the watchdog alone does so.
fn end_unread(stream: &net::TcpStream, patience: Duration) {
    #[cfg(target_os = "linux")]
    if let Err(e) = socket2::SockRef::from(stream).set_tcp_user_timeout(Some(patience)) {
        log::debug!("a connection is without its limit: {e}");
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (stream, patience);
}

impl Open {
    /// Counts one more connection, and says whether it is one too many.
    fn enter(&mut self, address: Option<IpAddr>, room: Room) -> Option<Beyond> {
        self.count += 1;
        let own = address.map_or(0, |address| {
            let own = self.by_address.entry(address).or_default();
            *own += 1;
            *own
        });
        if room.each.is_some_and(|each| own > each) {
            Some(Beyond::Share)
        } else {
            (self.count > room.in_all).then_some(Beyond::All)
        }
    }

    fn by_address(&self, address: Option<IpAddr>) -> usize {
        address
            .and_then(|address| self.by_address.get(&address).copied())
            .unwrap_or(0)
    }

    fn leave(&mut self, address: Option<IpAddr>) {
        self.count -= 1;
        if let Some(address) = address
            && let Some(own) = self.by_address.get_mut(&address)
        {
            *own -= 1;
            if *own == 0 {
                self.by_address.remove(&address);
            }
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.all.open.lock().leave(self.address);
    }
}

impl Connection {
    /// Why the connection is one too many, if it is.
    #[must_use]
    pub const fn beyond(&self) -> Option<Beyond> {
        self.beyond
    }

    /// Notes that a whole head has come.
    #[must_use]
    pub fn enter(self: &Arc<Self>) -> InRequest {
        self.due.store(BUSY, Ordering::Release);
        InRequest {
            connection: Arc::clone(self),
            patience: self.all.patience.head,
        }
    }

    /// Whether the client has closed the connection; half-closed counts as closed.
    #[must_use]
    pub fn is_left(&self) -> bool {
        match self.stream.peek(&mut [0]) {
            Ok(more) => more == 0,
            Err(e) => e.kind() != ErrorKind::WouldBlock,
        }
    }
}

impl InRequest {
    /// Whether the answer is the last one on its connection.
    #[must_use]
    pub fn is_last(&self) -> bool {
        self.connection.beyond.is_some() || self.connection.all.is_stopping()
    }

    /// Keeps the request open as long as its answer lasts: until its bytes are handed over, or its stream has ended. A
    /// long answer breaks off when its caller may not have it any more.
    #[must_use]
    pub fn through(
        mut self,
        response: ServiceResponse<BoxBody>,
        may_have_it: impl Fn() -> bool + 'static,
    ) -> ServiceResponse<BoxBody> {
        if matches!(
            response.response().body().size(),
            BodySize::None | BodySize::Sized(..=LONG)
        ) {
            return response;
        }
        self.patience = self.connection.all.patience.idle;
        response.map_body(|_, body| match body.try_into_bytes() {
            Ok(bytes) => BoxBody::new(bytes),
            Err(body) => BoxBody::new(Lasting {
                body,
                may_have_it: Box::new(may_have_it),
                _request: self,
            }),
        })
    }
}

/// A streamed answer, and the request it belongs to.
struct Lasting {
    body: BoxBody,
    may_have_it: Box<dyn Fn() -> bool>,
    _request: InRequest,
}

impl MessageBody for Lasting {
    type Error = Box<dyn Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        if !(self.may_have_it)() {
            return Poll::Ready(Some(Err("the token is worth nothing any more".into())));
        }
        self.body.as_pin_mut().poll_next(cx)
    }
}

impl Drop for InRequest {
    fn drop(&mut self) {
        let due = self.connection.all.after(self.patience);
        self.connection.due.store(due, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
    use std::net::TcpListener;

    use super::*;

    /// A connection may end at the moment when the watchdog looks at it.
    #[test]
    fn connections_come_and_go_while_they_are_watched() {
        let all = Connections::new(Patience::default(), Room { in_all: 8, each: None });
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        thread::scope(|scope| {
            let coming = scope.spawn(|| {
                for _ in 0..2000 {
                    let some: Vec<_> = (0..32).map(|_| all.register(stream.try_clone().unwrap())).collect();
                    drop(some);
                }
            });
            while !coming.is_finished() {
                all.let_go();
            }
        });
        assert_eq!(all.open.lock().count, 0);
    }
}
