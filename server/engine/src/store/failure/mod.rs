//! Everything that failed, as one list over what fails: see [`parts`] for where each kind lies. Whatever is asked reads what
//! failed, by indexes that hold nothing else, and never what went well.

mod occurring;
mod parts;
mod search;

pub use occurring::occurring;

use super::{cursor, internal, redaction};
use chrono::{DateTime, Utc};
use model::{
    AttemptError, ChannelId, ChannelRef, ConnectionId, ConnectionRef, EndpointId, EndpointRef, Failure, FailureGroup,
    FailureKind, FailureQuery, Page, Refusal, RetryId,
};
use sqlx::{Connection as _, PgConnection, Postgres, QueryBuilder, Transaction};
use std::borrow::Cow;
use std::collections::BTreeMap;
use uuid::Uuid;

/// Groups told.
const MOST_GROUPS: usize = 100;
/// What rests is counted so far.
const MOST_RESTING: i64 = 1_000;

/// Where a page begins: after this, newest first.
type Position = (DateTime<Utc>, Uuid);

/// How many events and deliveries rest as failed until somebody retries them, each counted to a thousand.
pub async fn resting(conn: &mut PgConnection) -> sqlx::Result<u64> {
    sqlx::query_scalar!(
        "select (select count(*) from (select from event_end where failed_at is not null and state = 'failed' limit $1) e) \
              + (select count(*) from (select from delivery where failed_at is not null and state = 'failed' limit $1) d) as \"n!\"",
        MOST_RESTING
    )
    .fetch_one(conn)
    .await
    .map(i64::unsigned_abs)
}

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    at: DateTime<Utc>,
    source: Option<String>,
    connection_id: Option<Uuid>,
    connection: Option<String>,
    endpoint_id: Option<Uuid>,
    endpoint: Option<String>,
    channel_id: Option<Uuid>,
    channel: Option<String>,
    what: Option<String>,
    class: String,
    message: String,
    attempts: i32,
    next_due_at: Option<DateTime<Utc>>,
    retryable: bool,
    /// The event whose payload it is about.
    event_id: Option<Uuid>,
    received_at: DateTime<Utc>,
}

impl Row {
    fn read(self, kind: FailureKind) -> Failure {
        let endpoint = self.endpoint_id.zip(self.endpoint);
        let connection = self.connection_id.zip(self.connection);
        Failure {
            kind,
            id: self.id,
            at: self.at,
            source: self.source,
            connection: connection.map(|(id, name)| ConnectionRef { id: ConnectionId(id), name }),
            endpoint: endpoint.map(|(id, name)| EndpointRef { id: EndpointId(id), name }),
            channel: channel(self.channel_id, self.channel),
            what: self.what,
            error: AttemptError { class: self.class, message: self.message },
            attempts_count: u32::try_from(self.attempts).unwrap_or(0),
            next_due_at: self.next_due_at,
            retryable: self.retryable,
        }
    }
}

fn channel(id: Option<Uuid>, name: Option<String>) -> Option<ChannelRef> {
    id.zip(name).map(|(id, name)| ChannelRef { id: ChannelId(id), name })
}

/// A page, newest first.
pub async fn list(conn: &mut PgConnection, query: &FailureQuery) -> Result<Page<Failure>, Refusal> {
    let limit = usize::from(query.limit());
    let after = query.cursor.as_deref().map(cursor::read_moment).transpose()?;
    let mut found = Vec::new();
    let mut looked_at = 0;
    let mut tx = planned_once(conn).await.map_err(internal)?;
    let rules = match &query.q {
        Some(_) => Some(redaction::rules(&mut tx).await.map_err(internal)?),
        None => None,
    };
    for kind in kinds(query) {
        let rows = match &rules {
            Some(rules) => search::rows(&mut tx, kind, query, after, limit + 1, &mut looked_at, rules).await?,
            None => rows(&mut tx, kind, query, after, limit + 1).await.map_err(internal)?,
        };
        found.push(rows.into_iter().map(|row| row.read(kind)).collect());
    }
    tx.rollback().await.map_err(internal)?;
    Ok(merged(found, limit))
}

