//! A private Postgres for the time of a run, durable as in life: fsync and synchronous commit are on. Its other settings are
//! those of the Postgres that Linewatch brings along, so that the figures are those of who sets nothing.

use crate::Failure;
use crate::process::{Process, tied};
use nix::sys::signal::Signal;
use nix::unistd::{User, chown, geteuid};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// How long it may take to come up.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the embedded Postgres is set to (see `server/src/postgres/cluster.rs`), said here again because that is not public.
const SETTINGS: &str = "listen_addresses=127.0.0.1 unix_socket_directories= max_connections=100 fsync=on full_page_writes=on \
     synchronous_commit=on wal_compression=on checkpoint_timeout=15min max_wal_size=1GB min_wal_size=512MB wal_buffers=16MB shared_buffers=128MB effective_cache_size=512MB work_mem=8MB \
     maintenance_work_mem=64MB jit=off max_parallel_workers_per_gather=0 log_min_messages=fatal timezone=UTC";

/// A running Postgres.
pub struct Postgres {
    process: Process,
    place: Place,
    port: u16,
    password: String,
    /// What it says of itself.
    pub version: String,
}

/// Where it lies, and who runs it.
struct Place {
    bin: PathBuf,
    dir: PathBuf,
    user: Option<User>,
}

impl Place {
    fn data(&self) -> PathBuf {
        self.dir.join("postgres")
    }

    /// A command of its user, that ends with us.
    fn command(&self, program: &str) -> tokio::process::Command {
        let ids = self.user.as_ref().map(|user| (user.uid.to_string(), user.gid.to_string()));
        let own: Vec<&str> = ids.iter().flat_map(|(u, g)| ["--reuid", u, "--regid", g, "--clear-groups"]).collect();
        let mut command = tied(self.bin.join(program), "INT", &own);
        command.current_dir("/").env("LC_ALL", "C");
        command
    }

    fn launch(&self, port: u16) -> Result<Process, Failure> {
        let mut server = self.command("postgres");
        server.arg("-D").arg(self.data()).arg("-p").arg(port.to_string());
        server.args(SETTINGS.split(' ').flat_map(|setting| ["-c", setting]));
        Process::start("Postgres", server, &self.dir.join("postgres.log"))
    }
}

impl Postgres {
    /// Makes one in this directory, and starts it.
    pub async fn start(dir: &Path) -> Result<Self, Failure> {
        let place = Place { bin: binaries()?, dir: dir.to_owned(), user: own_user()? };
        let data = place.data();
        std::fs::create_dir(&data)?;
        let password: String = format!("{:032x}", rand::random::<u128>());
        let secret = dir.join("postgres-password");
        std::fs::write(&secret, &password)?;
        let user = &place.user;
        for path in [&data, &secret] {
            chown(path, user.as_ref().map(|user| user.uid), user.as_ref().map(|user| user.gid))?;
        }
        let mut initdb = place.command("initdb");
        initdb.args([
            "--username",
            "linewatch",
            "--auth",
            "scram-sha-256",
            "--encoding",
            "UTF8",
            "--locale",
            "C.UTF-8",
        ]);
        initdb.arg("--no-instructions").arg("--pwfile").arg(&secret).arg("--pgdata").arg(&data);
        let made = initdb.output().await?;
        if !made.status.success() {
            return Err(format!("initdb failed: {}", String::from_utf8_lossy(&made.stderr).trim()).into());
        }
        let port = free_port()?;
        let process = place.launch(port)?;
        let mut postgres = Self { process, place, port, password, version: String::new() };
        postgres.version = postgres.wait().await?;
        Ok(postgres)
    }

    /// Ends it by this signal (INT: fast, QUIT: at once, as after a crash) and starts it again where it was.
    pub async fn restart(&mut self, signal: Signal) -> Result<(), Failure> {
        self.process.end(signal).await?;
        self.process = self.place.launch(self.port)?;
        self.wait().await.map(drop)
    }

