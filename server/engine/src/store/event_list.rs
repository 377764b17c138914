//! Questions about received webhooks.

use super::{cursor, event_due::pairs, event_end::attempts, event_key, internal, word};
use crate::clock::made_about;
use chrono::{DateTime, Utc};
use model::{Attempt, ConnectionId, Event, EventDetail, EventId, EventQuery, EventState, Page, Refusal};
use sqlx::{PgConnection, Postgres, QueryBuilder, types::Json};
use uuid::Uuid;

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    source: String,
    webhook_id: Option<String>,
    kind: Option<String>,
    connection_id: Option<Uuid>,
    occurred_at: Option<DateTime<Utc>>,
    received_at: DateTime<Utc>,
    state: String,
    maybe_repeat: bool,
    duplicates: i32,
    started_at: Option<DateTime<Utc>>,
    duration_ms: Option<i32>,
    attempts: Option<Json<Vec<Attempt>>>,
}

impl Row {
    fn read(self) -> sqlx::Result<Event> {
        Ok(Event {
            id: EventId(self.id),
            source: self.source,
            webhook_id: self.webhook_id,
            kind: self.kind,
            connection_id: self.connection_id.map(ConnectionId),
            occurred_at: self.occurred_at,
            received_at: self.received_at,
            state: word(&self.state)?,
            maybe_repeat: self.maybe_repeat,
            duplicates: u32::try_from(self.duplicates).unwrap_or(0),
            attempts: attempts(self.attempts.map(|kept| kept.0), self.started_at, self.duration_ms),
        })
    }
}

/// Where a page begins: after this event, newest first.
type Position = (DateTime<Utc>, Uuid);

/// A page of events, newest first.
pub async fn list(conn: &mut PgConnection, query: &EventQuery) -> Result<Page<Event>, Refusal> {
    let limit = usize::from(query.limit());
    let after = query.cursor.as_deref().map(cursor::read_moment).transpose()?;
    let keyed = match &query.webhook_id {
        Some(webhook_id) => event_key::find(conn, webhook_id).await.map_err(internal)?,
        None => Vec::new(),
    };
    let rows: Vec<Row> = select(query, after, keyed).build_query_as().fetch_all(conn).await.map_err(internal)?;
    let more = rows.len() > limit;
    let rows = rows.into_iter().take(limit).map(Row::read);
    let items = rows.collect::<sqlx::Result<Vec<_>>>().map_err(internal)?;
    let last = items.last().filter(|_| more);
    let next_cursor = last.map(|last| cursor::write::<Position>(&(last.received_at, last.id.0)));
    Ok(Page { items, next_cursor })
}

