//! Who changed what.

use crate::clock::new_id;
use chrono::{DateTime, Utc};
use model::{Actor, ActorKind};
use sqlx::{PgConnection, Result};

/// Writes a line of the audit log. `detail` must hold no secret.
pub async fn write(
    conn: &mut PgConnection,
    at: DateTime<Utc>,
    actor: &Actor,
    action: &str,
    subject: (&str, String),
    detail: serde_json::Value,
) -> Result<()> {
    let (kind, id) = match actor.kind {
        ActorKind::Person(id) => ("person", id.0),
        ActorKind::Token(id) => ("token", id.0),
    };
    sqlx::query!(
        "insert into audit (id, at, actor_kind, actor_id, actor_name, action, subject_kind, subject_id, detail) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        new_id(),
        at,
        kind,
        id,
        actor.name,
        action,
        subject.0,
        subject.1,
        detail
    )
    .execute(conn)
    .await?;
    Ok(())
}
