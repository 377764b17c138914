//! What can be done to a connection, by a person at the control door or by the story. Each takes effect at once.

use crate::clock::Moment;
use crate::connection::{Failure, Life, Stage, SyncKind};
use crate::world::World;
use rand::Rng;
use serde::Deserialize;
use serde_json::json;
use std::time::Duration;

/// An action of the control door.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Action {
    ChangeCredentials,
    Reconnect,
    GoOffline,
    ComeOnline,
    FailSync,
    FinishSync,
    StallSync,
    /// Somebody changes an asset in the customer's system.
    ChangeRecord,
    Delete,
}

impl World {
    /// Acts upon a connection. From then on the story leaves it alone. Refuses, in a sentence, what cannot be.
    pub(crate) fn act(&mut self, at: usize, action: Action, now: Moment) -> Result<(), &'static str> {
        self.check(&self.connections[at].life, action)?;
        self.connections[at].life.touched = true;
        self.story.forget(at);
        match action {
            Action::ChangeCredentials => self.change_credentials(at, now),
            Action::Reconnect => self.reconnect(at, now),
            Action::GoOffline => self.set_reach(at, now, |life| life.held_offline = true),
            Action::ComeOnline => self.set_reach(at, now, |life| life.held_offline = false),
            Action::FailSync => self.fail_sync(at, now, Failure::Source),
            Action::FinishSync => self.finish_sync(at, now),
            Action::StallSync => self.stall_sync(at),
            Action::ChangeRecord => self.change_record(at, now)?,
            Action::Delete => self.delete(at, now),
        }
        Ok(())
    }

    fn check(&self, life: &Life, action: Action) -> Result<(), &'static str> {
        let syncs = matches!(action, Action::FailSync | Action::FinishSync | Action::StallSync);
        match action {
            _ if syncs && life.stage == Stage::Pending => Err("the connection is pending: send reconnect first"),
            _ if syncs && life.stage == Stage::NoCredits => Err("the connection is inactive and does not sync"),
            Action::FinishSync if life.reauthorization_required => {
                Err("a sync cannot finish with refused credentials: send reconnect first")
            }
            Action::FinishSync if life.offline() => {
                Err("a sync cannot finish while the platform is offline: send come_online, or end the outage, first")
            }
            _ => Ok(()),
        }
    }

    /// The customer's credentials no longer work.
    pub(crate) fn change_credentials(&mut self, at: usize, now: Moment) {
        let life = &mut self.connections[at].life;
        life.reauthorization_required = true;
        life.updated_at = now;
        life.next_sync = None;
        let running = life.running.is_some();
        self.disarm(at);
        self.emit(now, at, "connection.reauthorization_required", |profile| {
            json!({
                "reason": "credentials_changed",
                "system": { "slug": profile.platform.slug, "name": profile.platform.name },
                "error": {
                    "code": Failure::Credentials.code(),
                    "message": Failure::Credentials.message(profile.platform),
                },
            })
        });
        if running {
            self.sync_failed(at, now, Failure::Credentials);
        }
    }

    /// The customer signs in again: a new token is to be had, the old one is dead, and a sync starts at once. There is no
    /// event for it; the good sync is the news.
    pub(crate) fn reconnect(&mut self, at: usize, now: Moment) {
        self.tokens.revoke_connection(at);
        let life = &mut self.connections[at].life;
        life.reauthorization_required = false;
        life.stalled = false;
        life.last_failure = None;
        life.running = None;
        life.updated_at = now;
        life.reconnected_at = Some(now);
        if life.stage == Stage::Pending {
            life.stage = Stage::FirstSync;
        }
        let length = Duration::from_millis(self.dice.random_range(1_000..1_700));
        self.start_sync(at, now, SyncKind::Incremental, length);
    }

    /// Changes what keeps a connection's platform away, and tells if that changed anything.
    pub(crate) fn set_reach(&mut self, at: usize, now: Moment, change: impl FnOnce(&mut Life)) {
        let life = &mut self.connections[at].life;
        let before = life.offline();
        change(life);
        let after = life.offline();
        if before == after {
            return;
        }
        life.updated_at = now;
        let running = life.running.is_some();
        let (status, previous) = if after { ("offline", "online") } else { ("online", "offline") };
        self.emit(now, at, "connection.status_changed", |profile| {
            let error = after.then(|| {
                json!({
                    "code": Failure::Unreachable.code(),
                    "message": Failure::Unreachable.message(profile.platform),
                })
            });
            json!({ "status": status, "previous": previous, "error": error })
        });
        if after && running {
            self.sync_failed(at, now, Failure::Unreachable);
        }
    }

    /// The current sync fails, or one that starts now.
    pub(crate) fn fail_sync(&mut self, at: usize, now: Moment, failure: Failure) {
        let life = &self.connections[at].life;
        let failure = match () {
            () if life.reauthorization_required => Failure::Credentials,
            () if life.offline() => Failure::Unreachable,
            () => failure,
        };
        self.sync_failed(at, now, failure);
    }

    /// The current sync finishes, or one that starts now.
    pub(crate) fn finish_sync(&mut self, at: usize, now: Moment) {
        self.connections[at].life.stalled = false;
        self.sync_completed(at, now);
    }

    /// No further sync, and nothing said about it: the next one stays announced and never comes.
    pub(crate) fn stall_sync(&mut self, at: usize) {
        self.disarm(at);
        let life = &mut self.connections[at].life;
        life.stalled = true;
        life.running = None;
    }

    /// The connection is gone; its history is nobody's business here.
    pub(crate) fn delete(&mut self, at: usize, now: Moment) {
        self.disarm(at);
        self.tokens.revoke_connection(at);
        self.ledger.forget(at);
        self.story.forget(at);
        let life = &mut self.connections[at].life;
        if !life.deleted {
            self.alive -= 1;
        }
        life.deleted = true;
        life.running = None;
        life.next_sync = None;
        life.updated_at = now;
    }
}
