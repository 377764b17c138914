//! Lists, asked of a real Postgres: whatever a cursor or a filter holds, it is answered or refused, and never an error of ours.
//!
//! An input is a line and a cursor. The line is a query string; its first byte says by its bits 1, 2 and 8 which list is asked, and
//! by its bit 4 whether the cursor is taken as it stands or is the JSON within one. Run it as `.ci/with-postgres cargo fuzz run …`.
#![no_main]

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use engine::clock::{Clock as _, SystemClock};
use engine::store::{self, alert_list, connection_list, event_list, evidence, failure, issue_list, notification_list};
use libfuzzer_sys::fuzz_target;
use model::{
    AlertQuery, ConnectionId, ConnectionQuery, EventQuery, FailureQuery, IssueQuery, NotificationQuery, PageQuery,
    Refusal,
};
use sqlx::{Connection as _, PgConnection};
use std::{cell::RefCell, time::Duration};
use tokio::runtime::Runtime;

/// Every list has a row, so that Postgres comes to compare it with what the cursor says.
const ROWS: &str = "
    insert into source (id, name, environment, dialect, base_url, client_id, token_ownership, customer_key,
        poll_interval_seconds, rate_per_minute, late_factor, late_grace_seconds, proof_allowance_seconds, mappings,
        created_at, updated_at, due_at)
    values ('00000000-0000-7000-8000-000000000001', 'makini', 'production', 'faq_v1', 'https://makini.example', 'client',
        'external', 'customer_id', 60, 60, 1.5, 300, 86400, '{}', now(), now(), now());
    insert into platform values ('sap', 'SAP');
    insert into customer (id, key, name, created_at) values ('00000000-0000-7000-8000-000000000002', 'name:A', 'A', now());
    insert into connection (id, source_id, key, name, customer_id, platform_slug, authorization_, authorization_at,
        authorization_eye, flow, flow_at, flow_eye, authorization_shown, data_flow, health, health_rank, since, search,
        first_seen_at, updated_at)
    values ('00000000-0000-7000-8000-000000000003', '00000000-0000-7000-8000-000000000001', '1', 'A',
        '00000000-0000-7000-8000-000000000002', 'sap', 'authorized', now(), 'poll', 'good', now(), 'poll', 'authorized',
        'fresh', 'healthy', 8, now(), 'a sap 1', now(), now());
    insert into transition (id, connection_id, at, to_health)
    values ('00000000-0000-7000-8000-000000000004', '00000000-0000-7000-8000-000000000003', now(), 'healthy');
    insert into evidence (id, received_at, connection_id, eye, at, applied, text, facts)
    values ('00000000-0000-7000-8000-000000000005', now(), '00000000-0000-7000-8000-000000000003', 'check', now(),
        'changed', 'syncs well', '{}');
    insert into event (id, received_at, source_id, headers, body)
    values ('00000000-0000-7000-8000-000000000006', now(), '00000000-0000-7000-8000-000000000001', '[]',
        '{\"data\":{\"error\":{\"code\":\"X\"}}}');
    insert into event_end (id, received_at, started_at, connection_id, duration_ms, state, kind, attempts, failed_at)
    select id, received_at, now(), '00000000-0000-7000-8000-000000000003', 1, 'failed', 'sync.failed',
        '[{\"n\":1,\"trigger\":\"arrival\",\"by\":null,\"started_at\":\"2026-11-22T00:00:00Z\",\"duration_ms\":1,\"outcome\":\"failed\",
           \"status\":null,\"error\":{\"class\":\"unknown_connection\",\"message\":\"X\"}}]', now()
    from event";

const CONNECTION: ConnectionId = ConnectionId(uuid::Uuid::from_u128(0x0000_0000_0000_7000_8000_0000_0000_0003));

thread_local! {
    static POSTGRES: RefCell<(Runtime, PgConnection)> = RefCell::new(open());
}

fuzz_target!(|input: &[u8]| {
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    let (line, cursor) = (&input[..end], input.get(end + 1..).unwrap_or_default());
    let (how, query) = line.split_first().map_or((0, &[][..]), |(how, query)| (*how, query));
    let query = String::from_utf8_lossy(query);
    let cursor =
        if how & 4 == 0 { URL_SAFE_NO_PAD.encode(cursor) } else { String::from_utf8_lossy(cursor).into_owned() };
    let cursor = (!cursor.is_empty()).then_some(cursor);
    let refused =
        POSTGRES.with_borrow_mut(|(runtime, conn)| runtime.block_on(ask(conn, how & 0b1011, &query, cursor)).err());
    assert!(matches!(refused, None | Some(Refusal::Invalid(_))), "{query} was answered {refused:?}");
});

async fn ask(conn: &mut PgConnection, list: u8, query: &str, cursor: Option<String>) -> Result<(), Refusal> {
    match list {
        0 => {
            let read = ConnectionQuery::from_query(query)?;
            let read = ConnectionQuery { cursor: cursor.or(read.cursor.clone()), ..read };
            connection_list::page(conn, &read).await.map(drop)
        }
        1 => {
            let read = EventQuery::from_query(query)?;
            let read = EventQuery { cursor: cursor.or(read.cursor.clone()), ..read };
            event_list::list(conn, &read).await.map(drop)
        }
        0b1000 => {
            let read = FailureQuery::from_query(query)?;
            let read = FailureQuery { cursor: cursor.or(read.cursor.clone()), ..read };
            failure::list(conn, &read).await.map(drop)
        }
        0b1001 => {
            let read = IssueQuery::from_query(query)?;
            let read = IssueQuery { cursor: cursor.or(read.cursor.clone()), ..read };
            issue_list::list(conn, &read).await.map(drop)
        }
        0b1010 => {
            let read = AlertQuery::from_query(query)?;
            let read = AlertQuery { cursor: cursor.or(read.cursor.clone()), ..read };
            alert_list::list(conn, &read).await.map(drop)
        }
        0b1011 => {
            let read = NotificationQuery::from_query(query)?;
            let read = NotificationQuery { cursor: cursor.or(read.cursor.clone()), ..read };
            notification_list::list(conn, &read).await.map(drop)
        }
        _ => {
            let read = PageQuery::from_query(query)?;
            let read = PageQuery { cursor: cursor.or(read.cursor.clone()), ..read };
            match list {
                2 => connection_list::timeline(conn, CONNECTION, &read, SystemClock.now()).await.map(drop),
                _ => evidence::list(conn, CONNECTION, &read).await.map(drop),
            }
        }
    }
}

/// A connection to an empty database that has been given its schema and one row of everything.
fn open() -> (Runtime, PgConnection) {
    let url = std::env::var("DATABASE_URL").expect("run it under .ci/with-postgres: there is no DATABASE_URL");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
    let conn = runtime.block_on(async {
        let pool = store::connect(&url, 2, Duration::from_secs(10)).await?;
        store::migrate(&pool).await?;
        let mut conn = pool.acquire().await?;
        engine::housekeeping::ensure_partitions(&mut conn, SystemClock.now()).await?;
        // a second run over the same database finds them there
        let there: i64 = sqlx::query_scalar("select count(*) from connection").fetch_one(&mut *conn).await?;
        if there == 0 {
            sqlx::raw_sql(ROWS).execute(&mut *conn).await?;
        }
        PgConnection::connect(&url).await
    });
    (runtime, conn.expect("Postgres is there, and the schema is as this target believes"))
}
