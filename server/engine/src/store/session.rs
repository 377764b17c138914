//! Sessions: what a cookie opens. Only the SHA-256 of a cookie is here, so a stolen table opens nothing.

use super::word;
use chrono::{DateTime, Utc};
use model::{Actor, ActorKind, PersonId};
use sqlx::PgConnection;

/// The SHA-256 of a cookie or a token.
pub type Hash = [u8; 32];

/// Opens a session.
pub async fn insert(
    db: &mut PgConnection,
    hash: &Hash,
    person: PersonId,
    now: DateTime<Utc>,
    expires_at: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into session (token_hash, person_id, created_at, last_seen_at, expires_at) values ($1, $2, $3, $3, $4)",
        hash,
        person.0,
        now,
        expires_at,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Who has this session; none if there is none, or no longer.
pub async fn actor(db: &mut PgConnection, hash: &Hash, now: DateTime<Utc>) -> sqlx::Result<Option<Actor>> {
    let row = sqlx::query!(
        "select person.id, person.name, person.role
         from session join person on person.id = session.person_id
         where session.token_hash = $1 and session.expires_at > $2",
        hash,
        now,
    )
    .fetch_optional(db)
    .await?;
    row.map(|row| Ok(Actor { kind: ActorKind::Person(row.id.into()), name: row.name, role: word(&row.role)? }))
        .transpose()
}

/// Notes that a session is in use, once a minute at most, and moves its end: `idle` from now, never past `longest` of its age.
pub async fn touch(
    db: &mut PgConnection,
    hash: &Hash,
    now: DateTime<Utc>,
    idle_seconds: f64,
    longest_seconds: f64,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update session
         set last_seen_at = $2, expires_at = least($2::timestamptz + make_interval(secs => $3), created_at + make_interval(secs => $4))
         where token_hash = $1 and last_seen_at < $2::timestamptz - interval '1 minute'",
        hash,
        now,
        idle_seconds,
        longest_seconds,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Ends a session; false if there was none.
pub async fn delete(db: &mut PgConnection, hash: &Hash) -> sqlx::Result<bool> {
    let done = sqlx::query!("delete from session where token_hash = $1", hash).execute(db).await?;
    Ok(done.rows_affected() == 1)
}

/// Removes the sessions that are over; how many.
pub async fn delete_expired(db: &mut PgConnection, now: DateTime<Utc>) -> sqlx::Result<u64> {
    Ok(sqlx::query!("delete from session where expires_at <= $1", now).execute(db).await?.rows_affected())
}