    async fn wait(&mut self) -> Result<String, Failure> {
        let up = async {
            loop {
                self.process.must_run()?;
                if let Ok(mut db) = self.connect("postgres").await {
                    return Ok(sqlx::query_scalar("show server_version").fetch_one(&mut db).await?);
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, up).await.unwrap_or_else(|_| Err("Postgres does not come up".into()))
    }

    /// The address of one of its databases, password and all.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://linewatch:{}@127.0.0.1:{}/{database}", self.password, self.port)
    }

    /// A connection to one of its databases.
    pub async fn connect(&self, database: &str) -> sqlx::Result<PgConnection> {
        PgConnection::connect(&self.url(database)).await
    }

    /// An empty database of this name.
    pub async fn create(&self, database: &str) -> Result<(), Failure> {
        let mut db = self.connect("postgres").await?;
        sqlx::query(AssertSqlSafe(format!("create database {database}"))).execute(&mut db).await?;
        Ok(())
    }

    /// Removes every database that was created, whoever is connected: what comes next is not to pay for it.
    pub async fn clear(&self) -> Result<(), Failure> {
        let mut db = self.connect("postgres").await?;
        let made = "select datname::text from pg_database where datname not in ('postgres', 'template0', 'template1')";
        for database in sqlx::query_scalar::<_, String>(made).fetch_all(&mut db).await? {
            let sql = format!("drop database {database} with (force)");
            sqlx::query(AssertSqlSafe(sql)).execute(&mut db).await?;
        }
        self.checkpoint().await
    }

    /// Writes everything to its files, so that no measurement pays for what came before it.
    pub async fn checkpoint(&self) -> Result<(), Failure> {
        sqlx::query("checkpoint").execute(&mut self.connect("postgres").await?).await?;
        Ok(())
    }

    /// Processor time that it used so far.
    pub fn cpu(&self) -> Result<Duration, Failure> {
        self.process.cpu()
    }

    /// Stops it.
    pub async fn stop(self) -> Result<(), Failure> {
        self.process.stop(Signal::SIGINT).await
    }
}

/// The programs of PostgreSQL: those that are named, else of version 15, for which the budgets are; else the newest.
fn binaries() -> Result<PathBuf, Failure> {
    if let Some(named) = std::env::var_os("LINEWATCH_POSTGRES_BIN").filter(|named| !named.is_empty()) {
        return Ok(named.into());
    }
    let places = [15, 18, 17, 16].into_iter().flat_map(|major| {
        [format!("/usr/lib/postgresql/{major}/bin"), format!("/usr/pgsql-{major}/bin")].map(PathBuf::from)
    });
    let found = places.into_iter().find(|bin| bin.join("initdb").is_file());
    let on_path = || {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path).find(|bin| bin.join("initdb").is_file() && bin.join("postgres").is_file())
    };
    found.or_else(on_path).ok_or_else(|| "PostgreSQL is missing: run `.ci/tools build`".into())
}

/// Whom Postgres runs as: somebody else, if we are root.
fn own_user() -> Result<Option<User>, Failure> {
    if !geteuid().is_root() {
        return Ok(None);
    }
    let user = User::from_name("postgres")?.or(User::from_name("nobody")?);
    user.map(Some).ok_or_else(|| "Postgres will not run as root, and there is nobody else to run it as".into())
}

/// A port that was free a moment ago, below those from which the kernel serves outgoing connections.
pub fn free_port() -> Result<u16, Failure> {
    let mut tries = (0..50).map(|_| rand::random_range(15_000..32_000));
    tries.find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).ok_or_else(|| "no port is free".into())
}

/// The commit-to-disk time of this machine's disk is part of every figure of the door: said beside them.
pub fn disk(dir: &Path) -> String {
    let found = Command::new("df").arg("--output=source,fstype").arg(dir).output();
    let text = found.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    text.lines().nth(1).unwrap_or("unknown").split_whitespace().collect::<Vec<_>>().join(" ")
}
