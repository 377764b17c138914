//! One step of a retry: the next few let go, in one transaction.

use crate::store::{delivery, event_end, notification_again};
use chrono::{DateTime, Utc};
use model::{AttemptTrigger, FailureKind, RetryId};
use sqlx::{PgConnection, Result};
use std::collections::HashSet;
use uuid::Uuid;

/// Why one that was not let go is left out.
const NOTHING_TO_DO: &str = "It was done, or under way, already";

/// One that is due, held until the end of the transaction.
pub struct DueRetry {
    /// Which.
    pub id: RetryId,
    /// Who started it.
    pub by: String,
    /// How many a second.
    pub rate: u32,
    /// Since when the next few are due.
    pub due_at: DateTime<Utc>,
    /// How many were under way when it was last told how far it has come.
    pub under_way: i64,
}

/// Holds the one that is due longest until the end of the transaction; whoever else asks gets another. A step is one transaction,
/// so a process that ends in the middle has let nothing go.
pub async fn claim(conn: &mut PgConnection, now: DateTime<Utc>) -> Result<Option<DueRetry>> {
    let row = sqlx::query!(
        r#"select id, by_name, rate, due_at as "due_at!", under_way from retry
           where due_at <= $1 and state = 'running' order by due_at limit 1 for no key update skip locked"#,
        now,
    );
    Ok(row.fetch_optional(conn).await?.map(|row| DueRetry {
        id: RetryId(row.id),
        by: row.by_name,
        rate: row.rate.unsigned_abs(),
        due_at: row.due_at,
        under_way: row.under_way,
    }))
}

/// When the next few of any are due.
pub async fn next_due(conn: &mut PgConnection) -> Result<Option<DateTime<Utc>>> {
    sqlx::query_scalar!("select min(due_at) from retry where due_at is not null").fetch_one(conn).await
}

/// What was let go.
#[derive(Default)]
pub struct Released {
    /// Events.
    pub events: Vec<Uuid>,
    /// Deliveries.
    pub deliveries: Vec<Uuid>,
    /// Messages to people.
    pub notifications: Vec<Uuid>,
    /// How many were looked at.
    pub taken: usize,
}

/// Lets the next few go; those with which there is nothing to do are left out.
pub async fn release(conn: &mut PgConnection, due: &DueRetry, most: i64, now: DateTime<Utc>) -> Result<Released> {
    let rows = sqlx::query!(
        "update retry_item i set released_at = $3 from (
             select thing_id from retry_item where retry_id = $1 and outcome is null and released_at is null
             order by thing_id limit $2
         ) next where i.retry_id = $1 and i.thing_id = next.thing_id
         returning i.thing_id, i.kind, i.received_at",
        due.id.0,
        most,
        now,
    )
    .fetch_all(&mut *conn)
    .await?;
    let of = |kind: FailureKind| -> Vec<_> {
        let some = rows.iter().filter(|row| row.kind == kind.code());
        some.map(|row| (row.thing_id, row.received_at)).collect()
    };
    let (events, deliveries) = (of(FailureKind::Processing), of(FailureKind::Delivery));
    let notifications: Vec<_> = of(FailureKind::Notification).into_iter().map(|(id, _)| id).collect();
    let released = Released {
        events: event_end::release(conn, &events, &due.by, due.id.0, now).await?,
        deliveries: match deliveries.as_slice() {
            [] => Vec::new(),
            some => delivery::release(conn, some, AttemptTrigger::Bulk, &due.by, Some(due.id.0), now).await?,
        },
        notifications: notification_again::release(conn, &notifications, &due.by, due.id, now).await?,
        taken: rows.len(),
    };
    let gone: HashSet<_> = released.events.iter().chain(&released.deliveries).chain(&released.notifications).collect();
    let left: Vec<_> = rows.iter().map(|row| row.thing_id).filter(|id| !gone.contains(id)).collect();
    if !left.is_empty() {
        sqlx::query!(
            "update retry_item set outcome = 'skipped', message = $3, ended_at = $4 where retry_id = $1 and thing_id = any($2)",
            due.id.0,
            &left,
            NOTHING_TO_DO,
            now,
        )
        .execute(conn)
        .await?;
    }
    Ok(released)
}

/// How far one has come.
pub struct Progress {
    /// Not let go yet.
    pub waits: bool,
    /// Let go and not ended.
    pub under_way: i64,
}

/// How far it has come by now.
pub async fn progress(conn: &mut PgConnection, id: RetryId) -> Result<Progress> {
    sqlx::query_as!(
        Progress,
        r#"select exists (select from retry_item where retry_id = $1 and outcome is null and released_at is null) as "waits!",
                  (select count(*) from retry_item where retry_id = $1 and outcome is null and released_at is not null) as "under_way!""#,
        id.0,
    )
    .fetch_one(conn)
    .await
}

/// Ends a step: when the next is due, or none when nothing is left, which ends it. Answers its version, which grows if it
/// `moved`.
pub async fn turn(
    conn: &mut PgConnection,
    id: RetryId,
    under_way: i64,
    moved: bool,
    next_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<i64> {
    sqlx::query_scalar!(
        "update retry set under_way = $2, version = version + $3::boolean::integer, due_at = $4,
                state = case when $4::timestamptz is null then 'done' else state end,
                ended_at = case when $4::timestamptz is null then $5::timestamptz end
         where id = $1 returning version",
        id.0,
        under_way,
        moved,
        next_at,
        now,
    )
    .fetch_one(conn)
    .await
}
