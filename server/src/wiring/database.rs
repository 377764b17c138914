//! The database: one's own, or the embedded one.

use super::Failure;
use crate::config::Config;
use crate::postgres::{EmbeddedPostgres, Settings};
use engine::store;
use sqlx::PgPool;

/// The database, open and with the schema of this version.
pub struct Database {
    /// Connections to it.
    pub pool: PgPool,
    embedded: Option<EmbeddedPostgres>,
}

impl Database {
    /// Opens the database of `DATABASE_URL`; without that, starts the embedded one, and says so.
    pub async fn open(config: &Config) -> Result<Self, Failure> {
        let embedded = match config.database.url {
            Some(_) => None,
            None => {
                let settings = embedded_settings(config);
                let data = settings.data_dir.display().to_string();
                tracing::info!(data, "no DATABASE_URL, so the embedded Postgres is used; its data is under {data}");
                Some(EmbeddedPostgres::start(&settings).await?)
            }
        };
        let given = config.database.url.as_ref().map(engine::vault::Secret::expose);
        let url = given.or(embedded.as_ref().map(EmbeddedPostgres::url)).unwrap_or_default();
        let database = &config.database;
        let pool = store::connect(url, database.connections, database.patience).await.map_err(unreachable)?;
        store::migrate(&pool).await?;
        if embedded.is_some() {
            // Nobody else works on it, so what a killed process held need not wait for its leases to end.
            let mut conn = pool.acquire().await?;
            store::release_leases(&mut conn).await?;
            store::replica::delete_all(&mut conn).await?;
        }
        Ok(Self { pool, embedded })
    }

    /// Waits until the database has ended by itself; for ever, if it is not ours to watch.
    pub async fn ended(&self) {
        match &self.embedded {
            Some(embedded) => embedded.ended().await,
            None => std::future::pending().await,
        }
    }

    /// Closes every connection; stops the database if it is the embedded one.
    pub async fn close(self) -> Result<(), Failure> {
        self.pool.close().await;
        if let Some(embedded) = self.embedded {
            embedded.stop().await?;
        }
        Ok(())
    }
}

/// How the embedded Postgres of this configuration is run.
pub fn embedded_settings(config: &Config) -> Settings {
    Settings { data_dir: config.data_dir.clone(), ..Settings::default() }
}

fn unreachable(error: sqlx::Error) -> Failure {
    format!("The database cannot be reached: {error}. Check DATABASE_URL; “linewatch doctor” looks closer.").into()
}
