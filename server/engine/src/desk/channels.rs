//! By what means people are told.

use super::tell_validate as validate;
use super::{Desk, commit, routes};
use crate::clock::new_id;
use crate::live;
use crate::notify::webhook::fresh_secret;
use crate::store::{alert_told, audit, channel, internal, notification_list};
use crate::vault::SecretKind;
use model::{
    Actor, Change, ChangeTopic, Channel, ChannelId, ChannelKind, ChannelPatch, NewChannel, NewRoute, Notification,
    Refusal, Role,
};
use serde_json::json;
use sqlx::PgConnection;

impl Desk {
    pub(super) async fn list_channels(&self, actor: &Actor) -> Result<Vec<Channel>, Refusal> {
        actor.must_be(Role::Viewer)?;
        channel::list(&mut *self.conn().await?, None).await.map_err(internal)
    }

    pub(super) async fn read_channel(&self, actor: &Actor, id: ChannelId) -> Result<Channel, Refusal> {
        actor.must_be(Role::Viewer)?;
        one(&mut *self.conn().await?, id).await
    }

    /// Where no route leads anywhere yet, the first channel gets one for everything: who adds it wants to be told.
    pub(super) async fn create_channel(&self, actor: &Actor, new: NewChannel) -> Result<Channel, Refusal> {
        actor.must_be(Role::Admin)?;
        let (mut new, slack) = validate::new_channel(&self.outbound, new)?;
        if new.kind == ChannelKind::Email && !self.sender.has_mail() && new.enabled != Some(false) {
            let why =
                "there is no mail server yet: set LINEWATCH_MAIL_URL and LINEWATCH_MAIL_FROM, and restart Linewatch";
            return Err(Refusal::invalid("kind", why));
        }
        let (id, now) = (ChannelId(new_id()), self.clock.now());
        let mut tx = self.begin().await?;
        fallback_fits(&mut tx, id, new.fallback_id).await?;
        new.settings.webhook_url = None;
        channel::create(&mut tx, id, &new, now).await.map_err(|error| taken(error, &new.name))?;
        let secret = match slack {
            Some(address) => {
                self.vault.put(&mut tx, id.0, SecretKind::SlackWebhook, &address, None).await.map_err(internal)?;
                None
            }
            None if new.kind == ChannelKind::Webhook => {
                let secret = fresh_secret();
                self.vault.put(&mut tx, id.0, SecretKind::ChannelSecret, &secret, None).await.map_err(internal)?;
                Some(secret.expose().to_owned())
            }
            None => None,
        };
        let detail = json!({"name": new.name, "kind": new.kind, "settings": new.settings});
        audit::write(&mut tx, now, actor, "channel.added", ("channel", id.to_string()), detail)
            .await
            .map_err(internal)?;
        if channel::any_route(&mut tx).await.map_err(internal)?.is_none() {
            let everything = NewRoute { name: "Everything".to_owned(), channels: vec![id], ..NewRoute::default() };
            let route = routes::add(&mut tx, &everything).await?;
            let detail = json!({"name": everything.name, "because": "the first channel was added", "channel": id});
            audit::write(&mut tx, now, actor, "route.added", ("route", route.to_string()), detail)
                .await
                .map_err(internal)?;
            alert_told::touch_all(&mut tx, now).await.map_err(internal)?;
        }
        let channel = Channel { secret, ..one(&mut tx, id).await? };
        announce(&mut tx, id, channel.version).await?;
        commit(tx).await?;
        Ok(channel)
    }

    pub(super) async fn patch_channel(
        &self,
        actor: &Actor,
        id: ChannelId,
        patch: ChannelPatch,
    ) -> Result<Channel, Refusal> {
        actor.must_be(Role::Admin)?;
        let now = self.clock.now();
        let mut tx = self.begin().await?;
        let mut changed = one(&mut tx, id).await?;
        if patch.version.is_some_and(|version| version != changed.version) {
            return Err(Refusal::Conflict(format!(
                "Somebody changed the channel “{}” meanwhile. Load it again, and make your change to what is there now.",
                changed.name
            )));
        }
        let fallback = patch.fallback_id;
        let slack = validate::channel_patch(&self.outbound, &mut changed, patch)?;
        if let Some(fallback) = fallback {
            fallback_fits(&mut tx, id, fallback).await?;
            changed.fallback_id = fallback;
        }
        channel::save(&mut tx, &changed, now).await.map_err(|error| taken(error, &changed.name))?;
        if let Some(address) = &slack {
            self.vault.replace(&mut tx, id.0, SecretKind::SlackWebhook, address, None).await.map_err(internal)?;
        }
        let detail = json!({"name": changed.name, "settings": changed.settings, "fallback_id": changed.fallback_id,
            "enabled": changed.enabled, "webhook_url": slack.map(|_| "changed")});
        audit::write(&mut tx, now, actor, "channel.changed", ("channel", id.to_string()), detail)
            .await
            .map_err(internal)?;
        let channel = one(&mut tx, id).await?;
        announce(&mut tx, id, channel.version).await?;
        commit(tx).await?;
        self.sender.wake().notify_one();
        Ok(channel)
    }

