//! Runs the server, ties it to us, and sees it end.

use std::collections::VecDeque;
use std::env;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, User, getpid, getppid};

use super::error::Error;
use super::place::open_to_append;

/// A command that runs as `user`, with an environment of its own, and gets `signal` when the *thread* that spawns it ends.
///
/// It gets a process group of its own too: Ctrl-C in a terminal is for Linewatch, which has work to finish before.
pub(super) fn tied(program: &Path, user: Option<&User>, signal: Signal) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("LC_ALL", "C").env("TZ", "UTC");
    for name in ["PATH", "LD_LIBRARY_PATH"] {
        if let Some(value) = env::var_os(name) {
            command.env(name, value);
        }
    }
    command.current_dir("/").stdin(Stdio::null()).process_group(0);
    if let Some(user) = user {
        command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
    }
    tie(&mut command, getpid(), signal);
    command
}

/// A change of user clears the tie, so it is made after that: std changes user and group before it calls `pre_exec`.
#[expect(
    unsafe_code,
    reason = "the only door std has to what runs between fork and exec; it allocates and locks nothing"
)]
fn tie(command: &mut Command, parent: Pid, signal: Signal) {
    let tie = move || {
        #[cfg(target_os = "linux")]
        nix::sys::prctl::set_pdeathsig(signal)?;
        // If we were killed before the tie was made, nobody would ever pull it.
        if getppid() == parent { Ok(()) } else { Err(Errno::ESRCH.into()) }
    };
    // SAFETY: two system calls, both async-signal-safe; errors are made of a number alone.
    unsafe { command.pre_exec(tie) };
}

/// How a start went.
pub(super) enum Startup {
    Ready,
    Ended,
    PortTaken,
    TimedOut,
}

/// The server's first process. Whoever has it waits for it, on the thread that started it.
pub(super) struct Postmaster {
    child: Child,
    handle: Handle,
    log: JoinHandle<()>,
    ready: Receiver<()>,
    tail: Tail,
}

impl Postmaster {
    pub(super) fn spawn(mut command: Command, log: &Path) -> Result<Self, Error> {
        let mut log = Log::open(log.into()).map_err(Error::io(format!("open {}", log.display())))?;
        let spawned = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
        let mut child = spawned.map_err(Error::io("run postgres"))?;
        let stderr = child.stderr.take();
        let (is_ready, ready) = mpsc::channel();
        let tail = Tail::default();
        let kept = tail.clone();
        let reader = thread::Builder::new().name("postgres-log".into());
        let reader = reader.spawn(move || {
            if let Some(stderr) = stderr {
                log.follow(stderr, &kept, &is_ready);
            }
        });
        let pid = i32::try_from(child.id()).map(Pid::from_raw).ok();
        let handle = Handle(Arc::new(Mutex::new(pid)));
        match reader {
            Ok(log) => Ok(Self { child, handle, log, ready, tail }),
            Err(error) => {
                handle.signal(Signal::SIGQUIT);
                let _ = child.wait();
                Err(Error::io("start a thread for the log of Postgres")(error))
            }
        }
    }

    pub(super) fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Waits until it takes connections, or never will.
    pub(super) fn startup(&mut self, patience: Duration) -> Startup {
        match self.ready.recv_timeout(patience) {
            Ok(()) => Startup::Ready,
            Err(RecvTimeoutError::Timeout) => Startup::TimedOut,
            // Its last line is read, so all of it has ended.
            Err(RecvTimeoutError::Disconnected) if self.tail().contains("could not bind") => Startup::PortTaken,
            Err(RecvTimeoutError::Disconnected) => Startup::Ended,
        }
    }

    /// Its last words.
    pub(super) fn tail(&self) -> String {
        let tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
        tail.iter().map(String::as_str).collect::<Vec<_>>().join("\n")
    }

    /// Waits until all of the server has ended, in whatever way.
    pub(super) fn wait(mut self) {
        let _ = self.log.join();
        // Nobody may signal a process id that is free for others: the handle is emptied in the same breath.
        let mut pid = self.handle.0.lock().unwrap_or_else(PoisonError::into_inner);
        match self.child.wait() {
            Ok(status) if status.success() => tracing::info!("the embedded Postgres has stopped"),
            Ok(status) => tracing::error!(%status, "the embedded Postgres broke down; its log has the reason"),
            Err(error) => tracing::error!(%error, "the embedded Postgres is gone"),
        }
        *pid = None;
    }

    /// Ends it at once; nothing is lost, the next start recovers.
    pub(super) fn kill(self) {
        self.handle.signal(Signal::SIGQUIT);
        self.wait();
    }
}

/// For signals to the server, from anywhere, at any time.
#[derive(Clone)]
pub(super) struct Handle(Arc<Mutex<Option<Pid>>>);

