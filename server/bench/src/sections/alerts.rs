//! Alerts: from a webhook to the message in Slack, a storm, and what a rule would have done.

use crate::Failure;
use crate::load::{self, send_all};
use crate::receiver::Receiver;
use crate::report::{Report, Row, shown};
use crate::seed;
use crate::stats::{Spread, percentile_ms};
use crate::webhook::{ERROR, SIGNATURE, about};
use crate::wire::Wire;
use crate::world::{Watched, World};
use http::{HeaderName, Method};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// More than Slack's second between two messages.
const PAUSE: Duration = Duration::from_millis(1_250);
const PATIENCE: Duration = Duration::from_secs(15);

/// Measures it.
pub async fn run(world: &World, report: &mut Report) -> Result<(), Failure> {
    super::pure::rules(world, report)?;
    told(world, report).await?;
    storm(world, report).await?;
    preview(world, report).await
}

/// One rule alone, told at once to a pretend Slack.
async fn one_rule(api: &mut Wire, slack: &Receiver, group_by: &str) -> Result<(), Failure> {
    let rules = api.get("/api/v1/rules").await?.json()?;
    for rule in rules["items"].as_array().into_iter().flatten() {
        let path = format!("/api/v1/rules/{}", rule["id"].as_str().unwrap_or_default());
        api.send(Method::PATCH, &path, &json!({ "enabled": false })).await?;
    }
    let rule = json!({
        "name": "bench", "when": { "kind": "connection_health", "health": ["failing"] }, "group_by": group_by, "hold_seconds": 0,
    });
    api.send(Method::POST, "/api/v1/rules", &rule).await?;
    let channel = json!({
        "name": "slack", "kind": "slack", "settings": { "webhook_url": format!("http://{}/services/T/B/x", slack.address) },
    });
    let channel = api.send(Method::POST, "/api/v1/channels", &channel).await?;
    let routes = api.get("/api/v1/routes").await?.json()?;
    for route in routes["items"].as_array().into_iter().flatten() {
        let path = format!("/api/v1/routes/{}", route["id"].as_str().unwrap_or_default());
        api.send(Method::DELETE, &path, &json!({})).await?;
    }
    let route = json!({ "name": "all", "channels": [channel["id"]], "first_wait_seconds": 0, "interval_seconds": 5 });
    api.send(Method::POST, "/api/v1/routes", &route).await?;
    Ok(())
}

async fn told(world: &World, report: &mut Report) -> Result<(), Failure> {
    let samples = world.pick(25, 3);
    println!(
        "  how: one rule, each alert by itself, first wait 0; {samples} connections a run, one every {} ms, each healthy until a webhook says \
         that its sync failed: from before the webhook is sent until the pretend Slack has the message; then the same beside 1,000 other \
         webhooks a second. p99 of so few is nearly their worst",
        PAUSE.as_millis()
    );
    let watched = world.watched("told", world.pick(2_000, 200)).await?;
    let slack = Receiver::start().await?;
    let mut api = watched.linewatch.api().await?;
    one_rule(&mut api, &slack, "subject").await?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let (mine, others) = watched.keys.split_at(watched.keys.len() / 2);
    let mut keys = mine.iter();
    let (mut p50s, mut p99s, mut busy) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..world.runs() {
        let mut times = tell(&watched, &slack, &mut keys, samples).await?;
        p50s.push(percentile_ms(&mut times, 0.5));
        p99s.push(percentile_ms(&mut times, 0.99));
        let mut target = watched.target();
        target.stream = std::sync::Arc::new(crate::webhook::Stream::of_good_syncs(others.to_vec()));
        let lasts = PAUSE * u32::try_from(samples)? + Duration::from_secs(2);
        let (_, mut times) =
            tokio::try_join!(load::open(&target, 1_000, lasts), tell(&watched, &slack, &mut keys, samples))?;
        println!("    busy: p50 {} ms", shown(percentile_ms(&mut times, 0.5)));
        busy.push(percentile_ms(&mut times, 0.99));
    }
    report.add(vec![
        Row::at_most("told_p50_ms", "ms", Spread::of(p50s), 15.0),
        Row::at_most("told_p99_ms", "ms", Spread::of(p99s), 50.0),
        Row::at_most("told_busy_p99_ms", "ms", Spread::of(busy), 250.0),
    ]);
    watched.linewatch.stop().await
}

