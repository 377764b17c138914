//! Programs that we start: tied to us, so that none outlives us, and looked at through /proc.

use crate::Failure;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::ffi::OsStr;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};

/// How long a program may take to end before it is made to.
const PATIENCE: Duration = Duration::from_secs(30);

/// A program that runs. Dropped, it is killed.
pub struct Process {
    name: &'static str,
    child: Child,
    pid: Pid,
    log: PathBuf,
}

impl Process {
    /// Starts a command made by [`tied`]; what it says on standard error goes to this file.
    pub fn start(name: &'static str, mut command: Command, log: &Path) -> Result<Self, Failure> {
        command.stdin(Stdio::null()).stderr(File::create(log)?).kill_on_drop(true);
        let child = command.spawn().map_err(|error| format!("{name} does not start: {error}"))?;
        let pid = child.id().and_then(|pid| i32::try_from(pid).ok()).ok_or("it ended at once")?;
        Ok(Self { name, child, pid: Pid::from_raw(pid), log: log.to_owned() })
    }

    /// Its standard output, if it was piped and nobody took it yet.
    pub fn stdout(&mut self) -> Result<tokio::process::ChildStdout, Failure> {
        self.child.stdout.take().ok_or_else(|| format!("{} has no standard output to read", self.name).into())
    }

    /// Fails, with its last words, if it has ended.
    pub fn must_run(&mut self) -> Result<(), Failure> {
        match self.child.try_wait()? {
            Some(status) => Err(format!("{} ended with {status}.\n{}", self.name, self.last_words()).into()),
            None => Ok(()),
        }
    }

    /// What it said last.
    pub fn last_words(&self) -> String {
        let said = std::fs::read(&self.log).unwrap_or_default();
        let said = String::from_utf8_lossy(&said);
        let lines: Vec<_> = said.lines().collect();
        lines[lines.len().saturating_sub(8)..].join("\n")
    }

    /// Sends it a signal and waits until it has ended.
    pub async fn stop(mut self, signal: Signal) -> Result<(), Failure> {
        self.end(signal).await
    }

    /// The same, when it is to be started again in its place.
    pub async fn end(&mut self, signal: Signal) -> Result<(), Failure> {
        self.must_run()?;
        kill(self.pid, signal)?;
        match tokio::time::timeout(PATIENCE, self.child.wait()).await {
            Ok(ended) => ended.map(|_| ()).map_err(Into::into),
            Err(_) => Err(format!("{} did not end {} s after {signal}", self.name, PATIENCE.as_secs()).into()),
        }
    }

    /// Memory that it holds now, in bytes: what /proc calls VmRSS.
    pub fn memory(&self) -> Result<u64, Failure> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("there is no VmRSS in /proc")?;
        let kib: u64 = line.trim().trim_end_matches("kB").trim().parse()?;
        Ok(kib * 1_024)
    }

    /// Processor time that it and those that it started used so far, the kernel's for them included.
    pub fn cpu(&self) -> Result<Duration, Failure> {
        let own = stat(self.pid).ok_or_else(|| format!("{} is gone", self.name))?;
        let mut all = own.own + own.ended;
        for entry in std::fs::read_dir("/proc")?.flatten() {
            let other = entry.file_name().to_str().and_then(|name| stat(Pid::from_raw(name.parse().ok()?)));
            all += other.filter(|other| other.parent == self.pid.as_raw()).map_or(Duration::ZERO, |other| other.own);
        }
        Ok(all)
    }
}

/// What we ourselves used so far, without those that we started.
pub fn own_cpu() -> Result<Duration, Failure> {
    Ok(stat(Pid::this()).ok_or("there is no /proc")?.own)
}

struct Stat {
    parent: i32,
    /// Its own.
    own: Duration,
    /// Of those that it started, as far as they have ended.
    ended: Duration,
}

fn stat(pid: Pid) -> Option<Stat> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // the name, in brackets, may hold anything
    let fields: Vec<_> = stat.rsplit_once(") ")?.1.split(' ').collect();
    // Linux tells them in hundredths of a second, whatever its own clock
    let ticks = |at: usize| Some(Duration::from_millis(fields.get(at)?.parse::<u64>().ok()? * 10));
    Some(Stat { parent: fields.get(1)?.parse().ok()?, own: ticks(11)? + ticks(12)?, ended: ticks(13)? + ticks(14)? })
}

/// A command that ends with us, also when we are killed, and that sees no setting of Linewatch's but those it is given.
pub fn tied(program: impl AsRef<OsStr>, signal: &str, own: &[&str]) -> Command {
    let setpriv = Path::new("/usr/bin/setpriv");
    let mut command = if setpriv.exists() {
        let mut command = Command::new(setpriv);
        command.arg("--pdeathsig").arg(signal).args(own).arg("--").arg(program);
        command
    } else {
        Command::new(program)
    };
    for (name, _) in std::env::vars_os() {
        let ours = name.to_str().is_some_and(|name| name.starts_with("LINEWATCH_") || name.starts_with("LEPTOS_"));
        if ours || name == "DATABASE_URL" || name == "PORT" || name == "RUST_LOG" {
            command.env_remove(name);
        }
    }
    command
}
