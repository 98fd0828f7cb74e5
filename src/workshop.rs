//! Where what comes from outside is read and checked, if that takes its time: on threads that nobody else waits for, a few at
//! a time, never all for one caller, and each caller in turn.

use std::{
    future::{Ready, ready},
    num::NonZero,
    thread,
    time::{Duration, Instant},
};

use actix_web::{FromRequest, HttpRequest, dev::Payload, web};
use tokio::time::timeout;

use crate::{
    auth::{self, Caller},
    db::gate::{Gate, Turn},
    error::{Error, Result, Violation},
    language::Bilingual,
    work::{self, Budget, Ended},
};

/// A body of so many bytes is read where its request is served; a longer one in the workshop.
pub const SMALL: usize = 16 << 10;
/// How much work one body may be, in units of about a byte that is looked at.
pub const MOST_WORK: u64 = 1 << 30;
/// How long the work may take.
pub const DEADLINE: Duration = Duration::from_secs(10);
/// How long one may wait for one's turn.
const PATIENCE: Duration = Duration::from_secs(5);
/// How many bodies of one caller may wait.
const ROOM: usize = 8;
/// How often it is looked whether somebody who waits is still there.
const GLANCE: Duration = Duration::from_millis(100);

/// The workshop.
#[derive(Clone)]
pub struct Workshop {
    width: usize,
    gate: Gate,
}

impl Workshop {
    /// One in which there is work for each processor, and for two callers at least.
    #[must_use]
    pub fn new() -> Self {
        let width = thread::available_parallelism().map_or(1, NonZero::get).max(2);
        Self {
            width,
            gate: Gate::new(width, ROOM),
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
}

impl Bench {
    /// That of whoever makes this request.
    pub(crate) fn of(req: &HttpRequest) -> Self {
        let workshop = req.app_data::<web::Data<Workshop>>();
        Self {
            workshop: workshop.map(|workshop| workshop.get_ref().clone()).unwrap_or_default(),
            caller: auth::caller(req),
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
        let many = || refused("too many bodies wait to be read");
        let mut place = self.workshop.gate.place(self.caller.who()).ok_or_else(many)?;
        let end = Instant::now() + PATIENCE;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match timeout(left.min(GLANCE), place.turn()).await {
                Ok(turn) => return turn.ok_or_else(many),
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
