//! Reasons not to tell.

use super::tell_validate as validate;
use super::{Desk, commit};
use crate::clock::new_id;
use crate::live;
use crate::store::{alert_told, audit, internal, maintenance, silence};
use crate::tell::{Facts, mute, recurrence};
use chrono::{DateTime, Utc};
use model::{
    Actor, AlertState, Change, ChangeTopic, Maintenance, MaintenanceId, MutedBy, NewMaintenance, NewSilence, Refusal,
    Role, Silence, SilenceId,
};
use serde_json::{Value, json};
use sqlx::{PgConnection, Postgres, Transaction};

impl Desk {
    pub(super) async fn list_silences(&self, actor: &Actor) -> Result<Vec<Silence>, Refusal> {
        actor.must_be(Role::Viewer)?;
        let mut conn = self.conn().await?;
        let mut silences = silence::live(&mut conn, self.clock.now()).await.map_err(internal)?;
        let facts = muted_or_firing(&mut conn, !silences.is_empty()).await?;
        for one in &mut silences {
            describe(one, &facts, self.clock.now());
        }
        Ok(silences)
    }

    pub(super) async fn create_silence(&self, actor: &Actor, new: NewSilence) -> Result<Silence, Refusal> {
        actor.must_be(Role::Support)?;
        let now = self.clock.now();
        let new = validate::new_silence(new, now)?;
        let mut one = Silence {
            id: SilenceId(new_id()),
            words: String::new(),
            by: actor.name.clone(),
            reason: new.reason,
            starts_at: new.starts_at.unwrap_or(now),
            ends_at: new.ends_at,
            matching: new.matching,
            muting: 0,
        };
        let mut tx = self.begin().await?;
        let facts = muted_or_firing(&mut tx, true).await?;
        if new.dry_run {
            // what it would mute, once it has begun
            let begun = one.starts_at.max(now);
            describe(&mut one, &facts, begun);
            return Ok(one);
        }
        silence::create(&mut tx, &one, now).await.map_err(internal)?;
        describe(&mut one, &facts, now);
        let detail = json!({"matching": one.matching, "reason": one.reason, "ends_at": one.ends_at});
        self.finish_mute(tx, actor, "silence.added", ("silence", one.id.to_string()), detail).await?;
        Ok(one)
    }

    pub(super) async fn stop_silence(&self, actor: &Actor, id: SilenceId) -> Result<(), Refusal> {
        actor.must_be(Role::Support)?;
        let mut tx = self.begin().await?;
        if !silence::end(&mut tx, id, self.clock.now()).await.map_err(internal)? {
            return Err(Refusal::NotFound("This silence".to_owned()));
        }
        self.finish_mute(tx, actor, "silence.ended", ("silence", id.to_string()), json!({})).await
    }

    pub(super) async fn list_maintenances(&self, actor: &Actor) -> Result<Vec<Maintenance>, Refusal> {
        actor.must_be(Role::Viewer)?;
        let now = self.clock.now();
        let all = maintenance::live(&mut *self.conn().await?, now).await.map_err(internal)?;
        let mut all: Vec<_> = all.into_iter().map(|one| timed(one, now)).collect();
        all.sort_by_key(|one| (!one.active, one.next_at.unwrap_or(one.ends_at), one.id));
        Ok(all)
    }

    pub(super) async fn create_maintenance(&self, actor: &Actor, new: NewMaintenance) -> Result<Maintenance, Refusal> {
        actor.must_be(Role::Support)?;
        let now = self.clock.now();
        let new = validate::new_maintenance(new, now)?;
        let one = Maintenance {
            id: MaintenanceId(new_id()),
            scope: new.scope,
            by: actor.name.clone(),
            reason: new.reason,
            starts_at: new.starts_at.unwrap_or(now),
            ends_at: new.ends_at,
            recurrence: new.recurrence,
            active: false,
            next_at: None,
            coming: Vec::new(),
        };
        let one = timed(one, now);
        if !one.active && one.next_at.is_none() {
            return Err(Refusal::invalid("ends_at", "with this end it never begins; choose a later one"));
        }
        let mut tx = self.begin().await?;
        maintenance::create(&mut tx, &one, now).await.map_err(internal)?;
        let detail = json!({"scope": one.scope, "reason": one.reason, "starts_at": one.starts_at, "ends_at": one.ends_at,
            "recurrence": one.recurrence});
        self.finish_mute(tx, actor, "maintenance.added", ("maintenance", one.id.to_string()), detail).await?;
        Ok(one)
    }

    pub(super) async fn stop_maintenance(&self, actor: &Actor, id: MaintenanceId) -> Result<(), Refusal> {
        actor.must_be(Role::Support)?;
        let mut tx = self.begin().await?;
        if !maintenance::end(&mut tx, id, self.clock.now()).await.map_err(internal)? {
            return Err(Refusal::NotFound("This maintenance".to_owned()));
        }
        self.finish_mute(tx, actor, "maintenance.ended", ("maintenance", id.to_string()), json!({})).await
    }

    /// Has what fires looked at again: it may be muted now, or told.
    async fn finish_mute(
        &self,
        mut tx: Transaction<'static, Postgres>,
        actor: &Actor,
        action: &str,
        subject: (&str, String),
        detail: Value,
    ) -> Result<(), Refusal> {
        let now = self.clock.now();
        audit::write(&mut tx, now, actor, action, subject, detail).await.map_err(internal)?;
        alert_told::touch_all(&mut tx, now).await.map_err(internal)?;
        live::announce(&mut tx, &[Change::many(ChangeTopic::Alert)]).await.map_err(internal)?;
        commit(tx).await
    }
}

fn timed(one: Maintenance, now: DateTime<Utc>) -> Maintenance {
    Maintenance {
        active: recurrence::active(&one, now).is_some(),
        next_at: recurrence::next(&one, now),
        coming: recurrence::coming(&one, now),
        ..one
    }
}

/// What fires, for saying what is muted; nothing where nobody asks.
async fn muted_or_firing(conn: &mut PgConnection, wanted: bool) -> Result<Vec<Facts>, Refusal> {
    if !wanted {
        return Ok(Vec::new());
    }
    let ids = alert_told::firing(conn).await.map_err(internal)?;
    alert_told::facts(conn, &ids).await.map_err(internal)
}

/// Says a silence in words, and how many alerts it mutes at this moment: not those that an outage tells of.
fn describe(one: &mut Silence, facts: &[Facts], at: DateTime<Utc>) {
    let begun = one.starts_at <= at && at < one.ends_at;
    let muted = facts.iter().filter(|facts| {
        facts.state == AlertState::Firing
            && facts.muted_by != Some(MutedBy::Outage)
            && mute::silences(&one.matching, facts)
    });
    one.muting = if begun { muted.count() as u64 } else { 0 };
    one.words = validate::silence_words(&one.matching);
}
