//! The accounts, from the tables themselves: all in one look, as of one moment.

use super::app::App;
use super::sender::{Posted, Webhook};
use crate::Failure;
use crate::linewatch::SOURCE;
use crate::wire::Wire;
use sqlx::{Connection as _, Executor as _, PgConnection, Row as _};
use std::collections::{HashMap, HashSet};

/// What Linewatch says of a delivery.
#[derive(Clone, Debug)]
pub struct Known {
    /// Of which webhook, by its own id.
    pub webhook: String,
    /// The id of the endpoint.
    pub endpoint: String,
    /// Whether it is done.
    pub done: bool,
}

/// By id.
pub type Deliveries = HashMap<String, Known>;

/// What does not balance, and what there is.
pub struct Books {
    /// A line for people.
    pub said: String,
    /// Answered 200 and not there.
    pub lost: Vec<String>,
    /// Rows beyond one for a webhook.
    pub doubled: i64,
    /// Told under one id and kept under another.
    pub unstable: Vec<String>,
    /// received − (processed + failed + superseded + unrecognised + pending), and rows that belong to nothing.
    pub imbalance: i64,
    /// Events that match an endpoint, without a delivery.
    pub deliveries_lost: i64,
    /// Deliveries beyond one for an event and an endpoint, or that no endpoint wanted.
    pub deliveries_doubled: i64,
    /// made − (done + failed + due), and rows that belong to nothing.
    pub deliveries_imbalance: i64,
    /// Not done, although their application is well.
    pub not_done: i64,
    /// Neither done nor failed, and nothing says why.
    pub unexplained: i64,
    /// Tries that are not recorded, or without why they failed.
    pub attempts_missing: i64,
    /// What should have happened in a run that proves anything, and did not.
    pub untried: Vec<String>,
    /// All deliveries.
    pub deliveries: Deliveries,
}

/// What an endpoint waits for.
pub struct Waiting {
    /// Which.
    pub endpoint: String,
    /// Its circuit is open.
    pub open: bool,
    /// How many were tried and are due later.
    pub later: i64,
    /// One of those; empty if there is none.
    pub one: String,
}

/// The keys of connections that webhooks can be about.
pub async fn keys(db: &mut PgConnection) -> Result<Vec<String>, Failure> {
    let sql = "select c.key from connection c join source s on s.id = c.source_id where s.name = $1 order by c.id";
    Ok(sqlx::query_scalar(sql).bind(SOURCE).fetch_all(db).await?)
}

/// Events that were never tried.
pub async fn unprocessed(db: &mut PgConnection) -> Result<i64, Failure> {
    Ok(sqlx::query_scalar("select count(*) from event_due where tries = 0").fetch_one(db).await?)
}

/// Of these endpoints, those for which something is still to be done.
pub async fn waiting(db: &mut PgConnection, endpoints: &[String]) -> Result<Vec<Waiting>, Failure> {
    let sql = "select d.endpoint_id::text, bool_or(l.open_since is not null), count(*) filter (where later),
                      coalesce(min(d.delivery_id::text) filter (where later), '')
               from (select *, tries > 0 and lane_token is null and due_at > now() + interval '1 second' as later from delivery_due) d
               join endpoint_lane l on l.endpoint_id = d.endpoint_id
               where d.endpoint_id = any($1::text[]::uuid[]) group by 1";
    let rows = sqlx::query_as(sql).bind(endpoints).fetch_all(db).await?.into_iter();
    Ok(rows.map(|(endpoint, open, later, one)| Waiting { endpoint, open, later, one }).collect())
}

/// How many webhooks the API does not tell of exactly once.
pub async fn told(api: &mut Wire, webhooks: &[Webhook]) -> Result<i64, Failure> {
    let (mut left, mut more) = (webhooks.iter().map(|webhook| webhook.id.as_str()).collect::<HashSet<_>>(), 0);
    let mut cursor = String::new();
    loop {
        let page = api.get(&format!("/api/v1/events?limit=200&cursor={cursor}")).await?.json()?;
        for event in page["items"].as_array().ok_or("a page without items")? {
            more += i64::from(!event["webhook_id"].as_str().is_some_and(|id| left.remove(id)));
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = form_urlencoded::byte_serialize(next.as_bytes()).collect(),
            None => return Ok(i64::try_from(left.len())? + more),
        }
    }
}

/// Events by their ends, and rows that belong to nothing.
const EVENTS: &str = "
    select (select count(*) from event), (select count(distinct webhook_id) from event),
           count(*) filter (where n.state = 'processed'), count(*) filter (where n.state = 'failed'),
           count(*) filter (where n.state = 'superseded'), count(*) filter (where n.state = 'unrecognised'),
           (select count(*) from event_due),
           (select count(*) from event_due d where not exists (select from event e where e.received_at = d.received_at and e.id = d.event_id))
               + (select count(*) from event_end n where not exists (select from event e where e.received_at = n.received_at and e.id = n.id))
               + (select count(*) from event_end n join event_due d on d.event_id = n.id where n.state <> 'pending')
               + (select count(*) - count(distinct event_id) from event_due)
    from event_end n";

