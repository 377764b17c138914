//! Questions about deliveries: those that have been tried and those that only wait.

use super::{cursor, internal, word};
use crate::clock::made_about;
use crate::relay::LAST;
use chrono::{DateTime, Utc};
use model::{
    Attempt, AttemptOutcome, AttemptTrigger, ConnectionId, Delivery, DeliveryId, DeliveryQuery, DeliveryState,
    EndpointId, EventId, Page, Refusal, Sent,
};
use sqlx::{PgConnection, Postgres, QueryBuilder, types::Json};
use uuid::Uuid;

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    received_at: DateTime<Utc>,
    event_id: Uuid,
    endpoint_id: Uuid,
    endpoint: String,
    connection_id: Option<Uuid>,
    kind: Option<String>,
    state: String,
    due_at: Option<DateTime<Utc>>,
    begun_at: Option<DateTime<Utc>>,
    started_at: Option<DateTime<Utc>>,
    duration_ms: Option<i32>,
    status: Option<i16>,
    attempts: Option<Json<Vec<Sent>>>,
}

impl Row {
    fn read(self) -> sqlx::Result<Delivery> {
        let plain = || {
            Some(vec![Sent {
                attempt: Attempt {
                    n: 1,
                    trigger: AttemptTrigger::Arrival,
                    by: None,
                    started_at: self.started_at?,
                    duration_ms: u32::try_from(self.duration_ms?).unwrap_or(0),
                    outcome: AttemptOutcome::Ok,
                    status: self.status.and_then(|status| u16::try_from(status).ok()),
                    error: None,
                },
                answer: None,
            }])
        };
        let attempts = self.attempts.map(|kept| kept.0).or_else(plain).unwrap_or_default();
        let due_at = self.due_at;
        Ok(Delivery {
            id: DeliveryId(self.id),
            event_id: EventId(self.event_id),
            endpoint_id: EndpointId(self.endpoint_id),
            endpoint: self.endpoint,
            connection_id: self.connection_id.map(ConnectionId),
            kind: self.kind,
            state: word(&self.state)?,
            received_at: self.received_at,
            due_at,
            until: self.begun_at.map(|begun_at| (begun_at + LAST).max(due_at.unwrap_or(begun_at))),
            attempts,
        })
    }
}

/// Where a delivery stands: what waits says so by its row of work, its endpoint and its lane; the rest by what became of it.
const STATE: &str = "case when d.delivery_id is null then f.state when d.lane_token is not null then 'running'
    when not e.enabled or l.open_since is not null then 'waiting' else 'pending' end";

/// Where a page begins: after this delivery, newest first.
type Position = (DateTime<Utc>, Uuid);

/// A page of deliveries, newest first. `ids`: only these, where the question is about one event.
pub async fn list(
    conn: &mut PgConnection,
    query: &DeliveryQuery,
    ids: Option<Vec<Uuid>>,
) -> Result<Page<Delivery>, Refusal> {
    let limit = usize::from(query.limit());
    let after = query.cursor.as_deref().map(cursor::read_moment).transpose()?;
    let rows: Vec<Row> = select(query, after, ids).build_query_as().fetch_all(conn).await.map_err(internal)?;
    let more = rows.len() > limit;
    let rows = rows.into_iter().take(limit).map(Row::read);
    let items = rows.collect::<sqlx::Result<Vec<_>>>().map_err(internal)?;
    let last = items.last().filter(|_| more);
    let next_cursor = last.map(|last| cursor::write::<Position>(&(last.received_at, last.id.0)));
    Ok(Page { items, next_cursor })
}

/// One row more than the page. The page is cut first, out of what waits and of what was tried; the rest is joined to it.
fn select(query: &DeliveryQuery, after: Option<Position>, ids: Option<Vec<Uuid>>) -> QueryBuilder<Postgres> {
    let asked = |state| query.state.is_empty() || query.state.contains(&state);
    let ended: Vec<&str> = [DeliveryState::Done, DeliveryState::Failed]
        .into_iter()
        .filter(|state| asked(*state))
        .map(|state| state.code())
        .collect();
    let at_work: Vec<&str> = [DeliveryState::Pending, DeliveryState::Running, DeliveryState::Waiting]
        .into_iter()
        .filter(|state| asked(*state))
        .map(|state| state.code())
        .collect();
    let mut sql = QueryBuilder::new(format!(
        "select p.id, p.received_at, coalesce(d.event_id, f.event_id) as event_id, e.id as endpoint_id, e.name as endpoint,
                coalesce(d.connection_id, f.connection_id) as connection_id, coalesce(d.kind, f.kind) as kind, {STATE} as state,
                d.due_at, d.begun_at, f.started_at, f.duration_ms, f.status, f.attempts
         from (select id, received_at from (("
    ));
    sql.push(format_args!(
        "select d.delivery_id as id, d.received_at from delivery_due d join endpoint e on e.id = d.endpoint_id
         join endpoint_lane l on l.endpoint_id = d.endpoint_id
         cross join lateral (select null::text as state) f where true"
    ));
    narrow(&mut sql, query, after, ids.as_deref(), "d.delivery_id");
    sql.push(format_args!(" and {STATE} = any(")).push_bind(own(&at_work)).push(")");
    sql.push(" order by d.received_at desc, d.delivery_id desc limit ").push_bind(i64::from(query.limit()) + 1);
    sql.push(") union (select d.id, d.received_at from delivery d where true");
    narrow(&mut sql, query, after, ids.as_deref(), "d.id");
    sql.push(" and d.state = any(").push_bind(own(&ended)).push(")");
    sql.push(" order by d.received_at desc, d.id desc limit ").push_bind(i64::from(query.limit()) + 1);
    sql.push(")) as both_kinds order by received_at desc, id desc limit ").push_bind(i64::from(query.limit()) + 1);
    sql.push(
        ") as p
         left join delivery_due d on d.delivery_id = p.id
         left join lateral (select * from delivery where received_at = p.received_at and id = p.id limit 1) f on true
         join endpoint e on e.id = coalesce(d.endpoint_id, f.endpoint_id)
         left join endpoint_lane l on l.endpoint_id = e.id
         order by p.received_at desc, p.id desc",
    );
    sql
}

fn own(codes: &[&str]) -> Vec<String> {
    codes.iter().map(|code| (*code).to_owned()).collect()
}

fn narrow(
    sql: &mut QueryBuilder<Postgres>,
    query: &DeliveryQuery,
    after: Option<Position>,
    ids: Option<&[Uuid]>,
    id: &str,
) {
    if let Some(ids) = ids {
        sql.push(format_args!(" and {id} = any(")).push_bind(ids.to_vec()).push(")");
        // the time in the ids spares Postgres the partitions of other days
        if let Some((from, to)) = ids.first().and_then(|id| made_about(*id)) {
            sql.push(" and d.received_at between ").push_bind(from).push(" and ").push_bind(to);
        }
    }
    if let Some(endpoint) = query.endpoint {
        sql.push(" and d.endpoint_id = ").push_bind(endpoint.0);
    }
    if let Some((received_at, before)) = after {
        sql.push(format_args!(" and (d.received_at, {id}) < ("));
        sql.push_bind(received_at).push(", ").push_bind(before).push(")");
    }
}

/// One delivery.
pub async fn get(conn: &mut PgConnection, id: DeliveryId) -> Result<Option<Delivery>, Refusal> {
    if made_about(id.0).is_none() {
        return Ok(None);
    }
    let query = DeliveryQuery { limit: Some(1), ..DeliveryQuery::default() };
    Ok(list(conn, &query, Some(vec![id.0])).await?.items.pop())
}
