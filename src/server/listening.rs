//! Where the service listens, and how it stops listening without a request lost.
//!
//! When actix is told to stop, it drops connections that are not served yet. When a listener is closed, the system
//! resets those it had accepted for it. So new connections are kept out first, while those on their way are let in.

use std::{
    io::{self, ErrorKind},
    net::{TcpListener, ToSocketAddrs},
    time::Duration,
};

use actix_web::rt::time::sleep;

/// If none has come for so long, no connection is on its way: a round trip, and the wait to be accepted.
const ON_THEIR_WAY: Duration = Duration::from_millis(300);
/// How often at most connections on their way are waited for.
const WAITS: u32 = 20;

/// The sockets that are listened on.
#[derive(Debug)]
pub struct Listening(Vec<TcpListener>);

impl Listening {
    /// Listens on every address that `bind` means and that exists here. Fails if there is none.
    pub fn on(bind: &str) -> io::Result<Self> {
        let (mut sockets, mut why) = (Vec::new(), ErrorKind::AddrNotAvailable.into());
        for address in bind.to_socket_addrs()? {
            match TcpListener::bind(address) {
                Ok(socket) => sockets.push(socket),
                Err(e) => why = e,
            }
        }
        if sockets.is_empty() {
            Err(why)
        } else {
            Ok(Self(sockets))
        }
    }

    /// The sockets, for whoever serves them.
    pub fn sockets(&self) -> io::Result<Vec<TcpListener>> {
        self.0.iter().map(TcpListener::try_clone).collect()
    }

    /// Refuses new connections, and waits until those on their way have come: `came` says how many have so far. Where
    /// the system cannot filter, the last to come may be turned away without an answer.
    pub async fn cease(self, came: impl Fn() -> u64) {
        #[cfg(target_os = "linux")]
        for socket in &self.0 {
            if let Err(e) = socket2::SockRef::from(socket).attach_filter(&NOBODY_NEW) {
                log::debug!("a socket lets everybody in until it is closed: {e}");
            }
        }
        for _ in 0..WAITS {
            let before = came();
            sleep(ON_THEIR_WAY).await;
            if came() == before {
                break;
            }
        }
    }
}

/// A filter that drops a packet if bit 1 of byte 13 of its TCP header is set: SYN, with which a connection begins.
#[cfg(target_os = "linux")]
const NOBODY_NEW: [socket2::SockFilter; 4] = [
    // ldb [13]; jset #2, 0, 1; ret #0; ret #-1 (the whole packet).
    socket2::SockFilter::new(0x30, 0, 0, 13),
    socket2::SockFilter::new(0x45, 0, 1, 0x02),
    socket2::SockFilter::new(0x06, 0, 0, 0),
    socket2::SockFilter::new(0x06, 0, 0, u32::MAX),
];
