//! What became of deliveries, and letting go of them again. Asking about them is in [`super::delivery_list`].

use super::delivery_due::Due;
use super::retry;
use crate::live;
use chrono::{DateTime, Utc};
use model::{Attempt, AttemptOutcome, AttemptTrigger, Change, ChangeTopic, DeliveryState, EndpointId, Sent};
use sqlx::{PgConnection, types::Json};
use std::collections::HashSet;
use uuid::Uuid;

/// What became of a delivery at one try.
#[derive(Clone, Debug)]
pub struct Ended {
    /// The delivery.
    pub due: Due,
    /// The try, to be added to the others.
    pub sent: Sent,
    /// When it is tried again; none: nothing more is to be done.
    pub again_at: Option<DateTime<Utc>>,
}

impl Ended {
    /// Where the delivery stands now.
    pub fn state(&self) -> DeliveryState {
        match self.sent.attempt.outcome {
            AttemptOutcome::Ok => DeliveryState::Done,
            AttemptOutcome::Retry => DeliveryState::Pending,
            AttemptOutcome::Failed => DeliveryState::Failed,
        }
    }

    /// Whether the columns alone say all of the try.
    fn is_plain(&self) -> bool {
        let Attempt { n, trigger, by, outcome, .. } = &self.sent.attempt;
        (*n, *trigger, *outcome) == (1, AttemptTrigger::Arrival, AttemptOutcome::Ok) && by.is_none()
    }
}

/// Ends tries of the lane with this token, in the caller's transaction: rows of work go or are put off, what became of them
/// is written, and bulk retries are told. What the lane has no longer is left out. Says which were written.
pub async fn finish(
    conn: &mut PgConnection,
    endpoint: EndpointId,
    token: Uuid,
    ended: &[Ended],
    now: DateTime<Utc>,
) -> sqlx::Result<HashSet<Uuid>> {
    let (over, again): (Vec<&Ended>, Vec<&Ended>) = ended.iter().partition(|end| end.again_at.is_none());
    let mut ours = HashSet::new();
    if !over.is_empty() {
        let gone = sqlx::query_scalar!(
            "delete from delivery_due where delivery_id = any($1) and lane_token = $2 returning delivery_id",
            &over.iter().map(|end| end.due.id).collect::<Vec<_>>(),
            token,
        );
        ours.extend(gone.fetch_all(&mut *conn).await?);
    }
    if !again.is_empty() {
        let put_off = sqlx::query_scalar!(
            "update delivery_due d set due_at = r.due_at, tries = d.tries + 1, attempt = d.attempt + 1, trigger = 'schedule',
                    by_name = null, retry_id = null, lane_token = null
             from unnest($1::uuid[], $2::timestamptz[]) as r (id, due_at)
             where d.delivery_id = r.id and d.lane_token = $3 returning d.delivery_id",
            &again.iter().map(|end| end.due.id).collect::<Vec<_>>(),
            &again.iter().filter_map(|end| end.again_at).collect::<Vec<_>>(),
            token,
        );
        ours.extend(put_off.fetch_all(&mut *conn).await?);
    }
    let written: Vec<&Ended> = ended.iter().filter(|end| ours.contains(&end.due.id)).collect();
    write(conn, endpoint, &written, now).await?;
    Ok(ours)
}

/// Writes what became of deliveries whose rows of work were seen to, and tells bulk retries.
pub async fn write(
    conn: &mut PgConnection,
    endpoint: EndpointId,
    ended: &[&Ended],
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let (first, further): (Vec<&Ended>, Vec<&Ended>) = ended.iter().partition(|end| end.due.tries == 0);
    insert(conn, endpoint, &first).await?;
    update(conn, &further).await?;
    let told = ended.iter().filter_map(|end| {
        let why = end.sent.attempt.error.as_ref().map(|error| error.message.clone());
        Some((end.due.retry_id?, end.due.id, why))
    });
    retry::ended(conn, &told.collect::<Vec<_>>(), now).await
}

