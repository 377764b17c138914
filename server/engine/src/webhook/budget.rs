//! Bytes in flight: one budget for bodies that are being read and for events that wait to be stored, so that nothing the door
//! holds goes uncounted.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// So many bytes and no more.
pub(super) struct Budget(Arc<Shared>);

struct Shared {
    used: AtomicUsize,
    most: usize,
}

/// A part of the budget, given back when dropped.
pub(super) struct Place {
    bytes: usize,
    budget: Arc<Shared>,
}

impl Budget {
    pub fn new(most: usize) -> Self {
        Self(Arc::new(Shared { used: AtomicUsize::new(0), most }))
    }

    /// A place that holds nothing yet.
    pub fn place(&self) -> Place {
        Place { bytes: 0, budget: Arc::clone(&self.0) }
    }
}

impl Place {
    /// Takes so many bytes more; false, and nothing taken, when they are not there.
    pub fn hold(&mut self, more: usize) -> bool {
        let there = self.budget.used.fetch_add(more, Ordering::Relaxed).saturating_add(more) <= self.budget.most;
        if there {
            self.bytes += more;
        } else {
            self.budget.used.fetch_sub(more, Ordering::Relaxed);
        }
        there
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.budget.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_is_missing_until_it_is_given_back() {
        let budget = Budget::new(100);
        let (mut one, mut other) = (budget.place(), budget.place());
        assert!(one.hold(60) && one.hold(40));
        assert!(!other.hold(1));
        drop(one);
        assert!(!other.hold(101), "more than there is");
        assert!(other.hold(100));
    }
}
