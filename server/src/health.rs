//! `GET /livez`: the process answers. `GET /readyz`: it can do its work; if not, which part cannot.

use crate::wiring::Parts;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use engine::{housekeeping, store::schema::missing_migrations};
use serde::Serialize;
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
    let (database, migrations, partitions) = match tokio::time::timeout(PATIENCE, of_database(parts)).await {
        Ok(Ok((migrations, partitions))) => (Ok(()), migrations, partitions),
        Ok(Err(error)) => (Err(format!("the database answers with an error: {error}")), unseen(), unseen()),
        Err(_) => (Err("the database does not answer".to_owned()), unseen(), unseen()),
    };
    let listener = if parts.live.is_listening() { Ok(()) } else { Err("changes are not heard right now".to_owned()) };
    let running = if parts.stop.is_cancelled() { Err("Linewatch is stopping".to_owned()) } else { Ok(()) };
    let parts: Vec<_> = [
        ("running", running),
        ("database", database),
        ("migrations", migrations),
        ("partitions", partitions),
        ("listener", listener),
    ]
    .into_iter()
    .map(|(name, state)| Part { name, ready: state.is_ok(), detail: state.err() })
    .collect();
    Readiness { ready: parts.iter().all(|part| part.ready), version: crate::VERSION, parts }
}

type Sight = Result<(), String>;

fn unseen() -> Sight {
    Err("cannot be seen without the database".to_owned())
}

async fn of_database(parts: &Parts) -> sqlx::Result<(Sight, Sight)> {
    let mut db = parts.pool.acquire().await?;
    let missing = missing_migrations(&mut db).await?;
    if missing > 0 {
        return Ok((Err(format!("{missing} migrations are missing; run “linewatch migrate”")), unseen()));
    }
    let partitions = housekeeping::partitions_ready(&mut db, parts.clock.now()).await?;
    let detail = "the partitions of today or tomorrow are missing; housekeeping makes them within the hour";
    Ok((Ok(()), if partitions { Ok(()) } else { Err(detail.to_owned()) }))
}
