//! The embedded Postgres: the default for whoever has set no `DATABASE_URL`.
//!
//! A private server, made from the PostgreSQL programs that the machine already has. Its *data* survives Linewatch, its
//! *process* does not, however Linewatch ends: the kernel sends the server SIGINT ("fast shutdown") when the thread that
//! started it is gone. That thread, [`supervise`], therefore lives exactly as long as the server is wanted.
//!
//! | room | knows |
//! |---|---|
//! | [`binaries`] | where PostgreSQL's programs are, and which version fits |
//! | [`place`] | where the cluster lies, who owns it, and that nobody else has it |
//! | [`cluster`] | how it is made and configured |
//! | [`process`] | how it is run, tied to us, and ended |
//!
//! ```text
//! .linewatch/postgres/     ours, 0711; or /var/lib/linewatch/<hash>/ where the server's user cannot reach that
//!     lock                 held while the server runs
//!     password, port       kept, so that the URL stays the same
//!     postgresql.conf …    written again at every start
//!     server.log, .1       the server's own words, 5 MiB each
//!     data/, socket/       the server's user's, 0700
//! ```

mod binaries;
mod cluster;
mod error;
mod place;
mod process;

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::signal::Signal;
use tokio::sync::{oneshot, watch};

use self::binaries::Binaries;
use self::cluster::Cluster;
pub use self::error::Error;
use self::place::Place;
use self::process::{Handle, Postmaster, Startup};

/// How the embedded Postgres is to be run.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Linewatch's data directory. The cluster lies in its `postgres/`, if the server's user can reach that.
    pub data_dir: PathBuf,
    /// Whether a commit waits for the disk. On, except in tests.
    pub fsync: bool,
    /// `LINEWATCH_POSTGRES_BIN`: the directory of `postgres` and `initdb`, instead of the best that is found.
    pub bin: Option<PathBuf>,
    /// Where the cluster goes when we are root, and the user we become cannot reach the data directory.
    pub fallback: PathBuf,
    /// How long the server may take to come up. Recovery after a crash reads up to 1 GiB of its journal.
    pub start_timeout: Duration,
}

impl Default for Settings {
    /// What `LINEWATCH_DATA_DIR` and `LINEWATCH_POSTGRES_BIN` would be if nobody set them; the second is looked up here.
    fn default() -> Self {
        Self {
            data_dir: PathBuf::from(".linewatch"),
            fsync: true,
            bin: std::env::var_os("LINEWATCH_POSTGRES_BIN").filter(|bin| !bin.is_empty()).map(PathBuf::from),
            fallback: PathBuf::from("/var/lib/linewatch"),
            start_timeout: Duration::from_secs(120),
        }
    }
}

/// A running private Postgres. Dropping it asks the server to stop; [`EmbeddedPostgres::stop`] also waits for it.
pub struct EmbeddedPostgres {
    url: String,
    data_dir: PathBuf,
    port: u16,
    handle: Handle,
    ended: watch::Receiver<bool>,
}

impl EmbeddedPostgres {
    /// Finds or makes the cluster of this data directory and starts it: about a second the first
    /// time (and what the disk takes to have it for good), a fifth of that later.
    ///
    /// # Errors
    /// When it cannot; every [`Error`] says what to do about it.
    pub async fn start(settings: &Settings) -> Result<Self, Error> {
        let (tell, told) = oneshot::channel();
        let settings = settings.clone();
        std::thread::Builder::new()
            .name("postgres".into())
            .spawn(move || supervise(&settings, tell))
            .map_err(Error::io("start a thread for the embedded Postgres"))?;
        told.await.unwrap_or(Err(Error::Lost))
    }

    /// Removes the cluster of this data directory, with everything in it, for good.
    ///
    /// # Errors
    /// When it is in use, or cannot be removed.
    pub async fn erase(settings: &Settings) -> Result<(), Error> {
        let settings = settings.clone();
        let erased = tokio::task::spawn_blocking(move || {
            let place = Place::take(&settings)?;
            place.wait_for_orphans()?;
            place.erase()
        });
        erased.await.unwrap_or(Err(Error::Lost))
    }

