//! Postgres: there, of a version that fits, with its extension, schema and partitions.

use super::Report;
use crate::config::Config;
use crate::postgres::{EmbeddedPostgres, Error};
use crate::wiring::database::embedded_settings;
use engine::clock::{Clock as _, SystemClock};
use engine::store::{self, schema};
use engine::{housekeeping, people::kept, vault::Secret};
use sqlx::{PgConnection, PgPool};

/// A database that could be opened.
pub struct Opened {
    pub pool: PgPool,
    embedded: Option<EmbeddedPostgres>,
}

impl Opened {
    pub async fn close(self) {
        self.pool.close().await;
        if let Some(embedded) = self.embedded {
            let _ = embedded.stop().await;
        }
    }
}

pub async fn look(config: &Config, report: &mut Report) -> Option<Opened> {
    let (url, embedded) = match &config.database.url {
        Some(url) => (url.clone(), None),
        None => start(config, report).await?,
    };
    let mend = "check DATABASE_URL, that Postgres runs, and that it lets this machine in";
    let pool = store::connect(url.expose(), 2, config.database.patience).await;
    let pool = report.take("Postgres", pool, mend)?;
    let looked = async { look_inside(&mut *pool.acquire().await?, report).await };
    if let Err(error) = looked.await {
        report.bad("Postgres", &error.to_string(), "read its log");
    }
    Some(Opened { pool, embedded })
}

/// Starts the embedded one; if a running Linewatch has it, looks at that one.
async fn start(config: &Config, report: &mut Report) -> Option<(Secret, Option<EmbeddedPostgres>)> {
    let settings = embedded_settings(config);
    match EmbeddedPostgres::start(&settings).await {
        Ok(embedded) => Some((embedded.url().into(), Some(embedded))),
        Err(Error::InUse { .. }) => {
            let read = |name: &str| kept::read(&settings.data_dir.join("postgres").join(name)).ok().flatten();
            let Some((password, port)) = read("password").zip(read("port")) else {
                report.unseen("Postgres", "a running Linewatch has the embedded one; stop it and look again");
                return None;
            };
            Some((format!("postgres://linewatch:{password}@127.0.0.1:{port}/linewatch").into(), None))
        }
        Err(error) => {
            report.bad(
                "Postgres",
                &error.to_string(),
                "follow what it says, or set DATABASE_URL to a Postgres of your own",
            );
            None
        }
    }
}

async fn look_inside(db: &mut PgConnection, report: &mut Report) -> sqlx::Result<()> {
    match schema::major_version(db).await? {
        major @ 15..=18 => report.good("Postgres", &format!("version {major}")),
        major => report.bad("Postgres", &format!("version {major} is not one of 15 to 18"), "use one of those"),
    }
    if schema::offers_trigrams(db).await? {
        report.good("pg_trgm", "is there");
    } else {
        report.bad("pg_trgm", "this extension is missing; search needs it", "install the package postgresql-contrib");
    }
    match schema::missing_migrations(db).await? {
        0 => report.good("Schema", "is up to date"),
        n => {
            report.bad(
                "Schema",
                &format!("{n} migrations are missing"),
                "run “linewatch migrate”; a start does so too",
            );
            return Ok(());
        }
    }
    if housekeeping::partitions_ready(db, SystemClock.now()).await? {
        report.good("Partitions", "those of today and tomorrow are there");
    } else {
        report.bad(
            "Partitions",
            "those of today or tomorrow are missing",
            "let a “linewatch serve” with the role all or worker run",
        );
    }
    Ok(())
}
