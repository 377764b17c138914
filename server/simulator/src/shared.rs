//! The world as the tasks and handlers of one simulator share it.

use crate::clock::{self, Moment};
use crate::world::World;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Notify;

/// A handle to the world. The lock is held for microseconds and never across an await.
#[derive(Clone, Debug)]
pub(crate) struct Shared(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    world: Mutex<World>,
    wake: Notify,
    changed: AtomicBool,
}

impl Shared {
    pub(crate) fn new(world: World) -> Self {
        Self(Arc::new(Inner { world: Mutex::new(world), wake: Notify::new(), changed: AtomicBool::new(true) }))
    }

    /// Looks.
    pub(crate) fn read<T>(&self, look: impl FnOnce(&World) -> T) -> T {
        look(&self.0.world.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes something that neither is to be saved nor makes anything due.
    pub(crate) fn note<T>(&self, change: impl FnOnce(&mut World, Moment) -> T) -> T {
        change(&mut self.0.world.lock().unwrap_or_else(PoisonError::into_inner), clock::now())
    }

    /// Changes something; the engine has a look at what is due now, and the state will be saved.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut World, Moment) -> T) -> T {
        let answer = self.note(change);
        self.0.changed.store(true, Ordering::Release);
        self.0.wake.notify_one();
        answer
    }

    /// Moves the world; see `World::advance`.
    pub(crate) fn advance(&self) -> (Vec<crate::outbox::Send>, Option<Moment>) {
        self.note(|world, now| {
            if world.timers.next().is_some_and(|due| due <= now) {
                self.0.changed.store(true, Ordering::Release);
            }
            world.advance(now)
        })
    }

    /// Waits until something was changed.
    pub(crate) async fn woken(&self) {
        self.0.wake.notified().await;
    }

    /// Whether there is something to save; from now on there is not.
    pub(crate) fn take_changed(&self) -> bool {
        self.0.changed.swap(false, Ordering::AcqRel)
    }
}
