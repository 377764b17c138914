//! Many connections and events at once, by SQL straight into the schema: to see how Linewatch answers over them, not how they come.

use crate::Failure;
use crate::linewatch::{Linewatch, SOURCE};
use serde_json::json;
use sqlx::{AssertSqlSafe, Executor as _, PgConnection};

/// See the file.
const SQL: &str = include_str!("seed.sql");
/// From so many new rows on, indexes are made anew afterwards instead of row by row.
const MANY: u32 = 50_000;

/// Adds the two sources that the connections are of. They are never polled.
pub async fn sources(linewatch: &Linewatch) -> Result<(), Failure> {
    for name in [SOURCE, "second"] {
        let settings = json!({ "enabled": false, "proof_allowance_seconds": 86_400, "cadence_seconds": 86_400 });
        linewatch.add_source(name, "http://127.0.0.1:9", settings).await?;
    }
    Ok(())
}

/// Adds connections, from so many to so many in all.
pub async fn connections(db: &mut PgConnection, from: u32, to: u32) -> Result<(), Failure> {
    let indexes = if to - from >= MANY { indexes(db).await? } else { Vec::new() };
    db.execute("set synchronous_commit = off; set wal_compression = off; set maintenance_work_mem = '512MB'; begin")
        .await?;
    for (name, _) in &indexes {
        execute(db, format!("drop index {name}")).await?;
    }
    execute(db, SQL.replace(":from", &from.to_string()).replace(":to", &to.to_string())).await?;
    for (_, definition) in indexes {
        execute(db, definition).await?;
    }
    db.execute("drop function pg_temp.word; drop function pg_temp.id; drop function pg_temp.dice; commit").await?;
    for table in ["connection", "connection_proof", "customer", "transition"] {
        execute(db, format!("vacuum (analyze) {table}")).await?;
    }
    let (rows,): (i64,) = sqlx::query_as("select count(*) from connection").fetch_one(&mut *db).await?;
    if rows != i64::from(to) {
        return Err(format!("{rows} connections instead of {to} were made").into());
    }
    // by triggers, so of what came by SQL too; Linewatch folds it within seconds
    let kept = "select sum(n)::int8 from (select * from connection_count union all select * from connection_count_delta) c where tag = ''";
    let (kept,): (i64,) = sqlx::query_as(kept).fetch_one(&mut *db).await?;
    if kept == rows { Ok(()) } else { Err(format!("{kept} connections are counted instead of {rows}").into()) }
}

/// Adds so many events with their ends, spread over the ten days before today, a tenth on each; one in 500 failed. Nobody has to
/// read them, so their bodies are short.
pub async fn events(db: &mut PgConnection, events: i64) -> Result<(), Failure> {
    db.execute("set synchronous_commit = off").await?;
    for day in 1..=10 {
        for table in ["event", "event_end"] {
            let sql = format!(
                "do $$ declare d date := (now() at time zone 'UTC')::date - {day}; begin
                     execute format('create table if not exists {table}_%s partition of {table} for values from (%L) to (%L)',
                         to_char(d, 'YYYYMMDD'), d || ' 00:00:00+00', d + 1 || ' 00:00:00+00'); end $$"
            );
            execute(db, sql).await?;
        }
        let sql = format!(
            "with made as materialized (
                 select (lpad(to_hex((extract(epoch from at) * 1000)::int8), 12, '0') || '70008008' || lpad(to_hex(n), 12, '0'))::uuid as id, at, n
                 from (select n, (((now() at time zone 'UTC')::date - {day}) + n * interval '1 day' / {each}) at time zone 'UTC' as at
                       from generate_series(0, {each} - 1) n) t),
             known as materialized (select id, row_number() over () - 1 as k from connection),
             came as (insert into event (id, received_at, source_id, occurred_at, webhook_id, headers, body)
                      select id, at, (select id from source where name = 'bench'), at, 'evt_' || n, '[]', '{{\"event\":\"sync.completed\"}}' from made)
             insert into event_end (id, received_at, started_at, connection_id, duration_ms, state, kind, attempts, failed_at)
             select m.id, at, at, s.id, 1, case when n % 500 = 0 then 'failed' else 'processed' end, 'sync.completed',
                    case when n % 500 = 0 then jsonb_build_array(jsonb_build_object('n', 1, 'trigger', 'arrival', 'by', null, 'started_at', at,
                        'duration_ms', 1, 'outcome', 'failed', 'status', null, 'error', jsonb_build_object('class', 'unknown_connection',
                        'message', 'No round has listed the connection that this event is about'))) end,
                    case when n % 500 = 0 then at end
             from made m join known s on s.k = (m.n / 500) % 1000",
            each = events / 10
        );
        execute(db, sql).await?;
    }
    db.execute("vacuum (analyze) event_end").await?;
    // no autovacuum comes by while something is measured
    db.execute("vacuum (analyze) event").await?;
    Ok(())
}

/// Gives the events that came by SQL the keys that tell them from repeats, as the door would have; how many there are now.
pub async fn keys(db: &mut PgConnection) -> Result<i64, Failure> {
    // indexes are made anew, which is quicker; as full as one becomes into which keys fall at random
    db.execute(
        "set synchronous_commit = off; set maintenance_work_mem = '512MB'; begin;
         alter table event_key drop constraint event_key_pkey;
         drop index event_key_age;
         insert into event_key (key_hash, event_id, body_hash, received_at)
         select md5(id::text)::uuid, id, md5('body of ' || id)::uuid, received_at from event where key_hash is null;
         alter table event_key add primary key (key_hash) with (fillfactor = 70);
         create index event_key_age on event_key (received_at);
         commit",
    )
    .await?;
    db.execute("vacuum (analyze) event_key").await?;
    Ok(sqlx::query_scalar("select count(*) from event_key").fetch_one(db).await?)
}

/// The indexes of connections that hold no constraint: name and definition.
async fn indexes(db: &mut PgConnection) -> Result<Vec<(String, String)>, Failure> {
    let sql = "select i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) from pg_index i \
               where i.indrelid = 'connection'::regclass and not i.indisunique";
    Ok(sqlx::query_as(sql).fetch_all(db).await?)
}

async fn execute(db: &mut PgConnection, sql: String) -> Result<(), Failure> {
    db.execute(AssertSqlSafe(sql)).await?;
    Ok(())
}