/// A transaction whose statements are planned once for each connection. Planning a look into every day anew takes three times as
/// long as looking; and the plan never depends on what is asked for: the index of what failed, in its order.
async fn planned_once(conn: &mut PgConnection) -> sqlx::Result<Transaction<'_, Postgres>> {
    let mut tx = conn.begin().await?;
    sqlx::query!("select set_config('plan_cache_mode', 'force_generic_plan', true) as mode")
        .fetch_one(&mut *tx)
        .await?;
    Ok(tx)
}

/// The newest of all kinds as one page. Each kind gave its newest, one more than the page if there are so many.
fn merged(found: Vec<Vec<Failure>>, limit: usize) -> Page<Failure> {
    let mut items: Vec<_> = found.into_iter().flatten().collect();
    items.sort_unstable_by_key(|one| std::cmp::Reverse((one.at, one.id)));
    let more = items.len() > limit;
    items.truncate(limit);
    let last = items.last().filter(|_| more);
    let next_cursor = last.map(|last| cursor::write::<Position>(&(last.at, last.id)));
    Page { items, next_cursor }
}

/// The kinds asked for that the other filters can let through.
fn kinds(query: &FailureQuery) -> impl Iterator<Item = FailureKind> {
    FailureKind::ALL.iter().copied().filter(|kind| {
        (query.kind.is_empty() || query.kind.contains(kind))
            && (query.endpoint.is_none() || *kind == FailureKind::Delivery)
            && (query.connection.is_none() || *kind != FailureKind::Rejection)
            && (query.source.is_empty() || *kind != FailureKind::Notification)
    })
}

/// The newest of one kind; the page is cut first, names are joined to it.
async fn rows(
    conn: &mut PgConnection,
    kind: FailureKind,
    query: &FailureQuery,
    after: Option<Position>,
    most: usize,
) -> sqlx::Result<Vec<Row>> {
    let mut sql = QueryBuilder::<Postgres>::new(
        "select f.id, f.at, coalesce(f.source, o.name) as source, f.connection_id, c.name as connection, f.endpoint_id,
                p.name as endpoint, f.channel_id, h.name as channel, f.what, f.class, f.message, f.attempts, f.event_id, f.received_at, ",
    );
    sql.push(parts::due_and_retryable(kind));
    sql.push(" from (select f.* from ");
    parts::push(&mut sql, kind, query);
    if let Some((at, id)) = after {
        sql.push(" and (f.at, f.id) < (").push_bind(at).push(", ").push_bind(id).push(")");
    }
    // spelled out, so that the plan knows that it is few
    sql.push(format_args!(" order by f.at desc, f.id desc limit {most}"));
    sql.push(
        ") f
         left join connection c on c.id = f.connection_id
         left join endpoint p on p.id = f.endpoint_id
         left join channel h on h.id = f.channel_id
         left join lateral (select s.name from event e join source s on s.id = e.source_id
                            where e.received_at = f.received_at and e.id = f.event_id limit 1) o on true
         order by f.at desc, f.id desc",
    );
    sql.build_query_as().fetch_all(conn).await
}

/// How many of each kind match; of kinds that have none, nothing. Whatever kinds are asked for.
pub async fn counts(conn: &mut PgConnection, query: &FailureQuery) -> Result<BTreeMap<FailureKind, u64>, Refusal> {
    let query = FailureQuery { kind: Vec::new(), ..query.clone() };
    let Some(query) = found(conn, &query).await? else { return Ok(BTreeMap::new()) };
    let mut tx = planned_once(conn).await.map_err(internal)?;
    let mut counts = BTreeMap::new();
    for kind in kinds(&query) {
        let mut sql = QueryBuilder::<Postgres>::new("select count(*) from ");
        parts::push(&mut sql, kind, &query);
        let n: i64 = sql.build_query_scalar().fetch_one(&mut *tx).await.map_err(internal)?;
        if n > 0 {
            counts.insert(kind, n.unsigned_abs());
        }
    }
    tx.rollback().await.map_err(internal)?;
    Ok(counts)
}

