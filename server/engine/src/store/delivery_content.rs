//! What goes out: the event of a delivery, as it came.

use super::delivery_due::Due;
use sqlx::PgConnection;
use std::collections::HashMap;
use uuid::Uuid;

/// What goes out with a delivery.
#[derive(Clone, Debug)]
pub struct Content {
    /// The headers that were kept, in their order.
    pub headers: Vec<(String, String)>,
    /// The bytes; none if they are more than were asked for.
    pub body: Option<Vec<u8>>,
}

/// What goes out with each of these, by event; bodies of more than `most` bytes are left where they are. What is missing is
/// no longer kept.
pub async fn contents(conn: &mut PgConnection, due: &[Due], most: i32) -> sqlx::Result<HashMap<Uuid, Content>> {
    let (Some(first), Some(last)) =
        (due.iter().map(|due| due.received_at).min(), due.iter().map(|due| due.received_at).max())
    else {
        return Ok(HashMap::new());
    };
    // the bounds spare Postgres the partitions of other days; the limit, plans that read a whole one
    let rows = sqlx::query!(
        r#"select event.id, event.headers, event.body
           from unnest($1::uuid[], $2::timestamptz[]) as wanted (id, received_at)
           cross join lateral (
               select id, headers, case when octet_length(body) <= $5 then body end as body from event
               where received_at = wanted.received_at and id = wanted.id and received_at between $3 and $4 limit 1
           ) as event"#,
        &due.iter().map(|due| due.event_id).collect::<Vec<_>>(),
        &due.iter().map(|due| due.received_at).collect::<Vec<_>>(),
        first,
        last,
        most,
    );
    let rows = rows.fetch_all(conn).await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.id, Content { headers: super::event_due::pairs(&row.headers), body: row.body }))
        .collect())
}
