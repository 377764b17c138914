//! What a rule would have done: the past, run through the very machine that runs the present. Pure.

use super::machine::{Course, Happened, Timer, step, tick};
use chrono::{DateTime, TimeDelta, Utc};
use model::{Alternative, Firing, Subject};
use std::collections::HashSet;

/// The patiences that are tried besides a rule's own, in seconds.
const PATIENCES: [i64; 7] = [0, 60, 300, 900, 1_800, 3_600, 14_400];
/// What is over sooner is noise.
const NOISE: TimeDelta = TimeDelta::minutes(10);
/// What lasted so long should not be missed.
const LONG: TimeDelta = TimeDelta::hours(1);
/// So many firings are shown.
const SHOWN: usize = 500;

/// What was so of a subject from a moment on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// From when on.
    pub at: DateTime<Utc>,
    /// The condition holds: it may start to fire.
    pub holds: bool,
    /// It holds for what fires already.
    pub goes_on: bool,
}

impl Seen {
    /// What may start may go on.
    pub fn new(at: DateTime<Utc>, holds: bool) -> Self {
        Self { at, holds, goes_on: holds }
    }
}

/// One firing in the past.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Past {
    /// When it fired.
    pub from: DateTime<Utc>,
    /// When its condition ceased to hold; none: it holds still.
    pub well: Option<DateTime<Utc>>,
    /// When it was resolved; none: it fires still.
    pub to: Option<DateTime<Utc>>,
}

impl Past {
    fn lasted(&self, now: DateTime<Utc>) -> TimeDelta {
        self.well.unwrap_or(now) - self.from
    }
}

/// The firings of one subject, until a moment.
pub fn firings(seen: &[Seen], timer: Timer, until: DateTime<Utc>) -> Vec<Past> {
    let mut all: Vec<Past> = Vec::new();
    let mut course: Option<Course> = None;
    let mut log = |happened| match happened {
        Happened::Fired(course) => {
            all.extend(course.fired_at.map(|from| Past { from, well: None, to: None }));
        }
        Happened::Recovering(course) | Happened::Back(course) => {
            if let Some(last) = all.last_mut() {
                last.well = course.well_since;
            }
        }
        Happened::Resolved(_, at) => {
            if let Some(last) = all.last_mut() {
                last.to = Some(at);
            }
        }
        Happened::Began(_) | Happened::Dropped => {}
    };
    for seen in seen {
        // what fires by this moment goes on by other grounds than what starts
        course = tick(course, timer, seen.at, &mut log);
        let fires = course.is_some_and(|course| course.fired_at.is_some());
        course = step(course, timer, seen.at, if fires { seen.goes_on } else { seen.holds }, &mut log);
    }
    tick(course, timer, until, &mut log);
    all
}

/// Gathers what a rule would have done, subject by subject.
#[derive(Debug)]
pub struct Replay {
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    own: i64,
    hold: i64,
    alternatives: Vec<Alternative>,
    found: Vec<Firing>,
    subjects: HashSet<String>,
    noise: u64,
}

impl Replay {
    /// Over this time, with a rule's own patience and hold in seconds.
    pub fn new(from: DateTime<Utc>, to: DateTime<Utc>, own: i64, hold: i64) -> Self {
        let mut patiences = PATIENCES.to_vec();
        patiences.push(own);
        patiences.sort_unstable();
        patiences.dedup();
        let none = |for_seconds| Alternative { for_seconds, firings: 0, missed: 0 };
        Self {
            from,
            to,
            own,
            hold,
            alternatives: patiences.into_iter().map(none).collect(),
            found: Vec::new(),
            subjects: HashSet::new(),
            noise: 0,
        }
    }

    /// What was seen of a subject, in the order of time, from the newest before the window on.
    pub fn take(&mut self, seen: &[Seen], subject: impl FnOnce() -> Subject) {
        if !seen.iter().any(|seen| seen.holds) {
            return;
        }
        let within = |past: &Past| past.to.is_none_or(|end| end > self.from);
        let run = |patience| {
            let mut all = firings(seen, Timer::new(patience, self.hold), self.to);
            all.retain(within);
            all
        };
        let bare = run(0);
        let long: Vec<_> = bare.iter().filter(|past| past.lasted(self.to) >= LONG).collect();
        let mut own = Vec::new();
        for alternative in &mut self.alternatives {
            let all = if alternative.for_seconds == 0 { bare.clone() } else { run(alternative.for_seconds) };
            alternative.firings += all.len() as u64;
            let missed = long.iter().filter(|past| {
                !all.iter().any(|other| other.from >= past.from && past.to.is_none_or(|end| other.from <= end))
            });
            alternative.missed += missed.count() as u64;
            if alternative.for_seconds == self.own {
                own = all;
            }
        }
        if own.is_empty() {
            return;
        }
        let subject = subject();
        self.subjects.insert(format!("{}/{}", subject.kind, subject.id));
        for past in own {
            // one that lasts is not known to be short
            self.noise += u64::from(past.well.is_some_and(|well| well - past.from < NOISE));
            self.found.push(Firing { subject: subject.clone(), from: past.from.max(self.from), to: past.to });
        }
    }

