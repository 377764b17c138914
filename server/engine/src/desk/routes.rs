//! Who is told.

use super::tell_validate as validate;
use super::{Desk, commit};
use crate::clock::new_id;
use crate::live;
use crate::store::{alert_group, alert_told, audit, channel, internal, maintenance, route, silence};
use crate::tell::explain::{self, Known};
use model::{
    Actor, Change, ChangeTopic, Explanation, NewRoute, Refusal, Role, Route, RouteId, RoutePatch, RouteSample,
};
use serde_json::json;
use sqlx::{PgConnection, Postgres, Transaction};

impl Desk {
    pub(super) async fn list_routes(&self, actor: &Actor) -> Result<Vec<Route>, Refusal> {
        actor.must_be(Role::Viewer)?;
        route::list(&mut *self.conn().await?, None).await.map_err(internal)
    }

    pub(super) async fn read_route(&self, actor: &Actor, id: RouteId) -> Result<Route, Refusal> {
        actor.must_be(Role::Viewer)?;
        one(&mut *self.conn().await?, id).await
    }

    pub(super) async fn create_route(&self, actor: &Actor, new: NewRoute) -> Result<Route, Refusal> {
        actor.must_be(Role::Admin)?;
        let new = validate::new_route(new)?;
        let mut tx = self.begin().await?;
        channels_exist(&mut tx, &new.channels).await?;
        let id = add(&mut tx, &new).await?;
        self.finish_route(tx, actor, id, "route.added", json!(new)).await
    }

    pub(super) async fn patch_route(&self, actor: &Actor, id: RouteId, patch: RoutePatch) -> Result<Route, Refusal> {
        actor.must_be(Role::Admin)?;
        let mut tx = self.begin().await?;
        route::lock_order(&mut tx).await.map_err(internal)?;
        let mut now_is = one(&mut tx, id).await?;
        if patch.version.is_some_and(|version| version != now_is.version) {
            return Err(Refusal::Conflict(format!(
                "Somebody changed the route “{}” meanwhile. Load it again, and make your change to what is there now.",
                now_is.name
            )));
        }
        let detail = json!(patch);
        let position = patch.position;
        validate::route_patch(&mut now_is, patch)?;
        channels_exist(&mut tx, &now_is.channels).await?;
        if position.is_some() {
            now_is.position = route::make_room(&mut tx, Some(id), position).await.map_err(internal)?;
        }
        route::save(&mut tx, &now_is).await.map_err(internal)?;
        self.finish_route(tx, actor, id, "route.changed", detail).await
    }

    pub(super) async fn take_route_away(&self, actor: &Actor, id: RouteId) -> Result<(), Refusal> {
        actor.must_be(Role::Admin)?;
        let now = self.clock.now();
        let mut tx = self.begin().await?;
        route::lock_order(&mut tx).await.map_err(internal)?;
        let gone = one(&mut tx, id).await?;
        alert_group::lock(&mut tx).await.map_err(internal)?;
        route::remove(&mut tx, id).await.map_err(internal)?;
        audit::write(&mut tx, now, actor, "route.removed", ("route", id.to_string()), json!({"name": gone.name}))
            .await
            .map_err(internal)?;
        alert_told::touch_all(&mut tx, now).await.map_err(internal)?;
        live::announce(&mut tx, &[Change::many(ChangeTopic::Alert)]).await.map_err(internal)?;
        commit(tx).await
    }

    /// Why an alert goes where it goes: the very stages that run, over an alert that is there or a sample.
    pub(super) async fn explain(&self, actor: &Actor, sample: RouteSample) -> Result<Explanation, Refusal> {
        actor.must_be(Role::Viewer)?;
        let now = self.clock.now();
        let mut conn = self.conn().await?;
        let facts = match sample.alert_id {
            Some(id) => alert_told::facts(&mut conn, &[id.0]).await.map_err(internal)?.pop(),
            None => alert_told::sample(&mut conn, sample.connection_id, sample.rule_id, sample.severity)
                .await
                .map_err(internal)?,
        };
        let about = if sample.alert_id.is_some() { "This alert" } else { "This connection or rule" };
        let facts = facts.ok_or_else(|| Refusal::NotFound(about.to_owned()))?;
        let routes = route::list(&mut conn, None).await.map_err(internal)?;
        let maintenances = maintenance::live(&mut conn, now).await.map_err(internal)?;
        let silences = silence::live(&mut conn, now).await.map_err(internal)?;
        let channels = channel::list(&mut conn, None).await.map_err(internal)?;
        let groups = match sample.alert_id {
            Some(id) => alert_group::of_alerts(&mut conn, &[id.0]).await.map_err(internal)?,
            None => Vec::new(),
        };
        let told = groups.iter().filter(|group| group.told.contains(&facts.alert.0)).map(|group| group.route).collect();
        let known =
            Known { routes: &routes, maintenances: &maintenances, silences: &silences, channels: &channels, told };
        Ok(explain::explain(&facts, &known, now))
    }

    /// Has every alert that fires looked at again: where it goes may have changed.
    async fn finish_route(
        &self,
        mut tx: Transaction<'static, Postgres>,
        actor: &Actor,
        id: RouteId,
        action: &str,
        detail: serde_json::Value,
    ) -> Result<Route, Refusal> {
        let now = self.clock.now();
        audit::write(&mut tx, now, actor, action, ("route", id.to_string()), detail).await.map_err(internal)?;
        let route = one(&mut tx, id).await?;
        alert_told::touch_all(&mut tx, now).await.map_err(internal)?;
        live::announce(&mut tx, &[Change::many(ChangeTopic::Alert)]).await.map_err(internal)?;
        commit(tx).await?;
        Ok(route)
    }
}

/// Adds a route at its place, or as the last.
pub(super) async fn add(conn: &mut PgConnection, new: &NewRoute) -> Result<RouteId, Refusal> {
    route::lock_order(conn).await.map_err(internal)?;
    let place = route::make_room(conn, None, new.position).await.map_err(internal)?;
    let id = RouteId(new_id());
    route::create(conn, id, new, place).await.map_err(internal)?;
    Ok(id)
}

async fn one(conn: &mut PgConnection, id: RouteId) -> Result<Route, Refusal> {
    let found = route::list(conn, Some(id)).await.map_err(internal)?.pop();
    found.ok_or_else(|| Refusal::NotFound("This route".to_owned()))
}

async fn channels_exist(conn: &mut PgConnection, wanted: &[model::ChannelId]) -> Result<(), Refusal> {
    let known = channel::list(conn, None).await.map_err(internal)?;
    match wanted.iter().find(|id| known.iter().all(|channel| channel.id != **id)) {
        Some(unknown) => Err(Refusal::invalid("channels", format!("there is no channel {unknown}"))),
        None => Ok(()),
    }
}
