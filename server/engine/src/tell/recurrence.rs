//! When maintenance is, by the clocks of its place. Pure.
//!
//! On the day the clocks go forward a time may not exist: it then begins at the first moment after the gap. On the day they go
//! back a time may come twice: it begins at the first. How long it lasts is counted in seconds that really pass.

use chrono::{DateTime, Datelike, Days, LocalResult, NaiveDate, NaiveDateTime, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;
use model::{Coming, Maintenance, Recurrence, Weekday};

/// So many of the next times are told.
const COMING: usize = 3;

/// The zone of this name, if there is one.
pub fn zone(name: &str) -> Option<Tz> {
    name.parse().ok()
}

/// Until when maintenance that is now lasts; none when it is not.
pub fn active(maintenance: &Maintenance, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    if now < maintenance.starts_at || now >= maintenance.ends_at {
        return None;
    }
    let Some(recurrence) = &maintenance.recurrence else { return Some(maintenance.ends_at) };
    let last = occurrences(recurrence, now - TimeDelta::days(2)).take_while(|(begin, _)| *begin <= now);
    let ends = last.filter(|(_, end)| now < *end).map(|(_, end)| end).max()?;
    Some(ends.min(maintenance.ends_at))
}

/// When it begins next, after `after`; none when it never does.
pub fn next(maintenance: &Maintenance, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let Some(recurrence) = &maintenance.recurrence else {
        return Some(maintenance.starts_at).filter(|begin| *begin > after);
    };
    // one that was under way when it was allowed to begin is cut to that moment
    let from = after.max(maintenance.starts_at);
    if maintenance.starts_at > after && active(maintenance, maintenance.starts_at).is_some() {
        return Some(maintenance.starts_at);
    }
    let begin = occurrences(recurrence, from - TimeDelta::days(2))
        .map(|(begin, _)| begin)
        .find(|begin| *begin > after && *begin >= from)?;
    Some(begin).filter(|begin| *begin < maintenance.ends_at)
}

/// The next times of one that comes again, after `after`; fewer where it ends before.
pub fn coming(maintenance: &Maintenance, after: DateTime<Utc>) -> Vec<Coming> {
    let Some(zone) = maintenance.recurrence.as_ref().and_then(|again| zone(&again.time_zone)) else {
        return Vec::new();
    };
    let begins = std::iter::successors(next(maintenance, after), |begin| next(maintenance, *begin)).take(COMING);
    let one = |starts_at: DateTime<Utc>| {
        let ends_at = active(maintenance, starts_at)?;
        let there = |at: DateTime<Utc>| at.with_timezone(&zone).naive_local();
        Some(Coming { starts_at, ends_at, local_start: there(starts_at), local_end: there(ends_at) })
    };
    begins.filter_map(one).collect()
}

/// Every time that begins on the day of `from` there or later, in order; none for an unknown zone or no day of the week.
fn occurrences(recurrence: &Recurrence, from: DateTime<Utc>) -> impl Iterator<Item = (DateTime<Utc>, DateTime<Utc>)> {
    let zone = zone(&recurrence.time_zone).filter(|_| !recurrence.weekdays.is_empty());
    let first = zone.map(|zone| from.with_timezone(&zone).date_naive());
    let days = std::iter::successors(first, |day| day.checked_add_days(Days::new(1)));
    days.filter(|day| recurrence.weekdays.contains(&weekday(*day))).filter_map(move |day| {
        let begin = moment(zone?, day.and_time(recurrence.at))?;
        Some((begin, begin + TimeDelta::seconds(recurrence.seconds)))
    })
}

/// The moment at which the clocks there show this first, or jump over it.
fn moment(zone: Tz, local: NaiveDateTime) -> Option<DateTime<Utc>> {
    match zone.from_local_datetime(&local) {
        LocalResult::Single(at) => Some(at.to_utc()),
        LocalResult::Ambiguous(first, second) => Some(first.min(second).to_utc()),
        LocalResult::None => {
            // gaps end on a full minute, and the longest ever was a day
            let mut minutes = (1..=24 * 60)
                .map(|minutes| local + TimeDelta::minutes(minutes) - TimeDelta::seconds(seconds_of(local)));
            minutes.find_map(|local| zone.from_local_datetime(&local).earliest()).map(|at| at.to_utc())
        }
    }
}

fn seconds_of(local: NaiveDateTime) -> i64 {
    local.and_utc().timestamp().rem_euclid(60)
}

fn weekday(day: NaiveDate) -> Weekday {
    match day.weekday() {
        chrono::Weekday::Mon => Weekday::Monday,
        chrono::Weekday::Tue => Weekday::Tuesday,
        chrono::Weekday::Wed => Weekday::Wednesday,
        chrono::Weekday::Thu => Weekday::Thursday,
        chrono::Weekday::Fri => Weekday::Friday,
        chrono::Weekday::Sat => Weekday::Saturday,
        chrono::Weekday::Sun => Weekday::Sunday,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::MaintenanceId;
    use proptest::prelude::*;

    fn utc(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn every_day(at: &str, seconds: i64, zone: &str) -> Maintenance {
        Maintenance {
            id: MaintenanceId(uuid::Uuid::nil()),
            scope: model::Scope::default(),
            by: "ines".into(),
            reason: "nightly".into(),
            starts_at: utc("2026-01-01T00:00:00Z"),
            ends_at: utc("2027-01-01T00:00:00Z"),
            recurrence: Some(Recurrence {
                weekdays: Weekday::ALL.to_vec(),
                at: at.parse().unwrap(),
                seconds,
                time_zone: zone.to_owned(),
            }),
            active: false,
            next_at: None,
            coming: Vec::new(),
        }
    }

    #[test]
    fn it_keeps_to_the_clocks_there() {
        let nightly = every_day("02:30:00", 3_600, "Europe/Berlin");
        assert_eq!(next(&nightly, utc("2026-01-10T12:00:00Z")), Some(utc("2026-01-11T01:30:00Z")));
        assert_eq!(next(&nightly, utc("2026-07-10T12:00:00Z")), Some(utc("2026-07-11T00:30:00Z")));
    }

    #[test]
    fn a_time_that_does_not_exist_begins_after_the_gap() {
        // 29 March 2026: at 02:00 the clocks in Berlin show 03:00, which is 01:00 UTC
        let nightly = every_day("02:30:00", 3_600, "Europe/Berlin");
        assert_eq!(next(&nightly, utc("2026-03-28T12:00:00Z")), Some(utc("2026-03-29T01:00:00Z")));
        assert_eq!(active(&nightly, utc("2026-03-29T00:59:59Z")), None);
        assert_eq!(active(&nightly, utc("2026-03-29T01:30:00Z")), Some(utc("2026-03-29T02:00:00Z")));
    }

    #[test]
    fn a_time_that_comes_twice_is_the_first() {
        // 25 October 2026: at 03:00 the clocks in Berlin show 02:00 again; 02:30 is 00:30 and 01:30 UTC
        let nightly = every_day("02:30:00", 3_600, "Europe/Berlin");
        assert_eq!(next(&nightly, utc("2026-10-24T12:00:00Z")), Some(utc("2026-10-25T00:30:00Z")));
        assert_eq!(active(&nightly, utc("2026-10-25T01:29:59Z")), Some(utc("2026-10-25T01:30:00Z")));
        assert_eq!(active(&nightly, utc("2026-10-25T01:30:00Z")), None, "an hour is an hour, and it comes once a day");
        assert_eq!(next(&nightly, utc("2026-10-25T00:30:00Z")), Some(utc("2026-10-26T01:30:00Z")));
    }

    fn coming_times(at: &str, after: &str) -> Vec<String> {
        let nightly = Maintenance { ends_at: utc("2028-01-01T00:00:00Z"), ..every_day(at, 5_400, "Europe/Berlin") };
        let said =
            |one: Coming| format!("{}–{} {}", one.local_start, one.local_end.time(), one.starts_at.format("%H:%MZ"));
        coming(&nightly, utc(after)).into_iter().map(said).collect()
    }

    #[test]
    fn the_next_times_are_told_by_the_clocks_there_across_both_changes() {
        let forward = coming_times("02:30:00", "2027-03-26T12:00:00Z");
        assert_eq!(
            forward,
            [
                "2027-03-27 02:30:00–04:00:00 01:30Z",
                "2027-03-28 03:00:00–04:30:00 01:00Z",
                "2027-03-29 02:30:00–04:00:00 00:30Z"
            ]
        );
        // at 03:00 it is 02:00 again: what begins at the first 02:30 ends an hour and a half later, at 03:00
        let back = coming_times("02:30:00", "2026-10-23T12:00:00Z");
        assert_eq!(
            back,
            [
                "2026-10-24 02:30:00–04:00:00 00:30Z",
                "2026-10-25 02:30:00–03:00:00 00:30Z",
                "2026-10-26 02:30:00–04:00:00 01:30Z"
            ]
        );
    }

    #[test]
    fn what_comes_once_or_ends_has_no_further_times() {
        let mut nightly = every_day("02:30:00", 3_600, "Europe/Berlin");
        nightly.ends_at = utc("2026-01-12T02:00:00Z");
        let coming = coming(&nightly, utc("2026-01-10T12:00:00Z"));
        assert_eq!(coming.len(), 2, "{coming:?}");
        assert_eq!(coming[1].ends_at, nightly.ends_at, "cut at its end");
        nightly.recurrence = None;
        assert!(super::coming(&nightly, utc("2025-12-01T00:00:00Z")).is_empty());
        assert!(super::coming(&every_day("02:30:00", 60, "Europe/Atlantis"), utc("2026-02-01T00:00:00Z")).is_empty());
    }

    #[test]
    fn only_on_its_days_and_only_between_its_ends() {
        let mut weekly = every_day("23:00:00", 7_200, "America/New_York");
        if let Some(recurrence) = &mut weekly.recurrence {
            recurrence.weekdays = vec![Weekday::Saturday];
        }
        // Saturday 23:00 in New York is Sunday 04:00 UTC in winter
        assert_eq!(next(&weekly, utc("2026-01-12T00:00:00Z")), Some(utc("2026-01-18T04:00:00Z")));
        assert_eq!(active(&weekly, utc("2026-01-18T05:59:00Z")), Some(utc("2026-01-18T06:00:00Z")));
        assert_eq!(active(&weekly, utc("2026-01-19T05:00:00Z")), None);
        weekly.ends_at = utc("2026-01-18T05:00:00Z");
        assert_eq!(active(&weekly, utc("2026-01-18T04:30:00Z")), Some(utc("2026-01-18T05:00:00Z")), "cut at its end");
        assert_eq!(next(&weekly, utc("2026-01-18T04:00:00Z")), None);
    }

    #[test]
    fn an_unknown_zone_is_never() {
        assert!(zone("Europe/Atlantis").is_none() && zone("Europe/Berlin").is_some());
        assert_eq!(next(&every_day("02:30:00", 60, "Europe/Atlantis"), utc("2026-02-01T00:00:00Z")), None);
    }

    proptest! {
        /// Once a day, at any time and in any of these places, through both changes of the clocks.
        #[test]
        fn every_day_has_exactly_one(hour in 0..24u32, minute in 0..60u32, zone in prop::sample::select(vec![
            "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "America/Santiago", "UTC",
        ])) {
            let daily = every_day(&format!("{hour:02}:{minute:02}:00"), 600, zone);
            let (mut at, mut times) = (utc("2026-02-01T00:00:00Z"), 0);
            while let Some(begin) = next(&daily, at).filter(|begin| *begin < utc("2026-12-01T00:00:00Z")) {
                prop_assert!(begin > at);
                prop_assert!(active(&daily, begin).is_some() && active(&daily, begin - TimeDelta::seconds(1)).is_none());
                let gap = begin - at;
                prop_assert!(times == 0 || (gap >= TimeDelta::hours(22) && gap <= TimeDelta::hours(26)), "{gap}");
                if gap != TimeDelta::days(1) {
                    let told = coming(&daily, at);
                    prop_assert!(told.first().is_some_and(|one| one.starts_at == begin && one.ends_at > begin), "{told:?}");
                    prop_assert!(told.len() == 3 && told.windows(2).all(|two| two[0].ends_at < two[1].starts_at), "{told:?}");
                }
                (at, times) = (begin, times + 1);
            }
            prop_assert!((302..=304).contains(&times), "{times}");
        }
    }
}
