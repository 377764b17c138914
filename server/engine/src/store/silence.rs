//! Silences.

use chrono::{DateTime, Utc};
use model::{Silence, SilenceId, SilenceMatch};
use sqlx::{PgConnection, Result, types::Json};

/// Silences that are not over, the next to end first; without their words and counts.
pub async fn live(conn: &mut PgConnection, now: DateTime<Utc>) -> Result<Vec<Silence>> {
    let rows = sqlx::query!(
        r#"select id, matching as "matching: Json<SilenceMatch>", by_name, reason, starts_at, ends_at
           from silence where ends_at > $1 order by ends_at, id"#,
        now
    )
    .fetch_all(conn)
    .await?;
    let silences = rows.into_iter().map(|row| Silence {
        id: SilenceId(row.id),
        matching: row.matching.0,
        words: String::new(),
        by: row.by_name,
        reason: row.reason,
        starts_at: row.starts_at,
        ends_at: row.ends_at,
        muting: 0,
    });
    Ok(silences.collect())
}

/// Keeps a silence.
pub async fn create(conn: &mut PgConnection, silence: &Silence, now: DateTime<Utc>) -> Result<()> {
    sqlx::query!(
        "insert into silence (id, matching, by_name, reason, starts_at, ends_at, created_at) values ($1, $2, $3, $4, $5, $6, $7)",
        silence.id.0,
        serde_json::json!(silence.matching),
        silence.by,
        silence.reason,
        silence.starts_at,
        silence.ends_at,
        now
    )
    .execute(conn)
    .await
    .map(drop)
}

/// Ends a silence now; one that has not begun is taken away. False if none is there that is not over.
pub async fn end(conn: &mut PgConnection, id: SilenceId, now: DateTime<Utc>) -> Result<bool> {
    let gone =
        sqlx::query!("delete from silence where id = $1 and starts_at >= $2", id.0, now).execute(&mut *conn).await?;
    let ended =
        sqlx::query!("update silence set ends_at = $2 where id = $1 and ends_at > $2", id.0, now).execute(conn).await?;
    Ok(gone.rows_affected() + ended.rows_affected() == 1)
}

/// Marks those whose end is to be announced: they end in `(now, until]`, lasted longer than that, and were not announced yet.
pub async fn announce_ends(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<Vec<SilenceId>> {
    let ids = sqlx::query_scalar!(
        "update silence set told_at = $1 where told_at is null and ends_at > $1 and ends_at <= $2 \
         and ends_at - starts_at > 2 * ($2::timestamptz - $1::timestamptz) returning id",
        now,
        until
    )
    .fetch_all(conn)
    .await?;
    Ok(ids.into_iter().map(SilenceId).collect())
}
