//! Links in messages. Neither the token nor anything from which it could be made is kept.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, Result};
use uuid::Uuid;

/// SHA-256 of a token.
pub type Hash = [u8; 32];

/// A link as it is kept.
#[derive(Clone, Debug)]
pub struct Kept {
    /// Whose alerts it is about.
    pub group: Uuid,
    /// `acknowledge` or `silence`.
    pub purpose: String,
    /// Until when it opens.
    pub expires_at: DateTime<Utc>,
    /// When it was used.
    pub used_at: Option<DateTime<Utc>>,
    /// By whom.
    pub used_by: Option<String>,
}

/// Keeps links of a group: hash and purpose of each.
pub async fn make(
    conn: &mut PgConnection,
    group: Uuid,
    links: &[(Hash, &'static str)],
    expires_at: DateTime<Utc>,
) -> Result<()> {
    let (hashes, purposes): (Vec<Vec<u8>>, Vec<String>) =
        links.iter().map(|(hash, purpose)| (hash.to_vec(), (*purpose).to_owned())).unzip();
    sqlx::query!(
        "insert into alert_link (token_hash, group_id, purpose, expires_at) \
         select n.hash, $3, n.purpose, $4 from unnest($1::bytea[], $2::text[]) as n (hash, purpose)",
        &hashes,
        &purposes,
        group,
        expires_at
    )
    .execute(conn)
    .await
    .map(drop)
}

/// The link of this token.
pub async fn by_token(conn: &mut PgConnection, hash: &Hash) -> Result<Option<Kept>> {
    sqlx::query_as!(
        Kept,
        r#"select group_id as "group", purpose, expires_at, used_at, used_by from alert_link where token_hash = $1"#,
        &hash[..]
    )
    .fetch_optional(conn)
    .await
}

/// Uses a link up. False if it is used, too old or unknown.
pub async fn take(conn: &mut PgConnection, hash: &Hash, by: &str, now: DateTime<Utc>) -> Result<bool> {
    let done = sqlx::query!(
        "update alert_link set used_at = $2, used_by = $3 where token_hash = $1 and used_at is null and expires_at > $2",
        &hash[..],
        now,
        by
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Forgets links that no longer open, at most 10,000.
pub async fn forget(conn: &mut PgConnection, before: DateTime<Utc>) -> Result<u64> {
    let done = sqlx::query!(
        "delete from alert_link where token_hash in (select token_hash from alert_link where expires_at < $1 limit 10000)",
        before
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}