/// How many match that can be tried again.
pub async fn count_retryable(conn: &mut PgConnection, query: &FailureQuery) -> Result<i64, Refusal> {
    let Some(query) = found(conn, query).await? else { return Ok(0) };
    let mut tx = planned_once(conn).await.map_err(internal)?;
    let mut total = 0;
    for kind in kinds(&query) {
        let mut sql = QueryBuilder::<Postgres>::new("select count(*) from ");
        if !parts::push_retryable(&mut sql, kind, &query) {
            continue;
        }
        total += sql.build_query_scalar::<i64>().fetch_one(&mut *tx).await.map_err(internal)?;
    }
    tx.rollback().await.map_err(internal)?;
    Ok(total)
}

/// Adds everything that matches and can be tried again to a retry; how many.
pub async fn add_to_retry(conn: &mut PgConnection, retry: RetryId, query: &FailureQuery) -> Result<i64, Refusal> {
    let Some(query) = found(conn, query).await? else { return Ok(0) };
    let mut total = 0;
    for kind in kinds(&query) {
        let mut sql =
            QueryBuilder::<Postgres>::new("insert into retry_item (retry_id, thing_id, kind, received_at) select ");
        sql.push_bind(retry.0).push(format_args!(", r.id, '{kind}', r.received_at from "));
        if !parts::push_retryable(&mut sql, kind, &query) {
            continue;
        }
        let done = sql.build().execute(&mut *conn).await.map_err(internal)?;
        total += i64::try_from(done.rows_affected()).unwrap_or(i64::MAX);
    }
    Ok(total)
}

#[derive(sqlx::FromRow)]
struct Group {
    class: String,
    message: String,
    endpoint_id: Option<Uuid>,
    endpoint: Option<String>,
    channel_id: Option<Uuid>,
    channel: Option<String>,
    source: Option<String>,
    n: i64,
    first_at: DateTime<Utc>,
    last_at: DateTime<Utc>,
}

