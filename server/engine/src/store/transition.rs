//! Transitions: changes of health, append-only.

use super::maybe_word;
use chrono::{DateTime, Utc};
use model::{Cause, ConnectionId, Eye, Health, HealthChange};
use sqlx::{PgConnection, Result};
use uuid::Uuid;

/// A transition to append.
pub struct NewTransition {
    /// Its id.
    pub id: Uuid,
    /// Of which connection.
    pub connection_id: ConnectionId,
    /// When.
    pub at: DateTime<Utc>,
    /// Health before; none at first sight.
    pub from: Option<Health>,
    /// Health after; none when removed upstream.
    pub to: Option<Health>,
    /// Why.
    pub cause: Option<Cause>,
    /// What upstream said about it.
    pub cause_detail: Option<String>,
    /// Through which eye; none when the clock alone did it.
    pub eye: Option<Eye>,
    /// The evidence behind it, where it was recorded.
    pub evidence_id: Option<Uuid>,
    /// A copy of what the evidence says.
    pub evidence_text: Option<String>,
    /// How long the health before had lasted, in seconds.
    pub lasted_seconds: Option<i64>,
}

/// Appends transitions.
pub async fn append(conn: &mut PgConnection, new: &[NewTransition]) -> Result<()> {
    if new.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "insert into transition (id, connection_id, at, from_health, to_health, cause, cause_detail, eye, evidence_id, \
         evidence_text, lasted_seconds) select * from unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::text[], $5::text[], \
         $6::text[], $7::text[], $8::text[], $9::uuid[], $10::text[], $11::int8[])",
        &new.iter().map(|t| t.id).collect::<Vec<_>>(),
        &new.iter().map(|t| t.connection_id.0).collect::<Vec<_>>(),
        &new.iter().map(|t| t.at).collect::<Vec<_>>(),
        &new.iter().map(|t| t.from.map(|h| h.to_string())).collect::<Vec<_>>() as &[Option<String>],
        &new.iter().map(|t| t.to.map(|h| h.to_string())).collect::<Vec<_>>() as &[Option<String>],
        &new.iter().map(|t| t.cause.map(|c| c.to_string())).collect::<Vec<_>>() as &[Option<String>],
        &new.iter().map(|t| t.cause_detail.clone()).collect::<Vec<_>>() as &[Option<String>],
        &new.iter().map(|t| t.eye.map(|e| e.to_string())).collect::<Vec<_>>() as &[Option<String>],
        &new.iter().map(|t| t.evidence_id).collect::<Vec<_>>() as &[Option<Uuid>],
        &new.iter().map(|t| t.evidence_text.clone()).collect::<Vec<_>>() as &[Option<String>],
        &new.iter().map(|t| t.lasted_seconds).collect::<Vec<_>>() as &[Option<i64>],
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The newest changes since a time, at most `limit`, and how many there were in all. First sights are left out.
pub async fn since(conn: &mut PgConnection, since: DateTime<Utc>, limit: i64) -> Result<(Vec<HealthChange>, u64)> {
    let rows = sqlx::query!(
        "select t.connection_id, u.name as customer, p.name as platform, t.at, t.from_health, t.to_health, t.cause, t.cause_detail, \
         t.eye, t.lasted_seconds, count(*) over () as \"in_all!\" \
         from transition t join connection c on c.id = t.connection_id join customer u on u.id = c.customer_id \
         join platform p on p.slug = c.platform_slug \
         where t.at >= $1 and t.from_health is not null order by t.at desc, t.id desc limit $2",
        since,
        limit
    )
    .fetch_all(conn)
    .await?;
    let in_all = rows.first().map_or(0, |row| u64::try_from(row.in_all).unwrap_or(0));
    let changes = rows
        .into_iter()
        .map(|row| {
            let cause: Option<Cause> = maybe_word(row.cause.as_deref())?;
            Ok(HealthChange {
                connection: ConnectionId(row.connection_id),
                customer: row.customer,
                platform: row.platform,
                at: row.at,
                from: maybe_word(row.from_health.as_deref())?,
                to: maybe_word(row.to_health.as_deref())?,
                cause: cause.map(|cause| row.cause_detail.unwrap_or_else(|| cause.words().to_owned())),
                eye: maybe_word(row.eye.as_deref())?,
                lasted_seconds: row.lasted_seconds,
            })
        })
        .collect::<Result<Vec<_>>>()?;
    Ok((changes, in_all))
}

/// When which health of a connection began, in the order of time: those within the window, and the one before it. None: removed.
pub async fn within(
    conn: &mut PgConnection,
    id: ConnectionId,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
) -> Result<Vec<(DateTime<Utc>, Option<Health>)>> {
    let rows = sqlx::query!(
        "(select at as \"at!\", id as \"id!\", to_health from transition where connection_id = $1 and at <= $2 order by at desc, id desc limit 1) \
         union all select at, id, to_health from transition where connection_id = $1 and at > $2 and at <= $3 order by 1, 2",
        id.0,
        from,
        to
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(|row| Ok((row.at, maybe_word(row.to_health.as_deref())?))).collect()
}
