//! One endpoint, one file.

pub mod connections;
pub mod events;
pub mod issues;
pub mod outages;
pub mod sources;
pub mod system;

use super::problem::Problem;
use axum::Json;

/// An answer, or why there is none.
pub type Answer<T> = Result<Json<T>, Problem>;
