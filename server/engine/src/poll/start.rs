//! Starting a sync because a person wants it. Nothing is held open while upstream is asked.

use super::Upstreams;
use crate::clock::SharedClock;
use crate::live;
use crate::makini::{SyncStart, UpstreamError};
use crate::store::{audit, internal, source, start};
use chrono::TimeDelta;
use model::{Actor, Change, ChangeTopic, ConnectionId, Refusal, Source, SyncKind};
use serde_json::json;
use sqlx::PgPool;

/// One connection is not asked to sync more often than this.
const NO_SOONER: TimeDelta = TimeDelta::seconds(30);
/// How long after it began a sync is looked at, so that who waits sees it under way.
const LOOK_AFTER: TimeDelta = TimeDelta::seconds(1);

/// Why no sync was started.
#[derive(Debug)]
pub struct NotStarted {
    /// In a sentence.
    pub refusal: Refusal,
    /// One is under way or was asked for just now: who wanted one has it.
    pub under_way: bool,
}

impl From<Refusal> for NotStarted {
    fn from(refusal: Refusal) -> Self {
        Self { refusal, under_way: false }
    }
}

/// Starts a sync of a connection, writes down who wanted it and what came of it, and has the connection looked at soon.
pub async fn start_sync(
    pool: &PgPool,
    upstreams: &Upstreams,
    clock: &SharedClock,
    actor: &Actor,
    id: ConnectionId,
    kind: SyncKind,
) -> Result<(), NotStarted> {
    let (key, source) = claim(pool, clock, actor, id, kind).await?;
    let answer = match upstreams.of(&source) {
        Ok(upstream) => upstream.start_sync(&key, kind).await,
        Err(error) => Err(error),
    };
    let not_started = match answer {
        Ok(SyncStart::Started) => None,
        Ok(SyncStart::UnderWay) => {
            Some(under_way("A sync of this connection is under way already. Its end shows here."))
        }
        Ok(SyncStart::Refused(why)) => Some(refused(format!("Makini refuses to start a sync: {why}"))),
        Ok(SyncStart::NotOurs) => Some(refused(format!(
            "Starting a sync takes the connection's own token, and the source “{}” leaves those to others. Start it in Makini's \
             dashboard, or let Linewatch own the tokens in the settings of the source.",
            source.name
        ))),
        Err(error) => Some(failed(&error)),
    };
    let now = clock.now();
    let mut tx = pool.begin().await.map_err(internal)?;
    let (action, detail) = match &not_started {
        None => (start::STARTED, json!({"kind": kind})),
        Some(not) => (start::REFUSED, json!({"kind": kind, "why": not.refusal.to_string()})),
    };
    audit::write(&mut tx, now, actor, action, ("connection", id.to_string()), detail).await.map_err(internal)?;
    // where there was no clear answer, a look shows what came of it
    if let Some(version) = start::look_soon(&mut tx, id, now + LOOK_AFTER).await.map_err(internal)? {
        let change = Change::new(ChangeTopic::Connection, id, version);
        live::announce(&mut tx, &[change]).await.map_err(internal)?;
    }
    tx.commit().await.map_err(internal)?;
    not_started.map_or(Ok(()), Err)
}

/// Notes that it is wanted, before anybody is asked: of two who want it at once only one goes on.
async fn claim(
    pool: &PgPool,
    clock: &SharedClock,
    actor: &Actor,
    id: ConnectionId,
    kind: SyncKind,
) -> Result<(String, Source), NotStarted> {
    let now = clock.now();
    let mut tx = pool.begin().await.map_err(internal)?;
    let wanted = start::lock(&mut tx, id, now - NO_SOONER).await.map_err(internal)?;
    let wanted = wanted.ok_or_else(|| Refusal::NotFound("This connection".to_owned()))?;
    if wanted.removed {
        return Err(refused("This connection is gone from Makini; there is nothing left to sync.".to_owned()));
    }
    if wanted.lately {
        return Err(under_way("A sync was asked for within the last 30 seconds. Wait for what comes of it."));
    }
    let source = source::list(&mut tx, Some(wanted.source_id), "").await.map_err(internal)?.pop();
    let source = source.ok_or_else(|| Refusal::NotFound("The source of this connection".to_owned()))?;
    audit::write(&mut tx, now, actor, start::ASKED, ("connection", id.to_string()), json!({"kind": kind}))
        .await
        .map_err(internal)?;
    tx.commit().await.map_err(internal)?;
    Ok((wanted.key, source))
}

fn under_way(sentence: &str) -> NotStarted {
    NotStarted { refusal: Refusal::Conflict(sentence.to_owned()), under_way: true }
}

fn refused(sentence: String) -> NotStarted {
    Refusal::Conflict(sentence).into()
}

/// It could not be asked, or did not answer: that passes, or somebody must mend a setting.
fn failed(error: &UpstreamError) -> NotStarted {
    let sentence = format!("No sync was started. {}", error.message);
    if error.is_retryable() { Refusal::Unavailable(sentence).into() } else { refused(sentence) }
}
