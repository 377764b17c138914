//! Taking back what was changed on many issues at once.

use super::{Desk, bulk};
use crate::live;
use crate::store::bulk_undo::{self, Before};
use crate::store::issue::{self, Kept, NewEntry};
use crate::store::{audit, internal};
use model::{
    Actor, Bulk, BulkId, BulkKind, BulkState, Change, ChangeTopic, IssueEntryKind, IssueState, OutageId, Refusal, Role,
};
use serde_json::json;
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

impl Desk {
    /// As with everything else about bulk operations, whoever may start one may take one back.
    pub(super) async fn take_back_bulk(&self, actor: &Actor, id: BulkId) -> Result<Bulk, Refusal> {
        actor.must_be(Role::Support)?;
        let now = self.clock.now();
        let mut tx = self.begin().await?;
        let held = bulk_undo::lock(&mut tx, id, now).await.map_err(internal)?;
        let (found, _) = bulk::one(&mut tx, id).await?;
        if found.undone.is_some() {
            return Ok(found);
        }
        possible(&found, held == Some(true), now)?;
        let before = bulk_undo::befores(&mut tx, id).await.map_err(internal)?;
        let ids: Vec<Uuid> = before.iter().map(|before| before.issue.0).collect();
        let outages: Vec<Uuid> = before.iter().filter_map(|before| before.outage).map(|outage| outage.0).collect();
        let lasting = bulk_undo::lasting(&mut tx, &outages).await.map_err(internal)?;
        let kept = issue::lock(&mut tx, &ids).await.map_err(internal)?;
        let mut before: HashMap<_, _> = before.into_iter().map(|before| (before.issue, before)).collect();
        let (saved, entries): (Vec<_>, Vec<_>) = kept
            .into_iter()
            .filter_map(|kept| {
                let before = before.remove(&kept.id)?;
                put_back(kept, &before, &lasting, &actor.name)
            })
            .map(|(kept, entry)| ((kept, false), entry))
            .unzip();
        issue::save(&mut tx, &saved, now).await.map_err(internal)?;
        issue::append(&mut tx, &entries, now).await.map_err(internal)?;
        let as_before: Vec<Uuid> = saved.iter().map(|(kept, _)| kept.id.0).collect();
        bulk_undo::undone(&mut tx, id, &as_before, &actor.name, now).await.map_err(internal)?;
        let detail = json!({"put_back": as_before.len(), "left": ids.len() - as_before.len()});
        audit::write(&mut tx, now, actor, "bulk.undone", ("bulk", id.to_string()), detail).await.map_err(internal)?;
        let changes: Vec<_> =
            saved.iter().map(|(kept, _)| Change::new(ChangeTopic::Issue, kept.id, kept.version)).collect();
        live::announce(&mut tx, &changes).await.map_err(internal)?;
        self.finish_bulk(tx, id).await
    }
}

/// Refuses what cannot be taken back, and says why.
fn possible(bulk: &Bulk, held: bool, now: chrono::DateTime<chrono::Utc>) -> Result<(), Refusal> {
    let why = if !matches!(bulk.kind, BulkKind::Acknowledge | BulkKind::Assign) {
        "Only acknowledging and assigning can be taken back: what was asked of Makini was asked."
    } else if matches!(bulk.state, Some(BulkState::Running | BulkState::Paused)) {
        "This is still under way. Cancel it first; then what it has changed can be taken back."
    } else if held {
        "This was cancelled a moment ago, and its last few are being finished. Try again in some seconds."
    } else {
        match bulk.undo_until {
            None => "There is nothing to take back: it changed no issue.",
            Some(until) if until < now => {
                "It is too late: this can be taken back for an hour. Change the issues themselves."
            }
            Some(_) => return Ok(()),
        }
    };
    Err(Refusal::Conflict(why.to_owned()))
}