    /// `postgres://linewatch:…@127.0.0.1:PORT/linewatch`, with the password: not for a log.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where the cluster really lies.
    #[must_use]
    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// Waits until the server has ended, for whatever reason.
    pub async fn ended(&self) {
        // An error means that the supervising thread is gone, and the server with it.
        let _ = self.ended.clone().wait_for(|ended| *ended).await;
    }

    /// Stops the server: running statements are cancelled, what is committed is written, then it is gone.
    ///
    /// # Errors
    /// When it does not even end by force.
    pub async fn stop(self) -> Result<(), Error> {
        for (signal, patience) in [(Signal::SIGINT, 30), (Signal::SIGQUIT, 5), (Signal::SIGKILL, 5)] {
            self.handle.signal(signal);
            if tokio::time::timeout(Duration::from_secs(patience), self.ended()).await.is_ok() {
                return Ok(());
            }
            tracing::warn!(signal = signal.as_str(), patience, "the embedded Postgres did not stop in time");
        }
        Err(Error::WontStop { data_dir: self.data_dir.clone() })
    }
}

impl Drop for EmbeddedPostgres {
    fn drop(&mut self) {
        self.handle.signal(Signal::SIGINT);
    }
}

impl fmt::Debug for EmbeddedPostgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddedPostgres")
            .field("port", &self.port)
            .field("data_dir", &self.data_dir)
            .finish_non_exhaustive()
    }
}

/// The life of one server, on a thread of its own. The lock is given back last of all.
fn supervise(settings: &Settings, tell: oneshot::Sender<Result<EmbeddedPostgres, Error>>) {
    let (place, launched) = match Place::take(settings).and_then(|place| Ok((launch(settings, &place)?, place))) {
        Ok((launched, place)) => (place, launched),
        Err(error) => {
            let _ = tell.send(Err(error));
            return;
        }
    };
    let Launched { postmaster, url, port } = launched;
    tracing::info!(port, data_dir = %place.data().display(), "the embedded Postgres is up");
    let (has_ended, ended) = watch::channel(false);
    let embedded = EmbeddedPostgres { url, data_dir: place.data(), port, handle: postmaster.handle(), ended };
    // Nobody waits any more? Then what comes back is dropped here, and that stops the server.
    drop(tell.send(Ok(embedded)));
    postmaster.wait();
    drop(place);
    has_ended.send_replace(true);
}

struct Launched {
    postmaster: Postmaster,
    url: String,
    port: u16,
}

/// From a data directory that is ours alone to a server that takes connections.
fn launch(settings: &Settings, place: &Place) -> Result<Launched, Error> {
    place.wait_for_orphans()?;
    let binaries = Binaries::find(settings.bin.as_deref(), place.existing_major()?, &place.data())?;
    let cluster = Cluster { place, binaries: &binaries, fsync: settings.fsync };
    let password = cluster.ensure()?;

    // A port that was free a moment ago may be taken when the server asks for it.
    for _ in 0..3 {
        let port = cluster.choose_port()?;
        let mut postmaster = Postmaster::spawn(cluster.server(port)?, &place.log())?;
        match postmaster.startup(settings.start_timeout) {
            Startup::Ready => {
                place.keep("port", &port.to_string())?;
                let url = format!("postgres://{ROLE}:{password}@127.0.0.1:{port}/{DATABASE}");
                return Ok(Launched { postmaster, url, port });
            }
            Startup::PortTaken => postmaster.wait(),
            Startup::Ended => return Err(Error::Ended { tail: postmaster.tail(), log: place.log() }),
            Startup::TimedOut => {
                let seconds = settings.start_timeout.as_secs();
                let tail = postmaster.tail();
                postmaster.kill();
                return Err(Error::NotReady { seconds, tail, log: place.log() });
            }
        }
    }
    Err(Error::NoPort)
}

/// The role that owns the database, and the database. Not a superuser: the one that is has no password, so nobody can be it.
const ROLE: &str = "linewatch";
const DATABASE: &str = "linewatch";
