//! Reasons not to tell.

use super::Desk;
use model::{Actor, Maintenance, MaintenanceId, NewMaintenance, NewSilence, Refusal, Silence, SilenceId};

impl Desk {
    pub(super) async fn list_silences(&self, _: &Actor) -> Result<Vec<Silence>, Refusal> {
        Err(Refusal::Unavailable("This is being built.".to_owned()))
    }

    pub(super) async fn create_silence(&self, _: &Actor, _: NewSilence) -> Result<Silence, Refusal> {
        Err(Refusal::Unavailable("This is being built.".to_owned()))
    }

    pub(super) async fn stop_silence(&self, _: &Actor, _: SilenceId) -> Result<(), Refusal> {
        Err(Refusal::Unavailable("This is being built.".to_owned()))
    }

    pub(super) async fn list_maintenances(&self, _: &Actor) -> Result<Vec<Maintenance>, Refusal> {
        Err(Refusal::Unavailable("This is being built.".to_owned()))
    }

    pub(super) async fn create_maintenance(&self, _: &Actor, _: NewMaintenance) -> Result<Maintenance, Refusal> {
        Err(Refusal::Unavailable("This is being built.".to_owned()))
    }

    pub(super) async fn stop_maintenance(&self, _: &Actor, _: MaintenanceId) -> Result<(), Refusal> {
        Err(Refusal::Unavailable("This is being built.".to_owned()))
    }
}