    pub(super) async fn take_channel_away(&self, actor: &Actor, id: ChannelId) -> Result<(), Refusal> {
        actor.must_be(Role::Admin)?;
        let now = self.clock.now();
        let mut tx = self.begin().await?;
        let gone = one(&mut tx, id).await?;
        let needed = channel::needed_by(&mut tx, id).await.map_err(internal)?;
        if !needed.is_empty() {
            let who = needed.join(", ");
            return Err(Refusal::Conflict(format!("“{}” is needed by {who}. Change that first.", gone.name)));
        }
        channel::remove(&mut tx, id, now).await.map_err(internal)?;
        for kind in [SecretKind::SlackWebhook, SecretKind::ChannelSecret] {
            self.vault.forget(&mut tx, id.0, kind).await.map_err(internal)?;
        }
        audit::write(&mut tx, now, actor, "channel.removed", ("channel", id.to_string()), json!({"name": gone.name}))
            .await
            .map_err(internal)?;
        announce(&mut tx, id, gone.version + 1).await?;
        commit(tx).await
    }

    /// A real message, sent now; that it does not go through is an answer too.
    pub(super) async fn try_channel(&self, actor: &Actor, id: ChannelId) -> Result<Notification, Refusal> {
        actor.must_be(Role::Support)?;
        let target = {
            let mut conn = self.conn().await?;
            one(&mut conn, id).await?;
            channel::target(&mut conn, id).await.map_err(internal)?.ok_or_else(not_found)?
        };
        let sent = self.sender.try_out(&target, &actor.name).await.map_err(internal)?;
        let mut tx = self.begin().await?;
        let detail = json!({"notification": sent});
        audit::write(&mut tx, self.clock.now(), actor, "channel.tested", ("channel", id.to_string()), detail)
            .await
            .map_err(internal)?;
        let told = notification_list::get(&mut tx, sent).await.map_err(internal)?.ok_or_else(not_found)?;
        commit(tx).await?;
        Ok(told)
    }
}

async fn one(conn: &mut PgConnection, id: ChannelId) -> Result<Channel, Refusal> {
    channel::list(conn, Some(id)).await.map_err(internal)?.pop().ok_or_else(not_found)
}

/// A channel takes over for another, but never in a circle.
async fn fallback_fits(conn: &mut PgConnection, id: ChannelId, fallback: Option<ChannelId>) -> Result<(), Refusal> {
    let channels = channel::list(conn, None).await.map_err(internal)?;
    let (mut next, mut steps) = (fallback, 0);
    while let Some(at) = next {
        let found = channels.iter().find(|channel| channel.id == at);
        let found = found.ok_or_else(|| Refusal::invalid("fallback_id", "there is no such channel"))?;
        steps += 1;
        if at == id || steps > channels.len() {
            return Err(Refusal::invalid("fallback_id", "in the end this channel would take over for itself"));
        }
        next = found.fallback_id;
    }
    Ok(())
}

fn taken(error: sqlx::Error, name: &str) -> Refusal {
    match &error {
        sqlx::Error::Database(database) if database.is_unique_violation() => {
            Refusal::invalid("name", format!("“{name}” is taken; choose another name"))
        }
        _ => internal(error),
    }
}

fn not_found() -> Refusal {
    Refusal::NotFound("This channel".to_owned())
}

/// Wakes those who tell as well: alerts may wait for a way out.
async fn announce(conn: &mut PgConnection, id: ChannelId, version: i64) -> Result<(), Refusal> {
    let changes = [Change::new(ChangeTopic::System, id, version), Change::many(ChangeTopic::Alert)];
    live::announce(conn, &changes).await.map_err(internal)
}
