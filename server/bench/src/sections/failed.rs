//! Many events: the failed list over them, the door beside them, letting go of them by retention, and catching up with them.

use super::{mb, stored, watching};
use crate::Failure;
use crate::linewatch::Linewatch;
use crate::report::{Report, Row, shown};
use crate::stats::{Spread, percentile_ms};
use crate::world::World;
use http::Method;
use serde_json::json;
use sqlx::{AssertSqlSafe, Executor as _, PgConnection};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(120);

/// Where the many events lie.
const DATABASE: &str = "failed";

/// Measures it.
pub async fn run(world: &World, report: &mut Report) -> Result<(), Failure> {
    let events: i64 = world.pick(10_000_000, 20_000);
    println!(
        "  how: {events} events with their ends over 10 days, by SQL, of which one in 500 failed; the failed list, 50 rows, of seven \
         shapes, one question after the other: the slowest shape's p95. Later events are kept for 11 days less, and Linewatch is started \
         again: from the first partition that is gone to the last"
    );
    let linewatch = world.serve(DATABASE).await?;
    crate::seed::sources(&linewatch).await?;
    let mut db = world.postgres.connect(DATABASE).await?;
    crate::seed::connections(&mut db, 0, 1_000).await?;
    let began = Instant::now();
    crate::seed::events(&mut db, events).await?;
    world.postgres.checkpoint().await?;
    println!("    made in {:.0} s", began.elapsed().as_secs_f64());
    list(world, report, &linewatch, &mut db).await?;
    // what fails here need not keep the rest from being measured
    let beside = stored::run(world, report, &linewatch, DATABASE).await;
    retention(world, report, linewatch, &mut db).await?;
    backlog(world, report).await?;
    beside
}

async fn list(world: &World, report: &mut Report, linewatch: &Linewatch, db: &mut PgConnection) -> Result<(), Failure> {
    let connection: String =
        sqlx::query_scalar("select connection_id::text from event_end where state = 'failed' limit 1")
            .fetch_one(db)
            .await?;
    let since =
        (crate::webhook::now() - chrono::TimeDelta::hours(30)).to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    let shapes = [
        String::new(),
        "kind=processing".to_owned(),
        "kind=delivery".to_owned(),
        "error=unknown_connection".to_owned(),
        "source=bench".to_owned(),
        format!("since={since}"),
        format!("connection={connection}"),
    ];
    let mut api = linewatch.api().await?;
    let mut runs = Vec::new();
    for _ in 0..world.runs() {
        let mut slowest = 0.0_f64;
        for shape in &shapes {
            let mut times = Vec::new();
            for _ in 0..22 {
                times.push(api.get(&format!("/api/v1/failures?{shape}")).await?.took);
            }
            let p95 = percentile_ms(&mut times[2..], 0.95);
            println!("    {} {} ms", if shape.is_empty() { "no filter" } else { shape }, shown(p95));
            slowest = slowest.max(p95);
        }
        runs.push(slowest);
    }
    report.add(vec![Row::at_most("failed_list_p95_10m_ms", "ms", Spread::of(runs), 25.0)]);
    Ok(())
}

async fn retention(
    world: &World,
    report: &mut Report,
    linewatch: Linewatch,
    db: &mut PgConnection,
) -> Result<(), Failure> {
    // what failed would be kept
    db.execute("update event_end set state = 'processed', failed_at = null where state = 'failed'").await?;
    let mut api = linewatch.api().await?;
    api.send(Method::PATCH, "/api/v1/retention", &json!({ "events_days": 1 })).await?;
    linewatch.stop().await?;
    world.postgres.checkpoint().await?;
    let old = "select count(*) from pg_class where relkind = 'r' and relname ~ '^event_(end_)?[0-9]{8}$' \
               and to_date(right(relname, 8), 'YYYYMMDD') < (now() at time zone 'UTC')::date - 1";
    let all: i64 = sqlx::query_scalar(old).fetch_one(&mut *db).await?;
    let again = world.serve_again(DATABASE);
    let watch = async {
        let (mut first, began) = (None, Instant::now());
        loop {
            let left: i64 = sqlx::query_scalar(old).fetch_one(&mut *db).await?;
            if left < all && first.is_none() {
                first = Some(Instant::now());
            }
            if left == 0 {
                return Ok::<_, Failure>(first.map_or(Duration::ZERO, |first| first.elapsed()));
            }
            if began.elapsed() > PATIENCE {
                return Err(format!("{left} of {all} old partitions are still there").into());
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let (linewatch, took) = tokio::try_join!(again, watch)?;
    println!("    {all} partitions");
    report.add(vec![Row::at_most("retention_drop_10m_s", "s", Spread::of([took.as_secs_f64()]), 1.0)]);
    linewatch.stop().await
}

async fn backlog(world: &World, report: &mut Report) -> Result<(), Failure> {
    let events: i64 = world.pick(1_000_000, 10_000);
    println!(
        "  how: {events} webhooks of good syncs over 1,000 connections that were received and not processed, by SQL; Linewatch is started, \
         and the most that VmRSS of /proc shows until a fifth of them is processed, and how fast that went"
    );
    let linewatch = world.serve("backlog").await?;
    crate::seed::sources(&linewatch).await?;
    let mut db = world.postgres.connect("backlog").await?;
    crate::seed::connections(&mut db, 0, 1_000).await?;
    linewatch.stop().await?;
    let sql = format!(
        "set synchronous_commit = off;
         with known as materialized (select key, row_number() over () - 1 as k from connection),
         made as materialized (
             select (lpad(to_hex((extract(epoch from now()) * 1000)::int8), 12, '0') || '70008007' || lpad(to_hex(n), 12, '0'))::uuid as id, n
             from generate_series(1, {events}) n),
         came as (insert into event (id, received_at, source_id, occurred_at, webhook_id, headers, body)
                  select id, now(), (select id from source where name = 'bench'), now(), 'evt_' || n, '[]',
                         convert_to('{{\"id\":\"evt_' || n || '\",\"event\":\"sync.completed\",\"timestamp\":\"' || to_char(now() at time zone 'UTC',
                         'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') || '\",\"connection_id\":\"' || key || '\",\"data\":{{}}}}', 'UTF8')
                  from made join known on k = n % 1000)
         insert into event_due (due_at, event_id, received_at) select now(), id, now() from made;
         analyze event; analyze event_due"
    );
    db.execute(AssertSqlSafe(sql)).await?;
    world.postgres.checkpoint().await?;
    let linewatch = world.serve_again("backlog").await?;
    let began = Instant::now();
    let fifth = async {
        loop {
            let left: i64 = sqlx::query_scalar("select count(*) from event_due").fetch_one(&mut db).await?;
            if left <= events * 4 / 5 {
                return Ok(events - left);
            }
            if began.elapsed() > PATIENCE {
                return Err(format!("{left} of {events} still wait").into());
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    };
    let (done, held) = watching(fifth, Duration::from_millis(250), async || linewatch.process.memory()).await?;
    #[expect(clippy::cast_precision_loss, reason = "a million")]
    let rate = done as f64 / began.elapsed().as_secs_f64();
    println!("    {} processed a second", shown(rate));
    report.add(vec![Row::at_most("memory_backlog_mb", "MB", Spread::of(held.into_iter().max().map(mb)), 200.0)]);
    linewatch.stop().await
}
