//! By what means people are told. Secrets are in the vault.

use super::word;
use chrono::{DateTime, Utc};
use model::{AttemptError, Channel, ChannelHealth, ChannelId, ChannelKind, ChannelSettings, NewChannel, RouteId};
use sqlx::{PgConnection, Result, types::Json};

/// The channels, by name; `only`: this one. Their hints are the last characters of their newest secret.
pub async fn list(conn: &mut PgConnection, only: Option<ChannelId>) -> Result<Vec<Channel>> {
    let rows = sqlx::query!(
        r#"select c.id, c.name, c.kind, c.settings as "settings: Json<ChannelSettings>", c.fallback_id, c.enabled, c.failing_since,
                  c.last_sent_at, c.last_error as "last_error: Json<AttemptError>", c.version,
                  (select v.hint from vault_secret v where v.owner = c.id order by v.created_at desc, v.id desc limit 1) as hint,
                  (select count(*) from notification n where n.channel_id = c.id and n.due_at is not null) as "waiting!"
           from channel c where c.removed_at is null and ($1::uuid is null or c.id = $1) order by lower(c.name), c.id"#,
        only.map(|id| id.0)
    )
    .fetch_all(conn)
    .await?;
    let channels = rows.into_iter().map(|row| {
        let last_error = row.last_error.map(|error| error.0);
        let health = match (row.failing_since, row.last_sent_at) {
            (Some(_), _) => ChannelHealth::Failing,
            (None, Some(_)) => ChannelHealth::Healthy,
            (None, None) => ChannelHealth::Untried,
        };
        Ok(Channel {
            id: ChannelId(row.id),
            name: row.name,
            kind: word(&row.kind)?,
            settings: row.settings.0,
            hint: row.hint.filter(|hint| !hint.is_empty()),
            secret: None,
            health,
            last_error,
            last_sent_at: row.last_sent_at,
            failing_since: row.failing_since,
            waiting: row.waiting.unsigned_abs(),
            fallback_id: row.fallback_id.map(ChannelId),
            enabled: row.enabled,
            version: row.version,
        })
    });
    channels.collect()
}

/// Adds a channel. Fails with a unique violation when its name is taken.
pub async fn create(conn: &mut PgConnection, id: ChannelId, new: &NewChannel, now: DateTime<Utc>) -> Result<()> {
    sqlx::query!(
        "insert into channel (id, name, kind, settings, fallback_id, enabled, created_at) values ($1, $2, $3, $4, $5, $6, $7)",
        id.0,
        new.name,
        new.kind.code(),
        serde_json::json!(new.settings),
        new.fallback_id.map(|id| id.0),
        new.enabled.unwrap_or(true),
        now
    )
    .execute(conn)
    .await
    .map(drop)
}

