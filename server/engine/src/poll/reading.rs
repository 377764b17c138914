//! What a round has read so far, and whether it is all there is.

use crate::makini::ListPage;
use model::ConnectionId;
use std::collections::HashSet;

/// A list while it is being read, page by page.
///
/// Where pages are numbered, whatever is added or deleted meanwhile moves the rest: a connection may be on no page that we
/// read, or on two. Such a list is worth reading, but what it lacks is not missing. (One that is added while another is deleted
/// leaves no trace here; that is one reason why what is missing is looked at closer before it counts as gone.)
#[derive(Default)]
pub(super) struct Reading {
    seen: HashSet<ConnectionId>,
    total: Option<u64>,
    undecodable: u32,
    moved: bool,
}

impl Reading {
    /// Takes a page and the connections on it. False when it holds nothing but what came before: then there is no reading on.
    pub(super) fn take(&mut self, page: &ListPage, ids: &[ConnectionId]) -> bool {
        let before = self.seen.len();
        self.seen.extend(ids);
        let new = self.seen.len() - before;
        self.moved |= new < ids.len() || page.total.is_some_and(|total| self.total.is_some_and(|said| said != total));
        self.undecodable += page.undecodable;
        self.total = page.total.or(self.total);
        new > 0 || ids.is_empty()
    }

    /// How many connections it holds.
    pub(super) fn len(&self) -> i64 {
        i64::try_from(self.seen.len()).unwrap_or(i64::MAX)
    }

    /// How many items could not be read.
    pub(super) fn undecodable(&self) -> u32 {
        self.undecodable
    }

    /// Whether it stood still while it was read, could all be read, and holds as many as upstream says there are.
    pub(super) fn is_complete(&self) -> bool {
        !self.moved && self.undecodable == 0 && self.total.is_none_or(|total| total <= self.seen.len() as u64)
    }

    /// Whether it holds this connection.
    pub(super) fn holds(&self, id: ConnectionId) -> bool {
        self.seen.contains(&id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    fn page(total: Option<u64>, undecodable: u32) -> ListPage {
        ListPage { seen: Vec::new(), next_cursor: None, total, undecodable }
    }

    fn ids(numbers: &[u128]) -> Vec<ConnectionId> {
        numbers.iter().map(|n| ConnectionId(Uuid::from_u128(*n))).collect()
    }

    #[test]
    fn a_list_that_stood_still_is_complete_and_one_that_moved_is_not() {
        let read = |pages: &[(Option<u64>, u32, &[u128])]| {
            let mut reading = Reading::default();
            let mut brought = true;
            for (total, undecodable, numbers) in pages {
                brought = reading.take(&page(*total, *undecodable), &ids(numbers));
            }
            (reading.is_complete(), reading.len(), brought)
        };
        assert_eq!(read(&[(Some(3), 0, &[1, 2]), (Some(3), 0, &[3])]), (true, 3, true));
        assert_eq!(read(&[(None, 0, &[1, 2]), (None, 0, &[3])]), (true, 3, true), "where no total is given");
        assert_eq!(read(&[(Some(4), 0, &[1, 2]), (Some(3), 0, &[4])]), (false, 3, true), "3 moved up to page 1");
        assert_eq!(read(&[(Some(3), 0, &[1, 2]), (Some(4), 0, &[2, 3])]), (false, 3, true), "2 moved down");
        assert_eq!(read(&[(Some(3), 0, &[1, 2]), (Some(3), 0, &[2])]), (false, 2, false), "the same again");
        assert_eq!(read(&[(Some(3), 0, &[1, 2]), (Some(3), 1, &[])]), (false, 2, true), "one cannot be read");
        assert_eq!(read(&[(Some(5), 0, &[1, 2])]), (false, 2, true), "some are missing");
        assert_eq!(read(&[(Some(0), 0, &[])]), (true, 0, true), "an empty account");
        assert_eq!(
            read(&[(None, 0, &[1]), (None, 0, &[]), (None, 0, &[2])]),
            (true, 2, true),
            "an empty page is no end"
        );
    }

    proptest! {
        /// Numbered pages of a list in which something is added or deleted between two pages: a round either knows that it
        /// is not complete, or holds everything that was there all the time.
        #[test]
        fn what_was_there_all_the_time_is_never_missing_from_a_complete_round(
            size in 1usize..6,
            count in 0u128..25,
            // after which page, at which place, and whether something is added there
            moved in prop::option::of((0usize..8, 0usize..30, any::<bool>())),
        ) {
            let mut list: Vec<u128> = (0..count).collect();
            let (mut next, mut stayed) = (1_000, list.clone());
            let mut reading = Reading::default();
            for number in 0.. {
                let part: Vec<_> = list.iter().skip(number * size).take(size).copied().collect();
                let more = reading.take(&page(Some(list.len() as u64), 0), &ids(&part));
                if !more || (number + 1) * size >= list.len() {
                    break;
                }
                if let Some((_, place, add)) = moved.filter(|(after, ..)| *after == number) {
                    if add {
                        list.insert(place % (list.len() + 1), next);
                        next += 1;
                    } else if !list.is_empty() {
                        let gone = list.remove(place % list.len());
                        stayed.retain(|one| *one != gone);
                    }
                }
            }
            if reading.is_complete() {
                for one in ids(&stayed) {
                    prop_assert!(reading.holds(one), "{one:?} of {list:?}");
                }
            }
        }
    }
}