/// One row more than the page, to see whether another follows. The page is cut first; names and counts are joined to it.
/// `keyed`: where the events of the wanted `webhook_id` lie, if their keys are still there.
///
/// What is asked of ends is looked for among them, in the order of their indexes; the limit of one keeps Postgres from
/// reading all events instead.
fn select(query: &EventQuery, after: Option<Position>, keyed: Vec<Position>) -> QueryBuilder<Postgres> {
    let of_ends = !query.kind.is_empty() || query.connection.is_some() || !query.state.is_empty();
    let by_end = of_ends && !query.state.contains(&EventState::Pending) && query.webhook_id.is_none();
    let mut sql = QueryBuilder::new(
        "select e.id, s.name as source, e.webhook_id, e.kind, e.connection_id, e.occurred_at, e.received_at,
                coalesce(e.state, 'pending') as state, e.key_hash is null as maybe_repeat,
                coalesce(k.duplicates, 0) as duplicates, e.started_at, e.duration_ms, e.attempts
         from (select e.id, e.source_id, e.webhook_id, e.occurred_at, e.received_at, e.key_hash,
                      n.kind, n.connection_id, n.state, n.started_at, n.duration_ms, n.attempts from ",
    );
    sql.push(if by_end {
        "event_end n cross join lateral
         (select * from event where received_at = n.received_at and id = n.id limit 1) e where true"
    } else {
        "event e left join event_end n on n.received_at = e.received_at and n.id = e.id where true"
    });
    let leading = if by_end { "n" } else { "e" };
    if let Some(webhook_id) = &query.webhook_id {
        sql.push(" and e.webhook_id = ").push_bind(webhook_id.clone());
        if !keyed.is_empty() {
            let (received_at, ids): (Vec<_>, Vec<_>) = keyed.into_iter().unzip();
            sql.push(" and e.received_at = any(").push_bind(received_at);
            sql.push(") and e.id = any(").push_bind(ids).push(")");
        }
    }
    match query.state.as_slice() {
        [] => {}
        [EventState::Pending] => {
            sql.push(" and exists (select from event_due d where d.event_id = e.id and d.received_at = e.received_at)");
        }
        // spelled out, so that the index of what is unwell answers it in order
        [one] => {
            sql.push(format_args!(" and n.state = '{one}'"));
        }
        many => {
            let codes: Vec<_> = many.iter().map(|state| state.code()).collect();
            sql.push(" and coalesce(n.state, 'pending') = any(").push_bind(codes).push(")");
        }
    }
    if !query.kind.is_empty() {
        sql.push(" and n.kind = any(").push_bind(query.kind.clone()).push(")");
    }
    if let Some(connection) = query.connection {
        sql.push(" and n.connection_id = ").push_bind(connection.0);
    }
    if !query.source.is_empty() {
        sql.push(" and e.source_id = any(array(select id from source where name = any(");
        sql.push_bind(query.source.clone()).push(") or id::text = any(").push_bind(query.source.clone()).push(")))");
    }
    if let Some((received_at, id)) = after {
        sql.push(format_args!(" and ({leading}.received_at, {leading}.id) < ("));
        sql.push_bind(received_at).push(", ").push_bind(id).push(")");
    }
    sql.push(format_args!(" order by {leading}.received_at desc, {leading}.id desc limit "));
    sql.push_bind(i64::from(query.limit()) + 1);
    sql.push(
        ") as e
         join source s on s.id = e.source_id
         left join event_key k on k.key_hash = e.key_hash and k.event_id = e.id
         order by e.received_at desc, e.id desc",
    );
    sql
}

/// One event with its payload.
pub async fn get(conn: &mut PgConnection, id: EventId) -> sqlx::Result<Option<EventDetail>> {
    let Some((from, to)) = made_about(id.0) else { return Ok(None) };
    let row = sqlx::query!(
        r#"select e.id, s.name as source, e.webhook_id, n.kind as "kind?", n.connection_id as "connection_id?", e.occurred_at,
                  e.received_at, coalesce(n.state, 'pending') as "state!", e.key_hash is null as "maybe_repeat!",
                  coalesce(k.duplicates, 0) as "duplicates!", n.started_at as "started_at?", n.duration_ms as "duration_ms?",
                  n.attempts as "attempts?: Json<Vec<Attempt>>", e.body, e.headers
           from event e
           join source s on s.id = e.source_id
           left join event_end n on n.received_at = e.received_at and n.id = e.id and n.received_at between $2 and $3
           left join event_key k on k.key_hash = e.key_hash and k.event_id = e.id
           where e.id = $1 and e.received_at between $2 and $3"#,
        id.0,
        from,
        to,
    )
    .fetch_optional(conn)
    .await?;
    row.map(|row| {
        let payload = Some(String::from_utf8_lossy(&row.body).into_owned());
        let headers = pairs(&row.headers);
        let event = Row {
            id: row.id,
            source: row.source,
            webhook_id: row.webhook_id,
            kind: row.kind,
            connection_id: row.connection_id,
            occurred_at: row.occurred_at,
            received_at: row.received_at,
            state: row.state,
            maybe_repeat: row.maybe_repeat,
            duplicates: row.duplicates,
            started_at: row.started_at,
            duration_ms: row.duration_ms,
            attempts: row.attempts,
        };
        Ok(EventDetail { event: event.read()?, payload, headers })
    })
    .transpose()
}
