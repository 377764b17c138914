//! API tokens, kept as the SHA-256 of each.

use super::session::Hash;
use super::word;
use chrono::{DateTime, Utc};
use model::{Actor, ActorKind, Role, TokenId};
use sqlx::PgConnection;

/// Adds a token; false if the name is taken.
pub async fn insert(
    db: &mut PgConnection,
    id: TokenId,
    name: &str,
    hash: &Hash,
    role: Role,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "insert into api_token (id, name, token_hash, role, created_at) values ($1, $2, $3, $4, $5)
         on conflict (name) do nothing",
        id.0,
        name,
        hash,
        role.code(),
        now,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The hash of the token of this name; none if there is no such token, or it was revoked.
pub async fn hash_of(db: &mut PgConnection, name: &str) -> sqlx::Result<Option<Vec<u8>>> {
    sqlx::query_scalar!("select token_hash from api_token where name = $1 and revoked_at is null", name)
        .fetch_optional(db)
        .await
}

/// Gives the token of this name another value, whatever became of the one before; false if there is no such token.
pub async fn replace(db: &mut PgConnection, name: &str, hash: &Hash, now: DateTime<Utc>) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "update api_token set token_hash = $2, created_at = $3, last_used_at = null, revoked_at = null where name = $1",
        name,
        hash,
        now,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Whose token this is; none if it is nobody's, or revoked.
pub async fn actor(db: &mut PgConnection, hash: &Hash) -> sqlx::Result<Option<Actor>> {
    let row = sqlx::query!("select id, name, role from api_token where token_hash = $1 and revoked_at is null", hash)
        .fetch_optional(db)
        .await?;
    row.map(|row| Ok(Actor { kind: ActorKind::Token(row.id.into()), name: row.name, role: word(&row.role)? }))
        .transpose()
}

/// Notes that a token is in use, once a minute at most.
pub async fn touch(db: &mut PgConnection, hash: &Hash, now: DateTime<Utc>) -> sqlx::Result<()> {
    sqlx::query!(
        "update api_token set last_used_at = $2
         where token_hash = $1 and (last_used_at is null or last_used_at < $2::timestamptz - interval '1 minute')",
        hash,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}
