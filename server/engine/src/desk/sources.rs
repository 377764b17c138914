//! Sources: settings, secrets, and trying them out.

use super::{Desk, commit, validate};
use crate::clock::new_id;
use crate::live;
use crate::store::{audit, internal, record, rejection, secret, source};
use crate::vault::{Secret, SecretKind};
use chrono::TimeDelta;
use model::{
    Actor, Change, ChangeTopic, NewSource, NewWebhookSecret, Refusal, Role, SecretId, Source, SourceId, SourcePatch,
    SourceTest,
};
use serde_json::json;
use sqlx::PgConnection;

impl Desk {
    pub(super) async fn list_sources(&self, actor: &Actor) -> Result<Vec<Source>, Refusal> {
        actor.must_be(Role::Viewer)?;
        self.sources_with_traffic(&mut *self.conn().await?, None).await
    }

    pub(super) async fn read_source(&self, actor: &Actor, id: SourceId) -> Result<Source, Refusal> {
        actor.must_be(Role::Viewer)?;
        self.one_source(&mut *self.conn().await?, id).await
    }

    /// Sources with their secrets' hints and what came through the webhook door.
    pub(super) async fn sources_with_traffic(
        &self,
        conn: &mut PgConnection,
        only: Option<SourceId>,
    ) -> Result<Vec<Source>, Refusal> {
        let mut sources = source::list(conn, only, &self.public_url).await.map_err(internal)?;
        let ids: Vec<_> = sources.iter().map(|source| source.id).collect();
        let secrets = secret::webhook_secrets(conn, &ids).await.map_err(internal)?;
        for source in &mut sources {
            let own = secrets.iter().filter(|(owner, _)| *owner == source.id);
            source.webhook_secrets = own.map(|(_, secret)| secret.clone()).collect();
            let since = self.clock.now() - TimeDelta::hours(24);
            source.traffic = rejection::traffic(conn, &source.name, since).await.map_err(internal)?;
        }
        record::sights(conn, &mut sources).await.map_err(internal)?;
        Ok(sources)
    }

    async fn one_source(&self, conn: &mut PgConnection, id: SourceId) -> Result<Source, Refusal> {
        self.sources_with_traffic(conn, Some(id)).await?.pop().ok_or_else(not_found)
    }

    pub(super) async fn create_source(&self, actor: &Actor, new: NewSource) -> Result<Source, Refusal> {
        actor.must_be(Role::Admin)?;
        validate::new_source(&self.outbound, &new)?;
        validate::records_of(new.dialect, &new.settings)?;
        let (id, now) = (SourceId(new_id()), self.clock.now());
        let mut tx = self.begin().await?;
        source::create(&mut tx, id, &new, now).await.map_err(|error| match &error {
            sqlx::Error::Database(database) if database.is_unique_violation() => {
                Refusal::invalid("name", format!("“{}” is taken; choose another name", new.name))
            }
            _ => internal(error),
        })?;
        let client_secret = Secret::from(new.client_secret.clone());
        self.vault.put(&mut tx, id.0, SecretKind::ClientSecret, &client_secret, None).await.map_err(internal)?;
        if let Some(secret) = new.webhook_secret.as_ref().filter(|secret| !secret.is_empty()) {
            let secret = Secret::from(secret.clone());
            self.vault.put(&mut tx, id.0, SecretKind::WebhookSecret, &secret, None).await.map_err(internal)?;
        }
        let detail = json!({"name": new.name, "base_url": new.base_url, "client_id": new.client_id});
        self.finish(tx, actor, id, "source.added", detail).await
    }

