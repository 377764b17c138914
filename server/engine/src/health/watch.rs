//! Watches for outages: one process leads, looks at the counts, and folds what belongs together. Every step may be repeated, so
//! what slips in between two is caught by the next.

use super::follow::{BROKEN_AFTER_OUTAGE, FOLDED};
use super::issue::{Decision, on_outage};
use super::ledger::{Ledger, Told};
use super::outage::{Cell, OutagePolicy, Subject, Verdict, decide};
use crate::clock::{SharedClock, new_id};
use crate::live;
use crate::store::issue::{self, NewEntry};
use crate::store::{lock_or_leave, outage};
use crate::work::Step;
use chrono::{DateTime, TimeDelta, Utc};
use model::{Cause, Change, ChangeTopic, IssueEntryKind, IssueId, IssueState, OutageId, OutageKind};
use sqlx::{PgConnection, PgPool, Result};
use std::collections::HashMap;
use uuid::Uuid;

/// The advisory lock of who leads.
const LEADER: i64 = 0x6c77_6f75_7461_6765;

/// One look. `hold`: how long a connection must be well before its issues resolve. Never busy: what it left is done with the next
/// look, and a wake-up or a second later is soon enough.
pub async fn watch(pool: &PgPool, clock: &SharedClock, policy: &OutagePolicy, hold: TimeDelta) -> Result<Step> {
    let now = clock.now();
    let mut tx = pool.begin().await?;
    if !lock_or_leave(&mut tx, LEADER).await? {
        return Ok(Step::Idle);
    }
    let lasts = look(&mut tx, policy, now).await?;
    tx.commit().await?;
    if lasts {
        // Alone in its transaction: it waits for connections, and whoever holds those may wait for issues.
        outage::add_members(&mut *pool.acquire().await?).await?;
        let mut tx = pool.begin().await?;
        if lock_or_leave(&mut tx, LEADER).await? {
            count(&mut tx).await?;
            tx.commit().await?;
        }
    }
    sort_out(pool, lasts, policy, hold, now).await?;
    Ok(Step::Idle)
}

/// Begins, calms and ends outages. Answers whether any lasts.
async fn look(conn: &mut PgConnection, policy: &OutagePolicy, now: DateTime<Utc>) -> Result<bool> {
    let lasting = outage::lasting(conn).await?;
    let rounds = outage::rounds(conn, now).await?;
    let (mut cells, failing): (Vec<_>, Vec<_>) = outage::cells(conn).await?.into_iter().unzip();
    if policy.may_be_met(cells.iter().zip(failing).map(|(cell, failing)| (failing, cell.total))) {
        outage::fill_failed(conn, &mut cells, now - policy.window).await?;
    }
    let standing: Vec<_> = lasting.iter().map(|kept| kept.lasting.clone()).collect();
    let verdicts = decide(&cells, &rounds, &standing, policy, now);
    let (mut lasts, mut changes) = (!lasting.is_empty(), Vec::new());
    for (subject, verdict) in &verdicts {
        let kept = lasting.iter().find(|kept| kept.lasting.subject == *subject);
        match (verdict, kept) {
            (Verdict::Begin { started_at, blind }, _) => {
                changes.extend(begin(conn, subject, *started_at, *blind, &cells, now).await?);
                lasts = true;
            }
            (Verdict::Grow, Some(kept)) => outage::set_calm(conn, kept.id, None).await?,
            (Verdict::Calm, Some(kept)) => outage::set_calm(conn, kept.id, Some(now)).await?,
            (Verdict::End, Some(kept)) => changes.extend(end(conn, kept, now).await?),
            (_, None) => {}
        }
    }
    live::announce(conn, &changes).await?;
    Ok(lasts)
}

