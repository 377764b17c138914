//! A Linewatch that serves: put together, running, and taken down in order.

use super::{Database, Each, Entry, Failure, Parts, base, entry, local_url, router, worker_router};
use crate::config::Config;
use crate::lifecycle::Lifecycle;
use crate::{certificate, listen, metrics, site};
use clap::ValueEnum;
use engine::clock::{SharedClock, SystemClock};
use engine::desk::Desk;
use engine::http::Outbound;
use engine::live::Live;
use engine::notify::Sender;
use engine::people::People;
use engine::poll::Upstreams;
use engine::reconnect::Reconnect;
use engine::relay::Relay;
use engine::system::say_alive;
use engine::tell::Links;
use engine::vault::{MasterKey, Vault};
use engine::webhook::Door;
use engine::{housekeeping, store, work};
use sqlx::PgPool;
use std::process::ExitCode;
use std::{sync::Arc, time::Duration};
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use url::Url;

/// Connections to the database for what leads to a message.
const URGENT: u32 = 4;
/// And for what goes out to the user's own applications.
const FOR_DELIVERIES: u32 = 4;

/// Which part of the work a process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Role {
    /// Everything.
    All,
    /// Pages, API and webhooks.
    Web,
    /// Polling, processing and housekeeping; shows only how it is.
    Worker,
}

impl Role {
    fn code(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Web => "web",
            Self::Worker => "worker",
        }
    }
}

/// A Linewatch that serves.
pub struct Served {
    /// What the doors work with.
    pub parts: Parts,
    /// The ways in.
    pub entry: Entry,
    /// The address that people use.
    pub public_url: Url,
    life: Lifecycle,
    server: JoinHandle<()>,
    database: Database,
    listening: CancellationToken,
}

/// Puts a Linewatch together and lets it work. It answers when this returns.
pub async fn serve(
    config: &Config,
    role: Role,
    life: &Lifecycle,
    listener: TcpListener,
    database: Database,
    key: MasterKey,
) -> Result<Served, Failure> {
    let clock: SharedClock = Arc::new(SystemClock);
    let public_url = config.http.public_url.clone().unwrap_or(local_url(listener.local_addr()?));
    // Changes are heard until the very end, so that what the last requests did is still said.
    let listening = CancellationToken::new();
    let live = Live::start(&database.pool, listening.clone());
    let (parts, work) = assemble(config, &database.pool, clock, key, public_url.clone(), live, life.soft.clone());
    housekeeping::ensure_partitions(&mut *parts.pool.acquire().await?, parts.clock.now()).await?;
    let entry = entry(config, &parts.people).await?;
    if role != Role::Web {
        work::Workers::start(work, &life.tasks, &life.soft);
        life.must_live("housekeeping", housekeeping::run(parts.pool.clone(), parts.clock.clone(), life.soft.clone()));
    }
    let (pool, clock, stop) = (parts.pool.clone(), parts.clock.clone(), life.soft.clone());
    life.tasks.spawn(say_alive(pool, clock, role.code(), crate::VERSION, stop));
    let (url, clock, stop) = (parts.public_url.clone(), parts.clock.clone(), life.soft.clone());
    life.must_live("the look at the certificate", certificate::watch(url, clock, parts.certificate.clone(), stop));
    life.must_live("the upkeep of metrics", upkeep(parts.clone()));
    let routes = if role == Role::Worker { worker_router(parts.clone()) } else { router(parts.clone()) };
    let server = life.must_live("the server", listen::serve(listener, routes, life.clone()));
    Ok(Served { parts, entry, public_url, life: life.clone(), server, database, listening })
}

/// What the doors work with, and what the workers do. Nothing runs yet but the webhook door's own tasks.
pub fn assemble(
    config: &Config,
    pool: &PgPool,
    clock: SharedClock,
    key: MasterKey,
    public_url: Url,
    live: Live,
    stop: CancellationToken,
) -> (Parts, work::Parts) {
    let pool = pool.clone();
    let vault = Vault::new(key, clock.clone());
    let outbound = Outbound::new(config.outbound.allow.clone());
    let upstreams = Upstreams::new(pool.clone(), clock.clone(), vault.clone(), outbound.clone());
    let certificate = watch::Sender::new(None);
    let [rounds, checks, events] = std::array::from_fn(|_| Arc::new(Notify::new()));
    let door =
        Door::new(pool.clone(), vault.clone(), clock.clone(), &live, Arc::clone(&events), config.webhook.limits());
    let urgent = store::lane(&pool, URGENT, store::Plans::Once);
    let sender = Sender::new(
        urgent.clone(),
        clock.clone(),
        vault.clone(),
        &outbound,
        config.mail.server.clone(),
        &base(&public_url),
    );
    let work = work::Parts {
        pool: pool.clone(),
        urgent,
        clock: clock.clone(),
        upstreams: upstreams.clone(),
        live: live.clone(),
        rounds: rounds.clone(),
        checks: checks.clone(),
        events: events.clone(),
        rush: door.rush(),
        recovery_hold: config.health.recovery_hold,
        gap_window: config.health.gap_window,
        outages: config.outages.policy,
        relay: Relay::new(
            store::lane(&pool, FOR_DELIVERIES, store::Plans::Once),
            clock.clone(),
            vault.clone(),
            &outbound,
        ),
        sender: sender.clone(),
    };
    let reconnect = Reconnect {
        pool: pool.clone(),
        clock: clock.clone(),
        vault: vault.clone(),
        upstreams: upstreams.clone(),
        public_url: base(&public_url).into(),
        checks: checks.clone(),
    };
    let desk = Desk {
        pool: pool.clone(),
        clock: clock.clone(),
        vault,
        outbound,
        upstreams,
        public_url: base(&public_url),
        version: crate::VERSION,
        certificate: certificate.subscribe(),
        rounds,
        checks,
        events,
        sender,
    };
    let parts = Each {
        backend: Arc::new(desk),
        people: People::new(pool.clone(), clock.clone()),
        door,
        reconnect,
        links: Links { pool: pool.clone(), clock: clock.clone() },
        live,
        pool,
        clock,
        metrics: metrics::start(),
        leptos: site::options(config.http.site_root.as_deref()),
        certificate,
        public_url: Arc::new(public_url),
        trusted_proxies: config.http.trusted_proxies.clone().into(),
        body_patience: config.webhook.body_patience,
        stop,
    };
    (parts.into(), work)
}

/// Keeps what was counted small.
async fn upkeep(parts: Parts) {
    let mut tick = tokio::time::interval(Duration::from_secs(5));
    while parts.stop.run_until_cancelled(tick.tick()).await.is_some() {
        parts.metrics.run_upkeep();
    }
}

impl Served {
    /// Serves until it is time to stop, then stops in order: requests under way first, then what they left to be stored.
    pub async fn until_stopped(self) -> ExitCode {
        tokio::select! {
            () = self.life.soft.cancelled() => {}
            () = self.database.ended() => {
                tracing::error!("the embedded Postgres ended by itself, so Linewatch stops; its log is in the data directory");
                self.life.fail();
            }
        }
        let last_steps = async {
            let _ = self.server.await;
            self.parts.door.shutdown().await;
        };
        let orderly = self.life.finish(last_steps).await;
        self.listening.cancel();
        if orderly && let Err(error) = self.database.close().await {
            tracing::error!(%error, "the database was not closed in order: {error}");
            self.life.fail();
        }
        tracing::info!("Linewatch has stopped");
        self.life.exit_code()
    }
}
