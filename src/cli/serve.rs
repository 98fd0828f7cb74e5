//! `ward-policy serve`: the running service, from its sockets to its stop.

use std::{
    io,
    net::TcpListener,
    path::PathBuf,
    pin::pin,
    sync::{
        Arc,
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::Duration,
};

use actix_web::{
    HttpServer,
    dev::Server,
    rt::{
        System,
        signal::unix::{SignalKind, signal},
        spawn,
    },
};
use diesel::PgConnection;
use futures_util::future::{Either, pending, select};
use tokio::sync::oneshot;

use super::{config::Config, database::Failure, sample::Sample, token};
use crate::{
    db::{self, Database, embedded::Embedded},
    http::{
        connection::{Connections, Room},
        files,
    },
    resources::HOOKS,
    server::{app, descriptors, listening::Listening, metrics, state::AppState},
};

/// How long a database may take to be ready before the service begins without it.
const HEAD_START: Duration = Duration::from_secs(5);

/// One address may have one in this many of the connections that are served.
const SHARE: usize = 4;
/// Connections beyond those that are served, on which only health is answered.
const KEPT_FREE: usize = 64;

/// Serves until it is told to stop, or until the database can never be ready. While the database is not there, callers
/// are told so.
pub fn run(config: &Config, sample: Option<Sample>) -> Result<(), Failure> {
    let cannot_listen = |e| format!("cannot listen on {} (WARD_POLICY_BIND): {e}", config.bind);
    // Binds on trial: a start that cannot serve must not touch a database. The server binds once the database is there.
    drop(Listening::on(&config.bind).map_err(cannot_listen)?);
    let metrics_bind = config.metrics_bind.as_deref();
    let cannot_show = |e| {
        let bind = metrics_bind.unwrap_or_default();
        format!("cannot listen on {bind} (WARD_POLICY_METRICS_BIND): {e}")
    };
    metrics_bind.map(TcpListener::bind).transpose().map_err(cannot_show)?;
    files::look();
    let (url, embedded, data) = if let Some(url) = &config.database.url {
        (url.clone(), None, None)
    } else {
        let data = config.database.data()?;
        let embedded = Embedded::start(&data)?;
        (embedded.url("ward_policy"), Some(embedded), Some(data))
    };
    let (bounds, limits, patience) = (
        config.database.bounds(),
        config.callers.limits(),
        config.callers.patience(),
    );
    let database = Database::new(&url, &config.database.standbys, bounds, HOOKS);
    let preparation = Preparation::begin(Prepare {
        url,
        sample,
        data,
        database: database.clone(),
    })?;
    let failed = preparation.wait()?;
    let slow = Duration::from_millis(config.slow_query_ms);
    database.queries().call_slow(slow);
    // One blocking thread per pooled connection, so that no permit waits for a thread.
    let permits: u32 = database.pools().iter().map(|(_, pool)| pool.size).sum();
    let state = AppState {
        origins: config.callers.cors_origins.clone(),
        public_url: config.public_url.clone(),
        ..AppState::new(database.clone(), config.cache_bytes, config.callers.rate, limits)
    };
    let threads = usize::try_from(permits)? + state.workshop.width();
    let (stopping, mut stopped) = oneshot::channel();
    System::new().block_on(async {
        let outside = metrics_bind.map(|bind| metrics::server(state.clone(), bind));
        let outside = outside.transpose().map_err(cannot_show)?;
        let shown = outside.as_ref().map(Server::handle);
        let most = descriptors::connections(config.callers.connections);
        let room = Room {
            in_all: most,
            each: (limits.proxies == 0).then_some((most / SHARE).max(1)),
        };
        let connections = Connections::new(patience, room);
        let listening = Listening::on(&config.bind).map_err(cannot_listen)?;
        let sockets = listening.sockets()?;
        let (asked, waiting, open) = (stop_asked()?, database.clone(), Arc::clone(&connections));
        let stop = async move {
            if let Either::Right((failure, _)) = select(pin!(asked), pin!(failed)).await {
                // The receiver lives longer than the server.
                let _ = stopping.send(failure);
            }
            // From here on every answer closes its connection; clients that wait for changes get an answer now.
            open.stop();
            waiting.stop_waiting();
            listening.cease(|| open.came()).await;
        };
        let app = move || app::build(state.clone());
        let mut server = HttpServer::new(app)
            .workers(config.workers)
            .max_connections((most + KEPT_FREE).div_ceil(config.workers))
            .client_request_timeout(patience.head)
            .on_connect(move |io, data| connections.take(io, data))
            .worker_max_blocking_threads(threads)
            .shutdown_signal(stop)
            .shutdown_timeout(bounds.longest_request().as_secs() + 1);
        for socket in sockets {
            server = server.listen(socket)?;
        }
        for address in server.addrs() {
            log::info!("site http://{address}/  API http://{address}/v1  documentation http://{address}/docs/");
        }
        outside.map(spawn);
        server.run().await?;
        if let Some(shown) = shown {
            shown.stop(false).await;
        }
        Ok::<_, Failure>(())
    })?;
    if let Some(embedded) = embedded {
        embedded.stop();
    }
    // The server stopped because of a failure, or because somebody asked it to.
    stopped.try_recv().map_or(Ok(()), |failure| Err(failure.into()))
}

/// Waits for a signal to stop, whichever comes; by itself, actix cuts requests off at Ctrl-C.
fn stop_asked() -> io::Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        select(pin!(interrupt.recv()), pin!(terminate.recv())).await;
    })
}

