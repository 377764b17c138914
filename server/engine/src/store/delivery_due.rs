//! Deliveries that are to be sent: made, claimed for a lane, and given back. What became of them is in [`super::delivery`].

use chrono::{DateTime, Utc};
use model::{AttemptTrigger, ConnectionId, CustomerId, EndpointId, EventId};
use sqlx::PgConnection;
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// A delivery to make.
#[derive(Clone, Debug)]
pub struct NewDelivery {
    /// Its id, made of the event and the endpoint.
    pub id: Uuid,
    /// Where to.
    pub endpoint: EndpointId,
    /// The event.
    pub event: EventId,
    /// When that reached us.
    pub received_at: DateTime<Utc>,
    /// The connection it is about.
    pub connection: Option<ConnectionId>,
    /// The event's kind.
    pub kind: Option<String>,
    /// Each of its connection after the one before.
    pub in_order: bool,
    /// The event was tried before: its deliveries may have been made, and may have ended.
    pub again: bool,
}

/// Makes deliveries that are not there yet, due at once. Answers how many.
pub async fn add(conn: &mut PgConnection, mut new: Vec<NewDelivery>, now: DateTime<Utc>) -> sqlx::Result<usize> {
    let again: Vec<&NewDelivery> = new.iter().filter(|new| new.again).collect();
    if !again.is_empty() {
        let ended = ended(conn, &again).await?;
        new.retain(|new| !ended.contains(&new.id));
    }
    if new.is_empty() {
        return Ok(0);
    }
    // in one order always, so that two who make the same never wait for each other in a ring
    new.sort_unstable_by_key(|new| new.id);
    let done = sqlx::query!(
        "insert into delivery_due (endpoint_id, due_at, delivery_id, received_at, event_id, connection_id, kind, begun_at, in_order)
         select endpoint_id, due_at, delivery_id, received_at, event_id, connection_id, kind, $9, in_order
         from unnest($1::uuid[], $2::timestamptz[], $3::uuid[], $4::timestamptz[], $5::uuid[], $6::uuid[], $7::text[],
                     $8::boolean[])
              as row (endpoint_id, due_at, delivery_id, received_at, event_id, connection_id, kind, in_order)
         on conflict do nothing",
        &column(&new, |new| new.endpoint.0),
        // due since the event is here, so that what came first goes first
        &column(&new, |new| if new.again { now } else { new.received_at.min(now) }),
        &column(&new, |new| new.id),
        &column(&new, |new| new.received_at),
        &column(&new, |new| new.event.0),
        &column(&new, |new| new.connection.map(|id| id.0)) as &[Option<Uuid>],
        &column(&new, |new| new.kind.as_deref()) as &[Option<&str>],
        &column(&new, |new| new.in_order),
        now,
    )
    .execute(conn)
    .await?;
    Ok(usize::try_from(done.rows_affected()).unwrap_or(0))
}

fn column<'n, T>(new: &'n [NewDelivery], of: impl Fn(&'n NewDelivery) -> T) -> Vec<T> {
    new.iter().map(of).collect()
}

/// Which of these have been tried already.
async fn ended(conn: &mut PgConnection, new: &[&NewDelivery]) -> sqlx::Result<HashSet<Uuid>> {
    let (Some(first), Some(last)) =
        (new.iter().map(|new| new.received_at).min(), new.iter().map(|new| new.received_at).max())
    else {
        return Ok(HashSet::new());
    };
    let found = sqlx::query_scalar!(
        "select found.id from unnest($1::uuid[], $2::timestamptz[]) as wanted (id, received_at)
         cross join lateral (
             select id from delivery
             where received_at = wanted.received_at and id = wanted.id and received_at between $3 and $4 limit 1
         ) as found",
        &new.iter().map(|new| new.id).collect::<Vec<_>>(),
        &new.iter().map(|new| new.received_at).collect::<Vec<_>>(),
        first,
        last,
    );
    Ok(found.fetch_all(conn).await?.into_iter().collect())
}