/// The same by cause, most first, at most 100.
pub async fn groups(conn: &mut PgConnection, query: &FailureQuery) -> Result<Vec<FailureGroup>, Refusal> {
    let Some(query) = found(conn, query).await? else { return Ok(Vec::new()) };
    let mut groups = Vec::new();
    for kind in kinds(&query) {
        // times as text sort as they are: the session's zone is UTC
        let mut sql = QueryBuilder::<Postgres>::new(
            r#"select g.class, (max(array[g.at::text, g.message] collate "C"))[2] as message, g.endpoint_id, min(p.name) as endpoint,
                      g.channel_id, min(h.name) as channel, g.source, count(*) as n, min(g.at) as first_at, max(g.at) as last_at
               from (select f.class, f.message, f.at, f.endpoint_id, f.channel_id, case when f.endpoint_id is null then coalesce(f.source,
                         (select s.name from event e join source s on s.id = e.source_id
                          where e.received_at = f.received_at and e.id = f.event_id limit 1)) end as source from "#,
        );
        parts::push(&mut sql, kind, &query);
        sql.push(format_args!(
            ") g left join endpoint p on p.id = g.endpoint_id left join channel h on h.id = g.channel_id
             group by g.class, g.endpoint_id, g.channel_id, g.source order by n desc, last_at desc limit {MOST_GROUPS}"
        ));
        let found: Vec<Group> = sql.build_query_as().fetch_all(&mut *conn).await.map_err(internal)?;
        groups.extend(found.into_iter().map(|group| FailureGroup {
            kind,
            error: AttemptError { class: group.class, message: group.message },
            endpoint: group.endpoint_id.zip(group.endpoint).map(|(id, name)| EndpointRef { id: EndpointId(id), name }),
            channel: channel(group.channel_id, group.channel),
            source: group.source,
            count: group.n.unsigned_abs(),
            first_at: group.first_at,
            last_at: group.last_at,
            retryable: parts::retryable(kind).is_some(),
        }));
    }
    groups.sort_by_key(|group| std::cmp::Reverse((group.count, group.last_at)));
    groups.truncate(MOST_GROUPS);
    Ok(groups)
}

/// The question with what its text was found in, by id; none when nothing was.
async fn found<'q>(conn: &mut PgConnection, query: &'q FailureQuery) -> Result<Option<Cow<'q, FailureQuery>>, Refusal> {
    if query.q.is_none() {
        return Ok(Some(Cow::Borrowed(query)));
    }
    let (mut ids, mut looked_at) = (Vec::new(), 0);
    let mut tx = planned_once(conn).await.map_err(internal)?;
    let rules = redaction::rules(&mut tx).await.map_err(internal)?;
    for kind in kinds(query) {
        let rows = search::rows(&mut tx, kind, query, None, usize::MAX, &mut looked_at, &rules).await?;
        ids.extend(rows.into_iter().map(|row| row.id));
    }
    tx.rollback().await.map_err(internal)?;
    let query = FailureQuery { q: None, path: None, id: ids, ..query.clone() };
    Ok((!query.id.is_empty()).then_some(Cow::Owned(query)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn failure(kind: FailureKind, at: i64, id: u128) -> Failure {
        Failure {
            kind,
            id: Uuid::from_u128(id),
            at: DateTime::from_timestamp(at, 0).unwrap(),
            source: None,
            connection: None,
            endpoint: None,
            channel: None,
            what: None,
            error: AttemptError { class: String::new(), message: String::new() },
            attempts_count: 1,
            next_due_at: None,
            retryable: false,
        }
    }

    proptest! {
        #[test]
        fn the_pages_are_the_sorted_list(times in prop::collection::vec((0usize..5, 0i64..20), 0..60), limit in 1usize..8) {
            let all: Vec<_> =
                times.iter().enumerate().map(|(n, (kind, at))| failure(FailureKind::ALL[*kind], *at, n as u128)).collect();
            let mut model: Vec<_> = all.iter().map(|one| (one.at, one.id)).collect();
            model.sort_unstable_by_key(|one| std::cmp::Reverse(*one));
            let (mut seen, mut after): (Vec<Position>, Option<Position>) = (Vec::new(), None);
            loop {
                let of = |kind: FailureKind| {
                    let mut some: Vec<_> = all
                        .iter()
                        .filter(|one| one.kind == kind && after.is_none_or(|after| (one.at, one.id) < after))
                        .cloned()
                        .collect();
                    some.sort_unstable_by_key(|one| std::cmp::Reverse((one.at, one.id)));
                    some.truncate(limit + 1);
                    some
                };
                let page = merged(FailureKind::ALL.iter().copied().map(of).collect(), limit);
                prop_assert!(page.items.len() <= limit);
                seen.extend(page.items.iter().map(|one| (one.at, one.id)));
                let Some(next) = page.next_cursor else { break };
                after = Some(cursor::read_moment(&next).unwrap());
            }
            prop_assert_eq!(seen, model);
        }
    }

    #[test]
    fn what_a_filter_cannot_let_through_is_not_asked_for() {
        let of = |query: &str| kinds(&FailureQuery::from_query(query).unwrap()).collect::<Vec<_>>();
        assert_eq!(of(""), FailureKind::ALL);
        assert_eq!(of("kind=gap&kind=notification"), [FailureKind::Gap, FailureKind::Notification]);
        assert_eq!(of("kind=gap&kind=notification&source=demo"), [FailureKind::Gap], "no message is of a source");
        let id = Uuid::nil();
        assert_eq!(of(&format!("endpoint={id}")), [FailureKind::Delivery]);
        assert_eq!(of(&format!("endpoint={id}&kind=gap")), []);
        assert!(!of(&format!("connection={id}")).contains(&FailureKind::Rejection));
    }
}
