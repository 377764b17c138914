//! Which fields of payloads are hidden, and were. The database notes every change of the setting by itself.

use crate::webhook::redaction::Rules;
use sqlx::PgConnection;

/// The rules of now and all before them.
pub async fn rules(conn: &mut PgConnection) -> sqlx::Result<Rules> {
    let rows = sqlx::query!("select since, fields from redaction order by id").fetch_all(conn).await?;
    Ok(rows.into_iter().map(|row| (row.since, row.fields)).collect())
}
