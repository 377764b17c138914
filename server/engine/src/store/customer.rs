//! Customers and platforms, as upstream's list names them.

use crate::clock::new_id;
use chrono::{DateTime, Utc};
use model::CustomerId;
use sqlx::{PgConnection, Result};
use std::collections::HashMap;

/// Finds or adds customers by key, keeps their names current, and answers their ids.
pub async fn ensure(
    conn: &mut PgConnection,
    wanted: &[(String, String)],
    now: DateTime<Utc>,
) -> Result<HashMap<String, CustomerId>> {
    let mut wanted = wanted.to_vec();
    // sorted and once each: rows are locked in one order, and a statement may touch a row only once
    wanted.sort();
    wanted.dedup_by(|a, b| a.0 == b.0);
    let keys: Vec<_> = wanted.iter().map(|(key, _)| key.clone()).collect();
    sqlx::query!(
        "insert into customer as c (id, key, name, created_at) select * from unnest($1::uuid[], $2::text[], $3::text[]) as n (id, key, name), \
         (select $4::timestamptz) as t (at) on conflict (key) do update set name = excluded.name where c.name <> excluded.name",
        &keys.iter().map(|_| new_id()).collect::<Vec<_>>(),
        &keys,
        &wanted.iter().map(|(_, name)| name.clone()).collect::<Vec<_>>(),
        now
    )
    .execute(&mut *conn)
    .await?;
    let rows = sqlx::query!("select id, key from customer where key = any($1)", &keys).fetch_all(conn).await?;
    Ok(rows.into_iter().map(|row| (row.key, CustomerId(row.id))).collect())
}

/// Adds platforms by slug and keeps their names current.
pub async fn ensure_platforms(conn: &mut PgConnection, wanted: &[(String, String)]) -> Result<()> {
    let mut wanted = wanted.to_vec();
    wanted.sort();
    wanted.dedup_by(|a, b| a.0 == b.0);
    sqlx::query!(
        "insert into platform as p (slug, name) select * from unnest($1::text[], $2::text[]) \
         on conflict (slug) do update set name = excluded.name where p.name <> excluded.name",
        &wanted.iter().map(|(slug, _)| slug.clone()).collect::<Vec<_>>(),
        &wanted.iter().map(|(_, name)| name.clone()).collect::<Vec<_>>()
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Platforms that have connections, by name.
pub async fn platforms(conn: &mut PgConnection) -> Result<Vec<model::PlatformRef>> {
    sqlx::query_as!(
        model::PlatformRef,
        "select p.slug, p.name from platform p \
         where exists (select from connection c where c.platform_slug = p.slug and c.removed_at is null) order by p.name, p.slug"
    )
    .fetch_all(conn)
    .await
}
