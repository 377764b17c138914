//! A storm on a channel becomes one message. Pure.

use chrono::{DateTime, TimeDelta, Utc};

/// So many new groups at once are told one by one …
pub const FEW: usize = 5;
/// … within this long; more are collected for as long and told as one.
pub const WINDOW: TimeDelta = TimeDelta::seconds(2);

/// What happens with the new groups of a channel that are due now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storm {
    /// Each is told by itself.
    Calm,
    /// They wait until then, and more with them.
    Wait(DateTime<Utc>),
    /// They have waited: one message for all.
    Tell,
}

/// Decides for one channel: `recent` new groups (or a digest, as [`FEW`] + 1) were told in the last window; `due` are new and due,
/// the first of them since `since`.
pub fn storm(recent: usize, due: usize, since: DateTime<Utc>, now: DateTime<Utc>) -> Storm {
    if due == 0 || recent + due <= FEW {
        Storm::Calm
    } else if now < since + WINDOW {
        Storm::Wait(since + WINDOW)
    } else {
        Storm::Tell
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn few_are_told_one_by_one_and_many_wait_for_a_window() {
        let at = |ms| DateTime::UNIX_EPOCH + TimeDelta::milliseconds(ms);
        for (recent, due, now, expected) in [
            (0, 0, 0, Storm::Calm),
            (100, 0, 0, Storm::Calm),
            (0, FEW, 0, Storm::Calm),
            (FEW - 1, 1, 0, Storm::Calm),
            (0, FEW + 1, 0, Storm::Wait(at(2_000))),
            (FEW, 1, 1_999, Storm::Wait(at(2_000))),
            (FEW, 1, 2_000, Storm::Tell),
            (0, FEW + 1, 5_000, Storm::Tell),
        ] {
            assert_eq!(storm(recent, due, at(0), at(now)), expected, "{recent} {due} {now}");
        }
    }

    proptest! {
        /// However groups come, few messages go out, and none of them waits for longer than the window and a tick.
        #[test]
        fn a_storm_is_few_messages_and_nobody_waits_long(mut came in prop::collection::vec(0..5_000i64, 0..300)) {
            came.sort_unstable();
            let epoch = DateTime::UNIX_EPOCH;
            let (mut messages, mut waiting): (Vec<(i64, usize)>, Vec<i64>) = (Vec::new(), Vec::new());
            for tick in (0..8_000).step_by(50) {
                waiting.extend(came.iter().filter(|at| **at <= tick && **at > tick - 50));
                let recent = messages.iter().filter(|(at, _)| tick - at < WINDOW.num_milliseconds()).map(|(_, n)| n).sum();
                let since = waiting.iter().min().map_or(epoch, |at| epoch + TimeDelta::milliseconds(*at));
                match storm(recent, waiting.len(), since, epoch + TimeDelta::milliseconds(tick)) {
                    Storm::Calm => messages.extend(std::mem::take(&mut waiting).iter().map(|_| (tick, 1))),
                    Storm::Wait(until) => {
                        prop_assert!(until > epoch + TimeDelta::milliseconds(tick));
                        continue;
                    }
                    Storm::Tell => {
                        prop_assert!(waiting.iter().all(|at| tick - at <= WINDOW.num_milliseconds() + 50));
                        waiting.clear();
                        messages.push((tick, FEW + 1));
                    }
                }
            }
            prop_assert!(waiting.is_empty(), "all are told");
            for (at, _) in &messages {
                let within = messages.iter().filter(|(other, _)| (*at..at + 2_000).contains(other)).count();
                prop_assert!(within <= FEW + 2, "{within} messages in one window");
            }
        }
    }
}
