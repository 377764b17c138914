//! A customer has signed in again, and we have the new token: the user's own applications are told by an event of ours, so that
//! they may ask for it. The token itself is not in it.

use super::fan_out::{FanOut, Going};
use super::matching::{Subject, matches};
use crate::clock::new_id;
use crate::live;
use crate::store::{delivery_due, endpoint, event_own};
use chrono::{DateTime, SecondsFormat, Utc};
use model::{ConnectionId, EventId, Source};
use serde_json::json;
use sqlx::PgConnection;

/// Its kind.
const KIND: &str = "connection.reconnected";

/// What is told of a connection: its key, and its customer's name.
#[derive(Clone, Copy, Debug)]
pub struct Reconnected<'a> {
    /// Which connection.
    pub id: ConnectionId,
    /// Upstream's identifier of it.
    pub key: &'a str,
    /// Whose it is.
    pub customer: &'a str,
}

/// Tells it in the caller's transaction. Where no endpoint wants to know, nothing is made.
pub async fn tell_reconnected(
    conn: &mut PgConnection,
    source: &Source,
    who: Reconnected<'_>,
    now: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    let targets = endpoint::targets(conn).await?;
    let subject = Subject {
        event: EventId(new_id()),
        received_at: now,
        kind: Some(KIND.to_owned()),
        source: source.id,
        environment: Some(source.environment),
        connection: Some(who.id),
    };
    let about = delivery_due::about(conn, &[who.id.0]).await?;
    if !targets.iter().any(|target| matches(&target.filter, &subject, about.get(&who.id))) {
        return Ok(());
    }
    let body = json!({
        "type": KIND,
        "timestamp": now.to_rfc3339_opts(SecondsFormat::Millis, true),
        "data": {"connection_id": who.key, "id": who.id, "source": source.name, "customer": who.customer},
    });
    event_own::insert(conn, &subject, &body.to_string()).await?;
    let due = FanOut::add(conn, &targets, &[Going { subject, again: false }], now).await?;
    live::announce(conn, due.as_slice()).await?;
    Ok(())
}