/// Makes the database ready.
struct Prepare {
    url: String,
    sample: Option<Sample>,
    /// Where the embedded database keeps its data, if it is the one to use.
    data: Option<PathBuf>,
    database: Database,
}

/// The database being made ready, on a thread of its own.
struct Preparation {
    /// Whether the database is the embedded one, which is there.
    is_ours: bool,
    /// Closed when the preparation has ended, well or not; gets a message for every failed attempt.
    waits: mpsc::Receiver<()>,
    /// Why the database will never be ready.
    failed: oneshot::Receiver<String>,
}

impl Preparation {
    fn begin(prepare: Prepare) -> io::Result<Self> {
        let (waiting, waits) = mpsc::channel();
        let (failing, failed) = oneshot::channel();
        let is_ours = prepare.data.is_some();
        thread::Builder::new().name("preparation".to_owned()).spawn(move || {
            if let Err(e) = prepare.run(&waiting) {
                // Sent before `waiting` is closed: `wait` then looks for a failure. Perhaps nobody listens.
                let _ = failing.send(e.to_string());
                return;
            }
            drop(waiting);
            db::count_anew(&prepare.url, HOOKS);
        })?;
        Ok(Self { is_ours, waits, failed })
    }

    /// Waits until the database is ready or an attempt has failed; for a database elsewhere, at most `HEAD_START`.
    /// Gives a future that tells of a later failure.
    fn wait(mut self) -> Result<impl Future<Output = String>, Failure> {
        let done = if self.is_ours {
            self.waits.recv().is_err()
        } else {
            self.waits.recv_timeout(HEAD_START) == Err(RecvTimeoutError::Disconnected)
        };
        let later = if done {
            if let Ok(failure) = self.failed.try_recv() {
                return Err(failure.into());
            }
            // The database is ready: preparing it cannot fail any more.
            None
        } else {
            Some(self.failed)
        };
        Ok(async move {
            if let Some(failed) = later
                && let Ok(failure) = failed.await
            {
                return failure;
            }
            pending().await
        })
    }
}

impl Prepare {
    fn run(&self, waiting: &mpsc::Sender<()>) -> Result<(), Failure> {
        let fill = |conn: &mut PgConnection| self.sample.map_or(Ok(()), |sample| sample.fill(conn));
        let waits = || {
            // Perhaps nobody listens any more.
            let _ = waiting.send(());
        };
        db::set_up_when_there(&self.url, fill, waits)?;
        match &self.data {
            Some(data) => token::first(&self.url, data)?,
            None => token::ask_for_first(&self.url)?,
        }
        self.database.set_ready();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
    use futures_util::FutureExt as _;

    use super::*;

    #[test]
    fn a_preparation_is_waited_for_until_it_is_over_or_waits_itself() {
        let begun = || {
            let ((waiting, waits), (failing, failed)) = (mpsc::channel(), oneshot::channel());
            let is_ours = false;
            (waiting, failing, Preparation { is_ours, waits, failed })
        };
        // Ready.
        let (waiting, failing, preparation) = begun();
        drop((waiting, failing));
        assert_eq!(preparation.wait().unwrap().now_or_never(), None);
        // Failed.
        let (waiting, failing, preparation) = begun();
        failing.send("no".to_owned()).unwrap();
        drop(waiting);
        assert_eq!(preparation.wait().err().unwrap().to_string(), "no");
        // Waiting, then failed.
        let (waiting, failing, preparation) = begun();
        waiting.send(()).unwrap();
        let mut later = Box::pin(preparation.wait().unwrap());
        assert_eq!(later.as_mut().now_or_never(), None);
        failing.send("no".to_owned()).unwrap();
        assert_eq!(later.now_or_never().as_deref(), Some("no"));
        // Waiting, then ready.
        let (waiting, failing, preparation) = begun();
        waiting.send(()).unwrap();
        let later = preparation.wait().unwrap();
        drop((waiting, failing));
        assert_eq!(later.now_or_never(), None);
    }
}
