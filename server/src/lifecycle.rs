//! How a process ends: softly, or hard, but never silently.
//!
//! *Soft*, at the first SIGTERM or SIGINT: `/readyz` says no, nothing new is accepted, streams of changes end, requests
//! that are under way get their answers, workers finish what they hold, counters are flushed. *Hard*, at the second signal
//! or when that takes too long: what is left is dropped; leases expire by themselves. The exit code is 0 only for a soft
//! stop that somebody asked for.

use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::{sync::Arc, time::Duration};
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How long a soft stop may take: less than the ten seconds that Docker waits before it kills.
pub const PATIENCE: Duration = Duration::from_secs(8);

/// The life of one process.
#[derive(Clone, Debug, Default)]
pub struct Lifecycle {
    /// Finish and go.
    pub soft: CancellationToken,
    /// Go.
    pub hard: CancellationToken,
    /// What must be finished.
    pub tasks: TaskTracker,
    failed: Arc<AtomicBool>,
}

impl Lifecycle {
    /// A life that signals can end.
    pub fn new() -> std::io::Result<Self> {
        let life = Self::default();
        let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let (soft, hard) = (life.soft.clone(), life.hard.clone());
        tokio::spawn(async move {
            for (which, token) in [("soft", soft), ("hard", hard)] {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                }
                tracing::info!(stop = which, "a signal asks for a {which} stop");
                token.cancel();
            }
            // Whatever is still in the way of a hard stop, is not any more.
            tokio::time::sleep(Duration::from_secs(2)).await;
            std::process::exit(1);
        });
        Ok(life)
    }

    /// Runs something that this process cannot do without: if it ends before a stop was asked for, the process ends too,
    /// and says that it failed.
    pub fn must_live<F: Future<Output = ()> + Send + 'static>(&self, name: &'static str, work: F) -> JoinHandle<()> {
        let life = self.clone();
        let task = tokio::spawn(work);
        self.tasks.spawn(async move {
            let ended = task.await;
            if life.soft.is_cancelled() && ended.is_ok() {
                return;
            }
            let why = ended.err().map_or_else(|| "it ended by itself".to_owned(), |error| error.to_string());
            tracing::error!(part = name, "{name} failed, so Linewatch stops: {why}");
            life.fail();
        })
    }

    /// Ends the process softly, as a failure.
    pub fn fail(&self) {
        self.failed.store(true, Ordering::SeqCst);
        self.soft.cancel();
    }

    /// Runs the last steps, at most until patience or a second signal ends; true if they were finished.
    pub async fn finish<F: Future<Output = ()>>(&self, last_steps: F) -> bool {
        self.tasks.close();
        let orderly = async {
            last_steps.await;
            self.tasks.wait().await;
        };
        tokio::select! {
            () = orderly => return true,
            () = self.hard.cancelled() => tracing::warn!("hard stop: a second signal came"),
            () = tokio::time::sleep(PATIENCE) => tracing::warn!("hard stop: the soft stop took too long"),
        }
        self.hard.cancel();
        self.failed.store(true, Ordering::SeqCst);
        false
    }

    /// 0 only for a soft stop that somebody asked for.
    pub fn exit_code(&self) -> ExitCode {
        if self.failed.load(Ordering::SeqCst) { ExitCode::FAILURE } else { ExitCode::SUCCESS }
    }
}
