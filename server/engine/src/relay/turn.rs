//! One transaction of a lane: what ended is written, what is due is claimed, and the lease goes on.

use super::lane::LEASE;
use super::sign::Signer;
use crate::clock::SharedClock;
use crate::live;
use crate::store::delivery::{self, Ended};
use crate::store::delivery_content::{self, Content};
use crate::store::delivery_due::{self, Due};
use crate::store::lane::{self, Settings, Stand};
use crate::vault::{SecretKind, Vault, VaultError};
use model::{AttemptOutcome, Change, ChangeTopic, EndpointId};
use sqlx::{PgConnection, PgPool};
use std::collections::HashMap;
use uuid::Uuid;

/// A statement that takes this long is given up and tried again.
const BEGIN: &str = "begin; set local statement_timeout = '10s'";

/// Why a lane could not go on.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    /// The database did not answer as it should.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// The secrets do not open.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

/// What is to be done.
pub(super) struct Work {
    pub endpoint: EndpointId,
    pub token: Uuid,
    pub stand: Stand,
    /// The circuit opened or closed.
    pub turned: bool,
    pub ended: Vec<Ended>,
    /// What an earlier process may have sent is taken over.
    pub inherits: bool,
    /// How many are claimed at most.
    pub claims: usize,
    /// The version of the settings that are known.
    pub known: i64,
    /// What the lane has in hand, when it does not know what else it may have claimed.
    pub unsure: Option<Vec<Uuid>>,
    /// Bodies up to this size come along.
    pub small: i32,
}

/// What was done.
pub(super) struct Done {
    /// The settings and the secrets, if they are other than was known.
    pub changed: Option<(Settings, Signer)>,
    pub claimed: Vec<Due>,
    pub contents: HashMap<Uuid, Content>,
    pub inherited: Vec<Due>,
    /// How many were asked for.
    pub asked: usize,
}

/// What it came to.
pub(super) enum Turned {
    Done(Box<Done>),
    /// The lane is somebody else's; nothing was written.
    Lost,
    /// Nothing may have been written. What ended comes back: it is harmless to write it again.
    Failed(Trouble, Vec<Ended>),
}

/// One transaction.
pub(super) async fn turn(pool: &PgPool, vault: &Vault, clock: &SharedClock, work: Work) -> Turned {
    match try_turn(pool, vault, clock, &work).await {
        Ok(Some(done)) => Turned::Done(Box::new(done)),
        Ok(None) => Turned::Lost,
        Err(error) => Turned::Failed(error, work.ended),
    }
}

async fn try_turn(pool: &PgPool, vault: &Vault, clock: &SharedClock, work: &Work) -> Result<Option<Done>, Trouble> {
    let (now, endpoint, token) = (clock.now(), work.endpoint, work.token);
    let mut tx = pool.begin_with(BEGIN).await?;
    let Some(settings) = lane::renew(&mut tx, endpoint, token, now + LEASE, &work.stand, now).await? else {
        tx.rollback().await?;
        return Ok(None);
    };
    if !work.ended.is_empty() {
        delivery::finish(&mut tx, endpoint, token, &work.ended, now).await?;
    }
    if let Some(held) = &work.unsure {
        delivery_due::give_back(&mut tx, endpoint, token, held).await?;
    }
    let inherited = if work.inherits { delivery_due::take_over(&mut tx, endpoint, token).await? } else { Vec::new() };
    let limit = i64::try_from(work.claims).unwrap_or(0);
    let claimed = match settings.ordered {
        _ if !settings.sends || limit == 0 => Vec::new(),
        true => delivery_due::claim_in_order(&mut tx, endpoint, token, now, limit).await?,
        false => delivery_due::claim(&mut tx, endpoint, token, now, limit).await?,
    };
    let contents = if claimed.is_empty() {
        HashMap::new()
    } else {
        delivery_content::contents(&mut tx, &claimed, work.small).await?
    };
    let changed = match settings.version == work.known {
        true => None,
        false => Some((settings, signer(&mut tx, vault, endpoint).await?)),
    };
    live::announce(&mut tx, &changes(work)).await?;
    tx.commit().await?;
    Ok(Some(Done { changed, claimed, contents, inherited, asked: work.claims }))
}

/// What open pages should ask for again. What arrived at once, as nearly all does, is in no list of what failed and is said
/// quietly, all as one.
fn changes(work: &Work) -> Vec<Change> {
    let mut changes = Vec::new();
    let plain = |end: &Ended| end.due.tries == 0 && end.sent.attempt.outcome == AttemptOutcome::Ok;
    if !work.ended.is_empty() && work.ended.iter().all(plain) {
        changes.push(Change { quiet: true, ..Change::new(ChangeTopic::Delivery, work.endpoint, 0) });
    }
    changes.extend(
        work.ended
            .iter()
            .filter(|end| !plain(end))
            .take(50)
            .map(|end| Change::new(ChangeTopic::Delivery, end.due.id, 0)),
    );
    if work.turned {
        changes.push(Change::new(ChangeTopic::System, work.endpoint, 0));
        changes.push(Change::new(ChangeTopic::Delivery, work.endpoint, 0));
    }
    changes
}

/// What signs for an endpoint.
pub(super) async fn signer(conn: &mut PgConnection, vault: &Vault, endpoint: EndpointId) -> Result<Signer, Trouble> {
    Ok(Signer::new(&vault.get_all(conn, endpoint.0, SecretKind::EndpointSecret).await?))
}

/// Reads a body that was too large to come along; none: it is no longer kept.
pub(super) async fn large_body(pool: &PgPool, due: &Due) -> Result<Option<Vec<u8>>, sqlx::Error> {
    let mut conn = pool.acquire().await?;
    let mut found = delivery_content::contents(&mut conn, std::slice::from_ref(due), i32::MAX).await?;
    Ok(found.remove(&due.event_id).and_then(|content| content.body))
}

/// Gives back what was claimed but not sent, and the lane. Where something is under way still, only the time of the lease: so
/// the next one knows that there is something to take over.
pub(super) async fn leave(
    pool: &PgPool,
    endpoint: EndpointId,
    token: Uuid,
    under_way: &[Uuid],
) -> Result<(), sqlx::Error> {
    let mut tx = pool.begin_with(BEGIN).await?;
    delivery_due::give_back(&mut tx, endpoint, token, under_way).await?;
    lane::release(&mut tx, endpoint, token, under_way.is_empty()).await?;
    tx.commit().await
}