/// Writes a channel as a person wants it. What waits is tried at once: what was wrong may be mended.
pub async fn save(conn: &mut PgConnection, channel: &Channel, now: DateTime<Utc>) -> Result<()> {
    sqlx::query!(
        "update channel set name = $2, settings = $3, fallback_id = $4, enabled = $5, free_at = null, version = version + 1 where id = $1",
        channel.id.0,
        channel.name,
        serde_json::json!(channel.settings),
        channel.fallback_id.map(|id| id.0),
        channel.enabled
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!("update notification set due_at = $2 where channel_id = $1 and due_at > $2", channel.id.0, now)
        .execute(conn)
        .await
        .map(drop)
}

/// Who needs this channel: names of routes and of channels that it takes over for.
pub async fn needed_by(conn: &mut PgConnection, id: ChannelId) -> Result<Vec<String>> {
    sqlx::query_scalar!(
        r#"select 'the route “' || name || '”' as "name!" from route where $1 = any(channels)
           union all select 'the channel “' || name || '”' from channel where fallback_id = $1 and removed_at is null"#,
        id.0
    )
    .fetch_all(conn)
    .await
}

/// Takes a channel away; its name is free again, its messages stay to be seen and those that wait are given up. False if there is
/// none.
pub async fn remove(conn: &mut PgConnection, id: ChannelId, now: DateTime<Utc>) -> Result<bool> {
    let done = sqlx::query!(
        "update channel set removed_at = $2, enabled = false, fallback_id = null, name = name || ' (removed ' || id || ')' \
         where id = $1 and removed_at is null",
        id.0,
        now
    )
    .execute(&mut *conn)
    .await?;
    super::notification_again::given_up(conn, id, "The channel was taken away.", now).await?;
    sqlx::query!(
        "update notification set state = 'failed', due_at = null, lease_until = null, lease_token = null, \
         failed_at = coalesce(failed_at, $2), error_class = 'removed', error_message = 'The channel was taken away.' \
         where channel_id = $1 and state in ('pending', 'sending')",
        id.0,
        now
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Whether there is any route.
pub async fn any_route(conn: &mut PgConnection) -> Result<Option<RouteId>> {
    let id = sqlx::query_scalar!("select id from route order by position limit 1").fetch_optional(conn).await?;
    Ok(id.map(RouteId))
}

/// A channel as its sender needs it.
#[derive(Clone, Debug)]
pub struct Target {
    /// Its id.
    pub id: ChannelId,
    /// Its name.
    pub name: String,
    /// By what means.
    pub kind: ChannelKind,
    /// What it needs, without secrets.
    pub settings: ChannelSettings,
}

/// One channel as its sender needs it, removed or not.
pub async fn target(conn: &mut PgConnection, id: ChannelId) -> Result<Option<Target>> {
    let row = sqlx::query!(
        r#"select name, kind, settings as "settings: Json<ChannelSettings>" from channel where id = $1"#,
        id.0
    )
    .fetch_optional(conn)
    .await?;
    row.map(|row| Ok(Target { id, name: row.name, kind: word(&row.kind)?, settings: row.settings.0 })).transpose()
}

/// Locks one channel that may send now and has something to send. None: nothing is to be sent.
pub async fn lock_free(conn: &mut PgConnection, now: DateTime<Utc>) -> Result<Option<Target>> {
    let row = sqlx::query!(
        r#"select c.id, c.name, c.kind, c.settings as "settings: Json<ChannelSettings>" from channel c
           where c.enabled and c.removed_at is null and (c.free_at is null or c.free_at <= $1)
             and exists (select 1 from notification n where n.channel_id = c.id and n.due_at <= $1
                         and (n.lease_until is null or n.lease_until < $1))
           order by c.free_at nulls first limit 1 for update of c skip locked"#,
        now
    )
    .fetch_optional(conn)
    .await?;
    row.map(|row| {
        Ok(Target { id: ChannelId(row.id), name: row.name, kind: word(&row.kind)?, settings: row.settings.0 })
    })
    .transpose()
}

/// Nothing is sent by it before this.
pub async fn rest_until(conn: &mut PgConnection, id: ChannelId, free_at: DateTime<Utc>) -> Result<()> {
    sqlx::query!("update channel set free_at = greatest(free_at, $2) where id = $1", id.0, free_at)
        .execute(conn)
        .await
        .map(drop)
}

/// A message went through, or did not. Answers since when it fails, for the first failure its own time.
pub async fn note(
    conn: &mut PgConnection,
    id: ChannelId,
    error: Option<&AttemptError>,
    now: DateTime<Utc>,
) -> Result<bool> {
    let turned = sqlx::query_scalar!(
        r#"with before as (select failing_since from channel where id = $1)
           update channel set last_error = $2::jsonb, failing_since = case when $2::jsonb is null then null else coalesce(failing_since, $3) end,
             last_sent_at = case when $2::jsonb is null then $3 else last_sent_at end
           where id = $1 returning ((select failing_since from before) is null) <> ($2::jsonb is null) as "turned!""#,
        id.0,
        error.map(|error| serde_json::json!(error)),
        now
    )
    .fetch_optional(conn)
    .await?;
    Ok(turned.unwrap_or(false))
}
