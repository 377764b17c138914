//! Sealed secrets. Nothing in here can open one.

use crate::vault::SecretKind;
use chrono::{DateTime, Utc};
use model::{EndpointId, EndpointSecret, SecretId, SourceId, WebhookSecret};
use sqlx::PgConnection;
use uuid::Uuid;

/// A secret as it is kept.
#[derive(Debug)]
pub struct SealedSecret {
    /// Its id.
    pub id: SecretId,
    /// A nonce of 24 bytes, then the ciphertext.
    pub sealed: Vec<u8>,
    /// Which master key it was sealed with.
    pub key_id: String,
    /// Its last four characters, where it may be told by them.
    pub hint: String,
    /// When it was put there.
    pub created_at: DateTime<Utc>,
    /// When it stops being good; null: not by itself.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was last of use.
    pub last_used_at: Option<DateTime<Utc>>,
}

/// Keeps a secret.
pub async fn insert(
    conn: &mut PgConnection,
    owner: Uuid,
    kind: SecretKind,
    secret: &SealedSecret,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into vault_secret (id, owner, kind, sealed, key_id, hint, created_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        secret.id.0,
        owner,
        kind.code(),
        secret.sealed,
        secret.key_id,
        secret.hint,
        secret.created_at,
        secret.expires_at,
    )
    .execute(conn)
    .await
    .map(drop)
}

/// Keeps a secret and drops all others of the same owner and kind, both or neither.
pub async fn replace(
    conn: &mut PgConnection,
    owner: Uuid,
    kind: SecretKind,
    secret: &SealedSecret,
) -> Result<(), sqlx::Error> {
    // One statement sees one snapshot: the deletion cannot reach what the same statement inserts.
    sqlx::query!(
        "with earlier as (delete from vault_secret where owner = $2 and kind = $3)
         insert into vault_secret (id, owner, kind, sealed, key_id, hint, created_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        secret.id.0,
        owner,
        kind.code(),
        secret.sealed,
        secret.key_id,
        secret.hint,
        secret.created_at,
        secret.expires_at,
    )
    .execute(conn)
    .await
    .map(drop)
}

/// The secrets of an owner, newest first, at most this many.
pub async fn of(
    conn: &mut PgConnection,
    owner: Uuid,
    kind: SecretKind,
    most: i64,
) -> Result<Vec<SealedSecret>, sqlx::Error> {
    sqlx::query_as!(
        SealedSecret,
        r#"select id as "id: Uuid", sealed, key_id, hint, created_at, expires_at, last_used_at
           from vault_secret where owner = $1 and kind = $2 order by created_at desc, id desc limit $3"#,
        owner,
        kind.code(),
        most,
    )
    .fetch_all(conn)
    .await
}

/// Drops one secret of an owner; false when there is none such.
pub async fn delete(conn: &mut PgConnection, owner: Uuid, id: SecretId) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!("delete from vault_secret where owner = $1 and id = $2", owner, id.0).execute(conn).await?;
    Ok(done.rows_affected() > 0)
}

/// Drops all secrets of an owner and kind; says how many there were.
pub async fn delete_all(conn: &mut PgConnection, owner: Uuid, kind: SecretKind) -> Result<u64, sqlx::Error> {
    let done = sqlx::query!("delete from vault_secret where owner = $1 and kind = $2", owner, kind.code())
        .execute(conn)
        .await?;
    Ok(done.rows_affected())
}

/// Notes that a secret was of use; never moves backward.
pub async fn touch(conn: &mut PgConnection, id: SecretId, at: DateTime<Utc>) -> Result<(), sqlx::Error> {
    sqlx::query!("update vault_secret set last_used_at = greatest(last_used_at, $2) where id = $1", id.0, at)
        .execute(conn)
        .await
        .map(drop)
}

/// The webhook secrets of these sources as they may be shown, oldest first. Needs no key.
pub async fn webhook_secrets(
    conn: &mut PgConnection,
    sources: &[SourceId],
) -> Result<Vec<(SourceId, WebhookSecret)>, sqlx::Error> {
    let owners: Vec<Uuid> = sources.iter().map(|source| source.0).collect();
    let rows = sqlx::query!(
        "select id, owner, hint, created_at, last_used_at from vault_secret
         where owner = any($1) and kind = $2 order by created_at, id",
        &owners,
        SecretKind::WebhookSecret.code(),
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let secret = WebhookSecret {
                id: SecretId(row.id),
                hint: row.hint,
                created_at: row.created_at,
                last_used_at: row.last_used_at,
            };
            (SourceId(row.owner), secret)
        })
        .collect())
}

/// Our id of the connection that upstream knows by this key: the owner of its tokens.
pub async fn connection_owner(
    conn: &mut PgConnection,
    source: SourceId,
    key: &str,
) -> Result<Option<Uuid>, sqlx::Error> {
    sqlx::query_scalar!("select id from connection where source_id = $1 and key = $2", source.0, key)
        .fetch_optional(conn)
        .await
}

/// The secrets that sign for these endpoints as they may be shown, newest first. Needs no key.
pub async fn endpoint_secrets(
    conn: &mut PgConnection,
    endpoints: &[EndpointId],
    now: DateTime<Utc>,
) -> Result<Vec<(EndpointId, EndpointSecret)>, sqlx::Error> {
    let owners: Vec<Uuid> = endpoints.iter().map(|endpoint| endpoint.0).collect();
    let rows = sqlx::query!(
        "select id, owner, hint, created_at, expires_at from vault_secret
         where owner = any($1) and kind = $2 and (expires_at is null or expires_at > $3) order by created_at desc, id desc",
        &owners,
        SecretKind::EndpointSecret.code(),
        now,
    )
    .fetch_all(conn)
    .await?;
    let secrets = rows.into_iter().map(|row| {
        let (id, hint, created_at, expires_at) = (SecretId(row.id), row.hint, row.created_at, row.expires_at);
        (EndpointId(row.owner), EndpointSecret { id, hint, created_at, expires_at })
    });
    Ok(secrets.collect())
}

/// What an owner has of a kind by now expires at this moment, if not before; what has expired goes.
pub async fn expire(
    conn: &mut PgConnection,
    owner: Uuid,
    kind: SecretKind,
    at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "delete from vault_secret where owner = $1 and kind = $2 and expires_at <= $3",
        owner,
        kind.code(),
        now
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "update vault_secret set expires_at = least(expires_at, $3) where owner = $1 and kind = $2",
        owner,
        kind.code(),
        at
    )
    .execute(conn)
    .await
    .map(drop)
}
