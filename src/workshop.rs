//! Where what comes from outside is read and checked, if that takes its time: on threads that nobody else waits for, a few at
//! a time, one for each caller, and each caller in turn.

use std::{
    future::{Ready, ready},
    net::{IpAddr, Ipv4Addr},
    num::NonZero,
    thread,
    time::{Duration, Instant},
};

use actix_web::{FromRequest, HttpRequest, dev::Payload, web};
use tokio::time::timeout;

use crate::{
    auth::{self, Caller},
    error::{Error, Result, Violation},
    language::Bilingual,
    value::Id,
    work::{self, Budget, Ended},
};

mod turns;

use turns::{Turn, Turns};

/// A body of so many bytes is read where its request is served; a longer one in the workshop.
pub const SMALL: usize = 16 << 10;
/// How much work one body may be, in units of about a byte that is looked at.
pub const MOST_WORK: u64 = 1 << 30;
/// How long the work may take.
pub const DEADLINE: Duration = Duration::from_secs(10);
/// How long one may wait for one's turn.
const PATIENCE: Duration = Duration::from_secs(5);
/// How many may wait in all, and of one caller.
const ROOM: usize = 64;
const ROOM_OF_ONE: usize = 8;
/// How often it is looked whether somebody who waits is still there.
const GLANCE: Duration = Duration::from_millis(100);

/// The workshop.
#[derive(Clone)]
pub struct Workshop {
    width: usize,
    turns: Turns,
}

/// Whose work takes turns with that of others.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Who {
    Token(Id),
    Address(IpAddr),
}

impl Workshop {
    /// One in which there is work for each processor, and for two callers at least.
    #[must_use]
    pub fn new() -> Self {
        let width = thread::available_parallelism().map_or(1, NonZero::get).max(2);
        Self {
            width,
            turns: Turns::new(width, ROOM, ROOM_OF_ONE),
        }
    }

    /// How many threads it needs.
    #[must_use]
    pub const fn width(&self) -> usize {
        self.width
    }
}

impl Default for Workshop {
    fn default() -> Self {
        Self::new()
    }
}

/// What one caller has of the workshop.
pub struct Bench {
    workshop: Workshop,
    caller: Caller,
    who: Who,
}

impl Bench {
    /// That of whoever makes this request.
    pub(crate) fn of(req: &HttpRequest) -> Self {
        let caller = auth::caller(req);
        let address = || req.peer_addr().map_or(Ipv4Addr::UNSPECIFIED.into(), |peer| peer.ip());
        Self {
            workshop: req
                .app_data::<web::Data<Workshop>>()
                .map(|workshop| workshop.get_ref().clone())
                .unwrap_or_default(),
            who: caller.token().map_or_else(|| Who::Address(address()), Who::Token),
            caller,
        }
    }

    /// Works on what takes time by its bytes: at once where there are few of them, else in the workshop.
    pub(crate) async fn work_on<T: Send + 'static>(
        &self,
        bytes: usize,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        if bytes <= SMALL { work() } else { self.work(work).await }
    }

    /// Works in the workshop.
    pub(crate) async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let turn = self.turn().await?;
        let caller = self.caller.clone();
        let budget = move || Budget {
            most: MOST_WORK,
            until: Instant::now() + DEADLINE,
            is_left: Box::new(move || caller.has_left()),
        };
        #[expect(clippy::disallowed_methods, reason = "it has its turn")]
        let done = web::block(move || {
            let _turn = turn;
            work::within(budget(), work).map_err(Error::from).and_then(|done| done)
        });
        done.await.map_err(Error::internal)?
    }

    async fn turn(&self) -> Result<Turn> {
        let refused = |why: &str| Error::Unavailable(why.to_owned());
        let mut place = self
            .workshop
            .turns
            .place(&self.who)
            .ok_or_else(|| refused("too many wait for their bodies to be read"))?;
        let end = Instant::now() + PATIENCE;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match timeout(left.min(GLANCE), place.turn()).await {
                Ok(Some(turn)) => return Ok(turn),
                Ok(None) => return Err(Error::internal("a turn in the workshop was lost")),
                Err(_) if left.is_zero() => return Err(refused("the workshop is busy")),
                Err(_) if self.caller.has_left() => return Err(Ended::Left.into()),
                Err(_) => {}
            }
        }
    }
}

impl FromRequest for Bench {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self::of(req)))
    }
}

impl From<Ended> for Error {
    fn from(ended: Ended) -> Self {
        match ended {
            Ended::TooMuch => {
                let detail = Bilingual::new(
                    "本文の確認に手間がかかりすぎます。分けて送ってください",
                    "checking the body is more work than one request may be; send it in parts",
                );
                Self::Invalid(vec![Violation::at("", "too_much_work", detail)])
            }
            Ended::TooLate => Self::Unavailable("reading the body took too long".to_owned()),
            Ended::Left => Self::Unavailable("the caller has left".to_owned()),
        }
    }
}