fn column<'e, T>(ended: &[&'e Ended], of: impl Fn(&'e Ended) -> T) -> Vec<T> {
    ended.iter().map(|end| of(end)).collect()
}

fn status(end: &Ended) -> Option<i16> {
    end.sent.attempt.status.and_then(|status| i16::try_from(status).ok())
}

fn duration(end: &Ended) -> i32 {
    i32::try_from(end.sent.attempt.duration_ms).unwrap_or(i32::MAX)
}

fn failed_at(end: &Ended) -> Option<DateTime<Utc>> {
    (end.sent.attempt.outcome != AttemptOutcome::Ok).then_some(end.sent.attempt.started_at)
}

fn class(end: &Ended) -> Option<&str> {
    end.sent.attempt.error.as_ref().map(|error| error.class.as_str())
}

fn message(end: &Ended) -> Option<&str> {
    end.sent.attempt.error.as_ref().map(|error| error.message.as_str())
}

async fn insert(conn: &mut PgConnection, endpoint: EndpointId, ended: &[&Ended]) -> sqlx::Result<()> {
    if ended.is_empty() {
        return Ok(());
    }
    let attempts = |end: &Ended| (!end.is_plain()).then(|| Json([end.sent.clone()]));
    sqlx::query!(
        "insert into delivery (id, received_at, event_id, connection_id, kind, state, started_at, duration_ms, status, failed_at,
                               error_class, error_message, attempts, endpoint_id)
         select r.*, $14::uuid from unnest($1::uuid[], $2::timestamptz[], $3::uuid[], $4::uuid[], $5::text[], $6::text[],
                       $7::timestamptz[], $8::integer[], $9::smallint[], $10::timestamptz[], $11::text[], $12::text[],
                       $13::jsonb[]) as r
         on conflict do nothing",
        &column(ended, |end| end.due.id),
        &column(ended, |end| end.due.received_at),
        &column(ended, |end| end.due.event_id),
        &column(ended, |end| end.due.connection_id) as &[Option<Uuid>],
        &column(ended, |end| end.due.kind.as_deref()) as &[Option<&str>],
        &column(ended, |end| end.state().code()) as &[&str],
        &column(ended, |end| end.sent.attempt.started_at),
        &column(ended, duration),
        &column(ended, status) as &[Option<i16>],
        &column(ended, failed_at) as &[Option<DateTime<Utc>>],
        &column(ended, class) as &[Option<&str>],
        &column(ended, message) as &[Option<&str>],
        &column(ended, attempts) as &[Option<Json<[Sent; 1]>>],
        endpoint.0,
    )
    .execute(conn)
    .await
    .map(drop)
}

async fn update(conn: &mut PgConnection, ended: &[&Ended]) -> sqlx::Result<()> {
    let (Some(first), Some(last)) =
        (ended.iter().map(|end| end.due.received_at).min(), ended.iter().map(|end| end.due.received_at).max())
    else {
        return Ok(());
    };
    sqlx::query!(
        "update delivery d set state = r.state, started_at = r.started_at, duration_ms = r.duration_ms, status = r.status,
                failed_at = case when r.failed_at is null then null else coalesce(d.failed_at, r.failed_at) end,
                error_class = r.error_class, error_message = r.error_message, tries = d.tries + 1,
                attempts = coalesce(d.attempts, '[]') || r.attempt
         from unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::timestamptz[], $5::integer[], $6::smallint[],
                     $7::timestamptz[], $8::text[], $9::text[], $10::jsonb[])
              as r (id, received_at, state, started_at, duration_ms, status, failed_at, error_class, error_message, attempt)
         where d.received_at = r.received_at and d.id = r.id and d.received_at between $11 and $12",
        &column(ended, |end| end.due.id),
        &column(ended, |end| end.due.received_at),
        &column(ended, |end| end.state().code()) as &[&str],
        &column(ended, |end| end.sent.attempt.started_at),
        &column(ended, duration),
        &column(ended, status) as &[Option<i16>],
        &column(ended, failed_at) as &[Option<DateTime<Utc>>],
        &column(ended, class) as &[Option<&str>],
        &column(ended, message) as &[Option<&str>],
        &column(ended, |end| Json([end.sent.clone()])) as &[Json<[Sent; 1]>],
        first,
        last,
    )
    .execute(conn)
    .await
    .map(drop)
}

