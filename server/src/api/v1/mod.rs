//! One endpoint, one file.

pub mod alerts;
pub mod bulk;
pub mod connections;
pub mod customers;
pub mod events;
pub mod issues;
pub mod outages;
pub mod rules;
pub mod sources;
pub mod system;
pub mod views;

use super::problem::Problem;
use axum::Json;

/// An answer, or why there is none.
pub type Answer<T> = Result<Json<T>, Problem>;
