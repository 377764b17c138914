//! What becomes of one alert over time. Pure.
//!
//! It lives in the time of what happened, not of when somebody looked: whoever looks late, or replays a month, gets the same
//! moments as who looked at once.

use chrono::{DateTime, TimeDelta, Utc};

/// How long a condition must hold, and be over, of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timer {
    /// It must hold for so long before it fires.
    pub patience: TimeDelta,
    /// It must be over for so long before it is resolved.
    pub hold: TimeDelta,
}

impl Timer {
    /// From seconds, as a rule says them.
    pub fn new(for_seconds: i64, hold_seconds: i64) -> Self {
        let seconds = |n: i64| TimeDelta::try_seconds(n.max(0)).unwrap_or(TimeDelta::zero());
        Self { patience: seconds(for_seconds), hold: seconds(hold_seconds) }
    }
}

/// An alert that is pending or fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Course {
    /// Since when its condition holds.
    pub since: DateTime<Utc>,
    /// When it fired; none while it is pending.
    pub fired_at: Option<DateTime<Utc>>,
    /// Since when the condition holds no more, while it waits for the end of its hold.
    pub well_since: Option<DateTime<Utc>>,
}

/// What happened to an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happened {
    /// Its condition began to hold.
    Began(Course),
    /// It has held for long enough.
    Fired(Course),
    /// It was over before it fired.
    Dropped,
    /// It fires, and its condition holds no more.
    Recovering(Course),
    /// Its condition holds again before it was resolved.
    Back(Course),
    /// It is over, at this moment.
    Resolved(Course, DateTime<Utc>),
}

impl Course {
    /// When the clock alone changes it.
    pub fn due_at(&self, timer: Timer) -> Option<DateTime<Utc>> {
        match (self.fired_at, self.well_since) {
            (None, _) => self.since.checked_add_signed(timer.patience),
            (Some(_), Some(well)) => well.checked_add_signed(timer.hold),
            (Some(_), None) => None,
        }
    }

    /// The newest moment that is known of it: nothing that comes is older.
    fn newest(&self) -> DateTime<Utc> {
        let moments = [Some(self.since), self.fired_at, self.well_since];
        moments.into_iter().flatten().max().unwrap_or(self.since)
    }
}

/// Lets the clock reach a moment.
pub fn tick(course: Option<Course>, timer: Timer, now: DateTime<Utc>, mut log: impl FnMut(Happened)) -> Option<Course> {
    let mut course = course?;
    let Some(due) = course.due_at(timer).filter(|due| *due <= now) else { return Some(course) };
    if course.fired_at.is_none() {
        course.fired_at = Some(due);
        log(Happened::Fired(course));
        return Some(course);
    }
    log(Happened::Resolved(course, due));
    None
}

