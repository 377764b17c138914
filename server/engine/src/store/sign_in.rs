//! Failed sign-ins, by e-mail address and by network address: shared, so that more processes give no more tries.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgConnection;

/// Whether one more try is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Try {
    /// It is, and it counts as the n-th failure in a row until it is forgiven.
    Charged(i32),
    /// Not before this time.
    Blocked(DateTime<Utc>),
}

/// Charges a try to a subject before it is made, so that tries made at the same time cannot outrun the count. What is
/// older than `forgotten` no longer counts.
pub async fn charge(
    db: &mut PgConnection,
    subject: &str,
    now: DateTime<Utc>,
    forgotten: TimeDelta,
) -> sqlx::Result<Try> {
    let charged = sqlx::query_scalar!(
        "insert into sign_in_failure as kept (subject, failures, last_at) values ($1, 1, $2)
         on conflict (subject) do update
         set failures = case when kept.last_at < $3 then 1 else kept.failures + 1 end, last_at = $2, blocked_until = null
         where kept.blocked_until is null or kept.blocked_until <= $2
         returning failures",
        subject,
        now,
        now - forgotten,
    )
    .fetch_optional(&mut *db)
    .await?;
    if let Some(failures) = charged {
        return Ok(Try::Charged(failures));
    }
    let until = sqlx::query_scalar!("select blocked_until from sign_in_failure where subject = $1", subject)
        .fetch_optional(db)
        .await?
        .flatten();
    Ok(Try::Blocked(until.unwrap_or(now)))
}

/// No further try before this time.
pub async fn block(db: &mut PgConnection, subject: &str, until: DateTime<Utc>) -> sqlx::Result<()> {
    sqlx::query!("update sign_in_failure set blocked_until = $2 where subject = $1", subject, until)
        .execute(db)
        .await?;
    Ok(())
}

/// Forgets the failures of these subjects.
pub async fn forgive(db: &mut PgConnection, subjects: &[String]) -> sqlx::Result<()> {
    sqlx::query!("delete from sign_in_failure where subject = any($1)", subjects).execute(db).await?;
    Ok(())
}

/// Forgets the failures that no longer count; how many.
pub async fn delete_forgotten(db: &mut PgConnection, before: DateTime<Utc>) -> sqlx::Result<u64> {
    let done = sqlx::query!(
        "delete from sign_in_failure where last_at < $1 and (blocked_until is null or blocked_until < $1)",
        before,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}