/// The platform's slug and the customer of each of these connections.
pub async fn about(
    conn: &mut PgConnection,
    connections: &[Uuid],
) -> sqlx::Result<HashMap<ConnectionId, (String, CustomerId)>> {
    let rows = sqlx::query!("select id, platform_slug, customer_id from connection where id = any($1)", connections)
        .fetch_all(conn)
        .await?;
    Ok(rows.into_iter().map(|row| (ConnectionId(row.id), (row.platform_slug, CustomerId(row.customer_id)))).collect())
}

/// A delivery whose turn it is.
#[derive(Clone, Debug)]
pub struct Due {
    /// Its id.
    pub id: Uuid,
    /// When its event reached us.
    pub received_at: DateTime<Utc>,
    /// The event.
    pub event_id: Uuid,
    /// The connection it is about.
    pub connection_id: Option<Uuid>,
    /// The event's kind.
    pub kind: Option<String>,
    /// When its schedule began.
    pub begun_at: DateTime<Utc>,
    /// Tries recorded in all.
    pub tries: i32,
    /// Failed ones of this schedule.
    pub attempt: i32,
    /// What causes this try.
    pub trigger: AttemptTrigger,
    /// Who, when a person asked for it.
    pub by_name: Option<String>,
    /// The bulk retry that waits for its end.
    pub retry_id: Option<Uuid>,
}

/// A row, before its words are read.
struct Row {
    delivery_id: Uuid,
    received_at: DateTime<Utc>,
    event_id: Uuid,
    connection_id: Option<Uuid>,
    kind: Option<String>,
    begun_at: DateTime<Utc>,
    tries: i32,
    attempt: i32,
    trigger: String,
    by_name: Option<String>,
    retry_id: Option<Uuid>,
}

impl Row {
    fn read(self) -> sqlx::Result<Due> {
        Ok(Due {
            id: self.delivery_id,
            received_at: self.received_at,
            event_id: self.event_id,
            connection_id: self.connection_id,
            kind: self.kind,
            begun_at: self.begun_at,
            tries: self.tries,
            attempt: self.attempt,
            trigger: super::word(&self.trigger)?,
            by_name: self.by_name,
            retry_id: self.retry_id,
        })
    }
}

fn read(rows: Vec<Row>) -> sqlx::Result<Vec<Due>> {
    let mut due = rows.into_iter().map(Row::read).collect::<sqlx::Result<Vec<_>>>()?;
    due.sort_unstable_by_key(|due| (due.received_at, due.event_id));
    Ok(due)
}

/// Claims what is due to an endpoint for the lane with this token, in any order.
pub async fn claim(
    conn: &mut PgConnection,
    endpoint: EndpointId,
    token: Uuid,
    now: DateTime<Utc>,
    limit: i64,
) -> sqlx::Result<Vec<Due>> {
    let rows = sqlx::query_as!(
        Row,
        "with held as materialized (
             select delivery_id from delivery_due where endpoint_id = $1 and due_at <= $2 and lane_token is null
             order by due_at, delivery_id limit $3 for update skip locked
         )
         update delivery_due d set lane_token = $4 from held where d.delivery_id = held.delivery_id
         returning d.delivery_id, d.received_at, d.event_id, d.connection_id, d.kind, d.begun_at, d.tries, d.attempt,
                   d.trigger, d.by_name, d.retry_id",
        endpoint.0,
        now,
        limit,
        token,
    );
    read(rows.fetch_all(conn).await?)
}

