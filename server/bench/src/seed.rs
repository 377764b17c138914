//! Many connections at once, by SQL straight into the schema: to see how Linewatch answers over them, not how they come.

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
