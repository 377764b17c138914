//! Maintenance.

use chrono::{DateTime, Utc};
use model::{Maintenance, MaintenanceId, Recurrence, Scope};
use sqlx::{PgConnection, Result, types::Json};

/// Maintenance that is not over; when it is, is for who asks to say.
pub async fn live(conn: &mut PgConnection, now: DateTime<Utc>) -> Result<Vec<Maintenance>> {
    let rows = sqlx::query!(
        r#"select id, scope as "scope: Json<Scope>", by_name, reason, starts_at, ends_at,
                  recurrence as "recurrence: Json<Recurrence>"
           from maintenance where ends_at > $1 order by starts_at, id"#,
        now
    )
    .fetch_all(conn)
    .await?;
    let all = rows.into_iter().map(|row| Maintenance {
        id: MaintenanceId(row.id),
        scope: row.scope.0,
        by: row.by_name,
        reason: row.reason,
        starts_at: row.starts_at,
        ends_at: row.ends_at,
        recurrence: row.recurrence.map(|recurrence| recurrence.0),
        active: false,
        next_at: None,
        coming: Vec::new(),
    });
    Ok(all.collect())
}

/// Keeps maintenance.
pub async fn create(conn: &mut PgConnection, new: &Maintenance, now: DateTime<Utc>) -> Result<()> {
    sqlx::query!(
        "insert into maintenance (id, scope, by_name, reason, starts_at, ends_at, recurrence, created_at) \
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        new.id.0,
        serde_json::json!(new.scope),
        new.by,
        new.reason,
        new.starts_at,
        new.ends_at,
        new.recurrence.as_ref().map(|recurrence| serde_json::json!(recurrence)),
        now
    )
    .execute(conn)
    .await
    .map(drop)
}

/// Ends maintenance now; one that has not begun is taken away. False if none is there that is not over.
pub async fn end(conn: &mut PgConnection, id: MaintenanceId, now: DateTime<Utc>) -> Result<bool> {
    let gone = sqlx::query!("delete from maintenance where id = $1 and starts_at >= $2", id.0, now)
        .execute(&mut *conn)
        .await?;
    let ended = sqlx::query!("update maintenance set ends_at = $2 where id = $1 and ends_at > $2", id.0, now)
        .execute(conn)
        .await?;
    Ok(gone.rows_affected() + ended.rows_affected() == 1)
}
