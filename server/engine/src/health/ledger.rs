//! Decisions about issues, gathered and written in a few statements however many there are.

use super::issue::{Decision, Proof, Standing};
use crate::clock::new_id;
use crate::store::issue::{self, Kept, NewEntry};
use chrono::{DateTime, TimeDelta, Utc};
use model::{Cause, Change, ChangeTopic, ConnectionId, IssueEntryKind, IssueId, OutageId};
use sqlx::{PgConnection, Result};

/// One issue and what has become of it.
struct Draft {
    kept: Kept,
    /// The version in the database; 0 for one that is not there yet.
    stored: i64,
    changed: bool,
    reopened: bool,
}

/// What the story of an issue says of a decision.
pub(super) struct Told<'a> {
    /// What upstream said of the cause, where somebody looked.
    pub(super) detail: Option<&'a str>,
    /// The outage that covers the connection.
    pub(super) outage: Option<OutageId>,
    /// In words.
    pub(super) text: String,
}

/// Issues under their locks, with what was decided about them.
pub(super) struct Ledger {
    drafts: Vec<Draft>,
    entries: Vec<NewEntry>,
    hold: TimeDelta,
    now: DateTime<Utc>,
}

impl Ledger {
    pub(super) fn new(kept: Vec<Kept>, hold: TimeDelta, now: DateTime<Utc>) -> Self {
        let draft = |kept: Kept| Draft { stored: kept.version, kept, changed: false, reopened: false };
        Self { drafts: kept.into_iter().map(draft).collect(), entries: Vec::new(), hold, now }
    }

    /// Every issue as it stands by now, by its place.
    pub(super) fn issues(&self) -> impl Iterator<Item = (usize, &Kept)> {
        self.drafts.iter().map(|draft| &draft.kept).enumerate()
    }

    /// One of them.
    pub(super) fn issue(&self, place: usize) -> Option<&Kept> {
        self.drafts.get(place).map(|draft| &draft.kept)
    }

    /// Adds the place for an issue that is not there yet; it is written only if it is opened.
    pub(super) fn add(&mut self, connection: ConnectionId, cause: Cause) -> usize {
        let kept = Kept {
            id: IssueId(new_id()),
            connection: Some(connection),
            outage: None,
            standing: Standing::new(cause),
            detail: None,
            assignee: None,
            opened_at: self.now,
            resolved_at: None,
            due_at: None,
            version: 0,
        };
        self.drafts.push(Draft { kept, stored: 0, changed: false, reopened: false });
        self.drafts.len() - 1
    }

    /// Takes a decision down.
    pub(super) fn enter(&mut self, place: usize, decision: Decision, told: Told<'_>) {
        let Some(draft) = self.drafts.get_mut(place) else { return };
        let kept = &mut draft.kept;
        let before = kept.standing;
        kept.standing = before.after(decision, self.now);
        let due_at = kept.standing.due_at(self.hold);
        draft.changed |= decision != Decision::Keep || due_at != kept.due_at;
        kept.due_at = due_at;
        let kind = match decision {
            Decision::Keep | Decision::BeginRecovery | Decision::StopRecovery => {
                // upstream's own words may come later than the fact
                if told.detail.is_some_and(|detail| kept.detail.as_deref() != Some(detail)) {
                    kept.detail = told.detail.map(str::to_owned);
                    kept.version += 1;
                    draft.changed = true;
                }
                return;
            }
            Decision::Open { folded } | Decision::Reopen { folded } => {
                (kept.opened_at, kept.resolved_at) = (self.now, None);
                kept.detail = told.detail.map(str::to_owned);
                kept.outage = told.outage.filter(|_| folded);
                draft.reopened = true;
                if matches!(decision, Decision::Open { .. }) {
                    IssueEntryKind::Opened
                } else {
                    IssueEntryKind::Reopened
                }
            }
            Decision::Fold => {
                kept.outage = told.outage;
                IssueEntryKind::Folded
            }
            Decision::Unfold => {
                kept.outage = None;
                IssueEntryKind::Open
            }
            Decision::Wake => IssueEntryKind::Open,
            Decision::Resolve(Proof::Held | Proof::Gone) => {
                kept.resolved_at = Some(self.now);
                IssueEntryKind::Resolved
            }
        };
        kept.version += 1;
        let (issue, version) = (kept.id, kept.version);
        let entry = |kind, text| NewEntry { issue, kind, by: None, text, version };
        self.entries.push(entry(kind, told.text));
        if let Decision::Open { folded: true } | Decision::Reopen { folded: true } = decision {
            self.entries.push(entry(IssueEntryKind::Folded, super::follow::FOLDED.to_owned()));
        }
    }

    /// Writes everything down: at most three statements. Answers what to announce.
    pub(super) async fn write(self, conn: &mut PgConnection) -> Result<Vec<Change>> {
        let (mut new, mut changed, mut changes) = (Vec::new(), Vec::new(), Vec::new());
        for draft in self.drafts.into_iter().filter(|draft| draft.changed && draft.kept.version > 0) {
            if draft.kept.version > draft.stored {
                changes.push(Change::new(ChangeTopic::Issue, draft.kept.id, draft.kept.version));
            }
            if draft.stored == 0 {
                new.push(draft.kept);
            } else {
                changed.push((draft.kept, draft.reopened));
            }
        }
        issue::insert(conn, &new, self.now).await?;
        issue::save(conn, &changed, self.now).await?;
        issue::append(conn, &self.entries, self.now).await?;
        Ok(changes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::IssueState;
    use uuid::Uuid;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000 + seconds, 0).unwrap()
    }

    fn ledger(standing: Standing) -> Ledger {
        let kept = Kept {
            id: IssueId(Uuid::nil()),
            connection: None,
            outage: None,
            standing,
            detail: None,
            assignee: None,
            opened_at: at(0),
            resolved_at: None,
            due_at: None,
            version: 3,
        };
        Ledger::new(vec![kept], TimeDelta::seconds(300), at(0))
    }

    fn told() -> Told<'static> {
        Told { detail: None, outage: None, text: String::new() }
    }

    #[test]
    fn what_changes_is_written_and_what_does_not_is_not() {
        let open = Standing { state: IssueState::Open, ..Standing::new(Cause::SyncError) };
        let mut ledger = self::ledger(open);
        ledger.enter(0, Decision::Keep, told());
        assert!(!ledger.drafts[0].changed);
        for decision in [Decision::BeginRecovery, Decision::StopRecovery, Decision::Keep] {
            ledger.enter(0, decision, told());
            assert!(ledger.drafts[0].changed, "{decision:?}");
            let due = (decision == Decision::BeginRecovery).then(|| at(300));
            assert_eq!((ledger.drafts[0].kept.due_at, ledger.drafts[0].kept.version), (due, 3));
        }
        assert!(ledger.entries.is_empty(), "a story tells of what people see");
        // its time is not what is stored: the hold was set anew
        let mut due = self::ledger(Standing { well_since: Some(at(-10)), ..open });
        due.enter(0, Decision::Keep, told());
        assert!(due.drafts[0].changed && due.drafts[0].kept.due_at == Some(at(290)));
    }
}
