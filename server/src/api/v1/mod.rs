//! One endpoint, one file.

pub mod alerts;
pub mod bulk;
pub mod channels;
pub mod connections;
pub mod customers;
pub mod deliveries;
pub mod endpoints;
pub mod events;
pub mod failures;
pub mod gaps;
pub mod issues;
pub mod maintenance;
pub mod notifications;
pub mod outages;
pub mod rejections;
pub mod retention;
pub mod retries;
pub mod routes;
pub mod rules;
pub mod silences;
pub mod sources;
pub mod system;
pub mod views;

use super::problem::Problem;
use axum::Json;

/// An answer, or why there is none.
pub type Answer<T> = Result<Json<T>, Problem>;