/// At a moment it was seen whether the condition holds. What the clock did before that is done first; a moment that lies before
/// what is known already, because clocks are not one, counts as that.
pub fn step(
    course: Option<Course>,
    timer: Timer,
    at: DateTime<Utc>,
    holds: bool,
    mut log: impl FnMut(Happened),
) -> Option<Course> {
    let at = course.map_or(at, |course| at.max(course.newest()));
    let course = tick(course, timer, at, &mut log);
    let next = match (course, holds) {
        (None, false) => None,
        (None, true) => {
            let course = Course { since: at, fired_at: None, well_since: None };
            log(Happened::Began(course));
            Some(course)
        }
        (Some(course), false) if course.fired_at.is_none() => {
            log(Happened::Dropped);
            None
        }
        (Some(course), false) if course.well_since.is_none() => {
            let course = Course { well_since: Some(at), ..course };
            log(Happened::Recovering(course));
            Some(course)
        }
        (Some(course), true) if course.well_since.is_some() => {
            let course = Course { well_since: None, ..course };
            log(Happened::Back(course));
            Some(course)
        }
        (course, _) => course,
    };
    // no patience, or no hold, is over at once
    tick(next, timer, at, log)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000 + seconds, 0).unwrap()
    }

    /// Firings as (fired, resolved).
    fn run(events: &[(i64, bool)], timer: Timer, ticks: &[i64], until: i64) -> Vec<(i64, Option<i64>)> {
        let mut spans: Vec<(DateTime<Utc>, Option<DateTime<Utc>>)> = Vec::new();
        let mut course = None;
        let mut all: Vec<(i64, Option<bool>)> = events.iter().map(|(at, holds)| (*at, Some(*holds))).collect();
        all.extend(ticks.iter().filter(|at| **at <= until).map(|at| (*at, None)));
        // of one moment, what happened comes before the clock
        all.sort_by_key(|(at, holds)| (*at, holds.is_none()));
        all.push((until, None));
        for (second, holds) in all {
            let log = |happened| match happened {
                Happened::Fired(course) => spans.push((course.fired_at.unwrap(), None)),
                Happened::Resolved(course, end) => {
                    let last = spans.last_mut().unwrap();
                    assert_eq!((Some(last.0), last.1), (course.fired_at, None), "a resolve follows its fire");
                    last.1 = Some(end);
                }
                _ => {}
            };
            course = match holds {
                Some(holds) => step(course, timer, at(second), holds, log),
                None => tick(course, timer, at(second), log),
            };
        }
        let seconds = |time: DateTime<Utc>| (time - at(0)).num_seconds();
        spans.into_iter().map(|(from, to)| (seconds(from), to.map(seconds))).collect()
    }

    /// The same by looking at every second: bad spells, those too short for the patience left out, joined over the hold.
    fn model(events: &[(i64, bool)], patience: i64, hold: i64, until: i64) -> Vec<(i64, Option<i64>)> {
        let mut spans: Vec<(i64, Option<i64>)> = Vec::new();
        let (mut since, mut well, mut firing) = (None, None, false);
        for second in 0..=until {
            let truth: Vec<bool> = events.iter().filter(|(at, _)| *at == second).map(|(_, holds)| *holds).collect();
            // the clock first, then each truth of this second, and the clock after each
            for truth in std::iter::once(None).chain(truth.into_iter().map(Some)) {
                match truth {
                    Some(true) if firing => well = None,
                    Some(true) => since = since.or(Some(second)),
                    Some(false) if firing => well = well.or(Some(second)),
                    Some(false) => since = None,
                    None => {}
                }
                if !firing && since.is_some_and(|since| second >= since + patience) {
                    firing = true;
                    spans.push((second, None));
                } else if firing && well.is_some_and(|well| second >= well + hold) {
                    spans.last_mut().unwrap().1 = Some(second);
                    (since, well, firing) = (None, None, false);
                }
            }
        }
        spans
    }

    #[test]
    fn short_trouble_is_dropped_and_long_trouble_fires_once() {
        let timer = Timer::new(60, 30);
        assert_eq!(run(&[(0, true), (59, false)], timer, &[], 500), []);
        assert_eq!(run(&[(0, true), (61, false)], timer, &[], 500), [(60, Some(91))]);
        assert_eq!(run(&[(0, true), (61, false), (80, true), (100, false)], timer, &[], 500), [(60, Some(130))]);
        assert_eq!(run(&[(0, true)], timer, &[], 500), [(60, None)]);
        assert_eq!(run(&[(0, true), (1, false)], Timer::new(0, 0), &[], 500), [(0, Some(1))]);
    }

    #[test]
    fn a_clock_that_steps_back_moves_nothing_backwards() {
        let timer = Timer::new(0, 30);
        let course = step(None, timer, at(100), true, |_| {});
        let course = step(course, timer, at(50), false, |_| {}).unwrap();
        assert_eq!((course.fired_at, course.well_since), (Some(at(100)), Some(at(100))));
        assert_eq!(tick(Some(course), timer, at(60), |_| {}), Some(course));
    }

    #[test]
    fn what_is_less_than_nothing_is_nothing() {
        assert_eq!(Timer::new(-5, -1), Timer::new(0, 0));
        assert_eq!(Timer::new(i64::MAX, 1).patience, TimeDelta::zero(), "what no clock can count");
    }

    #[test]
    fn what_is_known_already_is_no_news() {
        let timer = Timer::new(0, 30);
        let fires = step(None, timer, at(0), true, |_| {});
        let recovers = step(fires, timer, at(10), false, |_| {});
        for (course, holds) in [(None, false), (fires, true), (recovers, false)] {
            assert_eq!(step(course, timer, at(20), holds, |what| panic!("{what:?}")), course);
        }
    }

    #[test]
    fn only_what_waits_is_due() {
        let timer = Timer::new(60, 30);
        let course = |fired_at, well_since| Course { since: at(0), fired_at, well_since };
        assert_eq!(course(None, None).due_at(timer), Some(at(60)));
        assert_eq!(course(Some(at(60)), None).due_at(timer), None);
        assert_eq!(course(Some(at(60)), Some(at(70))).due_at(timer), Some(at(100)));
    }

    proptest! {
        /// Whoever sees the same twice, sees it once.
        #[test]
        fn duplicates_change_nothing(
            gaps in prop::collection::vec((0i64..40, any::<bool>(), 1usize..4), 0..30),
            patience in 0i64..40,
            hold in 0i64..40,
        ) {
            let mut second = 0;
            let once: Vec<_> = gaps.iter().map(|(gap, holds, _)| { second += gap; (second, *holds) }).collect();
            let often: Vec<_> = once.iter().zip(&gaps).flat_map(|(event, (.., times))| vec![*event; *times]).collect();
            let timer = Timer::new(patience, hold);
            prop_assert_eq!(run(&often, timer, &[], second + 100), run(&once, timer, &[], second + 100));
        }

        /// In whatever order news comes: firings and resolves take turns, and in the end it fires or waits to fire exactly if the
        /// last news was bad.
        #[test]
        fn in_any_order_each_resolve_follows_its_fire(
            events in prop::collection::vec((0i64..200, any::<bool>()), 1..40),
            patience in 0i64..40,
            hold in 0i64..40,
        ) {
            let timer = Timer::new(patience, hold);
            let (mut course, mut firing) = (None, None);
            for (second, holds) in &events {
                let mut happened = Vec::new();
                course = step(course, timer, at(*second), *holds, |what| happened.push(what));
                for what in happened {
                    match what {
                        Happened::Fired(course) => {
                            prop_assert!(firing.is_none(), "two at once");
                            firing = course.fired_at;
                            prop_assert!(firing.is_some_and(|fired| fired >= course.since));
                        }
                        Happened::Resolved(course, end) => {
                            prop_assert!(firing.take() == course.fired_at && course.fired_at.is_some_and(|from| from <= end));
                        }
                        _ => {}
                    }
                }
                prop_assert_eq!(course.is_some_and(|course| course.fired_at.is_some()), firing.is_some());
            }
            let bad = events.last().is_some_and(|(_, holds)| *holds);
            let goes_on = course.is_some_and(|course| course.well_since.is_none());
            prop_assert_eq!(goes_on, bad);
        }

        #[test]
        fn it_does_what_looking_at_every_second_does(
            gaps in prop::collection::vec((0i64..40, any::<bool>()), 0..30),
            ticks in prop::collection::vec(0i64..600, 0..30),
            patience in 0i64..40,
            hold in 0i64..40,
        ) {
            let mut second = 0;
            let events: Vec<_> = gaps.iter().map(|(gap, holds)| { second += gap; (second, *holds) }).collect();
            let until = second + 100;
            let timer = Timer::new(patience, hold);
            let spans = run(&events, timer, &ticks, until);
            prop_assert_eq!(&spans, &model(&events, patience, hold, until));
            prop_assert_eq!(&spans, &run(&events, timer, &[], until), "when somebody looked does not matter");
            for pair in spans.windows(2) {
                prop_assert!(pair[0].1.is_some_and(|end| end <= pair[1].0), "never two at once");
            }
        }

        #[test]
        fn more_patience_never_fires_sooner_or_more_often(
            gaps in prop::collection::vec((1i64..40, any::<bool>()), 0..30),
            patience in 0i64..40,
            more in 0i64..40,
        ) {
            let mut second = 0;
            let events: Vec<_> = gaps.iter().map(|(gap, holds)| { second += gap; (second, *holds) }).collect();
            let until = second + 200;
            let few = run(&events, Timer::new(patience + more, 0), &[], until);
            let many = run(&events, Timer::new(patience, 0), &[], until);
            prop_assert!(few.len() <= many.len());
            for (from, to) in few {
                prop_assert!(many.iter().any(|other| other.0 <= from && other.1 == to));
            }
        }
    }
}
