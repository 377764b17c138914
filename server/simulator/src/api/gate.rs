//! What a connection has to be before its platform can be asked for anything.

use crate::clock::Moment;
use crate::connection::{Failure, Stage, SyncKind};
use crate::error::ApiError;
use crate::world::World;
use axum::http::StatusCode;
use std::time::Duration;

/// Simulated length of a sync of everything.
const FULL: Duration = Duration::from_secs(12 * 60);

/// Refuses, with the code that tells what is wrong, where a platform cannot be asked.
pub(crate) fn open(world: &World, at: usize) -> Result<(), ApiError> {
    let connection = &world.connections[at];
    let life = &connection.life;
    let (status, failure) = match life.stage {
        Stage::Pending => return Err(ApiError::denied("the customer has not finished the sign-in")),
        Stage::NoCredits => return Err(ApiError::denied("the connection is inactive: there are not enough credits")),
        _ if life.reauthorization_required => (StatusCode::UNAUTHORIZED, Failure::Credentials),
        _ if life.offline() => (StatusCode::SERVICE_UNAVAILABLE, Failure::Unreachable),
        _ => return Ok(()),
    };
    Err(ApiError::new(status, failure.code(), failure.kind(), failure.message(connection.profile.platform)))
}

/// Starts a sync of a connection, unless one is running.
pub(crate) fn start_sync(world: &mut World, at: usize, kind: SyncKind, now: Moment) -> Result<(), ApiError> {
    let life = &world.connections[at].life;
    if !life.connected() {
        return Err(ApiError::invalid(format!("a connection that is {} does not sync", life.status())));
    }
    open(world, at)?;
    let life = &world.connections[at].life;
    if life.running.is_some() {
        return Err(ApiError::conflict("SYNC_IN_PROGRESS", "a sync of this connection is running already"));
    }
    let length = match kind {
        SyncKind::Incremental => Duration::from_millis(life.next_length_ms.into()),
        SyncKind::Full => world.scale().real(FULL),
    };
    world.start_sync(at, now, kind, length);
    Ok(())
}
