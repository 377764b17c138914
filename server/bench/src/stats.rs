//! From many measurements to the few figures that are told.

use std::time::Duration;

/// What several runs of the same showed: the median, with the least and the most beside it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// The median; of an even number of runs, the mean of the middle two.
    pub value: f64,
    /// The least.
    pub min: f64,
    /// The most.
    pub max: f64,
}

impl Spread {
    /// Of the figures of several runs; not a number, if there are none.
    pub fn of(runs: impl IntoIterator<Item = f64>) -> Self {
        let mut runs: Vec<f64> = runs.into_iter().collect();
        runs.sort_unstable_by(f64::total_cmp);
        let (Some(&min), Some(&max)) = (runs.first(), runs.last()) else {
            return Self { value: f64::NAN, min: f64::NAN, max: f64::NAN };
        };
        let middle = runs.len() / 2;
        let value = if runs.len() % 2 == 1 { runs[middle] } else { f64::midpoint(runs[middle - 1], runs[middle]) };
        Self { value, min, max }
    }
}

/// The time within which this share of all was done, in milliseconds; sorts. Not a number, if there were none.
pub fn percentile_ms(times: &mut [Duration], share: f64) -> f64 {
    times.sort_unstable();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a place in a list"
    )]
    let place = ((times.len() as f64 * share).ceil() as usize).clamp(1, times.len().max(1)) - 1;
    times.get(place).map_or(f64::NAN, |time| ms(*time))
}

/// A time in milliseconds.
pub fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_and_both_ends() {
        assert_eq!(Spread::of([3.0, 1.0, 2.0]), Spread { value: 2.0, min: 1.0, max: 3.0 });
        assert_eq!(Spread::of([4.0, 1.0]).value, 2.5);
        assert!(Spread::of([]).value.is_nan());
    }

    #[test]
    fn a_percentile_is_one_of_the_times() {
        let mut times: Vec<_> = (1..=100).rev().map(Duration::from_millis).collect();
        assert_eq!(percentile_ms(&mut times, 0.5), 50.0);
        assert_eq!(percentile_ms(&mut times, 0.99), 99.0);
        assert_eq!(percentile_ms(&mut times, 1.0), 100.0);
        assert_eq!(percentile_ms(&mut [Duration::from_millis(7)], 0.01), 7.0);
        assert!(percentile_ms(&mut [], 0.5).is_nan());
    }
}
