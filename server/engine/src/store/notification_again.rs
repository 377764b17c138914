//! Messages that rest as failed, tried once more by a retry of many.

use super::{notification::Leased, retry};
use chrono::{DateTime, Utc};
use model::{ChannelId, RetryId};
use sqlx::{PgConnection, Result};
use uuid::Uuid;

/// Lets these go, and answers which. Left out is whatever would be told twice by it, or by nobody: what does not rest, what is told
/// in a digest, what another channel told in its place or tells now, and what was to go by a channel that is away or off.
pub async fn release(
    conn: &mut PgConnection,
    ids: &[Uuid],
    by: &str,
    retry: RetryId,
    now: DateTime<Utc>,
) -> Result<Vec<Uuid>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    // A message and its copy are held together, so that two retries never let go one each; in one order always.
    sqlx::query_scalar!(
        "select id from notification where id = any(array(
             select unnest($1::uuid[])
             union select o.id from unnest($1::uuid[]) r (id) join notification o on o.instead_of = r.id and o.instead_of is not null
             union select o.instead_of from notification o where o.id = any($1) and o.instead_of is not null
         )) order by id for update",
        ids,
    )
    .fetch_all(&mut *conn)
    .await?;
    sqlx::query_scalar!(
        "update notification n set state = 'pending', due_at = $2, attempt = 0, by_name = $3, retry_id = $4, again_at = $2
         where n.id = any($1) and n.state = 'failed' and n.told_in is null and n.reason <> 'test'
           and exists (select from channel c where c.id = n.channel_id and c.enabled and c.removed_at is null)
           and not exists (select from notification o where o.instead_of = n.id and o.state <> 'failed')
           and not exists (select from notification o where o.id = n.instead_of and o.state <> 'failed')
         returning n.id",
        ids,
        now,
        by,
        retry.0,
    )
    .fetch_all(conn)
    .await
}

/// Channels that messages of a retry go by rest no longer: somebody wants them tried now. Once a retry, so that their pace is kept.
pub async fn wake_channels(conn: &mut PgConnection, retry: RetryId) -> Result<()> {
    sqlx::query!(
        "update channel set free_at = null where enabled and free_at is not null and id in (
             select n.channel_id from retry_item i join notification n on n.id = i.thing_id
             where i.retry_id = $1 and i.kind = 'notification')",
        retry.0,
    )
    .execute(conn)
    .await
    .map(drop)
}

/// A try has ended: well, or why not. So has the try of whatever was told in it.
pub async fn tried(conn: &mut PgConnection, leased: &Leased, why: Option<&str>, now: DateTime<Utc>) -> Result<()> {
    let inside = sqlx::query!(
        r#"with was as materialized (
               select id, retry_id from notification where told_in = $1 and retry_id is not null order by id for update
           ), freed as (
               update notification n set retry_id = null, by_name = null from was where n.id = was.id
           )
           select id as "id!", retry_id as "retry_id!" from was"#,
        leased.id.0,
    )
    .fetch_all(&mut *conn)
    .await?;
    let itself = leased.retry.map(|retry| (retry, leased.id.0));
    let all = itself.into_iter().chain(inside.into_iter().map(|row| (row.retry_id, row.id)));
    let ended: Vec<_> = all.map(|(retry, id)| (retry, id, why.map(str::to_owned))).collect();
    retry::ended(conn, &ended, now).await
}

/// What retries wait for by a channel is given up with it. Called before its messages are.
pub async fn given_up(conn: &mut PgConnection, channel: ChannelId, why: &str, now: DateTime<Utc>) -> Result<()> {
    let waiting = sqlx::query!(
        r#"with was as materialized (
               select id, retry_id from notification
               where channel_id = $1 and retry_id is not null and state in ('pending', 'sending') order by id for update
           ), freed as (
               update notification n set retry_id = null, by_name = null from was where n.id = was.id
           )
           select id as "id!", retry_id as "retry_id!" from was"#,
        channel.0,
    )
    .fetch_all(&mut *conn)
    .await?;
    let ended: Vec<_> = waiting.into_iter().map(|row| (row.retry_id, row.id, Some(why.to_owned()))).collect();
    retry::ended(conn, &ended, now).await
}