/// Makes deliveries due now that wait or have failed; those that are being sent, have arrived, or whose endpoint was taken
/// away are left. A failed one starts its schedule anew, a scheduled one keeps it. Says which are due now, and wakes the lanes.
///
/// `ids`: each with the time at which its event was received. `retry`: the bulk retry that is to be told of their ends; one
/// that waited for the same until now is told that another took its place.
pub async fn release(
    conn: &mut PgConnection,
    ids: &[(Uuid, DateTime<Utc>)],
    trigger: AttemptTrigger,
    by: &str,
    retry: Option<Uuid>,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<Uuid>> {
    let (Some(first), Some(last)) = (ids.iter().map(|id| id.1).min(), ids.iter().map(|id| id.1).max()) else {
        return Ok(Vec::new());
    };
    let mut sorted = ids.to_vec();
    // in one order always, so that two who retry the same never wait for each other in a ring
    sorted.sort_unstable();
    sorted.dedup();
    let (ids, received): (Vec<Uuid>, Vec<DateTime<Utc>>) = sorted.into_iter().unzip();
    let scheduled = sqlx::query!(
        r#"with held as materialized (
               select delivery_id, retry_id from delivery_due where delivery_id = any($1) and lane_token is null
               order by delivery_id for update
           )
           update delivery_due d set due_at = $2, trigger = $3, by_name = $4, retry_id = coalesce($5, d.retry_id)
           from held where d.delivery_id = held.delivery_id
           returning d.delivery_id, held.retry_id as "before?""#,
        &ids,
        now,
        trigger.code(),
        by,
        retry,
    );
    let scheduled = scheduled.fetch_all(&mut *conn).await?;
    let replaced = scheduled.iter().filter_map(|row| {
        let before = row.before.filter(|before| retry.is_some_and(|retry| retry != *before))?;
        Some((before, row.delivery_id, Some("Another retry took its place".to_owned())))
    });
    retry::ended(conn, &replaced.collect::<Vec<_>>(), now).await?;
    let anew = sqlx::query_scalar!(
        "with held as materialized (
             select d.id, d.received_at, e.ordered from unnest($1::uuid[], $2::timestamptz[]) as r (id, received_at)
             join delivery d on d.received_at = r.received_at and d.id = r.id and d.received_at between $3 and $4
             join endpoint e on e.id = d.endpoint_id and e.removed_at is null
             where d.state = 'failed' order by d.id for update of d
         ), woken as (
             update delivery d set state = 'pending' from held
             where d.received_at = held.received_at and d.id = held.id and d.received_at between $3 and $4
             returning d.id, d.received_at, d.endpoint_id, d.event_id, d.connection_id, d.kind, d.tries, held.ordered
         )
         insert into delivery_due (endpoint_id, due_at, delivery_id, received_at, event_id, connection_id, kind, begun_at, tries,
                                   trigger, by_name, retry_id, in_order)
         select endpoint_id, $5, id, received_at, event_id, connection_id, kind, $5, tries, $6, $7, $8,
                ordered and connection_id is not null
         from woken on conflict do nothing returning delivery_id",
        &ids,
        &received,
        first,
        last,
        now,
        trigger.code(),
        by,
        retry,
    );
    let anew = anew.fetch_all(&mut *conn).await?;
    let released: Vec<Uuid> = scheduled.into_iter().map(|row| row.delivery_id).chain(anew).collect();
    if !released.is_empty() {
        // as of many, so that the lanes of every process look at once
        live::announce(conn, &[Change::many(ChangeTopic::Delivery)]).await?;
    }
    Ok(released)
}
