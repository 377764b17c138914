//! From an alert to a message.

use super::{Workers, wake::wake_for};
use crate::clock::SharedClock;
use crate::live::Live;
use crate::notify::Sender;
use crate::tell::Teller;
use crate::work::run;
use model::{Change, ChangeTopic};
use sqlx::PgPool;
use std::{sync::Arc, time::Duration};
use tokio::sync::Notify;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Messages at once, each by another channel, so that one that does not answer keeps no other waiting.
const MESSAGES_AT_ONCE: usize = 6;

impl Workers {
    /// Starts what leads from an alert to a message.
    pub(super) fn start_telling(
        pool: &PgPool,
        clock: &SharedClock,
        live: &Live,
        sender: &Sender,
        tracker: &TaskTracker,
        cancel: &CancellationToken,
    ) {
        let teller = Teller::new(pool.clone(), Arc::clone(clock), sender.clone());
        let news = Arc::new(Notify::new());
        for (concerns, wake) in [(alerts_turned as fn(&Change) -> bool, &news), (messages_due, sender.wake())] {
            tracker.spawn(wake_for(concerns, live.subscribe(), Arc::clone(wake), cancel.clone()));
        }
        {
            let (teller, cancel) = (teller.clone(), cancel.clone());
            tracker.spawn(async move {
                run("telling", Duration::from_millis(250), &news, &cancel, || teller.step()).await;
            });
        }
        {
            let cancel = cancel.clone();
            tracker.spawn(async move {
                let never = Notify::new();
                run("silences", Duration::from_secs(1), &never, &cancel, || teller.upkeep()).await;
            });
        }
        for _ in 0..MESSAGES_AT_ONCE {
            let (sender, cancel) = (sender.clone(), cancel.clone());
            tracker.spawn(async move {
                let wake = Arc::clone(sender.wake());
                run("messages", Duration::from_millis(500), &wake, &cancel, || sender.step()).await;
            });
        }
        let (sender, cancel) = (sender.clone(), cancel.clone());
        tracker.spawn(async move {
            let never = Notify::new();
            run("fallbacks", Duration::from_secs(5), &never, &cancel, || sender.take_over()).await;
        });
    }
}

/// Alerts turned: somebody may have to be told.
fn alerts_turned(change: &Change) -> bool {
    change.topic == ChangeTopic::Alert
}

/// There may be messages to send.
fn messages_due(change: &Change) -> bool {
    change.topic == ChangeTopic::Notification
}
