//! The sources as the door knows them, in memory: no question to the database for a webhook.
//!
//! All of them are read again whenever a change of the system is announced, and every five seconds. A name that is not
//! among them causes a look, so that a source is known as soon as it is added; but at most ten a second, shared by all who ask
//! meanwhile, so that guessing names costs nothing.

use super::signature::Secrets;
use crate::{
    clock::SharedClock,
    live::Numbered,
    store::door::{self, DoorSource},
    vault::{SecretKind, Vault, VaultError},
};
use chrono::{DateTime, Utc};
use model::{ChangeTopic, Mappings, SecretId, SourceId};
use reqwest::header::HeaderName;
use sqlx::{PgConnection, PgPool};
use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::{Mutex, broadcast, mpsc},
    time::{Instant, MissedTickBehavior},
};

/// All sources are read again at least this often.
const REFRESH: Duration = Duration::from_secs(5);
/// Unknown names cause at most so many looks a second; beyond that, what was read last is believed.
const LOOKS_A_SECOND: u32 = 10;
/// Those who ask for an unknown name wait at most so long for that look.
const PATIENCE: Duration = Duration::from_secs(3);
/// Uses of a secret are noted at most this often.
const NOTE_USE: i64 = 60_000;

/// A source as the door knows it.
pub(super) struct Known {
    pub id: SourceId,
    pub name: String,
    pub mappings: Mappings,
    /// None when it is set to something that is no header's name: then no signature can ever be found.
    pub signature_header: Option<HeaderName>,
    /// None when they cannot be opened right now.
    pub secrets: Option<Secrets>,
    used: HashMap<SecretId, AtomicI64>,
}

/// What the door knows about a name.
pub(super) enum Found {
    Known(Arc<Known>),
    Unknown,
    /// The sources could not be read.
    Unavailable,
}

type ByName = HashMap<String, Arc<Known>>;

/// All sources, kept fresh.
pub(super) struct Sources {
    pool: PgPool,
    vault: Vault,
    clock: SharedClock,
    known: RwLock<Arc<ByName>>,
    /// When the newest reading of them began, and whether it went well.
    looked: Mutex<Option<(Instant, bool)>>,
    /// The second in which unknown names last caused looks, and how many.
    caused: std::sync::Mutex<(Instant, u32)>,
    uses: mpsc::UnboundedSender<(SecretId, DateTime<Utc>)>,
}

/// Uses of secrets, on their way into the vault.
pub(super) type Uses = mpsc::UnboundedReceiver<(SecretId, DateTime<Utc>)>;

impl Sources {
    pub fn new(pool: PgPool, vault: Vault, clock: SharedClock) -> (Self, Uses) {
        let (uses, noted) = mpsc::unbounded_channel();
        (
            Self {
                pool,
                vault,
                clock,
                known: RwLock::default(),
                looked: Mutex::new(None),
                caused: std::sync::Mutex::new((Instant::now(), 0)),
                uses,
            },
            noted,
        )
    }

    pub async fn find(&self, name: &str) -> Found {
        if let Some(known) = self.get(name) {
            return Found::Known(known);
        }
        let since = if self.may_look() { Some(Instant::now()) } else { None };
        match self.look(since).await {
            true => self.get(name).map_or(Found::Unknown, Found::Known),
            false => Found::Unavailable,
        }
    }

    /// Notes that a secret verified a signature; off the request path and at most once a minute.
    pub fn note_use(&self, source: &Known, secret: SecretId, at: DateTime<Utc>) {
        let Some(last) = source.used.get(&secret) else { return };
        let (now, before) = (at.timestamp_millis(), last.load(Ordering::Relaxed));
        let due = now.saturating_sub(before) >= NOTE_USE;
        if due && last.compare_exchange(before, now, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            // nobody notes it any more once the door is closing
            let _ = self.uses.send((secret, at));
        }
    }

