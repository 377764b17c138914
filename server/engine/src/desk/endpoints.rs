//! Endpoints of the user's own applications.

use super::{Desk, commit, endpoint_input};
use crate::clock::new_id;
use crate::live;
use crate::relay::{Letter, Postman, Signer, fresh_secret};
use crate::store::{audit, endpoint, endpoint_list, internal, lane};
use crate::vault::SecretKind;
use chrono::{SecondsFormat, TimeDelta};
use model::{
    Actor, Attempt, AttemptOutcome, AttemptTrigger, Change, ChangeTopic, Endpoint, EndpointFilter, EndpointId,
    EndpointPatch, FieldError, NewEndpoint, Refusal, Role, Sent,
};
use serde_json::{Value, json};
use sqlx::{PgConnection, Postgres, Transaction};

/// How long the secret before signs beside a new one.
const ROTATION: TimeDelta = TimeDelta::hours(24);

impl Desk {
    pub(super) async fn list_endpoints(&self, actor: &Actor) -> Result<Vec<Endpoint>, Refusal> {
        actor.must_be(Role::Viewer)?;
        endpoint_list::list(&mut *self.conn().await?, None, self.clock.now()).await.map_err(internal)
    }

    pub(super) async fn read_endpoint(&self, actor: &Actor, id: EndpointId) -> Result<Endpoint, Refusal> {
        actor.must_be(Role::Viewer)?;
        self.one_endpoint(&mut *self.conn().await?, id).await
    }

    async fn one_endpoint(&self, conn: &mut PgConnection, id: EndpointId) -> Result<Endpoint, Refusal> {
        let found = endpoint_list::list(conn, Some(id), self.clock.now()).await.map_err(internal)?.pop();
        found.ok_or_else(|| Refusal::NotFound("This endpoint".to_owned()))
    }

    pub(super) async fn create_endpoint(&self, actor: &Actor, new: NewEndpoint) -> Result<Endpoint, Refusal> {
        actor.must_be(Role::Admin)?;
        let new = endpoint_input::new_endpoint(&self.outbound, new)?;
        let (id, now) = (EndpointId(new_id()), self.clock.now());
        let mut tx = self.begin().await?;
        exist(&mut tx, &new.filter).await?;
        endpoint::create(&mut tx, id, &new, now).await.map_err(|error| taken(error, &new.name))?;
        let secret = fresh_secret();
        self.vault.put(&mut tx, id.0, SecretKind::EndpointSecret, &secret, None).await.map_err(internal)?;
        let detail = json!({"name": new.name, "url": new.url, "filter": new.filter});
        let made = self.ended(tx, actor, id, "endpoint.added", detail).await?;
        Ok(Endpoint { secret: Some(secret.expose().to_owned()), ..made })
    }

    pub(super) async fn patch_endpoint(
        &self,
        actor: &Actor,
        id: EndpointId,
        patch: EndpointPatch,
    ) -> Result<Endpoint, Refusal> {
        actor.must_be(Role::Admin)?;
        let patch = endpoint_input::endpoint_patch(&self.outbound, patch)?;
        let now = self.clock.now();
        let mut tx = self.begin().await?;
        let disabled_at = endpoint::disabled_at(&mut tx, id).await.map_err(internal)?;
        let before = self.one_endpoint(&mut tx, id).await?;
        if let Some(filter) = &patch.filter {
            exist(&mut tx, filter).await?;
        }
        let name = patch.name.clone().unwrap_or_default();
        if !endpoint::change(&mut tx, id, &patch, now).await.map_err(|error| taken(error, &name))? {
            return Err(Refusal::Conflict(format!(
                "Somebody changed the endpoint “{}” meanwhile. Load it again, and make your change to what is there now.",
                before.name
            )));
        }
        if let (Some(true), Some(since)) = (patch.enabled, disabled_at) {
            endpoint::move_schedules(&mut tx, id, since, now).await.map_err(internal)?;
        }
        let elsewhere = patch.url.as_ref().is_some_and(|url| *url != before.url);
        if elsewhere || (patch.enabled == Some(true) && !before.enabled) {
            lane::reset(&mut tx, id).await.map_err(internal)?;
        }
        if let Some(ordered) = patch.ordered.filter(|ordered| *ordered != before.ordered) {
            endpoint::set_order(&mut tx, id, ordered).await.map_err(internal)?;
        }
        self.ended(tx, actor, id, "endpoint.changed", json!(patch)).await
    }

