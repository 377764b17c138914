//! What the Overview and the frame around every screen ask.

use super::{CallError, Wire};
#[cfg(feature = "ssr")]
use super::{answer, desk};
use leptos::prelude::*;
use model::{Connection, ConnectionId, Overview, Role, System};
use serde::{Deserialize, Serialize};

/// The Overview, with the rows that are still on the screen but no longer in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OverviewAnswer {
    /// The Overview.
    pub overview: Overview,
    /// Rows that are shown but no longer among the worst.
    pub strays: Vec<Connection>,
}

/// What the frame shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pulse {
    /// How the person is called.
    pub name: String,
    /// What the person may do.
    pub role: Role,
    /// The figures, and what Linewatch cannot see.
    pub pulse: model::Pulse,
}

/// The Overview; `shown` are the rows on the screen.
#[server(prefix = "/_app", endpoint = "overview", protocol = Wire)]
pub async fn ask_overview(shown: Vec<ConnectionId>) -> Result<OverviewAnswer, CallError> {
    let (desk, actor) = desk()?;
    let overview = answer(desk.overview(&actor).await)?;
    let strays: Vec<_> = shown.into_iter().filter(|id| !overview.worst.iter().any(|row| row.id == *id)).collect();
    let strays = if strays.is_empty() { Vec::new() } else { answer(desk.connections_by_id(&actor, &strays).await)? };
    Ok(OverviewAnswer { overview, strays })
}

/// What the frame shows.
#[server(prefix = "/_app", endpoint = "pulse", protocol = Wire)]
pub async fn ask_pulse() -> Result<Pulse, CallError> {
    let (desk, actor) = desk()?;
    let pulse = answer(desk.pulse(&actor).await)?;
    Ok(Pulse { name: actor.name, role: actor.role, pulse })
}

/// How Linewatch itself is.
#[server(prefix = "/_app", endpoint = "system", protocol = Wire)]
pub async fn ask_system() -> Result<System, CallError> {
    let (desk, actor) = desk()?;
    answer(desk.system(&actor).await)
}
