//! Webhooks on: deliveries to the user's own applications, and retries of many.

use crate::Failure;
use crate::load;
use crate::receiver::Receiver;
use crate::report::{Report, Row, shown};
use crate::stats::{Spread, ms, percentile_ms};
use crate::wire::Wire;
use crate::world::{Watched, World};
use http::Method;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Executor as _, PgConnection};
use std::time::{Duration, Instant};

/// Endpoints that share the deliveries.
const ENDPOINTS: usize = 4;
const PATIENCE: Duration = Duration::from_secs(120);

/// Measures it.
pub async fn run(world: &World, report: &mut Report) -> Result<(), Failure> {
    deliveries(world, report).await?;
    super::failed::run(world, report).await
}

async fn endpoint(api: &mut Wire, name: &str, receiver: &Receiver) -> Result<String, Failure> {
    let url = format!("http://{}/{name}", receiver.address);
    let new = json!({ "name": name, "url": url, "concurrency": 32 });
    let made = api.send(Method::POST, "/api/v1/endpoints", &new).await?;
    Ok(made["id"].as_str().ok_or("an endpoint without id")?.to_owned())
}

async fn deliveries(world: &World, report: &mut Report) -> Result<(), Failure> {
    let events = world.pick(10_000, 500);
    println!(
        "  how: {ENDPOINTS} endpoints at one receiver in this process, each gets every event; {events} events while they are switched \
         off, then all are switched on: from the first arrival to the last. Then 500 webhooks a second for 10 s to one endpoint: from \
         the moment in the body, made as it is sent, to its arrival"
    );
    let watched = world.watched("deliveries", world.pick(2_000, 200)).await?;
    let mut api = watched.linewatch.api().await?;
    let receiver = Receiver::start().await?;
    let mut ids = Vec::new();
    for n in 0..ENDPOINTS {
        ids.push(endpoint(&mut api, &format!("app-{n}"), &receiver).await?);
    }
    let mut rates = Vec::new();
    for _ in 0..world.runs() {
        switch(&mut api, &ids, false).await?;
        let before = receiver.take().len();
        let sent = sent(&watched, events).await?;
        switch(&mut api, &ids, true).await?;
        receiver.until(sent * ENDPOINTS, PATIENCE).await?;
        let arrivals = receiver.take();
        let (first, last) = (arrivals.first(), arrivals.last());
        let took = first.zip(last).map_or(Duration::ZERO, |(first, last)| last.at - first.at);
        println!("    {} deliveries in {:.2} s (before: {before})", arrivals.len(), took.as_secs_f64());
        #[expect(clippy::cast_precision_loss, reason = "some ten thousands")]
        rates.push(arrivals.len() as f64 / took.as_secs_f64());
    }
    report.add(vec![Row::at_least("deliveries_per_s", "1/s", Spread::of(rates), 6_000.0)]);

    for id in &ids[1..] {
        api.send(Method::DELETE, &format!("/api/v1/endpoints/{id}"), &json!({})).await?;
    }
    let mut p99s = Vec::new();
    for _ in 0..world.runs() {
        receiver.take();
        let done = load::open(&watched.target(), 500, Duration::from_secs(world.pick(10, 2))).await?;
        receiver.until(done.times.len(), PATIENCE).await?;
        let mut times: Vec<_> = receiver.take().into_iter().map(|arrival| arrival.after).collect();
        println!("    p50 {} ms", shown(percentile_ms(&mut times, 0.5)));
        p99s.push(percentile_ms(&mut times, 0.99));
    }
    report.add(vec![Row::at_most("delivery_p99_ms", "ms", Spread::of(p99s), 30.0)]);
    retries(world, report, &watched, &receiver, &ids[0]).await?;
    watched.linewatch.stop().await
}

async fn switch(api: &mut Wire, ids: &[String], enabled: bool) -> Result<(), Failure> {
    for id in ids {
        api.send(Method::PATCH, &format!("/api/v1/endpoints/{id}"), &json!({ "enabled": enabled })).await?;
    }
    Ok(())
}

/// Sends about so many webhooks, and waits until all are processed; how many those were.
async fn sent(watched: &Watched, about: usize) -> Result<usize, Failure> {
    let rate = 2_500;
    #[expect(clippy::cast_precision_loss, reason = "some ten thousands")]
    let lasts = Duration::from_secs_f64(about as f64 / f64::from(rate));
    let done = load::open(&watched.target(), rate, lasts).await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    Ok(done.times.len())
}