/// The same for an ordered endpoint: of each connection only the oldest, and that only when it is due and not being sent.
/// Its index is walked from connection to connection, so that it does not matter how many wait behind.
pub async fn claim_in_order(
    conn: &mut PgConnection,
    endpoint: EndpointId,
    token: Uuid,
    now: DateTime<Utc>,
    limit: i64,
) -> sqlx::Result<Vec<Due>> {
    let rows = sqlx::query_as!(
        Row,
        r#"with recursive walk as (
               (select connection_id, delivery_id, due_at, lane_token from delivery_due
                where endpoint_id = $1 and in_order order by connection_id, received_at, event_id limit 1)
               union all
               select next.* from walk cross join lateral (
                   select connection_id, delivery_id, due_at, lane_token from delivery_due
                   where endpoint_id = $1 and in_order and connection_id > walk.connection_id
                   order by connection_id, received_at, event_id limit 1
               ) as next
           ), ready as (
               (select delivery_id from walk where due_at <= $2 and lane_token is null order by due_at limit $3)
               union all
               (select delivery_id from delivery_due
                where endpoint_id = $1 and due_at <= $2 and lane_token is null and not in_order
                order by due_at, delivery_id limit $3)
           ), held as materialized (
               select delivery_id from delivery_due
               where delivery_id in (select delivery_id from ready) and lane_token is null
               limit $3 for update skip locked
           )
           update delivery_due d set lane_token = $4 from held where d.delivery_id = held.delivery_id
           returning d.delivery_id, d.received_at, d.event_id, d.connection_id, d.kind, d.begun_at, d.tries, d.attempt,
                     d.trigger, d.by_name, d.retry_id"#,
        endpoint.0,
        now,
        limit,
        token,
    );
    read(rows.fetch_all(conn).await?)
}

/// Claims for this lane what another one had claimed that is no more: whether it was sent, nobody knows.
pub async fn take_over(conn: &mut PgConnection, endpoint: EndpointId, token: Uuid) -> sqlx::Result<Vec<Due>> {
    let rows = sqlx::query_as!(
        Row,
        "update delivery_due set lane_token = $2 where endpoint_id = $1 and lane_token <> $2
         returning delivery_id, received_at, event_id, connection_id, kind, begun_at, tries, attempt, trigger, by_name,
                   retry_id",
        endpoint.0,
        token,
    );
    read(rows.fetch_all(conn).await?)
}

/// Gives back what was claimed but not sent: all of this lane but `held`.
pub async fn give_back(conn: &mut PgConnection, endpoint: EndpointId, token: Uuid, held: &[Uuid]) -> sqlx::Result<u64> {
    let done = sqlx::query!(
        "update delivery_due set lane_token = null
         where endpoint_id = $1 and lane_token = $2 and delivery_id <> all($3::uuid[])",
        endpoint.0,
        token,
        held,
    );
    Ok(done.execute(conn).await?.rows_affected())
}

/// Takes away what has waited too long for an endpoint that is not reached; the caller writes its end.
pub async fn take_overdue(
    conn: &mut PgConnection,
    endpoint: EndpointId,
    begun_before: DateTime<Utc>,
    limit: i64,
) -> sqlx::Result<Vec<Due>> {
    let rows = sqlx::query_as!(
        Row,
        "with held as materialized (
             select delivery_id from delivery_due
             where endpoint_id = $1 and due_at <= $2::timestamptz + interval '1 day' and begun_at <= $2 and lane_token is null
             limit $3 for update skip locked
         )
         delete from delivery_due d using held where d.delivery_id = held.delivery_id
         returning d.delivery_id, d.received_at, d.event_id, d.connection_id, d.kind, d.begun_at, d.tries, d.attempt,
                   d.trigger, d.by_name, d.retry_id",
        endpoint.0,
        begun_before,
        limit,
    );
    read(rows.fetch_all(conn).await?)
}

/// How many are due by now, over all endpoints; counted to 100,000.
pub async fn backlog(conn: &mut PgConnection, now: DateTime<Utc>) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"select count(*) as "n!" from (select from delivery_due where due_at <= $1 limit 100000) as counted"#,
        now,
    )
    .fetch_one(conn)
    .await
}
