//! Syncs that a person starts: the audit log knows who asked for one, and when.

use chrono::{DateTime, Utc};
use model::{ConnectionId, SourceId};
use sqlx::{PgConnection, Result};

/// The action in the audit log: somebody asked for a sync. What became of it is another line.
pub const ASKED: &str = "connection.sync_asked";
/// It was started.
pub const STARTED: &str = "connection.sync_started";
/// It was not, and why.
pub const REFUSED: &str = "connection.sync_refused";

/// A connection that somebody wants to sync.
pub struct Wanted {
    /// Upstream's identifier.
    pub key: String,
    /// Its source.
    pub source_id: SourceId,
    /// It is gone upstream.
    pub removed: bool,
    /// Somebody asked for a sync since then.
    pub lately: bool,
}

/// Locks a connection, so that of two who ask at once the second sees the first. None if there is no such connection.
pub async fn lock(conn: &mut PgConnection, id: ConnectionId, since: DateTime<Utc>) -> Result<Option<Wanted>> {
    let row = sqlx::query!(
        "select key, source_id, removed_at is not null as \"removed!\" from connection where id = $1 for update",
        id.0
    )
    .fetch_optional(&mut *conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    // a statement of its own: it must see what was committed while we waited for the lock
    let lately = sqlx::query_scalar!(
        "select exists (select from audit where subject_kind = 'connection' and subject_id = $1 and at > $2 and action = $3) as \"lately!\"",
        id.to_string(),
        since,
        ASKED
    )
    .fetch_one(conn)
    .await?;
    Ok(Some(Wanted { key: row.key, source_id: SourceId(row.source_id), removed: row.removed, lately }))
}

/// Asks for a closer look at this time or before, because a person waits for what comes. Answers the new version.
pub async fn look_soon(conn: &mut PgConnection, id: ConnectionId, at: DateTime<Utc>) -> Result<Option<i64>> {
    sqlx::query_scalar!(
        "update connection set check_due_at = least(check_due_at, $2), check_reason = 'person', attempt = 0, \
         version = version + 1 where id = $1 and removed_at is null returning version",
        id.0,
        at
    )
    .fetch_optional(conn)
    .await
}
