//! Work is rows with a due time. This room knows how to keep at it: do what is due, wake when something new is committed,
//! still look now and then, back off when it fails, and stop when asked.
//!
//! What is due and how it is leased is the business of each table; see `store`.

mod backoff;
mod bulk;
mod retries;
mod workers;

pub use backoff::{backoff, spread};
pub use bulk::BulkWorker;
pub use retries::RetryWorker;
pub use workers::{Parts, Workers};

use chrono::TimeDelta;
use std::{fmt::Display, future::Future, time::Duration};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// What one step found to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Something; there may be more at once.
    Busy,
    /// Nothing is due.
    Idle,
}

/// Runs `step` over and over until cancelled. While there is nothing to do it waits for `wake`, but never longer than `idle`:
/// a wake-up may be lost, a due time needs none.
pub async fn run<F, E>(
    name: &'static str,
    idle: Duration,
    wake: &Notify,
    cancel: &CancellationToken,
    step: impl FnMut() -> F,
) where
    F: Future<Output = Result<Step, E>>,
    E: Display,
{
    run_later(name, idle, Duration::ZERO, wake, cancel, step).await;
}

/// The same, but what wakes it is left alone for `settle` first: for what may come a moment later than what people wait for,
/// and is done once for all that comes in that moment.
pub async fn run_later<F, E>(
    name: &'static str,
    idle: Duration,
    settle: Duration,
    wake: &Notify,
    cancel: &CancellationToken,
    mut step: impl FnMut() -> F,
) where
    F: Future<Output = Result<Step, E>>,
    E: Display,
{
    let mut failures = 0;
    while !cancel.is_cancelled() {
        // interest is registered before we look, so that what is committed meanwhile wakes us
        let woken = wake.notified();
        tokio::pin!(woken);
        woken.as_mut().enable();
        let pause = match step().await {
            Ok(Step::Busy) => {
                failures = 0;
                continue;
            }
            Ok(Step::Idle) => {
                failures = 0;
                idle
            }
            Err(error) => {
                failures += 1;
                let pause = backoff(failures, TimeDelta::milliseconds(200), TimeDelta::seconds(30), rand::random());
                tracing::error!(worker = name, failures, %error, "the {name} worker failed and tries again: {error}");
                metrics::counter!("linewatch_worker_failures_total", "worker" => name).increment(1);
                // a broken database is not mended by waking up more often
                tokio::select! {
                    () = cancel.cancelled() => {}
                    () = tokio::time::sleep(pause.to_std().unwrap_or_default()) => {}
                }
                continue;
            }
        };
        tokio::select! {
            () = cancel.cancelled() => {}
            () = &mut woken => if !settle.is_zero() {
                tokio::select! {
                    () = cancel.cancelled() => {}
                    () = tokio::time::sleep(settle) => {}
                }
                // what came meanwhile is seen by the same look
                let mut meanwhile = std::pin::pin!(wake.notified());
                meanwhile.as_mut().enable();
            },
            () = tokio::time::sleep(pause) => {}
        }
    }
}