    /// All of it.
    pub fn preview(mut self, sentence: String, caveat: Option<String>) -> model::Preview {
        self.found.sort_by(|a, b| b.from.cmp(&a.from).then_with(|| a.subject.cmp(&b.subject)));
        let total = self.found.len() as u64;
        self.found.truncate(SHOWN);
        model::Preview {
            from: self.from,
            to: self.to,
            sentence,
            total,
            noise: self.noise,
            subjects: self.subjects.len() as u64,
            firings: self.found,
            alternatives: self.alternatives,
            caveat,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::SubjectKind;
    use proptest::prelude::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000 + seconds, 0).unwrap()
    }

    fn one() -> Subject {
        Subject { kind: SubjectKind::Connection, id: "1".to_owned(), name: "Acme · SAP".to_owned() }
    }

    #[test]
    fn patience_is_weighed_against_what_it_would_have_missed() {
        let mut replay = Replay::new(at(0), at(100_000), 60, 0);
        let bad = |from: i64, lasted: i64| [Seen::new(at(from), true), Seen::new(at(from + lasted), false)];
        let seen: Vec<_> = [bad(0, 30), bad(1_000, 200), bad(5_000, 3_700), bad(20_000, 20_000)].concat();
        replay.take(&seen, one);
        replay.take(&[Seen::new(at(0), false)], || unreachable!("nothing happened to it"));
        let preview = replay.preview("When …".to_owned(), None);
        assert_eq!((preview.total, preview.noise, preview.subjects), (3, 1, 1));
        assert_eq!((preview.firings[0].from, preview.firings[0].to), (at(20_060), Some(at(40_000))));
        let told: Vec<_> = preview.alternatives.iter().map(|a| (a.for_seconds, a.firings, a.missed)).collect();
        assert_eq!(
            told,
            [(0, 4, 0), (60, 3, 0), (300, 2, 0), (900, 2, 0), (1_800, 2, 0), (3_600, 2, 0), (14_400, 1, 1)]
        );
    }

    #[test]
    fn what_began_before_the_window_and_lasts_counts_and_what_was_over_does_not() {
        let mut replay = Replay::new(at(1_000), at(2_000), 0, 0);
        replay.take(&[Seen::new(at(0), true), Seen::new(at(500), false), Seen::new(at(600), true)], one);
        let preview = replay.preview(String::new(), None);
        assert_eq!(preview.firings, [Firing { subject: one(), from: at(1_000), to: None }]);
    }

    #[test]
    fn blindness_starts_nothing_and_ends_nothing() {
        let blind = |second| Seen { at: at(second), holds: false, goes_on: true };
        let timer = Timer::new(0, 0);
        assert_eq!(firings(&[blind(0), Seen::new(at(50), false)], timer, at(99)), []);
        let seen = [Seen::new(at(0), true), blind(10), Seen::new(at(50), false)];
        assert_eq!(firings(&seen, timer, at(99)), [Past { from: at(0), well: Some(at(50)), to: Some(at(50)) }]);
    }

    proptest! {
        #[test]
        fn a_longer_patience_never_fires_more_often(
            gaps in prop::collection::vec((1i64..20_000, any::<bool>()), 0..40),
            hold in 0i64..1_000,
        ) {
            let mut second = 0;
            let seen: Vec<_> =
                gaps.iter().map(|(gap, holds)| { second += gap; Seen::new(at(second), *holds) }).collect();
            let mut replay = Replay::new(at(0), at(second + 1), 0, hold);
            replay.take(&seen, one);
            let preview = replay.preview(String::new(), None);
            prop_assert_eq!(preview.total, preview.alternatives[0].firings);
            prop_assert_eq!(preview.alternatives[0].missed, 0);
            prop_assert!(preview.firings.iter().all(|firing| firing.to.is_none_or(|to| to >= firing.from)));
        }
    }
}
