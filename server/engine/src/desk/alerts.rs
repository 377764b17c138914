//! Alerts.

use super::Desk;
use model::{Actor, Alert, AlertId, AlertQuery, ConnectionId, Page, Refusal, Told};

impl Desk {
    pub(super) async fn list_alerts(&self, _: &Actor, _: AlertQuery) -> Result<Page<Alert>, Refusal> {
        Err(Refusal::Unavailable("This is being built.".to_owned()))
    }

    pub(super) async fn read_alert(&self, _: &Actor, _: AlertId) -> Result<Alert, Refusal> {
        Err(Refusal::Unavailable("This is being built.".to_owned()))
    }

    pub(super) async fn take_alert(&self, _: &Actor, _: AlertId) -> Result<Alert, Refusal> {
        Err(Refusal::Unavailable("This is being built.".to_owned()))
    }

    pub(super) async fn list_told(&self, _: &Actor, _: ConnectionId) -> Result<Vec<Told>, Refusal> {
        Err(Refusal::Unavailable("This is being built.".to_owned()))
    }
}
