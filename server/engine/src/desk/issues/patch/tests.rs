use super::*;
use crate::health::Standing;
use model::{ActorKind, Cause, ConnectionId, IssueId, Role, TokenId};
use uuid::Uuid;

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000 + seconds, 0).unwrap()
}

fn actor() -> Actor {
    Actor { kind: ActorKind::Token(TokenId(Uuid::nil())), name: "Ada".to_owned(), role: Role::Support }
}

fn kept(state: IssueState) -> Kept {
    Kept {
        id: IssueId(Uuid::nil()),
        connection: Some(ConnectionId(Uuid::nil())),
        outage: None,
        standing: Standing { state, ..Standing::new(Cause::SyncError) },
        detail: None,
        assignee: None,
        opened_at: at(-100),
        resolved_at: None,
        due_at: None,
        version: 3,
    }
}

fn to(state: IssueState) -> IssuePatch {
    IssuePatch { state: Some(state), ..IssuePatch::default() }
}

fn edited(kept: Kept, patch: &IssuePatch) -> Edit {
    edit(kept, patch, Some(Health::Failing), &actor(), at(0)).unwrap().unwrap()
}

#[test]
fn a_sleep_has_an_end_that_is_neither_past_nor_far() {
    let snooze = |until: Option<i64>| IssuePatch { snooze_until: until.map(at), ..to(IssueState::Snoozed) };
    for (patch, fits) in [
        (snooze(Some(1)), true),
        (snooze(Some(90 * 86_400)), true),
        (snooze(Some(90 * 86_400 + 1)), false),
        (snooze(Some(0)), false),
        (snooze(None), false),
        (IssuePatch { snooze_until: Some(at(1)), ..to(IssueState::Open) }, false),
        (to(IssueState::Folded), false),
        (IssuePatch { assignee: Some(Some("  ".to_owned())), ..IssuePatch::default() }, false),
        (IssuePatch { assignee: Some(None), ..IssuePatch::default() }, true),
    ] {
        assert_eq!(validate(patch.clone(), &actor(), at(0)).is_ok(), fits, "{patch:?}");
    }
}

#[test]
fn me_is_who_asks() {
    let patch = IssuePatch { assignee: Some(Some("me".to_owned())), ..to(IssueState::Acknowledged) };
    let patch = validate(patch, &actor(), at(0)).unwrap();
    let Edit { kept, entries } = edited(kept(IssueState::Open), &patch);
    assert_eq!(
        (kept.assignee.as_deref(), kept.standing.state, kept.version),
        (Some("Ada"), IssueState::Acknowledged, 4)
    );
    let kinds: Vec<_> = entries.iter().map(|entry| entry.kind).collect();
    assert_eq!(kinds, [IssueEntryKind::Acknowledged, IssueEntryKind::Assigned]);
    assert!(entries.iter().all(|entry| entry.by.as_deref() == Some("Ada") && entry.version == 4));
    assert!(edit(kept, &patch, None, &actor(), at(1)).unwrap().is_none(), "it is so already");
}

#[test]
fn what_is_resolved_is_not_taken_any_more() {
    let assigned = IssuePatch { assignee: Some(Some("Bob".to_owned())), ..IssuePatch::default() };
    for patch in [to(IssueState::Acknowledged), to(IssueState::WaitingOnCustomer), assigned.clone()] {
        let refused = edit(kept(IssueState::Resolved), &patch, None, &actor(), at(0)).unwrap_err();
        assert_eq!(refused.status(), 409);
    }
    assert!(edit(kept(IssueState::Resolved), &to(IssueState::Resolved), None, &actor(), at(0)).unwrap().is_none());
    let again = IssuePatch { state: Some(IssueState::Open), ..assigned };
    let edit = edited(kept(IssueState::Resolved), &again);
    assert_eq!((edit.kept.standing.state, edit.entries[0].kind), (IssueState::Open, IssueEntryKind::Reopened));
    assert_eq!(edit.kept.assignee.as_deref(), Some("Bob"));
}

#[test]
fn who_resolves_what_is_broken_is_told_so() {
    let still = edited(kept(IssueState::Open), &to(IssueState::Resolved));
    assert!(still.entries[0].text.contains("still: failing"), "{}", still.entries[0].text);
    assert_eq!((still.kept.resolved_at, still.kept.standing.well_since), (Some(at(0)), None));
    let mut recovering = kept(IssueState::Open);
    recovering.standing.well_since = Some(at(-10));
    recovering.due_at = Some(at(290));
    let over = edited(recovering.clone(), &to(IssueState::Resolved));
    assert_eq!((over.entries[0].text.as_str(), over.kept.due_at), ("Resolved by hand", None));
    let asleep = IssuePatch { snooze_until: Some(at(1_000)), ..to(IssueState::Snoozed) };
    assert_eq!(edited(recovering, &asleep).kept.due_at, Some(at(290)), "it still resolves when it is due");
    assert_eq!(edited(kept(IssueState::Open), &asleep).kept.due_at, Some(at(1_000)));
}

#[test]
fn nobody_opens_what_an_outage_stands_for_but_who_wants_it_may_take_it() {
    let mut folded = kept(IssueState::Folded);
    folded.outage = Some(model::OutageId(Uuid::nil()));
    assert_eq!(edit(folded.clone(), &to(IssueState::Open), None, &actor(), at(0)).unwrap_err().status(), 409);
    assert_eq!(edited(folded, &to(IssueState::Acknowledged)).kept.outage, None);
}