/// The issue as it was before, and what its story says of it. None if it has changed since. What was part of an outage that is over
/// opens instead.
fn put_back(mut kept: Kept, before: &Before, lasting: &HashSet<OutageId>, by: &str) -> Option<(Kept, NewEntry)> {
    if kept.version != before.version {
        return None;
    }
    let was = kept.standing.state;
    let over = before.state == IssueState::Folded && before.outage.is_none_or(|outage| !lasting.contains(&outage));
    kept.standing.state = if over { IssueState::Open } else { before.state };
    if kept.standing.state == IssueState::Folded {
        kept.outage = before.outage;
    }
    kept.standing.snooze_until = before.snooze_until.filter(|_| kept.standing.state == IssueState::Snoozed);
    // one that recovers still resolves when it has
    kept.due_at = if kept.standing.well_since.is_some() { kept.due_at } else { kept.standing.snooze_until };
    kept.assignee.clone_from(&before.assignee);
    kept.version += 1;
    let kind = match kept.standing.state {
        state if state == was => IssueEntryKind::Assigned,
        IssueState::WaitingOnCustomer => IssueEntryKind::Waiting,
        IssueState::Snoozed => IssueEntryKind::Snoozed,
        IssueState::Folded => IssueEntryKind::Folded,
        IssueState::Acknowledged => IssueEntryKind::Acknowledged,
        IssueState::Open | IssueState::Resolved => IssueEntryKind::Open,
    };
    let text = "Taken back: it is as it was before it was changed together with others".to_owned();
    let entry = NewEntry { issue: kept.id, kind, by: Some(by.to_owned()), text, version: kept.version };
    Some((kept, entry))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::Standing;
    use chrono::{DateTime, Utc};
    use model::{Cause, ConnectionId, IssueId};
    use proptest::prelude::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000 + seconds, 0).unwrap()
    }

    fn live() -> impl Strategy<Value = IssueState> {
        let live: Vec<_> = IssueState::ALL.iter().copied().filter(|state| state.is_live()).collect();
        proptest::sample::select(live)
    }

    fn outage() -> OutageId {
        OutageId(Uuid::from_u128(9))
    }

    fn kept(state: IssueState, assignee: Option<String>, well: bool) -> Kept {
        let mut standing = Standing { state, ..Standing::new(Cause::SyncError) };
        standing.snooze_until = (state == IssueState::Snoozed).then(|| at(600));
        standing.well_since = well.then(|| at(-5));
        Kept {
            id: IssueId(Uuid::from_u128(1)),
            connection: Some(ConnectionId(Uuid::from_u128(2))),
            outage: (state == IssueState::Folded).then(outage),
            due_at: if well { Some(at(60)) } else { standing.snooze_until },
            standing,
            detail: None,
            assignee,
            opened_at: at(-100),
            resolved_at: None,
            version: 3,
        }
    }

    proptest! {
        #[test]
        fn what_nobody_changed_since_is_as_before(
            state in live(), had in proptest::option::of("[a-z]{1,5}"), well: bool, acknowledged: bool,
        ) {
            let before = kept(state, had, well);
            let mut changed = Kept { assignee: Some("Ada".to_owned()), version: 4, ..before.clone() };
            if acknowledged {
                changed.standing.state = IssueState::Acknowledged;
                changed.standing.snooze_until = None;
                changed.outage = None;
                changed.due_at = if well { changed.due_at } else { None };
            }
            let was = Before::of(&before, 4);
            let lasting = HashSet::from([outage()]);
            let (back, entry) = put_back(changed.clone(), &was, &lasting, "Tom").unwrap();
            prop_assert_eq!(&back, &Kept { version: 5, ..before });
            prop_assert_eq!((entry.version, entry.by.as_deref()), (5, Some("Tom")));
            prop_assert_eq!(put_back(Kept { version: 5, ..changed }, &was, &lasting, "Tom"), None);
        }
    }

    #[test]
    fn what_was_part_of_an_outage_that_is_over_opens() {
        let before = Before::of(&kept(IssueState::Folded, None, false), 4);
        let taken = Kept { version: 4, ..kept(IssueState::Acknowledged, None, false) };
        let (back, entry) = put_back(taken, &before, &HashSet::new(), "Tom").unwrap();
        assert_eq!((back.standing.state, back.outage, entry.kind), (IssueState::Open, None, IssueEntryKind::Open));
    }
}
