//! The story: on, off, on again.

use crate::support::{Bench, calm, eventually};
use reqwest::Method;
use serde_json::json;
use simulator::Options;
use std::time::Duration;

fn lively() -> Options {
    Options {
        connections: 60,
        story: true,
        time_scale: 600.0,
        max_cadence: Duration::from_secs(1800),
        sync_backoff_max: Duration::from_secs(1),
        ..calm()
    }
}

#[tokio::test]
async fn the_first_day_has_a_cast() {
    let bench = Bench::start(Options { time_scale: 60.0, ..lively() }).await;
    let count = |status| bench.makini.connections().iter().filter(|one| one.status == status).count();
    assert_eq!((count("pending"), count("inactive"), count("synchronizing")), (1, 1, 2));
    let trouble = || bench.makini.connections().into_iter().find(|one| one.reauthorization_required);
    let first = eventually("the first changed password", trouble).await;
    bench.inbox.wait_for(&first.key, "connection.reauthorization_required").await;
    assert!(!first.touched);
}

#[tokio::test]
async fn off_settles_everything_that_nobody_acted_upon() {
    let bench = Bench::start(lively()).await;
    eventually("some trouble", || bench.makini.connections().into_iter().find(|one| one.status == "error")).await;
    let mine = bench.makini.connections().into_iter().find(|one| one.status == "active").expect("a healthy one").key;
    bench.act(&mine, "change_credentials").await;
    let stop = bench.control(Method::POST, "/_sim/story", json!({ "running": false })).await;
    assert_eq!(stop.status(), 204);
    for one in bench.makini.connections() {
        let healthy = matches!(one.status, "active" | "in_progress") && !one.reauthorization_required && !one.stalled;
        assert_eq!(healthy, one.key != mine, "{one:?}");
    }
    let state = bench.get("/_sim/state").await;
    assert_eq!(state["story"], false);
    let beats = bench.makini.counters().story_beats;
    eventually("a good sync of everybody", || {
        let all = bench.makini.connections();
        all.iter().all(|one| one.last_successful_sync_at.is_some()).then_some(())
    })
    .await;
    assert_eq!(bench.makini.counters().story_beats, beats);
    let start = bench.control(Method::POST, "/_sim/story", json!({ "running": true })).await;
    assert_eq!(start.status(), 204);
    eventually("more of the story", || (bench.makini.counters().story_beats > beats).then_some(())).await;
    assert!(bench.makini.connection(&mine).expect("there").reauthorization_required, "mine is left alone");
}

#[tokio::test]
async fn without_a_story_all_are_healthy_and_sync_in_their_cadence() {
    let bench = Bench::start(Options { story: false, time_scale: 1_800.0, ..lively() }).await;
    assert!(bench.makini.connections().iter().all(|one| one.cadence_seconds <= 1.0));
    let key = bench.key(0);
    eventually("five good syncs", || (bench.inbox.about(&key).len() >= 5).then_some(())).await;
    let ends: Vec<_> = bench
        .makini
        .deliveries()
        .into_iter()
        .filter(|one| one.connection_id == key && one.event == "sync.completed")
        .map(|one| one.created_at)
        .collect();
    for pair in ends.windows(2) {
        // Planned within one second; the rest is for a busy machine.
        assert!((pair[0] - pair[1]).num_milliseconds() < 1_500, "{ends:?}");
    }
    assert_eq!(bench.makini.counters().syncs_failed, 0);
}