    pub(super) async fn take_endpoint_away(&self, actor: &Actor, id: EndpointId) -> Result<(), Refusal> {
        actor.must_be(Role::Admin)?;
        let now = self.clock.now();
        let mut tx = self.begin().await?;
        let before = self.one_endpoint(&mut tx, id).await?;
        if !endpoint::remove(&mut tx, id, now).await.map_err(internal)? {
            return Err(Refusal::NotFound("This endpoint".to_owned()));
        }
        self.vault.forget(&mut tx, id.0, SecretKind::EndpointSecret).await.map_err(internal)?;
        let detail = json!({"name": before.name, "waiting": before.waiting});
        self.tell(&mut tx, actor, id, "endpoint.removed", detail).await?;
        commit(tx).await
    }

    pub(super) async fn rotate_secret(&self, actor: &Actor, id: EndpointId) -> Result<Endpoint, Refusal> {
        actor.must_be(Role::Admin)?;
        let now = self.clock.now();
        let mut tx = self.begin().await?;
        self.one_endpoint(&mut tx, id).await?;
        let secret = fresh_secret();
        let until = now + ROTATION;
        self.vault.rotate(&mut tx, id.0, SecretKind::EndpointSecret, &secret, until).await.map_err(internal)?;
        endpoint::touch(&mut tx, id, now).await.map_err(internal)?;
        let rotated = self.ended(tx, actor, id, "endpoint.secret_rotated", json!({})).await?;
        Ok(Endpoint { secret: Some(secret.expose().to_owned()), ..rotated })
    }

    /// Sends an event that says that it is a test. It is no delivery: nothing is kept of it, and nothing is tried again.
    pub(super) async fn try_endpoint(&self, actor: &Actor, id: EndpointId) -> Result<Sent, Refusal> {
        actor.must_be(Role::Admin)?;
        let now = self.clock.now();
        let mut tx = self.begin().await?;
        let endpoint = self.one_endpoint(&mut tx, id).await?;
        let secrets = self.vault.get_all(&mut tx, id.0, SecretKind::EndpointSecret).await.map_err(internal)?;
        audit::write(&mut tx, now, actor, "endpoint.tested", ("endpoint", id.to_string()), json!({}))
            .await
            .map_err(internal)?;
        // nothing is held while it is asked
        commit(tx).await?;
        let body = json!({
            "type": "linewatch.test",
            "timestamp": now.to_rfc3339_opts(SecondsFormat::Millis, true),
            "data": {"endpoint": endpoint.name, "by": actor.name},
        });
        let letter = Letter {
            id: new_id(),
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: body.to_string().into(),
        };
        let postman = Postman::new(&self.outbound, self.clock.clone());
        let tried = postman.send(&endpoint.url, &Signer::new(&secrets), &letter).await;
        let attempt = Attempt {
            n: 1,
            trigger: AttemptTrigger::Person,
            by: Some(actor.name.clone()),
            started_at: tried.started_at,
            duration_ms: u32::try_from(tried.took.as_millis()).unwrap_or(u32::MAX),
            outcome: if tried.error.is_none() { AttemptOutcome::Ok } else { AttemptOutcome::Failed },
            status: tried.status,
            error: tried.error,
        };
        Ok(Sent { attempt, answer: tried.answer })
    }

    /// Writes the audit line, tells everybody, and commits.
    async fn ended(
        &self,
        mut tx: Transaction<'static, Postgres>,
        actor: &Actor,
        id: EndpointId,
        action: &str,
        detail: Value,
    ) -> Result<Endpoint, Refusal> {
        self.tell(&mut tx, actor, id, action, detail).await?;
        let endpoint = self.one_endpoint(&mut tx, id).await?;
        commit(tx).await?;
        Ok(endpoint)
    }

    async fn tell(
        &self,
        tx: &mut PgConnection,
        actor: &Actor,
        id: EndpointId,
        action: &str,
        detail: Value,
    ) -> Result<(), Refusal> {
        audit::write(tx, self.clock.now(), actor, action, ("endpoint", id.to_string()), detail)
            .await
            .map_err(internal)?;
        // of many, so that the lanes look again
        let changes = [Change::new(ChangeTopic::System, id, 0), Change::many(ChangeTopic::Delivery)];
        live::announce(tx, &changes).await.map_err(internal)
    }
}

/// A filter that names what is not there would match nothing, and nobody would know why.
async fn exist(conn: &mut PgConnection, filter: &EndpointFilter) -> Result<(), Refusal> {
    let unknown = endpoint::unknown(conn, filter).await.map_err(internal)?;
    if unknown.is_empty() {
        return Ok(());
    }
    Err(Refusal::Invalid(unknown.into_iter().map(|message| FieldError::new("filter", message)).collect()))
}

fn taken(error: sqlx::Error, name: &str) -> Refusal {
    match &error {
        sqlx::Error::Database(database) if database.is_unique_violation() => {
            Refusal::invalid("name", format!("“{name}” is taken; choose another name"))
        }
        _ => internal(error),
    }
}
