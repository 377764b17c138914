//! How long to wait before trying again. Pure.

use chrono::TimeDelta;

/// Doubles from `first` up to `most` with every failure in a row, and spreads the last half of it by `chance` (0 to 1), so
/// that what failed together does not come back together.
pub fn backoff(failures: u32, first: TimeDelta, most: TimeDelta, chance: f64) -> TimeDelta {
    let doublings = failures.saturating_sub(1).min(30);
    let full = first.num_milliseconds().saturating_mul(1 << doublings).min(most.num_milliseconds());
    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "milliseconds of at most days")]
    let spread = (full as f64 * 0.5 * chance.clamp(0.0, 1.0)) as i64;
    TimeDelta::milliseconds(full / 2 + spread)
}

/// This long, or up to a tenth longer: what began together does not stay together.
pub fn spread(wait: TimeDelta) -> TimeDelta {
    wait + TimeDelta::milliseconds(rand::random_range(0..=wait.num_milliseconds().max(0) / 10))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn grows_to_its_limit_and_never_passes_it(failures in 1u32..100, chance in 0.0f64..1.0) {
            let (first, most) = (TimeDelta::seconds(1), TimeDelta::seconds(300));
            let wait = backoff(failures, first, most, chance);
            prop_assert!(wait >= first / 2 && wait <= most);
            prop_assert!(backoff(failures + 1, first, most, chance) >= wait);
        }
    }
}
