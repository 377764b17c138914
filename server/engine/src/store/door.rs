//! What the webhook door must know of the sources: asked often, so it reads nothing else.

use model::{Mappings, SourceId};
use sqlx::{PgConnection, types::Json};

/// A source as the door sees it.
#[derive(Debug)]
pub struct DoorSource {
    /// Its id.
    pub id: SourceId,
    /// Its name.
    pub name: String,
    /// What it spells its own way.
    pub mappings: Mappings,
}

/// Every source, enabled or not: webhooks are taken even while it is not polled.
pub async fn sources(conn: &mut PgConnection) -> sqlx::Result<Vec<DoorSource>> {
    let rows = sqlx::query!(r#"select id, name, mappings as "mappings: Json<Mappings>" from source order by name"#)
        .fetch_all(conn)
        .await?;
    Ok(rows
        .into_iter()
        .map(|row| DoorSource { id: SourceId(row.id), name: row.name, mappings: row.mappings.0 })
        .collect())
}
