//! What is set by people, by name.

use chrono::{DateTime, Utc};
use model::Retention;
use sqlx::PgConnection;

const RETENTION: &str = "retention";

/// How long things are kept; the defaults, in version 0, where nobody has set anything.
pub async fn retention(conn: &mut PgConnection) -> sqlx::Result<Retention> {
    let row =
        sqlx::query!("select value, version from setting where name = $1", RETENTION).fetch_optional(conn).await?;
    let Some(row) = row else { return Ok(Retention::default()) };
    let mut kept: Retention = serde_json::from_value(row.value).map_err(|error| sqlx::Error::Decode(error.into()))?;
    kept.version = row.version;
    Ok(kept)
}

/// Sets how long things are kept, if nobody changed the version that was read. Answers the new version; none if somebody did.
pub async fn set_retention(
    conn: &mut PgConnection,
    new: &Retention,
    by: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar!(
        "insert into setting as kept (name, value, version, updated_at, by_name) values ($1, $2, $3::int8 + 1, $4, $5)
         on conflict (name) do update set value = excluded.value, version = excluded.version,
             updated_at = excluded.updated_at, by_name = excluded.by_name where kept.version = $3
         returning version",
        RETENTION,
        serde_json::json!(new),
        new.version,
        now,
        by,
    )
    .fetch_optional(conn)
    .await
}
