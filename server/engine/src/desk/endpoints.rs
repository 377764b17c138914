//! Endpoints of the user's own applications.

use super::Desk;
use model::{Actor, Endpoint, EndpointId, EndpointPatch, NewEndpoint, Refusal, Sent};

impl Desk {
    pub(super) async fn list_endpoints(&self, _: &Actor) -> Result<Vec<Endpoint>, Refusal> {
        Err(Refusal::Unavailable("This is being built.".to_owned()))
    }

    pub(super) async fn read_endpoint(&self, _: &Actor, _: EndpointId) -> Result<Endpoint, Refusal> {
        Err(Refusal::Unavailable("This is being built.".to_owned()))
    }

    pub(super) async fn create_endpoint(&self, _: &Actor, _: NewEndpoint) -> Result<Endpoint, Refusal> {
        Err(Refusal::Unavailable("This is being built.".to_owned()))
    }

    pub(super) async fn patch_endpoint(&self, _: &Actor, _: EndpointId, _: EndpointPatch) -> Result<Endpoint, Refusal> {
        Err(Refusal::Unavailable("This is being built.".to_owned()))
    }

    pub(super) async fn take_endpoint_away(&self, _: &Actor, _: EndpointId) -> Result<(), Refusal> {
        Err(Refusal::Unavailable("This is being built.".to_owned()))
    }

    pub(super) async fn rotate_secret(&self, _: &Actor, _: EndpointId) -> Result<Endpoint, Refusal> {
        Err(Refusal::Unavailable("This is being built.".to_owned()))
    }

    pub(super) async fn try_endpoint(&self, _: &Actor, _: EndpointId) -> Result<Sent, Refusal> {
        Err(Refusal::Unavailable("This is being built.".to_owned()))
    }
}