    pub(super) async fn patch_source(
        &self,
        actor: &Actor,
        id: SourceId,
        patch: SourcePatch,
    ) -> Result<Source, Refusal> {
        actor.must_be(Role::Admin)?;
        validate::source_patch(&self.outbound, &patch)?;
        let now = self.clock.now();
        let mut tx = self.begin().await?;
        let before = self.one_source(&mut tx, id).await?;
        validate::records_of(before.dialect, &patch)?;
        if !source::change(&mut tx, id, &patch, now).await.map_err(internal)? {
            return Err(Refusal::Conflict(format!(
                "Somebody changed the source “{}” meanwhile. Load it again, and make your change to what is there now.",
                before.name
            )));
        }
        if let Some(secret) = patch.client_secret.as_ref().filter(|secret| !secret.is_empty()) {
            let secret = Secret::from(secret.clone());
            self.vault.replace(&mut tx, id.0, SecretKind::ClientSecret, &secret, None).await.map_err(internal)?;
        }
        let signs_in_anew = patch.client_secret.is_some() || patch.client_id.is_some() || patch.base_url.is_some();
        if signs_in_anew {
            // a token belongs to the credentials and the host it was made with
            for token in self.vault.get_all(&mut tx, id.0, SecretKind::AdminToken).await.map_err(internal)? {
                self.vault.retire(&mut tx, id.0, token.id).await.map_err(internal)?;
            }
        }
        if patch.mappings.as_ref().is_some_and(|mappings| *mappings != before.mappings) {
            self.try_mappings(&mut tx, actor, id).await?;
        }
        let detail =
            json!(SourcePatch { client_secret: patch.client_secret.as_ref().map(|_| "changed".to_owned()), ..patch });
        self.finish(tx, actor, id, "source.changed", detail).await
    }

    pub(super) async fn try_source(&self, actor: &Actor, id: SourceId) -> Result<SourceTest, Refusal> {
        actor.must_be(Role::Admin)?;
        let source = self.one_source(&mut *self.conn().await?, id).await?;
        let steps = match self.upstreams.of(&source) {
            Ok(upstream) => upstream.test().await,
            Err(error) => vec![model::SourceTestStep {
                name: "Settings".to_owned(),
                ok: false,
                detail: error.to_string(),
                duration_ms: 0,
            }],
        };
        Ok(SourceTest { ok: steps.iter().all(|step| step.ok), steps })
    }

    pub(super) async fn add_secret(
        &self,
        actor: &Actor,
        id: SourceId,
        new: NewWebhookSecret,
    ) -> Result<Source, Refusal> {
        actor.must_be(Role::Admin)?;
        validate::webhook_secret("secret", &new.secret)?;
        let mut tx = self.begin().await?;
        let source = self.one_source(&mut tx, id).await?;
        if source.webhook_secrets.len() >= 10 {
            return Err(Refusal::Conflict(
                "There are ten secrets already. Retire one that is no longer used.".to_owned(),
            ));
        }
        let secret = Secret::from(new.secret);
        self.vault.put(&mut tx, id.0, SecretKind::WebhookSecret, &secret, None).await.map_err(internal)?;
        self.finish(tx, actor, id, "source.webhook_secret_added", json!({})).await
    }

    pub(super) async fn retire_secret(&self, actor: &Actor, id: SourceId, secret: SecretId) -> Result<Source, Refusal> {
        actor.must_be(Role::Admin)?;
        let mut tx = self.begin().await?;
        self.one_source(&mut tx, id).await?;
        if !self.vault.retire(&mut tx, id.0, secret).await.map_err(internal)? {
            return Err(Refusal::NotFound("This secret".to_owned()));
        }
        self.finish(tx, actor, id, "source.webhook_secret_retired", json!({"secret": secret})).await
    }

    /// Writes the audit line, tells everybody, commits, and has the source listed at once.
    async fn finish(
        &self,
        mut tx: sqlx::Transaction<'static, sqlx::Postgres>,
        actor: &Actor,
        id: SourceId,
        action: &str,
        detail: serde_json::Value,
    ) -> Result<Source, Refusal> {
        audit::write(&mut tx, self.clock.now(), actor, action, ("source", id.to_string()), detail)
            .await
            .map_err(internal)?;
        let source = self.one_source(&mut tx, id).await?;
        let change = Change::new(ChangeTopic::System, id, source.version);
        live::announce(&mut tx, &[change]).await.map_err(internal)?;
        commit(tx).await?;
        self.rounds.notify_one();
        Ok(source)
    }
}

fn not_found() -> Refusal {
    Refusal::NotFound("This source".to_owned())
}
