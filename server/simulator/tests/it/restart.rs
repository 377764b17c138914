//! What survives a restart, and what does not.

use crate::support::{Bench, Inbox, calm, eventually};
use reqwest::Method;
use simulator::{DeliveryStatus, Options};
use std::os::unix::fs::PermissionsExt;

#[tokio::test]
async fn state_tokens_and_waiting_webhooks_survive() {
    let directory = tempfile::tempdir().expect("a directory");
    let options = Options { data_dir: Some(directory.path().join("sim")), ..calm() };
    let bench = Bench::start(options.clone()).await;
    let (broken, gone) = (bench.key(0), bench.key(1));
    bench.inbox.answer(500);
    bench.act(&broken, "change_credentials").await;
    bench.act(&gone, "delete").await;
    eventually("the first attempt", || bench.makini.deliveries().into_iter().find(|one| one.attempts.len() == 1)).await;
    let waiting = bench.makini.deliveries().remove(0);
    let (admin, inbox) = (bench.admin.clone(), bench.inbox.clone());
    bench.makini.shutdown().await;
    let file = directory.path().join("sim/simulator.json");
    assert_eq!(std::fs::metadata(&file).expect("a file").permissions().mode() & 0o777, 0o600);

    let again = simulator::start(options.clone()).await.expect("a simulator");
    let state = again.connection(&broken).expect("there");
    assert!(state.reauthorization_required && state.touched);
    assert!(again.connection(&gone).is_none());
    let kept = again.deliveries().into_iter().find(|one| one.id == waiting.id).expect("the waiting webhook");
    assert_eq!((kept.status, kept.body), (DeliveryStatus::Pending, waiting.body));
    let mut bench = Bench::around(again, inbox).await;
    bench.admin = admin;
    bench.inbox.answer(200);
    let answer = bench.ask(Method::GET, "/api/v1/connections").send().await.expect("an answer");
    assert_eq!(answer.status(), 200, "the old token still is good");
    let path = format!("/api/system/webhooks/deliveries/{}/retry", waiting.id);
    assert_eq!(bench.ask(Method::POST, &path).send().await.expect("an answer").status(), 202);
    eventually("the webhook from before", || bench.inbox.about(&broken).into_iter().nth(1)).await;
    bench.makini.shutdown().await;

    let other = simulator::start(Options { seed: 8, ..options }).await.expect("a simulator");
    assert!(other.connections().iter().all(|one| !one.touched), "another seed is another world");
}

#[tokio::test]
async fn a_kill_loses_a_second_and_a_broken_file_nothing_more() {
    let directory = tempfile::tempdir().expect("a directory");
    let options = Options { data_dir: Some(directory.path().to_owned()), ..calm() };
    let bench = Bench::start(options.clone()).await;
    let key = bench.key(0);
    bench.act(&key, "change_credentials").await;
    let file = directory.path().join("simulator.json");
    eventually("a save without a shutdown", || {
        let text = std::fs::read_to_string(&file).ok()?;
        let saved: serde_json::Value = serde_json::from_str(&text).expect("never half a file");
        (saved["lives"][0]["touched"] == true).then_some(())
    })
    .await;
    drop(bench);
    let again = simulator::start(options.clone()).await.expect("a simulator");
    assert!(again.connection(&key).expect("there").reauthorization_required);
    drop(again);
    std::fs::write(&file, "{").expect("written");
    let anew = simulator::start(options).await.expect("a simulator all the same");
    assert!(!anew.connection(&key).expect("there").reauthorization_required);
}

#[tokio::test]
async fn a_taken_port_is_said_so() {
    let bench = Bench::around(simulator::start(calm()).await.expect("a simulator"), Inbox::open().await).await;
    let error = simulator::start(Options { listen: bench.makini.addr(), ..calm() }).await.expect_err("taken");
    assert!(error.to_string().contains("cannot listen on 127.0.0.1"));
}
