//! Events of our own making. They are kept beside those of Makini, so that their deliveries have something to send and to show.

use super::event_key::key_of;
use crate::relay::Subject;
use sqlx::PgConnection;

/// Keeps an event that is processed already: nothing is heard from it, it is only forwarded.
pub async fn insert(conn: &mut PgConnection, subject: &Subject, body: &str) -> sqlx::Result<()> {
    let id = subject.event.0;
    sqlx::query!(
        r#"insert into event (id, received_at, source_id, occurred_at, key_hash, headers, body)
           values ($1, $2, $3, $2, $4, '[["content-type","application/json"]]', $5)"#,
        id,
        subject.received_at,
        subject.source.0,
        // it never comes again
        key_of(subject.source, id.as_bytes()),
        body.as_bytes(),
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "insert into event_end (id, received_at, started_at, connection_id, duration_ms, state, kind)
         values ($1, $2, $2, $3, 0, 'processed', $4)",
        id,
        subject.received_at,
        subject.connection.map(|id| id.0),
        subject.kind,
    )
    .execute(conn)
    .await
    .map(drop)
}
