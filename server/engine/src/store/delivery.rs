//! Deliveries.

use chrono::{DateTime, Utc};
use model::AttemptTrigger;
use sqlx::PgConnection;
use uuid::Uuid;

/// Makes these deliveries due now, by id and the event's `received_at`: those that rest as failed, and those that are scheduled for later
/// and are not being sent. Their schedules begin anew. Answers which became due.
pub async fn release(
    conn: &mut PgConnection,
    deliveries: &[(Uuid, DateTime<Utc>)],
    trigger: AttemptTrigger,
    by: &str,
    retry: Option<Uuid>,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<Uuid>> {
    let (ids, received): (Vec<_>, Vec<_>) = deliveries.iter().copied().unzip();
    sqlx::query_scalar!(
        r#"with wanted as (
               select * from unnest($1::uuid[], $2::timestamptz[]) as w (id, received_at)
           ), hastened as (
               update delivery_due d set due_at = $6, begun_at = $6, attempt = 0, trigger = $3, by_name = $4, retry_id = $5
               from wanted w where d.delivery_id = w.id and d.lane_token is null and d.retry_id is null and d.due_at > $6
               returning d.delivery_id
           ), rested as (
               update delivery n set state = 'pending' from wanted w
               where n.received_at = w.received_at and n.id = w.id and n.state = 'failed'
               returning n.*
           ), begun as (
               insert into delivery_due (endpoint_id, due_at, delivery_id, received_at, event_id, connection_id, kind, begun_at,
                                         tries, trigger, by_name, retry_id)
               select endpoint_id, $6, id, received_at, event_id, connection_id, kind, $6, tries, $3, $4, $5 from rested
               on conflict do nothing returning delivery_id
           )
           select delivery_id as "id!" from hastened union all select delivery_id from begun"#,
        &ids,
        &received,
        trigger.code(),
        by,
        retry,
        now,
    )
    .fetch_all(conn)
    .await
}