async fn tell(
    watched: &Watched,
    slack: &Receiver,
    keys: &mut std::slice::Iter<'_, String>,
    samples: usize,
) -> Result<Vec<Duration>, Failure> {
    let mut makini = Wire::open(watched.simulator.address).await?;
    let mut door = Wire::open(watched.linewatch.address).await?;
    let mut times = Vec::new();
    for key in keys.by_ref().take(samples) {
        tokio::time::sleep(PAUSE).await;
        let action = format!("/_sim/connections/{key}/actions");
        makini.send(Method::POST, &action, &json!({ "action": "fail_sync" })).await?;
        slack.take();
        let (body, signature) = about(key, "sync.failed", ERROR);
        door.headers.insert(HeaderName::from_static(SIGNATURE), signature.parse()?);
        let began = Instant::now();
        door.ask(Method::POST, "/webhooks/bench", Some(("application/json", body))).await?;
        slack.until(1, PATIENCE).await.map_err(|error| format!("{key} was not told: {error}"))?;
        let first = slack.take();
        times.push(first[0].at - began);
    }
    Ok(times)
}

async fn storm(world: &World, report: &mut Report) -> Result<(), Failure> {
    let connections = world.pick(5_000, 200);
    println!(
        "  how: {connections} connections, told by rule, the route's interval 5 s; webhooks say within a second or so that all their syncs \
         failed: from the first webhook sent until the alert list and the last message agree that all were told; how many messages that took"
    );
    let watched = world.watched("storm", connections).await?;
    let slack = Receiver::start().await?;
    let mut api = watched.linewatch.api().await?;
    one_rule(&mut api, &slack, "rule").await?;
    let mut db = world.postgres.connect("storm").await?;
    let webhooks: Vec<_> = watched.keys.iter().map(|key| about(key, "sync.failed", ERROR)).collect();
    let began = Instant::now();
    send_all(watched.linewatch.address, "/webhooks/bench", webhooks, 64).await?;
    let sent = began.elapsed();
    let mut last = began;
    let left = "select (select count(*) from event_due) + (select count(*) from alert_touch) \
                + (select count(*) from alert where state <> 'resolved' and (tell_due_at is not null or due_at <= now())) \
                + (select count(*) from alert_group where changed_at is not null) \
                + (select count(*) from notification where state in ('pending', 'sending'))";
    let mut calm = 0;
    while calm < 3 {
        let left: i64 = sqlx::query_scalar(left).fetch_one(&mut db).await?;
        calm = if left == 0 { calm + 1 } else { 0 };
        if left > 0 {
            last = Instant::now();
        }
        if began.elapsed() > Duration::from_secs(60) {
            return Err(format!("{left} things are still to be told after a minute").into());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let messages = slack.take().len();
    println!("    sent within {:.2} s", sent.as_secs_f64());
    #[expect(clippy::cast_precision_loss, reason = "a few messages")]
    report.add(vec![
        Row::at_most("storm_told_s", "s", Spread::of([(last - began).as_secs_f64()]), 5.0),
        Row::at_most("storm_messages", "messages", Spread::of([messages as f64]), 10.0),
    ]);
    watched.linewatch.stop().await
}

async fn preview(world: &World, report: &mut Report) -> Result<(), Failure> {
    println!(
        "  how: connections with 100 transitions each over 90 days, by SQL; a rule over all of them replayed over 30 days, ten times"
    );
    for (connections, name, budget) in
        [(1_000, "preview_1k_ms", 300.0), (world.pick(10_000, 2_000), "preview_10k_ms", 2_000.0)]
    {
        let database = format!("preview{connections}");
        let linewatch = world.serve(&database).await?;
        seed::sources(&linewatch).await?;
        let mut db = world.postgres.connect(&database).await?;
        seed::connections(&mut db, 0, connections).await?;
        super::health::transitions(&mut db, 100).await?;
        let mut api = linewatch.api().await?;
        let wish = json!({ "days": 30, "rule": {
            "name": "bench", "when": { "kind": "connection_health", "health": ["failing", "offline"] }, "for_seconds": 300,
        }});
        let mut times = Vec::new();
        for _ in 0..world.pick(10, 2) {
            let began = Instant::now();
            let answer = api.send(Method::POST, "/api/v1/rules/preview", &wish).await?;
            times.push(began.elapsed());
            if answer["firings"].as_array().is_none_or(Vec::is_empty) || answer["alternatives"] == Value::Null {
                return Err(format!("nothing would have fired: {answer}").into());
            }
        }
        report.add(vec![Row::at_most(
            name,
            "ms",
            Spread::of(times.iter().map(|time| crate::stats::ms(*time))),
            budget,
        )]);
        linewatch.stop().await?;
    }
    Ok(())
}
