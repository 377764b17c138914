//! Makes a cluster, and says how its server is to be started.

use std::fs;
use std::io::Write as _;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Command, Stdio};

use nix::sys::signal::Signal;

use super::binaries::Binaries;
use super::error::Error;
use super::place::Place;
use super::process::tied;
use super::{DATABASE, ROLE};

/// One cluster: its place, and the programs for it.
pub(super) struct Cluster<'a> {
    pub(super) place: &'a Place,
    pub(super) binaries: &'a Binaries,
    pub(super) fsync: bool,
}

impl Cluster<'_> {
    /// Makes the cluster if there is none; answers with the password of our role.
    pub(super) fn ensure(&self) -> Result<String, Error> {
        let data = self.place.data();
        match (data.exists(), self.place.kept("password")?) {
            (true, Some(password)) => Ok(password),
            (true, None) => {
                let password = new_password();
                let statement = format!("ALTER ROLE {ROLE} PASSWORD '{password}';");
                self.say_alone(&data, "fsync=on", &[&statement], &password)?;
                self.place.keep("password", &password)?;
                Ok(password)
            }
            (false, _) => {
                let password = new_password();
                self.make(&password)?;
                Ok(password)
            }
        }
    }

    /// Complete or not there: it is made beside its place and moved in at the end.
    fn make(&self, password: &str) -> Result<(), Error> {
        let unfinished = self.place.unfinished();
        self.place.make_empty_for_server(&unfinished)?;
        // Code point order and UTF-8 letters: the same on every machine and after every update of its C library.
        // The superuser gets no password and no way in; who may come in is in `pg_hba.conf`, below.
        let how = "--encoding=UTF8 --locale=C.UTF-8 --data-checksums --username=postgres --auth=reject --no-sync --no-instructions";
        self.initdb(how, &unfinished)?;
        let role = format!("CREATE ROLE {ROLE} LOGIN PASSWORD '{password}';");
        let database = format!("CREATE DATABASE {DATABASE} OWNER {ROLE};");
        self.say_alone(&unfinished, "fsync=off", &[&role, &database], password)?;
        if self.fsync {
            // Once, for all of the above: half a second less than each for itself.
            self.initdb("--sync-only", &unfinished)?;
        }
        self.place.keep("password", password)?;
        let moved = fs::rename(&unfinished, self.place.data());
        moved.map_err(Error::io(format!("rename {}", unfinished.display())))?;
        self.place.sync()
    }

    fn initdb(&self, how: &str, data: &Path) -> Result<(), Error> {
        // Asked politely it would first finish what it does; what it leaves behind is made again anyway.
        let mut initdb = self.tied("initdb", Signal::SIGKILL);
        initdb.args(how.split(' ')).arg("--pgdata").arg(data);
        let output = initdb.output().map_err(Error::io("run initdb"))?;
        if output.status.success() {
            return Ok(());
        }
        Err(Error::Init { step: "initdb", output: said(&output.stderr) })
    }

    /// Says something to the cluster before it has a server ("single-user mode": no network, no client, no password).
    fn say_alone(&self, data: &Path, setting: &str, statements: &[&str], secret: &str) -> Result<(), Error> {
        let mut postgres = self.tied("postgres", Signal::SIGTERM);
        postgres.arg("--single").arg("-D").arg(data).args(["-c", "exit_on_error=on", "-c", "log_statement=none"]);
        postgres.args(["-c", setting, "postgres"]);
        postgres.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let spoken = postgres.spawn().and_then(|mut child| {
            // The pipe is closed right away, which ends the session. A server that left before says why on its stderr.
            let _ = child.stdin.take().map(|mut stdin| stdin.write_all((statements.join("\n") + "\n").as_bytes()));
            child.wait_with_output()
        });
        let output = spoken.map_err(Error::io("run postgres"))?;
        if output.status.success() {
            return Ok(());
        }
        Err(Error::Init {
            step: "making the role and the database", output: said(&output.stderr).replace(secret, "…")
        })
    }

    /// The port of the last time if it is still free, else a random one.
    pub(super) fn choose_port(&self) -> Result<u16, Error> {
        let kept = self.place.kept("port")?.and_then(|port| port.parse().ok());
        // Below the range from which the kernel serves outgoing connections: there it would soon be taken.
        let mut tries = kept.into_iter().chain((0..20).map(|_| rand::random_range(15_000..32_000)));
        tries.find(|&port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()).ok_or(Error::NoPort)
    }

    /// The command that runs the server, with its configuration written anew.
    pub(super) fn server(&self, port: u16) -> Result<Command, Error> {
        self.place.make_empty_for_server(&self.place.socket())?;
        let config = self.place.publish("postgresql.conf", &configuration(port, self.fsync))?;
        let access = self.place.publish("pg_hba.conf", ACCESS)?;
        let mut postgres = self.tied("postgres", Signal::SIGINT);
        postgres.arg("-D").arg(self.place.data());
        for (name, file) in [("config_file", config), ("hba_file", access)] {
            let mut setting = std::ffi::OsString::from(format!("{name}="));
            setting.push(file);
            postgres.arg("-c").arg(setting);
        }
        Ok(postgres)
    }

    fn tied(&self, program: &str, signal: Signal) -> Command {
        tied(&self.binaries.program(program), self.place.user.as_ref(), signal)
    }
}

/// Our role by password, from this machine. Nobody else.
const ACCESS: &str = "\
# Written by Linewatch at every start.
local  all  linewatch                scram-sha-256
host   all  linewatch  127.0.0.1/32  scram-sha-256
";

/// A small server beside its only client, on two cores.
fn configuration(port: u16, fsync: bool) -> String {
    let durable = if fsync { "on" } else { "off" };
    format!(
        "\
# Written by Linewatch at every start; changes here are lost. To tune a Postgres, run your own and set DATABASE_URL.
cluster_name = 'linewatch'
port = {port}
listen_addresses = '127.0.0.1'
# Seen from the data directory: a socket's whole path has 107 bytes, and ours may lie deep.
unix_socket_directories = '../socket'
unix_socket_permissions = 0700
password_encryption = 'scram-sha-256'
max_connections = 60

fsync = {durable}
full_page_writes = {durable}
synchronous_commit = on
wal_compression = on
# Few and slow checkpoints: after each one, every page is written whole once more. Files of the log are kept and used again,
# because making one costs as much as filling it.
checkpoint_timeout = 15min
checkpoint_completion_target = 0.9
max_wal_size = 1GB
min_wal_size = 512MB
# Its own process writes the log out meanwhile; whoever commits has less left to wait for.
wal_buffers = 16MB

shared_buffers = 128MB
effective_cache_size = 512MB
work_mem = 8MB
maintenance_work_mem = 64MB
# Short questions, two cores: neither a compiler nor a second worker pays.
jit = off
max_parallel_workers_per_gather = 0

# To standard error, from where Linewatch writes it to server.log. Without values: they may be secrets.
logging_collector = off
log_destination = 'stderr'
log_line_prefix = '%m [%p] '
log_error_verbosity = terse
log_min_duration_statement = 1s
log_parameter_max_length = 0
log_checkpoints = off
lc_messages = 'C'
log_timezone = 'UTC'
timezone = 'UTC'
"
    )
}

fn new_password() -> String {
    hex::encode(rand::random::<[u8; 24]>())
}

fn said(stderr: &[u8]) -> String {
    String::from_utf8_lossy(stderr).trim().to_owned()
}
