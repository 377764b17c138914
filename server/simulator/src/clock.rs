//! The one place that reads the wall clock, and how moments are written.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serializer;
use std::time::Duration;

/// A point in time, always UTC. The rest of the crate is handed one and never asks.
pub(crate) type Moment = DateTime<Utc>;

/// Now.
#[expect(clippy::disallowed_methods, reason = "the simulator stamps with the real clock, and only here")]
pub(crate) fn now() -> Moment {
    Utc::now()
}

/// RFC 3339 with milliseconds and a `Z`, as everywhere on the wire.
pub(crate) fn stamp(moment: Moment) -> String {
    moment.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// The format of `Date` and of one of the two forms of `Retry-After`.
pub(crate) fn http_date(moment: Moment) -> String {
    moment.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// `serialize_with` for a moment.
pub(crate) fn write<S: Serializer>(moment: &Moment, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&stamp(*moment))
}

/// `serialize_with` for a moment that may be missing.
pub(crate) fn write_option<S: Serializer>(moment: &Option<Moment>, serializer: S) -> Result<S::Ok, S::Error> {
    match moment {
        Some(moment) => write(moment, serializer),
        None => serializer.serialize_none(),
    }
}

/// How much faster than life durations pass. Moments are never scaled.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale(pub(crate) f64);

impl Scale {
    /// The real length of a simulated duration.
    pub(crate) fn real(self, simulated: Duration) -> Duration {
        simulated.div_f64(self.0)
    }
}

/// From one moment to a later one; nothing when it is not later.
pub(crate) fn between(from: Moment, to: Moment) -> Duration {
    (to - from).to_std().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_in_the_two_formats_of_the_wire() {
        let moment = DateTime::from_timestamp_millis(784_111_777_042).expect("a moment");
        assert_eq!(stamp(moment), "1994-11-06T08:49:37.042Z");
        assert_eq!(http_date(moment), "Sun, 06 Nov 1994 08:49:37 GMT");
    }
}