/// Deliveries that there should be, held against those that there are.
const DELIVERIES: &str = "
    with wanted as (
        select e.id as event_id, p.id as endpoint_id
        from event e join event_end n on n.received_at = e.received_at and n.id = e.id and n.state <> 'pending'
        cross join endpoint p
        where coalesce(jsonb_array_length(p.filter -> 'kinds'), 0) = 0 or p.filter -> 'kinds' ? n.kind
    ), made as (
        select coalesce(x.id, d.delivery_id) as id, coalesce(x.event_id, d.event_id) as event_id,
               coalesce(x.endpoint_id, d.endpoint_id) as endpoint_id, x.state, x.tries, x.attempts, x.error_class,
               d.delivery_id is not null as due, d.lane_token
        from delivery x full join delivery_due d on d.delivery_id = x.id
    )
    select (select count(*) from made),
           (select count(*) from wanted w left join made m using (event_id, endpoint_id) where m.id is null),
           (select count(*) - count(distinct (event_id, endpoint_id)) from made)
               + (select count(*) from made m left join wanted w using (event_id, endpoint_id) where w.event_id is null),
           count(*) filter (where m.state = 'done'), count(*) filter (where m.state = 'failed'), count(*) filter (where m.due),
           count(*) filter (where m.due and m.state in ('done', 'failed') or not m.due and m.state not in ('done', 'failed')),
           count(*) filter (where m.state is distinct from 'done' and m.endpoint_id = any($1::text[]::uuid[])),
           count(*) filter (where m.due and m.error_class is null and l.open_since is null
                            and (l.lease_until is null or l.lease_until < now())),
           count(*) filter (where m.state is not null and (coalesce(jsonb_array_length(m.attempts), 1) <> m.tries
                                or m.attempts is null and m.state <> 'done'
                                or m.state <> 'done' and m.error_class is null
                                or exists (select from jsonb_array_elements(m.attempts) with ordinality a (sent, place)
                                           where (a.sent ->> 'n')::bigint <> a.place)))
    from made m join endpoint_lane l on l.endpoint_id = m.endpoint_id";

/// Every delivery with the webhook that it is of.
const KNOWN: &str = "
    select coalesce(x.id, d.delivery_id)::text, e.webhook_id, coalesce(x.endpoint_id, d.endpoint_id)::text,
           coalesce(x.state = 'done', false)
    from delivery x full join delivery_due d on d.delivery_id = x.id
    join event e on e.id = coalesce(x.event_id, d.event_id)";

/// Reads all of it.
pub async fn read(db: &mut PgConnection, posted: &Posted, apps: &[App]) -> Result<Books, Failure> {
    let well: Vec<&str> = apps.iter().filter(|app| app.ends_well()).map(App::endpoint).collect();
    // it is read as of one moment while work goes on
    let mut tx = db.begin().await?;
    tx.execute("set transaction isolation level repeatable read; set local work_mem = '64MB'").await?;
    let kept: Vec<(String, String)> =
        sqlx::query_as("select webhook_id, id::text from event").fetch_all(&mut *tx).await?;
    let kept: HashMap<_, _> = kept.into_iter().collect();
    let row = sqlx::query(EVENTS).fetch_one(&mut *tx).await?;
    let n = |at: usize| row.try_get::<i64, _>(at);
    let (received, distinct, ends, pending) = (n(0)?, n(1)?, [n(2)?, n(3)?, n(4)?, n(5)?], n(6)?);
    let [processed, failed, superseded, unrecognised] = ends;
    let imbalance = (received - ends.iter().sum::<i64>() - pending).abs() + n(7)?;
    let row = sqlx::query(DELIVERIES).bind(well).fetch_one(&mut *tx).await?;
    let m = |at: usize| row.try_get::<i64, _>(at);
    let (made, done, given_up, due) = (m(0)?, m(3)?, m(4)?, m(5)?);
    let interrupted: i64 =
        sqlx::query_scalar("select count(*) from delivery where attempts::text like '%\"interrupted\"%'")
            .fetch_one(&mut *tx)
            .await?;
    let known: Vec<(String, String, String, bool)> = sqlx::query_as(KNOWN).fetch_all(&mut *tx).await?;
    let known = known.into_iter().map(|(id, webhook, endpoint, done)| (id, Known { webhook, endpoint, done }));
    let books = Books {
        said: format!(
            "{received} received = {processed} processed + {failed} failed + {superseded} superseded + {unrecognised} unrecognised \
             + {pending} pending; {made} deliveries = {done} done + {given_up} failed + {due} that wait; {interrupted} were interrupted"
        ),
        lost: posted.ids.keys().filter(|id| !kept.contains_key(*id)).cloned().collect(),
        doubled: received - distinct,
        unstable: posted
            .ids
            .iter()
            .filter(|(webhook, told)| kept.get(*webhook).is_some_and(|id| id != *told))
            .map(|(webhook, told)| format!("{webhook} was answered {told} and is kept as {}", kept[webhook]))
            .collect(),
        imbalance,
        deliveries_lost: m(1)?,
        deliveries_doubled: m(2)?,
        deliveries_imbalance: (made - done - given_up - due).abs() + m(6)?,
        not_done: m(7)?,
        unexplained: m(8)?,
        attempts_missing: m(9)?,
        untried: [
            ("processed", processed),
            ("superseded", superseded),
            ("unrecognised", unrecognised),
            ("done", done),
            ("given up", given_up),
            ("waiting", due),
            ("interrupted", interrupted),
        ]
        .into_iter()
        .filter(|(_, n)| *n == 0)
        .map(|(what, _)| format!("nothing was {what}"))
        .collect(),
        deliveries: known.collect(),
    };
    tx.rollback().await?;
    Ok(books)
}