async fn begin(
    conn: &mut PgConnection,
    subject: &Subject,
    started_at: DateTime<Utc>,
    blind: bool,
    cells: &[Cell],
    now: DateTime<Utc>,
) -> Result<Vec<Change>> {
    let its = |cell: &&Cell| match subject.kind {
        OutageKind::Platform => cell.platform == subject.slug,
        OutageKind::Source => cell.source == subject.slug,
        OutageKind::Poller => true,
    };
    let hit = cells.iter().filter(its).map(|cell| cell.failed).sum::<u64>();
    let (id, issue) = (OutageId(new_id()), IssueId(new_id()));
    if !outage::begin(conn, id, subject, started_at, if blind { 0 } else { hit }, now).await? {
        return Ok(Vec::new());
    }
    let name = match subject.kind {
        OutageKind::Platform => outage::platform_name(conn, &subject.slug).await?.unwrap_or(subject.slug.clone()),
        OutageKind::Source | OutageKind::Poller => subject.slug.clone(),
    };
    let (cause, text) = match (subject.kind, blind) {
        (OutageKind::Poller, _) => {
            (Cause::NoProof, "Linewatch cannot reach any source; nothing that it shows is fresh".to_owned())
        }
        (_, true) => (Cause::NoProof, format!("The source “{name}” cannot be polled; its connections are not seen")),
        (OutageKind::Source, _) => {
            (Cause::PlatformUnreachable, format!("{hit} connections of the source “{name}” failed together"))
        }
        (OutageKind::Platform, _) => {
            (Cause::PlatformUnreachable, format!("{hit} connections of {name} failed together"))
        }
    };
    tracing::warn!(kind = %subject.kind, slug = subject.slug, hit, "an outage began: {text}");
    outage::open_issue(conn, id, issue, cause, &text, now).await?;
    let entry = NewEntry { issue, kind: IssueEntryKind::Opened, by: None, text, version: 1 };
    issue::append(conn, &[entry], now).await?;
    Ok(vec![Change::new(ChangeTopic::Outage, id, 1), Change::new(ChangeTopic::Issue, issue, 1)])
}

async fn end(conn: &mut PgConnection, kept: &outage::Kept, now: DateTime<Utc>) -> Result<Vec<Change>> {
    let version = outage::tell(conn, kept, Some(now)).await?;
    let mut changes = vec![Change::new(ChangeTopic::Outage, kept.id, version)];
    let (mut saved, mut entries) = (Vec::new(), Vec::new());
    for mut own in issue::of_outages(conn, &[kept.id.0]).await? {
        if !own.standing.state.is_live() {
            continue;
        }
        own.standing.state = IssueState::Resolved;
        own.standing.snooze_until = None;
        (own.resolved_at, own.due_at) = (Some(now), None);
        own.version += 1;
        let text = match kept.lasting.broken {
            0 => "The outage is over, and nothing of it is left".to_owned(),
            n => format!("The outage is over; {n} are still broken and stand for themselves again"),
        };
        entries.push(NewEntry { issue: own.id, kind: IssueEntryKind::Resolved, by: None, text, version: own.version });
        changes.push(Change::new(ChangeTopic::Issue, own.id, own.version));
        saved.push((own, false));
    }
    issue::save(conn, &saved, now).await?;
    issue::append(conn, &entries, now).await?;
    let Subject { kind, slug } = &kept.lasting.subject;
    tracing::info!(%kind, slug, broken = kept.lasting.broken, "the outage of {slug} is over");
    Ok(changes)
}

/// Tells whom the lasting outages have hit, where that has changed.
async fn count(conn: &mut PgConnection) -> Result<()> {
    let mut changes = Vec::new();
    for kept in outage::lasting(conn).await? {
        let (affected, broken) = kept.told;
        if (i64::try_from(kept.affected), i64::try_from(kept.lasting.broken)) != (Ok(affected), Ok(broken)) {
            let version = outage::tell(conn, &kept, None).await?;
            changes.push(Change::new(ChangeTopic::Outage, kept.id, version));
        }
    }
    live::announce(conn, &changes).await
}

/// Folds what belongs to an outage that lasts, if any does, and lets go what belonged to one that is over.
async fn sort_out(
    pool: &PgPool,
    lasts: bool,
    policy: &OutagePolicy,
    hold: TimeDelta,
    now: DateTime<Utc>,
) -> Result<()> {
    let mut tx = pool.begin().await?;
    let children = if lasts { outage::children(&mut tx, policy.window).await? } else { Vec::new() };
    let children: HashMap<Uuid, OutageId> = children.into_iter().collect();
    let orphans = outage::orphans(&mut tx).await?;
    if children.is_empty() && orphans.is_empty() {
        return Ok(());
    }
    let ids: Vec<_> = children.keys().copied().chain(orphans).collect();
    let kept = issue::lock(&mut tx, &ids).await?;
    let mut ledger = Ledger::new(kept.clone(), hold, now);
    for (place, kept) in kept.iter().enumerate() {
        let outage = children.get(&kept.id.0).copied();
        let decision = on_outage(&kept.standing, outage.is_some());
        let text = if decision == Decision::Fold { FOLDED } else { BROKEN_AFTER_OUTAGE };
        ledger.enter(place, decision, Told { detail: None, outage, text: text.to_owned() });
    }
    let changes = ledger.write(&mut tx).await?;
    live::announce(&mut tx, &changes).await?;
    tx.commit().await
}
