//! The next times of maintenance that comes again: by the clocks of its place, with how far these are from UTC, and exactly.

use super::time::{Moment, iso};
use chrono::{Datelike, NaiveDateTime, NaiveTime, Timelike};
use leptos::prelude::*;
use model::{Coming, Maintenance, Recurrence};

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The list, if there is one.
pub(crate) fn coming(one: &Maintenance, now: Moment) -> Option<AnyView> {
    let again = one.recurrence.as_ref().filter(|_| !one.coming.is_empty())?;
    let line = |time: &Coming| {
        let exact = format!("{} – {}", now.exact(time.starts_at), now.exact(time.ends_at));
        // one that was under way when it was allowed to begin was not jumped over
        let jumped = time.starts_at > one.starts_at && jumped(again, time);
        let note = jumped.then(|| format!(" – the clocks jump over {}", clock(again.at)));
        view! { <li><time datetime=iso(time.starts_at) title=exact>{words(time)}</time>{note}</li> }.into_any()
    };
    let lines: Vec<_> = one.coming.iter().map(line).collect();
    Some(view! { <p class="sub">"Next:"</p><ol class="coming sub">{lines}</ol> }.into_any())
}

/// “Sun 28 Mar 2027, 03:00–04:30 (UTC+2)”.
fn words(time: &Coming) -> String {
    let (from, to) = (time.local_start, time.local_end);
    let other_day = if from.date() == to.date() { String::new() } else { format!("{}, ", day(to)) };
    let before = offset((from - time.starts_at.naive_utc()).num_minutes());
    let after = offset((to - time.ends_at.naive_utc()).num_minutes());
    let offset = if before == after { before } else { format!("{before}, then {after}") };
    format!("{}, {}–{other_day}{} ({offset})", day(from), clock(from.time()), clock(to.time()))
}

fn jumped(again: &Recurrence, time: &Coming) -> bool {
    time.local_start.time() != again.at
}

fn day(at: NaiveDateTime) -> String {
    let day = DAYS.get(at.weekday().num_days_from_monday() as usize).copied().unwrap_or_default();
    let month = MONTHS.get(at.month0() as usize).copied().unwrap_or_default();
    format!("{day} {} {month} {}", at.day(), at.year())
}

fn clock(at: NaiveTime) -> String {
    format!("{:02}:{:02}", at.hour(), at.minute())
}

/// How far clocks are ahead of UTC: “UTC+5:30”.
fn offset(minutes: i64) -> String {
    let sign = if minutes < 0 { "−" } else { "+" };
    match (minutes.abs() / 60, minutes.abs() % 60) {
        (0, 0) => "UTC".to_owned(),
        (hours, 0) => format!("UTC{sign}{hours}"),
        (hours, minutes) => format!("UTC{sign}{hours}:{minutes:02}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(starts_at: &str, ends_at: &str, local_start: &str, local_end: &str) -> Coming {
        Coming {
            starts_at: starts_at.parse().unwrap(),
            ends_at: ends_at.parse().unwrap(),
            local_start: local_start.parse().unwrap(),
            local_end: local_end.parse().unwrap(),
        }
    }

    #[test]
    fn a_time_is_said_by_the_clocks_there_and_how_far_they_are() {
        for (one, said) in [
            (
                time("2027-03-28T01:00:00Z", "2027-03-28T02:30:00Z", "2027-03-28T03:00:00", "2027-03-28T04:30:00"),
                "Sun 28 Mar 2027, 03:00–04:30 (UTC+2)",
            ),
            (
                time("2026-10-25T00:30:00Z", "2026-10-25T02:00:00Z", "2026-10-25T02:30:00", "2026-10-25T03:00:00"),
                "Sun 25 Oct 2026, 02:30–03:00 (UTC+2, then UTC+1)",
            ),
            (
                time("2027-01-02T04:00:00Z", "2027-01-02T06:00:00Z", "2027-01-01T23:00:00", "2027-01-02T01:00:00"),
                "Fri 1 Jan 2027, 23:00–Sat 2 Jan 2027, 01:00 (UTC−5)",
            ),
            (
                time("2027-01-01T00:00:00Z", "2027-01-01T01:00:00Z", "2027-01-01T05:30:00", "2027-01-01T06:30:00"),
                "Fri 1 Jan 2027, 05:30–06:30 (UTC+5:30)",
            ),
        ] {
            assert_eq!(words(&one), said);
        }
        assert_eq!(offset(0), "UTC");
    }
}
