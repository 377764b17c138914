use super::*;
use proptest::prelude::*;

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000 + seconds, 0).unwrap()
}

fn cell(platform: &str, source: &str, failed: u64, total: u64) -> Cell {
    let first_at = (failed > 0).then(|| at(-10));
    Cell { platform: platform.to_owned(), source: source.to_owned(), total, failed, first_at }
}

fn rounds(source: &str, attempts: i32) -> Rounds {
    let failing_since = (attempts > 0).then(|| at(-20));
    Rounds { source: source.to_owned(), failing_since, attempts, way_out: false, ours: false, overdue_since: None }
}

fn begun(cells: &[Cell], rounds: &[Rounds]) -> Vec<String> {
    let verdicts = decide(cells, rounds, &[], &OutagePolicy::default(), at(0));
    assert!(verdicts.values().all(|verdict| matches!(verdict, Verdict::Begin { .. })));
    verdicts.keys().map(|subject| format!("{}:{}", subject.kind, subject.slug)).collect()
}

#[test]
fn enough_of_one_platform_are_one_outage_and_fewer_are_none() {
    for (failed, total, expected) in
        [(40, 52, &["platform:sap"][..]), (5, 16, &["platform:sap"]), (5, 17, &[]), (4, 4, &[]), (0, 0, &[])]
    {
        let others = cell("netsuite", "demo", 0, 200);
        assert_eq!(begun(&[cell("sap", "demo", failed, total), others], &[]), expected, "{failed} of {total}");
    }
}

#[test]
fn a_platform_that_is_most_of_a_source_is_not_the_source() {
    assert_eq!(begun(&[cell("sap", "demo", 60, 60), cell("netsuite", "demo", 1, 40)], &[]), ["platform:sap"]);
    let two = [cell("sap", "demo", 20, 20), cell("netsuite", "demo", 9, 20), cell("maximo", "demo", 0, 160)];
    assert_eq!(begun(&two, &[]), ["platform:netsuite", "platform:sap"]);
}

#[test]
fn a_source_that_fails_everywhere_is_one_outage() {
    let all = [cell("sap", "demo", 20, 20), cell("netsuite", "demo", 19, 20), cell("maximo", "demo", 18, 20)];
    assert_eq!(begun(&all, &[]), ["source:demo"]);
}

#[test]
fn rounds_that_fail_are_an_outage_of_the_source_or_of_ourselves() {
    assert_eq!(begun(&[], &[rounds("a", 2), rounds("b", 0)]), [""; 0]);
    assert_eq!(begun(&[], &[rounds("a", 3), rounds("b", 0)]), ["source:a"]);
    let long = Rounds { failing_since: Some(at(-60)), ..rounds("a", 1) };
    assert_eq!(begun(&[], &[long, rounds("b", 0)]), ["source:a"]);
    let cut_off = |source, attempts| Rounds { way_out: true, ..rounds(source, attempts) };
    assert_eq!(begun(&[], &[cut_off("a", 3), cut_off("b", 1)]), ["poller:poller"]);
    assert_eq!(
        begun(&[], &[cut_off("a", 3), cut_off("b", 0)]),
        ["source:a"],
        "one can be reached: the way out is open"
    );
    assert_eq!(begun(&[], &[rounds("a", 3), rounds("b", 3)]), ["source:a", "source:b"], "they answer, and badly");
    assert_eq!(begun(&[], &[cut_off("a", 3)]), ["source:a"], "a single source may be gone by itself");
    assert_eq!(begun(&[], &[Rounds { ours: true, ..rounds("a", 3) }]), ["poller:poller"]);
    let stuck = |source| Rounds { overdue_since: Some(at(-300)), ..rounds(source, 0) };
    assert_eq!(begun(&[], &[stuck("a"), stuck("b")]), ["poller:poller"]);
    assert_eq!(begun(&[], &[stuck("a"), rounds("b", 0)]), [""; 0], "somebody polls");
}

fn lasting(kind: OutageKind, broken: u64, calm_since: Option<i64>) -> Lasting {
    let slug = if kind == OutageKind::Platform { "sap" } else { "demo" };
    Lasting { subject: Subject::new(kind, slug), blind: false, calm_since: calm_since.map(at), broken, total: 50 }
}

fn fate(outage: Lasting, rounds: &[Rounds]) -> Option<Verdict> {
    let policy = OutagePolicy { hold: TimeDelta::seconds(10), ..OutagePolicy::default() };
    decide(&[], rounds, std::slice::from_ref(&outage), &policy, at(0)).remove(&outage.subject)
}

#[test]
fn it_is_over_only_after_it_was_calm_for_the_hold_down() {
    let of = OutageKind::Platform;
    for (broken, calm, verdict) in [
        (40, None, None),
        (15, None, None),
        (14, None, Some(Verdict::Calm)),
        (14, Some(-9), None),
        (14, Some(-10), Some(Verdict::End)),
        (15, Some(-10), Some(Verdict::Grow)),
        (0, Some(20), None),
    ] {
        assert_eq!(fate(lasting(of, broken, calm), &[]), verdict, "{broken} {calm:?}");
    }
}