    /// Keeps them fresh until dropped.
    pub async fn keep_fresh(&self, mut changes: broadcast::Receiver<Numbered>, mut uses: Uses) {
        let mut tick = tokio::time::interval(REFRESH);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = tick.tick() => {
                    self.look(Some(Instant::now())).await;
                }
                () = system_changed(&mut changes) => {
                    self.look(Some(Instant::now())).await;
                }
                Some((secret, at)) = uses.recv() => {
                    if let Err(error) = self.note(secret, at).await {
                        tracing::warn!(%secret, %error, "the use of a webhook secret could not be noted: {error}");
                    }
                }
            }
        }
    }

    fn get(&self, name: &str) -> Option<Arc<Known>> {
        self.all().get(name).cloned()
    }

    fn all(&self) -> Arc<ByName> {
        Arc::clone(&self.known.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether an unknown name may still cause a look in this second.
    fn may_look(&self) -> bool {
        let mut caused = self.caused.lock().unwrap_or_else(PoisonError::into_inner);
        if caused.0.elapsed() >= Duration::from_secs(1) {
            *caused = (Instant::now(), 0);
        }
        caused.1 += 1;
        caused.1 <= LOOKS_A_SECOND
    }

    /// Sees that all sources are read by a look that began no earlier than `since`, or ever; true if they are known. Those who
    /// ask meanwhile wait for it.
    async fn look(&self, since: Option<Instant>) -> bool {
        let mut looked = self.looked.lock().await;
        if let Some((began, well)) = *looked
            && since.is_none_or(|since| began >= since)
        {
            return well;
        }
        let began = Instant::now();
        let read = tokio::time::timeout(PATIENCE, self.read()).await.unwrap_or(Err(sqlx::Error::PoolTimedOut));
        let well = read.is_ok();
        match read {
            Ok(all) => *self.known.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(all),
            Err(error) => {
                tracing::warn!(%error, "the webhook door could not read the sources and goes on with those it knows: {error}");
            }
        }
        *looked = Some((began, well));
        well
    }

    async fn read(&self) -> sqlx::Result<ByName> {
        let before = self.all();
        let mut conn = self.pool.acquire().await?;
        let mut all = ByName::new();
        for source in door::sources(&mut conn).await? {
            let known = self.know(&mut conn, source, &before).await?;
            all.insert(known.name.clone(), Arc::new(known));
        }
        Ok(all)
    }

    async fn know(&self, conn: &mut PgConnection, source: DoorSource, before: &ByName) -> sqlx::Result<Known> {
        let DoorSource { id, name, mappings } = source;
        let opened = match self.vault.get_all(conn, id.0, SecretKind::WebhookSecret).await {
            Ok(opened) => Some(opened),
            Err(VaultError::Database(error)) => return Err(error),
            Err(error) => {
                tracing::error!(source = name, %error, "webhooks of {name} are refused, its secrets cannot be opened: {error}");
                None
            }
        };
        let now = self.clock.now();
        let live = opened.as_ref().map(|opened| {
            opened.iter().filter(|secret| secret.expires_at.is_none_or(|end| end > now)).collect::<Vec<_>>()
        });
        // what was noted here is newer than what the vault tells while the note is on its way
        let before = before.get(&name);
        let used = live.iter().flatten().map(|secret| {
            let told = secret.last_used_at.map_or(i64::MIN, |at| at.timestamp_millis());
            let noted = before.and_then(|before| before.used.get(&secret.id)).map(|at| at.load(Ordering::Relaxed));
            (secret.id, AtomicI64::new(noted.unwrap_or(i64::MIN).max(told)))
        });
        Ok(Known {
            id,
            signature_header: mappings.signature_header.parse().ok(),
            used: used.collect(),
            secrets: live
                .as_ref()
                .map(|live| Secrets::new(live.iter().map(|secret| (secret.id, secret.secret.expose().as_bytes())))),
            name,
            mappings,
        })
    }

    async fn note(&self, secret: SecretId, at: DateTime<Utc>) -> Result<(), VaultError> {
        let mut conn = self.pool.acquire().await?;
        self.vault.touch_used(&mut conn, secret, at).await
    }
}

/// Waits for a change that may concern a source.
async fn system_changed(changes: &mut broadcast::Receiver<Numbered>) {
    loop {
        match changes.recv().await {
            Ok(numbered) if numbered.change.topic == ChangeTopic::System => return,
            Ok(_) => {}
            Err(broadcast::error::RecvError::Lagged(_)) => return,
            // nobody tells any more; the clock still does
            Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
        }
    }
}
