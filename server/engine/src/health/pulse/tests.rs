use super::*;
use proptest::prelude::*;

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000 + seconds, 0).unwrap()
}

/// Webhooks about data with these pauses, one after another.
fn after(pauses: &[i64]) -> (Pulse, i64) {
    let (mut pulse, mut second) = (Pulse::default(), 0);
    pulse.note(at(0), true, true);
    for pause in pauses {
        second += pause;
        pulse.note(at(second), true, true);
    }
    (pulse, second)
}

fn learned(pauses: &[i64]) -> Option<Pace> {
    let (pulse, end) = after(pauses);
    pulse.pace(at(end))
}

#[test]
fn a_steady_pulse_is_learned_as_it_is() {
    let pace = learned(&[240; 212]).unwrap();
    assert_eq!((pace.seconds, pace.longest, pace.webhooks, pace.of_data), (240, 240, 212, true));
    assert_eq!(pace.patience(), TimeDelta::days(3) + HIDDEN, "it has seen no weekend");
    let pace = learned(&[900; 1_000]).unwrap();
    assert_eq!((pace.seconds, pace.patience()), (900, TimeDelta::hours(2)));
    assert_eq!(learned(&[3_600; 19]), None, "too few");
    assert_eq!(learned(&[60; 300]), None, "too short");
}

#[test]
fn bursts_nights_and_outages_do_not_mislead() {
    let bursts = [[10; 50].as_slice(), &[21_100]].concat().repeat(8);
    assert_eq!(learned(&bursts).unwrap().seconds, 21_100, "a burst and a pause: the pause counts");
    let day = [[240; 150].as_slice(), &[50_400]].concat();
    let week = [day.repeat(4), [240; 150].to_vec(), vec![223_200]].concat();
    let pace = learned(&week.repeat(3)).unwrap();
    assert_eq!(
        (pace.seconds, pace.longest),
        (240, 223_200),
        "nights and weekends are usual, and still it is every 4 min"
    );
    let with_outages = [[900; 600].as_slice(), &[36_000], &[900; 600], &[36_000]].concat();
    assert_eq!(learned(&with_outages).unwrap().longest, 900, "two outages of ten hours in two weeks are not");
}

#[test]
fn a_new_pulse_takes_the_place_of_the_old_one_and_silence_forgets() {
    let slower = [[900; 4_000].as_slice(), &[21_600; 130]].concat();
    assert_eq!(learned(&slower).unwrap().seconds, 21_600);
    let (pulse, end) = after(&[900; 1_000]);
    assert!(pulse.pace(at(end) + TimeDelta::days(30)).is_some());
    assert_eq!(pulse.pace(at(end) + TimeDelta::days(31)), None);
}

#[test]
fn what_lies_around_a_trouble_teaches_nothing() {
    let (mut pulse, end) = after(&[900; 100]);
    let before = pulse.pace(at(end)).unwrap();
    pulse.settle(true, false, at(end + 10));
    pulse.note(at(end + 40_000), true, false);
    pulse.settle(false, true, at(end + 50_000));
    pulse.note(at(end + 50_001), true, true);
    let since = pulse.pace(at(end + 50_001)).unwrap();
    assert_eq!(since, before);
    assert_eq!(pulse.well_since, Some(at(end + 50_000)));
}

proptest! {
    /// Webhooks in any order, doubled and lost: the newest counts, what is learned was seen, and its patience outlasts every pause that
    /// is usual: those that fill nine tenths of the time.
    #[test]
    fn what_is_learned_was_seen(mut seconds in prop::collection::vec(0i64..1_200_000, 0..300), sorted: bool) {
        if sorted {
            seconds.sort_unstable();
        }
        let mut pulse = Pulse::default();
        let (mut newest, mut pauses) = (None, Vec::new());
        for second in &seconds {
            pulse.note(at(*second), second % 2 == 0, true);
            pulse.note(at(*second), second % 2 == 0, true);
            if let Some(last) = newest.filter(|last| last < second) {
                pauses.push(second - last);
            }
            newest = newest.max(Some(*second));
        }
        prop_assert_eq!(pulse.heard_at, newest.map(at));
        let read = Pulse::stored(pulse.heard_at, pulse.data_at, pulse.well_since, pulse.since, &pulse.write());
        prop_assert_eq!(read, pulse, "it is read as it was written");
        let all: i64 = pauses.iter().sum();
        let Some(pace) = pulse.pace(newest.map_or(at(0), at)) else {
            prop_assert!(pauses.len() < 20 || all < LONG_ENOUGH);
            return Ok(());
        };
        prop_assert_eq!((pace.seen, pace.webhooks as usize), (all, pauses.len()));
        prop_assert!(pace.seconds <= pace.longest);
        let (shortest, longest) = (pauses.iter().min().unwrap(), pauses.iter().max().unwrap());
        prop_assert!((*shortest.max(&1)..=*longest).contains(&pace.seconds) || pace.seconds == 1);
        prop_assert!(pace.longest <= *longest);
        let outlasted: i64 = pauses.iter().filter(|pause| TimeDelta::seconds(**pause) < pace.patience()).sum();
        prop_assert!(outlasted * 10 >= all * 9, "{outlasted} of {all}");
    }

    /// However long it goes on, the figures stay as small as they are.
    #[test]
    fn it_never_grows(pauses in prop::collection::vec(1i64..3_000_000, 0..200)) {
        let (pulse, _) = after(&pauses);
        prop_assert!(pulse.write().len() <= 2 * (3 + 3 * OCTAVES));
        prop_assert_eq!(Pulse::stored(None, None, None, None, &pulse.write()).write(), pulse.write());
    }
}
