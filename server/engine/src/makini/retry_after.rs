//! `Retry-After`: seconds, or an HTTP date.

use chrono::{DateTime, Utc};
use std::time::{Duration, SystemTime};

/// Nobody makes us wait for longer.
pub(super) const LONGEST: Duration = Duration::from_secs(3_600);

/// How long to wait. A date is measured against the clock that wrote it: `now` is the answer's own `Date`, where it has one.
/// None for what cannot be read.
pub(super) fn parse(value: &str, now: DateTime<Utc>) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than fit are still a number, only a long one.
        return Some(value.parse().map_or(LONGEST, Duration::from_secs).min(LONGEST));
    }
    let until = httpdate::parse_http_date(value).ok()?;
    Some(until.duration_since(SystemTime::from(now)).unwrap_or_default().min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn both_forms_are_understood_and_nonsense_is_not() {
        let now: DateTime<Utc> = "1994-11-06T08:49:07Z".parse().unwrap();
        for (value, seconds) in [
            ("0", Some(0)),
            (" 120 ", Some(120)),
            ("999999", Some(3_600)),
            ("99999999999999999999999999", Some(3_600)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(30)),
            ("Sunday, 06-Nov-94 08:49:37 GMT", Some(30)),
            ("Sun Nov  6 08:49:37 1994", Some(30)),
            ("Sun, 06 Nov 1994 08:49:00 GMT", Some(0)),
            ("Fri, 31 Dec 9999 23:59:59 GMT", Some(3_600)),
            ("", None),
            ("-1", None),
            ("1.5", None),
            ("soon", None),
            ("0x10", None),
        ] {
            assert_eq!(parse(value, now), seconds.map(Duration::from_secs), "{value}");
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic_or_wait_for_ever(value: String) {
            prop_assert!(parse(&value, DateTime::UNIX_EPOCH).is_none_or(|wait| wait <= LONGEST));
        }

        #[test]
        fn a_date_is_read_back(seconds in 0..3_600u64, base in 0..4_000_000_000i64) {
            let now = DateTime::from_timestamp(base, 0).unwrap();
            let date = httpdate::fmt_http_date(SystemTime::from(now) + Duration::from_secs(seconds));
            prop_assert_eq!(parse(&date, now), Some(Duration::from_secs(seconds)));
        }
    }
}
