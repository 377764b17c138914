//! Evidence: appended on change, conflict, webhook and hand check, and once an hour.

use super::{cursor, internal, word};
use chrono::{DateTime, Utc};
use model::{Applied, ConnectionId, Evidence, EvidenceId, Eye, Page, PageQuery, Refusal};
use serde_json::Value;
use sqlx::{PgConnection, Result};
use uuid::Uuid;

/// Evidence to append.
pub struct NewEvidence {
    /// Its id.
    pub id: Uuid,
    /// When it reached us.
    pub received_at: DateTime<Utc>,
    /// About which connection.
    pub connection_id: ConnectionId,
    /// Through which eye.
    pub eye: Eye,
    /// The time that counts.
    pub at: DateTime<Utc>,
    /// What it did.
    pub applied: Applied,
    /// In a sentence.
    pub text: String,
    /// As facts.
    pub facts: Value,
    /// The event behind it.
    pub event_id: Option<Uuid>,
}

/// Appends evidence.
pub async fn append(conn: &mut PgConnection, new: &[NewEvidence]) -> Result<()> {
    if new.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "insert into evidence (id, received_at, connection_id, eye, at, applied, text, facts, event_id) \
         select * from unnest($1::uuid[], $2::timestamptz[], $3::uuid[], $4::text[], $5::timestamptz[], $6::text[], $7::text[], \
         $8::jsonb[], $9::uuid[])",
        &new.iter().map(|e| e.id).collect::<Vec<_>>(),
        &new.iter().map(|e| e.received_at).collect::<Vec<_>>(),
        &new.iter().map(|e| e.connection_id.0).collect::<Vec<_>>(),
        &new.iter().map(|e| e.eye.to_string()).collect::<Vec<_>>(),
        &new.iter().map(|e| e.at).collect::<Vec<_>>(),
        &new.iter().map(|e| e.applied.to_string()).collect::<Vec<_>>(),
        &new.iter().map(|e| e.text.clone()).collect::<Vec<_>>(),
        &new.iter().map(|e| said(&e.facts)).collect::<Vec<_>>(),
        &new.iter().map(|e| e.event_id).collect::<Vec<_>>() as &[Option<Uuid>],
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What facts may be silent about: not stored, and told as null.
const FACTS: [&str; 5] = ["authorization", "flow", "cause", "detail", "last_good_sync_at"];

fn said(facts: &Value) -> Value {
    match facts.as_object() {
        Some(facts) => {
            facts.iter().filter(|(_, fact)| !fact.is_null()).map(|(name, fact)| (name.clone(), fact.clone())).collect()
        }
        None => facts.clone(),
    }
}

fn told(mut facts: Value) -> Value {
    if let Some(facts) = facts.as_object_mut() {
        for name in FACTS {
            facts.entry(name).or_insert(Value::Null);
        }
    }
    facts
}

/// A connection's evidence, newest first.
pub async fn list(
    conn: &mut PgConnection,
    id: ConnectionId,
    page: &PageQuery,
) -> std::result::Result<Page<Evidence>, Refusal> {
    let after: Option<(DateTime<Utc>, Uuid)> = page.cursor.as_deref().map(cursor::read_moment).transpose()?;
    let (at, after_id) = after.unzip();
    let limit = i64::from(page.limit());
    let rows = sqlx::query!(
        "select id, eye, at, received_at, applied, text, facts from evidence where connection_id = $1 \
         and ($2::timestamptz is null or (received_at, id) < ($2, $3)) order by received_at desc, id desc limit $4",
        id.0,
        at,
        after_id,
        limit + 1
    )
    .fetch_all(conn)
    .await
    .map_err(internal)?;
    let more = rows.len() as i64 > limit;
    let items = rows
        .into_iter()
        .take(usize::from(page.limit()))
        .map(|row| {
            Ok(Evidence {
                id: EvidenceId(row.id),
                eye: word(&row.eye)?,
                at: row.at,
                received_at: row.received_at,
                applied: word(&row.applied)?,
                text: row.text,
                facts: told(row.facts),
            })
        })
        .collect::<Result<Vec<_>>>()
        .map_err(internal)?;
    let next_cursor = items.last().filter(|_| more).map(|last| cursor::write(&(last.received_at, last.id)));
    Ok(Page { items, next_cursor })
}
