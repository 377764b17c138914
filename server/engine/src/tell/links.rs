//! Links in messages: single-purpose, good for a week and once. Looking changes nothing, so that whoever checks links in mails
//! does nothing; a button does, and only for who is signed in.

use crate::clock::{SharedClock, new_id};
use crate::live;
use crate::reconnect::{fresh, hash_of};
use crate::store::alert_link::{self, Hash, Kept};
use crate::store::{alert_group, alert_told, audit, internal, silence};
use chrono::TimeDelta;
use model::{Actor, AlertId, Change, ChangeTopic, Refusal, Role, Silence, SilenceId, SilenceMatch};
use serde_json::json;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

/// What a link is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To take the alerts.
    Acknowledge,
    /// To silence them.
    Silence,
}

impl Purpose {
    /// The word in the database.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Acknowledge => "acknowledge",
            Self::Silence => "silence",
        }
    }
}

/// One link of each purpose: its address, and what is kept of it.
pub fn fresh_links(public_url: &str) -> [(Purpose, String, Hash); 2] {
    [Purpose::Acknowledge, Purpose::Silence].map(|purpose| {
        let token = fresh();
        (purpose, format!("{public_url}/a/{token}"), hash_of(&token))
    })
}

/// What a link leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// What it is for.
    pub purpose: Purpose,
    /// Names of the alerts that fire, at most 20.
    pub names: Vec<String>,
    /// How many fire.
    pub firing: usize,
    /// Who used it.
    pub used_by: Option<String>,
    /// It is too old.
    pub expired: bool,
}

/// Why a link could not be followed.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// There is no such link.
    #[error("there is no such link")]
    Unknown,
    /// It is used or too old.
    #[error("the link is used or too old")]
    Over,
    /// Whoever asks may not, or something failed.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

impl From<sqlx::Error> for LinkError {
    fn from(error: sqlx::Error) -> Self {
        Self::Refused(internal(error))
    }
}

/// The links' other side. Cheap to clone.
#[derive(Clone)]
pub struct Links {
    /// The database.
    pub pool: PgPool,
    /// The time.
    pub clock: SharedClock,
}

impl Links {
    /// What a link leads to. Changes nothing.
    ///
    /// # Errors
    /// When there is none, or the database fails.
    pub async fn look(&self, token: &str) -> Result<Link, LinkError> {
        let mut conn = self.pool.acquire().await?;
        let kept = alert_link::by_token(&mut conn, &hash_of(token)).await?.ok_or(LinkError::Unknown)?;
        let ids = alerts(&mut conn, &kept).await?;
        let lines = alert_told::lines(&mut conn, &ids, "", 1_000).await?;
        let firing: Vec<_> = lines.iter().filter(|line| line.over_at.is_none()).collect();
        Ok(Link {
            purpose: if kept.purpose == Purpose::Silence.code() { Purpose::Silence } else { Purpose::Acknowledge },
            names: firing.iter().take(20).map(|line| line.name()).collect(),
            firing: firing.len(),
            expired: kept.used_at.is_none() && kept.expires_at <= self.clock.now(),
            used_by: kept.used_by,
        })
    }

    /// Takes every alert of the link that fires, for whoever asks; answers how many. The link is used up.
    ///
    /// # Errors
    /// When the link is over or unknown, or whoever asks may not.
    pub async fn acknowledge(&self, token: &str, actor: &Actor) -> Result<usize, LinkError> {
        actor.must_be(Role::Support)?;
        let now = self.clock.now();
        let mut tx = self.pool.begin().await?;
        let kept = self.take(&mut tx, token, Purpose::Acknowledge, actor).await?;
        let ids = alerts(&mut tx, &kept).await?;
        let taken = alert_told::acknowledge(&mut tx, &ids, &actor.name, now).await?;
        for (id, _) in &taken {
            let detail = json!({"by": "a link in a message"});
            audit::write(&mut tx, now, actor, "alert.acknowledged", ("alert", id.to_string()), detail).await?;
        }
        let changes: Vec<_> = taken.iter().map(|(id, version)| Change::new(ChangeTopic::Alert, id, *version)).collect();
        live::announce(&mut tx, &changes).await?;
        tx.commit().await?;
        Ok(taken.len())
    }

    /// Silences every alert of the link that fires for so long; the link is used up.
    ///
    /// # Errors
    /// When the link is over or unknown, or whoever asks may not.
    pub async fn silence(&self, token: &str, actor: &Actor, lasts: TimeDelta) -> Result<Silence, LinkError> {
        actor.must_be(Role::Support)?;
        let now = self.clock.now();
        let mut tx = self.pool.begin().await?;
        let kept = self.take(&mut tx, token, Purpose::Silence, actor).await?;
        let ids = alerts(&mut tx, &kept).await?;
        let facts = alert_told::facts(&mut tx, &ids).await?;
        let firing = facts.iter().filter(|facts| facts.state == model::AlertState::Firing);
        let alert_ids: Vec<AlertId> = firing.map(|facts| facts.alert).collect();
        if alert_ids.is_empty() {
            return Err(
                Refusal::Conflict("Nothing of it fires any more, so there is nothing to silence.".to_owned()).into()
            );
        }
        let new = Silence {
            id: SilenceId(new_id()),
            matching: SilenceMatch { alert_ids, ..SilenceMatch::default() },
            words: String::new(),
            by: actor.name.clone(),
            reason: "Silenced from a message".to_owned(),
            starts_at: now,
            ends_at: now + lasts,
            muting: 0,
        };
        silence::create(&mut tx, &new, now).await?;
        alert_told::touch(&mut tx, &ids, now).await?;
        let detail = json!({"matching": new.matching, "ends_at": new.ends_at, "by": "a link in a message"});
        audit::write(&mut tx, now, actor, "silence.added", ("silence", new.id.to_string()), detail).await?;
        live::announce(&mut tx, &[Change::many(ChangeTopic::Alert)]).await?;
        tx.commit().await?;
        Ok(new)
    }

    async fn take(
        &self,
        conn: &mut PgConnection,
        token: &str,
        purpose: Purpose,
        actor: &Actor,
    ) -> Result<Kept, LinkError> {
        let hash = hash_of(token);
        let kept = alert_link::by_token(conn, &hash).await?.filter(|kept| kept.purpose == purpose.code());
        let kept = kept.ok_or(LinkError::Unknown)?;
        if alert_link::take(conn, &hash, &actor.name, self.clock.now()).await? {
            Ok(kept)
        } else {
            Err(LinkError::Over)
        }
    }
}

/// The alerts of a link's group.
async fn alerts(conn: &mut PgConnection, kept: &Kept) -> Result<Vec<Uuid>, sqlx::Error> {
    Ok(alert_group::get(conn, kept.group).await?.map(|group| group.alerts).unwrap_or_default())
}