#[test]
fn an_outage_of_sight_ends_with_the_first_good_round() {
    let blind = Lasting { blind: true, ..lasting(OutageKind::Source, 0, None) };
    assert_eq!(fate(blind.clone(), &[rounds("demo", 1)]), None);
    assert_eq!(fate(blind.clone(), &[rounds("demo", 0)]), Some(Verdict::End));
    assert_eq!(fate(Lasting { broken: 40, ..blind }, &[rounds("demo", 0)]), None, "what it sees now is an outage too");
}

prop_compose! {
    fn cells()(
        failed in prop::collection::vec((0u64..30, 0u64..30, prop::sample::select(vec!["sap", "netsuite", "maximo"]), prop::sample::select(vec!["a", "b"])), 0..8)
    ) -> Vec<Cell> {
        let mut cells = BTreeMap::new();
        for (failed, well, platform, source) in failed {
            cells.insert((platform, source), cell(platform, source, failed, failed + well));
        }
        cells.into_values().collect()
    }
}

fn some_rounds() -> impl Strategy<Value = Vec<Rounds>> {
    let one =
        |source: &'static str| {
            (0i32..6, any::<bool>(), any::<bool>(), -100i64..50).prop_map(move |(attempts, way_out, ours, since)| {
                Rounds { failing_since: (attempts > 0).then(|| at(since)), way_out, ours, ..rounds(source, attempts) }
            })
        };
    (one("a"), one("b")).prop_map(|(a, b)| vec![a, b])
}

proptest! {
    /// Nothing is said twice, nothing begins that lasts, nothing ends that does not, and the same question has the same answer.
    #[test]
    fn decisions_are_total_and_deterministic(
        cells in cells(),
        rounds in some_rounds(),
        states in prop::collection::vec((0usize..6, any::<bool>(), prop::option::of(-1_000i64..1_000), 0u64..100, 0u64..100), 0..4),
        now in -1_000i64..1_000,
    ) {
        let subjects = [
            Subject::new(OutageKind::Platform, "sap"),
            Subject::new(OutageKind::Platform, "netsuite"),
            Subject::new(OutageKind::Source, "a"),
            Subject::new(OutageKind::Source, "b"),
            Subject::new(OutageKind::Source, "gone"),
            Subject::new(OutageKind::Poller, POLLER),
        ];
        let lasting: BTreeMap<_, _> = states.into_iter().map(|(n, blind, calm, broken, well)| {
            let subject = subjects[n].clone();
            (n, Lasting { subject, blind, calm_since: calm.map(at), broken, total: broken + well })
        }).collect();
        let lasting: Vec<_> = lasting.into_values().collect();
        let policy = OutagePolicy::default();
        let verdicts = decide(&cells, &rounds, &lasting, &policy, at(now));
        prop_assert_eq!(&verdicts, &decide(&cells, &rounds, &lasting, &policy, at(now)));
        for (subject, verdict) in &verdicts {
            let lasts = lasting.iter().any(|outage| outage.subject == *subject);
            prop_assert_eq!(lasts, !matches!(verdict, Verdict::Begin { .. }));
        }
        // who has an outage above it has none of its own: every failure that makes one is covered by exactly one that is new
        let begun = |kind: OutageKind, slug: &str| {
            matches!(verdicts.get(&Subject::new(kind, slug)), Some(Verdict::Begin { blind: false, .. }))
        };
        for cell in &cells {
            let lasts = lasting.iter().any(|outage| outage.subject.slug == cell.platform || outage.subject.slug == cell.source);
            let of_source = begun(OutageKind::Source, &cell.source);
            if !lasts && of_source {
                let outside: Vec<_> = cells.iter().filter(|c| c.platform == cell.platform && !begun(OutageKind::Source, &c.source)).collect();
                prop_assert!(!begun(OutageKind::Platform, &cell.platform) || fails(&outside, &policy).is_some());
            }
        }
    }

    /// The cheap question never says no where an outage begins, whatever failed before the window.
    #[test]
    fn what_begins_was_possible(
        cells in cells(),
        older in prop::collection::vec(0u64..30, 8),
        at_least in 0u64..8,
        percent in 0u64..=100,
    ) {
        let policy = OutagePolicy { at_least, percent, ..OutagePolicy::default() };
        let begins = !decide(&cells, &[], &[], &policy, at(0)).is_empty();
        let counts = || cells.iter().zip(&older).map(|(cell, older)| ((cell.failed + older).min(cell.total), cell.total));
        prop_assert!(!begins || policy.may_be_met(counts()));
        let too_few = counts().map(|(failing, _)| failing).sum::<u64>() < at_least.max(1);
        prop_assert!(!too_few || !policy.may_be_met(counts()));
    }

    /// Without enough failures there is no outage; with enough in each platform there is one above each.
    #[test]
    fn every_failing_platform_is_covered(failed in 5u64..100, well in 0u64..100) {
        let policy = OutagePolicy::default();
        let cells = [cell("sap", "a", failed, failed + well), cell("netsuite", "a", 0, 1_000)];
        let verdicts = decide(&cells, &[], &[], &policy, at(0));
        prop_assert_eq!(!verdicts.is_empty(), failed * 100 >= (failed + well) * 30);
    }
}
