//! Where a run takes place: a directory that goes with it, a private Postgres, the programs.

use crate::Failure;
use crate::linewatch::{Linewatch, Programs, Simulator};
use crate::load::Target;
use crate::postgres::Postgres;
use crate::webhook::Stream;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Where a run takes place.
pub struct World {
    dir: TempDir,
    /// The database server.
    pub postgres: Postgres,
    /// What is measured.
    pub programs: Programs,
    /// Where Playwright is.
    pub end2end: PathBuf,
    /// Where what is fetched for a measurement is kept.
    pub tools: PathBuf,
    /// Whether the figures themselves are of no interest: everything short and little, to see that it works.
    pub smoke: bool,
}

impl World {
    /// Makes one.
    pub async fn new(programs: Programs, end2end: PathBuf, tools: PathBuf, smoke: bool) -> Result<Self, Failure> {
        let dir = directory()?;
        let postgres = Postgres::start(dir.path()).await?;
        Ok(Self { dir, postgres, programs, end2end, tools, smoke })
    }

    /// Where logs and data lie.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// One of two, by whether this is a smoke run.
    pub fn pick<T>(&self, real: T, smoke: T) -> T {
        if self.smoke { smoke } else { real }
    }

    /// How often each thing is measured.
    pub fn runs(&self) -> usize {
        self.pick(3, 1)
    }

    /// A Linewatch on an empty database of this name.
    pub async fn serve(&self, database: &str) -> Result<Linewatch, Failure> {
        self.postgres.create(database).await?;
        self.serve_again(database).await
    }

    /// A Linewatch on a database that is there.
    pub async fn serve_again(&self, database: &str) -> Result<Linewatch, Failure> {
        Linewatch::serve(&self.programs, self.dir(), &self.postgres.url(database)).await
    }

    /// A Linewatch that has listed every connection of a pretend Makini once, and then only hears webhooks.
    pub async fn watched(&self, database: &str, connections: u32) -> Result<Watched, Failure> {
        let simulator = Simulator::start(&self.programs, self.dir(), connections).await?;
        let linewatch = self.serve(database).await?;
        let settings =
            json!({ "poll_interval_seconds": 3_600, "cadence_seconds": 86_400, "proof_allowance_seconds": 86_400 });
        simulator.is_source_of(&linewatch, settings).await?;
        let mut db = self.postgres.connect(database).await?;
        let began = Instant::now();
        loop {
            let listed: Option<i64> = sqlx::query_scalar("select round_listed from source").fetch_one(&mut db).await?;
            if listed == Some(i64::from(connections)) {
                break;
            }
            if began.elapsed() > Duration::from_secs(180) {
                return Err(format!("{connections} connections were not listed within three minutes").into());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let keys = sqlx::query_scalar("select key from connection where health = 'healthy' order by id");
        let keys: Vec<String> = keys.fetch_all(&mut db).await?;
        if keys.len() < connections as usize / 2 {
            return Err(format!("only {} of {connections} pretended connections are healthy", keys.len()).into());
        }
        // as autovacuum does within a minute, which nobody waits for here
        sqlx::Executor::execute(&mut db, "vacuum (analyze)").await?;
        self.postgres.checkpoint().await?;
        Ok(Watched { linewatch, simulator, keys })
    }
}

/// A Linewatch with a pretend Makini.
pub struct Watched {
    /// The one.
    pub linewatch: Linewatch,
    /// The other.
    pub simulator: Simulator,
    /// The keys of the connections that are healthy.
    pub keys: Vec<String>,
}

impl Watched {
    /// Where webhooks about its connections go.
    pub fn target(&self) -> Target {
        let stream = Arc::new(Stream::about(self.keys.clone()));
        Target { address: self.linewatch.address, path: "/webhooks/bench", stream }
    }
}

/// A directory for a run, which goes with it.
pub fn directory() -> Result<TempDir, Failure> {
    sweep();
    let dir = tempfile::Builder::new().prefix(PREFIX).suffix(&format!("-{}", std::process::id())).tempdir()?;
    // Postgres is somebody else when we are root, and must be able to pass
    std::fs::set_permissions(dir.path(), std::os::unix::fs::PermissionsExt::from_mode(0o711))?;
    Ok(dir)
}

const PREFIX: &str = "linewatch-bench-";

/// Removes what runs left that were killed so hard that they could not.
fn sweep() {
    let Ok(entries) = std::fs::read_dir(std::env::temp_dir()) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let pid = name.strip_prefix(PREFIX).and_then(|rest| rest.rsplit_once('-')?.1.parse::<u32>().ok());
        if pid.is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists()) {
            drop(std::fs::remove_dir_all(entry.path()));
        }
    }
}
