//! What the database itself is: its version, its extensions, its schema.
//!
//! Not checked at compile time, because it must also work where nothing has been set up yet.

use super::MIGRATIONS;
use sqlx::PgConnection;

/// How many migrations of this version the database has not had. One with more is newer, and that is fine.
pub async fn missing_migrations(db: &mut PgConnection) -> sqlx::Result<usize> {
    let sql = "select to_regclass('_sqlx_migrations') is not null";
    let begun: bool = sqlx::query_scalar(sql).fetch_one(&mut *db).await?;
    let done: Vec<i64> = if begun {
        sqlx::query_scalar("select version from _sqlx_migrations where success").fetch_all(db).await?
    } else {
        Vec::new()
    };
    Ok(MIGRATIONS.iter().filter(|migration| !done.contains(&migration.version)).count())
}

/// The major version of Postgres.
pub async fn major_version(db: &mut PgConnection) -> sqlx::Result<i32> {
    sqlx::query_scalar("select current_setting('server_version_num')::int / 10000").fetch_one(db).await
}

/// Whether the extension that search needs is installed on the server.
pub async fn offers_trigrams(db: &mut PgConnection) -> sqlx::Result<bool> {
    let sql = "select exists (select from pg_available_extensions where name = 'pg_trgm')";
    sqlx::query_scalar(sql).fetch_one(db).await
}
