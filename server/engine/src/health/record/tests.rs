use super::*;
use proptest::prelude::*;

const WINDOW: TimeDelta = TimeDelta::minutes(10);

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
}

fn record(id: usize, created: Option<i64>, modified: i64) -> Record {
    Record { id: id.to_string(), created_at: created.map(at), modified_at: at(modified), deleted_at: None }
}

fn heard(kinds: &[(&str, i64)], records: &[(usize, i64)]) -> Heard {
    Heard {
        kinds: kinds.iter().map(|(kind, since)| ((*kind).to_owned(), at(*since))).collect(),
        records: records.iter().map(|(id, came)| (id.to_string(), at(*came))).collect(),
    }
}

#[test]
fn words_of_webhooks_and_of_paths_meet() {
    assert_eq!(entity_of("erp/purchase-orders"), "purchase_orders");
    let kind = |word| kind_of(word).map(|(entity, kind)| format!("{entity} {kind}"));
    assert_eq!(kind("purchase_orders.inserted").as_deref(), Some("purchase_orders purchase_orders.created"));
    assert_eq!(kind("Assets.updated").as_deref(), Some("assets assets.updated"));
    assert_eq!((kind("assets"), kind("assets.polished")), (None, None));
}

#[test]
fn a_change_shows_once_and_a_deletion_not_at_all() {
    let kinds = |record: Record, since| -> Vec<String> {
        changes("assets", &[record.clone(), record], at(since)).into_iter().map(|one| one.kind).collect()
    };
    assert_eq!(kinds(record(1, Some(100), 102), 50), ["assets.created"]);
    assert_eq!(kinds(record(1, Some(100), 200), 50), ["assets.created", "assets.updated"]);
    assert_eq!(kinds(record(1, Some(100), 200), 150), ["assets.updated"]);
    assert_eq!(kinds(record(1, None, 200), 150), ["assets.updated"]);
    assert!(kinds(record(1, Some(10), 200), 200).is_empty());
    let deleted = Record { deleted_at: Some(at(200)), ..record(1, Some(10), 200) };
    assert!(kinds(deleted, 50).is_empty());
}

#[test]
fn what_never_comes_is_not_expected() {
    let changed = || changes("assets", &[record(1, None, 500)], at(0));
    assert!(expected(changed(), &heard(&[], &[])).is_empty(), "not subscribed");
    assert!(expected(changed(), &heard(&[("assets.created", 0)], &[])).is_empty(), "of another kind");
    assert!(expected(changed(), &heard(&[("assets.updated", 501)], &[])).is_empty(), "only since then");
    let comes = [("assets.updated", 0)];
    assert_eq!(expected(changed(), &heard(&comes, &[(2, 501)])).len(), 1, "another record");
    assert!(expected(changed(), &heard(&comes, &[(1, 440)])).is_empty(), "a little early");
    assert_eq!(expected(changed(), &heard(&comes, &[(1, 439)])).len(), 1, "that was another change");
}

#[test]
fn the_other_clock_is_set_to_ours() {
    let deleted = Record { deleted_at: Some(at(500)), ..record(1, Some(100), 400) };
    let read = deleted.by_our_clock(TimeDelta::seconds(90), at(300));
    assert_eq!(read.deleted_at, Some(at(300)));
    assert_eq!((read.created_at, read.modified_at), (Some(at(10)), at(300)));
}

#[test]
fn what_came_after_its_window_came_late() {
    let ended = |heard: Option<i64>, now| end(at(100), at(700), heard.map(at), at(now));
    assert_eq!((ended(Some(40), 650), ended(Some(700), 710)), (End::Came, End::Came));
    assert_eq!(ended(Some(701), 710), End::Late);
    assert_eq!((ended(Some(39), 699), ended(Some(39), 700)), (End::Waits, End::Missed), "that was another change");
    assert_eq!((ended(None, 699), ended(None, 700)), (End::Waits, End::Missed));
}

#[test]
fn what_cannot_be_known_is_said() {
    let asked = |refused: Option<&str>, comes| Asked {
        entity: "eam/work-orders".to_owned(),
        refused: refused.map(str::to_owned),
        comes,
    };
    assert!(sentence(&[], 15).contains("cannot be known: its source does not ask"));
    assert!(sentence(&[asked(None, false)], 15).contains("Of work orders it cannot be known: no webhook"));
    assert!(sentence(&[asked(Some("Makini does not allow this."), true)], 15).ends_with("Makini does not allow this."));
    let known = sentence(&[asked(None, true)], 15);
    assert!(known.contains("every 15 min") && !known.contains("cannot"), "{known}");
    for comes in [true, false] {
        let refused = sentence(&[asked(Some("No."), comes)], 15);
        assert_eq!(refused, "Of work orders it cannot be known: No.", "one reason is enough");
    }
}

proptest! {
    /// Records change, each so often that only its last change shows. Webhooks about them come in any order, late, more than once
    /// or not at all. Whenever it is read, and however often, and whenever it is decided: missed is exactly what nothing told of,
    /// and late what was told of only after its window.
    #[test]
    fn missed_is_what_nothing_told_of(
        records in prop::collection::vec((1_000..5_000i64, prop::collection::vec(0..2_000i64, 0..3)), 1..12),
        reads in prop::collection::vec(5_000..6_000i64, 1..4),
        looks in prop::collection::vec(6_000..9_000i64, 0..4),
        shuffled in any::<bool>(),
    ) {
        let mut seen: Vec<_> = records.iter().enumerate().map(|(id, (changed, _))| record(id, None, *changed)).collect();
        if shuffled {
            seen.reverse();
        }
        seen.extend(seen.clone());
        let last = |id: usize, now: i64| {
            let (changed, delays) = &records[id];
            delays.iter().map(|delay| changed + delay).filter(|came| *came <= now).max()
        };
        let heard_at = |now: i64| {
            let told: Vec<_> = (0..records.len()).filter_map(|id| Some((id, last(id, now)?))).collect();
            heard(&[("assets.updated", 0)], &told)
        };
        let mut reads = reads;
        reads.sort_unstable();
        // the first read that shows it decides until when it is waited for
        let mut waiting: BTreeMap<Changed, DateTime<Utc>> = BTreeMap::new();
        for read in reads {
            for one in expected(changes("assets", &seen, at(0)), &heard_at(read)) {
                let until = due(one.at, at(read), WINDOW);
                waiting.entry(one).or_insert(until);
            }
        }
        let mut looks = looks;
        looks.push(1_000_000);
        for now in looks {
            for (one, due) in &waiting {
                let id: usize = one.record.parse().unwrap();
                let told = last(id, now).map(at);
                let ended = end(one.at, *due, told, at(now));
                prop_assert_eq!(told.is_some(), matches!(ended, End::Came | End::Late), "never a gap for what came");
                prop_assert_eq!(ended == End::Missed, told.is_none() && *due <= at(now));
                prop_assert!(*due >= one.at + WINDOW);
            }
        }
        for (id, (_, delays)) in records.iter().enumerate() {
            let waited = waiting.keys().any(|one| one.record == id.to_string());
            prop_assert!(!delays.is_empty() || waited, "what was lost is found");
        }
    }
}
