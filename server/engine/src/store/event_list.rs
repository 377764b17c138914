//! Questions about received webhooks.

use super::{cursor, event::pairs, internal, word};
use chrono::{DateTime, Utc};
use model::{Attempt, ConnectionId, Event, EventDetail, EventId, EventQuery, Page, Refusal};
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
    attempts: Json<Vec<Attempt>>,
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
            attempts: self.attempts.0,
        })
    }
}

/// Where a page begins: after this event, newest first.
type Position = (DateTime<Utc>, Uuid);

/// A page of events, newest first.
pub async fn list(conn: &mut PgConnection, query: &EventQuery) -> Result<Page<Event>, Refusal> {
    let limit = usize::from(query.limit());
    let after = query.cursor.as_deref().map(cursor::read_moment).transpose()?;
    let rows: Vec<Row> = select(query, after).build_query_as().fetch_all(conn).await.map_err(internal)?;
    let more = rows.len() > limit;
    let rows = rows.into_iter().take(limit).map(Row::read);
    let items = rows.collect::<sqlx::Result<Vec<_>>>().map_err(internal)?;
    let last = items.last().filter(|_| more);
    let next_cursor = last.map(|last| cursor::write::<Position>(&(last.received_at, last.id.0)));
    Ok(Page { items, next_cursor })
}

/// One row more than the page, to see whether another follows. The page is cut first; names and counts are joined to it.
fn select(query: &EventQuery, after: Option<Position>) -> QueryBuilder<Postgres> {
    let mut sql = QueryBuilder::new(
        "select e.id, s.name as source, e.webhook_id, e.kind, e.connection_id, e.occurred_at, e.received_at, e.state,
                e.key_hash is null as maybe_repeat, coalesce(k.duplicates, 0) as duplicates, e.attempts
         from (select id, source_id, webhook_id, kind, connection_id, occurred_at, received_at, state, key_hash, attempts
               from event where true",
    );
    if let Some(webhook_id) = &query.webhook_id {
        sql.push(" and webhook_id = ").push_bind(webhook_id.clone());
    }
    match query.state.as_slice() {
        [] => {}
        // spelled out, so that the index of what is unwell answers it in order
        [one] => {
            sql.push(format_args!(" and state = '{one}'"));
        }
        many => {
            let codes: Vec<_> = many.iter().map(|state| state.code()).collect();
            sql.push(" and state = any(").push_bind(codes).push(")");
        }
    }
    if !query.kind.is_empty() {
        sql.push(" and kind = any(").push_bind(query.kind.clone()).push(")");
    }
    if let Some(connection) = query.connection {
        sql.push(" and connection_id = ").push_bind(connection.0);
    }
    if !query.source.is_empty() {
        sql.push(" and source_id = any(array(select id from source where name = any(").push_bind(query.source.clone());
        sql.push(") or id::text = any(").push_bind(query.source.clone()).push(")))");
    }
    if let Some((received_at, id)) = after {
        sql.push(" and (received_at, id) < (").push_bind(received_at).push(", ").push_bind(id).push(")");
    }
    sql.push(" order by received_at desc, id desc limit ").push_bind(i64::from(query.limit()) + 1);
    sql.push(
        ") as e
         join source s on s.id = e.source_id
         left join event_key k on k.source_id = e.source_id and k.key_hash = e.key_hash and k.event_id = e.id
         order by e.received_at desc, e.id desc",
    );
    sql
}

/// One event with its payload.
pub async fn get(conn: &mut PgConnection, id: EventId) -> sqlx::Result<Option<EventDetail>> {
    let row = sqlx::query!(
        r#"select e.id, s.name as source, e.webhook_id, e.kind, e.connection_id, e.occurred_at, e.received_at, e.state,
                  e.key_hash is null as "maybe_repeat!", coalesce(k.duplicates, 0) as "duplicates!",
                  e.attempts as "attempts: Json<Vec<Attempt>>", e.body, e.headers
           from event e
           join source s on s.id = e.source_id
           left join event_key k on k.source_id = e.source_id and k.key_hash = e.key_hash and k.event_id = e.id
           where e.id = $1"#,
        id.0,
    )
    .fetch_optional(conn)
    .await?;
    row.map(|row| {
        let payload = Some(String::from_utf8_lossy(&row.body).into_owned());
        let headers = pairs(row.headers);
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
            attempts: row.attempts,
        };
        Ok(EventDetail { event: event.read()?, payload, headers })
    })
    .transpose()
}
