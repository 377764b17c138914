//! `GET /livez`: the process answers. `GET /readyz`: it can do its work; if not, which part cannot.

use crate::wiring::Parts;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use engine::housekeeping;
use engine::store::{replica, schema::missing_migrations};
use engine::system::SILENT_AFTER;
use serde::Serialize;
use sqlx::PgConnection;
use std::time::Duration;

/// How long the database may take to say that it is there.
const PATIENCE: Duration = Duration::from_secs(2);

/// Whether work can be done.
#[derive(Debug, Serialize)]
pub struct Readiness {
    /// All of it.
    pub ready: bool,
    /// Which version this is.
    pub version: &'static str,
    /// Part by part.
    pub parts: Vec<Part>,
}

/// One part of it.
#[derive(Debug, Serialize)]
pub struct Part {
    /// Which.
    pub name: &'static str,
    /// Whether it can.
    pub ready: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// `GET /livez`.
pub async fn livez() -> Json<serde_json::Value> {
    Json(serde_json::json!({ "alive": true, "version": crate::VERSION }))
}

/// `GET /readyz`.
pub async fn readyz(State(parts): State<Parts>) -> (StatusCode, Json<Readiness>) {
    let readiness = look(&parts).await;
    let status = if readiness.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(readiness))
}

/// Looks at every part.
pub async fn look(parts: &Parts) -> Readiness {
    let (database, [migrations, partitions, storage]) = match tokio::time::timeout(PATIENCE, of_database(parts)).await {
        Ok(Ok(of_database)) => (Ok(()), of_database),
        Ok(Err(error)) => (Err(format!("the database answers with an error: {error}")), unseen()),
        Err(_) => (Err("the database does not answer".to_owned()), unseen()),
    };
    let listener = if parts.live.is_listening() { Ok(()) } else { Err("changes are not heard right now".to_owned()) };
    let running = if parts.stop.is_cancelled() { Err("Linewatch is stopping".to_owned()) } else { Ok(()) };
    let parts: Vec<_> = [
        ("running", running),
        ("database", database),
        ("migrations", migrations),
        ("partitions", partitions),
        ("storage", storage),
        ("listener", listener),
    ]
    .into_iter()
    .map(|(name, state)| Part { name, ready: state.is_ok(), detail: state.err() })
    .collect();
    Readiness { ready: parts.iter().all(|part| part.ready), version: crate::VERSION, parts }
}

type Sight = Result<(), String>;

fn unseen() -> [Sight; 3] {
    std::array::from_fn(|_| Err("cannot be seen without the database".to_owned()))
}

/// Whether its tables are those of this version, have room for the days ahead, and take what is written.
async fn of_database(parts: &Parts) -> sqlx::Result<[Sight; 3]> {
    let (mut db, now) = (parts.pool.acquire().await?, parts.clock.now());
    let missing = missing_migrations(&mut db).await?;
    if missing > 0 {
        let [_, partitions, storage] = unseen();
        let migrations = Err(format!("{missing} migrations are missing; run “linewatch migrate”"));
        return Ok([migrations, partitions, storage]);
    }
    let partitions = housekeeping::partitions_ready(&mut db, now).await?;
    let no_room = "the partitions of today or tomorrow are missing; housekeeping makes them within the hour";
    Ok([Ok(()), partitions.then_some(()).ok_or_else(|| no_room.to_owned()), storage(&mut db, now).await?])
}

/// A database that answers but stores nothing, because its disk is full or it is a standby, is of no use to the webhook door.
/// Every process writes down that it lives: when no such note is new, none could be stored.
async fn storage(db: &mut PgConnection, now: DateTime<Utc>) -> sqlx::Result<Sight> {
    let told = replica::storing(db).await?;
    Ok(if told.read_only {
        Err("the database can only be read; it is a standby, or was set so".to_owned())
    } else if let Some(at) = told.stored_at.filter(|at| now - *at > SILENT_AFTER) {
        Err(format!("nothing could be stored since {}; is the database's disk full?", at.format("%H:%M:%S UTC")))
    } else {
        Ok(())
    })
}