async fn retries(
    world: &World,
    report: &mut Report,
    watched: &Watched,
    receiver: &Receiver,
    endpoint: &str,
) -> Result<(), Failure> {
    let many = world.pick(10_000_i64, 500);
    println!(
        "  how: {many} deliveries that failed, by SQL; the preview asked ten times (p95); then all at 10,000 a second until the retry is \
         done; the door's p99 at 500/s meanwhile over its p99 just before; then the same again, cancelled after a second: from the \
         request until nothing more arrives"
    );
    let mut api = watched.linewatch.api().await?;
    let mut db = world.postgres.connect("deliveries").await?;
    let filter = json!({ "kind": ["delivery"], "endpoint": endpoint });
    let (mut previews, mut dones, mut shares, mut cancels) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..world.runs() {
        fail(&mut db, endpoint, many).await?;
        let mut times = Vec::new();
        for _ in 0..10 {
            let began = Instant::now();
            let wish = json!({ "filter": filter, "dry_run": true });
            let preview = api.send(Method::POST, "/api/v1/retries", &wish).await?;
            times.push(began.elapsed());
            if preview["total"] != many {
                return Err(format!("the preview says {} of {many}", preview["total"]).into());
            }
        }
        previews.push(percentile_ms(&mut times, 0.95));
        let lasts = Duration::from_secs(world.pick(4, 1));
        let mut alone = load::open(&watched.target(), 500, lasts).await?;
        let began = Instant::now();
        let wish = json!({ "filter": filter, "rate": 10_000 });
        let retry = api.send(Method::POST, "/api/v1/retries", &wish).await?;
        let target = watched.target();
        let (beside, took) =
            tokio::try_join!(load::open(&target, 500, lasts), ended(&watched.linewatch, &retry, began))?;
        let mut beside = beside;
        dones.push(took.as_secs_f64());
        shares.push(percentile_ms(&mut beside.times, 0.99) / percentile_ms(&mut alone.times, 0.99));

        fail(&mut db, endpoint, many).await?;
        let wish = json!({ "filter": filter, "rate": 1_000 });
        let retry = api.send(Method::POST, "/api/v1/retries", &wish).await?;
        tokio::time::sleep(Duration::from_secs(1)).await;
        let began = Instant::now();
        api.send(Method::DELETE, &format!("/api/v1/retries/{}", id(&retry)?), &json!({})).await?;
        receiver.take();
        tokio::time::sleep(Duration::from_secs(2)).await;
        let last = receiver.take().last().map_or(Duration::ZERO, |last| last.at.saturating_duration_since(began));
        cancels.push(ms(last));
        db.execute("delete from delivery where failed_at is not null").await?;
    }
    report.add(vec![
        Row::at_most("retry_preview_p95_ms", "ms", Spread::of(previews), 100.0),
        Row::at_most("retry_done_s", "s", Spread::of(dones), 15.0),
        Row::at_most("retry_cancel_ms", "ms", Spread::of(cancels), 1_000.0),
        Row::at_most("retry_door_p99_times", "times", Spread::of(shares), 2.0),
    ]);
    receiver.answer(200);
    Ok(())
}

fn id(thing: &Value) -> Result<&str, Failure> {
    thing["id"].as_str().ok_or_else(|| format!("without id: {thing}").into())
}

async fn ended(linewatch: &crate::linewatch::Linewatch, retry: &Value, began: Instant) -> Result<Duration, Failure> {
    let mut api = linewatch.api().await?;
    let path = format!("/api/v1/retries/{}", id(retry)?);
    loop {
        let retry = api.get(&path).await?.json()?;
        if retry["state"] == "done" {
            return Ok(began.elapsed());
        }
        if began.elapsed() > PATIENCE {
            return Err(format!("a retry is not done: {retry}").into());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Lets so many deliveries of events that are there have failed for good.
async fn fail(db: &mut PgConnection, endpoint: &str, many: i64) -> Result<(), Failure> {
    let sql = format!(
        "insert into delivery (id, received_at, event_id, endpoint_id, connection_id, kind, state, started_at, duration_ms, status,
                               failed_at, error_class, error_message, tries, attempts)
         select (substr(n.id::text, 1, 24) || lpad(to_hex((random() * 281474976710655)::int8), 12, '0'))::uuid, n.received_at, n.id,
                '{endpoint}', n.connection_id, n.kind, 'failed', n.started_at, 3, 500, n.started_at, 'http_500', 'Answered 500', 1,
                jsonb_build_array(jsonb_build_object('attempt', 1, 'n', 1, 'trigger', 'arrival', 'by', null, 'started_at', n.started_at,
                    'duration_ms', 3, 'outcome', 'failed', 'status', 500, 'error', jsonb_build_object('class', 'http_500',
                    'message', 'Answered 500'), 'answer', null) - 'attempt')
         from event_end n order by n.received_at desc limit {many}"
    );
    let done = db.execute(AssertSqlSafe(sql)).await?.rows_affected();
    db.execute("analyze delivery").await?;
    if i64::try_from(done)? == many { Ok(()) } else { Err(format!("{done} of {many} events are there").into()) }
}
