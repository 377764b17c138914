//! Who stands at the door cannot wait; what was taken is safe and can. So while many stand there, processing gives way.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::time::Instant;

/// So many in one batch are many: more than a steady five thousand a second make.
const MANY: usize = 24;
/// For so long after such a batch.
const LASTS: Duration = Duration::from_millis(50);
/// Of the time, processing then takes one part of so many.
const PARTS: u32 = 4;
/// It waits no longer than this before it looks again.
const LONGEST: Duration = Duration::from_millis(100);

/// Whether many stand at the door of this process. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Rush {
    began: Instant,
    /// Milliseconds from then until it is over.
    over: Arc<AtomicU64>,
}

impl Default for Rush {
    fn default() -> Self {
        Self { began: Instant::now(), over: Arc::default() }
    }
}

impl Rush {
    /// Notes how many came together.
    pub(super) fn note(&self, together: usize) {
        if together >= MANY {
            self.over.store(self.millis() + LASTS.as_millis() as u64, Ordering::Relaxed);
        }
    }

    fn lasts(&self) -> bool {
        self.millis() < self.over.load(Ordering::Relaxed)
    }

    fn millis(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// After work that took so long: waits for its share of the time to come round, if there is a rush.
    pub(super) async fn give_way(&self, took: Duration) {
        if self.lasts() {
            tokio::time::sleep((took * (PARTS - 1)).min(LONGEST)).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn processing_gives_way_while_many_come_and_not_a_moment_longer() {
        let rush = Rush::default();
        let wait = async |took| {
            let began = Instant::now();
            rush.give_way(Duration::from_millis(took)).await;
            began.elapsed().as_millis()
        };
        rush.note(MANY - 1);
        assert_eq!(wait(10).await, 0);
        rush.note(MANY);
        assert_eq!(wait(10).await, 30);
        rush.note(MANY);
        assert_eq!(wait(1_000).await, 100);
        assert_eq!(wait(1_000).await, 0);
    }
}
