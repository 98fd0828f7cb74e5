//! The workshop: large inputs are read and checked on blocking threads. Bounded admission lets in a few at a time,
//! never all for one caller, and each caller in turn.

use std::{
    future::{Ready, ready},
    num::NonZero,
    thread,
    time::{Duration, Instant},
};

use actix_web::{FromRequest, HttpRequest, dev::Payload, web};

use super::middleware::authentication::context;
use crate::{
    db::{
        Context,
        admission::{AdmissionQueue, Permit},
    },
    error::{Error, Result, Violation},
    value::{
        language::Bilingual,
        work::{self, Budget, Ended},
    },
};

/// A body of at most so many bytes is read where its request is served; a longer one in the workshop.
pub const SMALL: usize = 16 << 10;
/// Most work of one body, in units of about one byte looked at.
pub const MOST_WORK: u64 = 1 << 30;
/// How long a body may wait for its permit.
const PATIENCE: Duration = Duration::from_secs(5);
/// Why a body gets no permit when it is evicted, or when none may wait.
const TOO_MANY: &str = "too many bodies wait to be read";
/// How many bodies of one caller may wait.
const ROOM: usize = 8;

/// The permits for reading and checking large inputs.
#[derive(Clone)]
pub struct Workshop {
    width: usize,
    queue: AdmissionQueue,
    longest: Duration,
}

impl Workshop {
    /// A workshop with a permit for each processor, and two at least; each piece of work may take so long.
    #[must_use]
    pub fn new(longest: Duration) -> Self {
        let width = thread::available_parallelism().map_or(1, NonZero::get).max(2);
        Self {
            width,
            queue: AdmissionQueue::new(width, ROOM),
            longest,
        }
    }

    /// How many threads the workshop needs.
    #[must_use]
    pub const fn width(&self) -> usize {
        self.width
    }
}

/// One caller's access to the workshop.
pub struct Bench {
    workshop: Workshop,
    context: Context,
}

impl Bench {
    /// The bench of the caller that makes this request.
    pub(crate) fn of(req: &HttpRequest) -> Result<Self> {
        let workshop = req.app_data::<web::Data<Workshop>>();
        let workshop = workshop.ok_or_else(|| Error::internal("no workshop configured"))?;
        Ok(Self {
            workshop: workshop.get_ref().clone(),
            context: context(req),
        })
    }

    /// Does work that takes time by its bytes: at once if there are few of them, else in the workshop.
    pub(crate) async fn work_on<T: Send + 'static>(
        &self,
        bytes: usize,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        if bytes <= SMALL { work() } else { self.work(work).await }
    }

    /// Does work in the workshop, once the caller has a permit.
    pub(crate) async fn work<T: Send + 'static>(&self, work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
        let permit = self.permit().await?;
        let (context, longest) = (self.context.clone(), self.workshop.longest);
        let budget = move || Budget {
            most: MOST_WORK,
            until: Instant::now() + longest,
            is_left: Box::new(move || context.has_left()),
        };
        #[expect(clippy::disallowed_methods, reason = "it has a permit")]
        let done = web::block(move || {
            let _permit = permit;
            work::within(budget(), work).map_err(Error::from).and_then(|done| done)
        });
        done.await.map_err(Error::internal)?
    }

    async fn permit(&self) -> Result<Permit> {
        let refused = |why: &str| Error::Unavailable(why.to_owned());
        let mut waiter = self
            .workshop
            .queue
            .waiter(self.context.caller_key())
            .ok_or_else(|| refused(TOO_MANY))?;
        let gives_up = || self.context.has_left().then_some("the caller has left");
        waiter
            .permit_within(PATIENCE, (TOO_MANY, "the workshop is busy"), gives_up)
            .await
            .map_err(refused)
    }
}

impl FromRequest for Bench {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(req))
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

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use futures_util::{FutureExt, future::join_all};

    use super::*;
    use crate::{
        auth::Caller,
        value::{Id, work::spend},
    };

    const LONG: Duration = Duration::from_secs(300);

    fn bench(workshop: &Workshop, token: Id) -> Bench {
        Bench {
            workshop: workshop.clone(),
            context: Caller::new("a".to_owned(), Some(token), [].into()).into(),
        }
    }

    #[actix_web::test]
    async fn who_has_much_work_done_leaves_room_for_others() {
        let workshop = Workshop {
            width: 2,
            queue: AdmissionQueue::new(2, ROOM),
            longest: LONG,
        };
        let (busy, other) = (bench(&workshop, Id::generate()), bench(&workshop, Id::generate()));
        let (go_on, waits) = channel::<()>();
        let waits = std::sync::Arc::new(std::sync::Mutex::new(waits));
        let long = (0..4).map(|_| {
            let waits = std::sync::Arc::clone(&waits);
            busy.work(move || Ok(waits.lock().is_ok_and(|waits| waits.recv().is_ok())))
        });
        let mut long = Box::pin(join_all(long));
        assert!(long.as_mut().now_or_never().is_none());
        // One of the four bodies is being worked on. The others wait behind it, but not ahead of other callers.
        assert_eq!(workshop.queue.free(), 1);
        assert_eq!(other.work(|| Ok(7)).await.ok(), Some(7));
        assert!(long.as_mut().now_or_never().is_none());
        assert!((0..4).all(|_| go_on.send(()).is_ok()));
        assert!(long.await.into_iter().all(|done| done.is_ok_and(|done| done)));
        assert_eq!(workshop.queue.free(), 2);
    }

    #[actix_web::test]
    async fn work_without_end_ends_and_leaves_its_permit() {
        let workshop = Workshop::new(LONG);
        let bench = bench(&workshop, Id::generate());
        let endless = || -> Result<()> {
            loop {
                spend(1_000_000);
            }
        };
        let ended = bench.work(endless).await;
        assert!(matches!(ended, Err(Error::Invalid(_))), "{ended:?}");
        assert_eq!(workshop.queue.free(), workshop.width);
        // A small body needs no permit, and has no budget to use up.
        let small = bench.work_on(SMALL, || {
            spend(usize::MAX);
            Ok(())
        });
        assert!(small.now_or_never().is_some_and(|done| done.is_ok()));
    }
}
