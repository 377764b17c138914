//! Who is told.

use super::Desk;
use model::{Actor, Explanation, NewRoute, Refusal, Route, RouteId, RoutePatch, RouteSample};

impl Desk {
    pub(super) async fn list_routes(&self, _: &Actor) -> Result<Vec<Route>, Refusal> {
        Err(Refusal::Unavailable("This is being built.".to_owned()))
    }

    pub(super) async fn read_route(&self, _: &Actor, _: RouteId) -> Result<Route, Refusal> {
        Err(Refusal::Unavailable("This is being built.".to_owned()))
    }

    pub(super) async fn create_route(&self, _: &Actor, _: NewRoute) -> Result<Route, Refusal> {
        Err(Refusal::Unavailable("This is being built.".to_owned()))
    }

    pub(super) async fn patch_route(&self, _: &Actor, _: RouteId, _: RoutePatch) -> Result<Route, Refusal> {
        Err(Refusal::Unavailable("This is being built.".to_owned()))
    }

    pub(super) async fn take_route_away(&self, _: &Actor, _: RouteId) -> Result<(), Refusal> {
        Err(Refusal::Unavailable("This is being built.".to_owned()))
    }

    pub(super) async fn explain(&self, _: &Actor, _: RouteSample) -> Result<Explanation, Refusal> {
        Err(Refusal::Unavailable("This is being built.".to_owned()))
    }
}
