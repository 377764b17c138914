//! What is over for long enough goes: alerts that are resolved, and the messages about them with their attempts.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, Result};

/// Drops at most so many messages that were made before this and that nothing waits for: each ended, and all that it is about is over
/// for as long. How many it were.
pub async fn delete_notifications(conn: &mut PgConnection, before: DateTime<Utc>, most: i64) -> Result<u64> {
    let done = sqlx::query!(
        "delete from notification where id in ( \
           select n.id from notification n where n.created_at < $1 and n.state in ('sent', 'failed') and n.due_at is null \
           and not exists (select from alert a where a.id = any(n.alert_ids) \
             and (a.state <> 'resolved' or a.resolved_at >= $1 or a.tell_due_at is not null)) \
           and not exists (select from notification w where (w.instead_of = n.id or w.told_in = n.id or w.id = n.told_in) \
             and w.state in ('pending', 'sending')) \
           order by n.created_at, n.id limit $2 for update of n skip locked)",
        before,
        most
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

/// Drops at most so many alerts that were resolved before this, of which nothing is to be told any more and no message is kept. How many
/// it were. What was told of a group goes with the group, by who tells.
pub async fn delete_alerts(conn: &mut PgConnection, before: DateTime<Utc>, most: i64) -> Result<u64> {
    let done = sqlx::query!(
        "delete from alert where id in ( \
           select a.id from alert a where a.state = 'resolved' and a.resolved_at < $1 and a.tell_due_at is null \
           and not exists (select from alert_group g where g.alerts @> array[a.id]) \
           and not exists (select from notification n where n.alert_ids @> array[a.id]) \
           order by a.resolved_at limit $2 for update of a skip locked)",
        before,
        most
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}
