//! Starting a simulator, and holding on to one that runs.

use crate::connection::Seen;
use crate::options::Options;
use crate::outbox::Delivery;
use crate::shared::Shared;
use crate::view::ConnectionState;
use crate::world::{Counters, World};
use crate::{clock, engine, persist, router};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::AbortOnDropHandle;

/// How long requests under way may take to end when the simulator stops.
const GRACE: Duration = Duration::from_secs(2);

/// Why a simulator does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address is taken or not ours.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Where it was to listen.
        address: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
    /// Time has to pass, and forwards.
    #[error("the time scale has to be a number above 0, not {0}")]
    TimeScale(f64),
    /// The data directory cannot be made.
    #[error("cannot use the data directory: {0}")]
    DataDir(std::io::Error),
    /// The client for webhooks cannot be built.
    #[error("cannot build the client for webhooks: {0}")]
    Client(#[from] reqwest::Error),
}

/// A simulator that runs. Dropped, it ends at once; `shutdown` ends it in order.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    shared: Shared,
    stop: CancellationToken,
    _stop_on_drop: DropGuard,
    server: AbortOnDropHandle<()>,
    tasks: Vec<AbortOnDropHandle<()>>,
}

/// Starts a simulator. It answers from the moment this returns.
///
/// # Errors
/// When it cannot listen, build its client or use its data directory, or the options make no sense.
pub async fn start(options: Options) -> Result<Running, Error> {
    if !(options.time_scale.is_finite() && options.time_scale > 0.0) {
        return Err(Error::TimeScale(options.time_scale));
    }
    let client = engine::client()?;
    let address = options.listen;
    let listener = TcpListener::bind(address).await.map_err(|source| Error::Listen { address, source })?;
    let address = listener.local_addr().map_err(|source| Error::Listen { address, source })?;
    let data_dir = options.data_dir.clone();
    if let Some(directory) = &data_dir {
        persist::prepare(directory).map_err(Error::DataDir)?;
    }
    let world = wake(options, data_dir.as_deref());
    tracing::info!(%address, connections = world.alive, seed = world.options.seed, "the simulated Makini is up");

    let shared = Shared::new(world);
    let stop = CancellationToken::new();
    let app = router::router(shared.clone()).into_make_service_with_connect_info::<SocketAddr>();
    let asked_to_stop = stop.clone().cancelled_owned();
    let server = spawn(async move {
        if let Err(error) = axum::serve(listener, app).with_graceful_shutdown(asked_to_stop).await {
            tracing::error!(%error, "the simulator's server ended");
        }
    });
    let mut tasks = vec![spawn(engine::run(shared.clone(), client, stop.clone()))];
    if let Some(directory) = data_dir {
        tasks.push(spawn(persist::run(shared.clone(), directory, stop.clone())));
    }
    Ok(Running { address, shared, _stop_on_drop: stop.clone().drop_guard(), stop, server, tasks })
}

fn wake(options: Options, data_dir: Option<&std::path::Path>) -> World {
    let now = clock::now();
    let saved = data_dir.and_then(|directory| persist::load(directory, options.seed, options.connections));
    let mut world = World::new(options, now);
    match saved {
        Some(saved) => world.restore(saved, now),
        None => world.begin(now),
    }
    world
}

fn spawn(task: impl Future<Output = ()> + std::marker::Send + 'static) -> AbortOnDropHandle<()> {
    let handle: JoinHandle<()> = tokio::spawn(task);
    AbortOnDropHandle::new(handle)
}

impl Running {
    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.address
    }

    /// The base URL of its API, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Sends webhooks there from now on, those that wait included.
    pub fn set_webhook_url(&self, url: String) {
        self.shared.change(|world, _| world.outbox.url = Some(url));
    }

    /// All connections that are not deleted, as they are now.
    pub fn connections(&self) -> Vec<ConnectionState> {
        let seen: Vec<Seen> = self.shared.read(|world| world.alive_from(0).map(|at| world.seen(at)).collect());
        seen.iter().map(ConnectionState::from).collect()
    }

    /// One connection as it is now, unless it is deleted.
    pub fn connection(&self, key: &str) -> Option<ConnectionState> {
        let seen = self.shared.read(|world| world.find(key).map(|at| world.seen(at)));
        seen.as_ref().map(ConnectionState::from)
    }

    /// The log of deliveries, newest first.
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.shared.read(|world| world.outbox.log.values().rev().cloned().collect())
    }

    /// What has happened since the start.
    pub fn counters(&self) -> Counters {
        self.shared.read(|world| world.counters.clone())
    }

    /// Ends in order: no new requests, those under way may finish, the state is saved.
    pub async fn shutdown(self) {
        self.stop.cancel();
        if tokio::time::timeout(GRACE, self.server).await.is_err() {
            tracing::debug!("requests that took too long were cut off");
        }
        for task in self.tasks {
            if let Err(error) = task.await {
                tracing::error!(%error, "a task of the simulator ended badly");
            }
        }
    }
}
