//! Looking for a text in what failed: in the message of the error, and in the payload. Only payloads of what failed are read,
//! a few at a time, and only so many for one question. What is hidden of a payload is not looked in, or who asks often enough would
//! read it.

use super::{Position, Row};
use crate::store::internal;
use crate::webhook::{payload, redaction::Rules};
use futures::TryStreamExt as _;
use model::{FailureKind, FailureQuery, Refusal};
use sqlx::PgConnection;
use std::collections::HashSet;
use uuid::Uuid;

/// Failures looked at for one question.
const MOST: usize = 20_000;
/// Failures looked at in one statement.
const BATCH: usize = 500;

/// The newest of a kind that hold the text, at most so many. `looked_at` counts over all kinds of a question.
///
/// # Errors
/// `Invalid` when more would have to be looked at than one question may.
pub(super) async fn rows(
    conn: &mut PgConnection,
    kind: FailureKind,
    query: &FailureQuery,
    mut after: Option<Position>,
    wanted: usize,
    looked_at: &mut usize,
    rules: &Rules,
) -> Result<Vec<Row>, Refusal> {
    let text = query.q.as_deref().unwrap_or_default().to_lowercase();
    let mut found = Vec::new();
    loop {
        let batch = super::rows(conn, kind, query, after, BATCH).await.map_err(internal)?;
        *looked_at += batch.len();
        let Some(last) = batch.last() else { return Ok(found) };
        after = Some((last.at, last.id));
        let is_last = batch.len() < BATCH;
        let holding = payloads(conn, kind, &batch, (&text, query.path.as_deref()), rules).await.map_err(internal)?;
        let holds = |row: &Row| {
            holding.contains(&row.id) || (query.path.is_none() && row.message.to_lowercase().contains(&text))
        };
        found.extend(batch.into_iter().filter(holds));
        if found.len() >= wanted {
            found.truncate(wanted);
            return Ok(found);
        }
        if is_last {
            return Ok(found);
        }
        if *looked_at >= MOST {
            return Err(Refusal::invalid(
                "q",
                format!(
                    "More than {MOST} failures would have to be searched for it. Say since when, which kind or which source."
                ),
            ));
        }
    }
}

/// Which of these have a payload that holds the text. One payload at a time is in memory.
async fn payloads(
    conn: &mut PgConnection,
    kind: FailureKind,
    batch: &[Row],
    (text, path): (&str, Option<&str>),
    rules: &Rules,
) -> sqlx::Result<HashSet<Uuid>> {
    let ids: Vec<_> = batch.iter().map(|row| row.id).collect();
    let mut holding = HashSet::new();
    let holds = |came: &[u8], at| payload::holds(&rules.at(at).redact(&String::from_utf8_lossy(came)), path, text);
    match kind {
        FailureKind::Processing | FailureKind::Delivery => {
            let events: Vec<_> = batch.iter().map(|row| row.event_id.unwrap_or_default()).collect();
            let received: Vec<_> = batch.iter().map(|row| row.received_at).collect();
            let mut bodies = sqlx::query!(
                r#"select f.id as "id!", f.received_at as "received_at!", e.body from unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) as f (id, event_id, received_at)
                   cross join lateral (
                       select body from event where received_at = f.received_at and id = f.event_id limit 1
                   ) e"#,
                &ids,
                &events,
                &received,
            )
            .fetch(conn);
            while let Some(row) = bodies.try_next().await? {
                if holds(&row.body, row.received_at) {
                    holding.insert(row.id);
                }
            }
        }
        FailureKind::Rejection => {
            let mut samples =
                sqlx::query!("select id, received_at, excerpt from rejection where id = any($1)", &ids).fetch(conn);
            while let Some(row) = samples.try_next().await? {
                if holds(&row.excerpt, row.received_at) {
                    holding.insert(row.id);
                }
            }
        }
        FailureKind::Notification => {
            let query =
                sqlx::query!(r#"select id, content::text as "content!" from notification where id = any($1)"#, &ids);
            let mut said = query.fetch(conn);
            while let Some(row) = said.try_next().await? {
                if payload::holds(&row.content, path, text) {
                    holding.insert(row.id);
                }
            }
        }
        FailureKind::Gap => {}
    }
    Ok(holding)
}
