//! Wakes workers for what other processes committed.

use model::{Change, ChangeTopic};
use std::sync::Arc;
use tokio::sync::{Notify, broadcast};
use tokio_util::sync::CancellationToken;

/// Turns what other processes committed into wake-ups. A lost one costs the idle time of a worker, no more.
pub(super) async fn wake(
    mut changes: broadcast::Receiver<crate::live::Numbered>,
    rounds: Arc<Notify>,
    checks: Arc<Notify>,
    events: Arc<Notify>,
    bulks: Arc<Notify>,
    cancel: CancellationToken,
) {
    loop {
        let change = tokio::select! {
            () = cancel.cancelled() => return,
            change = changes.recv() => change,
        };
        match change {
            Ok(numbered) => match numbered.change.topic {
                // of what was processed it is said too, with a version
                ChangeTopic::Event if numbered.change.version == 0 => events.notify_one(),
                ChangeTopic::Connection => checks.notify_one(),
                ChangeTopic::System => rounds.notify_one(),
                ChangeTopic::Retry => bulks.notify_one(),
                _ => {}
            },
            Err(broadcast::error::RecvError::Lagged(_)) => {
                rounds.notify_one();
                checks.notify_one();
                events.notify_one();
                bulks.notify_one();
            }
            Err(broadcast::error::RecvError::Closed) => return,
        }
    }
}

/// Wakes somebody for what concerns them; also when it cannot be told what changed.
pub(super) async fn wake_for(
    concerns: fn(&Change) -> bool,
    mut changes: broadcast::Receiver<crate::live::Numbered>,
    wake: Arc<Notify>,
    cancel: CancellationToken,
) {
    loop {
        let change = tokio::select! {
            () = cancel.cancelled() => return,
            change = changes.recv() => change,
        };
        match change {
            Ok(numbered) if !concerns(&numbered.change) => {}
            Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => wake.notify_one(),
            Err(broadcast::error::RecvError::Closed) => return,
        }
    }
}