impl Handle {
    pub(super) fn signal(&self, signal: Signal) {
        if let Some(pid) = *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            let _ = kill(pid, signal);
        }
    }
}

type Tail = Arc<Mutex<VecDeque<String>>>;

/// The server's words, in a file that is put aside when it is full.
struct Log {
    path: PathBuf,
    file: File,
    bytes: u64,
}

impl Log {
    const FULL: u64 = 5 * 1024 * 1024;
    const TAIL: usize = 12;

    fn open(path: PathBuf) -> std::io::Result<Self> {
        let file = open_to_append(&path)?;
        let bytes = file.metadata()?.len();
        Ok(Self { path, file, bytes })
    }

    /// Reads until every process of the server has closed its end.
    fn follow(&mut self, from: impl Read, tail: &Tail, ready: &Sender<()>) {
        let mut from = BufReader::new(from);
        let mut line = Vec::new();
        while matches!(from.read_until(b'\n', &mut line), Ok(read) if read > 0) {
            let text = String::from_utf8_lossy(&line);
            if text.contains("database system is ready to accept connections") {
                let _ = ready.send(());
            }
            let mut tail = tail.lock().unwrap_or_else(PoisonError::into_inner);
            if tail.len() == Self::TAIL {
                tail.pop_front();
            }
            tail.push_back(text.trim_end().to_owned());
            drop(tail);
            self.write(&line);
            line.clear();
        }
    }

    /// A log that cannot be written must not stop the server that writes it.
    fn write(&mut self, line: &[u8]) {
        if self.bytes > Self::FULL && fs::rename(&self.path, self.path.with_extension("log.1")).is_ok() {
            match Self::open(self.path.clone()) {
                Ok(fresh) => *self = fresh,
                Err(error) => tracing::warn!(%error, "cannot begin a new log of the embedded Postgres"),
            }
        }
        if self.file.write_all(line).is_ok() {
            self.bytes += line.len() as u64;
        }
    }
}

/// Waits for a server that an earlier Linewatch left behind: it was killed, its server got the signal, and is writing out.
///
/// When nobody is left, what remains of it is only a file; Postgres would believe that, should the process id be in use again.
pub(super) fn wait_for_orphans(data: &Path) -> Result<(), Error> {
    let pid_file = data.join("postmaster.pid");
    let began = Instant::now();
    let mut last = None;
    loop {
        let orphans = servers_in(data);
        if orphans.is_empty() {
            break;
        }
        let signal = match began.elapsed().as_secs() {
            0..15 => Signal::SIGINT,
            15..20 => Signal::SIGQUIT,
            _ => {
                let pids = orphans.iter().map(Pid::to_string).collect::<Vec<_>>().join(", ");
                return Err(Error::Orphan { data_dir: data.into(), pids });
            }
        };
        let first = fs::read_to_string(&pid_file).ok();
        let first = first.and_then(|text| text.lines().next()?.trim().parse().ok()).map(Pid::from_raw);
        if let Some(first) = first.filter(|first| orphans.contains(first) && last != Some(signal)) {
            tracing::info!(pid = first.as_raw(), "a Postgres of an earlier run is still here; waiting for its end");
            let _ = kill(first, signal);
            last = Some(signal);
        }
        thread::sleep(Duration::from_millis(20));
    }
    match fs::remove_file(&pid_file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::io(format!("remove {}", pid_file.display()))(error))
        }
        _ => Ok(()),
    }
}

/// Every Postgres process that works in this directory, which is its working directory.
fn servers_in(data: &Path) -> Vec<Pid> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let in_data = processes.filter(|process| {
        let process = process.path();
        fs::read_link(process.join("cwd")).is_ok_and(|cwd| cwd == data)
            && fs::read_to_string(process.join("comm")).is_ok_and(|name| name.trim_end() == "postgres")
    });
    in_data.filter_map(|process| process.file_name().to_str()?.parse().ok().map(Pid::from_raw)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_log_is_put_aside_and_the_tail_is_short() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("server.log");
        let mut log = Log::open(path.clone()).expect("a log");
        let (ready, told) = mpsc::channel();
        let tail = Tail::default();
        let lines: String = (0..20).map(|n| format!("line {n}\n")).collect();
        log.bytes = Log::FULL + 1;
        let words = format!("{lines}… database system is ready to accept connections");
        log.follow(words.as_bytes(), &tail, &ready);
        assert!(path.with_extension("log.1").exists());
        assert!(told.try_recv().is_ok());
        assert_eq!(fs::read_to_string(&path).expect("the log"), words);
        assert_eq!(tail.lock().expect("the tail").len(), Log::TAIL);
    }
}
